"""A provider's answer while it arrives, between a connection and whoever reads it.

The connection pushes. Who takes a stream (`pipe`) is handed each piece as it arrives, with no task woken in between; who
iterates or reads the whole takes from a bounded buffer. Either way a reader that is behind stops the connection's reading,
so that the provider is slowed to its pace. One future at most waits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final, Protocol

from portico.core.errors import UpstreamAnswerTooLarge, UpstreamError, UpstreamIncomplete
from portico.http.encodings import Decoder, decoder_for

BUFFER_BYTES: Final = 64 * 1024
"""Beyond this much unread body the socket is not read."""
MOST_PIECES: Final = 1024
"""So many are made one before there are more: each takes some hundred bytes where all are joined, however short it is."""


class Source(Protocol):
    """What an answer needs of the connection it arrives on."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def drop(self) -> None:
        """Close the connection; the rest of the answer is not wanted."""


class Answer:
    """`relay.ports.UpstreamResponse`."""

    __slots__ = (
        "_bound",
        "_decoder",
        "_error",
        "_joined",
        "_loop",
        "_paused",
        "_pieces",
        "_size",
        "_source",
        "_take_piece",
        "_waiter",
        "_whole",
        "arrived",
        "complete",
        "headers",
        "status",
    )

    status: int
    headers: Mapping[str, str]

    def __init__(self, loop: asyncio.AbstractEventLoop, source: Source) -> None:
        self._loop = loop
        self._source: Source | None = source
        """None once the connection has nothing more to do with this answer."""
        self._decoder: Decoder | None = None
        self._error: Exception | None = None
        self._pieces: list[bytes] = []
        self._joined = 0
        """How many of them, the first, were joined of many."""
        self._size = 0
        self._bound = BUFFER_BYTES
        self._whole = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._take_piece: Callable[[bytes], bool] | None = None
        """Who is handed the pieces, while nothing is buffered."""
        self.arrived = False
        """The status line and the headers are here."""
        self.complete = False

    # The connection pushes.

    def begin(self, status: int, headers: dict[str, str]) -> None:
        coding = headers.get("content-encoding")
        if coding is not None:
            self._decoder = decoder_for(coding)
            if self._decoder is not None:
                del headers["content-encoding"]
                headers.pop("content-length", None)
        self.status = status
        self.headers = headers
        self.arrived = True
        self._wake()

    def push(self, data: bytes) -> None:
        take = self._take_piece
        if take is not None:
            try:
                if take(data):
                    return
            except Exception as error:  # noqa: BLE001 -- from within the connection's callback: it is for the taker's own task
                if self._waiter is not None and not self._waiter.done():
                    self._waiter.set_exception(error)
            else:
                self._wake()
            self._take_piece = None
            self._pause()
            return
        self._pieces.append(data)
        self._size += len(data)
        if len(self._pieces) - self._joined == MOST_PIECES:
            self._pieces[self._joined :] = [b"".join(self._pieces[self._joined :])]
            self._joined += 1
        if self._size > self._bound:
            if self._whole:
                self._wake()
            self._pause()
        if not self._whole:
            self._wake()

    def _pause(self) -> None:
        if not self._paused and self._source is not None:
            self._paused = True
            self._source.pause()

    def end(self) -> None:
        """The body is complete. The connection is free again."""
        self.complete = True
        self._source = None
        self._wake()

    def fail(self, error: Exception) -> None:
        """Nothing more will arrive; what has arrived can still be taken."""
        self._error = error
        self._source = None
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # The reader takes.

    async def wait_for_head(self) -> None:
        """Raises what the connection failed with, if it did before the head was complete."""
        while not self.arrived:
            if self._error is not None:
                raise self._error
            await self._wait()

    async def pipe(self, take: Callable[[bytes], bool]) -> bool:
        """See `relay.ports.UpstreamResponse`."""
        if self._decoder is not None:
            async for data in self:
                if not take(data):
                    return False
            return True
        self._resume()
        while True:
            if self._size:
                if not take(self._take()):
                    return False
            elif self.complete:
                return True
            elif self._error is not None:
                raise self._error
            else:
                self._take_piece = take
                try:
                    await self._wait()
                finally:
                    self._take_piece = None
                if self._paused:
                    return False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            decoder = self._decoder
            if decoder is not None and decoder.more:
                await asyncio.sleep(0)  # there may be a thousand times as much of it: others have their turn
                data = self._decode(decoder, b"")
                if data:
                    return data
            elif self._size:
                data = self._take()
                if decoder is not None:
                    data = self._decode(decoder, data)
                if data:
                    return data
            elif self.complete:
                if decoder is not None:
                    decoder.end()
                raise StopAsyncIteration
            elif self._error is not None:
                raise self._error
            else:
                await self._wait()

    async def read(self, limit_bytes: int = 256 * 1024 * 1024) -> bytes:
        self._whole = True  # Nobody is to be woken before the end.
        self._bound = limit_bytes
        if self._paused:
            self._resume()
        while not self.complete and self._error is None and self._size <= limit_bytes:
            await self._wait()
        if self.complete and self._decoder is None and self._size <= limit_bytes:
            return self._take()
        pieces = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > limit_bytes:
                self.close()
                raise UpstreamAnswerTooLarge(
                    f"The provider's answer is too large: {limit_bytes:,} bytes are read of one."
                )
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        source, self._source = self._source, None
        self._pieces.clear()
        self._joined = self._size = 0
        if source is not None:
            self._error = self._error or UpstreamIncomplete("The answer was closed before its end.")
            source.drop()

    def _take(self) -> bytes:
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._joined = self._size = 0
        if self._paused:
            self._resume()
        return data

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._source is not None:
                self._source.resume()

    def _decode(self, decoder: Decoder, data: bytes) -> bytes:
        try:
            return decoder.feed(data)
        except UpstreamError:
            self.close()
            raise

    async def _wait(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("an answer has one reader")
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None
