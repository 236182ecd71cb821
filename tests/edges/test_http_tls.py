"""TLS at both edges, with certificates made for the test."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edges.sockets import Provider, Script, Visit, soon, until
from portico.core.errors import UpstreamUnreachable
from portico.http.client import HttpUpstream
from portico.http.server import Server
from portico.http.sessions import HOSTS_REMEMBERED, client_context
from portico.relay.ports import UpstreamRequest
from portico.wire.http import Exchange


async def app(exchange: Exchange) -> None:
    exchange.start(200, [])
    exchange.write(b"secret ")
    exchange.write(exchange.request.body)
    exchange.finish()


@pytest.fixture
async def server(certificate: tuple[Path, Path]) -> AsyncIterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = await Server(app).start(tls=context)
    yield server
    await server.stop(grace_s=0)


async def test_a_trusted_certificate_is_spoken_to(server: Server, certificate: tuple[Path, Path]) -> None:
    client = HttpUpstream(tls=ssl.create_default_context(cafile=certificate[0]))
    request = UpstreamRequest(url=f"https://localhost:{server.port}/", headers=[], body=b"a" * 300_000)
    for _ in range(3):
        response = await soon(client.send(request))
        assert await soon(response.read()) == b"secret " + b"a" * 300_000
    assert client.open_connections == server.open_connections == 1
    await client.aclose()
    assert client.open_connections == 0
    await until(lambda: server.open_connections == 0)


async def test_an_unknown_certificate_is_not_spoken_to(server: Server, upstream: HttpUpstream) -> None:
    with pytest.raises(UpstreamUnreachable, match="certificate"):
        await soon(upstream.send(UpstreamRequest(url=f"https://localhost:{server.port}/", headers=[])))
    assert upstream.open_connections == 0


async def test_a_certificate_for_another_name_is_not_spoken_to(server: Server, certificate: tuple[Path, Path]) -> None:
    client = HttpUpstream(tls=ssl.create_default_context(cafile=certificate[0]))
    with pytest.raises(UpstreamUnreachable, match="certificate"):
        await soon(client.send(UpstreamRequest(url=f"https://127.0.0.1:{server.port}/", headers=[])))
    await client.aclose()


async def test_plain_http_on_a_tls_port_is_no_connection(server: Server, upstream: HttpUpstream) -> None:
    from portico.core.errors import UpstreamError

    with pytest.raises(UpstreamError):
        await soon(upstream.send(UpstreamRequest(url=f"http://localhost:{server.port}/", headers=[])))


def reporting(said: list[tuple[bool, str | None]]) -> Script:
    """A provider that says of each connection whether a session was taken up again, and closes it."""

    async def script(visit: Visit) -> None:
        await visit.request()
        spoken = visit.writer.get_extra_info("ssl_object")
        said.append((spoken.session_reused, spoken.selected_alpn_protocol()))
        visit.answer(b"ok", "Connection: close")

    return script


async def ask(client: HttpUpstream, url: str) -> bytes:
    response = await soon(client.send(UpstreamRequest(url=url, headers=[])))
    return await soon(response.read())


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_a_session_is_taken_up_again_and_http_1_1_agreed_on(
    certificate: tuple[Path, Path], server_context: ssl.SSLContext, version: str
) -> None:
    said: list[tuple[bool, str | None]] = []
    provider = await Provider(reporting(said), ssl=server_context).start()
    context = client_context(certificate[0])
    context.maximum_version = ssl.TLSVersion[version]
    client = HttpUpstream(tls=context)
    for _ in range(4):
        assert await ask(client, f"https://localhost:{provider.port}/") == b"ok"
    assert said == [(False, "http/1.1"), *[(True, "http/1.1")] * 3]
    await client.aclose()
    await provider.stop()


async def test_a_session_that_a_provider_has_forgotten_is_no_obstacle(
    certificate: tuple[Path, Path], server_context: ssl.SSLContext
) -> None:
    said: list[tuple[bool, str | None]] = []
    provider = await Provider(reporting(said), ssl=server_context).start()
    client = HttpUpstream(tls=client_context(certificate[0]))
    url = f"https://localhost:{provider.port}/"
    await ask(client, url)
    await provider.stop()
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.load_cert_chain(*certificate)
    provider = await Provider(reporting(said), ssl=other).start()
    url = f"https://localhost:{provider.port}/"
    assert [await ask(client, url) for _ in range(3)] == [b"ok"] * 3
    assert [reused for reused, _ in said] == [False, False, True, True]
    await client.aclose()
    await provider.stop()


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Plain\r\n\r\n"])
async def test_a_handshake_that_failed_is_no_obstacle_for_the_next(
    certificate: tuple[Path, Path], server_context: ssl.SSLContext, says: bytes
) -> None:
    async def plain(visit: Visit) -> None:
        await visit.reader.read(1)
        visit.send(says)

    said: list[tuple[bool, str | None]] = []
    broken = await Provider(plain).start()
    provider = await Provider(reporting(said), ssl=server_context).start()
    client = HttpUpstream(tls=client_context(certificate[0]))
    for _ in range(2):
        for _ in range(2):
            with pytest.raises(UpstreamUnreachable):
                await ask(client, f"https://localhost:{broken.port}/")
        assert await ask(client, f"https://localhost:{provider.port}/") == b"ok"
    await client.aclose()
    await broken.stop()
    await provider.stop()


async def test_a_session_is_of_one_name(certificate: tuple[Path, Path], server_context: ssl.SSLContext) -> None:
    said: list[tuple[bool, str | None]] = []
    provider = await Provider(reporting(said), ssl=server_context).start()

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    client = HttpUpstream(tls=client_context(certificate[0]), resolve=resolve)
    await ask(client, f"https://localhost:{provider.port}/")
    with pytest.raises(UpstreamUnreachable, match="certificate"):
        await ask(client, f"https://elsewhere.test:{provider.port}/")
    await ask(client, f"https://provider.test:{provider.port}/")
    assert [reused for reused, _ in said] == [False, False]
    await client.aclose()
    await provider.stop()


async def test_what_is_remembered_of_hosts_is_bounded(certificate: tuple[Path, Path]) -> None:
    context = client_context(certificate[0])
    for number in range(HOSTS_REMEMBERED + 5):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=f"{number}.test")
    assert len(context._last) == HOSTS_REMEMBERED
