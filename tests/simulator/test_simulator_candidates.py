"""Several candidates, log probabilities, and calls whose arguments are streamed."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from portico.simulator import Simulator
from simulator.sim_memory import Json, answer, ask, exchange, parts, stream, tools, user

MODEL = "gemini-2.5-flash"
PLACE = "/v1/projects/p/locations/global/publishers/google/models/"
WORDS = "Größe 東京 🧭, a_b  and\nmore words to say [[sim:words=30]]"


async def _vertex(model: str, body: Json, *, streamed: bool) -> list[Json]:
    verb = "streamGenerateContent" if streamed else "generateContent"
    one = exchange(f"{PLACE}{model}:{verb}", body, query="alt=sse")
    await Simulator()(one)
    assert one.status == 200, one.data
    return one.events() if streamed else [one.json()]


def _texts(answers: Sequence[Json], count: int) -> list[str]:
    said = [""] * count
    for one in answers:
        for candidate in one["candidates"]:
            inner = candidate.get("content", {}).get("parts", [])
            said[candidate.get("index", 0)] += "".join(
                part.get("text", "") for part in inner if not part.get("thought")
            )
    return said


# -- candidates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 8])
@pytest.mark.parametrize("model", ["gemini-2.0-flash", MODEL])
async def test_candidates_differ_and_are_said_alike_whole_and_streamed(model: str, count: int) -> None:
    body = user("Say something that is a little longer", candidateCount=count)
    whole = await answer(Simulator(), model, body)
    events = (await stream(Simulator(), model, body)).events()
    said = _texts([whole], count)
    assert len(set(said)) == count
    assert _texts(events, count) == said
    assert [one.get("index", 0) for one in whole["candidates"]] == list(range(count))
    assert events[-1]["usageMetadata"] == whole["usageMetadata"]
    alone = await answer(Simulator(), model, user("Say something that is a little longer"))
    assert whole["usageMetadata"]["candidatesTokenCount"] >= count * alone["usageMetadata"]["candidatesTokenCount"]


async def test_candidates_of_a_stream_take_turns_and_each_finishes_once() -> None:
    body = user("[[sim:words=40]]", candidateCount=3)
    events = (await stream(Simulator(), MODEL, body)).events()
    order = [one["candidates"][0]["index"] for one in events]
    assert order[:6] == [0, 1, 2, 0, 1, 2]
    finished = [one["candidates"][0]["index"] for one in events if "finishReason" in one["candidates"][0]]
    assert sorted(finished) == [0, 1, 2]
    totals = [one["usageMetadata"]["totalTokenCount"] for one in events]
    assert totals == sorted(totals)


@pytest.mark.parametrize(
    ("model", "count", "message"),
    [
        ("gemini-3.5-flash", 2, "Multiple candidates is not enabled for models/gemini-3.5-flash"),
        ("gemini-2.5-flash-image", 2, "Multiple candidates is not enabled"),
        (MODEL, 9, "candidate_count must be in the range [1, 8]"),
        (MODEL, 0, "candidate_count must be in the range [1, 8]"),
    ],
)
async def test_more_than_a_model_gives_is_refused(model: str, count: int, message: str) -> None:
    one = await ask(Simulator(), model, user("Hi", candidateCount=count))
    assert one.status == 400
    assert message in one.json()["error"]["message"]


# -- log probabilities ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["gemini-2.0-flash", MODEL, "gemini-3.5-flash"])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("top", [None, 0, 1, 5, 20])
async def test_tokens_are_the_text_of_their_event(model: str, streamed: bool, top: int | None) -> None:
    config: Json = {"responseLogprobs": True} | ({} if top is None else {"logprobs": top})
    if model == MODEL:
        config["thinkingConfig"] = {"includeThoughts": True}
    for one in await _vertex(model, user(WORDS, **config), streamed=streamed):
        said = "".join(part.get("text", "") for part in parts(one) if not part.get("thought"))
        found = one["candidates"][0].get("logprobsResult")
        assert (found is not None) is bool(said)
        if found is None:
            continue
        assert "".join(token["token"] for token in found["chosenCandidates"]) == said
        assert all(token["logProbability"] <= 0 and token["tokenId"] >= 0 for token in found["chosenCandidates"])
        assert ("topCandidates" in found) is bool(top)
        for chosen, others in zip(found["chosenCandidates"], found.get("topCandidates", []), strict=bool(top)):
            logs = [token["logProbability"] for token in others["candidates"]]
            assert len(logs) == top
            assert logs == sorted(logs, reverse=True)
            assert others["candidates"][0] == chosen


async def test_a_stream_gives_the_probabilities_of_the_whole_answer() -> None:
    body = user(WORDS, responseLogprobs=True, logprobs=2)
    whole = (await _vertex(MODEL, body, streamed=False))[0]["candidates"][0]["logprobsResult"]
    events = await _vertex(MODEL, body, streamed=True)
    found = [one["candidates"][0].get("logprobsResult", {}) for one in events]
    for key in ("chosenCandidates", "topCandidates"):
        assert [token for one in found for token in one.get(key, [])] == whole[key]


@pytest.mark.parametrize(
    ("model", "config", "message"),
    [
        (MODEL, {"responseLogprobs": True}, f"Logprobs is not enabled for models/{MODEL}"),
        ("gemini-3.5-flash", {"responseLogprobs": True, "logprobs": 3}, "Logprobs is not enabled"),
        (MODEL, {"responseLogprobs": True, "logprobs": 21}, "logprobs must be in the range [0, 20]"),
        (MODEL, {"logprobs": 3}, "requires response_logprobs"),
    ],
)
async def test_log_probabilities_are_refused_where_there_are_none(model: str, config: Json, message: str) -> None:
    one = await ask(Simulator(), model, user("Hi", **config))
    assert one.status == 400
    assert message in one.json()["error"]["message"]


async def test_an_average_comes_with_whole_answers_of_vertex_and_of_2_0() -> None:
    made = [
        (await _vertex(MODEL, user("Hi"), streamed=False))[0],
        await answer(Simulator(), "gemini-2.0-flash", user("Hi")),
        await answer(Simulator(), MODEL, user("Hi")),
        (await _vertex(MODEL, user("Hi"), streamed=True))[-1],
    ]
    assert ["avgLogprobs" in one["candidates"][0] for one in made] == [True, True, False, False]
    assert made[0]["candidates"][0]["avgLogprobs"] < 0


# -- arguments, streamed ----------------------------------------------------------------------------------------------

_DEEP: Json = {
    "type": "object",
    "properties": {
        "place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "days": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        "sure": {"type": "boolean"},
        "note": {"type": "null"},
    },
    "required": ["place", "days", "sure", "note"],
}


def _declared(schema: Json) -> Json:
    config = {"functionCallingConfig": {"mode": "ANY", "streamFunctionCallArguments": True}}
    return {
        "tools": [{"functionDeclarations": [{"name": "plan", "parametersJsonSchema": schema}]}],
        "toolConfig": config,
    }


def _put(target: Any, path: str, value: Any) -> None:
    steps = path.removeprefix("$.").replace("[", ".[").split(".")
    for step, after in zip(steps, [*steps[1:], ""], strict=True):
        fresh: Any = [] if after.startswith("[") else {}
        if step.startswith("["):
            at = int(step[1:-1])
            if at == len(target):
                target.append(fresh)
            if not after:
                target[at] = target[at] + value if isinstance(value, str) and isinstance(target[at], str) else value
            target = target[at]
        elif not after:
            target[step] = target.get(step, "") + value if isinstance(value, str) else value
        else:
            target = target.setdefault(step, fresh)


async def test_streamed_arguments_are_those_of_the_whole_call() -> None:
    body = user("plan for Ulan Bator and Ouagadougou-upon-the-river, 3 and 4 days, sure: yes") | _declared(_DEEP)
    whole = parts((await _vertex("gemini-3.5-flash", body, streamed=False))[0])[0]["functionCall"]
    events = await _vertex("gemini-3.5-flash", body, streamed=True)
    pieces = [part["functionCall"] for one in events for part in parts(one)]
    assert pieces[0] == {"name": "plan", "id": whole["id"], "willContinue": True}
    assert pieces[-1] == {}
    assert events[-1]["candidates"][0]["finishReason"] == "STOP"
    made: Json = {}
    for piece in pieces[1:-1]:
        assert piece["willContinue"] is True
        (told,) = piece["partialArgs"]
        value = next(inner for key, inner in told.items() if key.endswith("Value"))
        _put(made, told["jsonPath"], None if "nullValue" in told else value)
    assert made == whole["args"]
    assert "thoughtSignature" in parts(events[0])[0]


@pytest.mark.parametrize(
    ("schema", "pieces"),
    [
        ({"type": "object", "properties": {}}, [["name", "id"]]),
        (
            {"type": "object", "properties": {"odd key": {"type": "string"}}, "required": ["odd key"]},
            [["name", "args", "id"]],
        ),
    ],
)
async def test_what_no_path_says_comes_whole(schema: Json, pieces: list[list[str]]) -> None:
    events = await _vertex("gemini-3.5-flash", user("plan") | _declared(schema), streamed=True)
    assert [list(part["functionCall"]) for one in events for part in parts(one)] == pieces


async def test_arguments_are_streamed_where_vertex_was_asked_to_on_generation_3() -> None:
    body = user("find_city Oslo") | {
        "tools": tools("find_city"),
        "toolConfig": {"functionCallingConfig": {"streamFunctionCallArguments": True}},
    }
    for model, partial in (("gemini-3.5-flash", True), (MODEL, False)):
        assert ("partialArgs" in json.dumps(await _vertex(model, body, streamed=True))) is partial
    assert (await ask(Simulator(), "gemini-3.5-flash", body)).status == 400
