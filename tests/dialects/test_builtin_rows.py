"""mapping.md 1.14: tools the provider runs, in every form that clients ask for them."""

from typing import Any

import pytest

from dialects.dialect_rows import (
    CATALOG,
    CHAT,
    NEW,
    OLD,
    Json,
    chat,
    codes,
    function,
    native,
    refusal,
    rendered,
    target,
    user,
)
from portico.core.dialect import Dialect
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.relay.prepare import resolve

SEARCH: Json = {"googleSearch": {}}
CODE: Json = {"codeExecution": {}}
PAGES: Json = {"urlContext": {}}

# (name, fields of the Chat body, Google's tools)
FORMS: list[tuple[str, Json, list[Json]]] = [
    ("web_search_options", {"web_search_options": {}}, [SEARCH]),
    ("Responses' tool", {"tools": [{"type": "web_search"}]}, [SEARCH]),
    ("Responses' older tool", {"tools": [{"type": "web_search_preview"}]}, [SEARCH]),
    ("dated", {"tools": [{"type": "web_search_preview_2025_03_11"}]}, [SEARCH]),
    ("Anthropic's tool", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, [SEARCH]),
    ("Google's tool", {"tools": [{"google_search": {}}]}, [SEARCH]),
    ("Google's tool in camelCase", {"tools": [{"googleSearch": {}}]}, [SEARCH]),
    ("a function of that name", {"tools": [function("googleSearch")]}, [SEARCH]),
    ("the same in snake_case", {"tools": [function("google_search", parameters={})]}, [SEARCH]),
    ("extra_body", {"extra_body": {"google": {"tools": [{"google_search": {}}]}}}, [SEARCH]),
    ("code_interpreter", {"tools": [{"type": "code_interpreter", "container": None}]}, [CODE]),
    ("code_execution", {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}, [CODE]),
    ("codeExecution", {"tools": [function("codeExecution")]}, [CODE]),
    ("web_fetch", {"tools": [{"type": "web_fetch_20250910", "name": "web_fetch"}]}, [PAGES]),
    ("urlContext", {"tools": [function("urlContext")]}, [PAGES]),
    ("several", {"tools": [{"type": "web_search"}, {"type": "code_interpreter"}]}, [SEARCH, CODE]),
    ("maps", {"tools": [{"google_maps": {}}]}, [{"googleMaps": {}}]),
    ("options", {"tools": [{"google_search": {"timeRangeFilter": {}}}]}, [{"googleSearch": {"timeRangeFilter": {}}}]),
]  # fmt: skip


@pytest.mark.parametrize("model", [NEW, OLD])
@pytest.mark.parametrize(("name", "fields", "expected"), FORMS)
def test_every_form_is_googles_tool(name: str, fields: Json, expected: list[Json], model: str) -> None:
    assert native(chat(**fields), model)["tools"] == expected


@pytest.mark.parametrize(
    "own",
    [
        function("google_search", description="Searches our wiki."),
        function("google_search", parameters={"type": "object", "properties": {"q": {"type": "string"}}}),
        function("search"),
    ],
)
def test_a_function_of_the_callers_own_stays_a_function(own: Json) -> None:
    assert "functionDeclarations" in native(chat(tools=[own]))["tools"][0]


@pytest.mark.parametrize("kind", ["file_search", "computer_use_preview", "mcp", "web_searching", ""])
def test_a_tool_nobody_here_has_is_refused_by_name(kind: str) -> None:
    error = refusal(chat(tools=[{"type": kind}]))
    assert error.param == "$.tools[0].type"
    assert "web_search" in error.message


def test_functions_and_googles_tools_go_together_where_the_model_takes_them() -> None:
    body = native(chat(tools=[function(), {"type": "web_search"}]))
    assert body["tools"] == [{"functionDeclarations": [{"name": "look_up"}]}, SEARCH]
    assert body["toolConfig"] == {"includeServerSideToolInvocations": True}


def test_vertex_takes_both_without_the_flag() -> None:
    assert "toolConfig" not in native(chat(tools=[function(), {"type": "web_search"}]), NEW, "vertex")


def test_older_models_refuse_both_and_nothing_is_dropped() -> None:
    error = refusal(chat(tools=[function(), {"type": "web_search"}]), OLD)
    assert error.code == "unsupported_parameter"
    assert error.param == "$.tools"


PLACE: Json = {"type": "approximate", "approximate": {"country": "CH", "city": "Zürich", "timezone": "Europe/Zurich"}}


@pytest.mark.parametrize(
    "asked",
    [
        {"web_search_options": {"user_location": PLACE}},
        {"tools": [{"type": "web_search", "user_location": {"type": "approximate", **PLACE["approximate"]}}]},
    ],
)
def test_where_the_user_is_is_told_in_words(asked: Json) -> None:
    made = rendered(chat(**asked))
    assert made.body["systemInstruction"]["parts"] == [{"text": "The user is here: Zürich, CH, Europe/Zurich."}]
    assert codes(made.losses) == ["1.14:builtin"]


def test_how_much_context_a_search_brings_cannot_be_said() -> None:
    made = rendered(chat(web_search_options={"search_context_size": "high"}))
    assert made.body["tools"] == [SEARCH]
    assert [(loss.code, loss.path) for loss in made.losses] == [("1.14:builtin", "$.web_search_options")]


ASKS: dict[str, tuple[Dialect, Json, str]] = {
    "Chat": (
        CHAT,
        chat(tools=[function(), {"type": "web_search", "search_context_size": "high"}]),
        "$.tools[1]",
    ),
    "Chat, in Google's words": (
        CHAT,
        chat(tools=[function()], extra_body={"google": {"tools": [{"enterprise_web_search": {}}]}}),
        "$.extra_body.google.tools[0]",
    ),
    "Responses": (
        openai_responses.DIALECT,
        {"model": NEW, "input": "hi", "tools": [{"type": "web_search"}, {"type": "mcp", "server_label": "s"}]},
        "$.tools[1]",
    ),
    "Messages": (
        anthropic_messages.DIALECT,
        {
            "model": NEW,
            "max_tokens": 9000,
            "messages": [user("hi")],
            "tools": [{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}],
        },
        "$.tools.1",
    ),
    "Gemini": (
        gemini.DIALECT,
        {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "tools": [{"functionDeclarations": [{"name": "f"}]}, {"enterpriseWebSearch": {}}],
        },
        "$.tools[1]",
    ),
}


@pytest.mark.parametrize(("dialect", "body", "path"), ASKS.values(), ids=ASKS)
def test_a_tool_that_is_lost_is_named_by_its_place(dialect: Dialect, body: Json, path: str) -> None:
    request = dialect.parse_request(body, model=NEW)
    every = (openai_chat.DIALECT, openai_responses.DIALECT, anthropic_messages.DIALECT, gemini.DIALECT)
    losses = [loss for to in every if to is not dialect for loss in to.render_request(request, target()).losses]
    assert {loss.path for loss in losses if loss.code in ("1.14:builtin", "7.1:builtin")} == {path}


# (the name asked for, the model, whether the web is searched)
NAMES: list[tuple[str, str, bool]] = [
    (NEW, NEW, False),
    (f"{NEW}-search", NEW, True),
    (f"{NEW}:online", NEW, True),
    (f"google/{NEW}:online", NEW, True),
    (f"{OLD}-thinking:online", OLD, True),
]


@pytest.mark.parametrize(("asked", "model", "searches"), NAMES)
def test_the_end_of_a_name_may_ask_for_a_search(asked: str, model: str, searches: bool) -> None:
    prepared = resolve(CHAT.parse_request({**chat(), "model": asked}), CATALOG)
    assert prepared.resolved.name == model
    assert [tool.kind for tool in prepared.request.builtins] == (["web_search"] if searches else [])


def test_a_search_asked_for_twice_is_one() -> None:
    asked: dict[str, Any] = {**chat(web_search_options={}), "model": f"{NEW}:online"}
    assert len(resolve(CHAT.parse_request(asked), CATALOG).request.builtins) == 1


def test_a_tool_asked_for_in_several_ways_is_sent_once() -> None:
    google: Json = {"google": {"tools": [{"google_search": {}}]}}
    body = chat(web_search_options={}, tools=[{"type": "web_search"}], extra_body=google)
    assert native(body)["tools"] == [SEARCH]


def test_one_call_at_a_time_says_nothing_where_there_is_nothing_to_call() -> None:
    made = rendered(chat(parallel_tool_calls=False))
    assert made.losses == []
    assert "systemInstruction" not in made.body
