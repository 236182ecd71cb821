"""What all calls of a worker share when they cost money: the committer, the price books, and what is known of balances.

The rule that is kept (money.md, A call): no byte of an answer leaves before its hold is durable. The provider is called
beside the commit only for a comfortable account, else after it. Memory only ever makes this stricter: whether an account
can pay is decided by the database. What one call does with it is `relay/tab.py`.
"""

from collections.abc import Callable
from random import Random
from typing import Final

import msgspec

from portico.accounts import Caller
from portico.accounts.policy import Policy
from portico.catalog.books import PriceBooks
from portico.core.storage import Committer
from portico.ledger.hold import UNLIMITED, Held, Limits, Use

MAX_KNOWN: Final = 10_000
"""Accounts, and keys, of which it is remembered how they stand; beyond that all is forgotten, and read again with the next
hold."""
NEAR_PERMILLE: Final = 800
"""From this much of a limit on, a call waits for its hold."""


class TillSettings(msgspec.Struct, frozen=True):
    """What an operator may set about money while a call runs. Times are seconds."""

    default_hold_tokens: int = 8192
    """Output that is held for where a request does not bound it; more is held as it comes."""
    comfort: int = 20
    """An account is comfortable that could pay for so many such calls."""
    fresh_s: float = 1.0
    """How old what is known of a balance may be."""
    funds_wait_s: float = 2.0
    """How long a call waits while only open holds stand in its way."""
    checkpoint_s: float = 5.0
    drain_s: float = 120.0
    """How long an answer is read whose caller has left."""
    drains: int = 64
    """How many such answers a worker reads at a time."""
    on_disconnect: str = "cancel"
    """What becomes of an answer whose caller has left, where the key does not say: `cancel` or `drain`."""
    storage_rest_s: float = 1.0
    """How long after a failure of the database an open account is served without waiting for it."""


class Balance(msgspec.Struct, frozen=True):
    """What an account could still hold, when a hold of it was committed."""

    available_nanos: int
    at: float


class Limited(msgspec.Struct, frozen=True):
    """How much of its limits a key had used, when a hold of it was committed."""

    uses: tuple[Use, ...]
    at: float


class Undecided(msgspec.Struct):
    """What the holds of a limited key take that are on their way to the database."""

    calls: int = 0
    tokens: int = 0
    nanos: int = 0


class Till:
    """A worker's. `clock` gives seconds that only go forward, `now` seconds since 1970; `admits` is false while the worker
    has no lease, and then nothing new is begun for a prepaid account; `is_full` is true while too much waits to be written,
    and then for nobody."""

    def __init__(
        self,
        committer: Committer,
        books: Callable[[], PriceBooks],
        *,
        worker_id: Callable[[], str],
        now: Callable[[], float],
        clock: Callable[[], float],
        rng: Random,
        admits: Callable[[], bool] = lambda: True,
        is_full: Callable[[], bool] = lambda: False,
        settings: TillSettings | None = None,
    ) -> None:
        self.committer = committer
        self.books = books
        self._worker_id = worker_id
        self.now = now
        self.clock = clock
        self.rng = rng
        self.admits = admits
        self.is_full = is_full
        self.settings = settings or TillSettings()
        self.draining = 0
        """Answers that are read to their end for nobody."""
        self.open: dict[str, Callable[[], None]] = {}
        """Calls that are served, by their request's id, each with what ends it."""
        self._balances: dict[str, Balance] = {}
        self._used: dict[str, Limited] = {}
        self._uncommitted: dict[str, int] = {}
        self._undecided: dict[str, Undecided] = {}
        self._failed_at = float("-inf")
        self._limits: dict[str, tuple[Policy, Limits]] = {}

    @property
    def worker_id(self) -> str:
        """Whose the holds are. A worker that lost its lease goes on under another id."""
        return self._worker_id()

    def end(self, request_id: str) -> bool:
        """Ends a call, if it is served here: whether it is."""
        end = self.open.get(request_id)
        if end is None:
            return False
        end()
        return True

    # -- what is known of balances

    def is_comfortable(self, caller: Caller, amount_nanos: int, tokens: int) -> bool:
        """Whether a provider may be called beside the commit of a hold of this amount, of a call of so many tokens."""
        if caller.prepaid:
            balance = self._balances.get(caller.tenant)
            if balance is None or self.clock() - balance.at > self.settings.fresh_s:
                return False
            most = self.settings.comfort * (amount_nanos + self._uncommitted.get(caller.tenant, 0))
            if balance.available_nanos < most:
                return False
        return self.limits_of(caller) is UNLIMITED or self._is_far_from_limits(caller.key_id, amount_nanos, tokens)

    def _is_far_from_limits(self, key_id: str, amount_nanos: int, tokens: int) -> bool:
        known = self._used.get(key_id)
        if known is None or self.clock() - known.at > self.settings.fresh_s:
            return False
        waiting = self._undecided.get(key_id)
        calls = 1
        if waiting is not None:
            calls, tokens, amount_nanos = 1 + waiting.calls, tokens + waiting.tokens, amount_nanos + waiting.nanos
        for use in known.uses:
            kind = use.kind
            more = calls if kind in ("rpm", "concurrent") else tokens if kind == "tpm" else amount_nanos
            if (use.used + more) * 1000 > use.limit * NEAR_PERMILLE:
                return False
        return True

    def begun(self, caller: Caller, amount_nanos: int, tokens: int) -> None:
        """A hold is on its way to the database."""
        if caller.prepaid:
            self._uncommitted[caller.tenant] = self._uncommitted.get(caller.tenant, 0) + amount_nanos
        if self.limits_of(caller) is not UNLIMITED:
            waiting = self._undecided.get(caller.key_id)
            if waiting is None:
                waiting = self._undecided[caller.key_id] = Undecided()
            waiting.calls += 1
            waiting.tokens += tokens
            waiting.nanos += amount_nanos

    def decided(self, caller: Caller, amount_nanos: int, tokens: int) -> None:
        """It is known what became of it."""
        if caller.prepaid:
            left = self._uncommitted.pop(caller.tenant, 0) - amount_nanos
            if left > 0:
                self._uncommitted[caller.tenant] = left
        waiting = self._undecided.get(caller.key_id)
        if waiting is not None:
            waiting.calls -= 1
            waiting.tokens -= tokens
            waiting.nanos -= amount_nanos
            if waiting.calls <= 0:
                del self._undecided[caller.key_id]

    def note(self, caller: Caller, held: Held) -> None:
        """Remembers how an account and its key stood after a hold."""
        now = self.clock()
        if caller.prepaid:
            if len(self._balances) >= MAX_KNOWN:
                self._balances.clear()
            self._balances[caller.tenant] = Balance(held.available_nanos, now)
        if held.uses:
            if len(self._used) >= MAX_KNOWN:
                self._used.clear()
            self._used[caller.key_id] = Limited(held.uses, now)
        self._failed_at = float("-inf")  # it answers again

    def forget(self, caller: Caller) -> None:
        """A hold was refused, so that others have used what was known to be left: the next call waits for its own."""
        self._balances.pop(caller.tenant, None)
        self._used.pop(caller.key_id, None)

    def storage_failed(self) -> None:
        self._failed_at = self.clock()

    @property
    def storage_rests(self) -> bool:
        """Whether the database failed a moment ago, so that nobody waits for it who need not."""
        return self.clock() - self._failed_at < self.settings.storage_rest_s

    def limits_of(self, caller: Caller) -> Limits:
        """The limits of a key as a hold keeps them; `UNLIMITED` itself where there are none."""
        policy = caller.policy
        kept = self._limits.get(caller.key_id)
        if kept is not None and kept[0] is policy:
            return kept[1]
        if len(self._limits) >= MAX_KNOWN:
            self._limits.clear()
        if kept is not None:
            self._used.pop(caller.key_id, None)  # it was of the limits that there were
        limits = Limits(
            rpm=policy.rpm,
            tpm=policy.tpm,
            concurrent=policy.concurrent,
            budget_day_nanos=policy.budget_day_nanos,
            budget_month_nanos=policy.budget_month_nanos,
        )
        limits = UNLIMITED if limits == UNLIMITED else limits
        self._limits[caller.key_id] = policy, limits
        return limits

    # -- answers that nobody waits for

    def begin_drain(self) -> bool:
        """Whether one more answer may be read for a caller who has left. Every True is given back by `end_drain`."""
        if self.draining >= self.settings.drains:
            return False
        self.draining += 1
        return True

    def end_drain(self) -> None:
        self.draining -= 1
