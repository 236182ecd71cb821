"""The end of a hold: settled with a charge or released without one, in one entry, once.

Settlement never fails: a charge above the hold is booked in full, and the balance may go below zero. Who comes second (a
write sent twice; a worker whose hold was recovered while it was away) changes nothing, or books the difference once.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from portico.core.storage import Db, Row
from portico.ledger import windows
from portico.ledger.hold import kinds_of
from portico.ledger.sums import Sums, sums_of
from portico.metering.receipt import RECOVERED, decode

_ENTRY: Final = (
    "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, request_id, note, at_us) VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_RESOLUTION: Final = (
    "SELECT kind, posted_nanos, note FROM entries WHERE request_id = ? AND kind IN ('settle', 'release')"
)
_RECOVERED_AS: Final = "SELECT key_id, at_us, model, cost_nanos, body FROM receipts WHERE request_id = ?"
_NAME: Final = "UPDATE receipts SET model = ? WHERE request_id = ?"
_NOTE: Final = "INSERT INTO receipt_notes (request_id, kind, body, at_us) VALUES (?, ?, ?, ?)"
_REMEMBER: Final = (
    "UPDATE idempotency SET status = ?, headers = ?, body = ? WHERE account_id = ? AND key = ? AND request_id = ?"
)
_FORGET: Final = "DELETE FROM idempotency WHERE account_id = ? AND key = ? AND request_id = ?"

_RELEASED: Final = (0, 0, 0, 0, 0, 0, 0, 1)
"""What a day's usage counts of a call that came to nothing."""
_RELEASED_LESS: Final = (0, 0, 0, 0, 0, 0, 0, -1)


class Outcome(msgspec.Struct, frozen=True):
    """How an idempotent call was answered. `status` 0: not in a way that is worth keeping, and it may be tried again."""

    key: str
    status: int = 0
    headers: str = "[]"
    body: bytes = b""


class _Last(msgspec.Struct, frozen=True, kw_only=True):
    """What both ends of a hold say."""

    request_id: str
    account_id: str
    key_id: str
    charge_nanos: int = 0
    cost_nanos: int = 0
    receipt: bytes
    """JSON of a `metering.Receipt`."""
    model: str = ""
    outcome: str = ""
    at_us: int = 0
    """When the call began; 0: now."""
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    idempotency: Outcome | None = None
    note: str = ""
    """Of the entry."""

    @property
    def keys(self) -> Sequence[str]:
        return (f"account:{self.account_id}", f"key:{self.key_id}")

    def _end(self, db: Db, kind: str) -> None:
        sums, carried = sums_of(db)
        sums.standing(self.account_id)  # locked before anything that belongs to it
        rows, account = sums.rows, self.account_id
        if not rows.is_foreseen(account):
            ends = [one for one in db.batch if isinstance(one, _Last) and one.account_id == account]
            rows.foresee(account, [one.request_id for one in ends])
        held = rows.take(self.request_id)
        if held is not None:  # whoever takes it away resolves it
            self._resolve(db, sums, kind, held)
        else:
            rows.flush()  # what is looked for may be among it
            self._late(db, sums, kind)
        self._remember(db)
        if not carried:
            sums.flush()

    def _resolve(self, db: Db, sums: Sums, kind: str, held: Row) -> None:
        amount, tokens, minute, budgets, held_at_us, key = held
        charge = self.charge_nanos
        sums.move(self.account_id, -charge, -amount)
        sums.count_open(key, -1)
        sums.rows.end((self.account_id, kind, -charge, -amount, self.request_id, self.note, db.now_us))
        self._keep_receipt(sums)
        self._count(sums, kind)
        if minute:
            used = self.input_tokens + self.output_tokens
            sums.correct(key, windows.TOKENS, minute, used - tokens)
        for counted in kinds_of(budgets):
            sums.correct(key, counted, windows.window_of(counted, held_at_us), charge - amount)

    def _late(self, db: Db, sums: Sums, kind: str) -> None:
        """The hold is not open: this was said before, somebody else resolved it, or there never was one."""
        found = db.rows(_RESOLUTION, self.request_id)
        if not found:
            sums.move(self.account_id, -self.charge_nanos, 0)
            db.run(_ENTRY, self.account_id, "hold", 0, 0, self.request_id, "late", db.now_us)
            db.run(_ENTRY, self.account_id, kind, -self.charge_nanos, 0, self.request_id, self.note, db.now_us)
            self._keep_receipt(sums)
            self._count(sums, kind)
            self._count_in_budgets(sums)
            return
        resolved, posted, note = found[0]
        if note != RECOVERED or self.note == RECOVERED:
            return
        difference = self.charge_nanos + posted
        if db.run(_ENTRY, self.account_id, "adjust", -difference, 0, self.request_id, "after recovery", db.now_us):
            sums.move(self.account_id, -difference, 0)
            db.run(_NOTE, self.request_id, "adjust", self.receipt.decode(), db.now_us)
            self._correct(db, sums, kind, resolved, posted, difference)

    def _count_in_budgets(self, sums: Sums) -> None:
        """What no hold had counted. A budget that is set later finds it in the day's usage."""
        for kind in windows.BUDGETS:
            sums.correct(self.key_id, kind, windows.window_of(kind, self.at_us or sums.now_us), self.charge_nanos)

    def _correct(self, db: Db, sums: Sums, kind: str, resolved: str, posted: int, difference: int) -> None:
        """Usage and budgets become what they would be if nobody else had resolved it, on the day that the receipt is of."""
        for key, at_us, model, cost, body in db.rows(_RECOVERED_AS, self.request_id):
            of = (self.account_id, windows.day_of(at_us).isoformat(), model, key)
            if resolved == "settle":
                less = [-tokens for tokens in _tokens(body)]
                sums.count_usage(of, (-1, *less, posted, -cost, 0))
            else:
                sums.count_usage(of, _RELEASED_LESS)
            sums.count_usage((*of[:2], self.model, key), self._counts(kind))
            if self.model != model:  # lists go by it as the usage does; the receipt itself says what was known then
                db.run(_NAME, self.model, self.request_id)
            for budget in windows.BUDGETS:  # where there is none, nothing is counted
                sums.correct(key, budget, windows.window_of(budget, at_us), difference)

    def _keep_receipt(self, sums: Sums) -> None:
        of = (self.request_id, self.account_id, self.key_id, self.at_us or sums.now_us)
        body = self.receipt.decode()
        sums.rows.receipt((*of, self.model, self.outcome, self.charge_nanos, self.cost_nanos, body))

    def _count(self, sums: Sums, kind: str) -> None:
        day = windows.day_of(self.at_us or sums.now_us).isoformat()
        sums.count_usage((self.account_id, day, self.model, self.key_id), self._counts(kind))

    def _counts(self, kind: str) -> Sequence[int]:
        """What a day's usage counts of it."""
        if kind == "release":
            return _RELEASED
        return (
            1,
            self.input_tokens,
            self.cached_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.charge_nanos,
            self.cost_nanos,
            0,
        )

    def _remember(self, db: Db) -> None:
        kept = self.idempotency
        if kept is None:
            return
        if kept.status:
            db.run(_REMEMBER, kept.status, kept.headers, kept.body, self.account_id, kept.key, self.request_id)
        else:
            db.run(_FORGET, self.account_id, kept.key, self.request_id)


def _tokens(body: str) -> tuple[int, int, int, int]:
    """What a recovery counted by a receipt. Of one that cannot be read: nothing, for a settlement never fails."""
    try:
        told = decode(body)
    except ValueError:
        return 0, 0, 0, 0
    return told.input_tokens, told.cached_tokens, told.output_tokens, told.reasoning_tokens


class Settle(_Last, frozen=True, kw_only=True):
    """A Write[None]: takes the charge from `posted` and the hold from `held`, with the receipt and the day's usage."""

    def apply(self, db: Db) -> None:
        self._end(db, "settle")


class Release(_Last, frozen=True, kw_only=True):
    """A Write[None]: gives the hold back; nothing is charged, and the receipt says why."""

    def apply(self, db: Db) -> None:
        self._end(db, "release")


class Checkpoint(msgspec.Struct, frozen=True):
    """A Write[None]: what a recovery books if the worker dies: JSON of the receipt so far."""

    request_id: str
    account_id: str
    key_id: str
    body: bytes

    @property
    def keys(self) -> Sequence[str]:
        return (f"account:{self.account_id}", f"key:{self.key_id}")

    def apply(self, db: Db) -> None:
        sums, _ = sums_of(db)
        sums.standing(self.account_id)  # locked before anything that belongs to it
        sums.rows.show_hold(self.request_id)
        db.run("UPDATE holds SET checkpoint = ? WHERE request_id = ?", self.body.decode(), self.request_id)
