"""Providers: how they stand and why, those in trouble first; letting them rest, waking them, and their credentials."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from portico.admin.desk import Probed
from portico.web.admin.forms import Act, acted, back, page, whole_number
from portico.web.admin.state import Fare, fares_of
from portico.web.inside.asked import Asked, Led, Reply, Shown


class Standing(msgspec.Struct, frozen=True):
    """One of them, as the page tells of it."""

    view: Any
    fare: Fare
    share: int
    """Of a thousand attempts of the last 24 hours, how many were its."""
    credentials: Sequence[Any]

    @property
    def failing(self) -> bool:
        return self.fare.failing

    @property
    def trouble(self) -> tuple[bool, bool, int, str]:
        """What is sorted by."""
        return self.view.state == "asked", not self.failing, -self.fare.failed, self.view.name


async def providers(asked: Asked) -> Shown:
    return await _shown(asked)


async def _shown(asked: Asked, probed: Sequence[Probed] = (), of: str = "") -> Shown:
    day = await asked.backstage.showroom.traffic()
    fares = fares_of(day)
    views = (await asked.do("providers list")).data
    credentials = (await asked.do("credentials list")).data
    all_calls = sum(fare.calls for fare in fares.values())
    found = []
    for view in views:
        fare = fares.get(view.name, Fare())
        own = [one for one in credentials if one.provider == view.name]
        found.append(Standing(view, fare, fare.calls * 1000 // all_calls if all_calls else 0, own))
    found.sort(key=lambda one: one.trouble)
    return page(asked, "providers", "Providers", found=found, known=day.at is not None, probed=probed, probed_of=of)


async def act_on_providers(asked: Asked) -> Reply:
    return await acted(asked, _ACTS, providers)


async def _rest(asked: Asked) -> Led:
    await asked.do(
        "pool rest",
        provider=asked.said("provider"),
        model=asked.said("model"),
        minutes=whole_number(asked.said("minutes"), "minutes"),
        note=asked.said("note"),
    )
    return back(asked, "resting")


async def _wake(asked: Asked) -> Led:
    """All of a provider, or one of what rests there."""
    fields: dict[str, Any] = {"provider": asked.said("provider")}
    if asked.said("one"):
        fields |= {"group": asked.said("group"), "model": asked.said("model")}
    await asked.do("pool clear", **fields)
    return back(asked, "woken")


async def _probe(asked: Asked) -> Shown:
    name = asked.said("provider")
    found = await asked.do("providers probe", provider=name)
    return await _shown(asked, probed=found.data, of=name)


async def _add(asked: Asked) -> Led:
    """What was typed goes into the command alone: no page shows it again."""
    await asked.do(
        "credentials add",
        provider=asked.said("provider"),
        value=asked.said("value"),
        name=asked.said("credential_name"),
    )
    return back(asked, "saved")


def _of_credential(command: str, done: str) -> Act:
    async def act(asked: Asked) -> Led:
        await asked.do(command, credential=asked.said("credential"))
        return back(asked, done)

    return act


async def _remove(asked: Asked) -> Led:
    wanted = asked.said("credential")
    for one in (await asked.do("credentials list")).data:
        if one.id == wanted:
            asked.require_name(one.name or one.id)
    await asked.do("credentials remove", credential=wanted)
    return back(asked, "removed")


_ACTS: Final[dict[str, Act]] = {
    "rest": _rest,
    "wake": _wake,
    "probe": _probe,
    "add": _add,
    "disable": _of_credential("credentials disable", "disabled"),
    "enable": _of_credential("credentials enable", "enabled"),
    "remove": _remove,
}
