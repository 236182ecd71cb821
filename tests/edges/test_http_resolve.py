"""Names and addresses: what is remembered, and which of several addresses is connected to."""

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable

import pytest

from edges.sockets import Provider, Script, Visit, settle, soon, until
from portico.core.errors import UpstreamUnreachable
from portico.http import resolve as module
from portico.http.client import HttpUpstream
from portico.http.dial import dial, interleaved
from portico.http.resolve import REMEMBERED, RETRY_S, STALE_TTL_S, TTL_S, Names
from portico.relay.ports import UpstreamRequest

Provide = Callable[[Script], Awaitable[Provider]]


class Directory:
    """A name server in the test's hand, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.addresses = ["192.0.2.1", "192.0.2.2"]
        self.failing = False
        self.held: asyncio.Event | None = None
        self.names = Names(lambda: self.now, self.look_up)

    async def look_up(self, host: str, port: int) -> list[str]:  # noqa: ARG002
        self.asked.append(host)
        if self.held is not None:
            await self.held.wait()
        if self.failing:
            raise socket.gaierror("no such name")
        return list(self.addresses)

    async def ask(self, host: str = "a.test") -> list[str]:
        return await soon(self.names(host, 443))


async def test_an_answer_is_used_for_a_while_and_then_asked_for_again() -> None:
    directory = Directory()
    assert await directory.ask() == await directory.ask() == ["192.0.2.1", "192.0.2.2"]
    directory.now = TTL_S - 1
    await directory.ask()
    assert directory.asked == ["a.test"]
    directory.now, directory.addresses = TTL_S, ["192.0.2.3"]
    assert await directory.ask() == ["192.0.2.3"]
    assert len(directory.asked) == 2


async def test_those_who_ask_at_once_share_a_look_up() -> None:
    directory = Directory()
    directory.held = asyncio.Event()
    tasks = [asyncio.create_task(directory.ask()) for _ in range(20)]
    other = asyncio.create_task(directory.ask("b.test"))
    await settle()
    tasks.pop().cancel()  # One who leaves takes nothing from the others.
    await settle()
    directory.held.set()
    assert await asyncio.gather(*tasks, other) == [["192.0.2.1", "192.0.2.2"]] * 20
    assert directory.asked == ["a.test", "b.test"]


async def test_a_failure_is_shared_and_not_remembered() -> None:
    directory = Directory()
    directory.failing = True
    both = await asyncio.gather(directory.ask(), directory.ask(), return_exceptions=True)
    assert [type(error) for error in both] == [socket.gaierror] * 2
    assert len(directory.asked) == 1
    directory.failing = False
    assert await directory.ask() == ["192.0.2.1", "192.0.2.2"]


@pytest.mark.parametrize("how", ["fails", "takes too long"])
async def test_an_older_answer_serves_while_no_new_one_can_be_had(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENEWAL_PATIENCE_S", 0.2)
    directory = Directory()
    before = await directory.ask()
    directory.now = TTL_S
    if how == "fails":
        directory.failing = True
    else:
        directory.held = asyncio.Event()
    assert await directory.ask() == await directory.ask() == before
    assert len(directory.asked) == 2  # The second time nobody was asked.
    directory.now += RETRY_S
    directory.addresses = ["192.0.2.9"]
    if how == "fails":
        directory.failing = False
    elif directory.held is not None:
        directory.held.set()
        await settle()  # The slow answer counts when it comes.
    assert await directory.ask() == ["192.0.2.9"]


async def test_an_answer_too_old_is_not_used() -> None:
    directory = Directory()
    await directory.ask()
    directory.now, directory.failing = STALE_TTL_S, True
    with pytest.raises(socket.gaierror):
        await directory.ask()


async def test_what_is_remembered_is_bounded() -> None:
    directory = Directory()
    for number in range(REMEMBERED + 10):
        await directory.ask(f"{number}.test")
    assert len(directory.names._answers) == REMEMBERED
    await directory.ask(f"{REMEMBERED}.test")
    assert len(directory.asked) == REMEMBERED + 10


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1", "fe80::1%lo"])
async def test_an_address_is_not_looked_up(address: str) -> None:
    directory = Directory()
    assert await directory.ask(address) == [address]
    assert directory.asked == []


async def test_the_address_that_was_reached_is_the_first_to_be_tried_again() -> None:
    directory = Directory()
    await directory.ask()
    directory.names.connected("a.test", "192.0.2.2")
    assert await directory.ask() == ["192.0.2.2", "192.0.2.1"]
    directory.names.unreachable("a.test")
    assert await directory.ask() == ["192.0.2.1", "192.0.2.2"]
    assert len(directory.asked) == 2


async def test_closing_ends_a_look_up_that_is_under_way() -> None:
    directory = Directory()
    directory.held = asyncio.Event()
    task = asyncio.create_task(directory.ask())
    await settle()
    directory.names.close()
    with pytest.raises(OSError, match="no name"):
        await soon(task)


@pytest.mark.parametrize(
    ("given", "tried"),
    [
        ([], []),
        (["192.0.2.1"], ["192.0.2.1"]),
        (["::1", "::2", "1.1.1.1", "::3", "1.1.1.2"], ["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"]),
        (["1.1.1.1", "1.1.1.2", "::1"], ["1.1.1.1", "::1", "1.1.1.2"]),
        (["::1", "::2"], ["::1", "::2"]),
    ],
)
def test_the_families_take_turns(given: list[str], tried: list[str]) -> None:
    assert interleaved(given) == tried


# Over sockets: every address of 127.0.0.0/8 is this machine, but a listener takes only what is its own.


async def answering(visit: Visit) -> None:
    while True:
        await visit.request()
        visit.answer(b"ok")


def client_of(*addresses: str) -> HttpUpstream:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return HttpUpstream(resolve=resolve)


async def read_from(client: HttpUpstream, port: int) -> bytes:
    response = await soon(client.send(UpstreamRequest(url=f"http://a.test:{port}/", headers=[])))
    return await soon(response.read())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
async def test_an_address_that_refuses_costs_no_head_start(provide: Provide) -> None:
    provider = await provide(answering)
    addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    sock, address = await soon(dial(addresses, provider.port, head_start_s=1000))
    sock.close()
    assert address == "127.0.0.1"
    client = client_of(*addresses)
    assert await read_from(client, provider.port) == b"ok"
    await client.aclose()


async def test_when_every_address_refuses_the_host_is_unreachable() -> None:
    client = client_of("127.0.0.1", "::1")
    with socket.socket() as deaf:  # it has the port, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        with pytest.raises(UpstreamUnreachable, match=r"No connection to a\.test: Connection refused\."):
            await read_from(client, deaf.getsockname()[1])
    await client.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
async def test_an_address_that_says_nothing_is_passed_and_its_socket_closed(provide: Provide) -> None:
    provider = await provide(answering)
    with socket.create_server(("127.0.0.2", provider.port), backlog=0) as full:
        others = [socket.socket() for _ in range(4)]  # The backlog is full, further connections hang.
        for other in others:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        before = len(os.listdir("/proc/self/fd"))
        sock, address = await soon(dial(["127.0.0.2", "127.0.0.1"], provider.port, head_start_s=0.01))
        assert address == "127.0.0.1"
        assert sock.getpeername() == ("127.0.0.1", provider.port)
        sock.close()
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before + 1)  # The provider's end of it.
        hanging = asyncio.create_task(dial(["127.0.0.2", "127.0.0.2"], provider.port, head_start_s=0.01))
        await asyncio.sleep(0.05)
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging
        await until(lambda: len(os.listdir("/proc/self/fd")) <= before + 1)
        for other in others:
            other.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
async def test_of_two_that_connect_one_is_closed() -> None:
    ended = asyncio.Semaphore(0)
    begun = 0

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal begun
        begun += 1
        await reader.read()
        writer.close()
        ended.release()

    server = await asyncio.start_server(visited, "0.0.0.0", 0)
    port = server.sockets[0].getsockname()[1]
    sock, _ = await soon(dial([f"127.0.0.{number}" for number in range(1, 6)], port, head_start_s=0))
    await until(lambda: begun)
    for _ in range(begun - 1):
        await soon(ended.acquire())
    assert sock.send(b"a") == 1
    sock.close()
    await soon(ended.acquire())
    server.close()


async def test_nothing_but_what_the_resolver_gave_is_connected_to(
    provide: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guard judges what it gives; no name is looked up behind its back."""

    def look_up(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up again")

    provider = await provide(answering)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    client = client_of("127.0.0.1")
    assert await read_from(client, provider.port) == b"ok"
    await client.aclose()


async def test_a_small_write_is_sent_at_once(provide: Provide) -> None:
    provider = await provide(answering)
    client = client_of("127.0.0.1")
    assert await read_from(client, provider.port) == b"ok"
    (connection,) = client._open
    option = connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert option
    await client.aclose()
