"""What a provider says of a quota that is used up, in no dialect: which window it is counted in, and for whom.

Readers of errors find it (mapping.md 4: QuotaFailure, ErrorInfo, rate-limit headers); routing decides what rests, and
for how long.
"""

from enum import StrEnum

import msgspec


class Window(StrEnum):
    """What a quota is counted in."""

    MINUTE = "minute"
    DAY = "day"
    """Of the provider's own calendar: Google's days end at midnight Pacific time."""
    BALANCE = "balance"
    """Money that was paid in and is spent: no clock brings it back, and nobody tells when somebody does."""
    REQUEST = "request"
    """What one request may take: this one never will, and another one may."""
    UNSAID = "unsaid"


class Quota(msgspec.Struct, frozen=True):
    """One quota that was exceeded."""

    window: Window = Window.UNSAID
    by_model: bool = True
    """It is counted for each model; False: for all of them together."""
    limit: int | None = None
    """How much of it there is; 0: this was never offered to this account."""
    name: str = ""
    """The provider's own word for it, for people (`GenerateRequestsPerDayPerProjectPerModel-FreeTier`)."""
    resets_at: float | None = None
    """When the provider says that it is back, in seconds since 1970; None: it does not, or says how long that takes."""
