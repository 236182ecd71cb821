"""What an account has left, what it spent and what went wrong: the three lines of its first page. Plain SQL."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from portico.accounts.calls import CALLER_GONE
from portico.core.ids import from_time
from portico.core.storage import Db
from portico.ledger import windows

WEEK: Final = 7
TROUBLE_H: Final = 24
"""Whatever went wrong in so many hours is told."""
CAUSES: Final = 3
BY: Final[Mapping[str, str]] = {"model": "model", "key": "key_id"}
_DAY_US: Final = 86_400_000_000
_CHARGE: Final = "CAST(COALESCE(SUM(charge_nanos), 0) AS BIGINT)"
_ON: Final = "FROM usage_days WHERE account_id = ? AND day >= ? AND day <= ?"


class Span(msgspec.Struct, frozen=True):
    """What was spent in some days, and in as many before them."""

    first: date
    last: date
    nanos: int
    before_nanos: int


class Cause(msgspec.Struct, frozen=True):
    """What money was spent on."""

    model: str
    key_id: str
    key_name: str
    nanos: int
    calls: int


class Trouble(msgspec.Struct, frozen=True):
    """Calls that failed in the same way."""

    outcome: str
    model: str
    calls: int
    since_us: int
    charge_nanos: int


class Spent(msgspec.Struct, frozen=True):
    """`today`, the last seven days and the month so far."""

    today: Span
    week: Span
    month: Span
    causes: Sequence[Cause]
    """Of the seven days, the dearest first."""

    def days_left(self, spendable_nanos: int) -> int | None:
        """For how many days the money lasts at the rate of the last seven; None: nothing was spent in them."""
        return None if self.week.nanos <= 0 else max(0, spendable_nanos) * WEEK // self.week.nanos


class Bars(msgspec.Struct, frozen=True):
    """Money by day and series: what the chart and its table show."""

    days: Sequence[date]
    series: Sequence[tuple[str, str]]
    """(id, name) of each, the dearest first; ("", "") is all the rest."""
    nanos: Sequence[Sequence[int]]
    """Of each day, of each series."""
    calls: Sequence[int]
    """Of each day, those that were charged."""
    failed: Sequence[int]
    """And those that came to nothing."""

    @property
    def totals(self) -> Sequence[int]:
        return [sum(day) for day in self.nanos]


def spent(db: Db, account: str) -> Spent:
    """The day is compared with yesterday up to its end, the week with the one before, the month so far with as many days of
    the one before."""
    today = windows.day_of(db.now_us)
    month = today.replace(day=1)
    earlier = (month - timedelta(days=1)).replace(day=1)
    same_day = min(earlier + timedelta(days=today.day - 1), month - timedelta(days=1))
    week = today - timedelta(days=WEEK - 1)

    oldest = min(earlier, week - timedelta(days=WEEK))
    rows = db.rows(f"SELECT day, {_CHARGE} {_ON} GROUP BY day", account, oldest.isoformat(), today.isoformat())
    nanos_on = {date.fromisoformat(day): int(nanos) for day, nanos in rows}

    def total(first: date, last: date) -> int:
        return sum([nanos for day, nanos in nanos_on.items() if first <= day <= last])

    def span(first: date, before: date, until: date) -> Span:
        return Span(first, today, total(first, today), total(before, until))

    yesterday = today - timedelta(days=1)
    return Spent(
        today=span(today, yesterday, yesterday),
        week=span(week, week - timedelta(days=WEEK), week - timedelta(days=1)),
        month=span(month, earlier, same_day),
        causes=_causes(db, account, week, today),
    )


def _causes(db: Db, account: str, first: date, last: date) -> Sequence[Cause]:
    sql = (
        "SELECT u.model, u.key_id, COALESCE(k.name, ''), CAST(SUM(u.charge_nanos) AS BIGINT), CAST(SUM(u.calls) AS BIGINT)"
        " FROM usage_days u LEFT JOIN keys k ON k.id = u.key_id"
        " WHERE u.account_id = ? AND u.day >= ? AND u.day <= ? AND u.charge_nanos > 0"
        " GROUP BY u.model, u.key_id, k.name ORDER BY 4 DESC, u.model, u.key_id LIMIT ?"
    )
    return [Cause(*row) for row in db.rows(sql, account, first.isoformat(), last.isoformat(), CAUSES)]


def troubles(db: Db, account: str) -> Sequence[Trouble]:
    """What went wrong in the last `TROUBLE_H` hours, the most frequent first. That a caller hung up is no trouble."""
    since = db.now_us - TROUBLE_H * 3_600_000_000
    sql = (
        "SELECT outcome, model, COUNT(*), MIN(at_us), CAST(SUM(charge_nanos) AS BIGINT) FROM receipts"
        " WHERE account_id = ? AND outcome <> 'ok' AND request_id >= ? AND at_us >= ? AND outcome <> ?"
        " GROUP BY outcome, model ORDER BY 3 DESC, outcome, model"
    )
    begins = from_time("req_", max(0, since - _DAY_US) / 1_000_000)
    return [Trouble(*row) for row in db.rows(sql, account, begins, since, CALLER_GONE)]


def has_keys(db: Db, account: str) -> bool:
    """Whether there is a key that is not revoked."""
    return bool(db.rows("SELECT 1 FROM keys WHERE account_id = ? AND revoked_us IS NULL LIMIT 1", account))


def has_calls(db: Db, account: str) -> bool:
    """Whether it ever called, as far as usage is kept."""
    return bool(db.rows("SELECT 1 FROM usage_days WHERE account_id = ? LIMIT 1", account))


def bars(db: Db, account: str, first: date, last: date, *, by: str, most: int) -> Bars:
    """Each day's money by model or key: the `most` dearest, and the rest together."""
    column = BY[by]
    columns = f"day, {column}, {_CHARGE}, CAST(SUM(calls) AS BIGINT), CAST(SUM(released) AS BIGINT)"
    sql = f"SELECT {columns} {_ON} GROUP BY day, {column}"
    rows = db.rows(sql, account, first.isoformat(), last.isoformat())
    sums: dict[str, int] = {}
    for _, name, nanos, _, _ in rows:
        sums[name] = sums.get(name, 0) + int(nanos)
    dearest = sorted((name for name, nanos in sums.items() if nanos), key=lambda name: (-sums[name], name))
    shown = dearest[:most]
    names = _names(db, account) if by == "key" else {}
    series = [(name, names.get(name, name)) for name in shown]
    if len(dearest) > most:
        series.append(("", ""))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    nanos_of = [[0] * len(series) for _ in days]
    calls, failed = [0] * len(days), [0] * len(days)
    places = {name: place for place, name in enumerate(shown)}
    for day, name, nanos, count, bad in rows:
        at = (date.fromisoformat(day) - first).days
        if nanos:
            nanos_of[at][places.get(name, len(series) - 1)] += int(nanos)
        calls[at] += int(count)
        failed[at] += int(bad)
    return Bars(days, series, nanos_of, calls, failed)


def _names(db: Db, account: str) -> Mapping[str, str]:
    rows = db.rows("SELECT id, name, prefix FROM keys WHERE account_id = ?", account)
    return {key: name or f"{prefix}…" for key, name, prefix in rows}
