"""What is left of what callers paid, by provider. Receipts alone know who answered, so that they are read one by one: the
newest so many of the days asked for, and it is told whether those were all. Of a call that was recovered, and ended all the
same, the receipt that came late counts."""

from datetime import date
from typing import Final

import msgspec

from portico.core.ids import from_time
from portico.core.storage import Db
from portico.ledger.pay import REFUNDED
from portico.ledger.windows import DAY_US

MOST: Final = 20_000
_EPOCH: Final = date(1970, 1, 1)

_NEWEST: Final = (
    "SELECT COALESCE(n.body, r.body) FROM receipts r"
    " LEFT JOIN receipt_notes n ON n.request_id = r.request_id AND n.kind = 'adjust'"
    " WHERE r.request_id >= ? AND r.request_id < ? AND r.at_us >= ? AND r.at_us < ? ORDER BY r.request_id DESC LIMIT ?"
)


class Margin(msgspec.Struct, frozen=True):
    """Of one provider. `unknown`: calls whose cost nobody has said; it is not in the cost."""

    provider: str
    calls: int = 0
    charge_nanos: int = 0
    cost_nanos: int = 0
    unknown: int = 0


class Margins(msgspec.Struct, frozen=True):
    """`whole`: every receipt of the days was read; otherwise the oldest of them were not."""

    providers: list[Margin]
    whole: bool


class _Slim(msgspec.Struct, frozen=True):
    """What of a receipt is looked at."""

    provider: str = ""
    charge_nanos: int = 0
    cost_nanos: int = 0
    cost_unknown: bool = False


_DECODER: Final = msgspec.json.Decoder(_Slim)


def margins(db: Db, first: date, last: date, *, most: int = MOST) -> Margins:
    """Of the days from `first` to `last`."""
    begin_us, end_us = _times(first, last)
    found: dict[str, Margin] = {}
    # By their ids, which sort by time, those of other days are left out unread: a clock may be a day wrong.
    ids = [from_time("req_", max(0, at_us) // 1_000_000) for at_us in (begin_us - DAY_US, end_us + DAY_US)]
    rows = db.rows(_NEWEST, *ids, begin_us, end_us, most + 1)
    for (body,) in rows[:most]:
        told = _DECODER.decode(body)
        before = found.get(told.provider) or Margin(told.provider)
        found[told.provider] = Margin(
            told.provider,
            before.calls + 1,
            before.charge_nanos + told.charge_nanos,
            before.cost_nanos + told.cost_nanos,
            before.unknown + told.cost_unknown,
        )
    return Margins(sorted(found.values(), key=lambda one: (-one.charge_nanos, one.provider)), len(rows) <= most)


def given_back(db: Db, first: date, last: date, account_id: str = "") -> int:
    """The refunds of those days, in nano-dollars: of all accounts, or of one."""
    sql, of = f"{REFUNDED} AND at_us >= ? AND at_us < ?", _times(first, last)
    found = db.rows(f"{sql} AND account_id = ?", *of, account_id) if account_id else db.rows(sql, *of)
    return int(found[0][0])


def _times(first: date, last: date) -> tuple[int, int]:
    """When those days begin, and end."""
    return (first - _EPOCH).days * DAY_US, ((last - _EPOCH).days + 1) * DAY_US
