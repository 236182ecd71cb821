"""`POST /v1/messages`: Anthropic's clients in front of any provider, and of Anthropic itself (mapping.md 7)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.house import KEY, Json, Script, answers, candidate, open_house, says
from gateway.vendors import (
    ANTHROPIC,
    CLAUDE,
    GEMINI,
    anthropic_error,
    anthropic_error_of,
    ask_messages,
    claude_events,
    claude_says,
    claude_text,
    events_of,
    message,
    named,
    streams_named,
    types_of,
)
from portico.core.envelope import wrapped
from portico.core.parts import Signature
from portico.http.limits import Limits
from portico.providers import KINDS
from portico.relay.relay import Settings
from portico.simulator import Simulator

USED = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
PATHS = ["/v1/messages", "/messages", "/v1/messages?beta=true", "/v1/messages/"]
BEHIND = {"kinds": (KINDS["anthropic"],)}
SEARCHING = {"type": "web_search_20250305", "name": "web_search"}
ODD = (
    b'{ "model":"%b" , "max_tokens" : 100,"messages":[{"role":"user","content":"\\u00e9"}],"new_field":{"x":1.0},'
    b' "big":12345678901234567890 }' % CLAUDE.encode()
)


@pytest.mark.parametrize("path", PATHS)
async def test_a_message_is_answered_by_gemini(path: str) -> None:
    script = Script(answers(says("Hello!", usageMetadata=USED)))
    async with open_house(script) as house:
        answer = await ask_messages(house, message(model=GEMINI), path)
        body = answer.json()
        assert (answer.status, body["type"], body["role"]) == (200, "message", "assistant")
        assert (body["model"], body["content"]) == (GEMINI, [claude_text("Hello!")])
        assert (body["stop_reason"], body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (
            "end_turn",
            3,
            2,
        )
        assert body["id"]


async def test_a_stream_of_geminis_is_told_in_anthropics_events() -> None:
    async with open_house(Script(answers(says("Hello!")))) as house:
        answer = await ask_messages(house, message(model=GEMINI, stream=True))
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events_of(answer.body)
        assert types_of(told)[0] == "message_start"
        assert types_of(told)[-2:] == ["message_delta", "message_stop"]
        texts = [event["delta"]["text"] for event in told if event["type"] == "content_block_delta"]
        assert "".join(texts) == "Hello!"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_ends_with_its_text_and_its_signature_is_kept_for_it(stream: bool) -> None:
    """`claude -p` prints the last block: a sealed one behind the text made it print nothing."""
    pieces = candidate({"text": "Hello"}, {"text": "", "thoughtSignature": "c2lnbmVk"})
    script = Script(answers(pieces))
    thinking = {"type": "enabled", "budget_tokens": 1024}
    async with open_house(script) as house:
        answer = await ask_messages(house, message(model=GEMINI, stream=stream, thinking=thinking, max_tokens=4000))
        if stream:
            blocks = [one["content_block"] for one in events_of(answer.body) if one["type"] == "content_block_start"]
        else:
            blocks = answer.json()["content"]
        assert [block["type"] for block in blocks] == ["text"]
        said = [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
            {"role": "user", "content": "And?"},
        ]
        await ask_messages(house, message(model=GEMINI, messages=said, thinking=thinking, max_tokens=4000))
    turn = script.bodies[-1]["contents"][1]
    assert turn["role"] == "model"
    assert "c2lnbmVk" in [part.get("thoughtSignature") for part in turn["parts"]]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"x-api-key": KEY, "anthropic-version": "2026-10-21", "anthropic-beta": "a,b"},
    ],
)
async def test_a_key_is_taken_however_anthropics_clients_send_it(headers: Mapping[str, str]) -> None:
    async with open_house(Script(answers(says("Hi")))) as house:
        answer = await house.ask(message(model=GEMINI), path="/v1/messages", key=None, headers=headers)
        assert answer.status == 200


# -- the same dialect at both ends -------------------------------------------------------------------------------------


async def test_a_body_and_its_answer_pass_byte_by_byte() -> None:
    told = json.dumps(claude_says(claude_text("Hi"), new={"x": 1.0}), indent=1).encode()
    script = Script(answers(told))
    async with open_house(script, **BEHIND) as house:
        answer = await ask_messages(house, ODD, **{"anthropic-beta": "context-1m"})
        assert (answer.status, answer.body) == (200, told)
        (request,) = script.requests
        assert request.body == ODD
        assert request.path.endswith("/v1/messages")
        assert request.headers["x-api-key"] == "good-key"
        assert request.headers["anthropic-version"] == "2023-06-01"
        assert request.headers["anthropic-beta"] == "context-1m"


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_a_stream_passes_byte_by_byte_however_it_is_cut(size: int) -> None:
    events = claude_events("Hello")
    async with open_house(Script(streams_named(*events, size=size)), **BEHIND) as house:
        answer = await ask_messages(house, message(stream=True))
        assert answer.body == named(*events)
        assert answer.headers["x-portico-upstream-model"] == CLAUDE


async def test_a_blob_that_is_the_gateways_never_reaches_anthropic() -> None:
    blob = wrapped(Signature("google", "c2ln", "gemini-3@gemini"), "toolu_1")
    history = [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "", "signature": blob},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "4"}]},
    ]
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    script = Script(answers(claude_says(claude_text("Four"))))
    async with open_house(script, **BEHIND) as house:
        answer = await ask_messages(house, message() | {"messages": history, "tools": tools})
        assert answer.status == 200, answer.body
        assert blob.encode() not in script.requests[0].body
        assert b"toolu_1" in script.requests[0].body


async def test_a_claude_call_is_made_at_a_chat_clients_wish_with_its_thoughts_next_time() -> None:
    """A Chat client drops thinking blocks; Anthropic wants them back before the call they led to."""
    thinking = {"type": "thinking", "thinking": "Look it up.", "signature": "c2VhbGVk"}
    use = {"type": "tool_use", "id": "toolu_01abc", "name": "look", "input": {"at": 1}}
    script = Script(answers(claude_says(thinking, use, stop="tool_use")), answers(claude_says(claude_text("Four"))))
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    async with open_house(script, **BEHIND) as house:
        asked: list[Any] = [{"role": "user", "content": "What is there?"}]
        body = {"model": CLAUDE, "messages": asked, "tools": tools, "reasoning_effort": "high", "max_tokens": 4000}
        first = await house.ask(body)
        (call,) = first.message["tool_calls"]
        plain = {"role": "assistant", "content": None, "tool_calls": [{k: call[k] for k in ("id", "type", "function")}]}
        again = [*asked, plain, {"role": "tool", "tool_call_id": call["id"], "content": "4"}]
        assert (await house.ask(body | {"messages": again})).message["content"] == "Four"
        turn = script.bodies[1]["messages"][1]["content"]
        assert [block["type"] for block in turn] == ["thinking", "tool_use"]
        assert (turn[0]["thinking"], turn[0]["signature"]) == ("Look it up.", "c2VhbGVk")
        assert turn[1]["id"] == "toolu_01abc"


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "kind"),
    [
        ("GET", "/v1/messages", ANTHROPIC, 405, "invalid_request_error"),
        ("GET", "/messages/count_tokens", ANTHROPIC, 405, "invalid_request_error"),
        ("POST", "/v1/messages/batches", ANTHROPIC, 404, "not_found_error"),
        ("POST", "/messages/batches", ANTHROPIC, 404, "not_found_error"),
        ("POST", "/v1/complete", ANTHROPIC, 404, "not_found_error"),
        ("POST", "/v1/messages", {"x-api-key": "sk-nobody"}, 401, "authentication_error"),
        ("POST", "/v1/messages", {}, 401, "authentication_error"),
    ],
)
async def test_errors_are_anthropics_at_its_paths(
    method: str, path: str, headers: Mapping[str, str], status: int, kind: str
) -> None:
    async with open_house() as house:
        answer = await house.ask(message(), path=path, method=method, key=None, headers=headers)
        anthropic_error(answer, status, kind)
        assert answer.headers["request-id"] == answer.headers["x-portico-request-id"]


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "invalid_request_error"),
        (b"[]", 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        (message(model="no-such-model"), 404, "not_found_error"),
        (message(model=GEMINI, max_tokens="many"), 400, "invalid_request_error"),
    ],
)
async def test_a_bad_body_is_told_in_anthropics_words(body: Any, status: int, kind: str) -> None:
    for kinds in ((KINDS["gemini"],), (KINDS["gemini"], KINDS["anthropic"])):
        async with open_house(kinds=kinds) as house:
            anthropic_error(await ask_messages(house, body), status, kind)


async def test_a_body_that_is_too_large_is_told_in_anthropics_words() -> None:
    async with open_house(limits=Limits(max_body_bytes=1000)) as house:
        anthropic_error(await ask_messages(house, message("x" * 2000)), 413, "request_too_large")


async def test_a_stream_that_breaks_off_ends_in_an_error_of_anthropics() -> None:
    for kinds in ((KINDS["anthropic"],),):
        script = Script(streams_named(*claude_events("Hello")[:5], cut=True))
        async with open_house(script, kinds=kinds) as house:
            told = events_of((await ask_messages(house, message(stream=True))).body)
            assert types_of(told)[:2] == ["message_start", "content_block_start"]
            anthropic_error_of(told[-1], told[-1]["error"]["type"])


async def test_a_silent_stream_is_kept_open_with_pings() -> None:
    async with open_house(settings=Settings(commit_after_s=0.02, keep_alive_s=0.02)) as house:
        told = events_of((await ask_messages(house, message("[[sim:stall=0.3]] Hi", model=GEMINI, stream=True))).body)
        begun = types_of(told).index("message_start")
        assert {"type": "ping"} in told[:begun]
        assert types_of(told)[-1] == "message_stop"
        assert set(types_of(told)[:begun]) == {"ping"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("more", "model", "path"),
    [
        ({"stop_sequences": ["END"]}, "gpt-4o", "/v1/chat/completions"),
        ({"stop_sequences": ["END"]}, "gpt-5.5", "/v1/responses"),
        ({"stop_sequences": ["END"], "tools": [SEARCHING]}, "gpt-4o", "/v1/responses"),
        ({}, "gpt-4o", "/v1/responses"),
    ],
    ids=["can stop", "cannot", "searches", "says nothing"],
)
async def test_gpt_is_asked_where_it_can_be_told_when_to_stop(more: Json, model: str, path: str, stream: bool) -> None:
    """The Responses API has no stop sequences; Chat has, for models that do not reason."""
    async with open_house(Simulator(), kinds=(KINDS["openai"],)) as house:
        answer = await ask_messages(house, message(model=model, stream=stream, **more))
        assert answer.status == 200, answer.body
        assert house.provider.stats.last.path == path  # type: ignore[attr-defined]
        asked = house.provider.stats.last.body  # type: ignore[attr-defined]
        kept = path.endswith("completions")
        assert asked.get("stop") == (["END"] if kept else None)
        told = "7.1:stop" in answer.headers.get("x-portico-changes", "")
        assert told is (bool(more) and not kept)
