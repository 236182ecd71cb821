"""What Claude is asked for other callers, and what its own callers may send (mapping.md 7.1, 7.5; clients.md 5)."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from dialects.anthropic_bodies import CLAUDE_CODE, OPENCLAW, RICH
from portico.catalog import load_catalog
from portico.core.dialect import Dialect, Rendered
from portico.core.errors import CallerError, InvalidRequest, UpstreamConflict
from portico.core.normal import normal
from portico.core.target import UNJUDGED, Target
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.wire import jsontext

DIALECT = anthropic_messages.DIALECT
HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-5-5"
"""One that takes a budget, and one that takes an effort."""
Json = dict[str, Any]


def model(name: str, kind: str = "anthropic") -> Target:
    return Target(name, kind, load_catalog().capabilities_for(name, kind))


def user(content: Any) -> Json:
    return {"role": "user", "content": content}


def asked(*messages: Json, to: str = HAIKU, **fields: Any) -> Rendered:
    """A Chat body as it goes to Claude."""
    request = openai_chat.DIALECT.parse_request({"model": "m", "messages": list(messages) or [user("Hi")], **fields})
    return DIALECT.render_request(request, model(to))


def codes(told: Rendered) -> set[str]:
    return {loss.code for loss in told.losses}


# -- agents


@pytest.mark.parametrize("body", [CLAUDE_CODE, OPENCLAW, RICH], ids=["claude-code", "OpenClaw", "rich"])
def test_a_body_comes_back_as_it_was(body: Json) -> None:
    request = DIALECT.parse_request(body)
    again = DIALECT.render_request(request, Target(body["model"], "anthropic", UNJUDGED))
    assert again.losses == []
    assert normal(DIALECT.parse_request(again.body)) == normal(request)


@pytest.mark.parametrize("body", [CLAUDE_CODE, OPENCLAW], ids=["claude-code", "OpenClaw"])
@pytest.mark.parametrize(
    ("dialect", "target"),
    [
        (gemini.DIALECT, model("gemini-2.5-flash", "gemini")),
        (gemini.DIALECT, model("gemini-3.5-flash", "gemini")),
        (openai_chat.DIALECT, model("gpt-4.1", "openai")),
        (openai_responses.DIALECT, model("gpt-5.5", "openai")),
    ],
    ids=["gemini-2.5", "gemini-3.5", "chat", "responses"],
)
def test_what_agents_send_is_never_refused_on_the_way(body: Json, dialect: Dialect, target: Target) -> None:
    told = dialect.render_request(DIALECT.parse_request(body), target)
    calls = [tool["name"] for tool in body["tools"] if "input_schema" in tool]
    assert [tool.name for tool in dialect.parse_request(told.body, model=target.model).tools] == calls


def test_agents_on_gemini_keep_calls_results_and_what_is_said_of_thinking() -> None:
    body = gemini.DIALECT.render_request(DIALECT.parse_request(CLAUDE_CODE), model("gemini-3.5-flash", "gemini")).body
    said = [part for content in body["contents"] for part in content["parts"]]
    assert [part["functionCall"]["args"] for part in said if "functionCall" in part] == [
        {"command": "ls"},
        {"command": "cat x"},
    ]
    results = [part["functionResponse"]["response"] for part in said if "functionResponse" in part]
    assert len(results) == 2
    assert "error" in results[1]
    assert "Skills: none." in str(body["systemInstruction"])
    assert body["generationConfig"]["thinkingConfig"]["thinkingLevel"].lower() == "high"
    assert not body["generationConfig"]["thinkingConfig"].get("includeThoughts")
    assert "sealed" not in str(body)  # a blob goes to nobody but who made it


STRANGE: tuple[Any, ...] = (None, True, 0, -1, 1.5, 2**70, "", "é", [], [[]], [None], {}, {"a": None}, {"text": 5})
TARGETS = [
    (DIALECT, model(HAIKU)),
    (gemini.DIALECT, model("gemini-3.5-flash", "gemini")),
    (openai_chat.DIALECT, model("gpt-4.1", "openai")),
    (openai_responses.DIALECT, model("gpt-5.5", "openai")),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


@pytest.mark.parametrize("body", [CLAUDE_CODE, OPENCLAW, RICH], ids=["claude-code", "OpenClaw", "rich"])
def test_strange_values_are_refused_with_their_place_or_pass(body: Json) -> None:
    for path in places(body):
        for strange in STRANGE:
            bent = bend(body, path, strange)
            try:
                request = DIALECT.parse_request(bent)
            except InvalidRequest as error:
                if error.param is None:
                    raise AssertionError(f"no place is told: {path} = {strange!r}") from error
                continue
            for dialect, target in TARGETS:
                try:
                    jsontext.encode(dialect.render_request(request, target).body)
                except CallerError:
                    pass
                except Exception as error:
                    raise AssertionError(f"{dialect.name}: {path} = {strange!r}") from error


def bend(body: Json, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    bent: Any = copy.deepcopy(body)
    inner = bent
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return bent


# -- turns


def test_turns_of_one_role_are_one_and_results_come_first() -> None:
    call = {"id": "call.1/a", "type": "function", "function": {"name": "a.b", "arguments": '{"x": 1}'}}
    tools = [{"type": "function", "function": {"name": "a.b"}}]
    told = asked(
        user("Hi"),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        user("Wait."),
        {"role": "tool", "tool_call_id": "call.1/a", "content": "done"},
        tools=tools,
    )
    _, says, goes_on = told.body["messages"]
    assert says["content"] == [{"type": "tool_use", "id": "call_1_a", "name": "a_b", "input": {"x": 1}}]
    assert goes_on["content"] == [
        {"type": "tool_result", "tool_use_id": "call_1_a", "content": "done"},
        {"type": "text", "text": "Wait."},
    ]
    assert told.tool_names == {"a_b": "a.b"}


@pytest.mark.parametrize("ids", [("call_0", "call_0"), ("call.0", "call_0"), ("call_0", "call_0_2", "call_0")], ids=str)
def test_every_call_has_an_id_of_its_own(ids: tuple[str, ...]) -> None:
    """Some models count their calls anew in every turn; Anthropic refuses an id that comes twice."""
    messages = [user("Hi")]
    for number, id_ in enumerate(ids):
        call = {"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": id_, "content": f"result {number}"})
    _, *turns = asked(*messages).body["messages"]
    calls, results = [[block for turn in turns[at::2] for block in turn["content"]] for at in (0, 1)]
    assert len({call["id"] for call in calls}) == len(ids)
    told = [(result["tool_use_id"], result["content"]) for result in results]
    assert told == [(call["id"], f"result {number}") for number, call in enumerate(calls)]


GIVEN = [
    ("", {}),
    (" ", {}),
    ('{"arguments": "ls"}', {"arguments": "ls"}),
    ("ls -la", {"_raw": "ls -la"}),
    ("[1]", {"value": [1]}),
]


@pytest.mark.parametrize(("arguments", "given"), GIVEN)
def test_arguments_are_an_object_as_google_is_given_one(arguments: str, given: Json) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    told = asked(
        user("Hi"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    )
    assert told.body["messages"][1]["content"][0]["input"] == given


def test_system_messages_stay_only_where_they_may() -> None:
    messages = [
        {"role": "system", "content": "first"},
        user("Hi"),
        {"role": "system", "content": "after the user"},
        {"role": "assistant", "content": "Ho"},
        {"role": "system", "content": "after the assistant"},
        user("And?"),
    ]
    older, newer = asked(*messages).body, asked(*messages, to=OPUS).body
    assert [block["text"] for block in older["system"]] == ["first", "after the user", "after the assistant"]
    assert [block["text"] for block in newer["system"]] == ["first", "after the assistant"]
    assert [message["role"] for message in newer["messages"]] == ["user", "system", "assistant", "user"]


def test_a_conversation_begins_with_the_user() -> None:
    told = asked(user(" "), {"role": "system", "content": "Be brief."}, to=OPUS)
    assert [message["role"] for message in told.body["messages"]] == ["user", "system"]


def test_the_beginning_of_an_answer_goes_on_only_where_a_model_does() -> None:
    begun = (user("Hi"), {"role": "assistant", "content": "Well, "})
    told = asked(*begun)
    assert told.body["messages"][-1] == {"role": "assistant", "content": [{"type": "text", "text": "Well,"}]}
    assert "7.5:prefill" in codes(told)
    for told in (asked(*begun, to=OPUS), asked(*begun, reasoning_effort="low")):
        assert told.body["messages"][-1]["role"] == "user"
        assert "7.5:prefill" in codes(told)


BEGUN: dict[str, tuple[Dialect, Json, str]] = {
    "Chat": (openai_chat.DIALECT, {"messages": [user("Hi"), {"role": "assistant", "content": "Well"}]}, "$.messages"),
    "Responses": (
        openai_responses.DIALECT,
        {"input": [user("Hi"), {"role": "assistant", "content": "Well"}]},
        "$.input",
    ),
    "Gemini": (
        gemini.DIALECT,
        {"contents": [{"parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "Well"}]}]},
        "$.contents",
    ),
}


@pytest.mark.parametrize(("dialect", "body", "path"), BEGUN.values(), ids=BEGUN)
def test_the_beginning_of_an_answer_is_named_as_its_caller_spelt_it(dialect: Dialect, body: Json, path: str) -> None:
    told = DIALECT.render_request(dialect.parse_request({"model": "m", **body}, model="m"), model(OPUS))
    assert [loss.path for loss in told.losses if loss.code == "7.5:prefill"] == [path]


def test_a_model_that_always_thinks_does_not_stop_in_silence() -> None:
    told = asked(to=OPUS, reasoning_effort="none")
    assert told.body["output_config"]["effort"] == "low"
    assert [loss.message for loss in told.losses if loss.code == "1.7:thinking"] == ["this model always thinks"]
    assert "1.7:thinking" not in codes(asked(to=OPUS, reasoning_effort="low"))


def test_who_the_user_is_is_told_where_it_has_room() -> None:
    assert asked(user="u" * 512).body["metadata"] == {"user_id": "u" * 512}
    assert "metadata" not in asked(user="u" * 513).body


# -- schemas


def schema(**members: Any) -> Json:
    return {"type": "object", "properties": members}


def formatted(wanted: Json) -> Rendered:
    return asked(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": wanted}})


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "object"},
        schema(x=True),
        schema(**{f"m{n}": {"type": "string"} for n in range(30)}),
        schema(again={"$ref": "#"}),
    ],
    ids=["anything", "true", "too many", "itself"],
)
def test_what_does_not_compile_is_asked_for_in_words(wanted: Json) -> None:
    told = formatted(wanted)
    assert "output_config" not in told.body
    assert "JSON Schema" in told.body["system"]
    assert "1.10:format" in codes(told)


@pytest.mark.parametrize(
    "odd",
    [
        {"$defs": [1]},
        {"$defs": 5},
        {"allOf": 5},
        {"properties": 5},
        {"properties": {"a": 1}},
        {"properties": {"a": {}}, "required": 5},
    ],
    ids=str,
)
def test_a_schema_of_odd_values_is_no_failure_of_ours(odd: Json) -> None:
    function = {"name": "f", "parameters": {"type": "object", **odd}, "strict": True}
    told = asked(tools=[{"type": "function", "function": function}])
    assert told.body["tools"][0]["name"] == "f"
    assert formatted({"type": "object", **odd}).body["messages"]


@pytest.mark.parametrize("strict", [False, True])
def test_a_union_at_the_top_of_a_tools_schema_is_one_object(strict: bool) -> None:
    one = {"type": "object", "properties": {"a": {"type": "string"}, "c": {}}, "required": ["a", "c"]}
    union = {"anyOf": [one, {"$ref": "#/$defs/two"}], "$defs": {"two": {"properties": {"c": {}}, "required": ["c"]}}}
    told = asked(tools=[{"type": "function", "function": {"name": "f", "parameters": union, "strict": strict}}])
    (tool,) = told.body["tools"]
    found = tool["input_schema"]
    assert (found["type"], found["properties"], found["required"]) == (
        "object",
        {"c": {}, "a": {"type": "string"}},
        ["c"],
    )
    assert not {"anyOf", "oneOf", "allOf"} & found.keys()
    assert tool["strict"] is strict
    assert {"1.11:schema", "7.5:closed"} & codes(told)


# -- files and errors


def test_pictures_and_papers_have_blocks_of_their_own() -> None:
    told = asked(
        user(
            [
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,_9j-"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
            ]
        )
    )
    jpeg, remote, paper = told.body["messages"][0]["content"]
    assert jpeg == {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "/9j+"}}
    assert remote == {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert (paper["type"], paper["title"], paper["source"]["type"]) == ("document", "a.pdf", "base64")


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}},
        {"inlineData": {"mimeType": "image/bmp", "data": "Qk0="}},
        {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/a.png"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "files/abc"}},
    ],
    ids=["sound", "film", "another picture", "bucket", "another's id"],
)
def test_files_that_claude_cannot_have_are_refused_with_their_place(part: Json) -> None:
    request = gemini.DIALECT.parse_request({"contents": [{"role": "user", "parts": [part]}]}, model="m")
    with pytest.raises(InvalidRequest, match="Claude takes no files") as caught:
        DIALECT.render_request(request, model(HAIKU))
    assert caught.value.param is not None
    assert caught.value.param.startswith("$.contents")


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DRAWN = {"inlineData": {"mimeType": "image/png", "data": PNG}}
CALLED = {"functionCall": {"name": "f", "args": {}, "id": "c"}}
RESULT = {"functionResponse": {"name": "f", "id": "c", "response": {"output": "ok"}}}


@pytest.mark.parametrize(
    ("turns", "made"),
    [
        (
            [{"text": "Here."}, DRAWN, CALLED],
            [["text", "tool_use"], ["tool_result", "text", "image", "text"]],
        ),
        ([DRAWN], [["text", "text", "image", "text"]]),
    ],
    ids=["beside a call", "alone"],
)
@pytest.mark.parametrize("asked_after", [True, False])
def test_a_picture_that_the_assistant_made_is_shown_by_the_user(
    turns: list[Json], made: Any, asked_after: bool
) -> None:
    """7.1: Anthropic refuses pictures in the assistant's own turns"""
    result = [RESULT] if CALLED in turns else []
    last = [{"text": "Bluer."}] if asked_after else []
    contents = [
        {"role": "user", "parts": [{"text": "Draw."}]},
        {"role": "model", "parts": turns},
        *([{"role": "user", "parts": [*result, *last]}] if result or last else []),
    ]
    request = gemini.DIALECT.parse_request({"contents": contents}, model="m")
    body = DIALECT.render_request(request, model(OPUS)).body
    expected = [list(kinds) for kinds in made]
    if not asked_after:
        expected[-1].pop()
    told = [[block["type"] for block in message["content"]] for message in body["messages"]]
    assert told[-len(expected) :] == expected
    shown = [block for block in body["messages"][-1]["content"] if block["type"] == "text"]
    assert "The assistant made this:" in [block["text"] for block in shown]


def test_a_draft_that_the_assistant_made_is_shown_to_nobody() -> None:
    contents = [
        {"role": "user", "parts": [{"text": "Draw."}]},
        {"role": "model", "parts": [{**DRAWN, "thought": True}, {"text": "No."}]},
        {"role": "user", "parts": [{"text": "Why?"}]},
    ]
    told = DIALECT.render_request(gemini.DIALECT.parse_request({"contents": contents}, model="m"), model(OPUS))
    assert "image" not in str(told.body)
    assert "2.2:draft" in codes(told)


@pytest.mark.parametrize(
    "gone",
    [{"role": "assistant", "content": None, "reasoning_content": "hm"}, {"role": "assistant", "content": " "}],
    ids=["a thought without a seal", "nothing"],
)
def test_a_system_message_that_is_left_before_a_user_goes_to_the_beginning(gone: Json) -> None:
    """7.5, 17: Anthropic takes one that is last, or before an answer; the answer may be one that it cannot be told"""
    brief = {"role": "system", "content": "Be brief."}
    told = asked(user("Hi"), brief, gone, user("So?"), to=OPUS)
    assert [message["role"] for message in told.body["messages"]] == ["user"]
    assert told.body["system"] == "Be brief."
    kept = asked(user("Hi"), brief, {"role": "assistant", "content": "Ho"}, user("So?"), to=OPUS)
    assert [message["role"] for message in kept.body["messages"]] == ["user", "system", "assistant", "user"]


def test_a_conflict_is_one() -> None:
    body = b'{"type":"error","error":{"type":"conflict_error","message":"Again."}}'
    assert type(DIALECT.parse_error(409, body)) is UpstreamConflict
