"""Laws of the order in which candidates are tried, for any deployments, any health and any dice."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.core.errors import UpstreamError, UpstreamRejected, UpstreamUnreachable
from portico.routing import BreakerRules, Candidate, Deployment, Health, Pace, Policy, Rest, Wish, plan
from portico.routing.health import PACE_KEPT_S
from routing.route_cases import candidate, deployment, google

NOW = 1_800_000_000.0


@st.composite
def fleets(draw: st.DrawFn) -> list[Deployment]:
    count = draw(st.integers(0, 5))
    return [
        deployment(
            f"p{n}",
            *[f"k{n}.{k}" for k in range(draw(st.integers(1, 3)))],
            weight=draw(st.integers(0, 5)),
            priority=draw(st.integers(0, 2)),
        )
        for n in range(count)
    ]


def everything(fleet: list[Deployment]) -> list[Candidate]:
    return [Candidate(one, key) for one in fleet for key in one.provider.keys]


def named(candidates: list[Candidate]) -> list[tuple[str, str]]:
    return sorted((one.deployment.name, one.credential.reveal()) for one in candidates)


ERRORS: list[UpstreamError] = [UpstreamUnreachable(), google(429, "Resource exhausted."), UpstreamRejected()]


@st.composite
def healths(draw: st.DrawFn, fleet: list[Deployment]) -> Health:
    health = Health(rules=BreakerRules(failures=draw(st.integers(0, 2))))
    candidates = everything(fleet)
    if candidates:
        for one, error in draw(st.lists(st.tuples(st.sampled_from(candidates), st.sampled_from(ERRORS)), max_size=6)):
            health.failed(one, error, NOW - draw(st.integers(0, 3)))
        for one in draw(st.lists(st.sampled_from(candidates), max_size=6)):
            health.began(one, NOW)
    return health


@given(st.data(), fleets(), st.integers(), st.sampled_from(["", "user-1"]), st.sampled_from(Policy))
def test_every_candidate_is_tried_once_or_left_out_for_a_reason(
    data: st.DataObject, fleet: list[Deployment], seed: int, sticky: str, policy: Policy
) -> None:
    health = data.draw(healths(fleet))
    order = plan(fleet, health, now=NOW, rng=Random(seed), wish=Wish(sticky=sticky), policy=policy)
    assert named([*order.candidates, *[one.candidate for one in order.left_out]]) == named(everything(fleet))
    for one in order.left_out:
        assert one.why
        assert one.until > NOW
    for tried in order.candidates:
        assert health.resting(tried, NOW) is None
        assert not health.circuit(tried.deployment).is_open(NOW)
    priorities = [one.deployment.priority for one in order.candidates]
    assert priorities == sorted(priorities)


@given(fleets(), st.integers())
def test_the_same_dice_give_the_same_order(fleet: list[Deployment], seed: int) -> None:
    first, second = (plan(fleet, Health(), now=NOW, rng=Random(seed)).candidates for _ in range(2))
    assert first == second


@given(fleets(), st.integers(), st.integers(), st.text(min_size=1, max_size=20))
def test_a_sticky_call_goes_the_same_way_whatever_the_dice(fleet: list[Deployment], a: int, b: int, word: str) -> None:
    ways = [plan(fleet, Health(), now=NOW, rng=Random(seed), wish=Wish(sticky=word)).candidates for seed in (a, b)]
    assert ways[0] == ways[1]


@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=20, unique=True))
def test_a_deployment_that_is_added_moves_only_the_calls_it_takes_over(words: list[str]) -> None:
    few = [deployment(name) for name in "abc"]
    for word in words:
        before = plan(few, Health(), now=NOW, rng=Random(0), wish=Wish(sticky=word)).candidates[0]
        after = plan([*few, deployment("d")], Health(), now=NOW, rng=Random(0), wish=Wish(sticky=word)).candidates[0]
        assert after == before or after.deployment.provider.name == "d"


@given(
    fleets(),
    st.sets(st.sampled_from([f"p{n}" for n in range(5)])),
    st.sets(st.sampled_from([f"p{n}" for n in range(5)])),
)
def test_what_a_caller_pins_or_excludes_is_kept(fleet: list[Deployment], only: set[str], never: set[str]) -> None:
    wish = Wish(frozenset(only), frozenset(never))
    names = {
        one.deployment.provider.name for one in plan(fleet, Health(), now=NOW, rng=Random(1), wish=wish).candidates
    }
    allowed = {one.provider.name for one in fleet if (not only or one.provider.name in only)} - never
    assert names == allowed


def test_weights_are_how_often_one_comes_first() -> None:
    fleet = [deployment("a", weight=3), deployment("b", weight=1), deployment("c", weight=0)]
    rng, first = Random(7), Counter[str]()
    for _ in range(4000):
        order = plan(fleet, Health(), now=NOW, rng=rng).candidates
        first[order[0].deployment.provider.name] += 1
        assert order[-1].deployment.provider.name == "c"
    assert first["a"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_among_the_keys_of_a_deployment_the_least_loaded_comes_first() -> None:
    fleet, health = [deployment("a", "k1", "k2", "k3")], Health()
    busy = [Candidate(fleet[0], key) for key in fleet[0].provider.keys[:2]]
    for one in busy:
        health.began(one, NOW)
    for seed in range(20):
        assert plan(fleet, health, now=NOW, rng=Random(seed)).candidates[0].credential.reveal() == "k3"
    health.ended(busy[0])
    firsts = {plan(fleet, health, now=NOW, rng=Random(seed)).candidates[0].credential.reveal() for seed in range(40)}
    assert firsts == {"k1", "k3"}


def test_the_fastest_comes_first_where_that_is_the_policy_and_who_was_not_measured_before_it() -> None:
    slow, fast, new = deployment("slow"), deployment("fast"), deployment("new")
    health = Health()
    for one, seconds in ((slow, 2.0), (fast, 0.5)):
        health.measured(Candidate(one, one.provider.keys[0]), Pace(seconds, at=NOW))
    order = plan([slow, fast, new], health, now=NOW, rng=Random(3), policy=Policy.LATENCY)
    assert [one.deployment.provider.name for one in order.candidates] == ["new", "fast", "slow"]


def test_a_measurement_counts_for_its_kind_of_call_alone() -> None:
    a, b = deployment("a"), deployment("b")
    health = Health()
    for one, event, gap, whole in ((a, 0.1, 0.9, 9.0), (b, 0.2, 0.3, 3.0)):
        tried = Candidate(one, one.provider.keys[0])
        health.measured(tried, Pace(event, gap, NOW))
        health.measured(tried, Pace(whole, at=NOW), streamed=False)

    def first(policy: Policy, *, streamed: bool) -> str:
        order = plan([a, b], health, now=NOW, rng=Random(3), policy=policy, streamed=streamed)
        return order.candidates[0].deployment.provider.name

    assert first(Policy.LATENCY, streamed=True) == "a"
    assert first(Policy.SPEED, streamed=True) == "b"
    assert first(Policy.LATENCY, streamed=False) == first(Policy.SPEED, streamed=False) == "b"


def test_who_was_slow_is_measured_again_after_a_while_by_one_call_at_a_time() -> None:
    slow, fast = deployment("slow"), deployment("fast")
    health = Health()

    def order(now: float) -> list[str]:
        found = plan([slow, fast], health, now=now, rng=Random(3), policy=Policy.LATENCY).candidates
        return [one.deployment.provider.name for one in found]

    slow_one, fast_one = (Candidate(one, one.provider.keys[0]) for one in (slow, fast))
    health.measured(slow_one, Pace(9.0, at=NOW))
    health.measured(fast_one, Pace(0.1, at=NOW + PACE_KEPT_S - 1))
    assert order(NOW + PACE_KEPT_S - 1) == ["fast", "slow"]
    later = NOW + PACE_KEPT_S
    assert order(later) == ["slow", "fast"]
    health.began(slow_one, later)
    assert order(later) == ["fast", "slow"]  # it is being found out
    health.ended(slow_one)
    health.measured(slow_one, Pace(0.05, at=later))
    assert order(later) == ["slow", "fast"]


@given(st.lists(st.floats(0.001, 100), min_size=1, max_size=30))
def test_a_pace_is_never_beyond_what_was_measured(seconds: list[float]) -> None:
    health, one = Health(), candidate()
    for found in seconds:
        health.measured(one, Pace(found, at=NOW))
    first_s = health.pace(one.deployment, NOW).first_s
    assert first_s is not None
    assert min(seconds) <= first_s * (1 + 1e-9)
    assert first_s <= max(seconds) * (1 + 1e-9)


def test_the_cheapest_comes_first_where_that_is_the_policy() -> None:
    costs = {"a": 3.0, "b": 1.0, "c": 2.0}
    fleet = [deployment(name) for name in costs]
    order = plan(
        fleet, Health(), now=NOW, rng=Random(3), policy=Policy.PRICE, price=lambda one: costs[one.provider.name]
    )
    assert [one.deployment.provider.name for one in order.candidates] == ["b", "c", "a"]


def test_when_all_rest_it_is_known_who_is_back_first() -> None:
    health, fleet = Health(), [deployment("a"), deployment("b"), deployment("c")]
    for name, until in (("a", NOW + 30), ("b", NOW + 5), ("c", float("inf"))):
        one = candidate(name)
        health.rest((name, health.group(name, one.credential)), Rest(until, "why", "m"))
    order = plan(fleet, health, now=NOW, rng=Random(0))
    assert order.candidates == []
    assert order.back_at == NOW + 5


def test_a_circuit_opens_after_failures_in_a_row_and_lets_one_probe_through_at_a_time() -> None:
    health, one = Health(rules=BreakerRules(failures=3, pause_s=5.0)), candidate()
    fleet = [one.deployment]

    def tried(now: float) -> bool:
        return bool(plan(fleet, health, now=now, rng=Random(0)).candidates)

    for _ in range(2):
        health.failed(one, UpstreamUnreachable(), NOW)
    health.failed(one, UpstreamRejected(), NOW)  # it answers: what is wrong is the request
    for _ in range(2):
        health.failed(one, UpstreamUnreachable(), NOW)
    assert tried(NOW)
    health.failed(one, UpstreamUnreachable(), NOW)
    assert not tried(NOW + 4.9)
    assert tried(NOW + 5)
    health.began(one, NOW + 5)
    assert not tried(NOW + 6)  # its probe is under way
    health.failed(one, UpstreamUnreachable(), NOW + 7)
    assert not tried(NOW + 16)
    assert tried(NOW + 17)  # twice as long as before
    health.began(one, NOW + 17)
    health.answered(one)
    assert tried(NOW + 17)
    assert health.is_quiet
