"""/console/top-up: what the account has, how to pay in, and every line of what was paid in, back and off."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from portico.accounts import people, statement
from portico.admin.people import actor_of
from portico.core.digits import whole
from portico.core.errors import InvalidRequest, LimitReached, NotFound
from portico.core.storage import Db
from portico.ledger import paid, payments
from portico.ledger.pay import RedeemedBefore
from portico.ledger.windows import day_of
from portico.web.inside.asked import Asked, Led, Reply, Shown
from portico.web.money import usd
from portico.web.payments.counter import Counter, counter_of

PATH: Final = "/console/top-up"
PAGE: Final = 50
CARDS: Final = 10
"""Payments by card that are shown."""
LASTS_DAYS: Final = 7
"""A balance that lasts for less is low."""
_DAY_US: Final = 86_400_000_000
_OWN_NOTE: Final = re.compile(
    r"(?P<how>code|card refund failed|card refund|card return|card dispute won|card dispute|card) (?P<what>\S+)"
)
SOURCES: Final[Mapping[str, str]] = {
    "code": "Redemption code",
    "card": "Card",
    "card refund": "Given back to the card",
    "card refund failed": "The refund failed",
    "card return": "Given back to the card",
    "card dispute": "Disputed at the bank",
    "card dispute won": "The dispute was won",
    "top_up": "Paid in by hand",
    "refund": "Charges given back",
    "adjust": "Correction",
    "call": "Correction of a call",
}
"""What a line came by, in English."""
STATES: Final[Mapping[str, str]] = {
    "waiting": "waiting for Stripe",
    "paid": "paid",
    "expired": "not paid",
    "refunded": "given back",
    "disputed": "disputed at the bank",
}


class Entry(msgspec.Struct, frozen=True):
    """A line as it is shown. `source` is a key of `SOURCES`; `what` names it there: a code, a payment, a call."""

    line: paid.Line
    source: str
    what: str
    note: str
    by: str


async def look(asked: Asked) -> Reply:
    """GET"""
    return await page(asked)


async def lead_back(asked: Asked) -> Reply:  # noqa: ARG001 - a room's signature
    """GET of what is only posted to, as after signing in again."""
    return Led(to=PATH)


async def page(asked: Asked, *, errors: Mapping[str, str] | None = None, status: int = 200, **more: Any) -> Shown:
    """The page, also with what is wrong with one of its forms."""
    below, above = _id(asked.first("before")), _id(asked.first("after"))
    seen = asked.first("paid")

    def read(db: Db) -> dict[str, Any]:
        lines = paid.lines(db, asked.account_id, below=below, above=above, limit=PAGE)
        members = {actor_of(one.email): one.email for one in people.members_of(db, asked.account_id)}
        since_us = db.now_us - 30 * _DAY_US
        cards = payments.payments(db, account_id=asked.account_id, state=None, below=None, limit=CARDS)
        return {
            "balance": statement.balance(db, asked.account_id),
            "lines": lines,
            "shown": _named(db, asked.account_id, [_shown(one, members) for one in lines.lines]),
            "cards": [one for one in cards if one.created_us >= since_us or one.state != "waiting"],
            "just_paid": payments.payment_of(db, asked.account_id, seen) if seen else None,
            "lasts": _lasts(db, asked.account_id),
            "now_us": db.now_us,
        }

    counter: Counter = counter_of(asked)
    data = await asked.backstage.reading.read(read)
    data |= {
        "counter": counter,
        "card": counter.card,
        "sources": SOURCES,
        "states": STATES,
        "day_us": _DAY_US,
        "low": data["lasts"] is not None and data["lasts"] < LASTS_DAYS,
        "percent": percent,
        "width": max((_decimals(one.line.posted_nanos) for one in data["shown"]), default=2),
        "said": {},
        "wrong_code_at": None,
        **more,
    }
    return Shown(template="payments/top_up", title="Top up", data=data, status=status, errors=errors or {})


async def redeem(asked: Asked) -> Reply:
    """POST of a code. What was no code counts as a guess."""
    code = asked.said("code")
    if not code:
        return await page(asked, errors={"code": "Enter the code."}, status=422)
    account_id, reading = asked.account_id, asked.backstage.reading
    try:
        await reading.work(lambda db: paid.guess(db, account_id))
        await asked.do("codes redeem", account=account_id, code=code[:200])
    except LimitReached as error:
        return await page(asked, errors={"code": error.message}, status=429, said={"code": code})
    except RedeemedBefore as error:
        await reading.work(lambda db: paid.guessed(db, account_id))
        return await page(asked, errors={"code": ""}, status=422, said={"code": code}, wrong_code_at=error.at_us)
    except InvalidRequest as error:
        return await page(asked, errors={"code": error.message}, status=422, said={"code": code})
    await reading.work(lambda db: paid.guessed(db, account_id))
    return Led(to=PATH, done="redeemed")


def _shown(line: paid.Line, members: Mapping[str, str]) -> Entry:
    """Whose note is ours names what it came by. Who is not of the account is the operator, whoever that is."""
    by = members.get(line.actor, "operator" if line.actor else "")
    found = _OWN_NOTE.fullmatch(line.note)
    if line.request_id is not None and line.kind == "refund":
        return Entry(line, "refund", line.request_id, line.note.removeprefix(line.request_id).removeprefix(": "), by)
    if line.request_id is not None:
        return Entry(line, "call", line.request_id, "", "Portico")
    if found is not None and line.kind in ("top_up", "adjust"):
        by = "Stripe" if found["how"].startswith("card") else by
        return Entry(line, found["how"], found["what"], "", by)
    return Entry(line, line.kind, "", line.note, by)


def _named(db: Db, account_id: str, shown: list[Entry]) -> list[Entry]:
    """The same, with who paid by card."""
    payers = payments.payers(db, account_id, [one.what for one in shown if one.source == "card"])
    return [
        msgspec.structs.replace(one, by=payers.get(one.what, one.by)) if one.source == "card" else one for one in shown
    ]


def _lasts(db: Db, account_id: str) -> int | None:
    """For how many whole days what may be spent lasts, as in the last seven; None: nobody can say."""
    stands = statement.balance(db, account_id)
    if stands.kind != "prepaid":
        return None
    if stands.available_nanos <= 0:
        return 0
    today = day_of(db.now_us)
    week = statement.UsageQuery(("day",), today - timedelta(days=6), today, 1)
    spent = statement.usage(db, account_id, week).total[statement.SUMS.index("charge_nanos")]
    return None if spent <= 0 else stands.available_nanos * 7 // spent


def percent(thousandths: int) -> str:
    """2900 -> "2.9"."""
    whole, rest = divmod(thousandths, 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def _decimals(nanos: int) -> int:
    return len(usd(nanos).partition(".")[2])


def _id(text: str) -> int | None:
    """A place in the list. Raises `NotFound`."""
    if not text:
        return None
    number = whole(text)
    if number is None:
        raise NotFound("There is no such page.")
    return number
