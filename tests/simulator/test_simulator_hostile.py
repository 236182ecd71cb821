"""Hostile bodies: an answer or a refusal, never an exception."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.simulator import Simulator
from portico.simulator.grammar import MESSAGES
from simulator.sim_memory import Json, exchange, user

_FIELDS = sorted({name for message in MESSAGES.values() for name in message})
_KEYWORDS = ["type", "$ref", "anyOf", "allOf", "enum", "const", "minimum", "multipleOf", "minItems", "pattern", "items"]
_KEYWORDS += ["properties", "required", "additionalProperties", "prefixItems", "minLength", "format", "$defs"]
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "user", "object", "ARRAY", "string", "#", "#/$defs/a", "1e999", "NaN", "[[sim:steps=x]]"]),
    st.text(max_size=5),
)


def _json(keys: list[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        _SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(keys), inner, max_size=4)),
        max_leaves=12,
    )


async def _status(body: Any) -> int:
    one = exchange("/v1beta/models/gemini-3.5-flash:generateContent", json.dumps(body).encode())
    await Simulator()(one)
    return one.status


@settings(deadline=None, max_examples=200)
@given(body=_json(_FIELDS))
async def test_any_json_gets_an_answer_or_a_refusal(body: Any) -> None:
    assert await _status(body) in (200, 400)


@settings(deadline=None, max_examples=200)
@given(field=st.sampled_from(_FIELDS), value=_json(_FIELDS))
async def test_any_value_of_any_field_does(field: str, value: Any) -> None:
    assert await _status(user("Hi") | {field: value}) in (200, 400)
    assert await _status(user("Hi") | {"generationConfig": {field: value}}) in (200, 400)


@settings(deadline=None, max_examples=300)
@given(schema=st.dictionaries(st.sampled_from(_KEYWORDS), _json(_KEYWORDS), max_size=4))
async def test_any_schema_does(schema: Json) -> None:
    for form in ("responseJsonSchema", "responseSchema"):
        assert await _status(user("Hi", responseMimeType="application/json", **{form: schema})) in (200, 400)
    for form in ("parametersJsonSchema", "parameters"):
        declared = [{"functionDeclarations": [{"name": "f", form: schema}]}]
        assert await _status(user("f") | {"tools": declared}) in (200, 400)


@pytest.mark.parametrize("depth", [100, 400, 900, 5_000])
async def test_depth_is_refused_or_borne(depth: int) -> None:
    text = (
        '{"contents":[{"parts":[{"functionResponse":{"name":"f","response":'
        + '{"a":' * depth
        + "1"
        + "}" * depth
        + "}}]}]}"
    )
    one = exchange("/v1beta/models/gemini-3.5-flash:generateContent", text.encode())
    await Simulator()(one)
    assert one.status in (200, 400)
