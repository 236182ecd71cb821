"""Every part of the design on one page, in both themes beside each other: for whoever changes one, and looks."""

from typing import Final

from portico.accounts.keyuse import Budget
from portico.web import chart
from portico.web.console.keyform import Form
from portico.web.inside.asked import Asked, Needs, Reply, Shown
from portico.web.inside.room import room

HIGH: Final = 1_000_000_000
_DAYS: Final = tuple((n % 5 * 9, n % 3 * 14, n % 7 * 4, 6, 3, n % 2 * 8) for n in range(30))


async def look(_: Asked) -> Reply:
    return Shown(
        template="console/parts",
        title="Parts",
        data={
            "themes": (("light", "Light"), ("dark", "Dark")),
            "budgets": (Budget(HIGH, HIGH // 4, 3600), Budget(HIGH, HIGH * 19 // 20, 3600)),
            "amounts": (123, 1_500_000_000, -2_000_000, 12_345_678_900_000),
            "spark": [day[0] for day in _DAYS],
            "drawn": chart.stacks(_DAYS),
            "form": Form({"rpm": "60", "models": "gemini-3*"}, frozenset({"rpm"})),
            "wrong": {"budget_day_usd": "Say how much, or choose that there is no limit."},
        },
    )


ROOMS: Final = (room("/console/_parts", look, needs=Needs.OPERATOR),)
