"""A kept connection may turn out dead. A request is sent again only if the provider cannot have taken it."""

import asyncio
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from edges.sockets import PATIENCE_S, soon, until
from portico.core.errors import UpstreamIncomplete
from portico.http.client import HttpUpstream
from portico.relay.ports import UpstreamRequest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Listener:
    """A provider in blocking steps, so that a test decides what happens between two turns of the client's loop."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(8)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self.connections = 0
        self.requests: SimpleQueue[bytes] = SimpleQueue()

    def accept(self) -> socket.socket:
        connection, _ = self._socket.accept()
        connection.settimeout(8)
        self.connections += 1
        return connection

    def request(self, connection: socket.socket) -> bytes:
        data = b""
        while not data.endswith(b"\r\n\r\nbody"):
            piece = connection.recv(65536)
            assert piece
            data += piece
        self.requests.put(data)
        return data

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def request(listener: Listener, method: str = "POST") -> UpstreamRequest:
    return UpstreamRequest(url=listener.url, headers=[], body=b"body", method=method)


async def warm(client: HttpUpstream, listener: Listener) -> socket.socket:
    """One answered request; the client now keeps the connection whose other end is returned."""
    ended: list[socket.socket] = []

    def answer() -> None:
        connection = listener.accept()
        listener.request(connection)
        connection.sendall(OK)
        ended.append(connection)

    thread = threading.Thread(target=answer)
    thread.start()
    response = await soon(client.send(request(listener)))
    assert await soon(response.read()) == b"ok"
    thread.join(PATIENCE_S)
    assert client.idle_connections == 1
    return ended[0]


def serve_one(listener: Listener) -> threading.Thread:
    def answer() -> None:
        with listener.accept() as connection:
            listener.request(connection)
            connection.sendall(OK)

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


async def test_a_connection_closed_while_idle_is_not_used(upstream: HttpUpstream, listener: Listener) -> None:
    kept = await warm(upstream, listener)
    kept.close()
    await until(lambda: upstream.open_connections == 0)
    thread = serve_one(listener)
    response = await soon(upstream.send(request(listener)))
    assert await soon(response.read()) == b"ok"
    thread.join(PATIENCE_S)
    assert listener.connections == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what was acknowledged")
async def test_a_request_the_provider_never_took_is_sent_again(upstream: HttpUpstream, listener: Listener) -> None:
    kept = await warm(upstream, listener)
    kept.close()  # The client's loop does not turn between this and the write.
    thread = serve_one(listener)
    response = await soon(upstream.send(request(listener)))
    assert await soon(response.read()) == b"ok"
    thread.join(PATIENCE_S)
    assert listener.connections == 2
    assert listener.requests.qsize() == 2


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_generation_the_provider_may_have_begun_is_not_sent_again(
    upstream: HttpUpstream, listener: Listener, end: str
) -> None:
    kept = await warm(upstream, listener)

    def take_and_leave() -> None:
        listener.request(kept)
        if end == "reset":
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        kept.close()

    thread = threading.Thread(target=take_and_leave)
    thread.start()
    with pytest.raises(UpstreamIncomplete):
        await soon(upstream.send(request(listener)))
    thread.join(PATIENCE_S)
    assert (listener.connections, listener.requests.qsize()) == (1, 2)


async def test_what_a_provider_said_before_it_was_asked_is_no_answer(
    upstream: HttpUpstream, listener: Listener
) -> None:
    """It comes in the turn of the loop in which the request is made, and is read before that is sent."""
    kept = await warm(upstream, listener)
    thread = serve_one(listener)
    with kept:
        kept.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale")
        response = await soon(asyncio.create_task(upstream.send(request(listener))))
    assert await soon(response.read()) == b"ok"
    thread.join(PATIENCE_S)
    assert (listener.connections, listener.requests.qsize()) == (2, 2)


async def test_an_answer_that_ends_with_its_connection_is_not_whole_where_that_is_reset(
    upstream: HttpUpstream, listener: Listener
) -> None:
    taken = threading.Event()

    def answer() -> None:
        with listener.accept() as connection:
            listener.request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\npart")
            assert taken.wait(8)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    thread = threading.Thread(target=answer)
    thread.start()
    response = await soon(upstream.send(request(listener)))
    assert await soon(anext(response)) == b"part"
    taken.set()
    with pytest.raises(UpstreamIncomplete):
        await soon(response.read())
    thread.join(PATIENCE_S)


async def test_a_generation_the_provider_left_unread_is_not_sent_again(
    upstream: HttpUpstream, listener: Listener
) -> None:
    kept = await warm(upstream, listener)
    task = asyncio.create_task(upstream.send(request(listener)))

    def readable() -> bool:
        kept.setblocking(False)
        try:
            return bool(kept.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    await until(readable)
    kept.close()
    with pytest.raises(UpstreamIncomplete):
        await soon(task)
    assert listener.connections == 1


async def test_what_only_reads_may_be_sent_again(upstream: HttpUpstream, listener: Listener) -> None:
    kept = await warm(upstream, listener)

    def take_and_leave() -> None:
        listener.request(kept)
        kept.close()
        serve_one(listener).join(PATIENCE_S)

    thread = threading.Thread(target=take_and_leave)
    thread.start()
    response = await soon(upstream.send(request(listener, "GET")))
    assert await soon(response.read()) == b"ok"
    thread.join(PATIENCE_S)
    assert listener.connections == 2


async def test_a_provider_that_begins_an_answer_and_leaves_is_not_asked_again(
    upstream: HttpUpstream, listener: Listener
) -> None:
    kept = await warm(upstream, listener)

    def begin_and_leave() -> None:
        listener.request(kept)
        kept.sendall(b"H")
        kept.close()

    thread = threading.Thread(target=begin_and_leave)
    thread.start()
    with pytest.raises(UpstreamIncomplete):
        await soon(upstream.send(request(listener, "GET")))
    thread.join(PATIENCE_S)
    assert listener.connections == 1


async def test_a_request_is_sent_again_only_once(upstream: HttpUpstream, listener: Listener) -> None:
    kept = await warm(upstream, listener)

    def leave_twice() -> None:
        listener.request(kept)
        kept.close()
        with listener.accept() as connection:
            listener.request(connection)

    thread = threading.Thread(target=leave_twice)
    thread.start()
    with pytest.raises(UpstreamIncomplete):
        await soon(upstream.send(request(listener, "GET")))
    thread.join(PATIENCE_S)
    assert listener.connections == 2


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
async def test_no_descriptor_is_left_behind(upstream: HttpUpstream, listener: Listener) -> None:
    for _ in range(3):
        (await warm(upstream, listener)).close()
        await until(lambda: upstream.open_connections == 0)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        (await warm(upstream, listener)).close()
        await until(lambda: upstream.open_connections == 0)
    assert len(os.listdir("/proc/self/fd")) <= before
