"""What several pages of the desk ask: which models are served without a price, and how providers fared."""

from collections.abc import Hashable
from datetime import date
from typing import Final

import msgspec

from portico.catalog import Model, Rates, Tier
from portico.web.showroom import Day, Offer, Showroom

TROUBLED: Final = 50
"""So many failures of a thousand attempts are trouble, of no fewer than `TELLING` attempts."""
TELLING: Final = 20


class Fare(msgspec.Struct, frozen=True):
    """Attempts in the last 24 hours."""

    calls: int = 0
    failed: int = 0

    @property
    def permille(self) -> int:
        """Of a thousand, how many did not fail."""
        return (self.calls - self.failed) * 1000 // self.calls if self.calls else 0

    @property
    def failing(self) -> bool:
        return self.calls >= TELLING and 1000 - self.permille >= TROUBLED


def fares_of(day: Day) -> dict[str, Fare]:
    """Of each provider, over all models."""
    found: dict[str, Fare] = {}
    for by_provider in day.providers.values():
        for provider, slots in by_provider.items():
            before = found.get(provider, Fare())
            found[provider] = Fare(
                before.calls + sum(slot.calls for slot in slots), before.failed + sum(slot.failed for slot in slots)
            )
    return found


def fare_at(day: Day, model: str, provider: str) -> Fare:
    """Of one model at one provider."""
    slots = day.providers.get(model, {}).get(provider, ())
    return Fare(sum(slot.calls for slot in slots), sum(slot.failed for slot in slots))


class Served(msgspec.Struct, frozen=True):
    """A model that is served here, and by what it is charged at whom it is asked first."""

    model: Model
    offers: tuple[Offer, ...]
    rates: Rates
    """What standard calls are charged by."""


def served_models(showroom: Showroom) -> list[Served]:
    """Every model that is served today, by name. It is worked out once for each state of the books."""
    today = showroom.now().date()
    key = (id(showroom), showroom.version(), today)
    if key not in _FOUND:
        _FOUND.clear()
        _FOUND[key] = _served(showroom, today)
    return _FOUND[key]


_FOUND: Final[dict[Hashable, list[Served]]] = {}


def _served(showroom: Showroom, today: date) -> list[Served]:
    offered = [(model, showroom.offers(model)) for model in showroom.catalog().models.values()]
    found = [
        Served(model, offers, showroom.rates(model, offers[0], today, Tier.STANDARD))
        for model, offers in offered
        if offers
    ]
    return sorted(found, key=lambda one: one.model.name)


def unpriced(showroom: Showroom) -> list[Served]:
    """Those that a prepaid account is refused, since nobody has said what they cost."""
    return [one for one in served_models(showroom) if not one.rates.known]
