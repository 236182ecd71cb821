"""Who is asked for a call, one after the other, until one answers or the call's time is up.

    every candidate of the model once, in the order of `routing.plan`
    -> the same for each model that the operator named to fall back on, if it is not dearer or that is allowed
    -> what may pass by itself is tried again, after a pause that grows and that chance shortens, within the deadline

What an attempt ends with goes into `Health`, so that whoever plans next knows it. What is decided after a failure is in
`routing/again.py`; here are the clocks, the pauses and what rests meanwhile.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Final

import msgspec

from portico.accounts import is_in_scope
from portico.catalog import Model
from portico.core.errors import InvalidRequest, UpstreamError, UpstreamOverloaded, UpstreamRateLimited
from portico.core.request import Request
from portico.providers import Verb
from portico.relay.call import Call
from portico.relay.dearness import Dearness, dearest, is_within
from portico.relay.hedge import Budget
from portico.relay.owned import held_to
from portico.relay.resting import nobody_asked
from portico.relay.served import Served
from portico.routing import BreakerRules, Candidate, Deployment, Health, LeftOut, Order, Policy, Wish, again, plan
from portico.routing.again import Past, Step
from portico.routing.plan import ANY, kept_from
from portico.wire.raw import COMMON_WORDS, word_in_common

ONLY_HEADER: Final = "x-portico-providers"
NEVER_HEADER: Final = "x-portico-exclude"


class RoutingRules(msgspec.Struct, frozen=True):
    """What an operator may set about who is asked. Times are seconds."""

    policy: Policy = Policy.WEIGHTED
    sticky: str = "user"
    """`user`: by the caller's `prompt_cache_key` or `user`, where one is given; `account`: else by its account; `none`."""
    retries: int = 0
    """How often a call is tried again when all candidates have failed."""
    attempts: int = 10
    """Of one call, all in all."""
    deadline_s: float = 120.0
    """A call that has taken so long without an answer asks nobody else."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 8.0
    hedge_after_s: float = 0.0
    """A stream that has shown nothing for so long is asked of another candidate too; 0: none is."""
    allow_dearer: bool = False
    """A call may fall back to a model that costs more than the one that was asked for."""
    breaker: BreakerRules = BreakerRules()


class Router:
    """What all calls share: health, rules, dice and clocks."""

    served: Served
    """Set by the relay, and set anew when providers change."""

    def __init__(
        self,
        health: Health,
        rules: RoutingRules,
        *,
        followers: Callable[[Model], Sequence[Model]],
        dearness: Callable[[Model, Deployment | None, Model], Dearness],
        rng: Random,
        now: Callable[[], float],
    ) -> None:
        """`followers`: the models that a call of one may fall back to. `dearness`: what a model costs at a deployment where
        it is used like another, so that it can be compared with that; None: as it is listed."""
        self.health = health
        self.rules = rules
        self._followers = followers
        self._dearness = dearness
        self.rng = rng
        self.now = now
        self.hedges = Budget()

    def route(self, call: Call) -> "Route":
        """The way of one call, or of a lane of it. Raises `InvalidRequest` where its headers name a provider that there is
        none of, or leave nobody."""
        self.hedges.earn()
        headers = call.exchange.request.headers
        if ONLY_HEADER not in headers and NEVER_HEADER not in headers:
            model, passes = call.model, call.passing is not None
            if not call.pins and not model.fallbacks and self.health.is_quiet:
                only = self.served.only(call.dialect, model, call.verb, self.now(), passes=passes)
                if only is not None:  # as in most houses
                    return Route(self, call, None, [(model, only)])
        return Route(self, call, self.wish(call))

    def today(self) -> date:
        return datetime.fromtimestamp(self.now(), UTC).date()

    def wish(self, call: Call) -> Wish:
        """What a call says of where it goes. Raises `InvalidRequest`."""
        headers = call.exchange.request.headers
        only, never = _names(headers.get(ONLY_HEADER)), _names(headers.get(NEVER_HEADER))
        rules = self.rules
        sticky = "" if rules.sticky == "none" else self._word_of(call)
        if not sticky and rules.sticky == "account":
            sticky = call.caller.tenant
        if not (only or never):
            return Wish(sticky=sticky) if sticky else ANY
        deployments = self._deployments_of(call)
        known = {name for one in deployments for name in (one.provider.name, one.name)}
        for header, names in ((ONLY_HEADER, only), (NEVER_HEADER, never)):
            if odd := names - known:
                message = (
                    f"{call.model.name} is not served by {min(odd)!r}; it is by {', '.join(sorted(known)) or 'none'}."
                )
                raise InvalidRequest(message, param=header)
        able = [one for one in deployments if call.goes_to(one.provider)]
        for header, wish in ((ONLY_HEADER, Wish(only)), (NEVER_HEADER, Wish(only, never))):
            if able and not any(map(wish.allows, able)):
                others = ", ".join(dict.fromkeys([one.provider.name for one in able]))
                raise InvalidRequest(
                    f"This leaves nobody who serves {call.model.name} with this method; {others} would.", param=header
                )
        return Wish(only, never, sticky)

    def _word_of(self, call: Call) -> str:
        """`sticky_word` of a call, of whose body perhaps nobody has read anything: then that much of it is, if there is a
        choice. (A path that names the model is Gemini's, whose bodies have no such word.)"""
        if not call.unread:
            return sticky_word(call.request)
        if call.in_path:
            return ""
        served = self.served.deployments(call.model)
        if len(served) == 1 and len(served[0].provider.keys) == 1 and not call.model.fallbacks:
            return ""
        return word_in_common(call.exchange.request.body)

    def _deployments_of(self, call: Call) -> list[Deployment]:
        return [one for model in (call.model, *self.fallbacks(call)) for one in self.served.deployments(model)]

    def order(self, call: Call, model: Model, wish: Wish) -> Order:
        """The candidates of a model for a call, as they stand today: what rests is who answers in a retired model's place.
        Raises `NotFound` if none can use what it names."""
        served, now = self.served, self.now()
        if wish.only or wish.never:
            named = [one for one in served.deployments(model) if call.goes_to(one.provider) and wish.allows(one)]
            able = [served.place(call.dialect, model, one, now).deployment for one in named]
        else:
            able = served.able(call.dialect, model, call.verb, now, passes=call.passing is not None)
        order = plan(
            able,
            self.health,
            now=now,
            rng=self.rng,
            wish=Wish(sticky=wish.sticky) if wish.only or wish.never else wish,
            policy=self.rules.policy,
            streamed=call.verb is Verb.STREAM,
            price=lambda one: self._dearness(model, one, model)[0],
        )
        if not call.pins:
            return order
        left = held_to(call.pins, order.candidates) if order.candidates else []
        return Order(left, order.left_out)

    def fallbacks(self, call: Call) -> list[Model]:
        """The models that a call may go to instead of the one that was asked for, in their order."""
        return self.instead(call, self._followers(call.model))

    def instead(self, call: Call, others: Sequence[Model]) -> list[Model]:
        """Those of the models that a call may go to in place of the one that was asked for: its key may ask them, and they
        are not dearer in anything that this one is used for, wherever they are served, or that is allowed. If nobody knows
        what it costs, none is."""
        scope, asked = call.caller.policy.models, call.model
        others = [one for one in others if is_in_scope(scope, one.name, one.vendor, one.name)]
        if not others or self.rules.allow_dearer:
            return others
        served = self.served
        limit = dearest([self._dearness(asked, one, asked) for one in served.deployments(asked) or (None,)])
        return [
            one
            for one in others
            if all(is_within(self._dearness(one, deployment, asked), limit) for deployment in served.deployments(one))
        ]


class Route:
    """One call's way: `step` says whom to ask next, `failed` what became of it."""

    __slots__ = (
        "_back_at",
        "_call",
        "_left_out",
        "_missing",
        "_models",
        "_past",
        "_queue",
        "_router",
        "_tried",
        "_wish",
    )

    def __init__(self, router: Router, call: Call, wish: Wish | None, queue: list[Step] | None = None) -> None:
        """`queue`: who is asked first, where that is known; `wish`: None, where it is looked for when it matters."""
        self._router = router
        self._call = call
        self._wish = wish
        self._past = Past(router.now())
        self._models = [call.model]
        self._queue = [] if queue is None else queue
        self._back_at: list[float] = []
        self._left_out: list[LeftOut] = []
        self._tried: list[Candidate] = []
        self._missing: frozenset[str] = frozenset()
        """Models that somebody said are not there."""
        if queue is None:
            self._models += router.fallbacks(call)
            self._fill()

    def _order(self, model: Model) -> Order:
        if self._wish is None:
            self._wish = self._router.wish(self._call)
        return self._router.order(self._call, model, self._wish)

    def _fill(self) -> None:
        self._back_at, self._left_out = [], []
        for model in self._models:
            order = self._order(model)
            self._queue += [(model, one) for one in order.candidates]
            if order.back_at is not None:
                self._back_at.append(order.back_at)
            self._left_out += order.left_out
        if self._past.failures:
            self._queue = again.in_turn(self._past, self._queue)

    def at_once(self) -> Step | None:
        """Whom to ask first, if there is anybody; None: `step` says who is next."""
        return self._asks(self._queue[0]) if self._queue and not self._past.attempts else None

    async def step(self) -> Step | None:
        """Whom to ask next; None: nobody, and `best` is what is told."""
        past, router = self._past, self._router
        if past.attempts:
            self._leave_out()
        if not self._queue and not await self._again():
            return None
        if past.attempts and not again.may_ask(past, router.rules, router.now()):
            return None
        return self._asks(self._queue[0])

    def _asks(self, step: Step) -> Step:
        self._past.attempts += 1
        self._queue.remove(step)
        self._tried.append(step[1])
        return step

    def _leave_out(self) -> None:
        """What rests since the call began is not asked either: another key of a project whose quota is used up."""
        health, now = self._router.health, self._router.now()
        if health.is_quiet:
            return
        for step in list(self._queue):
            if (kept := kept_from(step[1], health, now)) is not None:
                self._queue.remove(step)
                self._left_out.append(LeftOut(step[1], *kept))
                if math.isfinite(kept[1]):
                    self._back_at.append(kept[1])

    def beside(self, step: Step) -> Step | None:
        """Who may be asked beside one that shows nothing, without a pause: rather another deployment than another key."""
        router = self._router
        self._leave_out()
        if not self._queue or not again.may_ask(self._past, router.rules, router.now()):
            return None
        others = [one for one in self._queue if one[1].deployment != step[1].deployment]
        return self._asks((others or self._queue)[0])

    def share_s(self, deployment: Deployment) -> float:
        """How long this one may show no sign of life while others could be asked; infinite: there are none."""
        for _, one in self._queue:
            if one.deployment is not deployment and one.deployment.name != deployment.name:
                return again.share_s(self._past, self._router.rules, self._router.now())
        return math.inf

    def first(self, step: Step) -> None:
        """This one is asked next, whatever else was to be."""
        self._queue.insert(0, step)
        self._tried.remove(step[1])
        self._past.attempts -= 1

    def also(self, model: Model) -> None:
        """Another model's candidates are asked behind the others, unless it is dearer than the one that was asked for or
        the key may not ask it."""
        if model not in self._models and self._router.instead(self._call, [model]):
            self._models.append(model)
            self._queue += [(model, one) for one in self._order(model).candidates]

    async def _again(self) -> bool:
        """Waits for what may have passed; whether there is anybody to ask then."""
        router, past = self._router, self._past
        while True:
            back_at, dice = min(self._back_at, default=None), router.rng.random()
            pause = again.pause_s(past, router.rules, back_at=back_at, now=router.now(), dice=dice)
            if pause is None:
                return False
            past.rounds += 1
            await asyncio.sleep(pause)
            self._fill()
            if self._queue:
                past.begin_round()
                return True

    def failed(self, step: Step, error: UpstreamError) -> None:
        """What a step ended with."""
        self._past.failures.append((step[1], error))
        if self._queue:
            self._queue = again.in_turn(self._past, self._queue)

    def lacks(self, model: Model) -> bool:
        """A model is not where it was to be: whether that is news."""
        is_news = model.name not in self._missing
        self._missing |= {model.name}
        return is_news

    def best(self) -> UpstreamError | None:
        """The most useful of the failures; None: nobody was asked, and nobody rests."""
        found = again.most_useful([error for _, error in self._past.failures])
        back_at = min(self._back_at, default=None)
        wait_s = None if back_at is None else max(1.0, back_at - self._router.now())
        if found is None:
            return nobody_asked(self._left_out, wait_s)
        if isinstance(found, UpstreamRateLimited):
            found.retry_after_s = self._soonest_s() or found.retry_after_s
        elif wait_s is not None and isinstance(found, UpstreamOverloaded):
            found.retry_after_s = min(wait_s, found.retry_after_s or wait_s)
        return found

    def _soonest_s(self) -> float | None:
        """In how many seconds the first of all candidates is back; None: nobody knows, or one of them does not rest."""
        health, now = self._router.health, self._router.now()
        rests = [health.resting(one, now) for one in self._tried]
        times = [now if rest is None else rest.until for rest in rests] + self._back_at
        soonest = min(times, default=now)
        return max(1.0, soonest - now) if now < soonest < math.inf else None


def sticky_word(request: Request) -> str:
    """What a caller says its calls have in common, so that a provider's cache is met again; "": nothing."""
    ext = request.ext
    if not ext:
        return ""
    for fields in ext.values():
        for name in COMMON_WORDS:
            if isinstance(word := fields.get(name), str) and word:
                return word
        metadata = fields.get("metadata")
        if isinstance(metadata, dict) and isinstance(word := metadata.get("user_id"), str) and word:
            return word
    return ""


def _names(header: str | None) -> frozenset[str]:
    return frozenset([name.strip() for name in header.split(",") if name.strip()]) if header else frozenset()
