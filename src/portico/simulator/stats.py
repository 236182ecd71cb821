"""What a simulator saw and did, for tests to read."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. `body` is the parsed JSON, None if it was none or above 1 MB."""

    method: str
    path: str
    query: str
    model: str
    verb: str
    key: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Stats:
    """What happened so far. `waiting` drains are in progress now; `blocked_s` is the time spent in finished ones."""

    requests: int = 0
    answered: int = 0
    refused: int = 0
    cancelled: int = 0
    bytes_written: int = 0
    waiting: int = 0
    blocked_s: float = 0.0
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=256))

    @property
    def last(self) -> Seen:
        """The latest request."""
        return self.seen[-1]
