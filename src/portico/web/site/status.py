"""How the models fare: what callers got in the last 24 hours, and what each provider answered; nothing is invented.

/status            every model that was called, those with failures first
/status/{id}       one of them, with its day
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from portico.routing.traffic import SLOT_S
from portico.web.page import Page, View, Visit, at
from portico.web.showroom import Showroom, Traffic
from portico.web.site import shelf
from portico.web.site.models import slots_told
from portico.web.site.shelf import Row, State
from portico.web.words import Say

GOOD_PERMILLE: Final = 990
"""From this share of successes on a model is called fine."""
BAD_PERMILLE: Final = 950
"""Under this share it is called failing."""
DRAWN: Final = 68
"""So many days are drawn, of models and their providers; of models after these a line is told."""


def verdict(state: State) -> str:
    """One of the six words of the page."""
    permille = state.success_permille
    if not state.known:
        return "Unknown"
    if permille is None:
        return "Too few calls" if state.calls else "No traffic"
    if permille >= GOOD_PERMILLE:
        return "Fine"
    return "Some calls fail" if permille >= BAD_PERMILLE else "Failing"


class Trouble(msgspec.Struct, frozen=True):
    """A stretch of the day in which more failed than may be where all is said to be fine or nearly so."""

    from_s: int
    to_s: int
    calls: int
    failed: int


def troubles(slots: Sequence[Traffic]) -> list[Trouble]:
    """The newest first; steps without calls neither begin nor end one. Nothing of a few calls."""

    def stretches() -> Iterator[Trouble]:
        called = [slot for slot in slots if slot.calls]
        for is_bad, run in itertools.groupby(
            called, lambda slot: slot.failed * 1000 > slot.calls * (1000 - BAD_PERMILLE)
        ):
            steps = list(run)
            if is_bad:
                calls, failed = sum(one.calls for one in steps), sum(one.failed for one in steps)
                yield Trouble(steps[0].at_s, steps[-1].at_s + SLOT_S, calls, failed)

    return [one for one in stretches() if one.calls >= shelf.FEW][::-1]


def drawn(called: Sequence[Row], served: Mapping[str, Sequence[object]]) -> int:
    """How many models, from the first, are shown with their days."""
    sizes = itertools.accumulate(1 + len(served[row.name]) for row in called)
    return sum(1 for size in sizes if size <= DRAWN)


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    day = await showroom.traffic()
    rows = await shelf.rows(showroom)
    called = sorted((row for row in rows if row.state.calls), key=lambda row: (-row.state.failed, -row.state.calls))
    served = {row.name: shelf.served(day, row.name) for row in called}
    full = drawn(called, served)
    quiet = [row for row in rows if not row.state.calls and not row.gone]
    say = Say(visit.locale, markup=False)
    return View(
        template="status",
        title=say("Status"),
        summary=say("What callers got in the last 24 hours, model by model, and what each provider answered."),
        data={
            "rows": called[:full],
            "rest": called[full:],
            "quiet": quiet,
            "served": served,
            "verdict": verdict,
            "at": day.at,
            "few": shelf.FEW,
            "simulated": showroom.simulated,
        },
        twin={
            "object": "list",
            "at": None if day.at is None else day.at.isoformat(),
            "hours": 24,
            "simulated": showroom.simulated,
            "data": [_told(row, served[row.name]) for row in called],
            "no_traffic": None if day.at is None else [row.name for row in quiet],
        },
    )


async def look_at_one(showroom: Showroom, visit: Visit, names: Mapping[str, str]) -> View:
    name = names["id"]
    row, day = await shelf.asked_for(showroom, name, "/status")
    served = shelf.served(day, name)
    found = troubles(row.state.slots)
    say = Say(visit.locale, markup=False)
    return View(
        template="status_model",
        title=say("Status of %(model)s", model=name),
        summary=say("What callers of %(model)s got in the last 24 hours, and what each provider answered.", model=name),
        model=name,
        data={
            "row": row,
            "served": served,
            "troubles": found,
            "verdict": verdict,
            "at": day.at,
            "few": shelf.FEW,
            "simulated": showroom.simulated,
        },
        twin={
            "object": "status",
            "at": None if day.at is None else day.at.isoformat(),
            "hours": 24,
            "simulated": showroom.simulated,
            **_told(row, served),
            "slots": slots_told(row.state),
            "troubles": [
                {"from": _instant(one.from_s), "to": _instant(one.to_s), "calls": one.calls, "failed": one.failed}
                for one in found
            ],
        },
        follows=False,
    )


def _instant(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def _told(row: Row, served: Sequence[tuple[str, State]]) -> dict[str, Any]:
    providers = [{"provider": name, **_figures(state)} for name, state in served]
    return {"id": row.name, **_figures(row.state), "providers": providers}


def _figures(state: State) -> dict[str, Any]:
    return {
        "verdict": verdict(state).lower().replace(" ", "_"),
        "calls": state.calls if state.known else None,
        "failed": state.failed if state.known else None,
        "success_permille": state.success_permille,
        "first_event_p50_ms": state.p50_ms if state.tells else None,
        "first_event_p95_ms": state.p95_ms if state.tells else None,
    }


PAGES: Final = (
    at("/status", look),
    # Of a day, so that no index needs to know them.
    Page(re.compile(r"/status/(?P<id>.+)"), look_at_one, lambda _: ()),
)
