"""Chat in front of a provider that speaks Chat: bodies name their model themselves, and pass all the same."""

import json
from typing import Any

import msgspec
import pytest

from gateway.house import Json, Script, answers, chat, open_house, says
from gateway.vendors import GPT
from portico.catalog import OperatorModel
from portico.providers import KINDS
from portico.simulator import Simulator
from portico.wire.http import Exchange

BEHIND: dict[str, Any] = {"kinds": (KINDS["openai"],)}
ODD = (
    b'{ "model":"%b" , "messages":[{"role":"user","content":"\\u00e9"}],"new":{"x":1.0},  "big":12345678901234567890 }'
    % (GPT.encode())
)
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def completion(text: str = "Hi", **more: Any) -> Json:
    told = {"index": 0, "message": {"role": "assistant", "content": text, "new": 1.0}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": GPT, "choices": [told], "usage": USAGE, **more}


def chunks(text: str, *, usage: bool = True) -> list[Json]:
    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {"id": "c", "model": GPT, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "new": 1.0}

    told = [*[chunk({"content": one}) for one in text], chunk({}, "stop")]
    return [*told, {"id": "c", "model": GPT, "choices": [], "usage": USAGE}] if usage else told


def streams(*bodies: Json, size: int = 10**6) -> Any:
    data = b"".join(b"data: " + json.dumps(body).encode() + b"\n\n" for body in bodies) + b"data: [DONE]\n\n"

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        exchange.finish()

    return act


async def test_a_body_and_its_answer_pass_byte_by_byte() -> None:
    told = json.dumps(completion(), indent=1).encode()
    script = Script(answers(told))
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(ODD)
        assert (answer.status, answer.body) == (200, told)
        assert script.requests[0].body == ODD
        assert script.requests[0].path.endswith("/v1/chat/completions")
        assert answer.headers["x-portico-upstream-model"] == GPT


async def test_an_operators_name_is_the_providers_in_the_body_and_nothing_else_is_changed() -> None:
    script = Script(answers(completion()))
    async with open_house(script, models=[OperatorModel("house", f"openai/{GPT}")], **BEHIND) as house:
        assert (await house.ask(ODD.replace(GPT.encode(), b"house"))).status == 200
        assert script.requests[0].body == ODD


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
@pytest.mark.parametrize("asked", [True, False])
async def test_counts_are_asked_for_and_only_told_to_who_asked(size: int, asked: bool) -> None:
    script = Script(streams(*chunks("Hello"), size=size))
    options: Json = {"stream_options": {"include_usage": True}} if asked else {}
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(chat(model=GPT, stream=True, **options))
        assert script.bodies[0]["stream_options"] == {"include_usage": True}
        told = answer.events
        assert told.done
        assert told.chunks == chunks("Hello", usage=asked)


@pytest.mark.parametrize("stream", [True, False])
async def test_when_it_fails_the_next_provider_is_asked_in_its_own_dialect(stream: bool) -> None:
    """The body that was going to pass is read then, and no sooner."""
    imitator = msgspec.structs.replace(KINDS["openai"], vendors=frozenset({"google"}))
    script = Script(answers({"error": {"message": "busy", "type": "server_error"}}, 503), answers(says("Hello")))
    async with open_house(script, kinds=(imitator, KINDS["gemini"])) as house:
        answer = await house.ask(chat(stream=stream))
        assert answer.status == 200, answer.body
        assert (answer.events.text if stream else answer.message["content"]) == "Hello"
        assert "messages" in script.bodies[0]
        assert "contents" in script.bodies[1]


async def test_what_litellm_made_of_an_answer_is_not_sent_to_openai() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    more = {"provider_specific_fields": {"refusal": None}}
    talk = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": None, "tool_calls": [call], "function_call": None, **more},
        {"role": "tool", "tool_call_id": "call_1", "content": "A blue door."},
    ]
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    async with open_house(Simulator(), **BEHIND) as house:
        answer = await house.ask(chat(model=GPT, messages=talk, tools=tools))
        assert answer.status == 200, answer.body
        assert "A blue door." in answer.message["content"]


async def test_a_body_with_another_vendors_signatures_is_read() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    signed = {**call, "extra_content": {"google": {"thought_signature": "c2ln"}}}
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [signed]},
        {"role": "tool", "tool_call_id": "call_1", "content": "4"},
    ]
    script = Script(answers(completion()))
    async with open_house(script, **BEHIND) as house:
        assert (await house.ask({"model": GPT, "messages": turns})).status == 200
        assert b"c2ln" not in script.requests[0].body
        assert script.bodies[0]["messages"][1]["tool_calls"] == [call]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"messages":[]}', b'{"model":7}', b"\xff", b""])
async def test_a_bad_body_is_told_here(body: bytes) -> None:
    script = Script(answers(completion()))
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(body)
        assert answer.status == 400
        assert answer.error["type"] == "invalid_request_error"
        assert script.requests == []


async def test_a_model_that_is_not_there_is_to_blame_in_the_body() -> None:
    async with open_house(Script(answers(completion())), **BEHIND) as house:
        answer = await house.ask(chat(model="no-such-model"))
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")
        assert answer.error["param"] in ("model", "$.model")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_name_that_asks_for_a_search_is_asked_where_its_model_searches(stream: bool) -> None:
    """GPT refuses `web_search_options` in Chat, but for the models made for it: it is asked in Responses."""
    async with open_house(Simulator(), **BEHIND) as house:
        for model, path in (
            ("gpt-5.5:online", "/v1/responses"),
            ("gpt-4o-search", "/v1/responses"),
            ("gpt-5-search-api:online", "/v1/chat/completions"),
            ("gpt-5.5", "/v1/chat/completions"),
        ):
            answer = await house.ask(chat(model=model, stream=stream))
            assert answer.status == 200, (model, answer.body)
            assert house.provider.stats.last.path == path  # type: ignore[attr-defined]
