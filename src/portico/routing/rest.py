"""What rests after a failure, and for how long: quotas are used to their edge, and not hit again before they are back.

Each (quota group, model, window) rests by its own clock. A quota group is one project at the provider: keys of one project
share its quotas, so they rest together. Pure: the time is an argument.

    429, a minute's quota         that model (or all, if it is counted for all), as long as the provider says, else till the
                                  provider's next minute
    429, a day's quota            till midnight Pacific time, whatever delay stands beside it (Google's; of the others a day
                                  is the last 24 hours, and how long to wait is said)
    429, a limit of 0             the same: this account has none of it
    429, nothing said             as long as the provider says, else longer and longer, up to a minute (shared capacity)
    429, one request too large    nothing
    spent balance                 all models for ten minutes: it is mended at the provider, and nobody tells us when
    a refused account or region   the same, for this key alone
    a refused or suspended key    all models, or the one it may not use, until a person looks (`portico pool clear`)
    something refused             nothing: it may be what the call names, and any caller could shut the key out for all
    an operator says so           what the operator says (`portico pool rest`)
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from portico.core.errors import UpstreamAuthFailed, UpstreamError, UpstreamRateLimited, UpstreamRefusedAccount
from portico.core.quota import Quota, Window

PACIFIC: Final = ZoneInfo("America/Los_Angeles")
FOREVER: Final = float("inf")
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
ACCOUNT_S: Final = 600.0
LONGEST_SAID_S: Final = 86_400.0
"""What a provider says is believed up to a day."""
ALL_MODELS: Final = ""
ALL_GROUPS: Final = ""
"""Every credential of a provider, whosever quota it uses: only an operator lets these rest."""
BY_OPERATOR: Final = "operator"
"""What the reason of such a rest begins with."""


class Rest(msgspec.Struct, frozen=True):
    """Something is not asked until a time (seconds since 1970; `FOREVER`: until a person looks)."""

    until: float
    why: str
    """The code of the error, and the provider's word for the quota, for people."""
    model: str = ALL_MODELS
    """The upstream model that rests; `ALL_MODELS`: every one."""
    misses: int = 1
    """How often in a row nothing was said of a window."""
    whole_group: bool = True
    """All keys of the group rest; False: this key alone."""


def rests_after(error: UpstreamError, model: str, now: float, before: Rest | None = None) -> list[Rest]:
    """What rests after a failure of an upstream model: of each scope the longest. `before`: what rested there last."""
    match error:
        case UpstreamRateLimited(quotas=quotas):
            counted = [quota for quota in quotas or (Quota(),) if quota.window is not Window.REQUEST]
            rests = [_of_quota(error, quota, model, now, before) for quota in counted]
            return list({rest.model: rest for rest in sorted(rests, key=lambda rest: rest.until)}.values())
        case UpstreamAuthFailed(of_key=True, of_model=of_model):
            why = _why(error, error.reason or "")
            return [Rest(FOREVER, why, model if of_model else ALL_MODELS, whole_group=False)]
        case UpstreamRefusedAccount():
            return [Rest(now + ACCOUNT_S, _why(error, error.reason or ""), whole_group=False)]
    return []


def _of_quota(error: UpstreamError, quota: Quota, model: str, now: float, before: Rest | None) -> Rest:
    why = _why(error, quota.name or quota.window)
    scope = model if quota.by_model else ALL_MODELS
    said = error.retry_after_s
    if quota.window is Window.BALANCE:
        return Rest(now + ACCOUNT_S, why)
    if quota.window is Window.DAY or quota.limit == 0:
        return Rest(next_pacific_midnight(now), why, scope)
    if said is None and quota.resets_at is not None:
        said = quota.resets_at - now
    if said is not None:
        return Rest(now + min(max(said, 0.0), LONGEST_SAID_S), why, scope)
    if quota.window is Window.MINUTE:
        return Rest((now // 60 + 1) * 60, why, scope)
    misses = 1 if before is None or now - before.until > LONGEST_PAUSE_S else before.misses + 1
    return Rest(now + min(FIRST_PAUSE_S * 2.0 ** min(misses - 1, 16), LONGEST_PAUSE_S), why, scope, misses)


def next_pacific_midnight(now: float) -> float:
    """When Google's day ends: the next midnight in Los Angeles, summer time or not (mapping.md 4)."""
    here = datetime.fromtimestamp(now, UTC).astimezone(PACIFIC)
    tomorrow = (here + timedelta(days=1)).date()
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=PACIFIC).timestamp()


def _why(error: UpstreamError, word: str) -> str:
    return f"{error.code}: {word}"[:200] if word else str(error.code)
