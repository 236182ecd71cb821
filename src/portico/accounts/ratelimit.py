"""What a key's limits have left, and how an OpenAI client is told (`x-ratelimit-*`, beside `Retry-After` on a 429).

Windows are fixed minutes of UTC: all of a limit is there again when the next one begins.
"""

import msgspec

from portico.wire.http import Headers

MINUTE_US = 60_000_000


class RateState(msgspec.Struct, frozen=True):
    """The limits of a key with one call counted in. A limit of None is none, and nothing is said of it."""

    requests_limit: int | None = None
    requests_used: int = 0
    tokens_limit: int | None = None
    tokens_used: int = 0
    reset_s: float = 0.0
    """Until the minute that was counted in is over."""

    @classmethod
    def at(
        cls,
        now_us: int,
        *,
        rpm: int | None = None,
        requests: int = 0,
        tpm: int | None = None,
        tokens: int = 0,
    ) -> "RateState":
        """The state at a time of the database's: what the minute it is in has used of each limit."""
        return cls(rpm, requests, tpm, tokens, (MINUTE_US - now_us % MINUTE_US) / 1_000_000)

    def headers(self) -> Headers:
        """Six headers, three or none. What is used may be more than the limit: nothing is left then, and not less."""
        told: list[tuple[str, str]] = []
        for what, limit, used in (
            ("requests", self.requests_limit, self.requests_used),
            ("tokens", self.tokens_limit, self.tokens_used),
        ):
            if limit is not None:
                told += [
                    (f"x-ratelimit-limit-{what}", str(limit)),
                    (f"x-ratelimit-remaining-{what}", str(max(0, limit - used))),
                    (f"x-ratelimit-reset-{what}", duration(self.reset_s)),
                ]
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
