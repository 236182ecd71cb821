"""A Gemini caller whose bytes cannot pass: the model's name says something, or the provider speaks another dialect."""

import asyncio
import json
from typing import Any

import pytest

from gateway.gemini import MODEL, address, ask, error_of, google_error, prompt, streams, text_of, told
from gateway.house import KEY, Act, Json, Script, answers, as_bytes, chat, fails, open_house, says, soon, until
from gateway.vendors import GPT
from portico.core.usage import Usage
from portico.dialects import openai_chat
from portico.http import connection as connection_module
from portico.providers import KINDS, ProviderKind, Spoken, Verb
from portico.relay.relay import Settings
from portico.wire.http import Exchange

STREAM = "streamGenerateContent"
FRAMES = pytest.mark.parametrize("array", [False, True])
CHAT_KIND = ProviderKind(
    name="chat",
    default_base_url="http://127.0.0.1",
    default_version="v1",
    vendors=frozenset({"google"}),
    key_env="CHAT_API_KEY",
    auth_header=lambda key: ("authorization", f"Bearer {key}"),
    spoken=(Spoken(openai_chat.DIALECT, {Verb.GENERATE: "/chat/completions", Verb.STREAM: "/chat/completions"}),),
    models_path="/models",
)
CHAT_ONLY = (CHAT_KIND,)
USED = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "é"}'}}


def query(*, array: bool) -> str:
    return "" if array else "alt=sse"


def completion(message: Json, finish: str = "stop") -> Json:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USED}


def chunk(delta: Json, finish: str | None = None, **more: Any) -> Json:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


CHUNKS: list[Json] = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "One é"}),
    chunk({"content": " two"}),
    chunk({"tool_calls": [{"index": 0, **CALL}]}),
    chunk({}, "tool_calls"),
    {**chunk({}), "choices": [], "usage": USED},
]


def chat_stream(*bodies: Any, done: bool = True, cut: bool = False, size: int = 10**6) -> Act:
    data = b"".join(b"data: " + as_bytes(body) + b"\n\n" for body in bodies) + (b"data: [DONE]\n\n" if done else b"")

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
            await asyncio.sleep(0)
        exchange.abort() if cut else exchange.finish()

    return act


# -- names that say something ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("gemini-2.5-flash-thinking", {"thinkingBudget": -1, "includeThoughts": True}),
        ("gemini-2.5-flash-nothinking", {"thinkingBudget": 0, "includeThoughts": False}),
        ("gemini-2.5-flash-thinking-2048", {"thinkingBudget": 2048, "includeThoughts": True}),
        ("gemini-2.5-pro-nothinking", {"thinkingBudget": 128, "includeThoughts": False}),
        ("gemini-3.5-flash-nothinking", {"thinkingLevel": "MINIMAL", "includeThoughts": False}),
        ("gemini-3.5-flash-high", {"thinkingLevel": "HIGH"}),
        ("gemini-2.5-flash-high", {"thinkingBudget": 24576}),
    ],
)
async def test_a_suffix_is_said_in_the_body_and_unknown_fields_still_pass(name: str, config: Json) -> None:
    provider = Script(answers(says("Hi")))
    async with open_house(provider) as house:
        body = prompt(fieldOfTomorrow={"x": 1}, generationConfig={"topK": 3, "newKnob": True})
        for verb in ("generateContent", STREAM):
            assert (await ask(house, body, verb, "alt=sse", model=name)).status == 200
        for request, sent in zip(provider.requests, provider.bodies, strict=True):
            upstream = request.path.rpartition("/")[2].partition(":")[0]
            assert upstream != name
            assert name.startswith(upstream)
            assert sent["generationConfig"] == {"topK": 3, "newKnob": True, "thinkingConfig": config}
            assert sent["fieldOfTomorrow"] == {"x": 1}
        await ask(house, prompt(), "countTokens", model=name)
        assert provider.bodies[-1] == prompt()


async def test_what_the_body_says_of_thinking_wins_over_the_name() -> None:
    provider = Script(answers(says("Hi")))
    async with open_house(provider) as house:
        own = {"thinking_budget": 7}
        await ask(house, prompt(generationConfig={"thinkingConfig": own}), model="gemini-3.5-flash-high")
        assert provider.bodies[0]["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 7}


@FRAMES
async def test_an_answer_to_a_suffixed_name_is_googles(array: bool) -> None:
    async with open_house() as house:
        answer = await ask(house, verb=STREAM, query=query(array=array), model=f"{MODEL}-high")
        bodies = told(answer, array=array)
        assert text_of(bodies) == '[simulated] You said: "Hello"'
        assert len({body["responseId"] for body in bodies}) == 1
        whole = (await ask(house, model=f"{MODEL}-high")).json()
        assert text_of([whole]) == '[simulated] You said: "Hello"'
        error = error_of(await ask(house, {"contents": 7}, model=f"{MODEL}-high"), 400, "INVALID_ARGUMENT")
        assert error["details"][0]["fieldViolations"][0]["field"].startswith("$.contents")


# -- a provider that speaks Chat -------------------------------------------------------------------------------------


async def test_a_whole_answer_of_a_chat_provider_is_told_as_googles() -> None:
    provider = Script(answers(completion({"content": "One é", "tool_calls": [CALL]}, "tool_calls")))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        body = prompt("Look", systemInstruction={"parts": [{"text": "Be brief."}]})
        answer = await ask(house, body)
        assert answer.status == 200
        told = answer.json()
        (candidate,) = told["candidates"]
        text, call = candidate["content"]["parts"]
        assert text == {"text": "One é"}
        assert (call["functionCall"]["name"], call["functionCall"]["args"]) == ("look", {"at": "é"})
        assert candidate["finishReason"] == "STOP"
        assert told["usageMetadata"]["totalTokenCount"] == 7
        assert told["responseId"]
        assert answer.headers["x-portico-upstream-model"] == "m"
        (request,) = provider.requests
        assert request.path == "/v1/chat/completions"
        assert request.headers["authorization"] == "Bearer good-key"
        sent = provider.bodies[0]
        assert sent["model"] == MODEL
        assert [message["role"] for message in sent["messages"]] == ["system", "user"]


@FRAMES
@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_a_stream_of_a_chat_provider_is_told_as_googles(array: bool, size: int) -> None:
    provider = Script(chat_stream(*CHUNKS, size=size))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        answer = await ask(house, verb=STREAM, query=query(array=array))
        bodies = told(answer, array=array)
        assert text_of(bodies) == "One é two"
        assert len({body["responseId"] for body in bodies}) == 1
        assert [body["candidates"][0]["finishReason"] for body in bodies if "finishReason" in str(body)] == ["STOP"]
        assert bodies[-1]["usageMetadata"]["totalTokenCount"] == 7
        assert provider.bodies[0]["stream"] is True
        assert provider.bodies[0]["stream_options"] == {"include_usage": True}
        assert b": keep-alive" not in answer.body
        assert b"[DONE]" not in answer.body


@pytest.mark.parametrize("body", [{}, {"contents": []}, {"content": prompt()["contents"]}])
async def test_a_body_without_contents_is_refused_as_google_does(body: Json) -> None:
    provider = Script(chat_stream(*CHUNKS))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        error = error_of(await ask(house, body), 400, "INVALID_ARGUMENT")
        assert error["message"] == "* GenerateContentRequest.contents: contents is not specified"
        assert provider.requests == []


@FRAMES
async def test_a_chat_provider_that_is_silent_makes_no_comments(array: bool) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        exchange.write(b"data: " + as_bytes(CHUNKS[1]) + b"\n\n")
        begun.set()
        await go_on.wait()
        exchange.write(b"data: " + as_bytes(CHUNKS[4]) + b"\n\ndata: [DONE]\n\n")
        exchange.finish()

    headers = {"x-goog-api-key": KEY}
    path = address(STREAM, query(array=array))
    async with (
        open_house(Script(act), kinds=CHAT_ONLY, settings=Settings(commit_after_s=0.02, keep_alive_s=0.02)) as house,
        house.open(prompt(), path=path, key=None, headers=headers) as wire,
    ):
        await soon(begun.wait())
        first = await wire.chunk()
        assert await wire.is_silent(0.2)
        go_on.set()
        rest = await wire.rest()
        assert text_of(told(rest._replace(body=first + rest.body), array=array)) == "One é"


@FRAMES
async def test_a_caller_of_a_chat_provider_that_leaves_in_silence_is_missed(
    array: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PROBE_S", 0.02)
    dropped = asyncio.Event()

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        exchange.write(b"data: " + as_bytes(CHUNKS[1]) + b"\n\n")
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()

    path = address(STREAM, query(array=array))
    async with (
        open_house(Script(act), kinds=CHAT_ONLY) as house,
        house.open(prompt(), path=path, key=None, headers={"x-goog-api-key": KEY}) as wire,
    ):
        await wire.chunk()
        wire.leave()
        await until(dropped.is_set)
        await until(lambda: house.upstream.open_connections == 0)


@FRAMES
@pytest.mark.parametrize(
    ("act", "status", "word"),
    [
        (chat_stream(*CHUNKS[:2], done=False), 502, "UNAVAILABLE"),
        (chat_stream(*CHUNKS[:3], done=False, cut=True), 502, "UNAVAILABLE"),
        (
            chat_stream(*CHUNKS[:2], {"error": {"message": "Slow down.", "type": "rate_limit_error"}}),
            502,
            "UNAVAILABLE",
        ),
    ],
)
async def test_a_chat_stream_that_breaks_is_an_error_in_googles_shape(
    act: Act, status: int, word: str, array: bool
) -> None:
    async with open_house(Script(act), kinds=CHAT_ONLY) as house:
        *bodies, last = told(await ask(house, verb=STREAM, query=query(array=array)), array=array)
        assert text_of(bodies).startswith("One é")
        error = last["error"]
        google_error(last, error["code"], error["status"])
        assert not any("finishReason" in str(body) for body in bodies)


@FRAMES
@pytest.mark.parametrize(
    ("status", "error", "told_status", "word"),
    [
        (
            429,
            {"message": "Slow down.", "type": "rate_limit_error", "code": "rate_limit_exceeded"},
            429,
            "RESOURCE_EXHAUSTED",
        ),
        (401, {"message": "Incorrect API key.", "type": "invalid_request_error"}, 502, "UNAVAILABLE"),
        (400, {"message": "Bad.", "type": "invalid_request_error", "param": "top_p"}, 400, "INVALID_ARGUMENT"),
        (500, {"message": "Oops."}, 500, "INTERNAL"),
    ],
)
async def test_an_error_of_a_chat_provider_is_told_in_googles_shape(
    status: int, error: Json, told_status: int, word: str, array: bool
) -> None:
    async with open_house(Script(answers({"error": error}, status)), kinds=CHAT_ONLY) as house:
        error_of(await ask(house), told_status, word)
    async with open_house(Script(answers({"error": error}, status)), kinds=CHAT_ONLY) as house:
        error_of(await ask(house, verb=STREAM, query=query(array=array)), told_status, word, array=array)


async def test_a_body_that_has_to_be_read_is_judged() -> None:
    provider = Script(answers(completion({"content": "Hi"})))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        error_of(await ask(house, b"{oops"), 400, "INVALID_ARGUMENT")
        error_of(await ask(house, {"contents": 7}, STREAM, "alt=sse"), 400, "INVALID_ARGUMENT")
        assert (await ask(house, prompt("Look"))).status == 200
        assert len(provider.requests) == 1


async def test_what_a_chat_provider_cannot_count_is_estimated_and_said_to_be() -> None:
    provider = Script(answers({"totalTokens": 7}))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        answer = await ask(house, prompt("x" * 4000), "countTokens")
        assert answer.status == 200, answer.body
        assert answer.headers["x-portico-estimated"] == "1"
        assert 1000 <= answer.json()["totalTokens"] < 1100
        assert provider.requests == []
    async with open_house(provider, kinds=(CHAT_KIND, KINDS["gemini"])) as house:
        answer = await ask(house, verb="countTokens")
        assert answer.json() == {"totalTokens": 7}
        assert "x-portico-estimated" not in answer.headers


@pytest.mark.parametrize("verb", ["embedContent", "batchEmbedContents"])
async def test_what_a_chat_provider_cannot_be_asked_it_is_not_asked(verb: str) -> None:
    provider = Script(answers({"totalTokens": 7}))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        error = error_of(await ask(house, verb=verb), 400, "INVALID_ARGUMENT")
        assert MODEL in error["message"]
        assert provider.requests == []
    async with open_house(provider, kinds=(CHAT_KIND, KINDS["gemini"])) as house:
        assert (await ask(house, verb=verb)).json() == {"totalTokens": 7}
        assert [request.path for request in provider.requests] == [f"/v1beta/models/{MODEL}:{verb}"]


# -- both ------------------------------------------------------------------------------------------------------------

ODD = b'{ "contents" : [{"parts":[{"text":"Look"}]}],"fieldOfTomorrow":1.0 }'


@FRAMES
async def test_bytes_pass_to_the_one_and_are_read_for_the_other(array: bool) -> None:
    """The Gemini provider fails: the body that had passed untouched is then read and said in Chat's words."""
    provider = Script(fails(503, "UNAVAILABLE"), chat_stream(*CHUNKS))
    async with open_house(provider, kinds=(KINDS["gemini"], CHAT_KIND)) as house:
        bodies = told(await ask(house, ODD, STREAM, query(array=array)), array=array)
        assert text_of(bodies) == "One é two"
        first, second = provider.requests
        assert (first.path, first.body) == (f"/v1beta/models/{MODEL}:{STREAM}", ODD)
        assert second.path == "/v1/chat/completions"
        assert json.loads(second.body)["messages"] == [{"role": "user", "content": "Look"}]


async def test_bytes_pass_to_the_second_though_they_were_read_for_the_first() -> None:
    provider = Script(answers({"error": {"message": "Oops."}}, 500), streams(says("Hi", responseId="r")))
    async with open_house(provider, kinds=(CHAT_KIND, KINDS["gemini"])) as house:
        bodies = told(await ask(house, ODD, STREAM, "alt=sse"))
        assert bodies == [says("Hi", responseId="r")]
        assert [request.body for request in provider.requests][1] == ODD


async def test_a_chat_caller_of_a_chat_provider_is_served_as_before() -> None:
    provider = Script(answers(completion({"content": "Hi"})))
    async with open_house(provider, kinds=CHAT_ONLY) as house:
        assert (await house.ask(chat())).message["content"] == "Hi"
        usage = Usage(input_uncached={"text": 3}, output_visible={"text": 4})
        assert usage.input_total + usage.output_total == 7


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent", "countTokens"])
@pytest.mark.parametrize("place", ["unheardOf", "toolConfig"])
async def test_what_is_nested_deeper_than_anybody_reads_is_refused(verb: str, place: str) -> None:
    deep = b"[" * 2000 + b"]" * 2000
    body = as_bytes(prompt("Hi", **{place: {"a": "deep"}})).replace(b'"deep"', deep)
    async with open_house(Script(answers({})), kinds=(KINDS["openai"],)) as house:
        answer = await ask(house, body, verb=verb, model=GPT)
        assert answer.status == 400
        assert b"nested too deeply" in answer.body
