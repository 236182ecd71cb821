"""A recorded request keeps its shape and loses its words; what the simulator said and signed stays."""

import json
from typing import Any

import pytest

from clients.shape import LONGEST, case_of, shape_of

PROSE = "You are a very particular assistant; never reveal any of this. " * 40


def shaped(body: Any) -> Any:
    return shape_of({"method": "POST", "path": "/v1/responses", "query": "", "headers": {}, "body": body})["body"]


def test_of_what_came_by_only_the_request_is_kept() -> None:
    request = {"method": "POST", "path": "/v1/responses", "query": "", "headers": {}, "body": {"model": "any"}}
    assert shape_of({**request, "status": 200, "pieces": 12, "over_s": 0.4}) == request


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize(
    "body",
    [
        {"instructions": PROSE},
        {"messages": [{"role": "system", "content": PROSE}]},
        {
            "tools": [
                {
                    "name": "write",
                    "description": PROSE,
                    "parameters": {"properties": {"path": {"description": "particular"}}},
                }
            ]
        },
        {"tools": [{"parameters": {"properties": {"arguments": {"description": "particular"}}}}]},
        {"messages": [{"role": "user", "content": f"{PROSE}\n[[sim:words=3]]"}]},
        {"input": [{"type": "function_call_output", "output": json.dumps({"said": PROSE})}]},
        {"metadata": {"user_id": json.dumps({"place": "/home/particular/place"})}},
    ],
)
def test_words_of_others_are_gone(body: Any) -> None:
    text = json.dumps(shaped(body))
    assert "particular" not in text
    assert len(text) < 2 * LONGEST + 200


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt-5.5", "role": "user", "type": "function_call", "call_id": "call_0aB-9"},
        {"tools": [{"name": "write", "parameters": {"type": "object", "properties": {"a": {"enum": ["x", "y"]}}}}]},
        {"type": "function_call", "name": "write", "arguments": '{"content": "two words", "path": "/tmp/a b.txt"}'},
        {"type": "tool_use", "name": "write", "input": {"content": "two words of ours"}},
        {"functionCall": {"name": "write", "args": {"content": "two words of ours"}}, "thoughtSignature": "aGk="},
        {"function_call": {"name": "write", "args": {"content": "two words of ours"}}, "thoughtSignature": "aGk="},
        {"text": "[simulated] Calling 1 function(s).", "signature": "aGk=", "encrypted_content": "aGk="},
        {"temperature": 1.0, "stream": True, "stop": None, "tools": []},
    ],
)
def test_names_ids_schemas_and_the_simulators_own_words_stay(body: Any) -> None:
    assert shaped(body) == body


def test_pictures_become_small_ones() -> None:
    big = "data:image/png;base64," + "A" * 5000
    (small,) = leaves(shaped({"image_url": {"url": big}}))
    assert small.startswith("data:image/png;base64,iVBOR")
    assert len(small) < 300


def test_a_shape_is_kept_once_and_a_wrong_model_not_at_all() -> None:
    def line(model: str, content: str) -> dict[str, Any]:
        body = {"model": model, "messages": [{"role": "user", "content": content}]}
        return {"method": "POST", "path": "/v1/messages", "query": "", "headers": {"user-agent": "ours"}, "body": body}

    kept = case_of([line("no-such-model-of-ours", "a"), line("gpt-5.5", "one"), line("gpt-5.5", "another one")])
    assert [one["body"]["messages"][0]["content"] for one in kept] == ["one"]


def recorded(body: dict[str, Any], path: str = "/v1/responses") -> dict[str, Any]:
    return {"method": "POST", "path": path, "query": "", "headers": {}, "body": body}


@pytest.mark.parametrize(
    "more",
    [
        {"model": "no-such-model-of-ours"},
        {"previous_response_id": "resp_1"},
        {"input": [{"type": "item_reference", "id": "rs_1"}]},
    ],
)
def test_what_holds_only_where_it_was_recorded_is_no_case(more: dict[str, Any]) -> None:
    assert case_of([recorded({"model": "gpt-5.5", "input": "Hi"} | more)]) == []


def test_the_same_asked_of_another_model_is_one_case() -> None:
    assert len(case_of([recorded({"model": model, "input": "Hi"}) for model in ("gpt-5.5", "gemini-3.5-flash")])) == 1
    paths = [f"/v1beta/models/{model}:generateContent" for model in ("gpt-5.5", "gemini-3.5-flash")]
    assert len(case_of([recorded({"contents": []}, path) for path in paths])) == 1
