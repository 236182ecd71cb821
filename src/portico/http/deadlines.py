"""One timer for many connections.

A connection says when its patience ends by storing a number; nobody arms or cancels a timer per request or per piece of a
body. The one timer sleeps until the earliest known deadline and then looks at the numbers again: most have moved on.
"""

import asyncio
from math import inf
from typing import Protocol


class Timed(Protocol):
    """Something with a patience. `deadline` is in the loop's time; `inf` is endless patience."""

    deadline: float

    def expired(self) -> None:
        """The deadline has passed. May set a new one, or forget itself."""


class Deadlines:
    """Watches the deadlines of its members; late by at most `slack_s`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, slack_s: float = 0.02) -> None:
        self._loop = loop
        self._slack_s = slack_s
        self._members: set[Timed] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.soonest = inf
        """When the timer goes off. A deadline that is no sooner needs no call of `at_latest`."""

    def __len__(self) -> int:
        return len(self._members)

    def watch(self, member: Timed) -> None:
        self._members.add(member)
        self.at_latest(member.deadline)

    def forget(self, member: Timed) -> None:
        self._members.discard(member)

    def at_latest(self, when: float) -> None:
        """To be called after a member's deadline has moved to an earlier time (later needs no call)."""
        if when < self.soonest:
            self.soonest = when
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(when, self._sweep)

    def close(self) -> None:
        self._members.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self) -> None:
        now = self._loop.time()
        self._timer = None
        self.soonest = inf
        over = [member for member in self._members if member.deadline <= now]
        try:
            for member in over:
                member.expired()
        finally:
            earliest = min((member.deadline for member in self._members), default=inf)
            if earliest < inf:
                self.at_latest(max(earliest, now + self._slack_s))
