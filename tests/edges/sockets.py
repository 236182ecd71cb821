"""The other ends of the wire, written plainly so that they share no code with what they test."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

PATIENCE_S = 45.0
"""What a test waits before it calls something stuck."""

T = TypeVar("T")


async def soon(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(PATIENCE_S):
        return await awaitable


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


async def settle() -> None:
    """Lets what was sent be read: a few turns of the loop, each of which polls the sockets."""
    for _ in range(4):
        await asyncio.sleep(0)


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    return first, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


async def read_chunks(reader: asyncio.StreamReader) -> bytes:
    pieces: list[bytes] = []
    while True:
        size = int(await reader.readuntil(b"\r\n"), 16)
        if size == 0:
            await reader.readuntil(b"\r\n")
            return b"".join(pieces)
        pieces.append(await reader.readexactly(size))
        assert await reader.readexactly(2) == b"\r\n"


class Caller:
    """A client of the server, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> "Caller":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self, *, head_only: bool = False) -> Reply:
        return await soon(self._reply(head_only))

    async def _reply(self, head_only: bool) -> Reply:
        line, headers = await read_head(self.reader)
        status = int(line.split(" ")[1])
        if head_only or status < 200 or status in (204, 304):
            return Reply(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, headers, await read_chunks(self.reader))
        if "content-length" in headers:
            return Reply(status, headers, await self.reader.readexactly(int(headers["content-length"])))
        return Reply(status, headers, await self.reader.read())

    async def ask(self, data: bytes) -> Reply:
        self.send(data)
        return await self.reply()

    async def rest(self) -> bytes:
        """Everything up to the end of the connection, however it ends."""
        data = b""
        try:
            while piece := await soon(self.reader.read(65536)):
                data += piece
        except ConnectionError:
            pass
        return data

    def end_sending(self) -> None:
        self.writer.write_eof()

    def close(self) -> None:
        """As a client that leaves: nothing unread, so the other side sees only an end of file."""
        self.writer.close()

    def drop(self) -> None:
        self.writer.transport.abort()

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Provided(NamedTuple):
    line: str
    headers: dict[str, str]
    body: bytes


class Visit:
    """One connection to a scripted provider."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        """0 for the first connection."""
        self.reader = reader
        self.writer = writer

    async def request(self) -> Provided:
        line, headers = await read_head(self.reader)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Provided(line, headers, body)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        lines = "".join(f"{header}\r\n" for header in headers)
        self.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{lines}\r\n".encode() + body)

    async def gone(self) -> None:
        """Returns when the client has closed the connection."""
        try:
            while await soon(self.reader.read(65536)):
                pass
        except ConnectionError:
            pass


Script = Callable[[Visit], Awaitable[None]]


class Provider:
    """Plays a script on every connection; an error in a script is told by `stop`."""

    def __init__(self, script: Script, **options: object) -> None:
        self._script = script
        self._options = {
            "backlog": 1024,
            **options,
        }  # whom a kernel has no room for tries again after a while, and a longer one
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server
        self.visits = 0

    async def start(self) -> "Provider":
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0, **self._options)  # type: ignore[arg-type]
        return self

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(self.visits, reader, writer)
        self.visits += 1
        self._tasks.append(asyncio.get_running_loop().create_task(self._play(visit)))

    async def _play(self, visit: Visit) -> None:
        try:
            await self._script(visit)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # The client left.
        finally:
            visit.writer.close()

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        await settle()
