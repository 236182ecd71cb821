"""What an account's keys have used: of their budgets, and day by day. Plain SQL on a question's connection."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from portico.accounts.rows import Key
from portico.core.storage import Db, marks
from portico.ledger import windows

DAYS: Final = 30
"""So many days are told of one by one, today among them."""
_LAST: Final = "SELECT key_id, MAX(day) FROM usage_days WHERE account_id = ? AND key_id IN ({marks}) GROUP BY key_id"
_DAYS: Final = (
    "SELECT key_id, day, CAST(SUM(calls) AS BIGINT), CAST(SUM(charge_nanos) AS BIGINT) FROM usage_days"
    " WHERE account_id = ? AND day >= ? AND key_id IN ({marks}) GROUP BY key_id, day"
)


class Budget(msgspec.Struct, frozen=True):
    """A budget, and what open calls hold of it and closed ones have spent."""

    cap_nanos: int
    used_nanos: int
    resets_in_s: float

    @property
    def left_nanos(self) -> int:
        """Never below zero: the last call may have cost more than was held for it."""
        return max(0, self.cap_nanos - self.used_nanos)

    @property
    def percent(self) -> int:
        """How much of it is used, for a bar: 1 at least if it is anything, 100 at most."""
        share = min(self.used_nanos, self.cap_nanos) * 100 // self.cap_nanos
        return max(share, int(self.used_nanos > 0))

    @property
    def is_low(self) -> bool:
        return self.used_nanos * 10 >= self.cap_nanos * 9


class KeyUse(msgspec.Struct, frozen=True):
    """What is known of a key's use."""

    last_day: date | None = None
    """The last day (UTC) that it called on; None: it never did, or so long ago that it is forgotten."""
    calls: int = 0
    """In the last `DAYS` days."""
    charge_nanos: int = 0
    days: tuple[int, ...] = (0,) * DAYS
    """What was charged on each of them, nano-dollars, the oldest first."""
    day: Budget | None = None
    """None: it has no such budget."""
    month: Budget | None = None


def budget_of(db: Db, key: Key, kind: str) -> Budget | None:
    """A key's budget of that kind; None: it has none."""
    return _budgets(db, key.account_id, [key], kind).get(key.id)


def _budgets(db: Db, account_id: str, keys: Sequence[Key], kind: str) -> Mapping[str, Budget]:
    """The budgets of that kind among these keys', by id: asked for together."""
    caps = {key.id: cap for key in keys if (cap := _cap(key, kind)) is not None}
    resets_in_s = windows.seconds_left(kind, db.now_us)
    return {
        key: Budget(caps[key], used, resets_in_s) for key, used in windows.so_far(db, account_id, caps, kind).items()
    }


def _cap(key: Key, kind: str) -> int | None:
    return key.policy.budget_day_nanos if kind == windows.BUDGET_DAY else key.policy.budget_month_nanos


def uses_of(db: Db, account_id: str, keys: Sequence[Key]) -> Mapping[str, KeyUse]:
    """What each of these keys of an account has used, by id."""
    today = windows.day_of(db.now_us)
    first = today - timedelta(days=DAYS - 1)
    ids = [key.id for key in keys]
    within = marks(ids)
    last = {key: date.fromisoformat(day) for key, day in db.rows(_LAST.format(marks=within), account_id, *ids)}
    charged: dict[str, list[int]] = {}
    calls: dict[str, int] = {}
    for key_id, day, count, nanos in db.rows(_DAYS.format(marks=within), account_id, first.isoformat(), *ids):
        at = (date.fromisoformat(day) - first).days
        if at < DAYS:
            charged.setdefault(key_id, [0] * DAYS)[at] += int(nanos)
            calls[key_id] = calls.get(key_id, 0) + int(count)
    of_day, of_month = [_budgets(db, account_id, keys, kind) for kind in (windows.BUDGET_DAY, windows.BUDGET_MONTH)]
    return {
        key.id: KeyUse(
            last_day=last.get(key.id),
            calls=calls.get(key.id, 0),
            charge_nanos=sum(charged.get(key.id, ())),
            days=tuple(charged.get(key.id, [0] * DAYS)),
            day=of_day.get(key.id),
            month=of_month.get(key.id),
        )
        for key in keys
    }
