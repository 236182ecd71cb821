"""The wire between a client and Portico: bytes pass untouched, both ways, and what went by is written down.

A request becomes a line of a file when it is answered, or when its connection is over: method, path, query, headers without
credentials, the JSON of the body; and of the answer its status, in how many reads its body came, and over how long.
"""

import asyncio
import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httptools

_SECRET: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"})
_START_S: Final = 10.0
_PIECE: Final = 65_536
_FIRST_FINAL: Final = 200


@dataclass
class _Exchange:
    """A request and what is known of its answer."""

    method: str = ""
    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    status: int = 0
    pieces: int = 0
    began_s: float = 0.0
    over_s: float = 0.0
    last_read: int = 0

    def line(self) -> str:
        path, _, query = self.url.decode().partition("?")
        body: Any = None
        with contextlib.suppress(ValueError):
            body = json.loads(self.body)
        asked = {"method": self.method, "path": path, "query": query, "headers": self.headers, "body": body}
        answered = {"status": self.status, "pieces": self.pieces, "over_s": round(self.over_s, 3)}
        return json.dumps({**asked, **answered}, ensure_ascii=False)


class _Requests:
    """Hears what the client says. An exchange waits for its answer as soon as its headers are there."""

    def __init__(self, waiting: deque[_Exchange]) -> None:
        self._waiting = waiting
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._now = _Exchange()

    def on_url(self, url: bytes) -> None:
        self._now.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        if key not in _SECRET:
            self._now.headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._now.method = self._parser.get_method().decode()
        self._waiting.append(self._now)

    def on_body(self, body: bytes) -> None:
        self._now.body += body


class _Answers:
    """Hears what Portico answers, to the requests in their order."""

    def __init__(self, waiting: deque[_Exchange], file: Path) -> None:
        self._waiting, self._file = waiting, file
        self._parser = httptools.HttpResponseParser(self)
        self._reads = 0
        self._without_body = False

    def feed(self, data: bytes) -> None:
        self._reads += 1
        self._parser.feed_data(data)
        if self._without_body:  # its parser waits for the body that its headers tell of
            self._parser = httptools.HttpResponseParser(self)
            self._without_body = False

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._waiting and status >= _FIRST_FINAL:
            self._waiting[0].status = status
            self._without_body = self._waiting[0].method == "HEAD"
            if self._without_body:
                self._written()

    def on_body(self, _: bytes) -> None:
        if not self._waiting or self._waiting[0].last_read == self._reads:
            return
        exchange, now = self._waiting[0], time.monotonic()
        exchange.last_read = self._reads
        exchange.began_s = exchange.began_s or now
        exchange.pieces += 1
        exchange.over_s = now - exchange.began_s

    def on_message_complete(self) -> None:
        if self._waiting and self._waiting[0].status and not self._without_body:
            self._written()

    def close(self) -> None:
        while self._waiting:
            self._written()

    def _written(self) -> None:
        with self._file.open("a", encoding="utf-8") as out:
            out.write(self._waiting.popleft().line() + "\n")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: _Requests | _Answers) -> None:
    try:
        while data := await reader.read(_PIECE):
            with contextlib.suppress(httptools.HttpParserError):
                heard.feed(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:  # who hangs up on one end is gone at the other
        writer.close()


@contextlib.contextmanager
def recording(base_url: str, file: Path) -> Iterator[str]:
    """The address of a wire to `base_url`; what goes by is added to the file."""
    host, _, port = base_url.removeprefix("http://").rpartition(":")
    ready = threading.Event()
    found: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = []

    going: set[object] = set()
    """Connections, which nothing else holds on to."""

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        going.add(task := asyncio.current_task())
        waiting: deque[_Exchange] = deque()
        answers = _Answers(waiting, file)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):  # cancelled where the wire is taken away
            there, back = await asyncio.open_connection(host, int(port))
            try:
                await asyncio.gather(_pass(reader, back, _Requests(waiting)), _pass(there, writer, answers))
            finally:
                answers.close()
                back.close()
        writer.close()
        going.discard(task)

    async def main() -> None:
        server = await asyncio.start_server(joined, "127.0.0.1", 0)
        stop = asyncio.Event()
        found.append((asyncio.get_running_loop(), stop, server.sockets[0].getsockname()[1]))
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    if not ready.wait(_START_S):
        raise RuntimeError("the recording wire does not start")
    loop, stop, own = found[0]
    try:
        yield f"http://127.0.0.1:{own}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_S)
