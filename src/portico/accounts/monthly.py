"""A month of an account, as a bank would tell it: what there was, what was paid, what calls cost, what was left. Plain SQL.

A call belongs to the month it began in (UTC), as in everything that is counted by days. The balance is counted back from
the one of now: less what was paid since, more what calls since have cost. So it takes no entry from before the month.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from portico.accounts.statement import balance
from portico.core.errors import NotFound
from portico.core.storage import Db
from portico.ledger.windows import day_of

_PAID: Final = (
    " FROM entries WHERE account_id = ? AND kind IN ('top_up', 'refund', 'adjust')"
    " AND (kind <> 'adjust' OR request_id IS NULL)"
)
_SPENT: Final = (
    "SELECT CAST(COALESCE(SUM(charge_nanos), 0) AS BIGINT) FROM usage_days WHERE account_id = ? AND day >= ?"
)
_MODELS: Final = (
    "SELECT model, CAST(SUM(calls) AS BIGINT), CAST(SUM(released) AS BIGINT), CAST(SUM(input_tokens) AS BIGINT),"
    " CAST(SUM(cached_tokens) AS BIGINT), CAST(SUM(output_tokens) AS BIGINT), CAST(SUM(reasoning_tokens) AS BIGINT),"
    " CAST(SUM(charge_nanos) AS BIGINT) FROM usage_days WHERE account_id = ? AND day >= ? AND day < ?"
    " GROUP BY model ORDER BY 8 DESC, model"
)


class Payment(msgspec.Struct, frozen=True):
    """What was paid in (above zero), or back."""

    at_us: int
    kind: str
    nanos: int
    note: str


class OfModel(msgspec.Struct, frozen=True):
    model: str
    calls: int
    released: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    charge_nanos: int


class Month(msgspec.Struct, frozen=True):
    """The month of an account. `is_open`: it has not ended, and the last balance is the one of now. `is_first`: there is a
    statement of none before it."""

    first: date
    following: date
    account_name: str
    kind: str
    is_open: bool
    is_first: bool
    opening_nanos: int
    closing_nanos: int
    payments: Sequence[Payment]
    models: Sequence[OfModel]

    @property
    def charged_nanos(self) -> int:
        return sum(one.charge_nanos for one in self.models)


def month(db: Db, account: str, first: date, *, usage_days: int) -> Month:
    """The month that begins on that day. Raises `NotFound` for one that is to come, that was over before the account was
    made, or of which usage is kept no more (so many days of it are)."""
    today = day_of(db.now_us)
    following = (first + timedelta(days=32)).replace(day=1)
    made = db.rows("SELECT created_us FROM accounts WHERE id = ?", account)
    kept = today - timedelta(days=usage_days)
    if not made or first > today or first < kept or following <= day_of(made[0][0]):
        raise NotFound("There is no statement of that month.")
    now = balance(db, account)

    def stood(day: date) -> int:
        paid = db.rows(
            f"SELECT CAST(COALESCE(SUM(posted_nanos), 0) AS BIGINT){_PAID} AND at_us >= ?", account, _us(day)
        )
        spent = db.rows(_SPENT, account, day.isoformat())
        return now.posted_nanos - int(paid[0][0]) + int(spent[0][0])

    columns = "SELECT at_us, kind, posted_nanos, note"
    payments = db.rows(
        f"{columns}{_PAID} AND at_us >= ? AND at_us < ? ORDER BY id", account, _us(first), _us(following)
    )
    models = db.rows(_MODELS, account, first.isoformat(), following.isoformat())
    return Month(
        first=first,
        following=following,
        account_name=now.name,
        kind=now.kind,
        is_open=following > today,
        is_first=(first - timedelta(days=1)).replace(day=1) < kept or first <= day_of(made[0][0]),
        opening_nanos=stood(first),
        closing_nanos=stood(following),
        payments=[Payment(*row) for row in payments],
        models=[OfModel(*row) for row in models],
    )


def _us(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000
