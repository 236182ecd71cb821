"""A wire between a client and Portico that keeps what the client sends: bytes pass untouched, both ways.

Each request becomes a line of a file: method, path, query, headers without credentials, the JSON of the body.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httptools

_SECRET: Final = frozenset({"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"})
_START_S: Final = 10.0
_PIECE: Final = 65_536


class Listener:
    """Hears the client's side of one connection, as the parser tells it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._url, self._body = b"", b""
        self._headers: dict[str, str] = {}

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        if key not in _SECRET:
            self._headers[key] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        path, _, query = self._url.decode().partition("?")
        body: Any = None
        with contextlib.suppress(ValueError):
            body = json.loads(self._body)
        method = self._parser.get_method().decode()
        line = {"method": method, "path": path, "query": query, "headers": self._headers, "body": body}
        with self._file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Listener | None) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_PIECE):
            if heard is not None:
                with contextlib.suppress(httptools.HttpParserError):
                    heard.feed(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@contextlib.contextmanager
def recording(base_url: str, file: Path) -> Iterator[str]:
    """The address of a wire to `base_url`; requests are added to the file."""
    host, _, port = base_url.removeprefix("http://").rpartition(":")
    ready = threading.Event()
    found: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = []

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):  # cancelled where the wire is taken away
            there, back = await asyncio.open_connection(host, int(port))
            try:
                await asyncio.gather(_pass(reader, back, Listener(file)), _pass(there, writer, None))
            finally:
                back.close()
        writer.close()

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
