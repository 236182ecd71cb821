"""What the pages are made of: the port through which they see the models, the prices and the traffic of this Portico.

Whoever serves the house gives it one (`cli/`). Nothing here belongs to an account: it is what any visitor may see.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from portico.catalog import Catalog, Model, Rates, Tier


class Offer(msgspec.Struct, frozen=True):
    """Where a model is served: a provider by its name and kind, and the name of the model there."""

    provider: str
    kind: str
    upstream_model: str
    dialects: tuple[str, ...] = ()
    """What it is asked in there, the best first; empty: all that the kind speaks."""


class Traffic(msgspec.Struct, frozen=True):
    """What callers of one model got in a stretch of time that begins `at_s` (seconds since 1970)."""

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


class Showroom(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page may ask for."""

    catalog: Callable[[], Catalog]
    offers: Callable[[Model], tuple[Offer, ...]]
    """Where a model is served here, the first choice first; empty: nowhere."""
    rates: Callable[[Model, Offer, date, Tier], Rates]
    """What a call that begins on a day is charged by, of an account without prices of its own."""
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
    simulated: bool = False
    """Whether every answer is the simulator's."""
