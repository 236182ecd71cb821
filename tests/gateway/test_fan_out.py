"""Many answers from models that give few to a call: asked for in several calls, told as one (mapping.md 1.1, `n`)."""

import asyncio
import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from gateway.gemini import ask as ask_google
from gateway.gemini import prompt
from gateway.house import (
    Answer,
    Json,
    Script,
    answers,
    as_bytes,
    candidate,
    chat,
    fails,
    frame,
    open_house,
    says,
    until,
)
from gateway.vendors import GPT, gpt_message, gpt_says
from portico.providers import KINDS
from portico.simulator import Simulator
from portico.wire.http import App, Exchange

ONE = "gemini-3.5-flash"
"""Gives one answer to a call."""
EIGHT = "gemini-2.5-flash"
"""Gives eight."""
SSE = [("content-type", "text/event-stream")]
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 1, "totalTokenCount": 6}


class Witness:
    """An app before which somebody notes what was asked, and how much of it at a time."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.bodies: list[Any] = []
        self.keys: list[str] = []
        self.running = 0
        self.most = 0
        self.cancelled = 0

    async def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(json.loads(exchange.request.body))
        self.keys.append(exchange.request.headers["x-goog-api-key"])
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self._app(exchange)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    @property
    def configs(self) -> list[Json]:
        return [body.get("generationConfig", {}) for body in self.bodies]


def choices_of(answer: Answer, *, stream: bool) -> dict[int, Json]:
    """Index -> content and finish, of either form of answer; every index is told once."""
    assert answer.status == 200, answer.body
    if not stream:
        listed = answer.json()["choices"]
        assert [choice["index"] for choice in listed] == list(range(len(listed)))
        return {
            choice["index"]: {"content": choice["message"]["content"], "finish": choice["finish_reason"]}
            for choice in listed
        }
    told = answer.events
    assert told.done
    assert told.errors == []
    assert len({chunk["id"] for chunk in told.chunks}) == 1
    found: dict[int, Json] = {}
    for chunk in told.chunks:
        for choice in chunk["choices"]:
            one = found.setdefault(choice["index"], {"content": "", "finish": None})
            assert one["finish"] is None, "something after the finish"
            one["content"] += choice["delta"].get("content") or ""
            one["finish"] = choice["finish_reason"]
    return dict(sorted(found.items()))


def usage_of(answer: Answer, *, stream: bool) -> Any:
    return answer.events.chunks[-1]["usage"] if stream else answer.json()["usage"]


def asked(n: int, text: str = "Hello", *, stream: bool = False, **more: Any) -> Json:
    body = chat(text, n=n, stream=stream, **more)
    return {**body, "stream_options": {"include_usage": True}} if stream else body


@pytest.mark.parametrize("stream", [False, True])
async def test_three_answers_are_three_calls_and_one_answer(stream: bool) -> None:
    provider = Witness(Simulator())
    async with open_house(provider) as house:
        alone = await house.ask(asked(1, stream=stream))
        answer = await house.ask(asked(3, stream=stream))
        assert choices_of(answer, stream=stream) == {
            index: {"content": '[simulated] You said: "Hello"', "finish": "stop"} for index in range(3)
        }
        assert all("candidateCount" not in config for config in provider.configs)
        assert len(provider.bodies) == 1 + 3
        one, three = usage_of(alone, stream=stream), usage_of(answer, stream=stream)
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            assert three[name] == 3 * one[name]
        assert three["completion_tokens_details"]["reasoning_tokens"] == (
            3 * one["completion_tokens_details"]["reasoning_tokens"]
        )
        assert "x-portico-changes" not in answer.headers
        assert answer.headers["x-portico-upstream-model"] == ONE


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_gives_eight_is_asked_as_seldom_as_can_be(stream: bool) -> None:
    provider = Witness(Simulator())
    async with open_house(provider) as house:
        answer = await house.ask(asked(10, stream=stream, model=EIGHT))
        assert list(choices_of(answer, stream=stream)) == list(range(10))
        assert sorted(config["candidateCount"] for config in provider.configs) == [2, 8]
        provider.bodies.clear()
        assert list(choices_of(await house.ask(asked(9, model=EIGHT)), stream=False)) == list(range(9))
        assert sorted(config.get("candidateCount", 1) for config in provider.configs) == [1, 8]


@pytest.mark.parametrize("seed", [5, 0, 2**31 - 1, 2**40])
async def test_equal_seeds_would_give_equal_answers(seed: int) -> None:
    provider = Witness(Simulator())
    async with open_house(provider) as house:
        answer = await house.ask(asked(3, seed=seed))
        folded = (seed + 2**31) % 2**32 - 2**31
        assert {config["seed"] for config in provider.configs} == {
            (folded + i + 2**31) % 2**32 - 2**31 for i in range(3)
        }
        assert answer.codes == (["1.1:seed"] if folded != seed else [])


@pytest.mark.parametrize("n", [0, 129, 1.5, "2"])
async def test_how_many_there_may_be_is_the_dialects_to_say(n: Any) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(n=n))
        assert (answer.status, answer.error["param"]) == (400, "n")


class Gate:
    """A provider that keeps its callers waiting until it is opened."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        await self.opened.wait()
        await answers(says("At last", usageMetadata=USAGE))(exchange)


@pytest.mark.parametrize("stream", [False, True])
async def test_eight_calls_are_made_at_a_time_and_the_others_wait(stream: bool) -> None:
    gate = Gate()
    provider = Witness(gate)
    async with open_house(provider) as house, house.open(asked(20, stream=stream)) as wire:
        await until(lambda: provider.running == 8)
        assert await wire.is_silent(0.1)
        gate.opened.set()
        answer = await wire.rest()
        assert list(choices_of(answer, stream=stream)) == list(range(20))
        assert (provider.most, len(provider.bodies)) == (8, 20)
        assert usage_of(answer, stream=stream)["total_tokens"] == 20 * USAGE["totalTokenCount"]


# -- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", [candidate(finish="MALFORMED_FUNCTION_CALL"), candidate(finish="OTHER"), says("")])
async def test_a_fault_of_chance_is_tried_again_for_its_call_alone(fault: Json, stream: bool) -> None:
    provider = Script(answers(fault), answers(says("Fine")))
    async with open_house(provider) as house:
        answer = await house.ask(asked(3, stream=stream))
        assert [choice["content"] for choice in choices_of(answer, stream=stream).values()] == ["Fine"] * 3
        assert len(provider.requests) == 4


@pytest.mark.parametrize("stream", [False, True])
async def test_a_key_at_its_limit_is_passed_over_by_each_call_for_itself(stream: bool) -> None:
    async def app(exchange: Exchange) -> None:
        spent = exchange.request.headers["x-goog-api-key"] == "spent"
        await (fails(429, "RESOURCE_EXHAUSTED") if spent else answers(says("Fine")))(exchange)

    provider = Witness(app)
    async with open_house(provider, keys=("spent", "fresh")) as house:
        answer = await house.ask(asked(6, stream=stream))
        assert len(choices_of(answer, stream=stream)) == 6
        tried = Counter(provider.keys)
        assert tried["fresh"] == 6
        assert tried["spent"] < 6


@pytest.mark.parametrize("stream", [False, True])
async def test_one_call_that_fails_for_good_fails_the_whole_and_stops_the_others(stream: bool) -> None:
    waiting = Witness(Gate())

    async def app(exchange: Exchange) -> None:
        if provider.running == 3:
            await fails(429, "RESOURCE_EXHAUSTED")(exchange)
        else:
            await waiting(exchange)

    provider = Witness(app)
    async with open_house(provider) as house:
        answer = await house.ask(asked(3, stream=stream))
        assert (answer.status, answer.error["code"]) == (429, "rate_limit_exceeded")
        await until(lambda: waiting.cancelled == 2)


@pytest.mark.parametrize("stream", [True, False])
async def test_one_call_of_several_is_not_made_good_by_who_is_sent_the_whole_body(stream: bool) -> None:
    """That one would give all the answers once more, in the place of one."""
    passes = msgspec.structs.replace(KINDS["openai"], vendors=frozenset({"google"}))
    script = Script(fails(500, "INTERNAL"))
    async with open_house(script, kinds=(KINDS["gemini"], passes)) as house:
        answer = await house.ask(asked(2, stream=stream))
    assert answer.status >= 500, answer.body
    assert script.bodies
    assert all("contents" in body for body in script.bodies)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("blocked", [0, 1])
async def test_a_prompt_that_is_blocked_is_blocked_in_its_place(blocked: int, stream: bool) -> None:
    block = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": ONE, "usageMetadata": USAGE}
    acts = [answers(says("Fine"))] * 2
    acts[blocked] = answers(block)
    async with open_house(Script(*acts)) as house:
        choices = choices_of(await house.ask(asked(2, stream=stream)), stream=stream)
        assert sorted(choice["finish"] for choice in choices.values()) == ["content_filter", "stop"]


def begins(text: str) -> bytes:
    return frame(says(text, finish=None))


async def test_a_call_that_breaks_off_after_something_was_shown_is_an_error_event_and_ends_the_others() -> None:
    shown = asyncio.Event()

    async def app(exchange: Exchange) -> None:
        number = len(provider.bodies)
        exchange.start(200, SSE)
        exchange.write(begins(f"Half {number}"))
        await exchange.drain()
        if number == 1:
            await shown.wait()
            exchange.abort()
        else:
            await asyncio.Event().wait()

    provider = Witness(app)
    async with open_house(provider) as house, house.open(asked(3, stream=True)) as wire:
        seen = b""
        while seen.count(b"Half") < 3:
            seen += await wire.chunk()
        shown.set()
        answer = await wire.rest()
        told = Answer(200, {}, seen + answer.body).events
        assert [error["code"] for error in told.errors] == ["upstream_incomplete"]
        assert told.chunks[-1].keys() == {"error"}
        assert (told.done, told.finishes) == (False, [])
        assert len(provider.bodies) == 3
        await until(lambda: provider.cancelled == 2)


async def test_a_call_of_which_nothing_was_shown_is_tried_again_while_others_are_shown() -> None:
    first_shown = asyncio.Event()
    go_on = asyncio.Event()

    async def app(exchange: Exchange) -> None:
        number = len(provider.bodies)
        if number == 1:
            exchange.start(200, SSE)
            exchange.write(begins("First"))
            await go_on.wait()
            exchange.write(frame(says(" and last")))
            exchange.finish()
        elif number == 2:
            await first_shown.wait()
            await answers(candidate(finish="MALFORMED_FUNCTION_CALL"))(exchange)
        else:
            await answers(says("Second"))(exchange)
            go_on.set()

    provider = Witness(app)
    async with open_house(provider) as house, house.open(asked(2, stream=True)) as wire:
        seen = b""
        while b"First" not in seen:
            seen += await wire.chunk()
        first_shown.set()
        answer = await wire.rest()
        whole = Answer(200, answer.headers, seen + answer.body)
        contents = {choice["content"] for choice in choices_of(whole, stream=True).values()}
        assert contents == {"First and last", "Second"}
        assert len(provider.bodies) == 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("begun", [False, True])
async def test_a_caller_who_leaves_ends_every_call(stream: bool, begun: bool) -> None:
    async def app(exchange: Exchange) -> None:
        if begun:
            exchange.start(200, SSE)
            exchange.write(begins("Half"))
        await asyncio.Event().wait()

    provider = Witness(app)
    async with open_house(provider) as house, house.open(asked(12, stream=stream)) as wire:
        await until(lambda: provider.running == 8)
        if begun and stream:
            await wire.chunk()
        wire.reset()
        await until(lambda: provider.cancelled == 8)
        await until(lambda: house.upstream.open_connections == 0)
        assert len(provider.bodies) == 8


async def test_a_slow_caller_slows_every_call() -> None:
    size = 30_000_000
    async with open_house() as house:
        stats = house.simulator.stats
        async with house.open(asked(2, f"Hello [[sim:size={size}]]", stream=True)) as wire:
            assert await wire.head() == 200
            written = -1
            while written != stats.bytes_written:
                await until(lambda: stats.waiting == 2)
                written = stats.bytes_written
                await asyncio.sleep(0.3)
            assert written < size


# -- what stands beside the answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 12])
async def test_what_was_lost_is_told_once_before_the_first_byte_of_a_stream(n: int) -> None:
    fields = {f"ключ {i}": 1 for i in range(40)}
    async with open_house() as house:
        few = await house.ask(asked(n, stream=True, presence_penalty=1, logit_bias={"1": 1}))
        assert few.codes == ["1.1:penalties", "1.1:unsupported"]
        many = await house.ask({**asked(n, stream=True), **fields})
        header = many.headers["x-portico-changes"]
        assert header.isascii()
        assert header.isprintable()
        assert len(header) <= 2048
        told = json.loads(header)
        assert told[-1] == {"more": 40 - len(told) + 1}


TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("chosen", [0, 1, 2])
async def test_the_signatures_of_every_answer_are_kept(chosen: int, stream: bool) -> None:
    """A client that goes on from any of the answers, and drops what it does not know, loses nothing."""
    provider = Witness(Simulator())
    async with open_house(provider) as house:
        body = asked(3, "Use look_up.", stream=stream, tools=[TOOL])
        answer = await house.ask(body)
        calls: dict[int, Json] = {}
        if stream:
            for chunk in answer.events.chunks:
                for choice in chunk["choices"]:
                    for call in choice["delta"].get("tool_calls", ()):
                        calls[choice["index"]] = call
        else:
            calls = {choice["index"]: choice["message"]["tool_calls"][0] for choice in answer.json()["choices"]}
        assert len({call["id"] for call in calls.values()}) == 3
        call = {key: value for key, value in calls[chosen].items() if key in ("id", "type", "function")}
        turns = [
            *body["messages"],
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": "42"},
        ]
        again = await house.ask({**body, "messages": turns, "n": 1, "stream": False, "stream_options": None})
        assert again.status == 200, again.body
        assert again.codes == []
        parts = [part for content in provider.bodies[-1]["contents"] for part in content["parts"]]
        (called,) = [part for part in parts if "functionCall" in part]
        assert called["thoughtSignature"]


async def test_an_answer_that_nobody_asked_for_takes_the_place_of_none() -> None:
    two = {"candidates": [says("a")["candidates"][0], {**says("b")["candidates"][0], "index": 1}], "modelVersion": ONE}
    async with open_house(Script(answers(two), answers(says("c")))) as house:
        answer = await house.ask(asked(2))
        contents = [choice["message"]["content"] for choice in answer.json()["choices"]]
        assert sorted(contents[:2]) == ["a", "c"]
        assert contents[2] == "b"


async def test_a_caller_of_googles_own_dialect_is_told_by_google() -> None:
    body = as_bytes(
        {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"candidateCount": 3}}
    )
    provider = Witness(Simulator())
    async with open_house(provider) as house:
        answer = await house.ask(body, path=f"/v1beta/models/{ONE}:generateContent")
        assert answer.status == 400
        assert "Multiple candidates is not enabled" in answer.json()["error"]["message"]
        assert len(provider.bodies) == 1


async def test_where_a_call_has_one_answer_several_are_asked_for_one_by_one() -> None:
    """GPT gives many answers to a call of Chat, and one to a call of Responses, in which other dialects' callers ask it."""
    script = Script(answers(gpt_says(gpt_message("a"))), answers(gpt_says(gpt_message("b"))))
    body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"candidateCount": 2}}
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        answer = await house.ask(as_bytes(body), path=f"/v1beta/models/{GPT}:generateContent")
        assert answer.status == 200
        texts = [one["content"]["parts"][0]["text"] for one in answer.json()["candidates"]]
        assert sorted(texts) == ["a", "b"]
        assert "1.1:n" not in answer.headers.get("x-portico-changes", "")


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent", "countTokens"])
@pytest.mark.parametrize("count", [-1, 129, 10**9, "9" * 30, 1e300])
async def test_more_answers_than_anybody_asks_for_are_refused_in_googles_words_too(verb: str, count: Any) -> None:
    script = Script(answers({}))
    async with open_house(script, kinds=(KINDS["openai"],)) as house:
        body = prompt("Hi", generationConfig={"candidateCount": count})
        answer = await ask_google(house, body, verb=verb, model=GPT)
        assert answer.status == 400
        assert b"candidateCount" in answer.body
        assert script.requests == []
