"""Limits in fixed windows of UTC, counted in the database: a minute's requests and tokens, a day's and a month's money.

Who counts in one has locked its row (`ledger.sums`), so that no two workers can both take the last of it.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from portico.core.storage import Db, Value, marks

MINUTE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000
REQUESTS: Final = "requests"
TOKENS: Final = "tokens"
BUDGET_DAY: Final = "budget_day"
BUDGET_MONTH: Final = "budget_month"
BUDGETS: Final = {BUDGET_DAY: 1, BUDGET_MONTH: 2}
"""Of each budget the bit in `holds.budgets` that says that the hold is counted in it."""

_SPENT: Final = (
    "SELECT CAST(COALESCE(SUM(charge_nanos), 0) AS BIGINT) FROM usage_days"
    " WHERE account_id = ? AND key_id = ? AND day >= ? AND day <= ?"
)
_SPENT_BY: Final = (
    "SELECT key_id, CAST(SUM(charge_nanos) AS BIGINT) FROM usage_days WHERE account_id = ? AND day >= ? AND day <= ?"
)
_TAKE_IN: Final = "UPDATE holds SET budgets = budgets | ? WHERE key_id = ? AND at_us >= ? RETURNING amount_nanos"
_HELD_BY: Final = "SELECT key_id, CAST(SUM(amount_nanos) AS BIGINT) FROM holds WHERE at_us >= ?"
_USED_BY: Final = 'SELECT subject, used FROM counters WHERE kind = ? AND "window" = ?'
_BEGIN_ANEW: Final = "DELETE FROM counters WHERE subject = ? AND kind IN ('budget_day', 'budget_month')"
_LOCK: Final = (
    "INSERT INTO counters (subject, kind, \"window\", used) VALUES (?, 'concurrent', 0, 0)"
    ' ON CONFLICT (subject, kind, "window") DO UPDATE SET used = counters.used'
)


def window_of(kind: str, at_us: int) -> int:
    """The number of the window a time is in: minutes, days or months since 1970."""
    if kind in (REQUESTS, TOKENS):
        return at_us // MINUTE_US
    day = day_of(at_us)
    return (day - _EPOCH).days if kind == BUDGET_DAY else (day.year - 1970) * 12 + day.month - 1


def seconds_left(kind: str, at_us: int) -> float:
    """How long the window a time is in still lasts."""
    if kind in (REQUESTS, TOKENS):
        end_us = (at_us // MINUTE_US + 1) * MINUTE_US
    elif kind == BUDGET_DAY:
        end_us = (at_us // DAY_US + 1) * DAY_US
    else:
        day = day_of(at_us)
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        end_us = (following - _EPOCH).days * DAY_US
    return (end_us - at_us) / 1_000_000


def already(db: Db, account_id: str, subject: str, kind: str) -> int:
    """What a window begins with: of money, what the key holds and has spent in it before it had a budget.

    The holds are counted in from now on. They are asked first: one that ends meanwhile is in what was spent.
    """
    if kind not in BUDGETS:
        return 0
    _, began_us = _began(kind, db.now_us)
    held = sum(int(row[0]) for row in db.rows(_TAKE_IN, BUDGETS[kind], subject, began_us))
    return held + _spent(db, account_id, subject, kind)


def so_far(db: Db, account_id: str, subjects: Collection[str], kind: str) -> Mapping[str, int]:
    """What each of these keys of an account holds and has spent of a budget in the window of now, for who only looks."""
    if not subjects:
        return {}
    window = window_of(kind, db.now_us)
    found = dict(_by_key(db, f"{_USED_BY} AND subject IN ({marks(subjects)})", kind, window, *subjects))
    others = [subject for subject in subjects if subject not in found]
    if others:
        first, began_us = _began(kind, db.now_us)
        among = f"AND key_id IN ({marks(others)}) GROUP BY key_id"
        days = (first.isoformat(), day_of(db.now_us).isoformat())
        held = dict(_by_key(db, f"{_HELD_BY} {among}", began_us, *others))
        spent = dict(_by_key(db, f"{_SPENT_BY} {among}", account_id, *days, *others))
        found |= {subject: held.get(subject, 0) + spent.get(subject, 0) for subject in others}
    return found


def _by_key(db: Db, sql: str, *values: Value) -> list[tuple[str, int]]:
    return [(key, int(nanos)) for key, nanos in db.rows(sql, *values)]


def _spent(db: Db, account_id: str, subject: str, kind: str) -> int:
    first, _ = _began(kind, db.now_us)
    return int(db.rows(_SPENT, account_id, subject, first.isoformat(), day_of(db.now_us).isoformat())[0][0])


def _began(kind: str, at_us: int) -> tuple[date, int]:
    """The first day of a budget's window, and when it began."""
    today = day_of(at_us)
    first = today if kind == BUDGET_DAY else today.replace(day=1)
    return first, (first - _EPOCH).days * DAY_US


def begin_budgets_anew(db: Db, subject: str) -> None:
    """A key's budgets are set, changed or taken away: the next debit counts anew what was held and spent, also while there
    was none."""
    db.run(_BEGIN_ANEW, subject)


def lock(db: Db, subject: str) -> None:
    """Lets nobody else count this key's open calls until this transaction ends."""
    db.run(_LOCK, subject)


def day_of(at_us: int) -> date:
    """The day of UTC a time is in."""
    return _day(at_us // DAY_US)


@lru_cache(maxsize=16)
def _day(number: int) -> date:
    return datetime.fromtimestamp(number * 86_400, UTC).date()


_EPOCH: Final = date(1970, 1, 1)
