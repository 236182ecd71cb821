"""The tab of one call: what is held for it before it is answered, and the one charge or release it ends with.

    hold -> (extend | checkpoint)* -> close

`close` posts exactly one `Settle` or `Release`, whatever happened, also when the task was cancelled and while the hold
itself is still on its way; it never raises. A call whose hold was refused has nothing to close.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from portico.accounts import Caller
from portico.accounts.ratelimit import RateState
from portico.catalog.books import Rates
from portico.core.errors import (
    BudgetSpent,
    FundsHeld,
    IdempotencyKeyReused,
    InsufficientFunds,
    LimitReached,
    ModelNotPriced,
    PorticoError,
    RequestInFlight,
    StorageUnavailable,
    UpstreamRejected,
)
from portico.core.storage import Pending, Write
from portico.core.target import Capabilities
from portico.ledger.hold import Decision, Extend, Held, Hold, Refused, Replay
from portico.ledger.settle import Checkpoint, Outcome
from portico.metering.ceiling import Ask, Ceiling, ceiling
from portico.relay.till import Till

log = logging.getLogger("portico.relay")

NEAR_END_PERMILLE = 750
"""From this much of the output that is held for on, more is held."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.25
LIMITED = {"rpm": "requests a minute", "tpm": "tokens a minute", "concurrent": "requests at a time"}
"""What a limit counts, by the ledger's name of it."""


class Replayed(PorticoError):
    """The call was answered before, under the same idempotency key: this is how."""

    status = 200

    def __init__(self, replay: Replay) -> None:
        super().__init__()
        self.replay = replay


class FundsRanOut(UpstreamRejected):
    """The account's balance does not cover the rest of this answer."""

    status = 402
    code = "insufficient_funds"


class Once(msgspec.Struct, frozen=True):
    """A call with an idempotency key. `outcome` says, once it is over, how it was answered."""

    key: str
    fingerprint: str
    outcome: Callable[[], Outcome]


class Offer(msgspec.Struct, frozen=True):
    """One whom a call may be made to: what it is charged by, and what the model can do there."""

    rates: Rates
    able: Capabilities


class Tab:
    """What one call holds. `stop` ends the call: it is called when a hold is refused after the provider was called."""

    def __init__(self, till: Till, caller: Caller, request_id: str, *, once: Once | None = None) -> None:
        self.caller = caller
        self.request_id = request_id
        self.amount = 0
        """Nano-dollars that are held, or asked to be."""
        self.durable_now = False
        """The hold is in the database, or need not be yet."""
        self.held: Held | None = None
        """What the database told of the hold."""
        self.refusal: PorticoError | None = None
        self.unfunded = False
        """The provider was called, and then the hold was refused."""
        self.ran_out = False
        """What is still to come of the answer is not paid for."""
        self.stop: Callable[[], None] = _nothing
        self._till = till
        self._once = once
        self._needs_hold = caller.prepaid or once is not None
        """It is not served without: it could not be paid, or be made twice."""
        self._ask = Ask(text_bytes=0)
        self._offers: Sequence[Offer] = ()
        self._times = 1
        self._tokens = 0
        self._output_tokens = 0
        self._begun = False
        self._pending = False
        """A hold is on its way."""
        self._beside = False
        self._trusted = False
        """It was served without waiting for its hold, for the database rested: it is too late to refuse it."""
        self._short = False
        """Only open holds stand in its way: it is asked for again in a moment."""
        self._extending = False
        self._closed = False
        self._last: Write[object] | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self.clock = till.clock
        self.checkpoint_at = 0.0
        """When, by the clock, what has been used so far is to be written again."""

    # -- before the provider is called

    async def hold(self, ask: Ask, candidates: Sequence[Offer], *, times: int = 1) -> None:
        """Returns when the provider may be called: a hold of the dearest candidate's ceiling is on its way or durable.
        `times`: how many such calls are made for this one, in lanes.

        Of a call that is made several times (another candidate, another lane) each time may ask for more than is held.
        Raises `InsufficientFunds`, `LimitReached` in its kinds, `ModelNotPriced`, `RequestInFlight`, `StorageUnavailable`.
        """
        most, _ = self.dearest(ask, candidates, times)
        if not self._begun:
            self._begun = True
            self._ask, self._times, self._offers, self._output_tokens = ask, times, candidates, most.output_tokens
            self._tokens = most.input_tokens + most.output_tokens
            await self._first(most.nanos)
            return
        if not self._beside:
            await self.durable()
        if self.refusal is not None:
            raise self.refusal
        if most.nanos > self.amount:
            await self._more(most.nanos)
        self._offers = [*self._offers, *candidates]  # by whose prices more is held as the answer goes on

    def dearest(self, ask: Ask, candidates: Sequence[Offer], times: int) -> tuple[Ceiling, Offer]:
        """What is to be held, and for whom of those whom the call may be made to. Raises `ModelNotPriced`."""
        if self.caller.prepaid:
            for one in candidates:
                if not one.rates.known:
                    raise ModelNotPriced
        return self._ceiling(ask, candidates, times)

    def _ceiling(self, ask: Ask, priced: Sequence[Offer], times: int) -> tuple[Ceiling, Offer]:
        tokens = self._till.settings.default_hold_tokens
        most: Ceiling | None = None
        for one in priced:
            found = ceiling(ask, one.rates, one.able, default_hold_tokens=tokens)
            if most is None or found.nanos > most.nanos:
                most, offer = found, one
        if most is None:
            raise ValueError("nobody is to be asked")
        if times > 1:
            most = Ceiling(most.nanos * times, most.input_tokens * times, most.output_tokens * times)
        return most, offer

    async def _first(self, amount: int) -> None:
        till = self._till
        if not till.admits() and self.caller.prepaid:
            self.refusal = StorageUnavailable()
            raise self.refusal
        self._beside = self._once is None and till.is_comfortable(self.caller, amount, self._tokens)
        self.amount = amount
        self._submit()
        if self._beside:
            return
        deadline, pause = till.clock() + till.settings.funds_wait_s, FIRST_PAUSE_S
        while True:
            while self._pending and not self.ready():
                await self._woken()
            if not isinstance(self.refusal, FundsHeld) or till.clock() + pause > deadline:
                break
            self.refusal, self._short = None, True  # other lanes wait on
            await asyncio.sleep(pause)
            pause = min(pause * (1.5 + till.rng.random()), LONGEST_PAUSE_S)
            self._short = False
            self._submit()
        await self.durable()

    def _hold(self, *, refusable: bool = True) -> Hold:
        once = self._once
        return Hold(
            request_id=self.request_id,
            account_id=self.caller.tenant,
            key_id=self.caller.key_id,
            worker_id=self._till.worker_id,
            amount_nanos=self.amount,
            tokens=self._tokens,
            prepaid=self.caller.prepaid,
            limits=self._till.limits_of(self.caller),
            refusable=refusable,
            idempotency_key="" if once is None else once.key,
            fingerprint="" if once is None else once.fingerprint,
        )

    def _submit(self) -> None:
        try:
            pending = self._till.committer.submit(self._hold(), hurry=not self._beside)
        except StorageUnavailable as error:
            if self._needs_hold or self._till.is_full():
                self.refusal = error
                raise
            self._without_storage(error)
            return
        self._pending = True
        self._till.begun(self.caller, self.amount, self._tokens)
        pending.add_done_callback(self._decided)

    def _decided(self, pending: Pending[Decision]) -> None:
        """What became of the hold is known."""
        self._pending = False
        self._till.decided(self.caller, self.amount, self._tokens)
        try:
            result = pending.result()
        except StorageUnavailable as error:
            self._without_storage(error)
        except Exception as error:  # noqa: BLE001 - told, and then refused
            # The database answers, and would refuse it again: nobody else need be served without.
            log.error("the hold of %s failed: %r", self.request_id, error)
            self._refused(PorticoError("The gateway had an internal error."))
        else:
            if isinstance(result, Held):
                self.durable_now, self.held = True, result
                self._till.note(self.caller, result)
            else:
                self._refused(Replayed(result) if isinstance(result, Replay) else error_of(result))
        self._wake()
        if self._closed and self._last is not None and self.refusal is None:
            self._till.committer.post(self._last)

    def _without_storage(self, error: PorticoError) -> None:
        """The database cannot be had. An open account is served all the same, but where it says that once is enough."""
        self._till.storage_failed()
        self._trusted = not self._needs_hold
        self._refused(error)

    def _refused(self, error: PorticoError) -> None:
        """There is no hold. Of who is served all the same it is written when it can be: before the charge, which is posted
        after it, and the limits only count it."""
        self._till.forget(self.caller)
        if self._trusted:
            self._till.committer.post(self._hold(refusable=False))
            self.durable_now = True
            return
        self.refusal = error
        if self._beside and not self._closed:
            self.unfunded = True
            self.stop()

    def ready(self) -> bool:
        """Whether an answer may be given: the hold is durable, or it is an open account's and the database rests. Where it
        once may, it may be given to its end. With an idempotency key it is heard first whether it was before."""
        if self.durable_now or self._trusted:
            return True
        served = self._begun and self.refusal is None and not self._needs_hold
        self._trusted = served and self._till.storage_rests
        return self._trusted

    async def durable(self) -> None:
        """Returns when an answer may be given. Raises what the hold was refused for."""
        while not self.durable_now:
            if self.refusal is not None:
                raise self.refusal
            if self.ready():
                return
            await self._woken()

    async def _woken(self) -> None:
        """Returns when something of this tab was decided: for whoever waits to look again."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    # -- while it is answered

    def answered(self, ask: Ask, *, times: int = 1) -> None:
        """This is what the attempt that answers asked, one of so many. Another may have had a limit, or been longer."""
        if (ask, times) != (self._ask, self._times):
            self._ask, self._times = ask, times
            self._output_tokens = self._ceiling(ask, self._offers, times)[0].output_tokens

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return self.clock() >= self.checkpoint_at

    def checkpoint(self, receipt: bytes, output_tokens: int) -> None:
        """Writes what has been used so far, for whoever has to settle this if the gateway dies; holds more if the output
        comes near to what is held for. Called at the first event and every `checkpoint_s` of a stream.
        `output_tokens`: as reported, or where that is done at the end alone, as delivered."""
        self.checkpoint_at = self.clock() + self._till.settings.checkpoint_s
        if not self._till.is_full():  # how long the database stays away nobody knows
            caller = self.caller
            self._till.committer.post(Checkpoint(self.request_id, caller.tenant, caller.key_id, receipt), hurry=False)
        if self._ask.max_output_tokens is None and not self._extending:
            self._extend_if_near(output_tokens)

    def _extend_if_near(self, output_tokens: int) -> None:
        if output_tokens * 1000 < self._output_tokens * NEAR_END_PERMILLE:
            return
        so_far = max(output_tokens, self._output_tokens)
        each = -(-so_far // (self._ask.candidates * self._times)) + self._till.settings.default_hold_tokens
        most, _ = self._ceiling(msgspec.structs.replace(self._ask, max_output_tokens=each), self._offers, self._times)
        if most.output_tokens <= self._output_tokens:
            return  # the model can give no more
        if most.nanos <= self.amount:
            self._output_tokens = most.output_tokens
            return
        pending = self._extension(most.nanos - self.amount)
        if pending is not None:
            output = most.output_tokens

            def extended(done: Pending[bool]) -> None:
                held = self._extended(done, most.nanos)
                if held:
                    self._output_tokens = output
                elif held is not None and self.caller.prepaid:
                    self.ran_out = True
                self._wake()

            pending.add_done_callback(extended)

    def _extension(self, more: int) -> Pending[bool] | None:
        caller = self.caller
        write = Extend(self.request_id, caller.tenant, caller.key_id, more, caller.prepaid)
        try:
            pending = self._till.committer.submit(write)
        except StorageUnavailable:
            return None  # asked again at the next checkpoint
        self._extending = True
        return pending

    def _extended(self, pending: Pending[bool], amount: int) -> bool | None:
        """Whether it was. None: that cannot be known now, which is no refusal: settlement books the charge in full.
        For an open account, whose hold another worker may have resolved, False is none either."""
        self._extending = False
        try:
            held = pending.result()
        except Exception as error:  # noqa: BLE001
            if not isinstance(error, StorageUnavailable):
                log.error("an extension of %s failed: %r", self.request_id, error)
            return None
        if held:
            self.amount = amount
        else:
            self._till.forget(self.caller)
        return held

    async def _more(self, amount: int) -> None:
        """Another candidate or lane costs so much, more than is held. An open account is served whatever becomes of it."""
        await self.durable()
        while self._extending:  # it may be for another lane that wants the same
            await self._woken()
        if amount <= self.amount:
            return
        pending, prepaid = self._extension(amount - self.amount), self.caller.prepaid
        if pending is None:
            if prepaid:
                raise StorageUnavailable
            return
        found: list[bool | None] = []

        def extended(done: Pending[bool]) -> None:
            found.append(self._extended(done, amount))
            self._wake()

        pending.add_done_callback(extended)
        while not found:  # what wakes this may be another lane's
            await self._woken()
        if prepaid and not found[0]:
            # Never a 402: whether only open holds stand in the way is told when the call is made again.
            raise StorageUnavailable if found[0] is None else FundsHeld(retry_after_s=1.0)

    # -- at its end

    def let_go(self) -> None:
        """The call is over: there is nothing to stop."""
        self.stop = _nothing

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def begun(self) -> bool:
        return self._begun

    def close(self, last: Write[object]) -> None:
        """The one settlement or release, after which nothing is written for this call any more."""
        if self._closed:
            return
        self._closed = True
        self._last = last
        if self._begun and not self._pending and not self._short and self.refusal is None:
            self._till.committer.post(last)

    def today(self) -> datetime:
        return datetime.fromtimestamp(self._till.now(), UTC)


def error_of(refused: Refused) -> PorticoError:
    """A refusal as the caller hears of it."""
    wait = refused.retry_after_s
    match refused.reason:
        case "insufficient_funds" | "no_account":
            return InsufficientFunds()
        case "funds_held":
            return FundsHeld(retry_after_s=wait)
        case "budget_day" | "budget_month":
            return BudgetSpent(retry_after_s=wait)
        case "in_flight":
            return RequestInFlight()
        case "fingerprint":
            return IdempotencyKeyReused(param="idempotency-key")
        case reason:
            left = RateState.reached(reason, refused.limit, refused.used, wait)
            message = f"This key is limited to {refused.limit} {LIMITED[reason]}." if reason in LIMITED else ""
            return LimitReached(message, retry_after_s=wait, headers=left.headers())


def _nothing() -> None: ...
