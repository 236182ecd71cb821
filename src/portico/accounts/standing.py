"""How accounts stand: what is left, how fast it goes, and which of them need somebody to look."""

from statistics import median_low
from typing import Final

import msgspec

from portico.accounts.rows import Account
from portico.core.storage import Db
from portico.ledger.windows import DAY_US, day_of

DAYS: Final = 7
"""What was spent is told of so many days, today among them."""
SOON_DAYS: Final = 3
AWAY: Final = 10
"""So many times of its usual day is running away."""
DEBT, OUT, AWAY_WORD, SOON, FINE = "debt", "out", "away", "soon", ""
NEEDS: Final = (DEBT, OUT, AWAY_WORD, SOON, FINE)
"""In the order in which they are looked at."""

_ACCOUNTS: Final = (
    "SELECT id, name, kind, posted_nanos, held_nanos, created_us, closed_us FROM accounts"
    " WHERE closed_us IS NULL OR ? = 1 ORDER BY created_us, id"
)
_SPENT: Final = (
    "SELECT account_id, day, CAST(SUM(charge_nanos) AS BIGINT) FROM usage_days WHERE day >= ? GROUP BY account_id, day"
)
_SPENT_BY: Final = (
    "SELECT day, CAST(SUM(charge_nanos) AS BIGINT) FROM usage_days WHERE account_id = ? AND day >= ? GROUP BY day"
)
_KEYS_OF: Final = "SELECT COUNT(*) FROM keys WHERE account_id = ? AND revoked_us IS NULL"
_KEYS: Final = "SELECT account_id, COUNT(*) FROM keys WHERE revoked_us IS NULL GROUP BY account_id"


class Standing(msgspec.Struct, frozen=True):
    """How one account stands."""

    account: Account
    spent_nanos: int
    """In the last seven days."""
    today_nanos: int
    usual_nanos: int
    """What it spent on a middling one of the days before, of those on which it spent anything; 0: on none."""
    keys: int
    """That are not revoked."""

    @property
    def days_left(self) -> int | None:
        """For how many days the balance lasts if it is spent as in the last seven; None: it is not spent, or no limit."""
        account = self.account
        if account.kind != "prepaid" or account.closed_us is not None or self.spent_nanos <= 0:
            return None
        return max(0, account.available_nanos) * DAYS // self.spent_nanos

    @property
    def needs(self) -> str:
        """Why somebody should look: one of `NEEDS`."""
        account, left = self.account, self.days_left
        if account.closed_us is not None:
            return FINE
        if account.kind == "prepaid" and account.posted_nanos < 0:
            return DEBT
        if left is not None and account.available_nanos <= 0:
            return OUT
        if self.usual_nanos and self.today_nanos > AWAY * self.usual_nanos:
            return AWAY_WORD
        return SOON if left is not None and left < SOON_DAYS else FINE


def standings(db: Db, *, closed: bool = False) -> list[Standing]:
    """Of all accounts, those that need attention first; closed ones only if they are wanted."""
    found = [Account(*row) for row in db.rows(_ACCOUNTS, int(closed))]
    today, first = _days(db)
    spent: dict[str, dict[str, int]] = {}
    for account, day, nanos in db.rows(_SPENT, first):
        spent.setdefault(account, {})[day] = nanos
    keys: dict[str, int] = dict(db.rows(_KEYS))
    told = [_standing(one, spent.get(one.id, {}), today, keys.get(one.id, 0)) for one in found]
    return sorted(told, key=_urgency)


def standing_of(db: Db, account: Account) -> Standing:
    """Of one account."""
    today, first = _days(db)
    days: dict[str, int] = dict(db.rows(_SPENT_BY, account.id, first))
    return _standing(account, days, today, int(db.rows(_KEYS_OF, account.id)[0][0]))


def _days(db: Db) -> tuple[str, str]:
    return day_of(db.now_us).isoformat(), day_of(db.now_us - (DAYS - 1) * DAY_US).isoformat()


def _standing(account: Account, days: dict[str, int], today: str, keys: int) -> Standing:
    before = [nanos for day, nanos in days.items() if day != today and nanos > 0]
    usual = median_low(before) if before else 0
    return Standing(account, sum(days.values()), days.get(today, 0), usual, keys)


def _urgency(one: Standing) -> tuple[int, int, int, str]:
    left = one.days_left
    return NEEDS.index(one.needs), 10**9 if left is None else left, -one.spent_nanos, one.account.id


# -- what happened on one last -----------------------------------------------------------------------------------------


class Payment(msgspec.Struct, frozen=True):
    """What was paid in, given back or corrected."""

    at_us: int
    kind: str
    nanos: int
    note: str


def latest_payments(db: Db, account_id: str, limit: int) -> list[Payment]:
    sql = (
        "SELECT at_us, kind, posted_nanos, note FROM entries WHERE account_id = ?"
        " AND kind IN ('top_up', 'refund', 'adjust') ORDER BY id DESC LIMIT ?"
    )
    return [Payment(*row) for row in db.rows(sql, account_id, limit)]
