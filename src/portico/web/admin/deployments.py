"""Deployments: every model at every provider that serves it, what rests of it, and how it fared."""

from collections.abc import Sequence
from typing import Any

import msgspec

from portico.web.admin.forms import page
from portico.web.admin.state import Fare, fare_at, served_models
from portico.web.inside.asked import Asked, Shown
from portico.web.showroom import Offer


class Placed(msgspec.Struct, frozen=True):
    """A model where it is served."""

    model: str
    offer: Offer
    fare: Fare
    rests: Sequence[Any]

    @property
    def whole(self) -> bool:
        """Whether every credential rests."""
        return any(not rest.group for rest in self.rests)


async def deployments(asked: Asked) -> Shown:
    showroom, text, provider = asked.backstage.showroom, asked.first("q").strip().lower(), asked.first("provider")
    only = asked.first("state")
    day = await showroom.traffic()
    rests = (await asked.do("pool list")).data
    found = []
    for served in served_models(showroom):
        for offer in served.offers:
            if text not in served.model.name.lower() or provider not in ("", offer.provider):
                continue
            resting = [
                one for one in rests if one.provider == offer.provider and one.model in ("", offer.upstream_model)
            ]
            placed = Placed(served.model.name, offer, fare_at(day, served.model.name, offer.provider), resting)
            if (only == "rests" and not resting) or (only == "called" and not placed.fare.calls):
                continue
            found.append(placed)
    names = sorted({offer.provider for served in served_models(showroom) for offer in served.offers})
    pairs = [(name, name) for name in names]
    return page(
        asked, "deployments", "Deployments", found=found, q=asked.first("q"), provider=provider, state=only, names=pairs
    )
