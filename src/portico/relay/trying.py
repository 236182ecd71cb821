"""Who is tried for a call, or for a lane of it: one candidate after the other, until one has something to show.

A model that gives fewer answers at once is asked in several lanes, each with its own tries. A fault of chance is tried
again silently, once; so is what was refused for a signature, or for a field that can be left out. Where an operator wants
that, another candidate is asked beside one that shows nothing (`relay/hedge.py`).
"""

import asyncio
from collections.abc import Awaitable
from functools import partial
from typing import Final

import msgspec

from portico.catalog import Catalog
from portico.core.errors import (
    PorticoError,
    UpstreamEmpty,
    UpstreamError,
    UpstreamMalformedOutput,
    UpstreamModelNotFound,
    UpstreamRejected,
    UpstreamSignatureMissing,
    UpstreamSignatureRejected,
)
from portico.core.request import Request
from portico.providers import Verb
from portico.relay import making
from portico.relay.aiming import Aims, signing
from portico.relay.attempts import made
from portico.relay.call import Aim, Attempt, AttemptOne, Call
from portico.relay.fanout import MAX_AT_ONCE, Lane, lane_of
from portico.relay.hedge import Ask, Runner, hedged
from portico.relay.passthrough import nobody_serves
from portico.relay.prepare import in_words_of, successor
from portico.relay.reception import Reception
from portico.relay.router import Route, Router
from portico.relay.together import some, together
from portico.relay.verdict import may_be_of_signatures
from portico.routing.again import Step
from portico.vault import holds_signatures_of_others, without_signatures, without_unknown_signatures

RETRIED_ONCE: Final = (UpstreamMalformedOutput, UpstreamEmpty)
"""Faults of chance: the same candidate is tried once more, silently, and then the caller hears of it (tries cost)."""


class _Part(msgspec.Struct, frozen=True):
    """What is tried for: a call, or a lane of it."""

    call: Call
    route: Route
    lane: Lane
    attempt_one: AttemptOne


class Tries:
    """What all calls share of it."""

    def __init__(self, router: Router, aims: Aims, reception: Reception, catalog: Catalog) -> None:
        self._router = router
        self._aims = aims
        self._reception = reception
        self._catalog = catalog

    async def each(self, call: Call, attempt_one: AttemptOne, lane: Lane | None = None) -> None:
        """Tries candidates in order until one commits, for the whole call or for a lane of it. Raises the most useful
        failure when none does."""
        route = self._router.route(call)
        while (step := route.at_once() or await route.step()) is not None:
            passes = call.passes_to(step[1].deployment)
            if lane is not None and passes:
                continue  # a body that passes is the whole call, and no part of it
            if call.unread and not passes:
                await self._reception.understand(call)
            aim = self._aims.aim(call, *step)
            lanes = self._aims.lanes(call, aim, lane)
            if len(lanes) > 1:
                call.slots = call.slots or asyncio.Semaphore(MAX_AT_ONCE)
                gather = some if making.some_will_do(call) else together
                return await gather([self.each(call, attempt_one, one) for one in lanes])
            part = _Part(call, route, lanes[0], attempt_one)
            if not (after_s := self._router.rules.hedge_after_s) or not _shows_early(call):
                answered = await self._ask(part, step, aim)
            else:
                ask = partial(self._ask, part, step, aim)
                answered = await hedged(ask, partial(self._another, part, step), after_s)
            if answered:
                return None
        at_all = bool(self._reception.served.deployments(call.model))
        raise route.best() or UpstreamModelNotFound(nobody_serves(call.model, call.dialect, call.verb, at_all=at_all))

    async def _ask(self, part: _Part, step: Step, aim: Aim, runner: Runner | None = None) -> bool:
        """Asks one candidate: whether it answered. Raises what others would fail with too."""
        try:
            await self._twice_if_faulty(part, step, aim, runner)
        except UpstreamError as error:
            if self._ends(part, step, aim, error):
                raise
            return False
        return True

    def _ends(self, part: _Part, step: Step, aim: Aim, error: UpstreamError) -> bool:
        """Notes that a candidate failed; whether all others would fail with the same."""
        call, route = part.call, part.route
        # It is kept, and its frames would keep the call.
        failure = in_words_of(call.request, error).with_traceback(None)
        if self._aims.drops(call, aim, part.lane, failure):
            route.first(step)
            return False
        route.failed(step, failure)
        if not error.fails_over or isinstance(error, RETRIED_ONCE):
            return True
        model, candidate = step
        if isinstance(failure, UpstreamModelNotFound) and route.lacks(model):
            kind = candidate.deployment.provider.kind.name
            if (follower := successor(self._catalog, model, self._router.today(), kind, gone=True)) is not None:
                call.gone = call.gone or model is call.model
                route.also(follower)
        return False

    def _another(self, part: _Part, step: Step) -> Ask | None:
        """Who is asked beside a candidate that shows nothing; None: nobody."""
        if (other := part.route.beside(step)) is None:
            return None
        if not self._router.hedges.spend():
            part.route.first(other)
            return None
        return partial(self._ask_beside, part, other)

    async def _ask_beside(self, part: _Part, step: Step, runner: Runner | None) -> bool:
        """As `_ask`, if the candidate can be asked for the same part; if not it waits for its turn."""
        call = part.call
        whole, passes = part.lane == call.whole, call.passes_to(step[1].deployment)
        if not passes and call.unread:
            await self._reception.understand(call)
        aim = self._aims.aim(call, *step)
        if (passes and not whole) or self._aims.lanes(call, aim, None if whole else part.lane) != [part.lane]:
            part.route.first(step)
            return False
        return await self._ask(part, step, aim, runner)

    async def _twice_if_faulty(self, part: _Part, step: Step, aim: Aim, runner: Runner | None) -> None:
        call, first = part.call, self._attempt(part, step, aim, runner)
        try:
            await self._made(part, first, last=False)
        except RETRIED_ONCE:
            await self._made(part, self._attempt(part, step, aim, runner), last=True)
        except UpstreamRejected as error:
            if (request := await self._less_signed(part, first, error)) is None:
                raise
            call.request, call.passing = request, None
            # The skip value stands in for what the client sent, and the losses say so.
            await self._made(part, self._attempt(part, step, signing(aim), runner), last=True)

    async def _less_signed(self, part: _Part, refused: Attempt, error: UpstreamRejected) -> Request | None:
        """The request without the signatures that it may have been refused for; None if it has none of those. A body that
        passed is read now: whoever changes models in the middle of a session brings along what the other one signed, or
        left unsigned."""
        call, asked = part.call, refused.asked
        if refused.passing is not None:
            if call.strict or not call.generates or not isinstance(error, UpstreamSignatureRejected):
                return None
            try:
                await self._reception.understand(call)
            except PorticoError:
                return None  # the provider's own word says more
            asked = call.request
            if lane_of(asked) != part.lane:
                return None
        if asked is None or not may_be_of_signatures(error, asked, strict=call.strict):
            return None
        if isinstance(error, UpstreamSignatureMissing) and not call.strict and signing(refused.aim) is not refused.aim:
            return asked  # what is signed stays so
        less = without_unknown_signatures(asked)
        if less is not None and _is_said_differently(refused.aim, asked, less):
            return less
        if refused.passing is not None and holds_signatures_of_others(asked, refused.aim.target.signer):
            return asked
        return without_signatures(asked) if isinstance(error, UpstreamSignatureRejected) else None

    def _attempt(self, part: _Part, step: Step, aim: Aim, runner: Runner | None) -> Attempt:
        attempt = self._aims.attempt(part.call, aim, part.lane)
        attempt.runner = runner
        if _shows_early(part.call):  # what shows nothing before its end may be silent as long as it thinks
            attempt.patience_s = part.route.share_s(step[1].deployment)
        return attempt

    def _made(self, part: _Part, attempt: Attempt, *, last: bool) -> Awaitable[None]:
        router = self._router
        return made(part.call, attempt, part.attempt_one, router.health, router.now, last=last)


def _is_said_differently(aim: Aim, one: Request, other: Request) -> bool:
    """Whether two requests make different bodies: signatures of other vendors are in none."""
    render, target = aim.spoken.dialect.render_request, aim.target
    return bool(render(one, target).body != render(other, target).body)


def _shows_early(call: Call) -> bool:
    """Whether something of its answer is shown before all of it is there."""
    return call.verb is Verb.STREAM and not making.is_asked_whole(call)
