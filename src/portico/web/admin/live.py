"""Calls that are open right now, and ending one of them."""

import json
from typing import Any

import msgspec

from portico.ledger.open_calls import count_open
from portico.web.admin.forms import acted, back, page
from portico.web.inside.asked import Asked, Led, Reply, Sent, Shown
from portico.web.money import usd

MOST = 200


async def live(asked: Asked) -> Shown:
    calls = (await asked.do("calls list", limit=MOST)).data
    count = await asked.backstage.reading.read(count_open)
    return page(asked, "live", "Live calls", calls=calls, count=count, most=MOST)


async def live_json(asked: Asked) -> Sent:
    """The same for the page's own module, which asks every two seconds while it is looked at."""
    calls = (await asked.do("calls list", limit=MOST)).data
    count = await asked.backstage.reading.read(count_open)
    told: dict[str, Any] = {"calls": [_told(call) for call in calls], "count": count}
    return Sent(body=json.dumps(told).encode(), media_type="application/json")


def _told(call: Any) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(call)
    return {**fields, "held": usd(call.held_nanos)}


async def act_on_live(asked: Asked) -> Reply:
    return await acted(asked, {"end": _end}, live)


async def _end(asked: Asked) -> Led:
    await asked.do("calls end", request=asked.said("request"))
    return back(asked, "ending")
