"""Holds: what a call may cost is reserved before it is answered, and so is its place under the limits of its key.

One hold is one conditional debit, `posted - held >= amount`, decided by the database. What is refused leaves nothing
behind.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from portico.core.storage import Db
from portico.ledger import windows

IDEMPOTENCY_US: Final = 24 * 3600 * 1_000_000
"""How long an answer is remembered under its idempotency key."""
BUSY_RETRY_S: Final = 1.0

_HOLD_IF_COVERED: Final = (
    "UPDATE accounts SET held_nanos = held_nanos + ?"
    " WHERE id = ? AND closed_us IS NULL AND posted_nanos - held_nanos >= ?"
)
_HOLD: Final = "UPDATE accounts SET held_nanos = held_nanos + ? WHERE id = ? AND closed_us IS NULL"
_LOCK: Final = "UPDATE accounts SET held_nanos = held_nanos WHERE id = ?"
_AVAILABLE: Final = "SELECT posted_nanos - held_nanos FROM accounts WHERE id = ?"
_UNHOLD: Final = "UPDATE accounts SET held_nanos = held_nanos - ? WHERE id = ?"
_BALANCE: Final = "SELECT posted_nanos, held_nanos, closed_us FROM accounts WHERE id = ?"
_ENTRY: Final = (
    "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, request_id, at_us) VALUES (?, ?, 0, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_OPEN: Final = (
    "INSERT INTO holds (request_id, account_id, key_id, worker_id, amount_nanos, tokens, minute, budgets, at_us)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_OPEN_CALLS: Final = "SELECT COUNT(*) FROM holds WHERE key_id = ?"
_MORE: Final = "UPDATE holds SET amount_nanos = amount_nanos + ? WHERE request_id = ? RETURNING key_id, budgets, at_us"
_HELD_BY: Final = "SELECT 1 FROM entries WHERE request_id = ? AND kind = 'hold'"

_CLAIM: Final = (
    "INSERT INTO idempotency (account_id, key, request_id, fingerprint, at_us) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_CLAIMED: Final = (
    "SELECT request_id, fingerprint, at_us, status, headers, body FROM idempotency WHERE account_id = ? AND key = ?"
)
_UNCLAIM: Final = "DELETE FROM idempotency WHERE account_id = ? AND key = ? AND request_id = ?"


class Limits(msgspec.Struct, frozen=True):
    """The limits of a key; None: there is none."""

    rpm: int | None = None
    tpm: int | None = None
    concurrent: int | None = None
    budget_day_nanos: int | None = None
    budget_month_nanos: int | None = None


UNLIMITED: Final = Limits()


class Use(msgspec.Struct, frozen=True):
    """How much of a limit is used, this call counted in."""

    kind: str
    limit: int
    used: int


class Held(msgspec.Struct, frozen=True):
    """The hold is there. `available_nanos` is what the account could still hold after it."""

    available_nanos: int
    uses: tuple[Use, ...] = ()
    at_us: int = 0
    """The time of the database it was made at, by which windows go."""


class Refused(msgspec.Struct, frozen=True):
    """There is no hold, and nothing was taken.

    `reason`: insufficient_funds | funds_held | no_account | rpm | tpm | concurrent | budget_day | budget_month |
    in_flight | fingerprint. `retry_after_s`: when it is worth coming back (0.0: never, as it is).
    """

    reason: str
    retry_after_s: float = 0.0
    limit: int | None = None
    used: int = 0
    """Of the limit that refused."""


class Replay(msgspec.Struct, frozen=True):
    """This was answered before, under the same idempotency key: how."""

    request_id: str
    status: int
    headers: str
    """JSON of [name, value] pairs."""
    body: bytes


Decision: TypeAlias = Held | Refused | Replay
_Undo: TypeAlias = list[Callable[[Db], Any]]


class Hold(msgspec.Struct, frozen=True):
    """A Write[Decision]: reserves `amount_nanos` for one request, and `tokens` of the key's minute if that is limited.

    An account that is not `prepaid` may hold more than it has.
    """

    request_id: str
    account_id: str
    key_id: str
    worker_id: str
    amount_nanos: int
    tokens: int = 0
    prepaid: bool = True
    limits: Limits = UNLIMITED
    refusable: bool = True
    """False: the call has been answered, so that its limits only count it."""
    idempotency_key: str = ""
    fingerprint: str = ""

    @property
    def keys(self) -> Sequence[str]:
        return (f"account:{self.account_id}", f"key:{self.key_id}")

    def apply(self, db: Db) -> Decision:
        if self.idempotency_key:
            # The account first, as without a key: who has it may be about to claim the same key, and would wait for us.
            db.run(_LOCK, self.account_id)
            if (answered := self._claim(db)) is not None:
                return answered
        undo: _Undo = []
        decision = self._held(db, undo)
        if isinstance(decision, Refused):
            for step in reversed(undo):
                step(db)
            if self.idempotency_key:
                db.run(_UNCLAIM, self.account_id, self.idempotency_key, self.request_id)
        return decision

    def _held(self, db: Db, undo: _Undo) -> Decision:
        amount, account = self.amount_nanos, self.account_id
        if not _debited(db, account, amount, prepaid=self.prepaid):
            return self._again(db) or _why_not(db, account, amount)
        available = int(db.rows(_AVAILABLE, account)[0][0])
        if not db.run(_ENTRY, account, "hold", amount, self.request_id, db.now_us):
            db.run(_UNHOLD, amount, account)  # it is held already: this was sent twice
            return Held(available + amount, at_us=db.now_us)
        undo.append(lambda db: db.run(_UNHOLD, amount, account))
        undo.append(lambda db: db.run("DELETE FROM entries WHERE request_id = ? AND kind = 'hold'", self.request_id))
        uses: list[Use] = []
        if self.limits != UNLIMITED and (refused := self._limited(db, undo, uses)) is not None:
            return refused
        limits = self.limits
        tokens, minute = (0, 0) if limits.tpm is None else (self.tokens, windows.window_of(windows.TOKENS, db.now_us))
        budgets = (limits.budget_day_nanos is not None) + 2 * (limits.budget_month_nanos is not None)
        db.run(
            _OPEN,
            self.request_id,
            account,
            self.key_id,
            self.worker_id,
            amount,
            tokens,
            minute,
            budgets,
            db.now_us,
        )
        return Held(available, tuple(uses), db.now_us)

    def _again(self, db: Db) -> Held | None:
        """The same hold sent twice, the first of which took the last there was."""
        if not db.rows(_HELD_BY, self.request_id):
            return None
        posted, held, _ = db.rows(_BALANCE, self.account_id)[0]
        return Held(posted - held, at_us=db.now_us)

    def _limited(self, db: Db, undo: _Undo, uses: list[Use]) -> Refused | None:
        limits, key = self.limits, self.key_id
        if limits.concurrent is not None:
            windows.lock(db, key)
            open_calls = int(db.rows(_OPEN_CALLS, key)[0][0])
            if open_calls >= limits.concurrent and self.refusable:
                return Refused("concurrent", BUSY_RETRY_S, limits.concurrent, open_calls)
            uses.append(Use("concurrent", limits.concurrent, open_calls + 1))
        for reason, kind, amount, cap in (
            ("rpm", windows.REQUESTS, 1, limits.rpm),
            ("tpm", windows.TOKENS, self.tokens, limits.tpm),
            ("budget_day", windows.BUDGET_DAY, self.amount_nanos, limits.budget_day_nanos),
            ("budget_month", windows.BUDGET_MONTH, self.amount_nanos, limits.budget_month_nanos),
        ):
            if cap is None:
                continue
            if not self.refusable:
                windows.count(db, self.account_id, key, kind, amount)
                continue
            fits, used = windows.debit(db, self.account_id, key, kind, amount, cap)
            if not fits:
                return Refused(reason, windows.seconds_left(kind, db.now_us), cap, used)
            uses.append(Use(reason, cap, used))
            window = windows.window_of(kind, db.now_us)
            undo.append(_give_back(key, kind, window, amount))
        return None

    def _claim(self, db: Db) -> Refused | Replay | None:
        """Takes the idempotency key for this request; None: it is ours."""
        account, key = self.account_id, self.idempotency_key
        if db.run(_CLAIM, account, key, self.request_id, self.fingerprint, db.now_us):
            return None
        request_id, fingerprint, at_us, status, headers, body = db.rows(_CLAIMED, account, key)[0]
        if request_id == self.request_id:
            return None
        if db.now_us - at_us > IDEMPOTENCY_US:
            db.run(_UNCLAIM, account, key, request_id)
            return self._claim(db)
        if fingerprint != self.fingerprint:
            return Refused("fingerprint")
        if status == 0:
            return Refused("in_flight", BUSY_RETRY_S)
        return Replay(request_id, status, headers or "[]", bytes(body or b""))


def _debited(db: Db, account: str, amount: int, *, prepaid: bool) -> bool:
    """Holds more of an account; whether it can bear that. (For SQLite RETURNING is dear.)"""
    done = db.run(_HOLD_IF_COVERED, amount, account, amount) if prepaid else db.run(_HOLD, amount, account)
    return done == 1


def _give_back(key: str, kind: str, window: int, amount: int) -> Callable[[Db], Any]:
    return lambda db: windows.correct(db, key, kind, window, -amount)


def _why_not(db: Db, account: str, amount: int) -> Refused:
    found = db.rows(_BALANCE, account)
    if not found or found[0][2] is not None:
        return Refused("no_account")
    posted = found[0][0]
    return Refused("insufficient_funds") if posted < amount else Refused("funds_held", BUSY_RETRY_S)


class Extend(msgspec.Struct, frozen=True):
    """A Write[bool]: holds more for a call that is being answered. False: the account cannot bear it, or it has ended."""

    request_id: str
    account_id: str
    key_id: str
    amount_nanos: int
    prepaid: bool = True

    @property
    def keys(self) -> Sequence[str]:
        return (f"account:{self.account_id}", f"key:{self.key_id}")

    def apply(self, db: Db) -> bool:
        amount, account = self.amount_nanos, self.account_id
        if not _debited(db, account, amount, prepaid=self.prepaid):
            return False
        found = db.rows(_MORE, amount, self.request_id)
        if not found:
            db.run(_UNHOLD, amount, account)
            return False
        db.run(_ENTRY, account, "extend", amount, self.request_id, db.now_us)
        key, budgets, at_us = found[0]
        for kind in kinds_of(budgets):
            windows.correct(db, key, kind, windows.window_of(kind, at_us), amount)
        return True


def kinds_of(budgets: int) -> list[str]:
    """The budgets that a row of `holds` counts in."""
    return [kind for kind, bit in windows.BUDGETS.items() if budgets & bit]
