"""Code that runs on Google's side, and tools of both sides in one conversation."""

import base64
import struct
import zlib
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from portico.simulator import Simulator
from portico.simulator.execution import run
from simulator.sim_memory import Json, answer, ask, parts, results, stream, text, tools, user

OLD, NEW = "gemini-2.5-flash", "gemini-3.5-flash"
CODE: Json = {"tools": [{"codeExecution": {}}]}
MIX: Json = {
    "tools": [{"googleSearch": {}}, *tools("find_city", "plan_trip")],
    "toolConfig": {"includeServerSideToolInvocations": True},
}


async def _said(model: str, body: Json, *, streamed: bool, seed: int = 0) -> list[Json]:
    sim = Simulator(seed)
    return (await stream(sim, model, body)).events() if streamed else [await answer(sim, model, body)]


def _all(answers: list[Json]) -> list[Json]:
    """Every part that is more than an empty text."""
    return [part for one in answers for part in parts(one) if part.get("text") != ""]


@pytest.mark.parametrize(
    ("words", "output"),
    [
        ("Use the code execution tool to compute 17 squared.", "289\n"),
        ("What is 2 to the power of 20?", "1048576\n"),
        ("Compute 12 * 4 - 007.", "41\n"),
        ("Divide: 7 ÷ 2", "3.5\n"),
        ("Add 3, 4 and 5.5", "12.5\n"),
        ("How long is this?", "17\n"),
    ],
)
@pytest.mark.parametrize("model", [OLD, NEW])
@pytest.mark.parametrize("streamed", [False, True])
async def test_code_is_written_run_and_told(words: str, output: str, model: str, streamed: bool) -> None:
    answers = await _said(model, user(words) | CODE, streamed=streamed)
    code, result, *rest = _all(answers)
    assert code["executableCode"]["language"] == "PYTHON"
    assert result["codeExecutionResult"]["outcome"] == "OUTCOME_OK"
    assert result["codeExecutionResult"]["output"] == output
    assert output.strip() in text(answers)
    assert all("text" in part for part in rest)
    modern = model == NEW
    assert ("id" in code["executableCode"]) is modern
    assert code["executableCode"].get("id") == result["codeExecutionResult"].get("id")
    assert ("thoughtSignature" in code, "thoughtSignature" in result) == (modern, False)


@pytest.mark.parametrize("words", ["1 / 0", "9 ** 501", "10000000 ** 2", "0 % 0", "999999**500*999999**500"])
def test_a_program_that_fails_says_so(words: str) -> None:
    made = run(words, dice=_NO_DICE, fails=False)
    assert made.failed
    assert "Error" in made.output


async def test_a_failure_can_be_asked_for() -> None:
    made = parts(await answer(Simulator(), NEW, user("Go [[sim:code-fails]]") | CODE))
    assert made[1]["codeExecutionResult"]["outcome"] == "OUTCOME_FAILED"


@pytest.mark.parametrize("model", [OLD, NEW])
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_chart_is_a_picture_of_the_numbers(model: str, streamed: bool) -> None:
    answers = await _said(model, user("Plot a chart of 1, 2 and 4") | CODE, streamed=streamed)
    blob = next(part["inlineData"] for part in _all(answers) if "inlineData" in part)
    assert blob["mimeType"] == "image/png"
    data = base64.b64decode(blob["data"])
    width, height = struct.unpack(">II", data[16:24])
    at = data.index(b"IDAT")
    rows = zlib.decompress(data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at])])
    stride = 1 + 3 * width
    assert len(rows) == height * stride
    bars = [sum(rows[y * stride + 1 + 3 * x] != 255 for y in range(height)) for x in range(0, width, width // 3)]
    assert bars[2] == 2 * bars[1] == 4 * bars[0] == height


async def test_counters_restart_after_code_on_3_and_the_end_is_the_sum() -> None:
    events = (await stream(Simulator(), NEW, user("Compute 17 squared") | CODE)).events()
    usages = [one["usageMetadata"] for one in events]
    first, came, last = usages[0], usages[1], usages[-1]
    assert "candidatesTokenCount" not in came
    assert came["totalTokenCount"] == came["promptTokenCount"] == first["promptTokenCount"]
    assert usages[2]["thoughtsTokenCount"] + first["thoughtsTokenCount"] == last["thoughtsTokenCount"]
    assert last["candidatesTokenCount"] == first["candidatesTokenCount"] + usages[-2]["candidatesTokenCount"]
    assert last["promptTokenCount"] == first["promptTokenCount"] + first["thoughtsTokenCount"]
    assert "toolUsePromptTokenCount" not in usages[-2]
    assert last["toolUsePromptTokenCount"] > 0
    assert last == (await answer(Simulator(), NEW, user("Compute 17 squared") | CODE))["usageMetadata"]


async def test_counters_go_on_after_code_before_3() -> None:
    usages = [one["usageMetadata"] for one in (await stream(Simulator(), OLD, user("Compute 2+2") | CODE)).events()]
    counts = [one["candidatesTokenCount"] for one in usages]
    assert counts == sorted(counts)
    assert {one["thoughtsTokenCount"] for one in usages} == {320}
    assert ["toolUsePromptTokenCount" in one for one in usages] == [False] * 2 + [True] * (len(usages) - 2)


@pytest.mark.parametrize(("model", "body"), [(OLD, CODE), (NEW, CODE), (NEW, MIX)])
@pytest.mark.parametrize("streamed", [False, True])
async def test_what_tools_left_may_be_sent_back_as_it_came(model: str, streamed: bool, body: Json) -> None:
    request = user("Search the web or compute 2+2 about it.") | body
    said = [part for one in await _said(model, request, streamed=streamed) for part in parts(one)]
    request["contents"] += [{"role": "model", "parts": said}, {"role": "user", "parts": [{"text": "more"}]}]
    assert (await ask(Simulator(), model, request)).status == 200


# -- functions beside built-in tools ----------------------------------------------------------------------------------


async def _mixed(*, streamed: bool, words: str = "Search the web, then find_city for Oslo.", seed: int = 0) -> Json:
    """A request whose history ends in the result of a call that came beside a search."""
    body = user(words) | MIX
    said = [part for one in await _said(NEW, body, streamed=streamed, seed=seed) for part in parts(one)]
    content = {"role": "model", "parts": said}
    return body | {"contents": [*body["contents"], content, results({"candidates": [{"content": content}]})]}


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_search_and_a_call_come_together_in_either_order(streamed: bool) -> None:
    orders = set()
    for seed in range(12):
        body = await _mixed(streamed=streamed, seed=seed)
        kinds = [next(key for key in part if key != "thoughtSignature") for part in body["contents"][1]["parts"]]
        orders.add(tuple(kind for kind in kinds if kind != "text"))
        final = await answer(Simulator(seed), NEW, body)
        assert "result of find_city" in text([final])
        assert final["candidates"][0]["groundingMetadata"]["groundingChunks"]
        assert not any("toolCall" in part for part in parts(final))
    assert orders == {("toolCall", "toolResponse", "functionCall"), ("functionCall", "toolCall", "toolResponse")}


async def test_a_call_alone_makes_no_search() -> None:
    made = parts(await answer(Simulator(), NEW, user("find_city for Oslo") | MIX))
    assert [set(part) - {"thoughtSignature"} for part in made] == [{"functionCall"}]


async def test_where_a_call_ends_with_a_search_there_is_no_message_and_no_index() -> None:
    for seed in range(12):
        made = await answer(Simulator(seed), NEW, user("Search the web, then find_city.") | MIX)
        last = "functionCall" in parts(made)[-1]
        candidate = made["candidates"][0]
        assert ("finishMessage" in candidate, "index" in candidate) == (last, last)
        assert "candidatesTokenCount" not in made["usageMetadata"]


def _drop(kind: str) -> Callable[[list[Json]], list[Json]]:
    return lambda said: [part for part in said if kind not in part]


def _drop_both(said: list[Json]) -> list[Json]:
    return [part for part in said if "toolCall" not in part and "toolResponse" not in part]


def _unsign(said: list[Json]) -> list[Json]:
    return [{key: part[key] for key in part if key != "thoughtSignature" or "toolCall" not in part} for part in said]


def _edit(said: list[Json]) -> list[Json]:
    changed = deepcopy(said)
    next(part for part in changed if "toolResponse" in part)["toolResponse"]["response"] = {}
    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop("toolCall"), "followed by a toolResponse part of the same id"),
        (_drop("toolResponse"), "followed by a toolResponse part of the same id"),
        (_drop_both, "came with toolCall and toolResponse parts that are missing"),
        (_unsign, "missing a thought_signature in toolCall parts"),
        (_edit, "Thought signature is not valid"),
    ],
)
async def test_what_a_tool_did_in_this_turn_must_come_back_whole(
    change: Callable[[list[Json]], list[Json]], message: str
) -> None:
    body = await _mixed(streamed=False)
    assert (await ask(Simulator(), NEW, body)).status == 200
    body["contents"][1]["parts"] = change(body["contents"][1]["parts"])
    refused = await ask(Simulator(), NEW, body)
    assert refused.status == 400
    assert message in refused.json()["error"]["message"]


async def test_what_a_tool_did_in_an_earlier_turn_may_be_gone() -> None:
    body = await _mixed(streamed=False)
    body["contents"][1]["parts"] = _drop_both(body["contents"][1]["parts"])
    body["contents"] += [{"role": "model", "parts": [{"text": "ok"}]}, {"role": "user", "parts": [{"text": "thanks"}]}]
    assert (await ask(Simulator(), NEW, body)).status == 200


class _NoDice:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was rolled")


_NO_DICE: Any = _NoDice()
