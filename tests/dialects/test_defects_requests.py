"""mapping.md 8, on the way to Google: a Chat body that a peer gets wrong, and what Portico makes of it."""

from typing import Any

import pytest
from msgspec import structs

from dialects.defects import case, dig
from dialects.dialect_rows import (
    CHAT,
    GEMINI,
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
    target,
    user,
)

CONFIG = "generationConfig"
WAV: Json = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
MPEG: Json = {"type": "image_url", "image_url": {"url": "data:audio/mpeg;base64,SUQz"}}
PDF: Json = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}}
SEARCH: Json = {"type": "web_search"}
BACKSLASHES: Json = {"path": "C:\\new\\table", "pattern": "\\d+\\n", "quote": '\\"'}


def system(content: Any) -> Json:
    return {"role": "system", "content": content}


def told(*texts: str) -> list[Json]:
    return [{"text": text} for text in texts]


# -- fields -----------------------------------------------------------------------------------------------------------

# (Chat body, model, where in Google's body, what is there)
FIELDS = [
    case("LiteLLM", "the tier auto becomes the dearest", chat(service_tier="auto"), NEW, ("serviceTier",), None),
    case("Portkey", "a bare stop string is sent", chat(stop="END"), NEW, (CONFIG, "stopSequences"), ["END"]),
    case(
        "Portkey",
        "a level is sent to models that take budgets",
        chat(reasoning_effort="high"),
        OLD,
        (CONFIG, "thinkingConfig"),
        {"thinkingBudget": 24576},
    ),
    case(
        "Portkey",
        "no thinking is ignored",
        chat(reasoning_effort="none"),
        OLD,
        (CONFIG, "thinkingConfig", "thinkingBudget"),
        0,
    ),
    case("Portkey", "several answers cannot be asked for", chat(n=3), OLD, (CONFIG, "candidateCount"), 3),
    case(
        "Portkey",
        "the presence penalty is left out",
        chat(presence_penalty=0.5),
        "gemini-2.0-flash",
        (CONFIG, "presencePenalty"),
        0.5,
    ),
    case(
        "Portkey",
        "the frequency penalty is left out",
        chat(frequency_penalty=-0.5),
        "gemini-2.0-flash",
        (CONFIG, "frequencyPenalty"),
        -0.5,
    ),
    case(
        "Envoy",
        "the effort high is refused",
        chat(reasoning_effort="high"),
        NEW,
        (CONFIG, "thinkingConfig", "thinkingLevel"),
        "HIGH",
    ),
    case(
        "Envoy",
        "the effort medium is raised",
        chat(reasoning_effort="medium"),
        NEW,
        (CONFIG, "thinkingConfig", "thinkingLevel"),
        "MEDIUM",
    ),
    case("Envoy", "the upper half of a seed is cut off", chat(seed=2**31), NEW, (CONFIG, "seed"), -(2**31)),
    case("new-api", "the seed 0 is dropped", chat(seed=0), NEW, (CONFIG, "seed"), 0),
    case("new-api", "top_p 0 is dropped", chat(top_p=0), NEW, (CONFIG, "topP"), 0),
    case(
        "new-api",
        "camelCase is refused in extra_body",
        chat(extra_body={"google": {"thinkingConfig": {"thinkingBudget": 77, "includeThoughts": True}}}),
        OLD,
        (CONFIG, "thinkingConfig"),
        {"thinkingBudget": 77, "includeThoughts": True},
    ),
    # By choice the same as Google: its published table says 1024 for both (1.7); none is told apart from them.
    case(
        "Google",
        "minimal thinking is low thinking",
        chat(reasoning_effort="minimal"),
        NEW,
        (CONFIG, "thinkingConfig", "thinkingLevel"),
        "MINIMAL",
    ),
    case(
        "Google",
        "minimal thinking is low thinking on 2.5, which has budgets: its own table is followed",
        chat(reasoning_effort="minimal"),
        OLD,
        (CONFIG, "thinkingConfig", "thinkingBudget"),
        1024,
    ),
]


@pytest.mark.parametrize(("body", "model", "where", "expected"), FIELDS)
def test_a_field_reaches_google(body: Json, model: str, where: tuple[Any, ...], expected: Any) -> None:
    assert dig(native(body, model), *where) == expected


def test_what_becomes_of_a_seed_that_is_too_long_is_said() -> None:
    """Envoy: truncates in silence"""
    assert "1.1:seed" in codes(rendered(chat(seed=2**31)).losses)
    assert "1.1:seed" not in codes(rendered(chat(seed=2**31 - 1)).losses)


# -- turns ------------------------------------------------------------------------------------------------------------

MODEL_SAYS: Json = {"role": "model", "parts": [{"text": "yes"}]}

# (messages, where in Google's body, what is there)
TURNS = [
    case(
        "Portkey",
        "only the first message may be system",
        [system("a"), user("hi"), system("b"), {"role": "developer", "content": "c"}],
        ("systemInstruction", "parts"),
        told("a", "b", "c"),
    ),
    case(
        "Portkey",
        "only the first part of the system text counts",
        [system([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), user("hi")],
        ("systemInstruction", "parts"),
        told("a", "b"),
    ),
    case(
        "Portkey",
        "text beside calls is dropped",
        [user("hi"), assistant("Let me see.", call("a")), result("a")],
        ("contents", 1, "parts", 0),
        {"text": "Let me see."},
    ),
    case(
        "Envoy",
        "calls are put before the text",
        [user("hi"), assistant("Let me see.", call("a")), result("a")],
        ("contents", 1, "parts", 1, "functionCall", "name"),
        "look_up",
    ),
    case(
        "Portkey",
        "empty arguments are a crash",
        [user("hi"), assistant(None, call("a", arguments="")), result("a")],
        ("contents", 1, "parts", 0, "functionCall", "args"),
        {},
    ),
    case(
        "new-api",
        "backslashes in the arguments of history are eaten",
        [
            user("hi"),
            assistant(None, call("a", arguments=r'{"path": "C:\\new\\table", "pattern": "\\d+\\n", "quote": "\\\""}')),
            result("a"),
        ],
        ("contents", 1, "parts", 0, "functionCall", "args"),
        BACKSLASHES,
    ),
    case(
        "LiteLLM",
        "a call's name is looked for in the last assistant message only",
        [
            user("hi"),
            assistant(None, call("a", "first")),
            assistant(None, call("b", "second")),
            result("a"),
            result("b"),
        ],
        ("contents", 2, "parts", 0, "functionResponse", "name"),
        "first",
    ),
    case(
        "Portkey",
        "a result's function has a made-up name",
        [user("hi"), assistant(None, call("a", "get_weather")), result("a")],
        ("contents", 2, "parts", 0, "functionResponse", "name"),
        "get_weather",
    ),
    case(
        "Envoy",
        "a result has no function's name",
        [user("hi"), assistant(None, call("a", "get_weather")), result("a", name=None)],
        ("contents", 2, "parts", 0, "functionResponse", "name"),
        "get_weather",
    ),
    case(
        "Envoy",
        "the id of a call does not reach Google",
        [user("hi"), assistant(None, call("toolu_01")), result("toolu_01")],
        ("contents", 1, "parts", 0, "functionCall", "id"),
        "toolu_01",
    ),
    case(
        "Envoy",
        "the id of a result does not reach Google",
        [user("hi"), assistant(None, call("toolu_01")), result("toolu_01")],
        ("contents", 2, "parts", 0, "functionResponse", "id"),
        "toolu_01",
    ),
    case(
        "new-api",
        "parts of a message are joined by line feeds",
        [user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), user("c")],
        ("contents",),
        [{"role": "user", "parts": told("a", "b", "c")}],
    ),
    case(
        "new-api",
        "a line feed alone is lost",
        [user([{"type": "text", "text": "a"}, {"type": "text", "text": "\n"}, {"type": "text", "text": "b"}])],
        ("contents", 0, "parts"),
        told("a", "\n", "b"),
    ),
    case(
        "new-api",
        "the text after the last picture in Markdown is lost",
        [user("draw"), assistant("Here: ![one](data:image/png;base64,iVBORw0KGgo=) and so on."), user("more")],
        ("contents", 1, "parts"),
        [
            {"text": "Here: "},
            {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
            {"text": " and so on."},
        ],
    ),
    case(
        "new-api",
        "texts get the value that skips the check of signatures",
        [user("hi"), assistant("yes"), user("go")],
        ("contents", 1),
        MODEL_SAYS,
    ),
    case(
        "Vercel",
        "the value that skips the check is not base64",
        [user("hi"), assistant(None, call("a")), result("a")],
        ("contents", 1, "parts", 0, "thoughtSignature"),
        SKIP,
    ),
    case(
        "Envoy",
        "audio is refused",
        [user([{"type": "text", "text": "listen"}, WAV])],
        ("contents", 0, "parts", 1),
        {"inlineData": {"mimeType": "audio/wav", "data": "UklGRg=="}},
    ),
    case(
        "Envoy",
        "files are refused",
        [user([{"type": "text", "text": "read"}, PDF])],
        ("contents", 0, "parts", 1),
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
    ),
    # Google takes audio/mpeg and audio/mp3 alike (1.5): what the caller wrote is sent.
    case(
        "llm-gemini",
        "gets right that MPEG audio is one of Google's types",
        [user([{"type": "text", "text": "listen"}, MPEG])],
        ("contents", 0, "parts", 1),
        {"inlineData": {"mimeType": "audio/mpeg", "data": "SUQz"}},
    ),
]


@pytest.mark.parametrize(("messages", "where", "expected"), TURNS)
def test_a_turn_reaches_google(messages: list[Json], where: tuple[Any, ...], expected: Any) -> None:
    assert dig(native(chat(*messages)), *where) == expected


def test_the_shape_of_a_call_and_its_result_is_googles() -> None:
    """pydantic-ai: gets it right, and so do we"""
    turns = contents(user("hi"), assistant(None, call("a", arguments='{"x":1}')), result("a", '{"y":2}'), user("and?"))
    assert turns == [
        {"role": "user", "parts": [{"text": "hi"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"id": "a", "name": "look_up", "args": {"x": 1}}, "thoughtSignature": SKIP}],
        },
        {"role": "user", "parts": [{"functionResponse": {"id": "a", "name": "look_up", "response": {"y": 2}}}]},
        {"role": "user", "parts": [{"text": "and?"}]},
    ]


# -- tools and schemas ------------------------------------------------------------------------------------------------

NAMED_LIKE_WORDS: Json = {
    "type": "object",
    "properties": {
        name: {"type": "string"} for name in ("title", "default", "format", "$ref", "const", "strict", "examples")
    },
    "required": ["title", "default"],
}

# Schemas that Google gets word by word.
SCHEMAS = [
    case(
        "LiteLLM",
        "additionalProperties is stripped",
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
    ),
    case(
        "LiteLLM",
        "most formats are stripped",
        {"type": "object", "properties": {name: {"type": "string", "format": name} for name in ("uri", "email")}},
    ),
    case(
        "LiteLLM",
        "whole numbers are stripped from enums",
        {"type": "object", "properties": {"a": {"type": "integer", "enum": [1, 2, 3]}}},
    ),
    case("new-api", "properties named like words of a schema are stripped", NAMED_LIKE_WORDS),
]


@pytest.mark.parametrize("model", [NEW, OLD])
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_schema_reaches_google(schema: Json, model: str) -> None:
    declared = native(chat(tools=[function(parameters=schema)]), model)["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"] == schema
    format_ = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert native(chat(response_format=format_), model)[CONFIG]["responseJsonSchema"] == schema


# (a schema that an older model has no keywords for, what it is told of `a` in words)
IN_WORDS = [
    case(
        "LiteLLM",
        "whole numbers are stripped from enums of older models",
        {"type": "object", "properties": {"a": {"type": "integer", "enum": [1, 2, 3]}}},
        "One of: 1, 2, 3.",
    ),
    case(
        "LiteLLM",
        "formats are stripped from schemas of older models",
        {"type": "object", "properties": {"a": {"type": "string", "format": "uri", "description": "Where."}}},
        "Where. Format: uri.",
    ),
]


@pytest.mark.parametrize(("schema", "words"), IN_WORDS)
def test_what_an_older_model_has_no_keyword_for_it_is_told_in_words(schema: Json, words: str) -> None:
    newer = target(OLD)
    older = structs.replace(newer, capabilities=structs.replace(newer.capabilities, json_schema_form=False))
    made = GEMINI.render_request(CHAT.parse_request(chat(tools=[function(parameters=schema)])), older)
    told = dig(made.body, "tools", 0, "functionDeclarations", 0, "parameters", "properties", "a", "description")
    assert " ".join(told.split()) == words
    assert codes(made.losses) == ["1.11:schema"]


# (fields, where in Google's body, what is there)
TOOLS = [
    case(
        "LiteLLM",
        "the strictness of tools is stripped",
        {"tools": [function(strict=True, parameters=NAMED_LIKE_WORDS)]},
        ("toolConfig", "functionCallingConfig", "mode"),
        "VALIDATED",
    ),
    case(
        "LiteLLM",
        "a search beside functions is dropped",
        {"tools": [function(), SEARCH]},
        ("tools",),
        [{"functionDeclarations": [{"name": "look_up"}]}, {"googleSearch": {}}],
    ),
    case(
        "LiteLLM",
        "the flag that lets both work together is not set",
        {"tools": [function(), SEARCH]},
        ("toolConfig", "includeServerSideToolInvocations"),
        True,
    ),
]


@pytest.mark.parametrize(("fields", "where", "expected"), TOOLS)
def test_a_tool_reaches_google(fields: Json, where: tuple[Any, ...], expected: Any) -> None:
    assert dig(native(chat(**fields)), *where) == expected


# (Chat body, model, the field to blame)
REFUSED = [
    case(
        "LiteLLM",
        "a search beside functions is dropped on models that take only one",
        chat(tools=[function(), SEARCH]),
        OLD,
        "$.tools",
    ),
    case(
        "Portkey",
        "a result of no call goes under a made-up name",
        chat(user("hi"), assistant(None, call("a"), call("b")), result("nobody's"), result("b")),
        NEW,
        "$.messages[2].tool_call_id",
    ),
    case(
        "Envoy",
        "a result of no call goes without a name",
        chat(user("hi"), result("nobody's")),
        NEW,
        "$.messages[1].tool_call_id",
    ),
]


@pytest.mark.parametrize(("body", "model", "param"), REFUSED)
def test_what_cannot_be_honoured_is_refused_by_name(body: Json, model: str, param: str) -> None:
    assert refusal(body, model).param == param
