"""Every recorded request that is answered is answered in the SDK's types, whole and streamed alike."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import ValidationError

from portico.simulator import Simulator
from simulator.sim_memory import Json, exchange
from simulator.sim_openai import CHAT, KEY, RESPONSES, fits, framed, text
from simulator.test_sim_responses_answers import UNTYPED_ITEMS, typed, typed_event

RECORDINGS = Path(os.environ.get("PORTICO_RECORDINGS", Path(__file__).parents[2] / "../shared/recordings"))


def _requests(kind: str, endpoint: str) -> Iterator[tuple[str, Json]]:
    for path in sorted((RECORDINGS / kind).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                if record["endpoint"] == endpoint and isinstance(record["request"], dict):
                    yield record["id"], record["request"]


async def _asked(path: str, body: Json) -> Any:
    one = exchange(path, body, headers=KEY)
    await Simulator(lenient=True)(one)
    return one


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
async def test_recorded_chats_are_answered_in_form() -> None:
    answered, unfit = 0, list[str]()
    for name, request in _requests("openai", CHAT):
        body = {key: value for key, value in request.items() if key not in ("stream", "stream_options")}
        whole = await _asked(CHAT, body)
        if whole.status != 200:
            continue
        answered += 1
        made = whole.json()
        fits(ChatCompletion, made)
        streamed = await _asked(CHAT, body | {"stream": True, "stream_options": {"include_usage": True}})
        chunks = framed(streamed.data, done=True)
        unfit += [f"{name}: {told}" for told in map(_unfit_chunk, chunks) if told]
        assert chunks[-1]["usage"] == made["usage"], name
        assert text(chunks) == (made["choices"][0]["message"]["content"] or ""), name
    assert not unfit, f"{len(unfit)} unfit\n" + "\n".join(unfit[:20])
    assert answered


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
async def test_recorded_responses_are_answered_in_form() -> None:
    answered, unfit = 0, list[str]()
    for name, request in _requests("openai_responses", RESPONSES):
        body = {key: value for key, value in request.items() if key not in ("stream", "background")}
        whole = await _asked(RESPONSES, body)
        if whole.status != 200:
            continue
        answered += 1
        made = whole.json()
        try:
            typed(made | {"tools": []})  # they are the caller's, and may be stranger than the type
        except AssertionError as error:
            raise AssertionError(name) from error
        told = framed((await _asked(RESPONSES, body | {"stream": True})).data, done=False)
        assert told[-1]["response"] == made, name
        unfit += [f"{name}: {told}" for told in map(_unfit_event, told) if told]
    assert not unfit, f"{len(unfit)} unfit\n" + "\n".join(unfit[:20])
    assert answered


UNTYPED_DELTAS = ("annotations",)
"""What a chunk's delta has on the wire and not in the SDK's type; a call of a custom tool is another."""


def _typed_delta(choice: Json) -> Json:
    delta = {name: value for name, value in choice["delta"].items() if name not in UNTYPED_DELTAS}
    if "tool_calls" in delta:
        delta["tool_calls"] = [call for call in delta["tool_calls"] if "custom" not in call]
    return choice | {"delta": delta}


def _unfit_chunk(chunk: Json) -> str:
    """What the SDK's type does not have of a chunk; "" if it has all."""
    try:
        fits(ChatCompletionChunk, chunk | {"choices": [_typed_delta(choice) for choice in chunk["choices"]]})
    except (AssertionError, ValidationError) as error:
        return f"{error} in {chunk}"
    return ""


def _unfit_event(event: Json) -> str:
    """The same of an event of Responses. Recorded: a search is mostly added without its action, which the type wants."""
    if event["type"] == "response.output_item.added" and event["item"]["type"] in UNTYPED_ITEMS:
        event = event | {"item": {"action": {"type": "search", "query": ""}} | event["item"]}
    if "response" in event:
        event = event | {"response": event["response"] | {"tools": []}}
    try:
        typed_event(event)
    except (AssertionError, ValidationError) as error:
        return f"{error} in {event}"
    return ""


def _changed(value: Any, new: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """(the place, the whole value with `new` there), for every place inside a value."""
    match value:
        case dict():
            for key, inner in value.items():
                place = f"{at}<{value.get('type') or value.get('role')}>.{key}"
                yield place, value | {key: new}
                for deeper, changed in _changed(inner, new, place):
                    yield deeper, value | {key: changed}
        case list():
            for number, inner in enumerate(value[:3]):
                for deeper, changed in _changed(inner, new, at + "[]"):
                    yield deeper, [*value[:number], changed, *value[number + 1 :]]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS} (set PORTICO_RECORDINGS)")
@pytest.mark.parametrize(("kind", "path"), [("openai", CHAT), ("openai_responses", RESPONSES)])
@pytest.mark.parametrize("new", [None, "", 3, [], {}, [{}]], ids=str)
async def test_any_place_of_a_recorded_request_may_hold_anything(kind: str, path: str, new: Any) -> None:
    sim, seen = Simulator(lenient=True), set[str]()
    for name, request in _requests(kind, path):
        for place, body in _changed(request, new):
            if place in seen or "parameters" in place or len(json.dumps(body)) > 100_000:
                continue
            seen.add(place)
            one = exchange(path, body, headers=KEY)
            await sim(one)
            assert one.status in (200, 400, 403, 404), (name, place)
    assert seen
