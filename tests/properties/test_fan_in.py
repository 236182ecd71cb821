"""Several upstream answers told as one stream say what the same answers say put together whole."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.core.assembly import assemble, tell
from portico.core.errors import UpstreamIncomplete
from portico.core.events import (
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.parts import Reasoning, Signature, Text, ToolCall
from portico.core.request import Request, Sampling
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.core.usage import Usage, added, total
from portico.relay.fanout import FanIn, Lane, calls_for, lane_of, merged, share

COUNTS = st.dictionaries(st.sampled_from(["text", "image", "audio"]), st.integers(1, 1000), max_size=3)
USAGES = st.builds(
    Usage,
    input_uncached=COUNTS,
    input_cache_read=COUNTS,
    input_cache_write=COUNTS,
    input_tool=COUNTS,
    output_visible=COUNTS,
    output_reasoning=COUNTS,
)
WORDS = st.text("ab \n", min_size=1, max_size=6)
SIGNATURES = st.none() | st.builds(Signature, st.just("google"), WORDS)
PARTS = st.one_of(
    st.builds(Text, WORDS, SIGNATURES),
    st.builds(Reasoning, WORDS),
    st.builds(ToolCall, st.text("xyz0", min_size=4, max_size=8), st.just("look_up"), st.just("{}")),
)
FINISHES = st.builds(Finish, st.sampled_from(FinishReason), st.just("RAW"))


@st.composite
def answers(draw: st.DrawFn) -> list[tuple[Lane, Response]]:
    """What each lane of a call brings: as many candidates as it was asked for, fewer, or more."""
    counts = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    tier = draw(st.sampled_from([None, "default", "priority"]))
    made = []
    for number, count in enumerate(counts):
        indices = draw(st.lists(st.integers(0, count), min_size=1, max_size=count + 1, unique=True).map(sorted))
        usage = draw(st.none() | USAGES)
        response = Response(
            id=f"answer {number}",
            model=f"model {number}",
            created=number,
            candidates=tuple(
                Candidate(index, tuple(draw(st.lists(PARTS, max_size=3))), draw(FINISHES)) for index in indices
            ),
            usage=usage,
            service_tier=tier if usage is not None else None,
            ext={"gemini": {f"only {number}": number}},
        )
        made.append((Lane(sum(counts[:number]), count), response))
    return made


def cut(events: list[Event]) -> list[Event]:
    """The same events with text in single characters and usage that grows."""
    pieces: list[Event] = []
    for event in events:
        if isinstance(event, PartStarted) and isinstance(event.part, Text):
            pieces.append(PartStarted(event.candidate, event.index, msgspec.structs.replace(event.part, text="")))
            pieces += [PartDelta(event.candidate, event.index, letter) for letter in event.part.text]
        elif isinstance(event, UsageReported):
            pieces += [UsageReported(Usage(input_uncached={"text": 1})), event]
        else:
            pieces.append(event)
    return pieces


def interleaved(draw: Any, streams: list[tuple[Lane, list[Event]]]) -> list[tuple[Lane, Event]]:
    """The streams in any order of arrival."""
    left = [(lane, list(events)) for lane, events in streams]
    order: list[tuple[Lane, Event]] = []
    while left:
        at = draw(st.integers(0, len(left) - 1))
        lane, events = left[at]
        order.append((lane, events.pop(0)))
        if not events:
            left.pop(at)
    return order


def total_of(lanes: list[tuple[Lane, Response]]) -> int:
    return sum(lane.count for lane, _ in lanes)


@settings(deadline=None, derandomize=True, max_examples=300, database=None)
@given(made=answers(), data=st.data())
def test_a_merged_stream_says_what_the_merged_answers_say(
    made: list[tuple[Lane, Response]], data: st.DataObject
) -> None:
    arrived = interleaved(data.draw, [(lane, cut(tell(response))) for lane, response in made])
    fan = FanIn(total_of(made))
    told = [event for lane, one in arrived for event in fan.feed(lane, one)]
    assert isinstance(told[0], Started)
    assert isinstance(told[-1], Finished)
    assert sum(isinstance(event, Started | Finished) for event in told) == 2
    opened: set[tuple[int, int]] = set()
    for event in told:
        match event:
            case PartStarted(candidate, index):
                assert (candidate, index) not in opened
                opened.add((candidate, index))
            case PartDelta(candidate, index) | PartEnded(candidate, index):
                assert (candidate, index) in opened
    first = told[0]
    wanted = msgspec.structs.replace(merged(made), id=first.id, model=first.model, created=first.created)
    beyond = any(candidate.index >= lane.count for lane, response in made for candidate in response.candidates)
    assert without_order(assemble(told), beyond=beyond) == without_order(wanted, beyond=beyond)


def without_order(response: Response, *, beyond: bool) -> Any:
    """An answer nobody asked for gets its number as it comes: then which of them came first makes no difference."""
    form = msgspec.to_builtins(response)
    if beyond:
        for candidate in form["candidates"]:
            candidate["index"] = None
        form["candidates"] = sorted(form["candidates"], key=repr)
    return form


@settings(deadline=None, derandomize=True, max_examples=200, database=None)
@given(made=answers(), data=st.data())
def test_usage_is_the_sum_of_what_each_lane_last_reported(
    made: list[tuple[Lane, Response]], data: st.DataObject
) -> None:
    arrived = interleaved(data.draw, [(lane, cut(tell(response))) for lane, response in made])
    fan = FanIn(total_of(made))
    latest: dict[int, Usage] = {}
    for lane, one in arrived:
        told = fan.feed(lane, one)
        if isinstance(one, UsageReported):
            latest[lane.first] = one.usage
            (report,) = told
            assert isinstance(report, UsageReported)
            assert report.usage.input_total == sum(usage.input_total for usage in latest.values())
            assert report.usage.output_total == sum(usage.output_total for usage in latest.values())


@settings(deadline=None, derandomize=True, max_examples=200, database=None)
@given(made=answers(), data=st.data())
def test_one_failure_fails_the_whole_and_nothing_follows(
    made: list[tuple[Lane, Response]], data: st.DataObject
) -> None:
    arrived = interleaved(data.draw, [(lane, tell(response)) for lane, response in made])
    at = data.draw(st.integers(0, len(arrived) - 1))
    arrived.insert(at, (arrived[at][0], Failed(UpstreamIncomplete())))
    fan = FanIn(total_of(made))
    told = [event for lane, one in arrived for event in fan.feed(lane, one)]
    assert [type(event) for event in told if isinstance(event, Failed | Finished)] == [Failed]
    assert isinstance(told[-1], Failed)


@settings(deadline=None, derandomize=True, max_examples=200, database=None)
@given(USAGES, USAGES, USAGES)
def test_added_counts_are_disjoint_sums(a: Usage, b: Usage, c: Usage) -> None:
    buckets = [name for name in Usage.__struct_fields__ if name != "ext"]
    for name in buckets:
        both = getattr(added(a, b), name)
        assert total(both) == total(getattr(a, name)) + total(getattr(b, name))
    assert added(a, b) == added(b, a)
    assert added(added(a, b), c) == added(a, added(b, c))
    assert added(a, Usage()) == a


@settings(deadline=None, derandomize=True, max_examples=200, database=None)
@given(st.integers(1, 128), st.integers(-1, 200))
def test_calls_are_as_few_as_the_model_allows(n: int, most: int) -> None:
    calls = calls_for(n, most)
    assert sum(calls) == n
    assert len(calls) == -(-n // max(1, most))
    assert all(1 <= count <= max(1, most) for count in calls)
    lanes = Lane(5, n).split(most)
    assert [lane.count for lane in lanes] == calls
    assert lanes[0].first == 5
    assert all(before.first + before.count == after.first for before, after in pairwise(lanes))


def asks(**sampling: Any) -> Request:
    return Request(model="m", messages=(), sampling=Sampling(**sampling))


@pytest.mark.parametrize(
    ("seed", "first", "expected"),
    [(None, 3, None), (7, 0, 7), (7, 1, 8), (0, 3, 3), (-1, 1, 0), (2**31 - 1, 1, -(2**31)), (2**40, 0, 2**40)],
)
def test_each_lane_has_a_seed_of_its_own(seed: int | None, first: int, expected: int | None) -> None:
    shared = share(asks(n=9, seed=seed), Lane(first, 1))
    assert (shared.sampling.seed, shared.sampling.n) == (expected, None)


def test_a_lane_that_is_the_whole_call_asks_as_the_caller_did() -> None:
    request = asks(n=1, seed=2**40)
    assert share(request, lane_of(request)) is request
    assert share(asks(n=8), Lane(0, 2)).sampling.n == 2
