"""Whether what is kept beside the entries agrees with them: payments by card, the usage of days, the text of receipts.

Entries are kept for good; usage and receipts go when they are old. What may have been swept is compared with nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any, Final

import msgspec

from portico.catalog.books import NO_MARKUP
from portico.core.storage import Db, Row
from portico.ledger.differences import SHOWN, Difference
from portico.ledger.payments import CREDITED, Told, due
from portico.ledger.windows import DAY_US, day_of
from portico.metering.charge import FEMTOS
from portico.metering.receipt import CAPPED, RECOVERED

PAGE: Final = 500
_EPOCH: Final = date(1970, 1, 1)
_EVER: Final = -(2**62)

# -- payments by card --------------------------------------------------------------------------------------------------

_NOTES: Final = ("card refund failed ", "card refund ", "card return ", "card dispute won ", "card dispute ")
"""How an entry begins that gives back or takes what was paid (`payments`), and goes on with the payment's id."""
_PAYMENT_OF: Final = "CASE" + "".join(
    f" WHEN substr(note, 1, {len(note)}) = '{note}' THEN substr(note, {len(note) + 1})" for note in _NOTES
)
_STATES: Final = ", ".join(f"'{state}'" for state in CREDITED)
_PAYMENTS: Final = (
    "SELECT account_id, payment, CAST(SUM(said) AS BIGINT), CAST(SUM(booked) AS BIGINT),"  # noqa: S608 - our own text
    " CAST(SUM(back_said) AS BIGINT), CAST(SUM(back) AS BIGINT) FROM"
    f" (SELECT account_id, id AS payment, CASE WHEN state IN ({_STATES}) THEN amount_nanos ELSE 0 END AS said, 0 AS booked,"
    " -returned_nanos AS back_said, 0 AS back, 1 AS known FROM payments"
    " UNION ALL SELECT account_id, substr(note, 6), 0, posted_nanos, 0, 0, 0 FROM entries"
    " WHERE kind = 'top_up' AND substr(note, 1, 5) = 'card '"
    f" UNION ALL SELECT account_id, {_PAYMENT_OF} END, 0, 0, 0, posted_nanos, 0 FROM entries"
    " WHERE kind = 'adjust' AND request_id IS NULL AND substr(note, 1, 5) = 'card ') AS lines"
    " GROUP BY account_id, payment HAVING SUM(known) > 0 AND (SUM(said) <> SUM(booked) OR SUM(back_said) <> SUM(back))"
    " ORDER BY account_id, payment LIMIT ?"
)
_EVENTS: Final = (
    "SELECT p.id, p.account_id, p.amount_nanos, p.state, p.returned_nanos, e.id, e.kind, e.reference, e.subject,"
    " e.amount_nanos, e.posted_nanos FROM (SELECT * FROM payments WHERE id > ? ORDER BY id LIMIT ?) p"
    " LEFT JOIN payment_events e ON e.payment_id = p.id AND e.fits = 1 ORDER BY p.id"
)


def payments(db: Db) -> Iterator[Difference]:
    """What was credited and given back is what each payment says, and that is what follows from what was told of it."""
    for account, payment, said, booked, back_said, back in db.rows(_PAYMENTS, SHOWN):
        if said != booked:
            yield Difference("payment", account, None, booked, said, f"credit of {payment}")
        if back_said != back:
            yield Difference("payment", account, None, back, back_said, f"return of {payment}")
    after = ""
    while rows := db.rows(_EVENTS, after, PAGE):
        for of, events in groupby(rows, key=lambda row: row[:5]):
            yield from _told_otherwise(of, [row[5:] for row in events if row[5] is not None])
        after = rows[-1][0]


def _told_otherwise(payment: Row, events: list[Row]) -> Iterator[Difference]:
    name, account, amount, state, returned = payment
    told = [
        Told(id=event, kind=kind, payment_id=name, reference=reference, subject=subject, amount_nanos=nanos)
        for event, kind, reference, subject, nanos, _ in events
    ]
    found = due(amount, told)
    if found.state != state:
        yield Difference("payment's events", account, None, None, None, f"{state} instead of {found.state}: {name}")
    if found.returned_nanos != returned:
        yield Difference("payment's events", account, None, returned, found.returned_nanos, f"return of {name}")
    moved = found.credited_nanos - found.returned_nanos
    if (posted := sum(event[-1] for event in events)) != moved:
        yield Difference("payment's events", account, None, posted, moved, f"what was moved by {name}")


# -- the usage of days -------------------------------------------------------------------------------------------------

_COUNTS: Final = ("calls", "released", "charge_nanos", "cost_nanos")
_SIDES: Final = ", ".join(
    f"CAST(SUM(CASE WHEN side = {side} THEN {count} ELSE 0 END) AS BIGINT)" for count in _COUNTS for side in (1, -1)
)
# Of a day its number since 1970, by the months that there are: a table of days would be read once for each row.
_OF_MONTH: Final = "CASE substr(day, 9)" + "".join(f" WHEN '{n + 1:02}' THEN {n}" for n in range(31)) + " END"
_USED: Final = (
    f"SELECT account_id, CASE substr(day, 1, 7) {{}} END + {_OF_MONTH} AS n, model, key_id, 1 AS side, calls, released,"  # noqa: S608
    " charge_nanos, cost_nanos, 0 AS late FROM usage_days WHERE day >= ?"
)
_CALLED: Final = (
    f"SELECT r.account_id, r.at_us / {DAY_US}, r.model, r.key_id, -1, CASE e.kind WHEN 'settle' THEN 1 ELSE 0 END,"  # noqa: S608
    " CASE e.kind WHEN 'settle' THEN 0 ELSE 1 END, -e.posted_nanos - COALESCE(a.posted_nanos, 0),"
    " CASE e.kind WHEN 'settle' THEN r.cost_nanos ELSE 0 END, CASE WHEN a.id IS NULL THEN 0 ELSE 1 END FROM receipts r"
    " JOIN entries e ON e.request_id = r.request_id AND e.kind IN ('settle', 'release')"
    " LEFT JOIN entries a ON a.request_id = r.request_id AND a.kind = 'adjust' AND a.request_id IS NOT NULL"
    " WHERE r.at_us >= ?"
)
_USAGE: Final = (
    f"SELECT account_id, n, model, key_id, MAX(late), {_SIDES}"  # noqa: S608
    f" FROM ({_USED} UNION ALL {_CALLED}) AS told GROUP BY account_id, n, model, key_id"
    " HAVING SUM(side * (calls + released)) <> 0 OR SUM(side * charge_nanos) <> 0"
    # What a word that came after a recovery did to the rest is in its text alone.
    " OR (MAX(late) = 0 AND (SUM(side * calls) <> 0 OR SUM(side * cost_nanos) <> 0))"
    " ORDER BY account_id, n, model, key_id LIMIT ?"
)
_NO_RECEIPT: Final = (
    "SELECT e.request_id, e.account_id FROM entries e WHERE e.kind IN ('settle', 'release') AND e.at_us >= ?"
    " AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.request_id = e.request_id) ORDER BY e.request_id LIMIT ?"
)
_FIRST_RECEIPT: Final = (
    "SELECT at_us, (SELECT MIN(request_id) FROM entries WHERE kind IN ('settle', 'release')) = request_id FROM receipts"
    " ORDER BY request_id LIMIT 1"
)


def usage(db: Db) -> Iterator[Difference]:
    """What each day counts is what the calls of that day were charged, and every call has its receipt."""
    receipts_us = _receipts_since(db)
    if receipts_us is None:
        return
    for request, account in db.rows(_NO_RECEIPT, receipts_us, SHOWN):
        yield Difference("no receipt", account, request, None, None)
    days: list[tuple[str, int]] = []
    for day, account in db.rows("SELECT day, MIN(account_id) FROM usage_days GROUP BY day ORDER BY day"):
        if (number := _number(day)) is None:
            yield Difference("usage", account, None, None, None, f"a day that is none: {day!r}")
        else:
            days.append((day, number))
    if not days:
        return
    first = days[0][1]
    if first < db.now_us // DAY_US - 1:
        first += 1  # the oldest go first, so that of what there is only the oldest may be in pieces
    since = max(receipts_us // DAY_US, first)
    days = [one for one in days if one[1] >= since]
    if not days:
        return
    months = {day[:7]: number - int(day[8:]) + 1 for day, number in days}
    whens = " ".join(f"WHEN '{month}' THEN {first}" for month, first in months.items())
    for row in db.rows(_USAGE.format(whens), days[0][0], since * DAY_US, SHOWN):
        if row[1] is not None:
            yield from _used_otherwise(row)


def _used_otherwise(row: Row) -> Iterator[Difference]:
    account, n, model, key, late, *sides = row
    of = f"{day_of(n * DAY_US)}, {model or 'no model'}, {key}"
    counts = dict(zip(_COUNTS, zip(sides[::2], sides[1::2], strict=True), strict=True))
    if late:
        calls, released = counts.pop("calls"), counts.pop("released")
        counts = {
            "calls and released": (calls[0] + released[0], calls[1] + released[1]),
            "charge_nanos": counts["charge_nanos"],
        }
    for count, (booked, expected) in counts.items():
        if booked != expected:
            yield Difference("usage", account, None, booked, expected, f"{count} of {of}")


def _receipts_since(db: Db) -> int | None:
    """From when on every call has its receipt, as far as retention goes; None: there are none. If the first call has its
    own, none was swept. Else the day of the oldest is left out, and one more: a clock may be a day wrong."""
    for oldest_us, is_first in db.rows(_FIRST_RECEIPT):
        return _EVER if is_first else (oldest_us // DAY_US + 2) * DAY_US
    return None


def _number(day: str) -> int | None:
    """Of days since 1970; None for what is no day."""
    try:
        return (date.fromisoformat(day) - _EPOCH).days if len(day) == 10 else None
    except ValueError:
        return None


# -- the text of receipts ----------------------------------------------------------------------------------------------

_RECEIPTS: Final = (
    "SELECT r.request_id, r.account_id, r.key_id, r.at_us, r.model, r.outcome, r.charge_nanos, r.cost_nanos, r.body, n.body"
    " FROM receipts r LEFT JOIN receipt_notes n ON n.request_id = r.request_id AND n.kind = 'adjust'"
    " WHERE r.request_id > ? ORDER BY r.request_id LIMIT ?"
)


class _Line(msgspec.Struct, frozen=True):
    amount_femtos: int
    cost_femtos: int
    markup_permille: int = 0


class _Body(msgspec.Struct, frozen=True):
    """What of a receipt stands beside it too, or adds up."""

    request_id: str
    account: str
    key_id: str = ""
    at_us: int = 0
    model: str = ""
    outcome: str = ""
    charge_nanos: int = 0
    cost_nanos: int = 0
    lines: tuple[_Line, ...] = ()
    markup_permille: int = NO_MARKUP
    flags: tuple[str, ...] = ()


_DECODER: Final = msgspec.json.Decoder(_Body)


def receipts(db: Db) -> Iterator[Difference]:
    """The text of each receipt says what its row does, and its lines come to its charge and to its cost."""
    after = ""
    while rows := db.rows(_RECEIPTS, after, PAGE):
        for row in rows:
            yield from _said_otherwise(row)
        after = rows[-1][0]


def _said_otherwise(row: Row) -> Iterator[Difference]:
    request, account, key, at_us, model, outcome, charge, cost, text, late_text = row
    body, late = _read(text), None if late_text is None else _read(late_text)
    if body is None or (late is None) is not (late_text is None):
        yield Difference("receipt's body", account, request, None, None, "text")
        return
    stands: Mapping[str, Any] = {
        "request_id": request,
        "account": account,
        "key_id": key,
        # The hold of a call that was recovered has a time of its own.
        "at_us": at_us if body.at_us and RECOVERED not in body.flags else body.at_us,
        # Lists go by the model that a late word names.
        "model": model if late is None else body.model,
        "outcome": outcome,
    }
    for name, value in stands.items():
        if getattr(body, name) != value:
            yield Difference("receipt's body", account, request, None, None, name)
    if late is not None and late.model != model:
        yield Difference("receipt's body", account, request, None, None, "model")
    sold, spent = _sums(body)
    for name, told, booked, comes_to in (
        ("charge_nanos", body.charge_nanos, charge, min(sold, body.charge_nanos) if CAPPED in body.flags else sold),
        ("cost_nanos", body.cost_nanos, cost, spent),
    ):
        if told != booked:
            yield Difference("receipt's body", account, request, told, booked, name)
        elif told != comes_to:
            yield Difference("receipt's body", account, request, told, comes_to, f"lines of {name}")


def _sums(body: _Body) -> tuple[int, int]:
    """What the lines come to: charge and cost, each rounded once."""
    sold = sum([line.amount_femtos * (line.markup_permille or body.markup_permille) for line in body.lines])
    return -(-sold // (FEMTOS * NO_MARKUP)), -(-sum([line.cost_femtos for line in body.lines]) // FEMTOS)


def _read(text: str) -> _Body | None:
    try:
        return _DECODER.decode(text)
    except ValueError:
        return None
