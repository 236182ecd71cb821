"""What the pages are made of: the port through which they see the models, the prices and the traffic of this Portico.

Whoever serves the house gives it one (`cli/`). Nothing here belongs to an account: it is what any visitor may see.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec

from portico.catalog import Catalog, Model, Rates, Tier


class Offer(msgspec.Struct, frozen=True):
    """Where a model is served: a provider by its name and kind, and the name of the model there."""

    provider: str
    kind: str
    upstream_model: str
    dialects: tuple[str, ...] = ()
    """What it is asked in there, the best first; empty: all that the kind speaks."""
    weight: int = 1
    """Among those of one priority, how often it comes first."""
    priority: int = 0
    """The lowest is asked first."""


class Traffic(msgspec.Struct, frozen=True):
    """What callers of one model got in a stretch of time that begins `at_s` (seconds since 1970); or what a
    provider answered to attempts."""

    at_s: int
    calls: int
    """Calls that had an upstream in them; what was the caller's own fault is not counted."""
    failed: int
    waits: Mapping[int, int] = {}
    """Milliseconds -> how many of those that did not fail waited so long at most for their first event, and longer than the
    next bound below (`routing.traffic`)."""


class Day(msgspec.Struct, frozen=True, eq=False):
    """What was measured in 24 hours."""

    at: datetime | None = None
    """When it was read; None: it cannot be read, and nothing is known."""
    models: Mapping[str, tuple[Traffic, ...]] = {}
    """Of each model that was called, all 90 steps of 16 minutes, the oldest first."""
    providers: Mapping[str, Mapping[str, tuple[Traffic, ...]]] = {}
    """Of each model, by the name of each provider that was tried for its callers: the same of attempts."""


class Keeping(msgspec.Struct, frozen=True):
    """For how long this Portico keeps what: the settings of [retention] that a visitor is told."""

    receipts_days: int = 400
    usage_days: int = 800
    idempotency_hours: int = 24
    vault_hours: int = 24
    responses_days: int = 30


KEEPING: Final = Keeping()
"""Where an operator has set nothing else."""


class Showroom(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page may ask for."""

    catalog: Callable[[], Catalog]
    offers: Callable[[Model], tuple[Offer, ...]]
    """Where a model is served here, the first choice first; empty: nowhere."""
    rates: Callable[[Model, Offer, date, Tier], Rates]
    """What a call of a model that begins on a day is charged by, of an account without prices of its own: by the price of
    its successor, where that answers."""
    traffic: Callable[[], Awaitable[Day]]
    """How models fared in the last 24 hours."""
    now: Callable[[], datetime]
    """In UTC."""
    public_url: str | None = None
    """The address of the house, where its operator says one; else a visitor's own Host is."""
    version: Callable[[], Hashable] = lambda: None
    """Another one whenever `offers` or `rates` say something else than before, such as the price books themselves."""
    kept: dict[str, Any] | None = None
    """Of a showroom of one moment: what was made of it for one page and serves the next. None: nothing is kept."""
    contact: str | None = None
    """Where whoever found a weakness may write: an address as RFC 9116 wants it."""
    legal: Mapping[tuple[str, str], str] = {}
    """The operator's own texts, Markdown by (`terms` or `privacy`, locale)."""
    keeping: Keeping = KEEPING
    simulated: bool = False
    """Whether every answer is the simulator's."""
