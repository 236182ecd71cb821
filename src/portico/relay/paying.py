"""The money side of one call: whom it may cost what, what it has used, and what is charged for it at its end.

`relay/relay.py` says what happens, `relay/tab.py` holds and settles; this says what the one means for the other, row by row
of the disconnect contract (money.md). Only an answer that counts is charged: one with something in it, or that a limit or a
filter of the caller's ended. What failed before that is free, however many were tried.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from portico.accounts import Caller
from portico.catalog.books import Rates
from portico.catalog.price import Tier
from portico.core.dialect import PricedFields
from portico.core.errors import BodyNotJson, InvalidRequest, PorticoError, UpstreamError
from portico.core.usage import NONE, Usage
from portico.metering.ceiling import Ask
from portico.metering.charge import charge
from portico.providers import Verb
from portico.relay.billing import Bill, checkpoint_of, last_of
from portico.relay.call import Aim, Attempt, Call
from portico.relay.fanout import lane_of
from portico.relay.passthrough import PassingPump
from portico.relay.presence import Presence
from portico.relay.pump import Pump
from portico.relay.report import CALLER_GONE
from portico.relay.tab import FundsRanOut, Offer, Tab
from portico.relay.till import Till
from portico.wire.http import HttpRequest

log = logging.getLogger("portico.relay")

COST_HEADER: Final = "x-portico-cost"
FREE: Final = Rates(sale=(), cost=(), free=True)
BYTES_PER_TOKEN: Final = 4
"""Of an estimate, where nothing was reported."""
_TIERS: Final[Mapping[str, Tier]] = {
    "": Tier.STANDARD,
    "auto": Tier.STANDARD,
    "default": Tier.STANDARD,
    "standard": Tier.STANDARD,
    "scale": Tier.STANDARD,
    "unspecified": Tier.STANDARD,
    "flex": Tier.FLEX,
    "priority": Tier.PRIORITY,
    "fast": Tier.PRIORITY,
    "batch": Tier.BATCH,
}
"""A service tier in any dialect's word."""


class NobodyWaits(UpstreamError):
    """The caller has left, so nobody else is asked."""

    fails_over = False


class Paying:
    """Of one call, from before its first hold to its settlement."""

    def __init__(self, till: Till, caller: Caller, call: Call, tab: Tab) -> None:
        self.tab = tab
        self.presence = Presence(till, self._reads_on)
        self._till = till
        self._caller = caller
        self._call = call
        self._began_us = int(till.now() * 1_000_000)
        self._books = till.books()
        """As they are now: a call is charged by the prices in force when it began."""
        self._sent = 0
        self._text_bytes = 0
        """Of what the answering attempts sent, media left out."""
        self._aim: Aim | None = None
        self._tier = Tier.STANDARD
        self.tells_cost = call.request.include_cost or call.exchange.request.headers.get(COST_HEADER) == "1"
        if self.tells_cost:
            call.reply = msgspec.structs.replace(call.reply, cost=self.cost)
        tab.stop = self.presence.stop

    # -- before

    def priced(self, attempt: Attempt) -> PricedFields:
        """What of a body decides its price. Raises `BodyNotJson` for one that nobody can read, if it has to be paid for."""
        try:
            return attempt.priced()
        except BodyNotJson:
            if self._caller.prepaid:
                raise
            return PricedFields()

    async def sending(self, aim: Aim, asked: PricedFields, body_bytes: int, places: Iterable[Aim]) -> None:
        """Returns when this may be sent. `places`: where else the plan may send it. Raises as `Tab.hold` does, `NobodyWaits`
        if the caller left before, and `InvalidRequest` for what a prepaid account may not send because nobody knows its
        price."""
        if self._sent and self.presence.gone:
            raise NobodyWaits
        if self._caller.prepaid and asked.unknown:
            name = asked.unknown[0]
            raise InvalidRequest(
                f"Unknown name {name!r}: a prepaid account cannot send what has no known price.", param=name
            )
        self._tier = self._tier_of(asked.tier)
        call = self._call
        ask = Ask(
            text_bytes=max(0, body_bytes - sum(asked.media_bytes.values())),
            media=asked.media,
            media_bytes=asked.media_bytes,
            tools=asked.tools,
            max_output_tokens=asked.max_output_tokens if call.generates else 1,
            candidates=max(asked.candidates, lane_of(call.request).count),
        )
        self._aim, self._text_bytes = aim, ask.text_bytes
        aims = [aim] if self._sent else [aim, *places]
        await self.tab.hold(ask, [self._offer(aim) for aim in aims])
        self._sent += 1

    def _tier_of(self, word: str | None) -> Tier:
        plain = (word or "").lower().removeprefix("service_tier_")
        tier = _TIERS.get(plain)
        if tier is None and self._caller.prepaid:
            raise InvalidRequest(
                f"Unknown service tier {plain[:40]!r}.", param=self._call.request.where.field("service_tier")
            )
        return tier or Tier.STANDARD

    def _offer(self, aim: Aim) -> Offer:
        return Offer(self._rates_of(aim, self._tier), aim.candidate.deployment.capabilities)

    def _rates_of(self, aim: Aim, tier: Tier) -> Rates:
        if self._call.verb is Verb.COUNT_TOKENS:
            return FREE
        return self._books.rates(
            model=aim.model,
            provider=aim.provider.name,
            provider_kind=aim.provider.kind.name,
            upstream_model=aim.target.model,
            account=self._caller.tenant,
            on=self._day(),
            tier=tier,
        )

    def _day(self) -> date:
        return datetime.fromtimestamp(self._began_us / 1_000_000, UTC).date()

    # -- while it is answered

    def _reads_on(self) -> bool:
        """Whether an answer is read to its end though its caller has left."""
        call = self._call
        if not self._sent or self.tab.refusal is not None:
            return False
        if call.verb is not Verb.STREAM:
            return True
        return call.counts and self._caller.policy.on_disconnect == "drain"

    def told(self, pump: Pump | PassingPump) -> None:
        """Something of a stream is about to be written. Raises `FundsRanOut` where no more of it is paid for."""
        tab = self.tab
        if tab.ran_out:
            raise FundsRanOut
        if tab.due:
            so_far = pump.counted()
            tab.checkpoint(checkpoint_of(self._bill(so_far, partial=False)), so_far)

    def cost(self) -> int:
        """What the answer costs its caller, in nano-dollars, as far as it is known now."""
        call = self._call
        if call.teller is not None:
            call.seen = call.teller.seen
            call.counts = call.counts or call.teller.counts
        return self._bill(call.charged_usage(), partial=False).charge.nanos if call.counts else 0

    # -- at its end

    def settle(self, error: BaseException | None) -> None:
        """Closes the tab, whatever happened. Never raises."""
        self.presence.end()
        call, tab = self._call, self.tab
        try:
            report = call.report
            report.unfunded = tab.unfunded
            if self.presence.gone:
                report.outcome = CALLER_GONE
            if not tab.begun or tab.refusal is not None:
                return
            partial = call.counts and (error is not None or bool(report.error))
            outcome = report.outcome
            if isinstance(error, PorticoError):
                outcome = error.code or "failed"
            elif error is not None:
                outcome = CALLER_GONE if isinstance(error, asyncio.CancelledError) else "failed"
            bill = self._bill(call.charged_usage(), partial=partial)
            report.charge_nanos = bill.charge.nanos if call.counts else 0
            tab.close(last_of(bill, outcome, counts=call.counts))
        except Exception:
            log.exception("the settlement of %s failed", tab.request_id)

    def _bill(self, usage: Usage | None, *, partial: bool) -> Bill:
        call, tab, aim = self._call, self.tab, self._aim
        assert aim is not None
        estimated = usage is None and call.verb is not Verb.COUNT_TOKENS
        if usage is None:
            usage = Usage() if call.verb is Verb.COUNT_TOKENS else self._estimate()
        served = call.seen.service_tier
        tier = self._tier if served is None else _TIERS.get(served.lower(), self._tier)
        charged = charge(usage, call.uses(), self._rates_of(aim, tier))
        if estimated and charged.nanos > tab.amount:
            charged = msgspec.structs.replace(charged, nanos=tab.amount)
        return Bill(
            tab=tab,
            call=call,
            aim=aim,
            at_us=self._began_us,
            usage=usage,
            charge=charged,
            estimated=estimated,
            partial=partial,
            drained=self.presence.drained,
        )

    def _estimate(self) -> Usage:
        """What was used where nobody said: no more than was sent and delivered."""
        sent, shown = self._text_bytes // BYTES_PER_TOKEN, self._call.shown // BYTES_PER_TOKEN
        return Usage(
            input_uncached={"text": sent} if sent else NONE,
            output_visible={"text": shown} if shown else NONE,
        )


def dollars(nanos: int) -> str:
    """Exactly, without an exponent."""
    whole, rest = divmod(nanos, 1_000_000_000)
    return f"{whole}.{rest:09}"


def fingerprint_of(request: HttpRequest) -> tuple[str, str]:
    """The idempotency key of a request and what it was given for; ("", "") where there is none."""
    key = request.headers.get("idempotency-key", "")
    if not key:
        return "", ""
    digest = hashlib.sha256(f"{request.method} {request.path}\0".encode())
    digest.update(request.body)
    return key, digest.hexdigest()
