"""The money side of one call: whom it may cost what, what it has used, and what is charged for it at its end.

`relay/relay.py` says what happens, `relay/tab.py` holds and settles; this says what the one means for the other, row by row
of the disconnect contract (money.md). Only an answer that counts is charged: one with something in it, or that a limit or a
filter of the caller's ended. What failed before that is free, however many were tried.
"""

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Sequence
from functools import reduce
from typing import Any, Final

import msgspec

from portico.accounts import require_in_scope
from portico.accounts.ratelimit import RateState
from portico.catalog.books import Rates, tier_of
from portico.catalog.price import Tier
from portico.core.ask import Ask
from portico.core.errors import BodyNotJson, InvalidRequest, PorticoError, UpstreamError
from portico.core.loss import Loss
from portico.core.usage import Usage, plus
from portico.ledger.settle import Outcome
from portico.ledger.windows import day_of
from portico.metering.charge import NOTHING, Charge, charge, is_metered, without_fee
from portico.metering.estimate import BYTES_A_TOKEN, Delivered, Estimate, estimate
from portico.metering.receipt import DRAINED, ESTIMATED, PARTIAL
from portico.metering.several import Share, charged
from portico.providers import Verb
from portico.relay.billing import Bill, checkpoint_of, last_of, unbooked
from portico.relay.call import Aim, Attempt, Call
from portico.relay.fanout import Used, total_usage
from portico.relay.passthrough import PassingPump
from portico.relay.presence import EndedByOperator, Presence
from portico.relay.pump import Pump
from portico.relay.report import CALLER_GONE
from portico.relay.strict import refuse_losses
from portico.relay.tab import FundsRanOut, Offer, Once, Tab
from portico.relay.till import Till
from portico.wire.http import Headers

log = logging.getLogger("portico.relay")

COST_HEADER: Final = "x-portico-cost"
FREE: Final = Rates(sale=(), cost=(), free=True)
TIER_WORDS: Final = frozenset(
    {"auto", "default", "standard", "scale", "unspecified", "flex", "priority", "fast", "batch"}
)
"""Service tiers, in any dialect's words."""


class NobodyWaits(UpstreamError):
    """The caller has left, so nobody else is asked."""

    fails_over = False


class Paying:
    """Of one call, from before its first hold to its settlement."""

    def __init__(self, tab: Tab, till: Till, call: Call, once: Once | None) -> None:
        self.tab = tab
        self._once = once
        self.presence = Presence(till, self._reads_on)
        self._till = till
        self._caller = tab.caller
        self._call = call
        self._began_us = int(till.now() * 1_000_000)
        self._books = till.books()
        """As they are now: a call is charged by the prices in force when it began."""
        self._offered: tuple[Aim, Tier, Rates] | None = None
        """What it was last offered for."""
        self._sent = False
        self._asked: dict[int, tuple[Aim, Ask]] = {}
        """Who answers each lane, or was asked last for it, by its first number: by whose price it is charged."""
        self.tells_cost = call.request.include_cost or call.exchange.request.headers.get(COST_HEADER) == "1"
        if self.tells_cost:
            call.reply = msgspec.structs.replace(call.reply, cost=self.cost)
        tab.stop = self.presence.stop
        till.open[tab.request_id] = self.presence.end_by_operator

    async def through(self, answer: Awaitable[None]) -> None:
        """Answers the call, and settles it whatever happens. A hold that is refused while the provider is asked ends it."""
        self._call.exchange.on_gone(self.presence.left)
        try:
            await answer
        except asyncio.CancelledError as error:
            if self.presence.was_ended():
                ended = EndedByOperator()
                self.settle(ended)
                raise ended from None
            stopped = self.presence.was_stopped()
            self.settle(error)
            if stopped and (refusal := self.tab.refusal) is not None:
                raise refusal from None
            raise
        except BaseException as error:
            self.settle(error)
            raise
        else:
            self.settle(None)

    # -- before

    def ask(self, attempt: Attempt, body: bytes, content: Any) -> Ask:
        """What of a body decides its price. Raises `BodyNotJson` for one that nobody can read, if it has to be paid for."""
        try:
            return attempt.ask(body, content)
        except BodyNotJson:
            if self._caller.prepaid:
                raise
            return Ask(text_bytes=len(body))

    def without_unpriced(self, attempt: Attempt, body: bytes, ask: Ask) -> tuple[bytes, Ask]:
        """What a prepaid account may send. Agents bring some tools of a provider with every call, whoever pays: they do
        without those that are billed, nobody knows by how much, and are told. Raises `UnsupportedParameter` if the call is
        strict."""
        passing, call = attempt.dialect.passing, self._call
        if not self._caller.prepaid or passing is None or passing.without_tools is None:
            return body, ask
        tier = tier_of(ask.service_tier)
        rates = self._rates_of(attempt.aim, tier)
        self._offered = attempt.aim, tier, rates
        unpriced = without_fee(ask.tools, rates)
        if not unpriced or (less := passing.without_tools(body, unpriced)) is None:
            return body, ask
        where = call.request.where
        losses = [
            Loss("7.1:builtin", where.field(name), f"each use of {name} is billed, and no price of it is known")
            for name in unpriced
        ]
        if call.strict:
            refuse_losses(losses)
        attempt.losses += losses
        return less, passing.ask(less)

    async def sending(self, attempt: Attempt, ask: Ask, places: Iterable[Aim]) -> None:
        """Returns when this may be sent. `places`: where else the plan may send it.

        Raises as `Tab.hold` does, `NobodyWaits` if the caller left before, and `InvalidRequest` for what a prepaid account
        may not send since it has no known price, `ModelNotFound` for another model that its key may not ask for.
        """
        if self.presence.gone:
            raise NobodyWaits
        aim, call = attempt.aim, self._call
        if not call.generates:
            ask = msgspec.structs.replace(ask, max_output_tokens=0)
        attempt.size, tier = ask, tier_of(ask.service_tier)
        self._asked[attempt.lane.first] = aim, ask
        aims = [aim] if self._sent else [aim, *places]
        offers = [Offer(self._rates_of(one, tier), one.candidate.deployment.capabilities) for one in aims]
        self._offered = aim, tier, offers[0].rates
        if self._caller.prepaid:
            self._refuse_unknown(ask, offers[0].rates)
        for name in ask.models:
            require_in_scope(self._caller.policy.models, f"{aim.provider.name}/{name}", "", name, param=None)
        if attempt.passing is None:
            attempt.times = -(-call.whole.count // attempt.lane.count)
        await self.tab.hold(ask, offers, times=attempt.times)
        self._sent = True

    def answers(self, attempt: Attempt) -> None:
        """This attempt has an answer, whoever was asked beside it."""
        if (ask := attempt.size) is not None:
            self._asked[attempt.lane.first] = attempt.aim, ask
            self.tab.answered(ask, times=attempt.times)

    def _refuse_unknown(self, ask: Ask, rates: Rates) -> None:
        where = self._call.request.where
        if ask.unknown:
            name = ask.unknown[0]
            message = f"Unknown name {name!r}: a prepaid account cannot send what has no known price."
            raise InvalidRequest(message, param=f"$.{name}")
        if ask.service_tier is not None and ask.service_tier not in TIER_WORDS:
            raise InvalidRequest(f"Unknown service tier {ask.service_tier[:40]!r}.", param=where.field("service_tier"))
        if ask.tools and (tools := without_fee(ask.tools, rates)):
            message = f"Each use of {tools[0]!r} is billed: a prepaid account cannot use what has no known price."
            raise InvalidRequest(message, param=where.field("tools"))

    def _rates_of(self, aim: Aim, tier: Tier) -> Rates:
        if self._call.verb is Verb.COUNT_TOKENS:
            return FREE
        offered = self._offered
        if offered is not None and offered[0] is aim and offered[1] is tier:
            return offered[2]
        return self._books.rates(
            model=aim.model,
            provider=aim.provider.name,
            provider_kind=aim.provider.kind.name,
            upstream_model=aim.target.model,
            account=self._caller.tenant,
            on=day_of(self._began_us),
            tier=tier,
        )

    # -- while it is answered

    def _reads_on(self) -> bool:
        """Whether an answer is read to its end though its caller has left."""
        call = self._call
        if not self._sent:
            return False
        if call.verb is not Verb.STREAM:
            return True
        return call.counts and (self._caller.policy.on_disconnect or self._till.settings.on_disconnect) == "drain"

    def told(self, pump: Pump | PassingPump) -> None:
        """Something of a stream is about to be written. Raises `FundsRanOut` where no more of it is paid for."""
        tab = self.tab
        if tab.ran_out:
            raise FundsRanOut
        if tab.due:
            so_far = pump.counted()
            self._call.note_stream(pump.seen(), pump.prompts)
            receipt = checkpoint_of(self._bill(so_far, checkpoint=True))
            output_tokens = 0 if so_far is None else so_far.output_total
            tab.checkpoint(receipt, output_tokens + pump.unreported // BYTES_A_TOKEN)

    def headers(self) -> Headers:
        """What the limits of the key have left, with this call counted in. Told once: what told it is not kept on."""
        held, self.tab.held = self.tab.held, None
        return RateState.of(held.uses, held.at_us).headers() if held is not None and held.uses else ()

    def cost(self) -> int:
        """What the answer costs its caller, in nano-dollars, as far as it is known now."""
        call = self._call
        if (teller := call.teller) is not None:
            call.note_stream(teller.seen, teller.reported)
            call.note_shown()
            call.counts = call.counts or teller.prompts > 0
        return self._bill(call.charged_usage()).charge.nanos if call.counts else 0

    # -- at its end

    def part(self) -> None:
        """Lets go of the call and of whoever waits for it. Each knows the other, and what goes in circles stays in memory
        until it is searched for: with thousands of calls a second nothing else of the cache would be left."""
        self.tab.let_go()
        self._call.exchange.on_gone(None)
        self._call.reply = msgspec.structs.replace(self._call.reply, cost=None) if self.tells_cost else self._call.reply
        self.presence.part()

    def settle(self, error: BaseException | None) -> None:
        """Closes the tab, whatever happened. Never raises."""
        self.presence.end()
        self._till.open.pop(self.tab.request_id, None)
        call, tab = self._call, self.tab
        try:
            report = call.report
            report.unfunded = tab.unfunded
            if self.presence.gone:
                report.outcome = CALLER_GONE
            if not tab.begun or tab.refusal is not None:
                return
            if error is not None and self._is_no_answer(error):
                call.counts = False  # whatever lanes there are had of one
            partial = call.counts and (error is not None or bool(report.error))
            outcome = report.outcome
            if isinstance(error, PorticoError):
                outcome = error.code or "failed"
            elif error is not None:
                outcome = CALLER_GONE if isinstance(error, asyncio.CancelledError) else "failed"
            elif self.presence.ended:
                outcome = EndedByOperator.code
            bill = self._bill(call.charged_usage(), partial=partial)
            report.charge_nanos = bill.charge.nanos if call.counts else 0
            kept = None
            if self._once is not None:
                kept = self._once.outcome() if call.counts else Outcome(self._once.key)
            tab.close(last_of(bill, outcome, counts=call.counts, kept=kept))
        except Exception:
            log.exception("the settlement of %s failed", tab.request_id)
            tab.close(unbooked(tab, None if self._once is None else Outcome(self._once.key)))

    def _is_no_answer(self, error: BaseException) -> bool:
        """Whether a call that failed gave its caller nothing. Of a stream that was begun there is what had gone out; one of
        which all waited for its hold yet is told as an error of its own."""
        if self._call.verb is Verb.STREAM:
            return isinstance(error, PorticoError) and not self._call.exchange.started
        return not self._was_drained(error)

    def _was_drained(self, error: BaseException) -> bool:
        """Whether a whole answer, read for a caller who has left, was given up for its time."""
        return self.presence.drained and isinstance(error, asyncio.CancelledError)

    def _bill(self, usage: Usage | None, *, partial: bool = False, checkpoint: bool = False) -> Bill:
        call, tab = self._call, self.tab
        flags = [PARTIAL] if partial else []
        if call.guessed:
            flags.append(ESTIMATED)
        if self.presence.drained:
            flags.append(DRAINED)
        answering = self._answering()
        aim, ask, _ = answering[0]
        several = len(answering) > 1
        if several:
            usage, made, more = self._by_each(answering, checkpoint=checkpoint)
        else:
            usage, made, more = self._by_one(aim, ask, usage)
        flags += more
        return Bill(tab, call, aim, self._began_us, usage, made, several, tuple(dict.fromkeys(flags)) if flags else ())

    def _answering(self) -> list[tuple[Aim, Ask, list[Used]]]:
        """Who answers, the first lanes first, each with what lanes used that are charged alike; if nobody does yet, who was
        asked. Raises if nobody was."""
        asked = self._asked
        if len(asked) > 1 and self._call.used:
            alike: dict[tuple[object, ...], tuple[Aim, Ask, list[Used]]] = {}
            for first, used in sorted(self._call.used.items()):
                aim, ask = asked[first]
                tier = tier_of(ask.service_tier if used.service_tier is None else used.service_tier)
                price = aim.model.name, aim.provider.name, aim.target.model, tier
                alike.setdefault(price, (aim, ask, []))[2].append(used)
            return list(alike.values())
        return [(*asked[min(asked)], [])]

    def _by_each(
        self, answering: Sequence[tuple[Aim, Ask, Sequence[Used]]], *, checkpoint: bool
    ) -> tuple[Usage, Charge, list[str]]:
        """As `_by_one`, of lanes that are charged by different prices. At a checkpoint what was reported counts alone."""
        shares = []
        for aim, ask, lanes in answering:
            told = [one.usage for one in lanes if one.usage is not None]
            delivered = Delivered()
            if not checkpoint:
                delivered = Delivered(sum([one.shown for one in lanes]), pictures=sum([one.pictures for one in lanes]))
            shares.append(
                Share(
                    aim.model.name,
                    aim.target.model,
                    aim.provider.name,
                    self._rates_told(aim, ask, lanes[0].service_tier),
                    total_usage(told) or Usage(),
                    reduce(plus, [one.uses for one in lanes]),
                    len(told),
                    delivered,
                )
            )
        guess = charged(shares, hold_nanos=self.tab.amount)
        estimated = any(one.delivered != Delivered() for one in shares)
        return guess.usage, guess.charge, guess.flags if estimated else []

    def _rates_told(self, aim: Aim, ask: Ask, tier: str | None) -> Rates:
        """Those of the tier that the answer names, if it names one that has a price."""
        held_for = tier_of(ask.service_tier)
        rates = self._rates_of(aim, held_for if tier is None else tier_of(tier))
        return rates if rates.known else self._rates_of(aim, held_for)

    def _by_one(self, aim: Aim, ask: Ask, usage: Usage | None) -> tuple[Usage | None, Charge, list[str]]:
        """What the call costs at the price of the one who answers, and what the receipt says of it."""
        call = self._call
        rates, uses = self._rates_told(aim, ask, call.seen.service_tier), call.uses()
        if usage is not None or is_metered(uses, rates):
            made = charge(usage, uses, rates, prompts=call.prompts or 1)
            if usage is None or not (call.shown or call.pictures):
                return usage, made, []
            guess = self._with_estimate(usage, made, rates)
        elif call.verb is Verb.COUNT_TOKENS or not call.counts:
            return usage, NOTHING, []
        else:
            guess = self._estimate(ask, rates)
        return guess.usage, guess.charge, guess.flags

    def _with_estimate(self, usage: Usage, made: Charge, rates: Rates) -> Estimate:
        """Of lanes of which some reported nothing: what they delivered, beside what the others used."""
        call = self._call
        delivered = Delivered(call.shown, pictures=call.pictures)
        # What is reported is charged in full.
        most, prompts = max(made.nanos, self.tab.amount), call.prompts or 1
        return estimate(delivered, rates, hold_nanos=most, beside=usage, uses=call.uses(), prompts=prompts)

    def _estimate(self, ask: Ask, rates: Rates) -> Estimate:
        """By the published rule; of an embedding, which delivers no text, what was sent."""
        call, held = self._call, self.tab.amount
        if not call.generates:
            delivered = Delivered(embedded_characters=ask.embedded_characters)
        else:
            read = call.uses().get("characters", 0) if call.spoken_s else 0
            delivered = Delivered(
                call.shown, pictures=call.pictures, heard_s=call.heard_s, spoken_s=call.spoken_s, read_characters=read
            )
        return estimate(delivered, rates, hold_nanos=held)


def dollars(nanos: int) -> str:
    """Exactly, without an exponent."""
    whole, rest = divmod(nanos, 1_000_000_000)
    return f"{whole}.{rest:09}"
