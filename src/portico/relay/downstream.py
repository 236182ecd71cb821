"""The caller's side of a streamed answer: when the 200 goes out, and what keeps a silent connection open.

Nothing is sent until the answer is committed by its first visible event, or `commit_after_s` have passed, whichever is
first; from then on a comment every `keep_alive_s` of silence. A keep-alive promises nothing: another candidate may
still be tried, and a failure is then told as an event (mapping.md 3.4). Framings that know no comments, or whose clients
break on them, wait for the first event; whether their caller is still there is for the connection to find out.
"""

import asyncio
from collections.abc import Callable

from portico.wire.framing import Framing
from portico.wire.http import Exchange, Headers
from portico.wire.sse import Frame

UNBUFFERED: Headers = (("cache-control", "no-cache"), ("x-accel-buffering", "no"))


READY_AGAIN_S = 0.1
"""How often it is asked again whether a call is paid for whose time for a first sign has come."""


class Downstream:
    """One streamed answer to one caller."""

    def __init__(
        self,
        exchange: Exchange,
        framing: Framing,
        headers: Callable[[], Headers],
        *,
        commit_after_s: float,
        keep_alive_s: float,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        """`ready`: whether the call is paid for; before that not even a keep-alive is sent."""
        self._ready = ready
        self._exchange = exchange
        self.framing = framing
        self._headers = headers
        self._keep_alive_s = keep_alive_s
        self._loop = asyncio.get_running_loop()
        self._last_write = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._begun = False
        if framing.keep_alive is not None:
            self._timer = self._loop.call_later(commit_after_s, self._commit_early)

    @property
    def open(self) -> bool:
        """Whether the 200 is out: a failure can then only be an event."""
        return self._begun or self._exchange.started

    def _commit_early(self) -> None:
        if self.open:
            return
        if self._ready is not None and not self._ready():
            self._timer = self._loop.call_later(READY_AGAIN_S, self._commit_early)
            return
        self._start()
        self._alive()

    def _start(self) -> None:
        self._begun = True
        self._exchange.start(200, [("content-type", self.framing.content_type), *UNBUFFERED, *self._headers()])
        self._tick()

    def _alive(self) -> None:
        if self.framing.keep_alive is not None:
            self._exchange.write(self.framing.keep_alive)
            self._last_write = self._loop.time()

    def _tick(self) -> None:
        """Looks once a period whether anything was written since: no timer is touched per event."""
        if self._timer is not None:
            self._timer.cancel()
        if self.framing.keep_alive is None:
            return
        silent_s = self._loop.time() - self._last_write
        if self.open and silent_s >= self._keep_alive_s:
            self._alive()
            silent_s = 0.0
        self._timer = self._loop.call_later(self._keep_alive_s - silent_s, self._tick)

    def write(self, frames: list[Frame]) -> bool:
        """Writes a piece of the answer; whether the caller keeps up. If not, `drain` returns when it does again."""
        self._last_write = self._loop.time()
        if not self._begun:
            self._start()
        return self._exchange.write(self.framing.frames(frames))

    def write_bytes(self, data: bytes) -> bool:
        """The same of a piece that is framed, once something was written."""
        self._last_write = self._loop.time()
        return self._exchange.write(data)

    async def drain(self) -> None:
        """Returns when the caller keeps up: so a slow caller slows the provider."""
        await self._exchange.drain()

    def finish(self) -> None:
        self.release()
        self._exchange.write(self.framing.end())
        self._exchange.finish()

    def release(self) -> None:
        """Stops the timer; whatever happens, it must not outlive the call."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
