"""Proxies: which one leads where, what it is told, and what becomes of what it says."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from edges.sockets import Provided, Provider, Script, Visit, read_head, settle, soon, until
from portico.core.errors import UpstreamIncomplete, UpstreamUnreachable
from portico.http.address import Origin, parse_address
from portico.http.client import HttpUpstream
from portico.http.proxy import Proxies, proxies_of
from portico.http.sessions import client_context
from portico.relay.ports import UpstreamRequest

Provide = Callable[[Script], Awaitable[Provider]]

USER, PASSWORD = "clerk", "hunter2"
BASIC = "Basic Y2xlcms6aHVudGVyMg=="
P = "http://proxy.test:3128"


def proxy_for(url: str, **environment: str) -> Origin | None:
    proxies, problems = proxies_of(environment)
    assert problems == []
    proxy = proxies.leading_to(parse_address(url).origin)
    return proxy.origin if proxy else None


NAMED: dict[str, tuple[dict[str, str], str, str | None]] = {
    "none": ({}, "https://a.test/", None),
    "https": ({"HTTPS_PROXY": P}, "https://a.test/", "proxy.test"),
    "https is not for http": ({"HTTPS_PROXY": P}, "http://a.test/", None),
    "http": ({"HTTP_PROXY": P}, "http://a.test/", "proxy.test"),
    "http is not for https": ({"HTTP_PROXY": P}, "https://a.test/", None),
    "lower case": ({"https_proxy": P}, "https://a.test/", "proxy.test"),
    "lower case first": ({"https_proxy": P, "HTTPS_PROXY": "http://other.test"}, "https://a.test/", "proxy.test"),
    "lower case empty": ({"https_proxy": "", "HTTPS_PROXY": P, "ALL_PROXY": P}, "https://a.test/", None),
    "all, https": ({"ALL_PROXY": P}, "https://a.test/", "proxy.test"),
    "all, http": ({"all_proxy": P}, "http://a.test/", "proxy.test"),
    "all, but its own first": ({"ALL_PROXY": "http://other.test", "HTTPS_PROXY": P}, "https://a.test/", "proxy.test"),
    "from a header of a caller": ({"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, "http://a.test/", None),
    "not from a header": ({"http_proxy": P, "REQUEST_METHOD": "GET"}, "http://a.test/", "proxy.test"),
    "https is from no header": ({"HTTPS_PROXY": P, "REQUEST_METHOD": "GET"}, "https://a.test/", "proxy.test"),
    "without a scheme": ({"HTTPS_PROXY": "proxy.test:3128"}, "https://a.test/", "proxy.test"),
    "with a user": ({"HTTPS_PROXY": "http://u:p@proxy.test:3128/"}, "https://a.test/", "proxy.test"),
    "spaces around": ({"HTTPS_PROXY": f" {P} "}, "https://a.test/", "proxy.test"),
    "this machine": ({"ALL_PROXY": P}, "http://localhost:8080/", None),
    "this machine by address": ({"ALL_PROXY": P}, "http://127.9.9.9/", None),
    "this machine by IPv6": ({"ALL_PROXY": P}, "http://[::1]/", None),
}


@pytest.mark.parametrize(("environment", "url", "host"), NAMED.values(), ids=NAMED)
def test_the_variables_everybody_knows_name_the_proxy(environment: dict[str, str], url: str, host: str | None) -> None:
    origin = proxy_for(url, **environment)
    assert (origin.host if origin else None) == host


def test_a_proxy_has_the_port_of_its_scheme() -> None:
    assert proxy_for("https://a.test/", HTTPS_PROXY="proxy.test") == ("http", "proxy.test", 80)
    assert proxy_for("https://a.test/", HTTPS_PROXY="https://proxy.test") == ("https", "proxy.test", 443)


EXCEPTED = [
    # NO_PROXY, URL, whether it is reached directly
    ("a.test", "http://a.test/", True),
    ("a.test", "http://A.TEST./", True),
    ("A.Test", "http://a.test/", True),
    ("a.test", "http://b.a.test/", True),
    ("a.test", "http://ba.test/", False),
    ("a.test", "http://a.test.example/", False),
    (".a.test", "http://a.test/", True),
    (".a.test", "http://b.a.test/", True),
    ("*.a.test", "http://b.a.test/", True),
    ("*.a.test", "http://ba.test/", False),
    ("a.test:8080", "http://a.test:8080/", True),
    ("a.test:8080", "http://a.test/", False),
    ("a.test:80", "http://a.test/", True),
    ("a.test:443", "https://a.test/", True),
    ("x.test, a.test", "http://a.test/", True),
    ("x.test a.test", "http://a.test/", True),
    (",, ,", "http://a.test/", False),
    ("*", "http://a.test/", True),
    ("x.test,*", "http://a.test/", True),
    ("10.0.0.0/8", "http://10.255.0.1/", True),
    ("10.0.0.0/8", "http://11.0.0.1/", False),
    ("10.0.0.1", "http://10.0.0.1/", True),
    ("10.0.0.1", "http://10.0.0.10/", False),
    ("10.0.0.1:81", "http://10.0.0.1:81/", True),
    ("10.0.0.1:81", "http://10.0.0.1/", False),
    ("fd00::/8", "http://[fd12::1]/", True),
    ("[fd12::1]:81", "http://[fd12:0::1]:81/", True),
    ("[fd12::1]:81", "http://[fd12::1]/", False),
    ("10.0.0.1", "http://[::ffff:10.0.0.1]/", True),
    ("0.0.1", "http://10.0.0.1/", False),
]


@pytest.mark.parametrize(("entries", "url", "direct"), EXCEPTED)
def test_no_proxy_names_what_is_reached_directly(entries: str, url: str, direct: bool) -> None:
    assert (proxy_for(url, ALL_PROXY=P, NO_PROXY=entries) is None) == direct
    assert (proxy_for(url, ALL_PROXY=P, no_proxy=entries, NO_PROXY="*") is None) == direct


@pytest.mark.parametrize(
    "url",
    [
        "socks5://clerk:hunter2@proxy.test",
        "http://clerk:hunter2@proxy.test:99999",
        "http://clerk:hunter2@proxy.test/path",
        "http://clerk:hunter2@proxy.test?query",
        "http://clerk:hunter2@",
        "http://clerk:hunter2@a b",
        "http://clerk:hunter2@[::1",
        "http://clerk:hunter2%0d%0ax@proxy.test",
        "clerk:hunter2@pröxy .test",
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable_alone(url: str) -> None:
    proxies, problems = proxies_of({"ALL_PROXY": url})
    assert proxies == Proxies()
    ((variable, why),) = problems
    assert variable == "ALL_PROXY"
    assert "hunter2" not in why


def test_credentials_do_not_show() -> None:
    proxies, _ = proxies_of({"HTTPS_PROXY": f"http://{USER}:{PASSWORD}@proxy.test"})
    assert proxies.https is not None
    assert proxies.https.header == f"proxy-authorization: {BASIC}\r\n"
    assert PASSWORD not in repr(proxies)
    assert BASIC not in repr(proxies)


# Over sockets.


class House:
    """A provider that is reached through a scripted proxy; what either was told."""

    def __init__(self, certificate: Path, server_context: ssl.SSLContext) -> None:
        self._certificate = certificate
        self._server_context = server_context
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self.asked: list[Provided] = []
        self.connects: list[tuple[str, dict[str, str]]] = []
        self.proxy: Provider
        self.provider: Provider

    async def start(self, script: Script | None = None, *, tls: bool = False, more: str = "") -> HttpUpstream:
        """The client. `script` is the proxy's; `tls` is spoken to the proxy; `more` is of the environment."""
        self.provider = await Provider(self._answer, ssl=self._server_context).start()
        self.proxy = await Provider(script or self.tunnel, **({"ssl": self._server_context} if tls else {})).start()
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        proxies, problems = proxies_of(
            {"ALL_PROXY": f"{scheme}://{USER}:{PASSWORD}@{host}:{self.proxy.port}", "NO_PROXY": more}
        )
        assert problems == []
        client = HttpUpstream(tls=client_context(self._certificate), proxies=proxies)
        self._closers += [client.aclose, self.proxy.stop, self.provider.stop]
        return client

    async def stop(self) -> None:
        for close in self._closers:
            await close()

    async def _answer(self, visit: Visit) -> None:
        while True:
            request = await visit.request()
            self.asked.append(request)
            visit.answer(request.body or b"ok")

    async def tunnel(self, visit: Visit) -> None:
        """A proxy as it should be."""
        self.connects.append(await read_head(visit.reader))
        reader, writer = await asyncio.open_connection("127.0.0.1", self.provider.port)
        visit.send(b"HTTP/1.1 200 Connection established\r\nContent-Length: 7\r\n\r\n")
        await asyncio.gather(_pour(visit.reader, writer), _pour(reader, visit.writer))

    def request(self, url: str = "https://provider.test/v1?x=1", **more: object) -> UpstreamRequest:
        fields: dict[str, object] = {"headers": [("authorization", "sk-sample")], "body": b"hello", **more}
        return UpstreamRequest(url=url, **fields)  # type: ignore[arg-type]

    async def fetch(self, client: HttpUpstream, **more: object) -> bytes:
        response = await soon(client.send(self.request(**more)))  # type: ignore[arg-type]
        return await soon(response.read())


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def house(certificate: tuple[Path, Path], server_context: ssl.SSLContext) -> AsyncIterator[House]:
    house = House(certificate[0], server_context)
    yield house
    await house.stop()


@pytest.mark.parametrize("tls", [False, True])
async def test_an_https_provider_is_reached_through_a_tunnel(house: House, tls: bool) -> None:
    client = await house.start(tls=tls)
    for body in (b"hello", b"a" * 3_000_000, b"hello"):
        assert await house.fetch(client, body=body) == body
    assert house.connects == [
        (
            "CONNECT provider.test:443 HTTP/1.1",
            {"host": "provider.test:443", "user-agent": "portico", "proxy-authorization": BASIC},
        )
    ]
    assert [request.line for request in house.asked] == ["POST /v1?x=1 HTTP/1.1"] * 3
    assert "proxy-authorization" not in house.asked[0].headers
    assert house.asked[0].headers["authorization"] == "sk-sample"
    assert client.open_connections == client.idle_connections == 1


@pytest.mark.parametrize("tls", [False, True])
async def test_closing_an_answer_ends_the_tunnel(house: House, tls: bool) -> None:
    ended = asyncio.Event()

    async def script(visit: Visit) -> None:
        await house.tunnel(visit)
        ended.set()

    client = await house.start(script, tls=tls)
    response = await soon(client.send(house.request(body=b"a" * 1_000_000)))
    response.close()
    await soon(ended.wait())
    await until(lambda: client.open_connections == 0)


@pytest.mark.parametrize("tls", [False, True])
async def test_an_http_provider_is_asked_of_the_proxy_itself(house: House, tls: bool) -> None:
    asked: list[Provided] = []

    async def script(visit: Visit) -> None:
        while True:
            asked.append(await visit.request())
            visit.answer(b"%d" % visit.number)

    client = await house.start(script, tls=tls, more="direct.test")
    url = "http://provider.test:8081/v1?x=1"
    assert [await house.fetch(client, url=url) for _ in range(2)] == [b"0", b"0"]
    assert asked[0].line == "POST http://provider.test:8081/v1?x=1 HTTP/1.1"
    assert asked[0].headers["host"] == "provider.test:8081"
    assert asked[0].headers["proxy-authorization"] == BASIC
    assert house.provider.visits == 0


async def test_what_is_excepted_and_this_machine_are_reached_directly(house: House) -> None:
    client = await house.start(more="10.0.0.0/8")
    assert await house.fetch(client, url=f"https://localhost:{house.provider.port}/") == b"hello"
    assert house.proxy.visits == 0


REFUSALS = {
    "credentials wanted": (b"HTTP/1.1 407 Nope\r\nContent-Length: 2\r\n\r\nno", "407 Proxy Authentication Required"),
    "forbidden": (b"HTTP/1.1 403 hunter2\r\nConnection: close\r\n\r\n", "403 Forbidden"),
    "unreachable for the proxy": (b"HTTP/1.0 502 \r\n\r\n", "502 Bad Gateway"),
    "a status of its own": (b"HTTP/1.1 599\r\n\r\n", "599"),
    "a redirection": (b"HTTP/1.1 302 Found\r\nLocation: https://login.test/\r\n\r\n", "302 Found"),
}


@pytest.mark.parametrize(("answer", "said"), REFUSALS.values(), ids=REFUSALS)
async def test_a_proxy_that_refuses_is_told_by_its_status(house: House, answer: bytes, said: str) -> None:
    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        visit.send(answer)
        await visit.gone()

    client = await house.start(script)
    with pytest.raises(UpstreamUnreachable) as failure:
        await house.fetch(client)
    assert failure.value.message == f"The proxy refused a connection to provider.test: {said}."
    assert PASSWORD not in repr(failure.value)
    await until(lambda: client.open_connections == 0)


async def test_a_proxy_that_wants_credentials_is_not_taken_for_an_http_provider(house: House) -> None:
    async def script(visit: Visit) -> None:
        await visit.request()
        visit.answer(b"who are you?", status="407 Proxy Authentication Required")
        await visit.gone()

    client = await house.start(script)
    with pytest.raises(UpstreamUnreachable, match="407"):
        await house.fetch(client, url="http://provider.test/")
    await until(lambda: client.open_connections == 0)


NO_TUNNELS = {
    "nothing": b"",
    "half an answer": b"HTTP/1.1 200 OK\r\nX-A: ",
    "nonsense": b"SSH-2.0-OpenSSH\r\n\r\n",
    "another version": b"HTTP/2 200\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\n\r\n\r\n",
    "more than was asked": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "nonsense in the tunnel": b"HTTP/1.1 200 OK\r\n\r\n",
    "a head without an end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000,
    "interim answers without an end": b"HTTP/1.1 100 Continue\r\n\r\n" * 5,
}


@pytest.mark.parametrize("answer", NO_TUNNELS.values(), ids=NO_TUNNELS)
@pytest.mark.parametrize("tls", [False, True])
async def test_a_proxy_that_gives_no_tunnel_gives_no_connection(house: House, answer: bytes, tls: bool) -> None:
    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        visit.send(answer)
        if answer.endswith(b"200 OK\r\n\r\n"):
            await visit.reader.read(1)
            visit.send(b"nonsense")
            await visit.gone()

    client = await house.start(script, tls=tls)
    with pytest.raises(UpstreamUnreachable, match=r"No connection to provider\.test through the proxy: \S+") as failure:
        await house.fetch(client)
    assert PASSWORD not in repr(failure.value.__cause__)
    assert client.open_connections == 0


@pytest.mark.parametrize("end", ["closes", "resets", "closes later", "resets later"])
@pytest.mark.parametrize("tls", [False, True])
async def test_a_tunnel_that_is_closed_at_once_is_no_connection(house: House, tls: bool, end: str) -> None:
    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
        if "later" in end:
            await visit.reader.read(1)
        if "resets" in end:
            visit.writer.transport.abort()

    client = await house.start(script, tls=tls)
    for _ in range(10):
        with pytest.raises(UpstreamUnreachable, match="through the proxy"):
            await house.fetch(client)
    assert client.open_connections == 0


async def test_the_answer_of_a_proxy_cut_at_any_byte_is_the_same(house: House) -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\n\r\n"

    async def script(visit: Visit) -> None:
        house.connects.append(await read_head(visit.reader))
        reader, writer = await asyncio.open_connection("127.0.0.1", house.provider.port)
        step = 1 if visit.number == 0 else visit.number
        for at in range(0, len(answer), step) if step == 1 else (0, step):
            visit.send(answer[at : at + 1] if step == 1 else answer[at : step if at == 0 else None])
            await settle()
        await asyncio.gather(_pour(visit.reader, writer), _pour(reader, visit.writer))

    client = await house.start(script)
    for number in range(len(answer)):
        client._idle.clear()
        assert await house.fetch(client) == b"hello"
        assert len(house.connects) == number + 1


async def test_a_silent_proxy_is_waited_for_as_long_as_for_any_connection(house: House) -> None:
    gone = asyncio.Event()

    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        await visit.gone()
        gone.set()

    client = await house.start(script)
    with pytest.raises(UpstreamUnreachable, match="within"):
        await house.fetch(client, connect_timeout_s=0.05)
    await soon(gone.wait())
    assert client.open_connections == 0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["before the tunnel", "before TLS"])
@pytest.mark.parametrize("tls", [False, True])
async def test_cancelling_ends_what_was_begun_with_the_proxy(house: House, answer: bytes, tls: bool) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        visit.send(answer)
        asked.set()
        await visit.gone()
        gone.set()

    client = await house.start(script, tls=tls)
    task = asyncio.create_task(house.fetch(client))
    await soon(asked.wait())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await soon(gone.wait())
    assert client.open_connections == 0


async def test_the_certificate_is_the_providers_also_in_a_tunnel(house: House) -> None:
    client = await house.start()
    with pytest.raises(UpstreamUnreachable, match=r"certificate of elsewhere\.test"):
        await house.fetch(client, url="https://elsewhere.test/")
    assert client.open_connections == 0


async def test_the_certificate_of_a_proxy_is_checked(house: House) -> None:
    await house.start(tls=True)
    proxies, _ = proxies_of({"ALL_PROXY": f"https://{USER}:{PASSWORD}@127.0.0.1:{house.proxy.port}"})
    client = HttpUpstream(tls=client_context(house._certificate), proxies=proxies)
    for url in ("https://provider.test/", "http://provider.test/"):
        with pytest.raises(UpstreamUnreachable, match=r"certificate of the proxy"):
            await house.fetch(client, url=url)
    assert house.connects == []
    await client.aclose()


async def test_a_proxy_that_is_not_there_is_unreachable(house: House) -> None:
    client = await house.start()
    await house.proxy.stop()
    with pytest.raises(UpstreamUnreachable, match="through the proxy"):
        await house.fetch(client)


async def test_a_tunnel_that_breaks_within_an_answer_leaves_it_incomplete(house: House) -> None:
    async def script(visit: Visit) -> None:
        await read_head(visit.reader)
        reader, writer = await asyncio.open_connection("127.0.0.1", house.provider.port)
        visit.send(b"HTTP/1.1 200 OK\r\n\r\n")
        pouring = asyncio.create_task(_pour(visit.reader, writer))
        for _ in range(8):
            visit.send(await reader.read(16384))
        visit.writer.transport.abort()
        await pouring

    client = await house.start(script)
    with pytest.raises(UpstreamIncomplete):
        await house.fetch(client, body=b"a" * 1_000_000)
    await until(lambda: client.open_connections == 0)
