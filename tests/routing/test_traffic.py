"""What callers got, counted: adding up loses nothing, whoever counted what, and a bound is never below the truth."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.routing.traffic import (
    BEYOND_MS,
    BOUNDS_MS,
    KEPT_S,
    SLOT_S,
    SLOTS,
    Counts,
    Key,
    TrafficTally,
    Waits,
    added,
    slot_of,
    within_ms,
)

MODELS = ("a", "b")
CALLS = st.lists(
    st.tuples(
        st.integers(0, 5000).map(lambda second: 1.9e9 + second),
        st.sampled_from(MODELS),
        st.none() | st.floats(0, 2000),
    ),
    max_size=60,
)
"""(when, which model, how long until something was there; None: it failed)"""
Call = tuple[float, str, float | None]
WAITS = st.lists(st.floats(0, 799), min_size=1, max_size=200)


class Clock:
    def __init__(self, at: float = 1.9e9) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def counted(calls: Sequence[Call]) -> dict[Key, Counts]:
    """What one worker counts of these."""
    clock = Clock()
    tally = TrafficTally(clock)
    for clock.at, model, first_s in calls:
        if first_s is None:
            tally.failed(model)
        else:
            tally.answered(model, first_s)
    return tally.take()


def waits_of(seconds: Sequence[float]) -> Waits:
    ((_, counts),) = counted([(1.9e9, "a", wait) for wait in seconds]).items()
    return counts.waits


def test_the_bounds_go_from_ten_milliseconds_past_ten_minutes_a_quarter_at_a_time() -> None:
    assert BOUNDS_MS[0] == 10
    assert BOUNDS_MS[-1] > 600_000
    assert len(BOUNDS_MS) == 50
    assert all(1.2 <= high / low <= 1.31 for low, high in pairwise(BOUNDS_MS))
    assert SLOT_S * SLOTS == 24 * 3600


@given(CALLS, st.lists(st.booleans(), min_size=60, max_size=60))
def test_what_two_workers_counted_adds_up_to_what_one_would_have(calls: list[Call], mine: list[bool]) -> None:
    parts = [[call for call, is_mine in zip(calls, mine, strict=False) if is_mine is side] for side in (True, False)]
    ours, theirs = (counted(part) for part in parts)
    tally = TrafficTally(Clock())
    tally.put_back(ours)
    tally.put_back(theirs)
    assert sums(tally.take()) == sums(counted(calls))


def sums(counts: dict[Key, Counts]) -> dict[Key, tuple[int, int, Waits]]:
    return {key: (one.calls, one.failed, one.waits) for key, one in counts.items()}


@given(CALLS)
def test_every_call_is_counted_once_in_the_slot_of_its_time(calls: list[Call]) -> None:
    told = counted(calls)
    assert sum(one.calls for one in told.values()) == len(calls)
    for (slot, model), one in told.items():
        own = [call for call in calls if slot_of(call[0]) == slot and call[1] == model]
        assert one.calls == len(own)
        assert one.failed == sum(call[2] is None for call in own)
        assert one.calls == one.failed + sum(one.waits.values())


@given(WAITS, WAITS, WAITS)
def test_waits_are_added_in_any_order(one: list[float], other: list[float], third: list[float]) -> None:
    a, b, c = waits_of(one), waits_of(other), waits_of(third)
    assert added(a, b) == added(b, a) == waits_of(one + other)
    assert added(added(a, b), c) == added(a, added(b, c))
    assert added(a, {}) == a
    assert list(added(a, b)) == sorted(added(a, b))


@given(WAITS, st.integers(1, 100))
def test_a_percentile_is_the_next_bound_above_the_truth(waits: list[float], percent: int) -> None:
    truth = sorted(waits)[-(-len(waits) * percent // 100) - 1] * 1000
    told = within_ms(waits_of(waits), percent)
    assert told is not None
    assert truth <= told * (1 + 1e-12)
    assert told == 10 or truth > BOUNDS_MS[BOUNDS_MS.index(told) - 1] * (1 - 1e-12)


def test_what_took_longer_than_anything_has_no_bound() -> None:
    waits = waits_of([0.001, 0.001, 5000.0])
    assert waits == {10: 2, BEYOND_MS: 1}
    assert within_ms(waits, 50) == 10
    assert within_ms(waits, 95) is None
    assert within_ms({}, 50) is None


@pytest.mark.parametrize(("seconds", "bound"), [(0.0, 10), (0.01, 10), (0.0101, 13), (0.63, 630), (0.631, 800)])
def test_a_wait_belongs_to_its_bound(seconds: float, bound: int) -> None:
    assert waits_of([seconds]) == {bound: 1}


def test_what_is_taken_is_not_counted_again_and_what_is_put_back_is() -> None:
    clock = Clock()
    tally = TrafficTally(clock)
    tally.answered("a", 0.1)
    taken = tally.take()
    assert tally.take() == {}
    tally.failed("a")
    tally.put_back(taken)
    tally.answered("a", 0.1)
    assert sums(tally.take()) == {(slot_of(clock.at), "a"): (3, 1, {100: 2})}


def test_what_was_put_back_does_not_grow_for_ever() -> None:
    clock = Clock()
    tally = TrafficTally(clock)
    tally.failed("a")
    taken = tally.take()
    clock.at += KEPT_S + SLOT_S
    tally.put_back(taken)
    assert tally.take() == {}
