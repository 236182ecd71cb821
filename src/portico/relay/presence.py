"""Whether anybody still waits for an answer, and what becomes of a call whose caller has left (the disconnect contract).

A call that may be read to its end is, within a time and in bounded number: its real usage is charged then. Every other
call is cancelled, which stops the provider.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from portico.relay.till import Till


class Presence:
    """Of the caller of one call. `reads_on` is asked once, when the caller leaves."""

    def __init__(self, till: Till, reads_on: Callable[[], bool]) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call is served by a task")
        self._task: asyncio.Task[Any] | None = task
        self._till = till
        self._reads_on = reads_on
        self._timer: asyncio.TimerHandle | None = None
        self._cancelled = task.cancelling()
        self.gone = False
        self._stopped = False

    @property
    def drained(self) -> bool:
        """Whether the answer is, or was, read for nobody."""
        return self._timer is not None

    def left(self) -> None:
        """The caller has left."""
        self.gone = True
        task = self._task
        if task is None:
            return
        if self._reads_on() and self._till.begin_drain():
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._till.settings.drain_s, task.cancel)
        else:
            task.cancel()

    def stop(self) -> None:
        """Ends the call for a reason of the gateway's own: its hold was refused."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    def was_stopped(self) -> bool:
        """Whether a cancellation that arrived is that of `stop` alone, and is over with this."""
        return self._stopped and self._task is not None and self._task.uncancel() <= self._cancelled

    def part(self) -> None:
        """Lets go of whoever is asked whether to read on."""
        self._reads_on = _no

    def end(self) -> None:
        """The call is over. Its task is let go of: one that was cancelled keeps its frames, and they keep the call."""
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._till.end_drain()


def _no() -> bool:
    return False
