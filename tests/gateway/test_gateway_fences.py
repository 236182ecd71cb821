"""Tools and a format at once, for models that take one of them: the format is asked for in words (mapping.md 1.10)."""

import json
from typing import Any

import pytest

from gateway.house import Json, Script, answers, candidate, chat, frame, open_house, says
from portico.wire.http import Exchange

OLDER = "gemini-2.5-flash"
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
FENCED = '```json\n{"a": [1, 2]}\n```'
BARE = '{"a": [1, 2]}'
SIGNATURE = "c2lnbmVk"


def asked(**more: Any) -> Json:
    return chat(model=OLDER, tools=[TOOL], response_format=FORMAT, **more)


def in_pieces(text: str, size: int, **last: Any) -> Any:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(text), size):
            exchange.write(frame(says(text[at : at + size], finish=None)))
            await exchange.drain()
        exchange.write(frame(candidate({"text": "", **last})))
        exchange.finish()

    return act


async def test_a_whole_answer_comes_without_its_fence() -> None:
    async with open_house(Script(answers(says(FENCED)))) as house:
        answer = await house.ask(asked())
        assert answer.message["content"] == BARE
        assert answer.codes.count("1.10:format") == 1


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_a_stream_comes_without_its_fence_however_it_is_cut(size: int) -> None:
    async with open_house(Script(in_pieces(FENCED, size))) as house:
        answer = await house.ask(asked(stream=True))
        told = answer.events
        assert (told.text, told.finishes, told.done) == (BARE, ["stop"], True)
        assert "1.10:format" in answer.codes


@pytest.mark.parametrize("stream", [False, True])
async def test_every_answer_of_several_comes_without_its_fence(stream: bool) -> None:
    act = in_pieces(FENCED, 4) if stream else answers(says(FENCED))
    async with open_house(Script(act)) as house:
        answer = await house.ask(asked(n=9, stream=stream))
        if stream:
            assert answer.events.text.count("`") == 0
            assert sorted(answer.events.text) == sorted(BARE * 2)  # 8 + 1 were asked for, and each call gave one
        else:
            assert [choice["message"]["content"] for choice in answer.json()["choices"]] == [BARE, BARE]


@pytest.mark.parametrize("text", ["I am sorry.", '```json\n{"a": 1', "Here:\n" + FENCED])
async def test_what_is_not_json_is_said(text: str) -> None:
    async with open_house(Script(answers(says(text)))) as house:
        answer = await house.ask(asked())
        told = [change for change in answer.changes if change["code"] == "1.10:format"]
        assert len(told) == 2
        assert "not the JSON" in told[1]["message"]
        assert told[1]["path"] == "$.response_format"


async def test_tools_of_the_providers_own_count_as_tools() -> None:
    async with open_house(Script(answers(says(FENCED)))) as house:
        answer = await house.ask(chat(model=OLDER, web_search_options={}, response_format=FORMAT))
        assert (answer.message["content"], "1.10:format" in answer.codes) == (BARE, True)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        chat(model=OLDER, tools=[TOOL]),
        chat(model=OLDER, response_format=FORMAT),
        chat(model="gemini-3.5-flash", tools=[TOOL], response_format=FORMAT),
        chat(model=OLDER, tools=[TOOL], response_format={"type": "text"}),
    ],
)
async def test_no_other_text_is_touched(body: Json, stream: bool) -> None:
    act = in_pieces(FENCED, 2) if stream else answers(says(FENCED))
    async with open_house(Script(act)) as house:
        answer = await house.ask({**body, "stream": stream})
        assert (answer.events.text if stream else answer.message["content"]) == FENCED


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_kept_of_a_turn_fits_the_text_that_the_caller_saw(stream: bool) -> None:
    whole = candidate({"text": FENCED}, {"text": "", "thoughtSignature": SIGNATURE})
    act = in_pieces(FENCED, 5, thoughtSignature=SIGNATURE) if stream else answers(whole)
    provider = Script(act, answers(says("{}")))
    async with open_house(provider) as house:
        first = await house.ask(asked(stream=stream))
        content = first.events.text if stream else first.message["content"]
        turns = [{"role": "assistant", "content": content}, {"role": "user", "content": "And now?"}]
        await house.ask({**asked(), "messages": [*asked()["messages"], *turns]})
        parts = provider.bodies[1]["contents"][1]["parts"]
        assert "".join(part["text"] for part in parts) == BARE
        assert [part["thoughtSignature"] for part in parts if "thoughtSignature" in part] == [SIGNATURE]


async def test_a_call_passes_beside_fenced_text() -> None:
    call = {"functionCall": {"name": "look_up", "args": {}}}
    async with open_house(Script(answers(candidate({"text": "```json\n{}\n```\n"}, call)))) as house:
        message = (await house.ask(asked())).message
        assert (message["content"], message["tool_calls"][0]["function"]["name"]) == ("{}", "look_up")
        assert json.loads(message["content"]) == {}
