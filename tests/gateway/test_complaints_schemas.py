"""Complaint 4 of complaints.md: every schema that clients send is taken, by models of either form, and called with."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from gateway.agents import Agent
from gateway.house import House, Json, chat, open_house
from portico.catalog.catalog import Catalog

NEW, OLD = "gemini-3.5-flash", "gemini-2.5-flash"
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True])


def has(**properties: Any) -> Json:
    """The schema of an object."""
    return {"type": "object", "properties": properties}


def nested(depth: int) -> Json:
    return has(inner=nested(depth - 1)) if depth else {"type": "string"}


NODE: Json = has(name={"type": "string"}, children={"type": "array", "items": {"$ref": "#/$defs/node"}})
TREE: Json = {**has(tree={"$ref": "#/$defs/node"}), "$defs": {"node": NODE}}

# (what is said of it, the schema of a tool's parameters): complaints.md 4 and clients.md 1
SCHEMAS: dict[str, Json] = {
    "additionalProperties": {**has(a={"type": "string"}), "additionalProperties": False},
    "additionalProperties with a schema": has(a={"type": "object", "additionalProperties": {"type": "integer"}}),
    "$schema and $id": {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "a", **has(a={"type": "string"})},
    "$ref and $defs": {**has(a={"$ref": "#/$defs/b"}), "$defs": {"b": {"type": "string"}}},
    "$ref and definitions": {**has(a={"$ref": "#/definitions/b"}), "definitions": {"b": {"type": "string"}}},
    "default": has(a={"type": "integer", "default": 3}),
    "examples": has(a={"type": "string", "examples": ["b"]}),
    "title": {"title": "Args", **has(a={"type": "string", "title": "A"})},
    "const": has(a={"const": "b"}, c={"const": 1}),
    "a type or null": has(a={"type": ["integer", "null"]}),
    "recursion": TREE,
    "depth": nested(12),
    "enum without a type": has(host={"enum": ["sandbox", "gateway", "node"]}),
    "enum of numbers": has(a={"type": "integer", "enum": [1, 2]}),
    "exclusive bounds": has(a={"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}),
    "bounds of what JavaScript counts": has(
        a={"type": "integer", "minimum": -9007199254740991, "maximum": 9007199254740991}
    ),
    "lengths and a pattern": has(a={"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+$"}),
    "maxItems": has(a={"type": "array", "items": {"type": "string"}, "maxItems": 20}),
    "oneOf": has(a={"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    "anyOf": has(a={"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
    "an object without properties": has(a={"type": "object"}),
    "no properties at all": has(),
    "nothing": {},
    "properties named like words of a schema": has(
        **{name: {"type": "string"} for name in ("title", "default", "format", "$ref", "const", "type", "enum")}
    ),
}


def knowing_the_older_form(catalog: Catalog) -> Catalog:
    """The catalog as if its 2.5 took the OpenAPI subset alone, as models before it do."""
    older = catalog.models[OLD]
    older = msgspec.structs.replace(
        older, capabilities=msgspec.structs.replace(older.capabilities, json_schema_form=False), backend_capabilities={}
    )
    models = (catalog.models | {OLD: older}).values()
    return Catalog(models, catalog._inference, catalog.tool_input_billed)


@contextlib.asynccontextmanager
async def house_for(form: str) -> AsyncIterator[House]:
    """A house whose OLD model knows no schemas but the older form's, if that is asked for."""
    async with open_house() as house:
        if form == "older":
            house._catalog = knowing_the_older_form(house._catalog)
            await house.restart()
        yield house


FORMS = [(NEW, "new"), (OLD, "new"), (OLD, "older")]
EACH_MODEL = pytest.mark.parametrize(("model", "form"), FORMS)


@BOTH_WAYS
@EACH_MODEL
@pytest.mark.parametrize("name", SCHEMAS)
async def test_complaint_4_the_schema_of_a_tool_is_taken_and_called(
    name: str, model: str, form: str, stream: bool
) -> None:
    async with house_for(form) as house:
        tool = {"type": "function", "function": {"name": "look_up", "parameters": SCHEMAS[name]}}
        agent = Agent(house, "Please look_up", tools=[tool], model=model, stream=stream)
        await agent.step()
        (call,) = agent.calls
        assert isinstance(json.loads(call["function"]["arguments"]), dict)
        await agent.finish()
        assert house.simulator.stats.refused == 0
        (declared,) = house.simulator.stats.last.body["tools"][0]["functionDeclarations"]
        assert ("parameters" if form == "new" else "parametersJsonSchema") not in declared


@EACH_MODEL
@pytest.mark.parametrize("name", [name for name in SCHEMAS if name != "nothing"])
async def test_complaint_4_the_schema_of_an_answer_is_taken_and_kept_to(name: str, model: str, form: str) -> None:
    format_ = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMAS[name]}}
    async with house_for(form) as house:
        answer = await house.ask(chat("Say something", model=model, response_format=format_))
        assert answer.status == 200, answer.body
        assert isinstance(json.loads(answer.message["content"]), dict)


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("a string", "$.tools[0].function.parameters"),
        ([], "$.tools[0].function.parameters"),
    ],
)
async def test_complaint_4_a_schema_that_is_none_is_refused_with_its_path(schema: Any, path: str) -> None:
    async with open_house() as house:
        tool = {"type": "function", "function": {"name": "look_up", "parameters": schema}}
        answer = await house.ask(chat("hi", tools=[tool]))
        assert (answer.status, answer.error["param"]) == (400, path.removeprefix("$."))
        assert house.simulator.stats.requests == 0
