"""What a key's limits have left, and how an OpenAI client is told (`x-ratelimit-*`, beside `Retry-After` on a 429).

Windows are fixed minutes of UTC: all of a limit is there again when the next one begins.
"""

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from portico.wire.http import Headers

MINUTE_US: Final = 60_000_000
REQUESTS: Final = "rpm"
TOKENS: Final = "tpm"
"""As `ledger.hold` calls them."""


class Used(Protocol):
    """A limit, and what is used of it (`ledger.hold.Use`)."""

    @property
    def kind(self) -> str: ...

    @property
    def limit(self) -> int: ...

    @property
    def used(self) -> int: ...


class RateState(msgspec.Struct, frozen=True):
    """The limits of a key with one call counted in. A limit of None is none, and nothing is said of it."""

    requests_limit: int | None = None
    requests_used: int = 0
    tokens_limit: int | None = None
    tokens_used: int = 0
    reset_s: float = 0.0
    """Until the minute that was counted in is over."""

    @classmethod
    def of(cls, uses: Iterable[Used], at_us: int) -> "RateState":
        """What a hold told of the limits of its key, at a time of the database's."""
        requests_limit = tokens_limit = None
        requests_used = tokens_used = 0
        for use in uses:
            if use.kind == REQUESTS:
                requests_limit, requests_used = use.limit, use.used
            elif use.kind == TOKENS:
                tokens_limit, tokens_used = use.limit, use.used
        reset_s = (MINUTE_US - at_us % MINUTE_US) / 1_000_000
        return cls(requests_limit, requests_used, tokens_limit, tokens_used, reset_s)

    @classmethod
    def reached(cls, kind: str, limit: int | None, used: int, retry_after_s: float) -> "RateState":
        """What a refusal told of the limit that refused; nothing, of a limit that clients have no headers for."""
        if kind == REQUESTS:
            return cls(requests_limit=limit, requests_used=used, reset_s=retry_after_s)
        return cls(tokens_limit=limit, tokens_used=used, reset_s=retry_after_s) if kind == TOKENS else cls()

    def headers(self) -> Headers:
        """Six headers, three or none. What is used may be more than the limit: nothing is left then, and not less."""
        reset, told = duration(self.reset_s), list[tuple[str, str]]()
        if (limit := self.requests_limit) is not None:
            told.append(("x-ratelimit-limit-requests", str(limit)))
            told.append(("x-ratelimit-remaining-requests", str(max(0, limit - self.requests_used))))
            told.append(("x-ratelimit-reset-requests", reset))
        if (limit := self.tokens_limit) is not None:
            told.append(("x-ratelimit-limit-tokens", str(limit)))
            told.append(("x-ratelimit-remaining-tokens", str(max(0, limit - self.tokens_used))))
            told.append(("x-ratelimit-reset-tokens", reset))
        return told


def duration(seconds: float) -> str:
    """A time to wait as OpenAI writes it: `640ms`, `17s`, `1m0s`. Rounded up: who waits so long has waited long enough."""
    milliseconds = max(0, -int(-seconds * 1000 // 1))
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, left = divmod(-(-milliseconds // 1000), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
