"""An answer on the wire, and what a fault makes of it, in any dialect.

The dialect brings its headers, its frames as bytes, and its own words for an error in the middle; here they are sent,
paced, cut, stalled and spoiled as `faults` describes.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

from portico.simulator.faults import Wishes
from portico.simulator.stats import Stats
from portico.wire.http import Exchange, Headers

EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"
_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    b"<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True)
class Sender:
    """One exchange being answered; counts what it writes in `stats`. `headers` go with every answer."""

    exchange: Exchange
    stats: Stats
    headers: Headers
    pace_s: float = 0.0

    def send(self, status: int, content_type: str, data: bytes, more: Headers = ()) -> None:
        """A whole answer at once."""
        self.stats.bytes_written += len(data)
        self.exchange.send(status, (("content-type", content_type), *self.headers, *more), data)

    async def whole(self, data: bytes, asked: Wishes, content_type: str = JSON) -> None:
        """A whole answer of status 200, or what a fault makes of it."""
        if await self._spoiled(asked, content_type, b'{"id": "simulated", "content": [oops'):
            return
        if "cut" in asked or "error-mid" in asked:
            self._start(content_type)
            self._write(data[: len(data) // 2])
            await self._drain()
            self.exchange.abort()
            return
        self.send(200, content_type, data)

    async def frames(self, frames: Iterable[bytes], asked: Wishes, error: bytes) -> None:
        """A stream of frames, or what a fault makes of it; `error` is the frame of an error in the middle."""
        if await self._spoiled(asked, EVENT_STREAM, b'data: {"id": "simulated", "choices": [oops\n\n'):
            return
        self._start(EVENT_STREAM)
        pace = asked.number("slow", self.pace_s) if "slow" in asked else self.pace_s
        cut = int(asked.number("cut", 1)) if "cut" in asked else -1
        broken = int(asked.number("error-mid", 1)) if "error-mid" in asked else -1
        for number, frame in enumerate(frames):
            if number == cut:
                break
            if number and pace:
                await asyncio.sleep(pace)
            self._write(error if number == broken else frame)
            await self._drain()
            if number == 0 and "stall-mid" in asked:
                await asyncio.sleep(asked.number("stall-mid", 5))
            if number == broken:
                break
        if cut >= 0:
            self.exchange.abort()
        else:
            self.exchange.finish()

    async def _spoiled(self, asked: Wishes, content_type: str, garbage: bytes) -> bool:
        if "stall" in asked:
            await asyncio.sleep(asked.number("stall", 5))
        if "cut-before" in asked:
            self.exchange.abort()
        elif "html-502" in asked:
            self.send(502, "text/html", _BAD_GATEWAY)
        elif "garbage" in asked:
            self.send(200, content_type, garbage)
        else:
            return False
        return True

    def _start(self, content_type: str) -> None:
        self.exchange.start(200, (("content-type", content_type), *self.headers))

    def _write(self, data: bytes) -> None:
        self.stats.bytes_written += len(data)
        self.exchange.write(data)

    async def _drain(self) -> None:
        started = time.monotonic()
        self.stats.waiting += 1
        try:
            await self.exchange.drain()
        finally:
            self.stats.waiting -= 1
            self.stats.blocked_s += time.monotonic() - started
