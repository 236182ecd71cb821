"""Failures on demand, in Anthropic's bodies and headers; what a real socket carries of an answer; bodies of any kind."""

import asyncio
import json
from typing import Any

import pytest
from anthropic import AsyncAnthropic, BadRequestError, RateLimitError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from portico.http.server import Server
from portico.simulator import Simulator
from simulator.sim_anthropic import MESSAGES, answer, events, folded, framed, post, text, tools, user
from simulator.sim_memory import Json


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("429", 429, "rate_limit_error"),
        ("429-day", 429, "rate_limit_error"),
        ("529", 529, "overloaded_error"),
        ("503", 529, "overloaded_error"),
        ("500", 500, "api_error"),
        ("504", 504, "timeout_error"),
        ("403", 403, "permission_error"),
        ("context", 400, "invalid_request_error"),
    ],
)
@pytest.mark.parametrize("by_header", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_come_instead_of_an_answer(
    name: str, status: int, kind: str, by_header: bool, streamed: bool
) -> None:
    body = user("Hi" if by_header else f"Hi [[sim:{name}]]", stream=streamed)
    one = await post(Simulator(), body, headers={"x-sim-fault": name} if by_header else None)
    told = one.json()
    assert (one.status, told["type"], told["error"]["type"]) == (status, "error", kind)
    assert told["request_id"] == one.headers["request-id"]
    assert ("retry-after" in one.headers) is (status == 429)


async def test_every_answer_tells_its_limits() -> None:
    one = await post(Simulator(), user("Hi"))
    told = {
        name.removeprefix("anthropic-ratelimit-") for name in one.headers if name.startswith("anthropic-ratelimit-")
    }
    assert told == {
        f"{what}-{unit}"
        for what in ("requests", "tokens", "input-tokens", "output-tokens")
        for unit in ("limit", "remaining", "reset")
    }
    assert one.headers["request-id"].startswith("req_")


async def test_once_fails_the_first_time_only() -> None:
    sim, body = Simulator(), user("Hi there [[sim:once:529]]")
    assert [(await post(sim, body)).status for _ in range(3)] == [529, 200, 200]


@pytest.mark.parametrize("count", [0, 1, 4])
async def test_a_cut_stream_ends_without_an_end(count: int) -> None:
    one = await post(Simulator(), user(f"Hello [[sim:cut={count}]]", stream=True))
    assert one.aborted
    assert not one.finished
    assert len(framed(one.data)) == count


async def test_a_cut_before_sends_nothing() -> None:
    one = await post(Simulator(), user("Hello [[sim:cut-before]]"))
    assert one.aborted
    assert not one.started


async def test_an_error_in_the_middle_follows_real_events() -> None:
    one = await post(Simulator(), user("Hello [[sim:error-mid=3]]", stream=True))
    *told, last = framed(one.data)
    assert [event["type"] for event in told] == ["message_start", "content_block_start", "ping"]
    assert last == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize("streamed", [False, True])
async def test_garbage_and_html_are_no_json(streamed: bool) -> None:
    garbage = await post(Simulator(), user("[[sim:garbage]]", stream=streamed))
    page = await post(Simulator(), user("[[sim:html-502]]", stream=streamed))
    assert (garbage.status, page.status) == (200, 502)
    for one in (garbage, page):
        with pytest.raises(json.JSONDecodeError):
            json.loads(one.data.removeprefix(b"data: "))


async def test_a_text_of_any_size_is_made() -> None:
    told = await events(Simulator(), user("[[sim:size=300K]]"))
    assert len(text(folded(told))) == 300_000
    assert len(text(await answer(Simulator(), user("[[sim:size=300K]]")))) == 300_000


async def test_what_was_asked_is_kept_for_tests_to_read() -> None:
    sim = Simulator()
    await post(sim, user("Hi"))
    seen = sim.stats.last
    assert (seen.verb, seen.model, seen.key, seen.path) == ("messages", "claude-haiku-4-5", "a-key", MESSAGES)
    assert (sim.stats.requests, sim.stats.answered) == (1, 1)


async def test_the_sdk_reads_what_a_socket_carries() -> None:
    server = Server(Simulator())
    await server.start(host="127.0.0.1", port=0)
    try:
        async with asyncio.timeout(30):
            await _converse(f"http://127.0.0.1:{server.port}")
    finally:
        await server.stop(grace_s=0.1)


async def _converse(base: str) -> None:
    async with AsyncAnthropic(api_key="a-key", base_url=base, max_retries=0) as client:
        hello: Any = [{"role": "user", "content": "Hello"}]
        made = await client.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=hello)
        async with client.messages.stream(model="claude-haiku-4-5", max_tokens=100, messages=hello) as stream:
            streamed = await stream.get_final_message()
        assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in made.content]
        assert streamed.usage.output_tokens == made.usage.output_tokens
        limited: Any = [{"role": "user", "content": "[[sim:429]]"}]
        with pytest.raises(RateLimitError):
            await client.messages.create(model="claude-haiku-4-5", max_tokens=100, messages=limited)
        with pytest.raises(BadRequestError, match="nothing: Extra inputs are not permitted"):
            await client.messages.create(
                model="claude-haiku-4-5", max_tokens=100, messages=hello, extra_body={"nothing": 1}
            )
        assert "claude-opus-5-5" in [one.id async for one in client.models.list(limit=4)]
        counted = await client.messages.count_tokens(model="claude-haiku-4-5", messages=hello)
        assert counted.input_tokens == made.usage.input_tokens


FIELDS = [
    *(
        "model",
        "messages",
        "max_tokens",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "cache_control",
    ),
    *(
        "stream",
        "temperature",
        "top_p",
        "top_k",
        "stop_sequences",
        "metadata",
        "service_tier",
        "container",
        "mcp_servers",
    ),
    *("context_management", "output_format", "speed"),
]
INNER = [
    *("type", "role", "content", "text", "id", "name", "input", "tool_use_id", "source", "media_type", "data", "url"),
    *("thinking", "signature", "cache_control", "ttl", "citations", "enabled", "title", "is_error", "input_schema"),
    *("budget_tokens", "display", "effort", "format", "schema", "strict", "defer_loading", "properties", "required"),
    *("additionalProperties", "items", "anyOf", "$ref", "$defs", "enum", "description", "file_id", "tool", "context"),
]
WORDS = [
    *("user", "assistant", "system", "text", "image", "document", "tool_use", "tool_result", "thinking", "any", "auto"),
    *("redacted_thinking", "server_tool_use", "web_search_tool_result", "search_result", "tool_addition", "base64"),
    *("ephemeral", "enabled", "adaptive", "tool", "none", "json_schema", "object", "string", "array", "custom", "url"),
    *("web_search_20250305", "code_execution_20260120", "web_search", "claude-opus-5-5", "claude-haiku-4-5", "low"),
]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "iVBORw0KGgo=", "#/$defs/a", "[[sim:calls=3]]", *WORDS]),
    st.text(max_size=5),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(INNER), inner, max_size=5)),
    max_leaves=14,
)
_TAGGED = st.fixed_dictionaries({"type": st.sampled_from(WORDS)}, optional=dict.fromkeys(INNER[1:22], _JSON))
_SPOKEN = st.fixed_dictionaries(
    {"role": st.sampled_from(WORDS[:3]), "content": st.one_of(st.text(max_size=3), st.lists(_TAGGED, max_size=3))}
)


@settings(deadline=None, max_examples=200)
@given(field=st.sampled_from(FIELDS), value=_JSON, model=st.sampled_from(["claude-haiku-4-5", "claude-opus-5-5"]))
async def test_any_value_of_any_field_is_judged(field: str, value: Any, model: str) -> None:
    body = user("Use a", model=model, tools=tools("a"))
    beta = {"anthropic-beta": "mcp-client-2025-04-04,context-management-2025-06-27,structured-outputs-2025-11-13"}
    assert (await post(Simulator(), body | {field: value}, headers=beta)).status in (200, 400, 404)


@settings(deadline=None, max_examples=200)
@given(messages=st.lists(_SPOKEN, max_size=4), listed=st.lists(_TAGGED, max_size=2))
async def test_any_messages_and_tools_are_judged(messages: list[Json], listed: list[Json]) -> None:
    beta = {"anthropic-beta": "files-api-2025-04-14,mid-conversation-tool-changes-2026-07-01"}
    body = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": messages}
    for asked in (body, body | {"tools": listed}, user("Hi", tools=listed)):
        assert (await post(Simulator(lenient=True), asked, headers=beta)).status in (200, 400)


@settings(deadline=None, max_examples=100)
@given(schema=st.dictionaries(st.sampled_from(INNER), _JSON, max_size=5))
@example(schema={"type": [], "role": None})
async def test_any_schema_is_judged(schema: Json) -> None:
    formed = user("Hi", output_config={"format": {"type": "json_schema", "schema": schema}})
    forced = user("Hi", tools=[{"name": "f", "input_schema": schema | {"type": "object"}}], tool_choice={"type": "any"})
    for body in (formed, forced, forced | {"tools": [forced["tools"][0] | {"strict": True}]}):
        assert (await post(Simulator(), body)).status in (200, 400)


@settings(deadline=None, max_examples=100)
@given(words=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
async def test_streams_say_what_whole_answers_say(words: str) -> None:
    if words.strip():
        whole = await answer(Simulator(), user(words))
        assert folded(await events(Simulator(), user(words))) == whole
