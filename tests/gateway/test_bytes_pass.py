"""The same dialect at both ends, through real sockets: what is sent is what came, byte by byte, but for the model's name;
what is told is what the provider told. Bodies are spelt as awkwardly as JSON allows, with fields that nobody knows yet.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from gateway.house import KEY, Answer, House, Json, Script, open_house
from gateway.test_chat_passing import chunks, completion
from gateway.vendors import CLAUDE, GPT, claude_events, claude_says, claude_text, gpt_events, gpt_message, gpt_says
from laws.test_raw import awkward
from portico.catalog import OperatorModel
from portico.providers import KINDS
from portico.wire import raw
from portico.wire.http import Exchange

NEW: Final[Json] = {
    "field_of_tomorrow": {"deep": [1, 1.0, None, {"snake_and_camelCase": True}]},
    "big": 123456789012345678901234567890,
}
ODD: Final = 'é \u2028 😀 \x7f " \\ /'
"""Text that can be spelt in several ways."""


class Way(NamedTuple):
    """One dialect at both ends: the kind of provider, a model, a body for it, and what it answers, whole and streamed."""

    kind: str
    path: str
    headers: dict[str, str]
    model: str
    body: Json
    answer: Json
    events: list[Json]
    named: bool
    """A stream's events have names."""
    done: bytes = b""
    """What ends a stream."""


BEARER: Final = {"authorization": f"Bearer {KEY}"}
TALK: Final = [
    {"role": "user", "content": [{"type": "text", "text": ODD}]},
    {"role": "assistant", "content": "Yes", **NEW},
]
WAYS: Final[dict[str, Way]] = {
    "openai_chat": Way(
        "openai",
        "/v1/chat/completions",
        BEARER,
        GPT,
        {"messages": TALK, "seed": 7, "stream_options": {"include_usage": True}, **NEW},
        completion(ODD, **NEW),
        [{**chunk, **NEW} for chunk in chunks(ODD)],
        named=False,
        done=b"data: [DONE]\n\n",
    ),
    "openai_responses": Way(
        "openai",
        "/v1/responses",
        BEARER,
        GPT,
        {"input": [{"role": "user", "content": ODD}, {"type": "item_of_tomorrow", **NEW}], "store": False, **NEW},
        gpt_says(gpt_message(ODD), **NEW),
        [{**event, **NEW} for event in gpt_events(ODD)],
        named=True,
    ),
    "anthropic_messages": Way(
        "anthropic",
        "/v1/messages",
        {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
        CLAUDE,
        {"messages": TALK, "max_tokens": 100, "service_tier": "auto", **NEW},
        claude_says(claude_text(ODD), **NEW),
        [{**event, **NEW} for event in claude_events(ODD)],
        named=True,
    ),
}
SEEDS: Final = range(6)


def spelt(body: Any, seed: int) -> bytes:
    return awkward(body, random.Random(seed)).encode("utf-8", "surrogatepass")


def answering(data: bytes, size: int = 10**6) -> Callable[[Exchange], Any]:
    """An answer of just these bytes, some at a time."""

    async def act(exchange: Exchange) -> None:
        kind = "text/event-stream" if b"data: " in data else "application/json"
        exchange.start(200, [("content-type", kind)])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        exchange.finish()

    return act


def streamed(way: Way, seed: int) -> bytes:
    """The stream, each event spelt awkwardly on one line, as an event of a stream has to be."""
    told = b""
    for number, event in enumerate(way.events):
        line = spelt(event, seed * 100 + number).replace(b"\r\n", b" ").replace(b"\n", b" ")
        told += (b"event: %b\n" % event["type"].encode() if way.named else b"") + b"data: " + line + b"\n\n"
    return told + way.done


async def ask(house: House, way: Way, data: bytes) -> Answer:
    return await house.ask(data, path=way.path, key=None, headers=way.headers)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WAYS)
async def test_a_request_is_sent_byte_by_byte(name: str, seed: int, stream: bool) -> None:
    way = WAYS[name]
    body = way.body if stream else {key: value for key, value in way.body.items() if key != "stream_options"}
    data = spelt({"model": way.model, **body, **({"stream": True} if stream else {})}, seed)
    script = Script(answering(streamed(way, 0) if stream else json.dumps(way.answer).encode()))
    async with open_house(script, kinds=(KINDS[way.kind],)) as house:
        answer = await ask(house, way, data)
        assert answer.status == 200, answer.body
        assert script.requests[0].body == data
        assert script.requests[0].path == way.path
        assert "x-portico-changes" not in answer.headers


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WAYS)
async def test_an_operators_name_is_the_one_thing_that_is_changed(name: str, seed: int) -> None:
    way = WAYS[name]
    body = {key: value for key, value in way.body.items() if key != "stream_options"}
    data = spelt({"model": "house-model", **body}, seed)
    where = raw.members(data)["model"]
    expected = data[: where.start] + json.dumps(way.model).encode() + data[where.end :]
    script = Script(answering(json.dumps(way.answer).encode()))
    models = [OperatorModel("house-model", f"{way.kind}/{way.model}")]
    async with open_house(script, kinds=(KINDS[way.kind],), models=models) as house:
        answer = await ask(house, way, data)
        assert answer.status == 200, answer.body
        assert script.requests[0].body == expected


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", WAYS)
async def test_an_answer_is_told_byte_by_byte(name: str, seed: int) -> None:
    way = WAYS[name]
    told = spelt(way.answer, seed)
    async with open_house(Script(answering(told)), kinds=(KINDS[way.kind],)) as house:
        answer = await ask(house, way, json.dumps({"model": way.model, **way.body}).encode())
        assert (answer.status, answer.body) == (200, told)


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("name", WAYS)
async def test_a_stream_is_told_byte_by_byte_however_it_is_cut(name: str, size: int) -> None:
    way = WAYS[name]
    told = streamed(way, size % 5)
    async with open_house(Script(answering(told, size)), kinds=(KINDS[way.kind],)) as house:
        answer = await ask(house, way, json.dumps({"model": way.model, "stream": True, **way.body}).encode())
        assert (answer.status, answer.body) == (200, told)
