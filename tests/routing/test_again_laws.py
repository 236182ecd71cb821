"""Laws of what a call does after failures, for any candidates, any failures, any limits, any dice: whom it asks, how often,
till when, and what it tells. The calls are `Route`s, on a clock of the test's that its attempts and pauses move.
"""

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.catalog import Model, load_catalog
from portico.core.errors import (
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamConflict,
    UpstreamDeadlineExceeded,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInternal,
    UpstreamModelNotFound,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from portico.relay.call import Call
from portico.relay.router import Route, Router, RoutingRules
from portico.routing import ANY, Candidate, Health, Order, Wish
from portico.routing.again import Past, Step, most_useful, pause_s
from routing.route_cases import deployment

BEGAN = 1_800_000_000.0
MODEL = load_catalog().resolve("gemini-3.5-flash").model
RANKS: list[type[UpstreamError]] = [
    UpstreamRateLimited,
    UpstreamOverloaded,
    UpstreamTimeout,
    UpstreamInternal,
    UpstreamIncomplete,
    UpstreamBadGateway,
    UpstreamUnreachable,
    UpstreamModelNotFound,
    UpstreamRefusedAccount,
    UpstreamAuthFailed,
    UpstreamConflict,
]
"""From the most useful to know of to the least."""
MAY_PASS = frozenset(RANKS) - {
    UpstreamTimeout,
    UpstreamModelNotFound,
    UpstreamRefusedAccount,
    UpstreamAuthFailed,
    UpstreamConflict,
}
KINDS = [*RANKS, UpstreamDeadlineExceeded]


class Ask(NamedTuple):
    """One attempt: when, at whom, in which round, and what became of it."""

    at: float
    provider: str
    key: str
    round: int
    error: UpstreamError

    @property
    def may_pass(self) -> bool:
        return type(self.error) in MAY_PASS


class Way(NamedTuple):
    """A whole call: it failed, whoever was asked."""

    asks: list[Ask]
    pauses: list[float]
    ended: float
    told: UpstreamError | None


class Clock:
    def __init__(self) -> None:
        self.now = BEGAN
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, pause_s: float) -> None:
        self.now += pause_s
        self.pauses.append(pause_s)


class OneModel(Router):
    """A router of candidates that are always there, in an order that is another one each time."""

    def __init__(self, rules: RoutingRules, candidates: list[Candidate], clock: Clock, seed: int) -> None:
        super().__init__(
            Health(),
            rules,
            followers=lambda _: (),
            dearness=lambda *_: (0.0,),
            rng=Random(seed),
            now=clock,
        )
        self._candidates = candidates

    def order(self, call: Call, model: Model, wish: Wish) -> Order:  # noqa: ARG002
        return Order(self.rng.sample(self._candidates, len(self._candidates)))


def at_once(coroutine: Coroutine[Any, Any, Step | None]) -> Step | None:
    """What it returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        found: Step | None = ended.value
        return found
    raise AssertionError("it waits for something")


@contextmanager
def on(clock: Clock) -> Iterator[None]:
    with mock.patch.object(asyncio, "sleep", clock.sleep):
        yield


def go(rules: RoutingRules, candidates: list[Candidate], seed: int, act: Callable[[], tuple[float, Any]]) -> Way:
    clock, asks = Clock(), list[Ask]()
    with on(clock):
        route = Route(OneModel(rules, candidates, clock, seed), mock.Mock(model=MODEL), ANY)
        while (step := at_once(route.step())) is not None:
            began, (takes_s, kind) = clock.now, act()
            clock.now += takes_s
            error = kind()
            one = step[1]
            asks.append(Ask(began, one.deployment.provider.name, one.credential.reveal(), len(clock.pauses), error))
            route.failed(step, error)
        return Way(asks, clock.pauses, clock.now, route.best())


RULES = st.builds(
    RoutingRules,
    retries=st.integers(0, 4),
    attempts=st.sampled_from([20, 12, 5, 3, 1]),
    deadline_s=st.sampled_from([120.0, 600.0, 5.0, 1.0, 0.0]),
    first_pause_s=st.sampled_from([0.5, 3.0, 0.0]),
    longest_pause_s=st.sampled_from([8.0, 1.0, 0.0]),
)


@st.composite
def ways(draw: st.DrawFn) -> tuple[RoutingRules, list[Candidate], Way]:
    rules = draw(RULES)
    counts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    fleet = [deployment(f"p{n}", *[f"k{n}.{k}" for k in range(count)]) for n, count in enumerate(counts)]
    candidates = [Candidate(one, key) for one in fleet for key in one.provider.keys]
    dice = Random(draw(st.integers()))  # drawing each act would leave hypothesis with calls that end early
    slow = draw(st.sampled_from([0.0, 0.3, 1.0]))
    passing = draw(st.sampled_from([0.2, 0.5, 0.9]))

    def act() -> tuple[float, type[UpstreamError]]:
        good = dice.random() < passing
        kinds = [kind for kind in KINDS if (kind in MAY_PASS) is good]
        return dice.choice([1.0, 4.0, 100.0]) if dice.random() < slow else 0.1, dice.choice(kinds)

    way = go(rules, candidates, dice.randrange(99), act)
    return rules, candidates, way


@given(ways())
def test_no_more_attempts_and_rounds_than_are_allowed(case: tuple[RoutingRules, list[Candidate], Way]) -> None:
    rules, _, way = case
    assert 1 <= len(way.asks) <= rules.attempts
    assert len(way.pauses) <= rules.retries
    assert all(pause <= rules.longest_pause_s for pause in way.pauses)


@given(ways())
def test_nobody_is_asked_after_the_deadline(case: tuple[RoutingRules, list[Candidate], Way]) -> None:
    rules, _, way = case
    assert all(one.at - BEGAN <= rules.deadline_s for one in way.asks[1:])


@given(ways())
def test_nobody_is_asked_twice_in_a_round_and_who_said_what_will_not_pass_never_again(
    case: tuple[RoutingRules, list[Candidate], Way],
) -> None:
    _, _, way = case
    assert set(Counter((one.key, one.round) for one in way.asks).values()) <= {1}
    done = [one.key for one in way.asks if not one.may_pass]
    assert len(done) == len(set(done))
    for n, one in enumerate(way.asks):
        assert one.key not in {before.key for before in way.asks[:n] if not before.may_pass}


@given(ways())
def test_what_is_told_happened_and_nothing_more_useful_did(
    case: tuple[RoutingRules, list[Candidate], Way],
) -> None:
    _, _, way = case
    assert way.told is not None
    assert way.told in [one.error for one in way.asks]
    ranks = [next(n for n, kind in enumerate(RANKS) if isinstance(one.error, kind)) for one in way.asks]
    assert isinstance(way.told, RANKS[min(ranks)])


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(RANKS, 2)))
def test_of_two_failures_the_more_useful_is_told_whichever_came_first(
    first: type[UpstreamError], second: type[UpstreamError]
) -> None:
    one, other = first(), second()
    assert most_useful([one, other]) is most_useful([other, one]) is one
    soon, late = first(retry_after_s=1), first(retry_after_s=9)
    assert most_useful([one, late, soon, other]) is soon


@given(ways())
def test_a_call_gives_up_for_a_reason(case: tuple[RoutingRules, list[Candidate], Way]) -> None:
    rules, candidates, way = case
    latest = [one for one in way.asks if one.round == len(way.pauses)]
    assert latest  # nobody waits in vain
    if len(way.asks) == rules.attempts or way.ended - BEGAN > rules.deadline_s:
        return
    # There was time, and all were asked of whom anything was to be expected.
    done = {one.key for one in way.asks if not one.may_pass}
    assert {one.credential.reveal() for one in candidates} - {one.key for one in latest} <= done
    if len(way.pauses) < rules.retries:
        pause = min(rules.first_pause_s * 2 ** len(way.pauses), rules.longest_pause_s)
        assert not any(one.may_pass for one in latest) or way.ended + pause - BEGAN > rules.deadline_s


@given(ways())
def test_after_a_silent_one_another_provider_comes_before_another_key(
    case: tuple[RoutingRules, list[Candidate], Way],
) -> None:
    _, candidates, way = case
    of = {one.credential.reveal(): one.deployment.provider.name for one in candidates}
    for n, (one, following) in enumerate(zip(way.asks, way.asks[1:], strict=False)):
        silent = isinstance(one.error, UpstreamTimeout | UpstreamUnreachable)
        if silent and following.round == one.round and following.provider == one.provider:
            done = {before.key for before in way.asks[: n + 1] if before.round == one.round or not before.may_pass}
            assert all(of[key] == one.provider for key in of.keys() - done)


@given(ways(), st.floats(0, 200))
def test_who_is_asked_first_leaves_others_half_of_the_time(
    case: tuple[RoutingRules, list[Candidate], Way], after_s: float
) -> None:
    rules, candidates, _ = case
    clock = Clock()
    route = Route(OneModel(rules, candidates, clock, 1), mock.Mock(model=MODEL), ANY)
    step = at_once(route.step())
    assert step is not None
    clock.now += after_s
    share_s = route.share_s(step[1].deployment)
    if len({one.deployment.name for one in candidates}) == 1:
        assert share_s == math.inf
    else:
        assert 0 <= share_s <= max(0.0, rules.deadline_s - after_s) / 2 + 1e-6


NOW = BEGAN + 1.0
RESTED: dict[str, tuple[Past, float | None, float | None]] = {
    "nobody was asked, and nobody says when one is back": (Past(BEGAN), None, None),
    "nobody was asked, and one is back soon": (Past(BEGAN), NOW + 3.0, 3.0),
    "one is back before the pause is over": (Past(BEGAN), NOW + 0.1, 0.5),
    "one is back too late": (Past(BEGAN), NOW + 8.5, None),
    "as long as a pause may be": (Past(BEGAN), NOW + 8.0, 8.0),
    "till the last moment": (Past(NOW + 2.0 - 10.0), NOW + 2.0, 2.0),
    "past the last moment": (Past(NOW + 2.0 - 10.5), NOW + 2.0, None),
    "the pauses double": (Past(BEGAN, rounds=2), NOW, 2.0),
    "no more rounds": (Past(BEGAN, rounds=3), NOW, None),
    "no more attempts": (Past(BEGAN, attempts=4), NOW, None),
}
"""What lies behind a call, and when the first that rests is back -> how long the call waits."""


@pytest.mark.parametrize(("past", "back_at", "pause"), RESTED.values(), ids=RESTED)
def test_a_call_waits_for_who_rests_as_long_as_it_may(past: Past, back_at: float | None, pause: float | None) -> None:
    rules = RoutingRules(retries=3, attempts=4, deadline_s=10.0, first_pause_s=0.5, longest_pause_s=8.0)
    assert pause_s(past, rules, back_at=back_at, now=NOW, dice=1.0) == pause
