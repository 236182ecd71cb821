"""Signatures: good where they were given, refused when moved, altered or carried to another family."""

import base64
from collections.abc import Callable
from copy import deepcopy

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, answer, ask, parts, results, stream, tools, user

MODEL = "gemini-3.5-flash"


async def _loop(model: str = MODEL, words: str = "find_city plan_trip") -> Json:
    """A request whose history holds two signed parallel calls and their results."""
    body = user(words) | {"tools": tools("find_city", "plan_trip")}
    first = await answer(Simulator(), model, body)
    body["contents"] += [first["candidates"][0]["content"], results(first)]
    return body


def _calls(body: Json) -> list[Json]:
    found: list[Json] = body["contents"][1]["parts"]
    return [part for part in found if "functionCall" in part]


def _move(body: Json) -> None:
    first, second = _calls(body)
    second["thoughtSignature"] = first["thoughtSignature"]


def _rename(body: Json) -> None:
    _calls(body)[0]["functionCall"]["name"] = "plan_trip"


def _edit(body: Json) -> None:
    _calls(body)[0]["functionCall"]["args"]["city"] = "Elsewhere"


def _flip(body: Json) -> None:
    data = bytearray(base64.b64decode(_calls(body)[0]["thoughtSignature"]))
    data[-1] ^= 1
    _calls(body)[0]["thoughtSignature"] = base64.b64encode(data).decode()


def _foreign(body: Json) -> None:
    _calls(body)[0]["thoughtSignature"] = base64.b64encode(b"made by somebody else").decode()


@pytest.mark.parametrize("change", [_move, _rename, _edit, _flip, _foreign])
async def test_a_signature_moved_or_altered_is_refused(change: Callable[[Json], None]) -> None:
    body = await _loop()
    assert (await ask(Simulator(), MODEL, body)).status == 200
    change(body)
    refused = await ask(Simulator(), MODEL, body)
    assert refused.status == 400
    assert refused.json()["error"]["message"] == "Thought signature is not valid"
    assert (await ask(Simulator(lenient=True), MODEL, body)).status == 200


@pytest.mark.parametrize(
    ("made_by", "read_by", "status"),
    [
        ("gemini-3.5-flash", "gemini-3.1-pro-preview", 200),
        ("gemini-3.5-flash", "gemini-4-argon", 400),
        ("gemini-2.5-flash", "gemini-3.5-flash", 400),
        ("gemini-2.5-flash", "gemini-2.5-pro", 200),
    ],
)
async def test_a_signature_is_good_within_its_family(made_by: str, read_by: str, status: int) -> None:
    assert (await ask(Simulator(), read_by, await _loop(made_by))).status == status


async def test_another_seed_is_another_signer() -> None:
    assert (await ask(Simulator(seed=7), MODEL, await _loop())).status == 400


async def test_reordered_keys_ids_and_url_safe_base64_do_not_matter() -> None:
    body = await _loop()
    call = _calls(body)[0]
    call["functionCall"]["args"] = dict(reversed(call["functionCall"]["args"].items()))
    call["functionCall"]["id"] = "call_else"
    call["thought_signature"] = call.pop("thoughtSignature").replace("+", "-").replace("/", "_").rstrip("=")
    assert (await ask(Simulator(), MODEL, body)).status == 200


SKIPS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")


@pytest.mark.parametrize("value", [*SKIPS, *(base64.b64encode(one.encode()).decode() for one in SKIPS)])
async def test_the_documented_skip_values_pass(value: str) -> None:
    body = await _loop()
    _calls(body)[0]["thoughtSignature"] = value
    assert (await ask(Simulator(), MODEL, body)).status == 200


@pytest.mark.parametrize("lenient", [False, True])
async def test_a_call_of_the_current_turn_needs_a_signature_from_generation_3(lenient: bool) -> None:
    body = await _loop()
    del _calls(body)[0]["thoughtSignature"]
    refused = await ask(Simulator(lenient=lenient), MODEL, body)
    assert refused.status == 400
    message = refused.json()["error"]["message"]
    assert message.startswith("Function call is missing a thought_signature in functionCall parts.")
    assert "function call `default_api:find_city` , position 2." in message
    later = deepcopy(body)
    later["contents"] += [
        {"role": "model", "parts": [{"text": "done"}]},
        {"role": "user", "parts": [{"text": "thanks"}]},
    ]
    assert (await ask(Simulator(), MODEL, later)).status == 200


async def test_a_call_without_signature_is_fine_before_generation_3() -> None:
    body = await _loop("gemini-2.5-flash")
    del _calls(body)[0]["thoughtSignature"]
    assert (await ask(Simulator(), "gemini-2.5-flash", body)).status == 200


@pytest.mark.parametrize("model", ["gemini-3.5-flash", "gemini-2.5-flash", "gemini-3-pro-image"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_every_part_of_an_answer_may_be_sent_back_as_it_came(model: str, streamed: bool) -> None:
    sim, body = Simulator(), user("Say something long enough to be cut into pieces")
    if model == "gemini-2.5-flash":
        body["tools"] = tools("find_city", "plan_trip")
    responses = (await stream(sim, model, body)).events() if streamed else [await answer(sim, model, body)]
    said = [part for one in responses for part in parts(one)]
    assert any("thoughtSignature" in part for part in said)
    body["contents"] += [{"role": "model", "parts": said}, {"role": "user", "parts": [{"text": "more"}]}]
    assert (await ask(sim, model, body)).status == 200
