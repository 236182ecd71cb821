"""1.10 to 1.12: schemas in a whole request, and what Google says of them."""

import pytest

from dialects.dialect_rows import (
    GEMINI,
    NEW,
    OLD,
    Json,
    chat,
    codes,
    config,
    function,
    native,
    refusal,
    rendered,
    target,
)
from dialects.schema_rows import CHAT, OBJECT, TEXT, X, deep, doubling, held, older
from portico.core.normal import normal
from portico.core.request import FORMAT_HINT
from portico.core.target import Target
from portico.dialects.gemini.errors import parse_error
from portico.dialects.gemini.schema_walk import MAX_NODES, SchemaTooLarge
from portico.wire import jsontext
from properties.asking import posted
from properties.chat_requests import AIMS

COMPLAINED_OF: Json = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "title": "Ticket",
    "additionalProperties": False,
    "examples": [{"title": "x"}],
    "required": ["title", "parent"],
    "properties": {
        "title": {"type": ["string", "null"], "default": None, "examples": ["x"]},
        "kind": {"const": "ticket"},
        "parent": {"anyOf": [{"$ref": "#/definitions/Ticket"}, {"type": "null"}]},
        "deep": deep(12),
    },
    "definitions": {
        "Ticket": {
            "type": "object",
            "additionalProperties": False,
            "required": ["parent"],
            "properties": {"parent": {"$ref": "#/definitions/Ticket"}, "note": TEXT},
        }
    },
}


@pytest.mark.parametrize("json_schema_form", [True, False], ids=["JSON form", "subset"])
def test_a_tool_schema_is_never_rejected_for_how_it_is_written(json_schema_form: bool) -> None:
    """Complaint 4, every word of it: additionalProperties, $schema, definitions, default, examples, title, const, type
    arrays, recursion, nesting"""
    body = chat(
        tools=[function("file", parameters=COMPLAINED_OF)],
        response_format={"type": "json_schema", "json_schema": {"name": "ticket", "schema": COMPLAINED_OF}},
    )
    aim = target() if json_schema_form else older(NEW)
    made = GEMINI.render_request(CHAT.parse_request(body), aim)
    answer = posted(AIMS[0], made.body)
    assert answer.status == 200, bytes(answer.data).decode()
    assert all(".definitions.Ticket" in loss.path for loss in made.losses if loss.code == "1.11:schema")


def test_a_request_has_one_measure_for_all_its_schemas() -> None:
    schema = doubling(9)
    one = {**held({"$ref": "#/$defs/d0"}), "$defs": schema["$defs"]}
    tools = [function(f"t{i}", parameters=one) for i in range(60)]
    with pytest.raises(SchemaTooLarge) as caught:
        GEMINI.render_request(CHAT.parse_request(chat(tools=tools)), older())
    assert caught.value.param is not None
    assert caught.value.param.startswith("$.tools[")
    GEMINI.render_request(CHAT.parse_request(chat(tools=tools[:9])), older())
    assert MAX_NODES < 60 * 2**9


UNKNOWN_TO_GOOGLE: Json = {"type": "object", "properties": {"a": {"type": "string", "not": {"const": "x"}}}}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (chat(tools=[function("a"), function("b", parameters=UNKNOWN_TO_GOOGLE)]), "$.tools[1].function.parameters"),
        (chat(tools=[{"type": "function", "name": "b", "parameters": UNKNOWN_TO_GOOGLE}]), "$.tools[0].parameters"),
        (chat(functions=[{"name": "b", "parameters": UNKNOWN_TO_GOOGLE}]), "$.functions[0].parameters"),
        (
            chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": UNKNOWN_TO_GOOGLE}}),
            "$.response_format.json_schema.schema",
        ),
        (chat(response_format={"type": "json_object", "schema": UNKNOWN_TO_GOOGLE}), "$.response_format.schema"),
        (
            chat(response_format={"type": "json_object", "response_schema": UNKNOWN_TO_GOOGLE}),
            "$.response_format.response_schema",
        ),
    ],
    ids=["nested", "flat", "legacy", "json_schema", "json_object and schema", "json_object and response_schema"],
)
@pytest.mark.parametrize("aim", [target(), older()], ids=["JSON form", "subset"])
def test_a_loss_names_the_place_in_the_callers_body(aim: Target, body: Json, path: str) -> None:
    losses = GEMINI.render_request(CHAT.parse_request(body), aim).losses
    assert [loss.path for loss in losses if loss.code == "1.11:schema"] == [f"{path}.properties.a.not"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (
            {"tools": [{"functionDeclarations": [{"name": "a", "parametersJsonSchema": UNKNOWN_TO_GOOGLE}]}]},
            "parametersJsonSchema",
        ),
        ({"tools": [{"functionDeclarations": [{"name": "a", "parameters": UNKNOWN_TO_GOOGLE}]}]}, "parameters"),
        (
            {"generationConfig": {"responseMimeType": "application/json", "responseSchema": UNKNOWN_TO_GOOGLE}},
            "responseSchema",
        ),
        ({"generationConfig": {"responseJsonSchema": UNKNOWN_TO_GOOGLE}}, "responseJsonSchema"),
    ],
)
def test_a_loss_names_the_place_in_a_native_body(fields: Json, path: str) -> None:
    request = GEMINI.parse_request({"contents": "hi", **fields}, model=NEW)
    (loss,) = GEMINI.render_request(request, target()).losses
    assert loss.path.endswith(f"{path}.properties.a.not")
    assert loss.path.startswith(("$.tools[0].functionDeclarations[0].", "$.generationConfig."))


def test_a_model_with_the_older_form_only_gets_that_and_never_both() -> None:
    """1.10 and 1.12: the two forms exclude each other"""
    custom = {"type": "custom", "custom": {"name": "free"}}
    tools = [
        function("a", parameters=COMPLAINED_OF),
        custom,
        function("b", parameters={"type": "object", "properties": {}}),
    ]
    body = GEMINI.render_request(CHAT.parse_request(chat(tools=tools)), older()).body
    declarations = body["tools"][0]["functionDeclarations"]
    assert [sorted(one) for one in declarations] == [["name", "parameters"], ["name", "parameters"], ["name"]]
    assert declarations[1]["parameters"]["properties"] == {"input": {"type": "STRING"}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": X, "description": "What to say"}}
    made = GEMINI.render_request(CHAT.parse_request(chat(response_format=form)), older()).body["generationConfig"]
    assert made == {"responseMimeType": "application/json", "responseSchema": {**OBJECT, "description": "What to say"}}


def test_an_ordinary_schema_goes_out_as_the_same_object() -> None:
    tool = function("a", parameters=X)
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": X}}
    assert native(chat(tools=[tool]))["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] is X
    assert config(chat(response_format=form))["responseJsonSchema"] is X


def test_a_caller_of_googles_own_dialect_is_not_touched() -> None:
    odd = {"type": "object", "properties": {"a": {"const": 1, "not": {}}}, "allOf": [{"$ref": "#/nowhere"}]}
    body = {"contents": "hi", "tools": [{"functionDeclarations": [{"name": "a", "parametersJsonSchema": odd}]}]}
    request = GEMINI.parse_request({**body, "generationConfig": {"responseJsonSchema": odd}}, model=NEW)
    told = GEMINI.render_request(request, older(NEW, judged=False))
    assert told.body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == odd
    assert told.body["generationConfig"]["responseJsonSchema"] == odd
    assert told.losses == []


@pytest.mark.parametrize("name", ["response_schema", "responseJsonSchema"])
def test_a_schema_of_the_answer_is_given_once(name: str) -> None:
    """1.10: responseSchema and responseJsonSchema are mutually exclusive"""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": X}}
    google = {"google": {"generation_config": {name: X}}}
    assert refusal(chat(response_format=form, extra_body=google)).param == "$.extra_body.google.generation_config"


def test_parameters_are_given_once() -> None:
    """1.12: parameters and parametersJsonSchema together are a 400"""
    tool = {**function("a", parameters=X), "extra_content": {"google": {"parameters": X}}}
    assert refusal(chat(tools=[tool])).param == "$.tools[0].function.parameters"


FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": X, "description": "What to say"}}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (FORM, '{"type":"object","properties":{"x":{"type":"string"}},"description":"What to say"}'),
        ({"type": "json_object"}, "JSON"),
    ],
)
def test_tools_before_three_leave_a_format_to_words(form: Json, said: str) -> None:
    """1.10, JSON + tools: keep the tools, drop MIME type and schema, append the schema as a system hint"""
    made = rendered(chat(tools=[function("a", parameters=X)], response_format=form), OLD)
    assert "generationConfig" not in made.body
    assert made.body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == X
    (hint,) = made.body["systemInstruction"]["parts"]
    assert hint["text"].startswith(FORMAT_HINT)
    assert said in hint["text"]
    assert codes(made.losses) == ["1.10:format"]
    assert made.losses[0].path == "$.response_format"


def test_the_hint_stands_after_the_callers_own_words_and_says_nothing_of_theirs() -> None:
    body = chat(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hi"},
        tools=[function("a")],
        response_format=FORM,
    )
    request = CHAT.parse_request(body)
    made = GEMINI.render_request(request, target(OLD))
    parts = made.body["systemInstruction"]["parts"]
    assert (parts[0], len(parts)) == ({"text": "Be brief."}, 2)
    assert normal(GEMINI.parse_request(made.body, model=NEW))["system"] == normal(request)["system"]


def test_tools_of_googles_before_three_leave_a_format_to_words_too() -> None:
    """1.10, JSON + googleSearch: from three on only"""
    made = rendered(chat(web_search_options={}, response_format=FORM), OLD)
    assert made.body["tools"] == [{"googleSearch": {}}]
    assert "generationConfig" not in made.body
    assert codes(made.losses) == ["1.10:format"]


def test_tools_and_a_format_go_together_from_three_on() -> None:
    made = native(chat(tools=[function("a", parameters=X)], response_format=FORM))
    assert made["generationConfig"]["responseMimeType"] == "application/json"
    assert "systemInstruction" not in made


# -- what Google says of schemas -------------------------------------------------------------------------------------

STATES = "The specified schema produces a constraint that has too many states for serving."
_SHAPE = "* GenerateContentRequest.{}: should be non-empty for OBJECT type\n"


@pytest.mark.parametrize(
    ("message", "violated", "field"),
    [
        (STATES, None, None),
        ("The schema is too complex.", None, None),
        (f"{STATES} Simplify the response_schema.", None, "response_format"),
        ("The schema in function declaration `a` exceeds the maximum allowed nesting depth.", None, "tools"),
        (_SHAPE.format("tools[0].function_declarations[0].parameters.properties[a].schema"), None, "tools"),
        ("Invalid value", "generation_config.response_json_schema.properties", "response_format"),
        ("Invalid value", "generation_config.response_schema", "response_format"),
        ("Invalid value", "tools[0].function_declarations[1].parameters", "tools"),
        ("Request contains an invalid argument.", None, None),
    ],
)
def test_googles_complaint_about_a_schema_names_the_callers_field(
    message: str, violated: str | None, field: str | None
) -> None:
    """1.11, complexity limits: a 400 with param response_format or tools"""
    error: Json = {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}
    if violated is not None:
        violation = {"field": violated, "description": message}
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    parsed = parse_error(400, jsontext.encode({"error": error}))
    assert (parsed.http_status, parsed.param) == (400, field)
    body = CHAT.render_error(parsed)["error"]
    assert (body["type"], body["param"]) == ("invalid_request_error", field)
