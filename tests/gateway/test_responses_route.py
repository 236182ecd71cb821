"""`POST /v1/responses`: clients of the Responses API in front of any provider, and of OpenAI itself (mapping.md 7)."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.house import KEY, Script, answers, candidate, error_of, open_house, says
from gateway.vendors import (
    GEMINI,
    GPT,
    events_of,
    gpt_events,
    gpt_message,
    gpt_says,
    named,
    response,
    streams_named,
    text_of_response,
    types_of,
)
from portico.core.envelope import wrapped
from portico.core.parts import Signature
from portico.http.limits import Limits
from portico.providers import KINDS
from portico.wire.jsontext import BOM

USED = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
PATHS = ["/v1/responses", "/responses", "/v1beta/openai/responses", "/v1/responses/"]
PATH = "/v1/responses"
BEHIND = {"kinds": (KINDS["openai"],)}
ODD = (
    b'{ "model":"%b" , "store" : false,"input":[{"role":"user","content":"\\u00e9"}],"new_field":{"x":1.0},'
    b' "big":12345678901234567890 }' % GPT.encode()
)


async def test_a_body_may_begin_with_a_byte_order_mark() -> None:
    script = Script(answers(says("Hello!", usageMetadata=USED)))
    async with open_house(script) as house:
        answer = await house.ask(BOM + json.dumps(response(model=GEMINI)).encode(), path=PATH)
        assert (answer.status, text_of_response(answer.json())) == (200, "Hello!"), answer.body


@pytest.mark.parametrize("path", PATHS)
async def test_a_response_is_answered_by_gemini(path: str) -> None:
    script = Script(answers(says("Hello!", usageMetadata=USED)))
    async with open_house(script) as house:
        answer = await house.ask(response(model=GEMINI), path=path)
        body = answer.json()
        assert (answer.status, body["object"], body["status"], body["model"]) == (200, "response", "completed", GEMINI)
        assert text_of_response(body) == "Hello!"
        assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (3, 2)
        assert body["id"].startswith("resp_")


async def test_a_stream_of_geminis_is_told_in_events_of_responses() -> None:
    async with open_house(Script(answers(says("Hello!")))) as house:
        answer = await house.ask(response(model=GEMINI, stream=True), path=PATH)
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events_of(answer.body)
        assert types_of(told)[:2] == ["response.created", "response.in_progress"]
        assert types_of(told)[-1] == "response.completed"
        assert [event["sequence_number"] for event in told] == list(range(len(told)))
        assert text_of_response(told[-1]["response"]) == "Hello!"


@pytest.mark.parametrize("headers", [{"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}])
async def test_a_key_is_taken_however_clients_send_it(headers: Mapping[str, str]) -> None:
    async with open_house(Script(answers(says("Hi")))) as house:
        answer = await house.ask(response(model=GEMINI), path=PATH, key=None, headers=headers)
        assert answer.status == 200


# -- the same dialect at both ends -------------------------------------------------------------------------------------


async def test_a_body_that_keeps_nothing_and_its_answer_pass_byte_by_byte() -> None:
    told = json.dumps(gpt_says(gpt_message("Hi"), new={"x": 1.0}), indent=1).encode()
    script = Script(answers(told))
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(ODD, path=PATH)
        assert (answer.status, answer.body) == (200, told)
        (request,) = script.requests
        assert request.body == ODD
        assert request.path.endswith("/v1/responses")
        assert request.headers["authorization"] == "Bearer good-key"


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_a_stream_passes_byte_by_byte_however_it_is_cut(size: int) -> None:
    events = gpt_events("Hello")
    async with open_house(Script(streams_named(*events, size=size)), **BEHIND) as house:
        answer = await house.ask(response(stream=True, store=False), path=PATH)
        assert answer.body == named(*events)
        assert answer.headers["x-portico-upstream-model"] == GPT


async def test_a_blob_that_is_the_gateways_never_reaches_openai() -> None:
    blob = wrapped(Signature("google", "c2ln", "gemini-3@gemini"), "call_1")
    items: list[Any] = [
        {"role": "user", "content": "Hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": blob},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "4"},
    ]
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]
    script = Script(answers(gpt_says(gpt_message("Four"))))
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(response(items, tools=tools, store=False), path=PATH)
        assert answer.status == 200, answer.body
        assert blob.encode() not in script.requests[0].body
        assert b"call_1" in script.requests[0].body


# -- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/responses", 405, "method_not_allowed"),
        ("GET", "/v1/responses/input_tokens", 405, "method_not_allowed"),
        ("POST", "/v1/responses/resp_1", 405, "method_not_allowed"),
        ("POST", "/v1/responses/resp_1/input_items", 405, "method_not_allowed"),
        ("POST", "/v1/responses/resp_1/cancel", 404, "not_offered"),
        ("GET", "/responses/a/b/c", 404, "unknown_url"),
    ],
)
async def test_errors_are_openais_at_its_paths(method: str, path: str, status: int, code: str) -> None:
    async with open_house() as house:
        answer = await house.ask({}, path=path, method=method)
        assert (answer.status, answer.error["code"]) == (status, code)
        refused = await house.ask({}, path=path, method=method, key="sk-nobody")
        assert (refused.status in (401, status), error_of(refused.json()) is not None) == (True, True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 400, None),
        ({"input": "Hi"}, 400, None),
        (response(model="no-such-model"), 404, "model_not_found"),
        (response(model=GEMINI, temperature="hot"), 400, None),
    ],
)
async def test_a_bad_body_is_told_in_openais_words(body: Any, status: int, code: str | None) -> None:
    for kinds in ((KINDS["gemini"],), (KINDS["gemini"], KINDS["openai"])):
        async with open_house(kinds=kinds) as house:
            answer = await house.ask(body, path=PATH)
            assert answer.status == status, answer.body
            assert code is None or answer.error["code"] == code


@pytest.mark.parametrize("store", [None, True, False])
@pytest.mark.parametrize("stream", [False, True])
async def test_background_is_refused_in_words_where_the_body_would_pass_too(store: bool | None, stream: bool) -> None:
    """OpenAI would blame `store`, which the gateway keeps to itself."""
    script = Script()
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(response(model=GPT, background=True, store=store, stream=stream), path=PATH)
        assert (answer.status, answer.error["param"]) == (400, "background")
        assert "Background responses are not offered here" in answer.error["message"]
        assert script.requests == []


async def test_a_body_that_is_too_large_is_told_in_openais_words() -> None:
    async with open_house(limits=Limits(max_body_bytes=1000)) as house:
        answer = await house.ask(response("x" * 2000), path=PATH)
        assert (answer.status, answer.error["code"]) == (413, "request_too_large")


async def test_a_stream_that_breaks_off_does_not_end_as_if_it_were_complete() -> None:
    script = Script(streams_named(*gpt_events("Hello")[:6], cut=True))
    async with open_house(script, **BEHIND) as house:
        answer = await house.ask(response(stream=True, store=False), path=PATH)
        assert b"response.completed" not in answer.body
        assert b"error" in answer.body


async def test_where_nothing_is_kept_there_is_nothing_to_go_on_from() -> None:
    async with open_house(Script(answers(candidate({"text": "Hi"})))) as house:
        first = await house.ask(response(model=GEMINI), path=PATH)
        assert first.json()["store"] is False, "it says so"
        again = await house.ask(response(model=GEMINI, previous_response_id=first.json()["id"]), path=PATH)
        assert (again.status, again.error["code"]) == (400, "previous_response_not_found")
        assert again.error["param"] == "previous_response_id"
