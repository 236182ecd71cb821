"""Accounts: those that need attention first; and one of them, with its money, people and keys."""

from collections.abc import Callable
from typing import Any, Final

from portico.accounts import calls, people
from portico.accounts.finding import find_keys
from portico.accounts.rows import show_account
from portico.accounts.standing import Standing, latest_payments, standing_of, standings
from portico.core.digits import whole
from portico.core.errors import NotFound
from portico.core.storage import Db
from portico.web.admin.forms import PAGE, Act, acted, back, book, new_form, page
from portico.web.inside.asked import Asked, Led, Reply, Shown

_SORTS: Final[dict[str, Callable[[Standing], Any]]] = {
    "name": lambda one: one.account.name.lower(),
    "balance": lambda one: one.account.posted_nanos,
    "held": lambda one: -one.account.held_nanos,
    "spent": lambda one: -one.spent_nanos,
    "days": lambda one: 10**9 if one.days_left is None else one.days_left,
    "keys": lambda one: -one.keys,
}
FEW: Final = 10
ROLES: Final = people.ROLES


async def accounts(asked: Asked) -> Shown:
    closed = asked.first("closed") == "1"
    found = await asked.backstage.reading.read(lambda db: standings(db, closed=closed))
    text = asked.first("q").strip().lower()
    if text:
        found = [one for one in found if text in one.account.name.lower() or text == one.account.id]
    sort = asked.first("sort")
    if sort in _SORTS:
        found = sorted(found, key=_SORTS[sort])
    start = _start(asked)
    return page(
        asked,
        "accounts",
        "Accounts",
        found=found[start : start + PAGE],
        count=len(found),
        start=start,
        size=PAGE,
        sort=sort if sort in _SORTS else "",
        q=asked.first("q"),
        closed=closed,
    )


def _start(asked: Asked) -> int:
    return whole(asked.first("from"), 6) or 0


async def act_on_accounts(asked: Asked) -> Reply:
    return await acted(asked, {"create": _create}, accounts)


async def _create(asked: Asked) -> Led:
    made = await asked.do("accounts create", name=asked.said("new_name"), kind=asked.said("kind", "prepaid"))
    return Led(to=f"/admin/accounts/{made.id}", done="made")


# -- one of them


async def account(asked: Asked) -> Shown:
    name = asked.names["account"]

    def look(db: Db) -> dict[str, Any]:
        found = show_account(db, name)
        if found.id != name:
            raise NotFound("There is no such account.")
        keys = find_keys(db, account=found.id, limit=PAGE + 1)
        return {
            "standing": standing_of(db, found),
            "members": people.members_of(db, found.id),
            "keys": keys[:PAGE],
            "more_keys": len(keys) > PAGE,
            "latest": calls.page(db, calls.Filter(account=found.id), limit=FEW),
            "payments": latest_payments(db, found.id, FEW),
            "now_us": db.now_us,
        }

    data = await asked.backstage.reading.read(look)
    audit = (await asked.do("audit", subject=name, limit=FEW)).data
    open_calls = (await asked.do("calls list", account=name, limit=PAGE)).data
    title = data["standing"].account.name
    return page(asked, "account", title, audit=audit, calls=open_calls, roles=ROLES, form=new_form(asked), **data)


async def act_on_account(asked: Asked) -> Reply:
    return await acted(asked, _ACTS, account)


async def _kind(asked: Asked) -> Led:
    await asked.do("accounts set", account=asked.names["account"], kind=asked.said("kind"))
    return back(asked, "saved")


def _pay(command: str, done: str) -> Act:
    async def pay(asked: Asked) -> Led:
        await book(
            asked,
            command,
            reference=asked.said("reference"),
            account=asked.names["account"],
            amount_usd=asked.said("amount_usd"),
            note=asked.said("note"),
        )
        return back(asked, done)

    return pay


async def _close(asked: Asked) -> Led:
    found = await asked.do("accounts show", account=asked.names["account"])
    asked.require_name(found.name)
    await asked.do("accounts delete", account=found.id)
    return back(asked, "closed")


async def _member(asked: Asked) -> Led:
    fields = {"account": asked.names["account"], "user": asked.said("user"), "role": asked.said("role", "member")}
    await asked.do("memberships add", **fields)
    return back(asked, "saved")


async def _leave(asked: Asked) -> Led:
    await asked.do("memberships remove", account=asked.names["account"], user=asked.said("user"))
    return back(asked, "removed")


_ACTS: Final[dict[str, Act]] = {
    "kind": _kind,
    "top-up": _pay("accounts top-up", "topped-up"),
    "refund": _pay("accounts refund", "refunded"),
    "withdraw": _pay("accounts withdraw", "withdrawn"),
    "close": _close,
    "member": _member,
    "leave": _leave,
}
