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
    if not row.state.calls:
        return "No traffic"
    if not row.state.tells:
        return "Too few calls"
    if row.state.success_permille >= GOOD_PERMILLE:
        return "Fine"
    return "Some calls fail" if row.state.success_permille >= BAD_PERMILLE else "Failing"


async def look(showroom: Showroom, visit: Visit, _: Mapping[str, str]) -> View:
    rows = [row for row in await shelf.rows(showroom) if not row.gone]
    called = sorted((row for row in rows if row.state.calls), key=lambda row: (-row.state.failed, -row.state.calls))
    say = Say(visit.locale, markup=False)
    return View(
        template="status",
        title=say("Status"),
        summary=say("What callers got in the last 24 hours, model by model."),
        data={
            "rows": called,
            "quiet": [row for row in rows if not row.state.calls],
            "verdict": verdict,
            "now": showroom.now(),
            "few": shelf.FEW,
        },
        twin={"object": "list", "at": showroom.now().isoformat(), "data": [_told(row) for row in called]},
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
