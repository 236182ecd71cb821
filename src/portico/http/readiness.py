"""Whether this process should be sent calls: ready, unless something speaks against it.

Alive and ready are two things: a process that starts or drains answers, and yet no load balancer should choose it.
"""

from typing import Final

STARTING: Final = "starting"
DRAINING: Final = "draining"


class Readiness:
    """Why no calls are to be sent here, if there are reasons. Whoever starts or stops something says so."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = set(reasons)

    @property
    def ready(self) -> bool:
        return not self.reasons

    def wait_for(self, reason: str) -> None:
        """Not ready, for one reason (more)."""
        self.reasons.add(reason)

    def clear(self, reason: str) -> None:
        """That reason has gone."""
        self.reasons.discard(reason)
