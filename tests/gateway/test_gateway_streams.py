"""What a caller sees of a stream, and of a provider that fails before it, in it, or never begins."""

import asyncio
from random import Random
from typing import Any

import pytest

from gateway.house import (
    Act,
    Json,
    Script,
    answers,
    candidate,
    chat,
    fails,
    frame,
    open_house,
    says,
    until,
)
from portico.relay.relay import Settings
from portico.simulator import Simulator
from portico.wire.http import Exchange

FOREVER_S = 600.0
IMPATIENT = Settings(commit_after_s=0.05, keep_alive_s=0.05)
SSE = [("content-type", "text/event-stream")]


def streamed(text: str = "Hello", **more: Any) -> Json:
    return chat(text, stream=True, **more)


# -- cuts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("events", [1, 3])
async def test_a_stream_cut_after_the_first_event_is_an_error_event_and_nothing_is_made_up(events: int) -> None:
    async with open_house() as house:
        answer = await house.ask(streamed(f"Hello [[sim:words=300]][[sim:cut={events}]]"))
        told = answer.events
        assert answer.status == 200
        assert told.text.startswith("[simulated]")
        assert [error["code"] for error in told.errors] == ["upstream_incomplete"]
        assert told.chunks[-1].keys() == {"error"}
        assert not told.done
        assert told.finishes == []
        assert house.simulator.stats.requests == 1


async def test_an_error_inside_a_stream_is_told_inside_the_stream() -> None:
    async with open_house() as house:
        told = (await house.ask(streamed("Hello [[sim:words=300]][[sim:error-mid=2]]"))).events
        assert [error["code"] for error in told.errors] == ["overloaded"]
        assert (told.done, told.finishes) == (False, [])
        assert house.simulator.stats.requests == 1


async def test_a_stream_that_ends_without_a_finish_is_not_finished() -> None:
    async with open_house(Script(answers(says("Half", finish=None)))) as house:
        told = (await house.ask(streamed())).events
        assert told.text == "Half"
        assert [error["code"] for error in told.errors] == ["upstream_incomplete"]
        assert (told.done, told.finishes) == (False, [])


async def test_garbage_after_the_first_event_is_an_error_event() -> None:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        exchange.write(frame(says("Half", finish=None)) + b"data: {oops\r\n\r\n")
        exchange.finish()

    async with open_house(Script(act)) as house:
        told = (await house.ask(streamed())).events
        assert [error["code"] for error in told.errors] == ["bad_gateway"]
        assert (told.done, told.text) == (False, "Half")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cut_before_the_first_event_is_a_real_http_error(stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Hello [[sim:cut-before]]", stream=stream))
        assert answer.status == 502
        assert answer.headers["content-type"] == "application/json"
        assert answer.error["code"] == "upstream_incomplete"


@pytest.mark.parametrize(
    ("fault", "status"), [("429", 429), ("503", 503), ("500", 500), ("400", 400), ("garbage", 502)]
)
async def test_an_error_before_the_first_event_of_a_stream_has_its_http_status(fault: str, status: int) -> None:
    async with open_house() as house:
        answer = await house.ask(streamed(f"Hello [[sim:{fault}]]"))
        assert answer.status == status
        assert answer.error["code"]
        assert house.simulator.stats.requests == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_body_cut_in_the_middle_of_a_whole_answer_is_no_answer(stream: bool) -> None:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE if stream else [("content-type", "application/json")])
        exchange.write(b'data: {"candidates": [{"con')
        exchange.abort()

    async with open_house(Script(act)) as house:
        answer = await house.ask(chat(stream=stream))
        assert (answer.status, answer.error["code"]) == (502, "upstream_incomplete")


# -- answers that are none (complaint 20) ----------------------------------------------------------------------------

MALFORMED = candidate(finish="MALFORMED_FUNCTION_CALL")
UNEXPECTED = candidate(finish="UNEXPECTED_TOOL_CALL")
OTHER = candidate(finish="OTHER")
NOTHING: Json = {"usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}, "modelVersion": "gemini-3.5-flash"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (MALFORMED, "upstream_malformed_output"),
        (UNEXPECTED, "upstream_malformed_output"),
        (OTHER, "upstream_empty"),
        (NOTHING, "upstream_empty"),
    ],
)
async def test_an_answer_that_is_none_is_asked_for_once_more_and_then_is_an_error(
    body: Json, code: str, stream: bool
) -> None:
    provider = Script(answers(body))
    async with open_house(provider) as house:
        answer = await house.ask(chat(stream=stream))
        assert (answer.status, answer.error["code"]) == (502, code)
        assert len(provider.requests) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_a_second_key_does_not_multiply_the_tries(stream: bool) -> None:
    provider = Script(answers(MALFORMED))
    async with open_house(provider, keys=("one", "two", "three")) as house:
        answer = await house.ask(chat(stream=stream))
        assert (answer.status, answer.error["code"]) == (502, "upstream_malformed_output")
        assert len(provider.requests) == 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("body", [MALFORMED, OTHER, NOTHING, candidate(), says("")])
async def test_the_second_try_is_silent(body: Json, stream: bool) -> None:
    provider = Script(answers(body), answers(says("Here you are")))
    async with open_house(provider) as house:
        answer = await house.ask(chat(stream=stream))
        assert answer.status == 200
        assert len(provider.requests) == 2
        assert provider.bodies[0] == provider.bodies[1]
        if stream:
            assert (answer.events.text, answer.events.finishes) == ("Here you are", ["stop"])
            assert answer.events.done
        else:
            assert answer.message["content"] == "Here you are"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["malformed", "empty", "unexpected"])
async def test_a_fault_of_chance_is_not_noticed(fault: str, stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(f"Hello [[sim:once:{fault}]]", stream=stream))
        text = answer.events.text if stream else answer.message["content"]
        assert text == '[simulated] You said: "Hello"'
        assert house.simulator.stats.requests == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_simply_stops_twice_is_told_with_the_providers_own_word(stream: bool) -> None:
    """mapping.md 2.5, third row: `stop` with nothing in it, and never without the native reason."""
    provider = Script(answers(candidate()))
    async with open_house(provider) as house:
        answer = await house.ask(chat(stream=stream))
        assert answer.status == 200
        assert len(provider.requests) == 2
        choices = [choice for chunk in answer.events.chunks for choice in chunk["choices"]] if stream else []
        choice = choices[-1] if stream else answer.json()["choices"][0]
        assert (choice["finish_reason"], choice["native_finish_reason"]) == ("stop", "STOP")


async def test_text_already_delivered_is_not_taken_back_by_a_malformed_end() -> None:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        exchange.write(frame(says("Half", finish=None)) + frame(MALFORMED))
        exchange.finish()

    provider = Script(act)
    async with open_house(provider) as house:
        told = (await house.ask(streamed())).events
        assert (told.text, len(provider.requests)) == ("Half", 1)
        assert told.chunks[-1]["choices"][0]["native_finish_reason"] == "MALFORMED_FUNCTION_CALL"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fault", "reason"), [("length", "length"), ("safety", "content_filter"), ("block", "content_filter")]
)
async def test_an_end_that_explains_itself_is_delivered(fault: str, reason: str, stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(f"Hello there [[sim:{fault}]]", stream=stream))
        finishes = answer.events.finishes if stream else [answer.json()["choices"][0]["finish_reason"]]
        assert finishes == [reason]
        assert house.simulator.stats.requests == 1


# -- when the 200 goes out -------------------------------------------------------------------------------------------


class Gate:
    """A provider that says nothing until it is told to, and then plays an act."""

    def __init__(self, then: Act) -> None:
        self.arrived = asyncio.Event()
        self.opened = asyncio.Event()
        self._then = then

    async def __call__(self, exchange: Exchange) -> None:
        self.arrived.set()
        await self.opened.wait()
        await self._then(exchange)


async def test_the_200_is_held_until_the_first_event() -> None:
    gate = Gate(answers(says("At last")))
    async with open_house(gate, settings=Settings(commit_after_s=FOREVER_S)) as house, house.open(streamed()) as wire:
        await gate.arrived.wait()
        assert await wire.is_silent(0.2)
        gate.opened.set()
        answer = await wire.rest()
        assert (answer.status, answer.events.text, answer.events.comments) == (200, "At last", 0)


async def test_headers_of_the_provider_are_no_promise() -> None:
    """Its 200 and hidden thoughts are nothing to show yet: a fault after them is still a real HTTP error."""

    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        exchange.write(frame(candidate({"text": "hm", "thought": True}, finish=None)) * 2)
        await exchange.drain()
        exchange.abort()

    provider = Script(act)
    async with open_house(provider) as house:
        answer = await house.ask(streamed())
        assert (answer.status, answer.error["code"]) == (502, "upstream_incomplete")
        assert len(provider.requests) == 1


async def test_after_commit_after_s_the_connection_is_kept_alive_and_the_answer_follows() -> None:
    gate = Gate(answers(says("At last")))
    async with open_house(gate, settings=IMPATIENT) as house, house.open(streamed()) as wire:
        assert await wire.head() == 200
        assert wire.headers["content-type"].startswith("text/event-stream")
        comments = [await wire.chunk() for _ in range(3)]
        assert set(comments) == {b": keep-alive\n\n"}
        gate.opened.set()
        told = (await wire.rest()).events
        assert (told.text, told.finishes, told.done) == ("At last", ["stop"], True)


async def test_a_keep_alive_promises_nothing_so_a_failure_after_it_is_an_error_event() -> None:
    gate = Gate(fails(503, "UNAVAILABLE"))
    async with open_house(gate, settings=IMPATIENT) as house, house.open(streamed()) as wire:
        assert (await wire.chunk()).startswith(b":")
        gate.opened.set()
        told = (await wire.rest()).events
        assert [error["code"] for error in told.errors] == ["overloaded"]
        assert (told.done, told.finishes) == (False, [])


async def test_a_keep_alive_promises_nothing_so_another_candidate_may_still_be_tried() -> None:
    gate = Gate(fails(503, "UNAVAILABLE"))
    provider = Script(gate, answers(says("From the other key")))
    async with (
        open_house(provider, keys=("one", "two"), settings=IMPATIENT) as house,
        house.open(streamed()) as wire,
    ):
        assert (await wire.chunk()).startswith(b":")
        gate.opened.set()
        told = (await wire.rest()).events
        assert (told.text, told.done, told.errors) == ("From the other key", True, [])


async def test_a_request_no_candidate_can_be_asked_is_refused_in_the_stream_once_it_is_open() -> None:
    """The successor cannot take this request: after the 200 that too is an event, not a dropped connection."""
    gate = Gate(fails(404, "NOT_FOUND", "models/x is not found for API version v1beta"))
    in_january = 1_767_300_000.0
    body = streamed(model="gemini-3.1-flash-image-preview")
    async with (
        open_house(Script(gate, fails(400, "INVALID_ARGUMENT")), settings=IMPATIENT, now=lambda: in_january) as house,
        house.open(body) as wire,
    ):
        assert (await wire.chunk()).startswith(b":")
        gate.opened.set()
        told = (await wire.rest()).events
        assert [error["code"] for error in told.errors] == ["invalid_value"]
        assert not told.done


async def test_an_unstreamed_answer_is_never_begun_early() -> None:
    gate = Gate(fails(503, "UNAVAILABLE"))
    async with open_house(gate, settings=IMPATIENT) as house, house.open(chat()) as wire:
        await gate.arrived.wait()
        assert await wire.is_silent(0.2)
        gate.opened.set()
        assert (await wire.rest()).status == 503


async def test_silence_in_the_middle_of_a_stream_is_filled_with_comments() -> None:
    opened = asyncio.Event()

    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        exchange.write(frame(says("One", finish=None)))
        await opened.wait()
        exchange.write(frame(says("Two")))
        exchange.finish()

    settings = Settings(keep_alive_s=0.05)
    async with open_house(Script(act), settings=settings) as house, house.open(streamed()) as wire:
        body = b""
        while b": keep-alive" not in body:
            body += await wire.chunk()
        opened.set()
        body += (await wire.rest()).body
        assert b"One" in body.partition(b": keep-alive")[0]
        assert b"Two" in body.partition(b": keep-alive")[2]


async def test_a_provider_that_never_answers_is_a_timeout() -> None:
    async with open_house(settings=Settings(first_byte_timeout_s=0.05)) as house:
        answer = await house.ask(chat("Hello [[sim:stall=600]]"))
        assert (answer.status, answer.error["code"]) == (504, "upstream_timeout")


async def test_a_provider_that_falls_silent_in_a_stream_is_a_timeout_in_the_stream() -> None:
    async with open_house(settings=Settings(idle_timeout_s=0.05)) as house:
        told = (await house.ask(streamed("Hello [[sim:words=200]][[sim:stall-mid=600]]"))).events
        assert [error["code"] for error in told.errors] == ["upstream_timeout"]
        assert not told.done


async def test_a_provider_that_is_not_there_is_a_bad_gateway() -> None:
    async with open_house() as house:
        await house._provider_server.stop(grace_s=0)
        answer = await house.ask(chat())
        assert (answer.status, answer.error["code"]) == (502, "upstream_unreachable")


# -- callers that leave ----------------------------------------------------------------------------------------------

LEAVE = ["reset", "leave"]


@pytest.fixture(autouse=True)
def brisk_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent caller that may have left is probed after a second; the tests need not wait so long."""
    monkeypatch.setattr("portico.http.connection.PROBE_S", 0.05)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("how", LEAVE)
async def test_a_caller_that_leaves_before_the_first_byte_cancels_the_provider(how: str, stream: bool) -> None:
    async with (
        open_house() as house,
        house.open(chat(f"Hello [[sim:stall={FOREVER_S}]]", stream=stream)) as wire,
    ):
        await until(lambda: house.simulator.stats.requests == 1)
        getattr(wire, how)()
        await until(lambda: house.simulator.stats.cancelled == 1)
        await until(lambda: house.upstream.open_connections == 0)


@pytest.mark.parametrize("how", LEAVE)
async def test_a_caller_that_leaves_while_the_stream_is_silent_drops_the_provider(how: str) -> None:
    """A keep-alive that nobody takes tells that the caller has gone."""
    settings = Settings(keep_alive_s=0.05)
    async with (
        open_house(settings=settings) as house,
        house.open(streamed(f"Hello [[sim:words=200]][[sim:stall-mid={FOREVER_S}]]")) as wire,
    ):
        await wire.chunk()
        assert house.upstream.open_connections == 1
        getattr(wire, how)()
        await until(lambda: house.upstream.open_connections == 0)


async def test_a_caller_that_leaves_while_events_flow_cancels_the_provider() -> None:
    async with (
        open_house() as house,
        house.open(streamed("Hello [[sim:words=20000]][[sim:slow=0.005]]")) as wire,
    ):
        for _ in range(3):
            await wire.chunk()
        wire.reset()
        await until(lambda: house.simulator.stats.cancelled == 1)


async def test_a_caller_that_leaves_after_the_200_went_out_early_cancels_the_provider() -> None:
    async with (
        open_house(settings=IMPATIENT) as house,
        house.open(streamed(f"Hello [[sim:stall={FOREVER_S}]]")) as wire,
    ):
        await wire.chunk()
        wire.leave()
        await until(lambda: house.simulator.stats.cancelled == 1)


async def test_a_caller_that_does_not_read_a_whole_answer_does_not_hold_the_provider() -> None:
    async with open_house() as house, house.open(chat("Hello [[sim:size=5M]]")) as wire:
        await wire.head()
        await until(lambda: house.simulator.stats.answered == 1)
        assert len((await wire.rest()).message["content"]) == 5_000_000


# -- other candidates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refused_key_falls_over_to_the_next(stream: bool) -> None:
    async with open_house(keys=("bad-key-1", "good-key")) as house:
        for _ in range(8):
            answer = await house.ask(chat(stream=stream))
            assert answer.status == 200
        used = [seen.key for seen in house.simulator.stats.seen]
        assert used.count("good-key") == 8
        assert "bad-key-1" in used


@pytest.mark.parametrize("stream", [False, True])
async def test_keys_that_are_all_refused_are_the_operators_fault_and_show_nothing_of_them(stream: bool) -> None:
    async with open_house(keys=("bad-key-1", "bad-key-2")) as house:
        answer = await house.ask(chat(stream=stream))
        assert (answer.status, answer.error["code"]) == (502, "upstream_auth")
        assert b"bad-key" not in answer.body
        assert b"API key" not in answer.body
        assert house.simulator.stats.requests == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_an_exhausted_key_falls_over_to_the_next(stream: bool) -> None:
    provider = Script(fails(429, "RESOURCE_EXHAUSTED"), answers(says("From the other key")))
    async with open_house(provider, keys=("one", "two")) as house:
        answer = await house.ask(chat(stream=stream))
        assert answer.status == 200
        assert {request.headers["x-goog-api-key"] for request in provider.requests} == {"one", "two"}


@pytest.mark.parametrize("stream", [False, True])
async def test_a_rate_limit_of_the_only_key_says_when_to_come_back(stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Hello [[sim:429]]", stream=stream))
        assert (answer.status, answer.headers["retry-after"]) == (429, "34")
        assert answer.error["code"] == "rate_limit_exceeded"
        assert house.simulator.stats.requests == 1


@pytest.mark.parametrize("delay", ["infs", "nans", "-5s", "1e400s", "soon"])
async def test_a_nonsensical_delay_is_survived(delay: str) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
    async with open_house(Script(fails(429, "RESOURCE_EXHAUSTED", details=details))) as house:
        answer = await house.ask(chat())
        assert (answer.status, answer.error["code"]) == (429, "rate_limit_exceeded")
        assert answer.headers.get("retry-after", "0").isdigit()


async def test_what_the_provider_rejects_is_tried_nowhere_else() -> None:
    provider = Script(fails(400, "INVALID_ARGUMENT", "Request contains an invalid argument."))
    async with open_house(provider, keys=("one", "two")) as house:
        answer = await house.ask(chat())
        assert (answer.status, len(provider.requests)) == (400, 1)
        assert answer.error["message"] == "Request contains an invalid argument."


async def test_no_key_is_ever_in_a_url() -> None:
    async with open_house() as house:
        await house.ask(chat())
        assert "key" not in house.simulator.stats.last.query
        assert house.simulator.stats.last.key == "good-key"


# -- successors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_a_retired_model_is_answered_by_its_successor_and_that_is_said(stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(model="gemini-3-pro-preview", stream=stream))
        assert answer.status == 200
        assert answer.codes == ["6:successor"]
        assert answer.changes[0]["path"] == "$.model"
        assert answer.headers["x-portico-upstream-model"] == "gemini-3.1-pro-preview"
        assert (answer.events.chunks[0] if stream else answer.json())["model"] == "gemini-3-pro-preview"
        assert [seen.model for seen in house.simulator.stats.seen] == ["gemini-3.1-pro-preview"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("keys", [("one",), ("one", "two")])
async def test_a_model_its_provider_no_longer_knows_goes_to_its_successor(keys: tuple[str, ...], stream: bool) -> None:
    gone = fails(404, "NOT_FOUND", "models/gemini-3.1-flash-image-preview is not found for API version v1beta")
    provider = Script(*[gone for _ in keys], answers(says("From the successor")))
    in_january = 1_767_300_000.0  # before its shutdown
    async with open_house(provider, keys=keys, now=lambda: in_january) as house:
        answer = await house.ask(chat(model="gemini-3.1-flash-image-preview", stream=stream))
        assert answer.status == 200
        assert "6:successor" in answer.codes
        asked = [request.path.rpartition("/")[2].partition(":")[0] for request in provider.requests]
        assert asked == ["gemini-3.1-flash-image-preview"] * len(keys) + ["gemini-3.1-flash-image"]


async def test_a_model_its_provider_does_not_know_and_nothing_replaces_is_not_found() -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Hello [[sim:404]]"))
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")


# -- many at once ----------------------------------------------------------------------------------------------------


async def test_many_streams_at_once_do_not_mix() -> None:
    async with open_house(Simulator(pace_s=0.001)) as house:
        dice = Random(3)
        texts = [f"caller {n} {'x' * dice.randrange(300)}" for n in range(60)]
        told = await asyncio.gather(*[house.ask(streamed(text)) for text in texts])
        assert [answer.events.text for answer in told] == [f'[simulated] You said: "{text}"' for text in texts]
        assert len({answer.headers["x-portico-request-id"] for answer in told}) == len(told)
