"""How the models fare: what callers got in the last 24 hours, of every model that was called, and nothing invented."""

from collections.abc import Mapping
from typing import Any, Final

from portico.web.page import View, Visit, at
from portico.web.showroom import Showroom
from portico.web.site import shelf
from portico.web.site.shelf import Row
from portico.web.words import Say

GOOD_PERMILLE: Final = 990
"""From this share of successes on a model is called fine."""
BAD_PERMILLE: Final = 950
"""Under this share it is called failing."""


def verdict(row: Row) -> str:
    """One of the five words of the page."""
    permille = row.state.success_permille
    if permille is None:
        return "Too few calls" if row.state.calls else "No traffic"
    if permille >= GOOD_PERMILLE:
        return "Fine"
    return "Some calls fail" if permille >= BAD_PERMILLE else "Failing"


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    day = await showroom.traffic()
    rows = await shelf.rows(showroom)
    called = sorted((row for row in rows if row.state.calls), key=lambda row: (-row.state.failed, -row.state.calls))
    say = Say(visit.locale, markup=False)
    return View(
        template="status",
        title=say("Status"),
        summary=say("What callers got in the last 24 hours, model by model."),
        data={
            "rows": called,
            "quiet": [row for row in rows if not row.state.calls and not row.gone],
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
            "data": [_told(row) for row in called],
        },
    )


def _told(row: Row) -> dict[str, Any]:
    state = row.state
    return {
        "id": row.name,
        "verdict": verdict(row).lower().replace(" ", "_"),
        "calls": state.calls,
        "failed": state.failed,
        "success_permille": state.success_permille if state.tells else None,
        "first_event_p50_ms": state.p50_ms if state.tells else None,
        "first_event_p95_ms": state.p95_ms if state.tells else None,
    }


PAGES: Final = (at("/status", look),)
