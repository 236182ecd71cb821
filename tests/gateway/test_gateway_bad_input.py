"""Whatever a caller sends: a clear 4xx in OpenAI's shape with a request id, never a 500, never a traceback."""

import copy
import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.house import KEY, Answer, House, Json, chat, open_house
from portico.http.limits import Limits

IDS = ("x-portico-request-id", "x-request-id", "request-id")


@pytest.fixture
async def house(caplog: pytest.LogCaptureFixture) -> AsyncIterator[House]:
    """A gateway that must not log an error of its own."""
    async with open_house() as house:
        yield house
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def check(answer: Answer, status: int, param: str | None = None, code: str | None = None) -> Json:
    """The answer is this error, told as every error is told."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert b"Traceback" not in answer.body
    assert b'File "' not in answer.body
    ids = {answer.headers[name] for name in IDS}
    assert len(ids) == 1
    assert ids.pop().startswith("req_")
    error = answer.error
    assert error["param"] == param
    if code is not None:
        assert error["code"] == code
    return error


def nested(levels: int, inner: str = "1") -> str:
    return '{"a":' * levels + inner + "}" * levels


def message(**fields: Any) -> Json:
    return {"model": "gemini-3.5-flash", "messages": [fields]}


def tool(name: Any = "f", **fields: Any) -> Json:
    return {"type": "function", "function": {"name": name, **fields}}


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
HELLO = {"role": "user", "content": "Hello"}

NOT_JSON: dict[str, bytes] = {
    "text": b"hello",
    "empty": b"",
    "spaces": b"  \n ",
    "half an object": b'{"model": "gemini-3.5-flash", "messages": [',
    "two objects": b"{}{}",
    "single quotes": b"{'model': 'x'}",
    "a trailing comma": b'{"model": "x",}',
    "NaN": b'{"temperature": NaN}',
    "a number no double holds": b'{"temperature": 1e999}',
    "an integer of five thousand digits": b'{"seed": ' + b"1" * 5000 + b"}",
    "a lone surrogate": json.dumps(chat("\ud800 alone")).encode(),
    "a lone low surrogate": b'{"model": "\\udc00"}',
    "a surrogate in UTF-8": b'{"model": "\xed\xa0\x80"}',
    "latin-1": '{"model": "é"}'.encode("latin-1"),
    "UTF-16": '{"model": "x"}'.encode("utf-16"),
    "a NUL": b'{"model": "\x00"}',
    "100,000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": nested(100_000).encode(),
    "100,000 arrays never closed": b"[" * 100_000,
    "a form": b"model=gemini-3.5-flash&messages=hello",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
async def test_what_is_not_json_is_told_so(house: House, body: bytes) -> None:
    check(await house.ask(body), 400, None, "invalid_json")


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/v1/chat/completions", b" ", "The request body is not valid JSON: it is empty"),
        ("/v1/chat/completions", b'{"model": "\xff"}', "The request body is not valid JSON: it is not UTF-8 text"),
        ("/v1/chat/completions", b"null", "Invalid type: expected an object, got null."),
        ("/v1/responses", b"null", "Invalid type: expected an object, got null."),
        ("/v1/chat/completions", b'{"model":"gpt-5","messages":[{}]}', "Missing required parameter: 'role'."),
    ],
)
async def test_a_message_says_what_is_wrong(house: House, path: str, body: bytes, message: str) -> None:
    assert (await house.ask(body, path=path)).error["message"] == message


async def test_of_a_compressed_body_it_is_told_that_it_is(house: House) -> None:
    body = gzip.compress(json.dumps(chat()).encode())
    told = await house.ask(body, headers={"content-encoding": "gzip"})
    check(told, 400, None, "invalid_json")
    assert told.error["message"] == "The request body is compressed (Content-Encoding: gzip). Send it as it is."


WRONG: dict[str, tuple[Any, str | None]] = {
    # body -> param
    "an array": ([], "$"),
    "a string": ("hello", "$"),
    "a number": (1, "$"),
    "null": (b"null", "$"),
    "nothing": ({}, "model"),
    "no model": ({"messages": [HELLO]}, "model"),
    "an empty model": ({**chat(), "model": ""}, "model"),
    "a model that is a number": ({**chat(), "model": 1}, "model"),
    "no messages": ({"model": "gemini-3.5-flash"}, "messages"),
    "messages that are null": ({**chat(), "messages": None}, "messages"),
    "messages that are a string": ({**chat(), "messages": "hello"}, "messages"),
    "messages that are an object": ({**chat(), "messages": HELLO}, "messages"),
    "no message at all": ({**chat(), "messages": []}, "messages"),
    "a message that is a string": ({**chat(), "messages": ["hello"]}, "messages[0]"),
    "a message that is null": ({**chat(), "messages": [HELLO, None]}, "messages[1]"),
    "no role": (message(content="x"), "messages[0].role"),
    "an unknown role": (message(role="wizard", content="x"), "messages[0].role"),
    "a role that is a number": (message(role=7, content="x"), "messages[0].role"),
    "content that is a number": (message(role="user", content=5), "messages[0].content"),
    "content that is an object of no type": (message(role="user", content={}), "messages[0].content[0].type"),
    "a part that is a number": (message(role="user", content=[3]), "messages[0].content[0]"),
    "a part of no type": (message(role="user", content=[{"text": "x"}, {}]), "messages[0].content[1].type"),
    "a part of an unknown type": (message(role="user", content=[{"type": "smell"}]), "messages[0].content[0].type"),
    "a text that is a number": (
        message(role="user", content=[{"type": "text", "text": 1}]),
        "messages[0].content[0].text",
    ),
    "tool calls that are an object": (message(role="assistant", tool_calls={}), "messages[0].tool_calls"),
    "a call without a function": (
        message(role="assistant", tool_calls=[{"id": "a", "type": "function"}]),
        "messages[0].tool_calls[0].function",
    ),
    "a call without a name": (
        message(role="assistant", tool_calls=[{"id": "a", "function": {"arguments": "{}"}}]),
        "messages[0].tool_calls[0].function.name",
    ),
    "a call whose id is a number": (
        message(role="assistant", tool_calls=[{**CALL, "id": 1}]),
        "messages[0].tool_calls[0].id",
    ),
    "a result without a call": (
        {**chat(), "messages": [HELLO, {"role": "tool", "tool_call_id": "call_x", "content": "x"}]},
        "messages[1].tool_call_id",
    ),
    "a result of no call in particular": (
        {**chat(), "messages": [HELLO, {"role": "tool", "content": "x"}]},
        "messages[1].tool_call_id",
    ),
    "a call without its result": (
        {**chat(), "messages": [HELLO, {"role": "assistant", "tool_calls": [CALL]}]},
        "messages",
    ),
    "temperature 3": (chat(temperature=3), "temperature"),
    "temperature below 0": (chat(temperature=-0.1), "temperature"),
    "a temperature that is text": (chat(temperature="1"), "temperature"),
    "a temperature that is true": (chat(temperature=True), "temperature"),
    "a huge temperature": (chat(temperature=10**300), "temperature"),
    "top_p 2": (chat(top_p=2), "top_p"),
    "n 0": (chat(n=0), "n"),
    "n 129": (chat(n=129), "n"),
    "n one and a half": (chat(n=1.5), "n"),
    "a huge n": (chat(n=10**40), "n"),
    "max_tokens 0": (chat(max_tokens=0), "max_tokens"),
    "a huge max_tokens": (chat(max_tokens=10**30), "max_tokens"),
    "a huge max_completion_tokens": (chat(max_completion_tokens=2**63), "max_completion_tokens"),
    "a huge seed": (chat(seed=10**30), "seed"),
    "presence_penalty 3": (chat(presence_penalty=3), "presence_penalty"),
    "top_logprobs 21": (chat(top_logprobs=21), "top_logprobs"),
    "stop that is a number": (chat(stop=1), "stop"),
    "stop with a number": (chat(stop=["a", 1]), "stop[1]"),
    "stream that is text": (chat(stream="yes"), "stream"),
    "stream_options that are a list": (chat(stream_options=[]), "stream_options"),
    "an unknown effort": (chat(reasoning_effort="enormous"), "reasoning_effort"),
    "an effort that is a number": (chat(reasoning_effort=3), "reasoning_effort"),
    "an unknown tier": (chat(service_tier="gold"), "service_tier"),
    "modalities that are text": (chat(modalities="text"), "modalities"),
    "a format that is text": (chat(response_format="json"), "response_format"),
    "an unknown format": (chat(response_format={"type": "yaml"}), "response_format.type"),
    "a format without its schema": (
        chat(response_format={"type": "json_schema"}),
        "response_format.json_schema",
    ),
    "a schema that is text": (
        chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": "y"}}),
        "response_format.json_schema.schema",
    ),
    "tools that are an object": (chat(tools={}), "tools"),
    "a tool that is text": (chat(tools=["f"]), "tools[0]"),
    "a tool of no type": (chat(tools=[tool(), {}]), "tools[1].type"),
    "a tool as Anthropic's callers have it": (chat(tools=[{"name": "f", "input_schema": {}}]), "tools[0].type"),
    "functions as Google's callers have them": (
        chat(tools=[tool(), {"functionDeclarations": [{"name": "g"}]}]),
        "tools[1].functionDeclarations",
    ),
    "a tool of an unknown type": (chat(tools=[{"type": "hammer"}]), "tools[0].type"),
    "a tool without a name": (chat(tools=[tool(), {"type": "function", "function": {}}]), "tools[1].function.name"),
    "a tool with an empty name": (chat(tools=[tool("")]), "tools[0].function.name"),
    "a tool's name that is a number": (chat(tools=[tool(5)]), "tools[0].function.name"),
    "parameters that are text": (chat(tools=[tool(parameters="x")]), "tools[0].function.parameters"),
    "two tools of one name": (chat(tools=[tool("f"), tool("g"), tool("f")]), "tools[2]"),
    "an unknown tool_choice": (chat(tools=[tool()], tool_choice="maybe"), "tool_choice"),
    "a tool_choice without a name": (
        chat(tools=[tool()], tool_choice={"type": "function"}),
        "tool_choice.function.name",
    ),
    "a choice of a tool there is not": (
        chat(tools=[tool()], tool_choice={"type": "function", "function": {"name": "g"}}),
        "tool_choice",
    ),
    "content nested 41 levels deep": (
        message(role="user", content=json.loads(nested(41))),
        "messages[0].content[0].type",
    ),
    "a role nested 41 levels deep": (message(role=json.loads(nested(41)), content="x"), "messages[0].role"),
    "a temperature nested 41 levels deep": (chat(temperature=json.loads(nested(41))), "temperature"),
}


@pytest.mark.parametrize(("body", "param"), WRONG.values(), ids=WRONG.keys())
async def test_what_is_wrong_is_named_with_its_path(house: House, body: Any, param: str | None) -> None:
    answer = await house.ask(body)
    check(answer, 400, param)
    assert answer.error["type"] == "invalid_request_error"
    assert house.simulator.stats.requests == 0


@pytest.mark.parametrize(
    "name", ["no-such-model", "gpt-9", "gemini-9.9-mega", "x" * 5000, "../../etc", "a b", "é", "\n"]
)
async def test_an_unknown_model_is_not_found(house: House, name: str) -> None:
    check(await house.ask(chat(model=name)), 404, "model", "model_not_found")
    assert house.simulator.stats.requests == 0


CALLED = '{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":@}}]}'
PLACES = {
    # Where something nested may stand: SCHEMA is a JSON Schema, TEXT the JSON as a string, @ the JSON itself.
    "schema": '"tools":[{"type":"function","function":{"name":"f","parameters":SCHEMA}}]',
    "format": '"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":SCHEMA}}',
    "arguments": f'"messages":[{CALLED.replace("@", "TEXT")},{{"role":"tool","tool_call_id":"c","content":"x"}}]',
    "arguments as an object": f'"messages":[{CALLED},{{"role":"tool","tool_call_id":"c","content":"x"}}]',
    "result": f'"messages":[{CALLED.replace("@", "null")},{{"role":"tool","tool_call_id":"c","content":TEXT}}]',
    "content": '"messages":[{"role":"user","content":[@]}]',
    "metadata": '"metadata":@',
    "unknown field": '"unknown":@',
    "unknown message field": '"messages":[{"role":"user","content":"x","unknown":@}]',
    "extra_body": '"extra_body":{"google":@}',
    "google": '"google":{"thinking_config":@}',
    "safety_settings": '"safety_settings":[@]',
    "image_config": '"image_config":@',
    "extra_content": '"messages":[{"role":"assistant","content":"x","extra_content":@}]',
    "opaque part": '"messages":[{"role":"assistant","content":"x","extra_content":{"google":{"parts":[{"part":@}]}}}]',
    "reasoning": '"reasoning":@',
    "built-in tool": '"tools":[{"google_search":@}]',
    "tool_choice": '"tool_choice":@',
    "stream_options": '"stream_options":@',
}


def at_depth(place: str, levels: int, model: str) -> bytes:
    """A request as text, for Python cannot write what is nested so deeply."""
    deep = nested(levels)
    schema = '{"type":"object","properties":{"a":' * levels + '{"type":"string"}' + "}}" * levels
    field = place.replace("SCHEMA", schema).replace("TEXT", json.dumps(deep)).replace("@", deep)
    return f'{{"model":"{model}","messages":[{{"role":"user","content":"x"}}],{field}}}'.encode()


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("levels", [41, 200, 300, 480, 900])
async def test_deep_nesting_anywhere_is_no_crash(house: House, levels: int, place: str) -> None:
    for model in ("gemini-3.5-flash", "gemini-2.0-flash"):
        answer = await house.ask(at_depth(place, levels, model))
        assert answer.status in (200, 400), answer.body
        if answer.status == 400:
            assert answer.error["code"]


@pytest.mark.parametrize(
    "number", ["1" + "0" * 30, "-1" + "0" * 30, "9" * 4000, "1e308", "-0.0", "123456789012345678901234567890.5"]
)
async def test_huge_numbers_anywhere_are_no_crash(house: House, number: str) -> None:
    bodies = [
        '{"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "minimum": %s}}}]}',
        '{"seed": %s}',
        '{"temperature": %s}',
        '{"max_tokens": %s}',
        '{"n": %s}',
        '{"unknown": %s}',
        '{"metadata": {"a": %s}}',
        '{"reasoning": {"max_tokens": %s}}',
        '{"google": {"thinking_config": {"thinking_budget": %s}}}',
        '{"thinking": {"type": "enabled", "budget_tokens": %s}}',
        '{"stop": %s}',
        '{"messages": [{"role": "user", "content": %s}]}',
        '{"messages": [{"role": "user", "content": "x", "unknown": %s}]}',
    ]
    for body in bodies:
        fields = body.replace("%s", number)
        whole = b'{"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "x"}], ' + fields[1:].encode()
        answer = await house.ask(whole)
        assert answer.status in (200, 400), (fields, answer.body)
        if answer.status == 400:
            assert answer.error["message"]


async def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    async with open_house(limits=Limits(max_body_bytes=10_000)) as house:
        check(await house.ask(chat("x" * 20_000)), 413, None, "request_too_large")
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
        async with house.connect() as wire:
            wire.writer.write(f"{head}authorization: Bearer {KEY}\r\n\r\n4000\r\n{'x' * 0x4000}\r\n".encode())
            check(await wire.rest(), 413, None, "request_too_large")
        assert house.simulator.stats.requests == 0


@pytest.mark.parametrize(
    "head",
    [
        b"NONSENSE\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"BREW /v1/coffee HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_told_so_in_the_same_shape(house: House, head: bytes) -> None:
    async with house.connect() as wire:
        wire.writer.write(head)
        answer = await wire.rest()
    assert answer.status in (400, 431)
    check(answer, answer.status, None, {400: "bad_request", 431: "headers_too_large"}[answer.status])


async def test_an_expectation_that_nobody_meets_has_a_code(house: House) -> None:
    async with house.connect() as wire:
        wire.writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nexpect: wonders\r\ncontent-length: 2\r\n\r\n{}"
        )
        check(await wire.rest(), 417, None, "expectation_failed")


async def test_a_request_that_does_not_come_has_a_code() -> None:
    async with open_house(limits=Limits(body_timeout_s=0.1)) as house, house.connect() as wire:
        wire.writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{")
        check(await wire.rest(), 408, None, "request_timeout")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/v1"),
        ("POST", "/v1/completion"),
        ("GET", "/v2/models"),
        ("POST", "/v1/chat/completions/x"),
        ("GET", "/v1/chat"),
        ("GET", "/%2e%2e/etc/passwd"),
        ("GET", "/" + "x" * 4000),
    ],
)
async def test_an_unknown_route_is_not_found(house: House, method: str, path: str) -> None:
    check(await house.ask(None, method=method, path=path), 404, None, "unknown_url")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/chat/completions", "POST"),
        ("PUT", "/chat/completions", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/gemini-3.5-flash", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(house: House, method: str, path: str, allow: str) -> None:
    answer = await house.ask(None, method=method, path=path)
    check(answer, 405, None, "method_not_allowed")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/v1/chat/completions/"])
async def test_the_version_may_be_left_out(house: House, path: str) -> None:
    assert (await house.ask(chat(), path=path)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": KEY},
        {"authorization": f"Basic {KEY}"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": "Bearer ключ".encode().decode("latin-1")},
        {"x-api-key": "wrong"},
        {"x-goog-api-key": "wrong"},
        {"x-api-key": ""},
        {"authorization": "Bearer wrong", "x-api-key": KEY},
    ],
)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/chat/completions", chat()),
        ("GET", "/v1/models", None),
        ("GET", "/v1/models/gemini-3.5-flash", None),
    ],
)
async def test_a_missing_or_wrong_key_is_refused_everywhere(
    house: House, headers: dict[str, str], method: str, path: str, body: Any
) -> None:
    answer = await house.ask(body, method=method, path=path, key=None, headers=headers)
    if "x-goog-api-key" in headers and method == "GET":  # whose list of models it is follows from the key's header
        assert (answer.status, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
        return
    error = check(answer, 401, None, "invalid_api_key")
    assert KEY not in error["message"]
    assert error["type"] == "authentication_error"


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "x-goog-api-key", "X-API-Key", "Authorization"])
async def test_a_key_is_taken_from_any_of_three_headers(house: House, name: str) -> None:
    value = f"Bearer {KEY}" if name.lower() == "authorization" else KEY
    for body, method, path in ((chat(), "POST", "/v1/chat/completions"), (None, "GET", "/v1/models")):
        answer = await house.ask(body, method=method, path=path, key=None, headers={name: value})
        assert answer.status == 200
    assert (await house.ask(chat(), key=None, headers={"authorization": f"bearer  {KEY}"})).status == 200


async def test_an_authorization_that_is_no_bearer_does_not_hide_another_key(house: House) -> None:
    answer = await house.ask(chat(), key=None, headers={"authorization": "Basic x", "x-api-key": KEY})
    assert answer.status == 200


async def test_a_request_is_judged_whole_before_the_provider_is_asked(house: House) -> None:
    body = copy.deepcopy(chat(temperature=3, stream=True))
    check(await house.ask(body), 400, "temperature")
    assert house.simulator.stats.requests == 0


async def test_an_error_of_our_own_is_a_500_without_a_trace(caplog: pytest.LogCaptureFixture) -> None:
    async with open_house() as house:
        house.vault.find = None  # type: ignore[method-assign, assignment]
        told = [{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "No."}]
        answer = await house.ask(chat(messages=told))
        check(answer, 500)
        assert answer.error["type"] == "server_error"
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert answer.headers["x-request-id"] in record.getMessage()


async def test_who_has_no_memory_for_a_call_is_busy(caplog: pytest.LogCaptureFixture) -> None:
    async with open_house() as house:

        async def serve(*_: object, **__: object) -> None:
            raise MemoryError

        house.relay.serve = serve  # type: ignore[method-assign]
        answer = await house.ask(chat("Hi"))
    assert (answer.status, answer.error["code"], answer.headers["retry-after"]) == (503, "overloaded", "1")
    (told,) = [record for record in caplog.records if record.name == "portico.gateway"]
    assert told.getMessage() == f"request {answer.headers['x-portico-request-id']}: there is no memory for it"
    assert told.exc_info is None
