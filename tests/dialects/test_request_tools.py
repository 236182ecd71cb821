"""mapping.md 1.12 and 1.13: tools, their names, and the choice among them."""

from typing import Any

import pytest

from dialects.dialect_rows import (
    CALL_ID,
    GEMINI,
    NEW,
    OLD,
    Json,
    answer,
    assistant,
    call,
    calls_of,
    chat,
    codes,
    contents,
    function,
    message,
    native,
    reading,
    refusal,
    rendered,
    result,
    told,
    user,
)

SCHEMA: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
FREE_TEXT: Json = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}

# (name of the row, tool, declaration)
DECLARATIONS: list[tuple[str, Json, Json]] = [
    ("name only", function("a"), {"name": "a"}),
    ("description", function("a", description="does"), {"name": "a", "description": "does"}),
    ("empty description", function("a", description=""), {"name": "a", "description": ""}),
    ("parameters", function("a", parameters=SCHEMA), {"name": "a", "parametersJsonSchema": SCHEMA}),
    ("empty parameters", function("a", parameters={}), {"name": "a"}),
    ("null parameters", function("a", parameters=None), {"name": "a"}),
    (
        "no properties",
        function("a", parameters={"type": "object", "properties": {}}),
        {"name": "a", "parametersJsonSchema": {"type": "object", "properties": {}}},
    ),
    ("strict false", function("a", strict=False), {"name": "a"}),
    (
        "without its envelope",
        {"type": "function", "name": "a", "parameters": SCHEMA},
        {"name": "a", "parametersJsonSchema": SCHEMA},
    ),
    (
        "custom",
        {"type": "custom", "custom": {"name": "a", "description": "does"}},
        {"name": "a", "description": "does", "parametersJsonSchema": FREE_TEXT},
    ),
    (
        "custom, plain text",
        {"type": "custom", "custom": {"name": "a", "format": {"type": "text"}}},
        {"name": "a", "parametersJsonSchema": FREE_TEXT},
    ),
]


@pytest.mark.parametrize(("name", "tool", "expected"), DECLARATIONS, ids=[row[0] for row in DECLARATIONS])
def test_a_tool_becomes_a_declaration(name: str, tool: Json, expected: Json) -> None:
    """1.12, field table"""
    assert native(chat(tools=[tool]))["tools"] == [{"functionDeclarations": [expected]}]


def test_the_grammar_of_a_custom_tool_is_told_in_its_description() -> None:
    """1.12, custom tool; 1.3, custom tool calls"""
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": 'start: "x"'}}
    body = chat(tools=[{"type": "custom", "custom": {"name": "a", "description": "does", "format": grammar}}])
    done = rendered(body)
    [declaration] = done.body["tools"][0]["functionDeclarations"]
    assert declaration["description"].startswith("does\n")
    assert 'start: "x"' in declaration["description"]
    assert "lark" in declaration["description"]
    assert codes(done.losses) == ["1.12:grammar"]


def test_all_functions_stand_in_one_tool() -> None:
    """1.12, first line"""
    told_tools = native(chat(tools=[function("a"), function("b")], functions=[{"name": "c"}]))["tools"]
    assert len(told_tools) == 1
    assert [one["name"] for one in told_tools[0]["functionDeclarations"]] == ["a", "b", "c"]


# (name, name on the wire)
NAMES: list[tuple[str, str]] = [
    ("look_up", "look_up"),
    ("_x", "_x"),
    ("A-b_9", "A-b_9"),
    ("mcp.server:tool", "mcp.server:tool"),
    ("9lives", "_9lives"),
    ("-dash", "_-dash"),
    ("a b/c", "a_b_c"),
    ("工具", "__"),
    ("a" * 64, "a" * 64),
    ("9" + "a" * 63, "_9" + "a" * 62),
]


@pytest.mark.parametrize(("name", "wire"), NAMES)
def test_a_name_google_refuses_is_changed_and_changed_back(name: str, wire: str) -> None:
    """1.12, name; 2.3, function.name"""
    history = [user("hi"), assistant(None, call("c1", name)), result("c1")]
    choice = {"type": "function", "function": {"name": name}}
    done = rendered(chat(*history, tools=[function(name)], tool_choice=choice))
    assert done.body["tools"][0]["functionDeclarations"][0]["name"] == wire
    assert done.body["contents"][1]["parts"][0]["functionCall"]["name"] == wire
    assert done.body["contents"][2]["parts"][0]["functionResponse"]["name"] == wire
    assert done.body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [wire]
    called = answer({"functionCall": {"name": wire, "args": {}}})
    about: Any = {"tool_names": done.tool_names, "tools": {name: None}}
    assert message(called, **about)["tool_calls"][0]["function"]["name"] == name
    assert [one.name for one in calls_of(told([called], **about))] == [name]


def test_names_that_would_be_one_stay_two() -> None:
    """1.12, name: collisions get _2"""
    names = ["9x", "_9x", "a b", "a/b", "a_b"]
    done = rendered(chat(tools=[function(name) for name in names]))
    wires = [one["name"] for one in done.body["tools"][0]["functionDeclarations"]]
    assert len(set(wires)) == len(names)
    assert {done.tool_names.get(wire, wire) for wire in wires} == set(names)
    assert wires[0] == "_9x_2"


@pytest.mark.parametrize("prefix", ["default_api:", "default_api."])
def test_googles_own_prefix_is_taken_off_a_declared_name(prefix: str) -> None:
    """2.3, function.name"""
    called = answer({"functionCall": {"name": f"{prefix}look_up"}})
    for tools, name in (({"look_up": None}, "look_up"), ({}, f"{prefix}look_up")):
        assert message(called, tools=tools)["tool_calls"][0]["function"]["name"] == name


def test_duplicate_names_are_a_400() -> None:
    """1.12, duplicate names"""
    assert refusal(chat(tools=[function("a"), function("b"), function("a")])).param == "$.tools[2]"


def test_more_than_512_declarations_are_a_400() -> None:
    """1.12"""
    assert len(native(chat(tools=[function(f"f{n}") for n in range(512)]))["tools"][0]["functionDeclarations"]) == 512
    assert refusal(chat(tools=[function(f"f{n}") for n in range(513)])).param == "$.tools"


# (fields of a tool, param)
BROKEN: list[tuple[Any, str]] = [
    ({"type": "function"}, "tools[0].name"),
    ({"type": "function", "function": {}}, "tools[0].function.name"),
    ({"type": "function", "function": {"name": ""}}, "tools[0].function.name"),
    ({"type": "function", "function": {"name": 5}}, "tools[0].function.name"),
    ({"type": "function", "function": {"name": "a", "parameters": []}}, "tools[0].function.parameters"),
    ({"type": "function", "function": {"name": "a", "description": 5}}, "tools[0].function.description"),
    ({"type": "function", "function": {"name": "a", "strict": "yes"}}, "tools[0].function.strict"),
    ({"type": "hammer"}, "tools[0].type"),
    ({"type": "custom", "custom": {}}, "tools[0].custom.name"),
]


@pytest.mark.parametrize(("tool", "param"), BROKEN, ids=lambda value: str(value)[:60])
def test_a_broken_tool_is_a_400_with_its_path(tool: Any, param: str) -> None:
    """1.12"""
    assert refusal(chat(tools=[tool])).param == f"$.{param}"


STRICT = [function("a", parameters=SCHEMA, strict=True), function("b", parameters=SCHEMA, strict=True)]


@pytest.mark.parametrize(
    ("model", "fields", "mode"),
    [
        (NEW, {"tools": STRICT}, "VALIDATED"),
        (OLD, {"tools": STRICT}, "VALIDATED"),
        (NEW, {"tools": STRICT, "tool_choice": "auto"}, "VALIDATED"),
        ("gemini-2.0-flash", {"tools": STRICT}, None),
        (NEW, {"tools": [*STRICT, function("c")]}, None),
        (NEW, {"tools": STRICT, "tool_choice": "none"}, "NONE"),
        (NEW, {"tools": STRICT, "tool_choice": "required"}, "ANY"),
    ],
)
def test_strict_tools_are_validated(model: str, fields: Json, mode: str | None) -> None:
    """1.12, strict: if all tools are strict and the choice is auto, on >= 2.5; otherwise it is ignored, and told"""
    done = rendered(chat(**fields), model)
    config = done.body.get("toolConfig", {}).get("functionCallingConfig", {})
    assert config == ({"mode": mode} if mode else {})
    assert codes(done.losses) == (["1.12:validated"] if mode == "VALIDATED" else ["1.12:strict"] * 2)


def named(name: str, kind: str = "function") -> Json:
    return {"type": kind, kind: {"name": name}}


def allowed(mode: str, *names: str) -> Json:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [named(name) for name in names]}}


# (fields, functionCallingConfig)
CHOICES: list[tuple[Json, Json]] = [
    ({}, {}),
    ({"tool_choice": None}, {}),
    ({"tool_choice": "auto"}, {}),
    ({"tool_choice": "none"}, {"mode": "NONE"}),
    ({"tool_choice": "required"}, {"mode": "ANY"}),
    ({"tool_choice": "any"}, {"mode": "ANY"}),
    ({"tool_choice": "validated"}, {"mode": "VALIDATED"}),
    ({"tool_choice": named("a")}, {"mode": "ANY", "allowedFunctionNames": ["a"]}),
    ({"tool_choice": named("b", "custom")}, {"mode": "ANY", "allowedFunctionNames": ["b"]}),
    ({"tool_choice": allowed("auto", "a", "b")}, {"mode": "VALIDATED", "allowedFunctionNames": ["a", "b"]}),
    ({"tool_choice": allowed("required", "a")}, {"mode": "ANY", "allowedFunctionNames": ["a"]}),
    ({"tool_choice": {"type": "auto"}}, {}),
    ({"tool_choice": {"type": "none"}}, {"mode": "NONE"}),
    ({"tool_choice": {"type": "function", "name": "a"}}, {"mode": "ANY", "allowedFunctionNames": ["a"]}),
    ({"function_call": "auto"}, {}),
    ({"function_call": "none"}, {"mode": "NONE"}),
    ({"function_call": {"name": "a"}}, {"mode": "ANY", "allowedFunctionNames": ["a"]}),
    ({"parallel_tool_calls": True}, {}),
]


@pytest.mark.parametrize(("fields", "expected"), CHOICES, ids=lambda value: str(value)[:60])
def test_a_choice_is_a_mode_and_names(fields: Json, expected: Json) -> None:
    """1.13"""
    done = rendered(chat(tools=[function("a"), function("b")], **fields))
    assert done.body.get("toolConfig", {}) == ({"functionCallingConfig": expected} if expected else {})
    assert len(done.body["tools"][0]["functionDeclarations"]) == 2
    assert done.losses == []


@pytest.mark.parametrize("choice", ["auto", "none", "required", named("a")])
def test_a_choice_among_no_tools_is_left_out(choice: Any) -> None:
    """1.13: a functionCallingConfig without declarations is a 400"""
    done = rendered(chat(tool_choice=choice))
    assert "toolConfig" not in done.body
    assert codes(done.losses) == ([] if choice == "auto" else ["1.13:choice"])


@pytest.mark.parametrize(
    "choice", [named("z"), allowed("auto", "a", "z"), allowed("required", "z")], ids=["named", "auto", "required"]
)
def test_a_choice_of_an_undeclared_tool_is_a_400(choice: Json) -> None:
    """1.13"""
    error = refusal(chat(tools=[function("a")], tool_choice=choice))
    assert error.param == "$.tool_choice"
    assert "'z'" in error.message


def test_one_call_at_a_time_cannot_be_promised() -> None:
    """1.13, parallel_tool_calls"""
    done = rendered(chat(tools=[function("a")], parallel_tool_calls=False))
    assert codes(done.losses) == ["1.13:parallel"]
    assert "toolConfig" not in done.body


def test_googles_own_tools_beside_functions_need_a_flag_on_three_and_are_refused_on_two() -> None:
    """1.12, combination rules"""
    body = chat(tools=[function("a")], web_search_options={})
    told_new = native(body)
    assert told_new["tools"] == [{"functionDeclarations": [{"name": "a"}]}, {"googleSearch": {}}]
    assert told_new["toolConfig"] == {"includeServerSideToolInvocations": True}
    assert "toolConfig" not in native(body, NEW, "vertex")
    assert refusal(body, OLD).code == "unsupported_parameter"


def test_a_custom_call_comes_back_as_one() -> None:
    """1.12, custom tool: emitted back as a custom tool call"""
    called = answer({"functionCall": {"name": "run", "args": {"input": "print(1)"}}})
    about: Any = {"tools": {"run": None}, "custom": frozenset({"run"})}
    [entry] = message(called, **about)["tool_calls"]
    assert entry == {"id": CALL_ID, "type": "custom", "custom": {"name": "run", "input": "print(1)"}}
    [again] = calls_of(told([called], **about))
    assert (again.kind, again.arguments) == ("custom", "print(1)")
    assert GEMINI.parse_response(called, reading(**about)).candidates[0].parts == (again,)
    # A model may miss the one argument it has; then the caller sees what it wrote.
    odd = answer({"functionCall": {"name": "run", "args": {"text": "x"}}})
    assert message(odd, **about)["tool_calls"][0]["custom"]["input"] == '{"text":"x"}'


def test_declarations_stay_when_no_call_is_wanted() -> None:
    """1.13, "none": history needs them"""
    history = [user("hi"), assistant(None, call("c1", "a")), result("c1")]
    body = native(chat(*history, tools=[function("a")], tool_choice="none"))
    assert body["tools"]
    assert contents(*history)[1]["parts"][0]["functionCall"]["name"] == "a"
