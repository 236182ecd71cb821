"""Words for the defects of other gateways (mapping.md 8): one named case each, `peer: defect` being its name.

An answer is looked at twice, whole and as a stream of one part per frame that is folded as a client folds it: what is true
of the one must be true of the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from dialects.dialect_rows import CHAT, GEMINI, Json, chunks, jsontext_copy, reading, reply

PEERS = ("LiteLLM", "Portkey", "Envoy", "new-api", "Vercel", "TensorZero", "pydantic-ai", "llm-gemini", "Google")
"""In the order of the table."""


def case(peer: str, defect: str, *values: Any) -> ParameterSet:
    """A row of a table of cases: who does it wrong, what they do, and what Portico is asked and answers."""
    assert peer in PEERS
    return pytest.param(*values, id=f"{peer}: {defect}")


def dig(value: Any, *path: str | int) -> Any:
    """What stands at a path; None where it leads nowhere."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def frames_of(body: Json) -> list[Json]:
    """An answer of one candidate as a stream: one part per frame, everything else in the last."""
    (one,) = body["candidates"]
    parts = one.get("content", {}).get("parts", [])
    early = [{"candidates": [{"content": {"role": "model", "parts": [part]}}]} for part in parts[:-1]]
    last = {**one, "content": {"role": "model", "parts": parts[-1:]}}
    return [*early, {**body, "candidates": [last]}]


def both(body: Json, **about: Any) -> list[Json]:
    """An answer as a Chat client gets it: whole, and from a stream. `about`: fields of the reply."""
    whole = CHAT.render_response(GEMINI.parse_response(body, reading()), reply(**about)).body
    frames = frames_of(body) if body.get("candidates") else [body]
    return [jsontext_copy(whole), folded(chunks(frames, include_usage=True, **about))]


def folded(sent: Sequence[Any]) -> Json:
    """The chunks of a stream put together into a completion, as a client does it."""
    made: Json = {"choices": [], "usage": None}
    choices: dict[int, Json] = {}
    for chunk in sent:
        if chunk == "[DONE]":
            continue
        assert "error" not in chunk, chunk
        made.update({key: value for key, value in chunk.items() if key not in ("choices", "object")})
        for one in chunk["choices"]:
            choice = choices.setdefault(one["index"], {"index": one["index"], "message": {"content": ""}})
            _fold_delta(choice["message"], one["delta"])
            if one["finish_reason"] is not None:
                choice.update({key: value for key, value in one.items() if key not in ("index", "delta")})
    made["choices"] = [choices[index] for index in sorted(choices)]
    for choice in made["choices"]:
        choice["message"]["content"] = choice["message"]["content"] or (
            None if "tool_calls" in choice["message"] else ""
        )
    return jsontext_copy(made)


def _fold_delta(message: Json, delta: Json) -> None:
    for key, value in delta.items():
        if key == "tool_calls":
            _fold_calls(message.setdefault(key, []), value)
        elif isinstance(value, str) and key != "role":
            message[key] = (message.get(key) or "") + value
        elif isinstance(value, list):
            message[key] = [*message.get(key, []), *value]
        elif isinstance(value, dict):
            before = message.get(key, {})
            joined = {"data": before.get("data", "") + value.get("data", "")} if key == "audio" else {}
            message[key] = {**before, **value, **joined}
        else:
            message[key] = value


def _fold_calls(calls: list[Json], pieces: list[Json]) -> None:
    for piece in pieces:
        index = piece["index"]
        if index == len(calls):
            calls.append({key: value for key, value in piece.items() if key != "index"})
            continue
        assert index < len(calls), "an index was left out"
        assert "id" not in piece, "two calls under one index"
        calls[index]["function"]["arguments"] += piece["function"]["arguments"]
