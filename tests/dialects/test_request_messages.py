"""mapping.md 1.2: messages become systemInstruction and contents."""

from typing import Any

import pytest

from dialects.dialect_rows import (
    NEW,
    OLD,
    SKIP,
    Json,
    assistant,
    call,
    chat,
    codes,
    contents,
    function,
    native,
    refusal,
    rendered,
    result,
    user,
)

GEMMA = "gemma-3-27b-it"
HI: Json = {"role": "user", "parts": [{"text": "hi"}]}
FILLER: Json = {"role": "user", "parts": [{"text": " "}]}
PNG = "iVBORw0KGgo="


def system(content: Any, role: str = "system") -> Json:
    return {"role": role, "content": content}


# (name of the row, messages, systemInstruction's texts, contents)
SYSTEM: list[tuple[str, list[Json], list[str] | None, list[Json]]] = [
    ("system", [system("a"), user("hi")], ["a"], [HI]),
    ("developer", [system("a", "developer"), user("hi")], ["a"], [HI]),
    ("both, in order", [system("a"), system("b", "developer"), user("hi")], ["a", "b"], [HI]),
    ("in the middle", [system("a"), user("hi"), system("b")], ["a", "b"], [HI]),
    (
        "between turns",
        [user("hi"), system("b"), user("you")],
        ["b"],
        [{"role": "user", "parts": [{"text": "hi"}, {"text": "you"}]}],
    ),
    (
        "parts",
        [system([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), user("hi")],
        ["a", "b"],
        [HI],
    ),
    ("blank part", [system([{"type": "text", "text": ""}, {"type": "text", "text": "b"}]), user("hi")], ["b"], [HI]),
    ("blank", [system(""), user("hi")], None, [HI]),
    ("only system", [system("a")], ["a"], [FILLER]),
    ("only blank system", [system("")], None, [FILLER]),
]


@pytest.mark.parametrize(("name", "messages", "texts", "expected"), SYSTEM, ids=[row[0] for row in SYSTEM])
def test_system_text_is_hoisted_in_order(
    name: str, messages: list[Json], texts: list[str] | None, expected: list[Json]
) -> None:
    """1.2, rows on system messages"""
    body = native(chat(*messages))
    assert body["contents"] == expected
    told = None if texts is None else {"parts": [{"text": text} for text in texts]}
    assert body.get("systemInstruction") == told


def test_a_picture_in_a_system_message_is_a_400() -> None:
    """1.2, system content as parts list"""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    error = refusal(chat(user("hi"), system([{"type": "text", "text": "a"}, image])))
    assert error.param == "$.messages[1]"


def test_a_model_without_a_system_slot_reads_the_text_first() -> None:
    """1.2, Gemma"""
    told = rendered(chat(system("a"), user("hi"), assistant("yes"), user("go")), GEMMA)
    assert "systemInstruction" not in told.body
    assert told.body["contents"][0] == {"role": "user", "parts": [{"text": "a"}, {"text": "hi"}]}
    assert codes(told.losses) == ["1.2:system_inline"]
    assert native(chat(system("a")), GEMMA)["contents"] == [{"role": "user", "parts": [{"text": "a"}]}]


# (name of the row, messages, contents)
TURNS: list[tuple[str, list[Json], list[Json]]] = [
    ("user", [user("hi")], [HI]),
    ("user, parts", [user([{"type": "text", "text": "hi"}])], [HI]),
    (
        "assistant is model",
        [user("hi"), assistant("yes"), user("go")],
        [HI, {"role": "model", "parts": [{"text": "yes"}]}, {"role": "user", "parts": [{"text": "go"}]}],
    ),
    (
        "same role: parts appended, never joined",
        [user("a"), user("b\n"), assistant("c"), assistant("d")],
        [
            {"role": "user", "parts": [{"text": "a"}, {"text": "b\n"}]},
            {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
        ],
    ),
    ("assistant first", [assistant("a"), user("hi")], [FILLER, {"role": "model", "parts": [{"text": "a"}]}, HI]),
    ("empty user", [user("")], [FILLER]),
    ("null user", [user(None)], [FILLER]),
    ("empty user among others", [user("hi"), user("")], [HI]),
    ("whitespace is kept", [user(" \n")], [{"role": "user", "parts": [{"text": " \n"}]}]),
    ("empty part is left out", [user([{"type": "text", "text": ""}, {"type": "text", "text": "hi"}])], [HI]),
    ("empty assistant is dropped", [user("hi"), assistant("")], [HI]),
    ("null assistant is dropped", [user("hi"), assistant(None)], [HI]),
    (
        "the turns around a dropped one are one",
        [user("a"), assistant(""), user("b")],
        [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}],
    ),
    (
        "empty assistant with a signature",
        [user("hi"), assistant("", extra_content={"google": {"thought_signature": "c2ln"}}), user("go")],
        [
            HI,
            {"role": "model", "parts": [{"text": "", "thoughtSignature": "c2ln"}]},
            {"role": "user", "parts": [{"text": "go"}]},
        ],
    ),
    (
        "refusal field",
        [user("hi"), assistant(None, refusal="I will not.")],
        [HI, {"role": "model", "parts": [{"text": "I will not."}]}],
    ),
    (
        "refusal part",
        [user("hi"), assistant([{"type": "refusal", "refusal": "No."}])],
        [HI, {"role": "model", "parts": [{"text": "No."}]}],
    ),
    (
        "prefill",
        [user("hi"), assistant("The answer is")],
        [HI, {"role": "model", "parts": [{"text": "The answer is"}]}],
    ),
    (
        "reasoning is no text",
        [user("hi"), assistant("yes", reasoning_content="hm"), user("go")],
        [
            HI,
            {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "yes"}]},
            {"role": "user", "parts": [{"text": "go"}]},
        ],
    ),
    (
        "OpenRouter's reasoning is no text",
        [user("hi"), assistant("yes", reasoning="hm"), user("go")],
        [
            HI,
            {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "yes"}]},
            {"role": "user", "parts": [{"text": "go"}]},
        ],
    ),
]


@pytest.mark.parametrize("model", [NEW, OLD])
@pytest.mark.parametrize(("name", "messages", "expected"), TURNS, ids=[row[0] for row in TURNS])
def test_messages_are_the_turns_google_wants(name: str, messages: list[Json], expected: list[Json], model: str) -> None:
    """1.2"""
    assert contents(*messages, model=model) == expected


@pytest.mark.parametrize("content", [None, ""])
def test_calls_without_text_are_only_calls(content: str | None) -> None:
    """1.2, assistant content null with tool_calls"""
    told = contents(user("hi"), assistant(content, call("c1")), result("c1"), model=OLD)
    assert told[1] == {"role": "model", "parts": [{"functionCall": {"name": "look_up", "args": {}}}]}


def test_text_stands_before_calls() -> None:
    """1.2, assistant text + tool_calls"""
    told = contents(user("hi"), assistant("Let me see.", call("c1"), call("c2")), result("c1"), result("c2"))
    assert told[1] == {
        "role": "model",
        "parts": [
            {"text": "Let me see."},
            {"functionCall": {"id": "c1", "name": "look_up", "args": {}}, "thoughtSignature": SKIP},
            {"functionCall": {"id": "c2", "name": "look_up", "args": {}}},
        ],
    }


def test_a_history_that_begins_with_a_call_gets_a_user_turn_before_it() -> None:
    """1.2, first content must be user"""
    told = contents(assistant(None, call("c1")), result("c1"))
    assert told[0] == FILLER
    assert [one["role"] for one in told] == ["user", "model", "user"]


def test_signed_text_is_never_merged_with_other_text() -> None:
    """1.2, consecutive same role; 2.4, rule e"""
    signed = assistant("a", extra_content={"google": {"thought_signature": "c2ln"}})
    told = contents(user("hi"), signed, assistant("b"), user("go"))
    assert told[1]["parts"] == [{"text": "a", "thoughtSignature": "c2ln"}, {"text": "b"}]


@pytest.mark.parametrize("role", ["tools", "model", "", "USER", None, 5])
def test_an_unknown_role_is_a_400(role: Any) -> None:
    """1.2, any other role"""
    error = refusal(chat(user("hi"), {"role": role, "content": "x"}))
    assert error.param == "$.messages[1].role"


def test_a_name_is_dropped_and_told() -> None:
    """1.2, name"""
    told = rendered(chat(user("hi", name="Ada"), {"role": "system", "content": "s", "name": "boss"}))
    assert told.body["contents"] == [HI]
    assert codes(told.losses) == ["1.2:name", "1.2:name"]


@pytest.mark.parametrize("after", [[], [user("never mind")]], ids=["at the end", "before a user turn"])
def test_a_call_nobody_answered_is_a_400_on_three_and_sent_on_two(after: list[Json]) -> None:
    """1.2, last content is model FC without FR; 1.3, missing result"""
    messages = [user("hi"), assistant(None, call("call_a"), call("call_b")), *after]
    error = refusal(chat(*messages), NEW)
    assert "call_a" in error.message
    assert "call_b" in error.message
    assert error.param == "$.messages"
    assert contents(*messages, model=OLD)[1]["role"] == "model"


def test_what_a_client_echoes_of_our_own_answers_is_no_surprise() -> None:
    """1.2: fields of an answer that come back are read, or left out with nothing lost."""
    echoed = assistant("yes", refusal=None, annotations=[], audio=None, function_call=None, id="m1", status="done")
    told = rendered(chat(user("hi"), echoed, user("go")))
    assert told.losses == []
    stranger = rendered(chat(user("hi", mood="glad")))
    assert codes(stranger.losses) == ["1.2:message_ext"]


def test_legacy_function_messages_are_calls_and_results() -> None:
    """1.2, role function; 1.12, functions"""
    legacy = assistant(None, function_call={"name": "look_up", "arguments": '{"a":1}'})
    told = contents(user("hi"), legacy, {"role": "function", "name": "look_up", "content": "fine"}, model=OLD)
    assert told[1]["parts"] == [{"functionCall": {"name": "look_up", "args": {"a": 1}}}]
    assert told[2]["parts"] == [{"functionResponse": {"name": "look_up", "response": {"output": "fine"}}}]


def test_a_declared_tool_changes_nothing_about_the_turns() -> None:
    """1.2"""
    assert contents(user("hi"), tools=[function()]) == [HI]


# (name of the row, part, Google's part): the rows of 1.4 that are no media
PARTS: list[tuple[str, Json, Json]] = [
    ("text", {"type": "text", "text": "a"}, {"text": "a"}),
    ("refusal", {"type": "refusal", "refusal": "a"}, {"text": "a"}),
    ("input_text", {"type": "input_text", "text": "a"}, {"text": "a"}),
    ("output_text", {"type": "output_text", "text": "a"}, {"text": "a"}),
    ("cache_control", {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"text": "a"}),
    ("prompt_cache_breakpoint", {"type": "text", "text": "a", "prompt_cache_breakpoint": True}, {"text": "a"}),
    ("no type", {"text": "a"}, {"text": "a"}),
    (
        "image_url data URI",
        {"type": "image_url", "image_url": {"url": f"DATA:image/PNG;charset=x;BASE64,{PNG[:4]}\n{PNG[4:]}"}},
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
    ),
    (
        "pdf as image_url",
        {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0="}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
    ),
    (
        "data URI that is not base64",
        {"type": "image_url", "image_url": {"url": "data:text/plain,a%20b"}},
        {"inlineData": {"mimeType": "text/plain", "data": "YSBi"}},
    ),
    (
        "input_audio",
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
    ),
    (
        "file_data",
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
    ),
]


@pytest.mark.parametrize(("name", "part", "expected"), PARTS, ids=[row[0] for row in PARTS])
def test_a_content_part_becomes_googles_part(name: str, part: Json, expected: Json) -> None:
    """1.4"""
    [content] = contents(user([part]))
    assert content["parts"] == [expected]


@pytest.mark.parametrize("part", [{"type": "hologram"}, {}, {"type": 5}, {"type": "text"}, 5, {"type": "image_url"}])
def test_a_part_nobody_knows_is_a_400_with_its_path(part: Any) -> None:
    """1.4"""
    error = refusal(chat(user([part])))
    assert (error.param or "").startswith("$.messages[0].content[0]")
