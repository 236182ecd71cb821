"""Every key the simulator answers with was seen from Google: its answers have the shape of the recorded ones."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, answer, exchange, stream, tools, user

RECORDINGS = Path(os.environ.get("PORTICO_RECORDINGS", Path(__file__).parents[2] / "../shared/recordings"))
OPEN = ("args", "response", "values")
"""Below these keys everything is the caller's, or has no keys."""


@cache
def _recorded(kind: str) -> frozenset[str]:
    found: set[str] = set()
    for path in sorted((RECORDINGS / kind).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["fidelity"] in ("wire", "wire_redacted") and record["response"]:
                    answers = record["response"].get("sse") or [record["response"].get("body")]
                    found.update(one for body in answers for one in _paths(body, ""))
    return frozenset(found)


def _paths(value: Any, path: str) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield f"{path}.{key}"
                if key not in OPEN:
                    yield from _paths(inner, f"{path}.{key}")
        case list():
            for inner in value:
                yield from _paths(inner, path)


SEARCH: Json = {"tools": [{"googleSearch": {}}]}
BOTH: Json = {
    "tools": [{"googleSearch": {}}, *tools("find_city")],
    "toolConfig": {"includeServerSideToolInvocations": True},
}
_CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CASES: list[tuple[str, Json]] = [
    ("gemini-2.0-flash", user("Who won?") | SEARCH),
    ("gemini-2.5-flash", user("Who won?") | SEARCH),
    ("gemini-3-flash-preview", user("Who won?") | SEARCH),
    ("gemini-3-flash-preview", user("Search the web, then find_city.") | BOTH),
    (
        "gemini-3-flash-preview",
        user("Which?", responseMimeType="application/json", responseJsonSchema=_CITY)
        | SEARCH
        | {"toolConfig": {"includeServerSideToolInvocations": True}},
    ),
    ("gemini-2.5-flash", user("Compute 17 squared") | {"tools": [{"codeExecution": {}}]}),
    ("gemini-3-flash-preview", user("Plot 1, 2 and 3") | {"tools": [{"codeExecution": {}}]}),
    ("gemini-2.5-flash", user("Read https://example.com/a") | {"tools": [{"urlContext": {}}]}),
    ("gemini-2.5-flash", user("Where is coffee?") | {"tools": [{"googleMaps": {}}]}),
    ("gemini-2.5-pro", user("Say") | {"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/a"]}}]}),
    ("gemini-2.5-flash", user("Hi", candidateCount=2)),
    ("gemini-2.5-flash", user("find_city Oslo") | {"tools": tools("find_city")}),
]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
@pytest.mark.parametrize(("model", "body"), CASES)
async def test_an_answer_has_no_key_that_google_never_sent(model: str, body: Json) -> None:
    events = (await stream(Simulator(), model, body)).events()
    for one in (await answer(Simulator(), model, body), *events):
        assert set(_paths(one, "")) - _recorded("gemini") == set()


_VERTEX: list[tuple[str, Json]] = [
    ("generateContent", user("Hi", responseLogprobs=True, logprobs=3)),
    ("generateContent", user("Who won?") | SEARCH),
    ("streamGenerateContent", user("Who won?") | SEARCH),
    (
        "streamGenerateContent",
        user("find_city Oslo")
        | {
            "tools": tools("find_city"),
            "toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}},
        },
    ),
]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
@pytest.mark.parametrize(("verb", "body"), _VERTEX)
async def test_an_answer_of_vertex_has_none_either(verb: str, body: Json) -> None:
    path = f"/v1beta1/projects/p/locations/global/publishers/google/models/gemini-3-flash-preview:{verb}"
    one = exchange(path, body, query="alt=sse")
    await Simulator(now=lambda: 1_790_000_000.25)(one)
    events = one.events() if verb.startswith("stream") else [one.json()]
    assert set(_paths(events, "")) - _recorded("vertex") == set()
