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
from portico.ledger.hold import UNLIMITED, Held, Limits

MAX_STANDINGS: Final = 10_000
"""Keys of which it is remembered how they stand; beyond that all is forgotten, and read again with the next hold."""
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


class Standing(msgspec.Struct, frozen=True):
    """What a hold told of an account and a key, when it was committed."""

    available_nanos: int
    near_limit: bool
    at: float


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
        self._standings: dict[tuple[str, str], Standing] = {}
        self._uncommitted: dict[str, int] = {}
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

    def is_comfortable(self, caller: Caller, amount_nanos: int) -> bool:
        """Whether a provider may be called beside the commit of a hold of this amount."""
        if not caller.prepaid and self.limits_of(caller) is UNLIMITED:
            return True
        standing = self._standings.get((caller.tenant, caller.key_id))
        if standing is None or self.clock() - standing.at > self.settings.fresh_s or standing.near_limit:
            return False
        if not caller.prepaid:
            return True
        most = self.settings.comfort * (amount_nanos + self._uncommitted.get(caller.tenant, 0))
        return standing.available_nanos >= most

    def begun(self, account: str, amount_nanos: int) -> None:
        """A hold is on its way to the database."""
        self._uncommitted[account] = self._uncommitted.get(account, 0) + amount_nanos

    def decided(self, account: str, amount_nanos: int) -> None:
        """It is known what became of it."""
        left = self._uncommitted.pop(account, 0) - amount_nanos
        if left > 0:
            self._uncommitted[account] = left

    def note(self, caller: Caller, held: Held) -> None:
        """Remembers how an account stood after a hold."""
        if len(self._standings) >= MAX_STANDINGS:
            self._standings.clear()
        near = False
        for use in held.uses:
            near = near or use.used * 1000 >= use.limit * NEAR_PERMILLE
        self._standings[caller.tenant, caller.key_id] = Standing(held.available_nanos, near, self.clock())
        self._failed_at = float("-inf")  # it answers again

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
        if len(self._limits) >= MAX_STANDINGS:
            self._limits.clear()
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
