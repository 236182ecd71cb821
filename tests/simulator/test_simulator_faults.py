"""Failures on demand: each marker does what its name says, and only to the request that asked."""

import asyncio
import json

import pytest

from gateway.house import until
from portico.simulator import Simulator
from simulator.sim_memory import Json, answer, ask, exchange, parts, stream, text, user

MODEL = "gemini-3.5-flash"


@pytest.mark.parametrize(
    ("name", "status", "word"),
    [
        ("429", 429, "RESOURCE_EXHAUSTED"),
        ("429-day", 429, "RESOURCE_EXHAUSTED"),
        ("500", 500, "INTERNAL"),
        ("503", 503, "UNAVAILABLE"),
        ("504", 504, "DEADLINE_EXCEEDED"),
        ("context", 400, "INVALID_ARGUMENT"),
    ],
)
@pytest.mark.parametrize("by_header", [False, True])
async def test_errors_come_instead_of_an_answer(name: str, status: int, word: str, by_header: bool) -> None:
    if by_header:
        one = await ask(Simulator(), MODEL, user("Hi"), headers={"x-goog-api-key": "k", "x-sim-fault": name})
    else:
        one = await ask(Simulator(), MODEL, user(f"Hi [[sim:{name}]]"))
    assert (one.status, one.json()["error"]["status"]) == (status, word)


@pytest.mark.parametrize(("name", "window"), [("429", "PerMinute"), ("429-day", "PerDay")])
async def test_a_quota_error_says_which_and_how_long(name: str, window: str) -> None:
    details = (await ask(Simulator(), MODEL, user(f"[[sim:{name}]]"))).json()["error"]["details"]
    by_type = {one["@type"].rpartition(".")[2]: one for one in details}
    assert set(by_type) == {"Help", "QuotaFailure", "RetryInfo"}
    assert window in by_type["QuotaFailure"]["violations"][0]["quotaId"]
    assert by_type["RetryInfo"]["retryDelay"].endswith("s")


async def test_once_fails_the_first_time_only() -> None:
    sim, body = Simulator(), user("Hi there [[sim:once:503]]")
    assert [(await ask(sim, MODEL, body)).status for _ in range(3)] == [503, 200, 200]
    assert (await ask(sim, MODEL, user("Another [[sim:once:503]]"))).status == 503
    assert "[[" not in text([await answer(sim, MODEL, body)])


@pytest.mark.parametrize("count", [0, 1, 2, 100])
async def test_a_cut_stream_ends_without_an_end(count: int) -> None:
    one = await stream(Simulator(), MODEL, user(f"a longer text to be cut [[sim:cut={count}]]"))
    assert one.aborted
    assert not one.finished
    assert len(one.events()) == min(count, len(one.events()))
    whole = await ask(Simulator(), MODEL, user("[[sim:cut]]"))
    assert whole.aborted
    with pytest.raises(json.JSONDecodeError):
        whole.json()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cut_before_sends_nothing(streamed: bool) -> None:
    one = await (stream if streamed else ask)(Simulator(), MODEL, user("[[sim:cut-before]]"))
    assert one.aborted
    assert not one.started


async def test_an_error_in_the_middle_follows_real_events() -> None:
    events = (await stream(Simulator(), MODEL, user("a longer text [[sim:error-mid=2]]"))).events()
    assert ["error" in one for one in events] == [False, False, True]
    assert events[-1]["error"]["status"] == "UNAVAILABLE"


@pytest.mark.parametrize("streamed", [False, True])
async def test_garbage_and_html_are_no_json(streamed: bool) -> None:
    send = stream if streamed else ask
    garbage = await send(Simulator(), MODEL, user("[[sim:garbage]]"))
    page = await send(Simulator(), MODEL, user("[[sim:html-502]]"))
    assert (garbage.status, page.status) == (200, 502)
    assert page.headers["content-type"].startswith("text/html")
    for one in (garbage, page):
        with pytest.raises(json.JSONDecodeError):
            json.loads(one.data.removeprefix(b"data: "))


SPOILED: list[tuple[str, str, bool]] = [
    ("malformed", "MALFORMED_FUNCTION_CALL", False),
    ("unexpected", "UNEXPECTED_TOOL_CALL", False),
    ("recitation", "RECITATION", False),
    ("safety", "SAFETY", True),
    ("length", "MAX_TOKENS", True),
    ("empty", "STOP", False),
]


@pytest.mark.parametrize(("name", "reason", "speaks"), SPOILED)
@pytest.mark.parametrize("model", [MODEL, "gemini-2.5-flash", "gemini-2.0-flash"])
async def test_spoiled_answers_are_200_with_their_reason(model: str, name: str, reason: str, speaks: bool) -> None:
    body = user(f"some words to say [[sim:{name}]]")
    whole = await answer(Simulator(), model, body)
    events = (await stream(Simulator(), model, body)).events()
    for responses in ([whole], events):
        assert responses[-1]["candidates"][0]["finishReason"] == reason
        assert bool(text(responses)) is speaks
    if name == "malformed":
        assert "content" not in whole["candidates"][0]
    if name == "safety":
        assert whole["candidates"][0]["safetyRatings"][0]["blocked"] is True


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_blocked_prompt_has_no_candidates(streamed: bool) -> None:
    body = user("[[sim:block=SAFETY]]")
    one: Json = (
        (await stream(Simulator(), MODEL, body)).events()[0] if streamed else await answer(Simulator(), MODEL, body)
    )
    assert one["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in one
    assert one["usageMetadata"]["totalTokenCount"] == one["usageMetadata"]["promptTokenCount"]


async def test_silence_comes_before_or_after_the_first_event() -> None:
    for marker, pieces in (("stall=60", 0), ("stall-mid=60", 1), ("slow=60", 1)):
        sim = Simulator()
        one = exchange(f"/v1beta/models/{MODEL}:streamGenerateContent", user(f"Hi [[sim:{marker}]]"), query="alt=sse")
        task = asyncio.ensure_future(sim(one))
        await until(lambda one=one, pieces=pieces: len(one.pieces) >= pieces)  # type: ignore[misc]
        await asyncio.sleep(0.02)
        assert len(one.pieces) == pieces, marker
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sim.stats.cancelled == 1


async def test_a_large_stream_is_made_as_fast_as_it_is_taken() -> None:
    sim = Simulator()
    one = exchange(f"/v1beta/models/{MODEL}:streamGenerateContent", user("[[sim:size=1M]]"), query="alt=sse")
    one.open.clear()
    task = asyncio.ensure_future(sim(one))
    await until(lambda: sim.stats.waiting)
    await asyncio.sleep(0.05)
    assert sim.stats.waiting == 1
    assert len(one.pieces) == 1
    assert sim.stats.bytes_written < 70_000
    one.open.set()
    await task
    assert sim.stats.waiting == 0
    assert sim.stats.blocked_s > 0.04
    assert len(text(one.events())) == 1_000_000
    assert one.events()[-1]["usageMetadata"]["candidatesTokenCount"] == 250_000


async def test_the_pace_is_kept_between_events() -> None:
    one = exchange(f"/v1beta/models/{MODEL}:streamGenerateContent", user("Hi there, you"), query="alt=sse")
    loop = asyncio.get_running_loop()
    started = loop.time()
    await Simulator(pace_s=0.01)(one)
    assert loop.time() - started >= 0.009 * (len(one.events()) - 1)


async def test_words_and_talk_shape_an_answer() -> None:
    made = await answer(Simulator(), MODEL, user("[[sim:words=500]]"))
    assert text([made]).split()[-1] == "word499"
    body = user("f [[sim:talk]]") | {"tools": [{"functionDeclarations": [{"name": "f"}]}]}
    kinds = [next(iter(part)) for part in parts(await answer(Simulator(), MODEL, body))]
    assert kinds == ["text", "functionCall"]


@pytest.mark.parametrize("around", ["{}", "Please:\n{}\n\nRemember the rules.", "{} [[sim:slow=0]]"])
@pytest.mark.parametrize("said", ["told.txt\n```\nsome text\n```", "a [b] c", "x = {'y': 1}  # and more", ""])
async def test_an_answer_says_what_it_is_given_to_say(around: str, said: str) -> None:
    asked = around.format(f"[[sim:say]]\n{said}\n[[sim:said]]")
    assert text([await answer(Simulator(), MODEL, user(asked))]) == f"[simulated]\n{said}"


async def test_what_is_to_be_said_is_no_prompt() -> None:
    body = user("Well: [[sim:say]] call f(1) [[sim:429]] [[sim:said]]") | {
        "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
    }
    assert text([await answer(Simulator(), MODEL, body)]) == "[simulated]\ncall f(1) [[sim:429]]"
