"""Formats that a model cannot be held to are asked for in words, whichever dialect it is asked in (mapping.md 1.10)."""

from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, Json
from portico.core.request import FORMAT_HINT, ONE_OF_THESE
from portico.relay.translate import DIALECTS, Translated, Translator

THINGS: Json = {"type": "array", "items": {"type": "string"}}
THING: Json = {"type": "object", "properties": {"name": {"type": "string"}}}
WORD: Json = {"type": "string", "enum": ["yes", "no"]}
ASKED = [("openai_chat", "gpt-5.5"), ("openai_responses", "gpt-5.5"), ("anthropic_messages", "claude-opus-5")]


def asked_in_gemini(config: Json, to: str, model: str) -> Translated:
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": config}
    return Translator(DIALECTS["gemini"], DIALECTS[to], CATALOG, model=model).request(body)


def asked_in_chat(schema: Json, model: str) -> Translated:
    format_ = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    body = {"messages": [{"role": "user", "content": "hi"}], "response_format": format_}
    return Translator(DIALECTS["openai_chat"], DIALECTS["openai_responses"], CATALOG, model=model).request(body)


def words_of(body: Json) -> str:
    """What the gateway said in the system's place."""
    turns = body["messages"] if "messages" in body else body["input"]
    said = [one["content"] for one in turns if one["role"] == "developer"]
    return "".join([*said, body.get("system", "")])


@pytest.mark.parametrize(("to", "model"), ASKED)
def test_one_of_several_words_is_asked_for_bare(to: str, model: str) -> None:
    told = asked_in_gemini({"responseMimeType": "text/x.enum", "responseSchema": WORD}, to, model)
    assert words_of(told.body).startswith(FORMAT_HINT + ONE_OF_THESE)
    assert '["yes","no"]' in words_of(told.body)
    assert "1.10:format" in {loss.code for loss in told.losses}
    assert "response_format" not in told.body
    assert "text" not in told.body


@pytest.mark.parametrize(
    "schema",
    [
        THINGS,
        {"anyOf": [THING, {"type": "null"}]},
        {"$ref": "#/$defs/it", "$defs": {"it": THING}},
        {**THING, "type": ["object", "null"]},
    ],
    ids=["a list", "a union", "a reference", "or nothing"],
)
@pytest.mark.parametrize(("to", "model"), ASKED[:2])
def test_openai_holds_answers_to_objects_alone(to: str, model: str, schema: Json) -> None:
    told = asked_in_gemini({"responseMimeType": "application/json", "responseJsonSchema": schema}, to, model)
    assert words_of(told.body).startswith(FORMAT_HINT)
    assert "1.10:format" in {loss.code for loss in told.losses}
    assert "json_schema" not in str(told.body)


@pytest.mark.parametrize("schema", [THING, {"properties": THING["properties"]}], ids=["said", "meant"])
def test_an_object_is_enforced(schema: Json) -> None:
    told = asked_in_chat(schema, "gpt-5.5")
    assert told.body["text"]["format"] == {"type": "json_schema", "name": "it", "schema": schema}
    assert told.losses == []


@pytest.mark.parametrize("schema", [THING, THINGS])
def test_a_model_that_keeps_to_no_schema_is_told_of_it(schema: Any) -> None:
    """GPT's pro models answer in the Responses API alone."""
    told = asked_in_chat(schema, "gpt-5.5-pro")
    assert words_of(told.body).startswith(f"{FORMAT_HINT}JSON that matches this JSON Schema:\n")
    assert told.body.get("text") == ({"format": {"type": "json_object"}} if schema is THING else None)
    assert [loss.code for loss in told.losses] == ["1.10:format"]


def test_a_callers_own_words_are_left_to_openai() -> None:
    format_ = {"type": "json_schema", "name": "it", "schema": THINGS}
    body = {"model": "gpt-5.5", "input": "hi", "text": {"format": format_}}
    own = DIALECTS["openai_responses"]
    assert Translator(own, own, CATALOG, model="gpt-5.5").request(body).body["text"] == {"format": format_}
