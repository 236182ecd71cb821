"""A receipt: one call as its account may see it, or with its cost for whoever runs this Portico. As a page, JSON, Markdown.

`shown` makes the page of either desk; who may ask is the caller's to say.
"""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from portico.accounts import one_call
from portico.accounts.calls import ADJUSTED
from portico.accounts.one_call import OpenYet, Told
from portico.core.errors import NotFound
from portico.web import money
from portico.web.addresses import Address
from portico.web.inside.asked import Asked, Needs, Reply, Sent, Shown
from portico.web.inside.room import room
from portico.web.page import View, Visit
from portico.web.render import common, environment
from portico.web.site.changes import UNDATED
from portico.web.slip import LONG, OUTCOMES, Slip, slip_of, width

_FORMS: Final = (".json", ".md")


class Read(msgspec.Struct, frozen=True):
    """A call's receipt, as its page lays it out."""

    told: Told
    slip: Slip


async def shown(
    asked: Asked, account: str | None, *, cost: bool, list_path: str, template: str = "console/receipt"
) -> Reply:
    """The receipt that the address names by `id`, in the form that its ending says. Raises `NotFound`."""
    said = asked.names["id"]
    form = next((one for one in _FORMS if said.endswith(one)), "")
    request_id = said.removesuffix(form)
    told = await asked.backstage.reading.read(lambda db: one_call.call(db, account, request_id, cost=cost))
    if isinstance(told, OpenYet):
        if form:
            raise NotFound("There is no receipt of that id yet: the call is not over.")
        return Shown(template="console/receipt_open", title="Receipt", data={"found": told})
    if form == ".json":
        return Sent(body=msgspec.json.encode(told.receipt), media_type="application/json")
    data = {**_data(Read(told, slip_of(told.receipt))), "cost": cost, "list_path": list_path}
    if form == ".md":
        return Sent(body=_markdown(asked, data), media_type="text/markdown; charset=utf-8")
    return Shown(template=template, title="Receipt", data=data)


def _data(found: Read) -> dict[str, Any]:
    slip, booked = found.slip, found.told.booked
    after = booked.balance_nanos
    notes = found.told.receipt.get("notes", [])
    refunded = _refunded(found)
    before = None if after is None else after + slip.charge_nanos
    back = abs(slip.hold_nanos - slip.charge_nanos)
    moved = [slip.hold_nanos, slip.charge_nanos, back, *[one for one in (before, after) if one is not None]]
    flags = [*slip.flags, *([ADJUSTED] if booked.adjusted_us is not None else [])]
    return {
        "found": found.told,
        "slip": slip,
        "booked": booked,
        "at": datetime.fromtimestamp(slip.at_us / 1_000_000, UTC),
        "before": before,
        "after": after,
        "undated": UNDATED.isoformat(),
        "digits": width([*(money.exact(line.amount_femtos) for line in slip.lines), money.usd(slip.charge_nanos)]),
        "cents": width([money.usd(one) for one in moved]),
        "explained": [LONG.get(flag, flag) for flag in flags],
        "notes": notes,
        "refunded": refunded,
        "left": slip.charge_nanos + booked.adjusted_nanos - refunded,
        "OUTCOMES": OUTCOMES,
        "dispute": dispute(found),
    }


def _refunded(found: Read) -> int:
    """What was given back of the charge."""
    notes = found.told.receipt.get("notes", [])
    return sum(one["body"]["refunded_nanos"] for one in notes if one["kind"] == "refund")


def dispute(found: Read) -> str:
    """What whoever disputes a charge sends, in one block, the same in every language."""
    slip, booked = found.slip, found.told.booked
    lines = [
        ("request", slip.request_id),
        ("time", datetime.fromtimestamp(slip.at_us / 1_000_000, UTC).isoformat()),
        ("account", f"{found.told.account_name} ({slip.account})"),
        ("key", f"{found.told.key_prefix}… ({slip.key_id})"),
        ("asked", slip.asked),
        ("answered by", "; ".join(f"{model} ({upstream}), {provider}" for model, upstream, provider in slip.answered)),
        ("tried", ", ".join(f"{one.provider}: {one.outcome}" for one in slip.tries)),
        ("outcome", ", ".join([slip.outcome, *slip.flags])),
        *[(f"line {n}", f"{one.count} {one.item} {one.detail}") for n, one in enumerate(slip.lines, 1)],
        ("held", money.usd(slip.hold_nanos)),
        ("charged", money.usd(slip.charge_nanos)),
        ("adjusted by", money.usd(booked.adjusted_nanos) if booked.adjusted_us is not None else ""),
        ("given back", money.usd(refunded) if (refunded := _refunded(found)) else ""),
    ]
    return "\n".join(f"{name}: {value}" for name, value in lines if value)


def _markdown(asked: Asked, data: dict[str, Any]) -> bytes:
    visit = Visit(Address(asked.path, asked.locale), asked.base_url, asked.query)
    view = View(template="console/receipt", title="Receipt", summary="", follows=False, data=data)
    text = environment(html=False).get_template("console/receipt.md").render(common(visit, view, html=False))
    return (text.strip() + "\n").encode()


async def look(asked: Asked) -> Reply:
    return await shown(asked, asked.account_id, cost=False, list_path="/console/usage")


ROOMS: Final = (room("/console/receipts/{id}", look, needs=Needs.VIEWER),)
