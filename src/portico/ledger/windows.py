"""Limits in fixed windows of UTC, counted in the database: a minute's requests and tokens, a day's and a month's money.

Who counts in one has locked its row (`ledger.sums`), so that no two workers can both take the last of it.
"""

from datetime import UTC, date, datetime
from typing import Final

from portico.core.storage import Db

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
_TAKE_IN: Final = "UPDATE holds SET budgets = budgets | ? WHERE key_id = ? AND at_us >= ? RETURNING amount_nanos"
_HELD: Final = "SELECT CAST(COALESCE(SUM(amount_nanos), 0) AS BIGINT) FROM holds WHERE key_id = ? AND at_us >= ?"
_USED: Final = 'SELECT used FROM counters WHERE subject = ? AND kind = ? AND "window" = ?'
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


def so_far(db: Db, account_id: str, subject: str, kind: str) -> int:
    """What a key holds and has spent of a budget in the window of now, for who only looks."""
    counted = db.rows(_USED, subject, kind, window_of(kind, db.now_us))
    if counted:
        return int(counted[0][0])
    _, began_us = _began(kind, db.now_us)
    held = int(db.rows(_HELD, subject, began_us)[0][0])
    return held + _spent(db, account_id, subject, kind)


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
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).date()


_EPOCH: Final = date(1970, 1, 1)
