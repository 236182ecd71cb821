"""What the pages of the public house show of a running worker: who serves a model, at what price, and how that went.

Loaded with the house, for the first who looks.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from portico.catalog import Model, Rates, Tier
from portico.cli.bookkeeper import Bookkeeper
from portico.cli.traffic import Measured, TrafficBook
from portico.relay.relay import Relay
from portico.routing.traffic import SLOT_S, Counts
from portico.web.showroom import Day, Offer, Traffic

_NOTHING = Counts()


class Shown:
    """Of one worker."""

    def __init__(self, relay: Relay, books: Bookkeeper, traffic: TrafficBook) -> None:
        self._relay = relay
        self._books = books
        self._traffic = traffic
        self._day: tuple[Measured, Day] = (Measured(), Day())
        """What was measured last, and as it is shown."""

    def offers(self, model: Model) -> tuple[Offer, ...]:
        """Who serves a model."""
        return tuple(
            Offer(
                one.provider.name,
                one.provider.kind.name,
                one.upstream_model,
                tuple([spoken.dialect.name for spoken in one.provider.kind.spoken]),
                one.weight,
                one.priority,
            )
            for one in self._relay.deployments(model)
        )

    def rates(self, model: Model, offer: Offer, on: date, tier: Tier) -> Rates:
        """What everybody pays for it there, where its successor may answer."""
        answers = self._relay.answers(model, offer.kind, on)
        return self._books.prices.rates(
            model=answers,
            provider=offer.provider,
            provider_kind=offer.kind,
            upstream_model=offer.upstream_model if answers is model else answers.name,
            account="",
            on=on,
            tier=tier,
        )

    async def traffic(self) -> Day:
        """How the calls of the last day went."""
        measured = await self._traffic.measured()
        if measured is not self._day[0]:
            self._day = measured, _day_of(measured)
        return self._day[1]


def _day_of(measured: Measured) -> Day:
    def whole(counted: Mapping[int, Counts]) -> tuple[Traffic, ...]:
        steps = [(slot * SLOT_S, counted.get(slot, _NOTHING)) for slot in measured.slots]
        return tuple([Traffic(at_s, one.calls, one.failed, one.waits) for at_s, one in steps])

    models = {name: whole(slots) for name, slots in measured.models.items()}
    providers: dict[str, dict[str, tuple[Traffic, ...]]] = {}
    for (name, provider), slots in sorted(measured.tries.items()):
        providers.setdefault(name, {})[provider] = whole(slots)
    at = None if measured.at_s is None else datetime.fromtimestamp(measured.at_s, UTC)
    return Day(at, models, providers)
