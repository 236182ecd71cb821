"""Holds: what a call may cost is reserved before it is answered, and so is its place under the limits of its key.

One hold is one conditional debit, `posted - held >= amount`, decided by rows that its transaction has locked
(`ledger.sums`). What is refused leaves nothing behind.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from portico.core.storage import Db
from portico.ledger import windows
from portico.ledger.sums import Counter, Standing, Sums, sums_of

IDEMPOTENCY_US: Final = 24 * 3600 * 1_000_000
"""How long an answer is remembered under its idempotency key."""
BUSY_RETRY_S: Final = 1.0

_EXTENDED: Final = (
    "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, request_id, at_us)"
    " VALUES (?, 'extend', 0, ?, ?, ?)"
)
_MORE: Final = "UPDATE holds SET amount_nanos = amount_nanos + ? WHERE request_id = ? RETURNING key_id, budgets, at_us"

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
        sums, carried = sums_of(db)
        standing = sums.standing(self.account_id)
        if self.idempotency_key and (answered := self._claim(db)) is not None:
            return answered
        decision = self._held(db, sums, standing)
        if self.idempotency_key and isinstance(decision, Refused):
            db.run(_UNCLAIM, self.account_id, self.idempotency_key, self.request_id)
        if not carried:
            sums.flush()
        return decision

    def _held(self, db: Db, sums: Sums, standing: Standing | None) -> Decision:
        amount, account, limits = self.amount_nanos, self.account_id, self.limits
        refused = self._uncovered(standing)
        if standing is None:
            return refused or Refused("no_account")
        uses: list[Use] = []
        takes: list[tuple[Counter, int]] = []
        if refused is None and limits is not UNLIMITED and limits != UNLIMITED:
            refused = self._limited(sums, uses, takes)
        rows, now_us = sums.rows, db.now_us
        if refused is not None:
            return Held(standing.available, at_us=now_us) if rows.is_held(self.request_id) else refused
        tokens, minute = (0, 0) if limits.tpm is None else (self.tokens, now_us // windows.MINUTE_US)
        budgets = (limits.budget_day_nanos is not None) + 2 * (limits.budget_month_nanos is not None)
        entry = (account, "hold", 0, amount, self.request_id, "", now_us)
        if not rows.hold(entry, self.key_id, self.worker_id, tokens, minute, budgets):
            return Held(standing.available, at_us=now_us)  # it is held already: this was sent twice
        sums.move(account, 0, amount)
        sums.count_open(self.key_id, 1)
        for counter, taken in takes:
            counter.move(taken)
        return Held(standing.available, tuple(uses), now_us)

    def _uncovered(self, standing: Standing | None) -> Refused | None:
        """Why the account cannot bear it; None: it can. One that is not prepaid bears anything."""
        amount = self.amount_nanos
        if standing is None or standing.closed:
            return Refused("no_account")
        if not self.prepaid or standing.available >= amount:
            return None
        if standing.posted < amount:
            return Refused("insufficient_funds")
        return Refused("funds_held", BUSY_RETRY_S)

    def _limited(self, sums: Sums, uses: list[Use], takes: list[tuple[Counter, int]]) -> Refused | None:
        """Which limit it does not fit under; None: it fits all. Then `uses` says how much of each is used with it, and
        `takes` what it takes of which window."""
        limits, key = self.limits, self.key_id
        if limits.concurrent is not None:
            open_calls = sums.open_calls(key)
            if open_calls >= limits.concurrent and self.refusable:
                return Refused("concurrent", BUSY_RETRY_S, limits.concurrent, open_calls)
            uses.append(Use("concurrent", limits.concurrent, open_calls + 1))
        for reason, kind, cap, amount in (
            ("rpm", windows.REQUESTS, limits.rpm, 1),
            ("tpm", windows.TOKENS, limits.tpm, self.tokens),
            ("budget_day", windows.BUDGET_DAY, limits.budget_day_nanos, self.amount_nanos),
            ("budget_month", windows.BUDGET_MONTH, limits.budget_month_nanos, self.amount_nanos),
        ):
            if cap is None:
                continue
            counter = sums.counter(self.account_id, key, kind)
            used = counter.used or 0
            if used + amount > cap and self.refusable:
                return Refused(reason, windows.seconds_left(kind, sums.now_us), cap, used)
            uses.append(Use(reason, cap, used + amount))
            takes.append((counter, amount))
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
        return Replay(request_id, status, headers, bytes(body))


class Admit(msgspec.Struct, frozen=True):
    """A Write[Refused | None]: whether a key may have something done that costs nothing. None: it may, and that is counted
    as a request of its minute, if it `counts`. `funded`: the account must have something."""

    account_id: str
    key_id: str
    rpm: int | None = None
    funded: bool = False
    counts: bool = True

    @property
    def keys(self) -> Sequence[str]:
        return (f"account:{self.account_id}", f"key:{self.key_id}")

    def apply(self, db: Db) -> Refused | None:
        sums, carried = sums_of(db)
        refused = self._decided(sums)
        if not carried:
            sums.flush()
        return refused

    def _decided(self, sums: Sums) -> Refused | None:
        standing = sums.standing(self.account_id)
        if standing is None or standing.closed:
            return Refused("no_account")
        if self.funded and standing.posted <= 0:
            return Refused("insufficient_funds")
        if self.rpm is None:
            return None
        counter = sums.counter(self.account_id, self.key_id, windows.REQUESTS)
        used = counter.used or 0
        if used >= self.rpm:
            return Refused("rpm", windows.seconds_left(windows.REQUESTS, sums.now_us), self.rpm, used)
        if self.counts:
            counter.move(1)
        return None


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
        sums, carried = sums_of(db)
        extended = self._extended(db, sums)
        if not carried:
            sums.flush()
        return extended

    def _extended(self, db: Db, sums: Sums) -> bool:
        amount, account = self.amount_nanos, self.account_id
        standing = sums.standing(account)
        if standing is None or standing.closed or (self.prepaid and standing.available < amount):
            return False
        sums.rows.show_holds()
        found = db.rows(_MORE, amount, self.request_id)
        if not found:
            return False
        sums.move(account, 0, amount)
        db.run(_EXTENDED, account, amount, self.request_id, db.now_us)
        key, budgets, at_us = found[0]
        for kind in kinds_of(budgets):
            sums.correct(key, kind, windows.window_of(kind, at_us), amount)
        return True


def kinds_of(budgets: int) -> list[str]:
    """The budgets that a row of `holds` counts in."""
    return [kind for kind, bit in windows.BUDGETS.items() if budgets & bit]
