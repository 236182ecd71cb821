"""Providers that answer in steps which a test releases, and notice when they are cut off."""

import asyncio
from typing import Any

from gateway.house import Json, as_bytes, frame, says
from portico.wire.http import Exchange

SSE = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]


def usage(prompt: int = 1000, output: int = 0, **more: int) -> Json:
    """Google's counts."""
    return {
        "promptTokenCount": prompt,
        "candidatesTokenCount": output,
        "totalTokenCount": prompt + output + sum(more.values()),
        **more,
    }


def piece(text: str, output: int | None = None, finish: str | None = None) -> Json:
    """One event of a stream; `output`: the tokens it reports so far."""
    counts = {} if output is None else {"usageMetadata": usage(output=output)}
    return says(text, finish=finish, **counts)


class Steps:
    """An act: the pieces of a stream, or a whole answer, each after it was let go. Without `held` none waits."""

    def __init__(self, *pieces: Any, held: bool = True, dies: bool = False) -> None:
        self._pieces = pieces
        self._dies = dies
        self._permits = asyncio.Semaphore(0 if held else 1000)
        self.asked = 0
        self.cut = 0
        """Calls that the gateway gave up."""
        self.done = 0

    def let_go(self, count: int = 1) -> None:
        for _ in range(count):
            self._permits.release()

    async def __call__(self, exchange: Exchange) -> None:
        self.asked += 1
        try:
            if "alt=sse" in exchange.request.query or b'"stream": true' in exchange.request.body:
                await self._stream(exchange)
            else:
                await self._permits.acquire()
                exchange.send(200, JSON, as_bytes(self._pieces[0]))
        except asyncio.CancelledError:
            self.cut += 1
            raise
        self.done += 1

    async def _stream(self, exchange: Exchange) -> None:
        for number, one in enumerate(self._pieces):
            await self._permits.acquire()
            if number == 0:
                exchange.start(200, SSE)
            exchange.write(frame(one) if not isinstance(one, bytes) else b"data: " + one + b"\n\n")
        if self._dies:
            await asyncio.sleep(0.05)
            exchange.abort()
        else:
            exchange.finish()


async def seen(wire: Any, word: bytes) -> None:
    """Reads until the answer has brought a word."""
    data = b""
    while word not in data:
        data += await wire.chunk()
