"""Server-side request forgery: no spelling of a forbidden address, no redirect and no changing answer gets through."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address

import pytest

from portico.core.address import AllowList, is_public
from portico.core.errors import InvalidRequest
from portico.http.fetch import Fetcher, MediaUnavailable
from portico.http.guard import ForbiddenAddress, GuardedResolver
from portico.http.server import Server
from portico.wire.http import Exchange

FORBIDDEN = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
    "127.255.255.254", "localhost", "0.0.0.0", "0", "10.0.0.1", "10.255.255.255", "167772161", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "192.168.1", "0xc0a80001", "169.254.169.254", "0xa9fea9fe", "2852039166",
    "169.254.0.1", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::80ff:fffe]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]",
    "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:ffff:0a00:0001]",
]  # fmt: skip


async def nobody(host: str, port: int) -> list[str]:
    raise AssertionError(f"nothing may be connected to, but {host}:{port} was")


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_no_spelling_of_a_forbidden_address_is_fetched_from(host: str) -> None:
    fetcher = Fetcher(GuardedResolver(), lambda: 0.0, timeout_s=5)
    with pytest.raises(InvalidRequest) as raised:
        await fetcher.fetch(f"http://{host}:9/picture.png")
    await fetcher.aclose()
    assert isinstance(raised.value, (ForbiddenAddress, MediaUnavailable))
    assert "refused" not in raised.value.message


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "142.250.74.46", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e"]
)
def test_addresses_of_the_open_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/a", "gopher://x/", "http://", "//x/y"])
async def test_only_http_addresses_are_fetched(url: str) -> None:
    fetcher = Fetcher(nobody, lambda: 0.0)
    with pytest.raises(InvalidRequest):
        await fetcher.fetch(url)
    await fetcher.aclose()


UNREADABLE = [
    "http://[::1", "http://[host]/a.png", "http://[]/", "http://\u2100.com/", "http://host:99999/", "http://host:port/",
    "http://host/a b",
]  # fmt: skip


@pytest.mark.parametrize("url", UNREADABLE)
async def test_what_is_no_address_at_all_is_refused_as_the_callers_own(url: str) -> None:
    fetcher = Fetcher(nobody, lambda: 0.0)
    with pytest.raises(MediaUnavailable) as caught:
        await fetcher.fetch(url)
    assert "provider" not in caught.value.message
    await fetcher.aclose()


async def test_a_user_and_password_in_an_address_are_refused_and_not_repeated() -> None:
    fetcher = Fetcher(nobody, lambda: 0.0)
    with pytest.raises(InvalidRequest) as caught:
        await fetcher.fetch("http://user:secret@example.com/x@y")
    assert "secret" not in caught.value.message
    assert "example.com/x@y" in caught.value.message
    await fetcher.aclose()


Files = Callable[[Callable[[Exchange], Awaitable[None]]], Awaitable[Server]]


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    """Serves files from loopback with an app of the test's own."""
    servers: list[Server] = []

    async def start(app: Callable[[Exchange], Awaitable[None]]) -> Server:
        servers.append(await Server(app).start(port=0))
        return servers[-1]

    yield start
    for server in servers:
        await server.stop(grace_s=0)


def allowing(*entries: str) -> GuardedResolver:
    return GuardedResolver(AllowList.of(entries))


async def test_an_operator_may_allow_a_network(files: Files) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(200, [("content-type", "image/png")], b"picture")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.0/8"), lambda: 0.0)
    found = await fetcher.fetch(f"http://127.0.0.1:{server.port}/a.png")
    await fetcher.aclose()
    assert (found.data, found.mime) == (b"picture", "image/png")


async def test_a_redirect_to_a_forbidden_address_is_not_followed(files: Files) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(302, [("location", "http://169.254.169.254/latest/meta-data/")], b"")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0)
    with pytest.raises(ForbiddenAddress):
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/")
    await fetcher.aclose()


async def test_a_redirect_that_leaves_http_is_not_followed(files: Files) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(302, [("location", "file:///etc/passwd")], b"")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0)
    with pytest.raises(MediaUnavailable):
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/")
    await fetcher.aclose()


@pytest.mark.parametrize("url", UNREADABLE)
async def test_a_redirect_to_no_address_at_all_is_refused(url: str, files: Files) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(302, [("location", url.encode("ascii", "replace").decode())], b"")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0)
    with pytest.raises(MediaUnavailable):
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/")
    await fetcher.aclose()


async def test_redirects_end(files: Files) -> None:
    seen = 0

    async def app(exchange: Exchange) -> None:
        nonlocal seen
        seen += 1
        exchange.send(302, [("location", f"/again{seen}")], b"")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0)
    with pytest.raises(MediaUnavailable, match="too often"):
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/")
    await fetcher.aclose()
    assert seen == 6


async def test_a_name_is_resolved_once_and_only_what_was_judged_is_connected_to(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second answer would be loopback, but there is no second question."""

    async def app(exchange: Exchange) -> None:
        exchange.send(200, [], b"secret")

    server = await files(app)
    answers = ["203.0.113.7", "127.0.0.1"]
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[len(asked) - 1], port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    fetcher = Fetcher(GuardedResolver(), lambda: 0.0)
    with pytest.raises(ForbiddenAddress):
        await fetcher.fetch(f"http://rebind.example:{server.port}/")
    await fetcher.aclose()
    assert asked == ["rebind.example"]


async def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", ("8.8.8.8", port)), (0, 0, 0, "", ("10.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    with pytest.raises(ForbiddenAddress):
        await GuardedResolver()("mixed.example", 80)


@pytest.mark.parametrize("declared", [True, False])
async def test_a_file_beyond_the_cap_is_refused_as_it_comes(files: Files, declared: bool) -> None:
    async def app(exchange: Exchange) -> None:
        if declared:
            exchange.send(200, [], b"x" * 2000)
            return
        exchange.start(200, [])
        for _ in range(1000):
            exchange.write(b"x" * 1000)
            await exchange.drain()
        exchange.finish()

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0, max_bytes=1000)
    with pytest.raises(MediaUnavailable, match="larger"):
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/")
    await fetcher.aclose()


async def test_a_file_that_does_not_come_is_given_up(files: Files) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.start(200, [])
        exchange.write(b"x")
        await asyncio.sleep(60)

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0, timeout_s=0.2)
    with pytest.raises(MediaUnavailable):
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/")
    await fetcher.aclose()


async def test_a_file_is_fetched_once_while_it_is_remembered(files: Files) -> None:
    served = 0

    async def app(exchange: Exchange) -> None:
        nonlocal served
        served += 1
        exchange.send(200, [], b"picture")

    server = await files(app)
    now = 0.0
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: now, remember_s=10)
    url = f"http://127.0.0.1:{server.port}/"
    await fetcher.fetch(url)
    await fetcher.fetch(url)
    assert served == 1
    now = 11.0
    await fetcher.fetch(url)
    await fetcher.aclose()
    assert served == 2


async def test_what_is_remembered_of_empty_files_is_bounded_by_their_addresses(files: Files) -> None:
    served = 0

    async def app(exchange: Exchange) -> None:
        nonlocal served
        served += 1
        exchange.send(200, [], b"")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0, remember_bytes=20_000)
    urls = [f"http://127.0.0.1:{server.port}/{number}{'x' * 1000}" for number in range(40)]
    for url in urls:
        await fetcher.fetch(url)
    await fetcher.fetch(urls[-1])
    assert served == 40
    await fetcher.fetch(urls[0])
    await fetcher.aclose()
    assert served == 41


async def test_an_error_names_the_address_without_its_query(files: Files) -> None:
    async def app(exchange: Exchange) -> None:
        exchange.send(404, [], b"")

    server = await files(app)
    fetcher = Fetcher(allowing("127.0.0.1"), lambda: 0.0)
    with pytest.raises(MediaUnavailable) as raised:
        await fetcher.fetch(f"http://127.0.0.1:{server.port}/a.png?token=secret")
    await fetcher.aclose()
    assert "a.png" in raised.value.message
    assert "secret" not in raised.value.message


@pytest.mark.parametrize("entry", ["http://x", "a b", "", "x/y", "10.0.0.0/99"])
def test_what_is_neither_host_nor_network_is_no_entry(entry: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        AllowList.of([entry])
