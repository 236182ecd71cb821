"""Messages bodies that anybody may send, and what a Claude model is sent (mapping.md 7.1, 7.5)."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dialects.dialect_rows import Json, target
from portico.core.errors import InvalidRequest
from portico.core.parts import Media, ToolResult, text_of
from portico.core.request import Message, Request, Role, Thinking
from portico.core.target import UNJUDGED, Target
from portico.dialects import gemini, openai_chat, openai_responses
from portico.dialects.anthropic_messages import DIALECT

OLD_CLAUDE = "claude-sonnet-4-5"


def asked(*messages: Json, **fields: Any) -> Json:
    return {
        "model": "m",
        "max_tokens": 100,
        "messages": list(messages) or [{"role": "user", "content": "hi"}],
        **fields,
    }


def blocks(*content: Any) -> Json:
    return asked({"role": "user", "content": list(content)})


def parsed(body: Any) -> Request:
    return DIALECT.parse_request(body)


def sent(body: Json, model: str = OLD_CLAUDE) -> Json:
    made: Json = dict(DIALECT.render_request(parsed({**body, "model": model}), target(model, "anthropic")).body)
    return made


ODD = [
    (asked({"role": ["user"], "content": "x"}), "$.messages.0.role"),
    (asked({"role": {}, "content": "x"}), "$.messages.0.role"),
    (asked({"role": "user", "content": 5}), "$.messages.0.content"),
    (asked({"role": "user"}), "$.messages.0.content"),
    (blocks(5), "$.messages.0.content.0"),
    (blocks({"text": "x"}), "$.messages.0.content.0.type"),
    (blocks({"type": "text", "text": []}), "$.messages.0.content.0.text"),
    (blocks({"type": "thinking", "thinking": "x", "signature": [1]}), "$.messages.0.content.0.signature"),
    (blocks({"type": "tool_use", "id": "a", "name": "f", "input": []}), "$.messages.0.content.0.input"),
    (blocks({"type": "image", "source": {"type": ["url"]}}), "$.messages.0.content.0.source.type"),
    (
        blocks({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]}),
        "$.messages.0.content.0.content.0.text",
    ),
    (asked(tools={}), "$.tools"),
    (asked(tools=[{"type": [], "name": "x"}]), "$.tools.0.type"),
    (asked(tool_choice={"type": []}), "$.tool_choice.type"),
    (asked(thinking={"type": {}}), "$.thinking.type"),
    (asked(stop_sequences=[1]), "$.stop_sequences.0"),
    (asked(output_config={"format": {"type": []}}), "$.output_config.format.type"),
    (asked(temperature=1.5), "$.temperature"),
    (asked(max_tokens=0), "$.max_tokens"),
]


@pytest.mark.parametrize(("body", "path"), ODD, ids=[path + str(number) for number, (_, path) in enumerate(ODD)])
def test_what_is_wrong_is_told_by_its_path(body: Json, path: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parsed(body)
    assert caught.value.param == path


def test_blocks_too_deep_inside_one_another_are_refused() -> None:
    block: Json = {"type": "text", "text": "x"}
    for _ in range(300):
        block = {"type": "tool_result", "tool_use_id": "a", "content": [block]}
    with pytest.raises(InvalidRequest, match="too deep"):
        parsed(blocks(block))
    assert DIALECT.ask(blocks(block), 1000).text_bytes == 1000


LOOPS = [
    ([True], True),
    ([False], False),
    ([True, False], True),
    ([False, True], False),
]


@pytest.mark.parametrize(("opened", "thinks"), LOOPS)
def test_a_loop_of_calls_opens_with_thoughts_or_has_none(opened: list[bool], thinks: bool) -> None:
    """Without beta headers Claude thinks before the first calls of a loop, and not between them."""
    messages: list[Json] = [{"role": "user", "content": "hi"}]
    for number, thought in enumerate(opened):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": "f", "input": {}}
        before = [{"type": "thinking", "thinking": "hm", "signature": "abc"}] if thought else []
        result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "ok"}
        messages += [{"role": "assistant", "content": [*before, use]}, {"role": "user", "content": [result]}]
    told = sent(asked(*messages, max_tokens=8000, thinking={"type": "enabled", "budget_tokens": 2048}))
    assert ("thinking" in told) is thinks


def test_the_address_of_a_source_in_a_result_ends_with_its_line() -> None:
    """Where a result is one text, what the source says is not glued to its address."""
    source = {
        "type": "search_result",
        "title": "T",
        "source": "https://a/b",
        "content": [{"type": "text", "text": "z"}],
    }
    call = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [source]}
    found = parsed(asked({"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}))
    (part,) = found.messages[1].parts
    assert isinstance(part, ToolResult)
    assert text_of(part.parts) == "T https://a/b\nz"


WHOLE: Json = asked(
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
            {
                "type": "document",
                "title": "t",
                "source": {"type": "content", "content": [{"type": "text", "text": "y"}]},
            },
            {"type": "search_result", "title": "t", "source": "s", "content": [{"type": "text", "text": "z"}]},
        ],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "abc"},
            {"type": "redacted_thinking", "data": "abc"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        ],
    },
    {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "ok"}]}],
    },
    system=[{"type": "text", "text": "be brief"}],
    tools=[{"name": "f", "input_schema": {"type": "object"}}, {"type": "web_search_20250305", "name": "web_search"}],
    tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    thinking={"type": "enabled", "budget_tokens": 1024, "display": "omitted"},
    output_config={"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    stop_sequences=["a"],
    metadata={"user_id": "u"},
    service_tier="auto",
    temperature=0.5,
    top_p=0.5,
    top_k=5,
    stream=True,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *[found for key, item in items for found in _paths(item, (*path, key))]]


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _changed(value[path[0]], path[1:], new)
    return copy


@given(
    path=st.sampled_from(_paths(WHOLE)),
    new=st.sampled_from([None, True, -1, 1.5, 10**30, "", "x", [], [[]], {}, {"a": []}]),
)
def test_a_wrong_value_anywhere_is_understood_or_refused(path: tuple[Any, ...], new: Any) -> None:
    body = _changed(WHOLE, path, new)
    if isinstance(body, dict):
        DIALECT.ask(body, 1000)
    refused: InvalidRequest | None = None
    try:
        request = parsed(body)
        for model in (OLD_CLAUDE, "claude-opus-4-8"):
            DIALECT.render_request(request, target(model, "anthropic"))
    except InvalidRequest as error:
        refused = error
    assert refused is None or str(refused.param).startswith("$")


@pytest.mark.parametrize(
    ("limit", "budget"), [(500_000, 400_000), (64_000, 64_000), (4096, 8192), (2048, 2048), (None, 400_000)]
)
def test_thoughts_leave_room_for_the_answer(limit: int | None, budget: int) -> None:
    body = asked(thinking={"type": "enabled", "budget_tokens": budget}, max_tokens=limit)
    made = sent(body)
    assert made["thinking"]["budget_tokens"] < made["max_tokens"]


def test_no_thoughts_are_asked_for_where_those_of_the_calls_are_lost() -> None:
    turn: list[Json] = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "ok"}]},
    ]
    more: Json = {
        "max_tokens": 9000,
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    }
    assert "thinking" not in sent(asked(*turn, **more))
    turn[1]["content"].insert(0, {"type": "thinking", "thinking": "hm", "signature": "abc"})
    assert sent(asked(*turn, **more))["thinking"]["type"] == "enabled"


def test_an_effort_of_a_turn_is_the_effort_from_there_on() -> None:
    """Claude Code says it so to the models that it knows; whichever model answers thinks as hard as the last one says."""
    turns: list[Json] = [
        {"role": "user", "content": "go"},
        {"role": "system", "content": "Think.", "output_config": {"effort": "low"}},
        {"role": "assistant", "content": "I went."},
        {"role": "user", "content": "on"},
    ]
    body = asked(*turns, output_config={"effort": "high"})
    assert parsed(body).thinking.effort == "low"
    turns[1]["output_config"] = {"effort": None}
    assert parsed(body).thinking.effort == "high"


@pytest.mark.parametrize(
    ("config", "param"),
    [
        ({"effort": "enormous"}, "$.messages.1.output_config.effort"),
        ({"effort": ["low"]}, "$.messages.1.output_config.effort"),
        ("low", "$.messages.1.output_config"),
    ],
)
def test_an_effort_of_a_turn_is_one_that_anthropic_knows(config: Any, param: str) -> None:
    turns: list[Json] = [{"role": "user", "content": "go"}, {"role": "user", "content": "on", "output_config": config}]
    with pytest.raises(InvalidRequest) as caught:
        parsed(asked(*turns))
    assert caught.value.param == param


TURNS: list[Json] = [
    {"role": "user", "content": "go"},
    {"role": "system", "output_config": {"effort": "low"}},
    {"role": "assistant", "content": "I went."},
    {"role": "user", "content": "on"},
    {"role": "system", "content": [], "output_config": {"effort": "high"}},
]
"""Of a conversation in which the effort changed."""


@pytest.mark.parametrize(
    ("dialect", "name", "kind", "lost"),
    [
        (gemini, "gemini-3.5-flash", "gemini", set()),
        (openai_chat, "gpt-5.5", "openai", set()),
        (openai_responses, "gpt-5.5", "openai", set()),
        (openai_chat, "gpt-4o", "openai", {"$.messages.4.output_config.effort"}),
        (openai_responses, "gpt-4o", "openai", {"$.messages.4.output_config.effort"}),
    ],
)
def test_an_effort_of_a_turn_is_lost_only_where_nobody_heeds_it(
    dialect: Any, name: str, kind: str, lost: set[str]
) -> None:
    told = dialect.DIALECT.render_request(parsed(asked(*TURNS)), target(name, kind))
    assert {loss.path for loss in told.losses if loss.code.startswith("1.7")} == lost
    assert "1.2:message_ext" not in {loss.code for loss in told.losses}


@pytest.mark.parametrize(
    ("name", "thinks", "body", "turns"),
    [
        ("claude-opus-5-5", None, None, ["low", "high"]),
        ("claude-sonnet-5", None, "high", []),
        ("claude-haiku-4-5", None, None, []),
        ("claude-opus-5-5", "medium", "medium", []),
    ],
)
def test_an_effort_of_a_turn_stays_in_it_where_the_model_knows_such(
    name: str, thinks: str | None, body: str | None, turns: list[str]
) -> None:
    """`thinks`: what the name of the model says, which counts. `body`: nobody said one for all of it."""
    request = parsed(asked(*TURNS))
    if thinks is not None:
        request = replace(request, thinking=Thinking(effort=thinks))
    made = DIALECT.render_request(request, target(name, "anthropic")).body
    assert made.get("output_config", {}).get("effort") == body
    assert [effort for turn in made["messages"] if (effort := turn.get("output_config", {}).get("effort"))] == turns


LESS: Json = {"role": "system", "content": [], "output_config": {"effort": "low"}}
RULE: Json = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
_USER, _CLAUDE = ({"role": role, "content": [{"type": "text", "text": "Hi"}]} for role in ("user", "assistant"))


@pytest.mark.parametrize(
    ("turns", "kept"),
    [
        ([_USER, _CLAUDE, LESS, _USER], None),
        ([_USER, LESS, _CLAUDE, _USER], None),
        ([_USER, _CLAUDE, _USER, LESS], None),
        ([_USER, LESS, RULE], None),
        ([_USER, RULE, LESS], None),
        ([_USER, _CLAUDE, RULE, LESS, _USER], [_USER, _CLAUDE, LESS, _USER]),
        ([_USER, _CLAUDE, RULE | {"output_config": {"effort": "low"}}, _USER], [_USER, _CLAUDE, LESS, _USER]),
        (
            [_USER, _CLAUDE, LESS],
            [_USER, _CLAUDE, LESS, {"role": "user", "content": [{"type": "text", "text": "Continue."}]}],
        ),
    ],
)
@pytest.mark.parametrize("first", ["high", None])
def test_an_effort_of_a_turn_stays_where_it_is(turns: list[Json], kept: list[Json] | None, first: str | None) -> None:
    """A text that Anthropic takes only elsewhere goes before the conversation without it. What is said of effort for the
    whole request stays as it is, too."""
    body = asked(*turns, **({} if first is None else {"output_config": {"effort": first}}))
    made = DIALECT.render_request(parsed(body), target("claude-opus-5-5", "anthropic")).body
    assert made["messages"] == (kept or turns)
    assert made.get("output_config") == body.get("output_config")
    assert ("system" in made) is (RULE["content"] in [turn["content"] for turn in turns] and kept is not None)


def test_efforts_of_turns_pass_as_they_came_to_anthropic() -> None:
    body = asked(*TURNS, output_config={"effort": "max"}, thinking={"type": "adaptive"})
    made = DIALECT.render_request(parsed(body), Target("claude-opus-5-5", "anthropic", UNJUDGED, own=True)).body
    assert made["output_config"] == body["output_config"]
    assert made["thinking"] == body["thinking"]
    assert [turn.get("output_config") for turn in made["messages"]] == [turn.get("output_config") for turn in TURNS]


@pytest.mark.parametrize(
    ("thinking", "path"),
    [
        ({"type": "enabled", "budget_tokens": 4096}, "$.thinking"),
        ({"type": "disabled"}, "$.thinking"),
        ({"type": "adaptive"}, "$.messages.1.output_config.effort"),
        (None, "$.messages.1.output_config.effort"),
    ],
)
def test_a_loss_is_told_where_what_is_lost_was_said(thinking: Json | None, path: str) -> None:
    body = asked(_USER, LESS, **({} if thinking is None else {"thinking": thinking}))
    told = openai_chat.DIALECT.render_request(parsed(body), target("gpt-4o", "openai"))
    assert parsed(body).where.field("thinking") == path
    assert {loss.path for loss in told.losses if loss.code.startswith("1.7")} <= {path}


@pytest.mark.parametrize(
    ("dialect", "named"), [(gemini, target("gemini-3.5-flash", "gemini")), (openai_chat, target("m", "openai"))]
)
def test_a_turn_that_says_nothing_but_its_effort_is_no_turn_elsewhere(dialect: Any, named: Target) -> None:
    with_marks, without = asked(*TURNS), asked(*[turn for turn in TURNS if turn["role"] != "system"])
    told = dialect.DIALECT.render_request(parsed(with_marks), named).body
    plain = dialect.DIALECT.render_request(parsed({**without, "output_config": {"effort": "high"}}), named).body
    assert told == plain


def test_results_come_first_in_their_turn() -> None:
    made = sent(
        asked(
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {
                "role": "user",
                "content": [{"type": "text", "text": "also"}, {"type": "tool_result", "tool_use_id": "a"}],
            },
        )
    )
    assert [block["type"] for block in made["messages"][2]["content"]] == ["tool_result", "text"]


_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(30)).decode()


@pytest.mark.parametrize(
    ("declared", "data", "told"),
    [
        ("image/png", _PNG, "image/png"),
        ("image/jpeg", _PNG, "image/png"),  # as some clients declare whatever picture they are given
        ("image/jpeg", "aGk=", "image/jpeg"),
    ],
)
def test_a_picture_is_declared_what_it_is(declared: str, data: str, told: str) -> None:
    request = Request("claude", (Message(Role.USER, (Media(declared, data),)),))
    body = DIALECT.render_request(request, target(OLD_CLAUDE)).body
    assert body["messages"][0]["content"][0]["source"]["media_type"] == told


def test_a_reference_without_its_hash_is_one_into_the_schema_of_its_tool() -> None:
    """1.11: LiteLLM writes `/$defs/x` into what it sends to Anthropic"""
    line = {"$ref": "/$defs/line"}
    schema = {
        "type": "object",
        "properties": {
            "$ref": {"type": "string"},
            "lines": {"type": "array", "items": line},
            "paid": {"anyOf": [line, {"$ref": "#/$defs/line"}]},
            "says": {"const": line},
        },
        "$defs": {"line": {"type": "object", "properties": {"next": line}}},
    }
    read = parsed(asked(tools=[{"name": "f", "input_schema": schema}])).tools[0].schema
    whole = {"$ref": "#/$defs/line"}
    assert read == {
        "type": "object",
        "properties": {
            "$ref": {"type": "string"},
            "lines": {"type": "array", "items": whole},
            "paid": {"anyOf": [whole, whole]},
            "says": {"const": line},
        },
        "$defs": {"line": {"type": "object", "properties": {"next": whole}}},
    }
