"""Hostile bodies: an answer or a refusal, never an exception."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.simulator import Simulator
from portico.simulator.grammar import MESSAGES
from simulator.sim_memory import Json, answer, exchange, parts, stream, text, user

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


@settings(deadline=None, max_examples=200)
@given(body=_json(_FIELDS), field=st.sampled_from(_FIELDS), value=_json(_FIELDS))
async def test_any_json_is_cached_predicted_or_refused(body: Any, field: str, value: Any) -> None:
    full = {"model": "models/gemini-2.5-flash", "contents": [{"parts": [{"text": "long " * 1000}]}], field: value}
    for path, one in (
        ("cachedContents", body),
        ("cachedContents", full),
        ("models/gemini-2.5-flash:countTokens", body),
    ):
        asked = exchange(f"/v1beta/{path}", json.dumps(one).encode())
        await Simulator()(asked)
        assert asked.status in (200, 400, 404)
    predicted = exchange("/v1/publishers/google/models/gemini-embedding-001:predict", json.dumps(body).encode())
    await Simulator()(predicted)
    assert predicted.status in (400, 401)


_BUILT_IN = ["googleSearch", "codeExecution", "urlContext", "googleMaps", "fileSearch"]
_WORDS = st.lists(
    st.one_of(st.text(max_size=6), st.sampled_from(["plot", "2**3", "1/0", "f(2)", "https://a.b/", "search"]))
)


@settings(deadline=None, max_examples=200)
@given(
    words=_WORDS.map(" ".join),
    chosen=st.sets(st.sampled_from(_BUILT_IN)),
    model=st.sampled_from(["gemini-2.0-flash", "gemini-2.5-flash", "gemini-3.5-flash"]),
    circulates=st.booleans(),
    limit=st.sampled_from([None, 1, 100, 350, 8_000]),
)
async def test_whatever_tools_do_a_stream_says_what_the_whole_answer_says(
    words: str, chosen: set[str], model: str, circulates: bool, limit: int | None
) -> None:
    body = user(f"x {words}") | {"tools": [{name: {}} for name in sorted(chosen)]}
    if circulates and model == "gemini-3.5-flash":
        body["tools"] += [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
        body["toolConfig"] = {"includeServerSideToolInvocations": True}
    if limit:
        body["generationConfig"] = {"maxOutputTokens": limit}
    sim = Simulator()
    whole, events = await answer(sim, model, body), (await stream(sim, model, body)).events()
    assert _said(events) == _said([whole])
    assert events[-1]["usageMetadata"] == whole["usageMetadata"]
    for key in ("groundingMetadata", "finishReason"):
        assert events[-1]["candidates"][0].get(key) == whole["candidates"][0].get(key)
    for usage in (one["usageMetadata"] for one in events):
        names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
        assert usage["totalTokenCount"] == sum(usage.get(name, 0) for name in names)


def _said(answers: list[Json]) -> Json:
    others = [
        {key: value for key, value in part.items() if key != "thoughtSignature"}
        for one in answers
        for part in parts(one)
        if "text" not in part
    ]
    return {"text": text(answers), "others": others}


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
