"""Whether anybody still waits for an answer, and what becomes of a call whose caller has left (the disconnect contract).

A call that may be read to its end is, within a time and in bounded number: its real usage is charged then. Every other
call is cancelled, which stops the provider.

An operator ends a call as a caller does who leaves and whose key says `cancel`: the provider is stopped, what was shown of
a stream is charged as far as it is known, and nothing of an answer that had not begun. Its caller is told: in the stream
if it was begun, else with a status.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from portico.core.errors import UpstreamRejected
from portico.relay.till import Till


class EndedByOperator(UpstreamRejected):
    """Whoever runs this gateway ended the call."""

    status = 503
    code = "ended_by_operator"
    worth_retrying = False


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
        self._to_be_ended = False
        self.ended = False
        """An operator ended the call, and that is why it is over."""

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

    def end_by_operator(self) -> None:
        """An operator ends the call."""
        self._to_be_ended = True
        if self._task is not None:
            self._task.cancel()

    def was_ended(self) -> bool:
        """Whether a cancellation that arrived is an operator's alone, and is over with this. Its caller may have left, too,
        or the gateway be told to stop."""
        if self._to_be_ended and self._task is not None:
            self._to_be_ended = False
            self.ended = self._task.uncancel() <= self._cancelled
            return self.ended
        return False

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
