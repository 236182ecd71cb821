"""Whether this process should be sent calls: ready, unless something speaks against it.

Alive and ready are two things: a process that starts or drains answers, and yet no load balancer should choose it. Nor one
whose database is away, since it refuses whatever has to be held for first; another machine may have a way to it.
"""

from collections.abc import Callable
from typing import Final

STARTING: Final = "starting"
DRAINING: Final = "draining"
STORAGE: Final = "storage"

CERTAIN_S: Final = 5.0
"""A database that has been away for so long is away. What is shorter, a connection that was cut or a failover that was
quick, is over before a load balancer has acted on it."""


class Readiness:
    """Why no calls are to be sent here, if there are reasons. Whoever starts or stops something says so; how the database
    is, is looked at when somebody asks."""

    def __init__(self, *reasons: str, storage_down_s: Callable[[], float] = lambda: 0.0) -> None:
        """`storage_down_s`: for how long the database has not answered; 0.0 while it does."""
        self._reasons = set(reasons)
        self._storage_down_s = storage_down_s

    @property
    def reasons(self) -> set[str]:
        """What speaks against it now."""
        return self._reasons | ({STORAGE} if self._storage_down_s() >= CERTAIN_S else set())

    def wait_for(self, reason: str) -> None:
        """Not ready, for one reason (more)."""
        self._reasons.add(reason)

    def clear(self, reason: str) -> None:
        """That reason has gone."""
        self._reasons.discard(reason)
