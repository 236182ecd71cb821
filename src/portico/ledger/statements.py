"""What callers are told of their money: the balance, a receipt with what was added to it, usage by day, model or key."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from portico.core.errors import InvalidRequest, NotFound
from portico.core.storage import Db, Value
from portico.ledger.pay import Balance

GROUPS: Final = {"day": "day", "model": "model", "key": "key_id"}
MAX_ROWS: Final = 10_000

_SUMS: Final = (
    "calls",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "charge_nanos",
    "cost_nanos",
)


class UsageRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was used and charged, by whatever it was grouped by."""

    day: str = ""
    model: str = ""
    key: str = ""
    calls: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    charge_nanos: int


def balance(db: Db, account_id: str) -> Balance:
    """How an account stands. Raises `NotFound`."""
    found = db.rows("SELECT posted_nanos, held_nanos FROM accounts WHERE id = ?", account_id)
    if not found:
        raise NotFound("There is no such account.")
    return Balance(*found[0])


def receipt(db: Db, account_id: str, request_id: str) -> dict[str, Any]:
    """A receipt of this account's, with later corrections under `notes`. Raises `NotFound`, also for another account's."""
    found = db.rows("SELECT body FROM receipts WHERE request_id = ? AND account_id = ?", request_id, account_id)
    if not found:
        raise NotFound("There is no such receipt. It is written when its answer has ended.")
    told: dict[str, Any] = msgspec.json.decode(found[0][0])
    notes = db.rows("SELECT kind, body, at_us FROM receipt_notes WHERE request_id = ? ORDER BY id", request_id)
    if notes:
        told["notes"] = [{"kind": kind, "at_us": at_us, **_body(body)} for kind, body, at_us in notes]
    return told


def _body(text: str) -> dict[str, Any]:
    return {"receipt": msgspec.json.decode(text)} if text else {}


def usage(
    db: Db, account_id: str, *, by: Sequence[str], first: str, last: str, key_id: str | None = None
) -> list[UsageRow]:
    """What an account used from one day to another (`YYYY-MM-DD`, both counted), grouped by some of day, model and key.

    Raises `InvalidRequest` for an unknown grouping, and for a report of too many rows.
    """
    if not by or any(group not in GROUPS for group in by) or len(set(by)) < len(by):
        raise InvalidRequest(f"by: some of {', '.join(GROUPS)}, with commas.", param="by")
    columns = ", ".join(GROUPS[group] for group in by)
    sums = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in _SUMS[:-1])
    own = "" if key_id is None else " AND key_id = ?"
    values: list[Value] = [account_id, first, last, *([] if key_id is None else [key_id])]
    rows = db.rows(
        f"SELECT {columns}, {sums} FROM usage_days WHERE account_id = ? AND day >= ? AND day <= ?{own}"  # noqa: S608
        f" GROUP BY {columns} ORDER BY {columns} LIMIT {MAX_ROWS + 1}",
        *values,
    )
    if len(rows) > MAX_ROWS:
        raise InvalidRequest("That is too much for one report; ask for fewer days.", param="from")
    names = [*by, *_SUMS[:-1]]
    return [UsageRow(**dict(zip(names, row, strict=True))) for row in rows]
