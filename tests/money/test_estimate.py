"""POST /v1/estimate tells what would be held: the hold of the same request is that, and asking costs nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Script, answers, chat, says
from money.paid import Paid, paid_house
from portico.wire import jsontext

MODEL = "gemini-3.5-flash"
NATIVE = f"/v1beta/models/{MODEL}:generateContent"
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
PNG = "data:image/png;base64,iVBORw0KGgo="
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}]


CASES: list[tuple[str, str, Any]] = [
    ("/v1/chat/completions", "", chat()),
    ("/v1/chat/completions", "", jsontext.BOM + json.dumps(chat()).encode()),
    ("/v1/chat/completions", "", chat("long " * 5000)),
    ("/v1/chat/completions", "", chat(max_tokens=7)),
    ("/v1/chat/completions", "", chat(stream=True)),
    ("/v1/chat/completions", "", chat(n=3)),
    ("/v1/chat/completions", "", chat(tools=TOOLS)),
    ("/v1/chat/completions", "", {"model": MODEL, "messages": PICTURE}),
    ("/v1/chat/completions", "", chat(model="gemini-2.5-pro", service_tier="flex")),
    (NATIVE, f"?model={MODEL}", GEMINI),
    (NATIVE, f"?model={MODEL}&dialect=gemini", {**GEMINI, "tools": [{"googleSearch": {}}]}),
    (NATIVE, f"?model={MODEL}", {**GEMINI, "generationConfig": {"maxOutputTokens": 5}}),
]


async def estimate(paid: Paid, body: Any, query: str = "", **more: Any) -> Any:
    return await paid.house.ask(body, path=f"/v1/estimate{query}", **more)


@pytest.mark.parametrize(("path", "query", "body"), CASES)
async def test_what_is_estimated_is_what_is_held(tmp_path: Path, path: str, query: str, body: Any) -> None:
    provider = Script(answers(says("Hello", usageMetadata={"promptTokenCount": 1, "totalTokenCount": 1})))
    async with paid_house(tmp_path / "db", provider) as paid:
        told = await estimate(paid, body, query)
        assert told.status == 200, told.body
        assert provider.requests == []
        assert paid.entries() == []
        assert (await paid.house.ask(body, path=path)).status == 200
        await paid.settled()
        held = sum(held for _, _, held in paid.entries("hold", "extend"))
        assert told.json()["ceiling_nanos"] == held > 0


async def test_an_estimate_says_how_it_is_made_up(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "db") as paid:
        told = (await estimate(paid, chat(n=2, max_tokens=100, web_search_options={}))).json()
    assert (told["object"], told["model"], told["currency"], told["priced"]) == ("estimate", MODEL, "USD", True)
    assert (told["made_up_of"]["candidates"], told["made_up_of"]["calls"]) == (1, 2), "two calls of one answer each"
    assert told["made_up_of"]["max_output_tokens"] == 100
    assert told["made_up_of"]["tools"] == ["web_search"]
    assert told["made_up_of"]["text_bytes"] > 0
    assert {row["kind"] for row in told["rates"]} >= {"input", "output"}
    assert "cost" not in json.dumps(told)


@pytest.mark.parametrize(("prepaid", "short", "covered"), [(True, 0, True), (True, 1, False), (False, 1, True)])
async def test_an_estimate_says_whether_there_is_as_much(
    tmp_path: Path, prepaid: bool, short: int, covered: bool
) -> None:
    async with paid_house(tmp_path / "db", prepaid=prepaid) as paid:
        ceiling = (await estimate(paid, chat())).json()["ceiling_nanos"]
        paid.set_balance(ceiling - short)
        told = (await estimate(paid, chat())).json()
        assert (told["covered"], told["available_nanos"]) == (covered, ceiling - short)
        answer = await paid.house.ask(chat())
        assert (answer.status == 200) == covered, "a call is judged as it was said"
        if covered:
            await paid.settled()


async def test_what_is_asked_for_several_times_is_held_for_several_times(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "db") as paid:
        one, three = [(await estimate(paid, chat(n=n))).json() for n in (1, 3)]
        assert three["output_tokens"] == 3 * one["output_tokens"]


@pytest.mark.parametrize(
    ("body", "query", "status", "param"),
    [
        (b"", "", 400, None),
        (b"[]", "", 400, None),
        (b"{" * 100, "", 400, None),
        (GEMINI, "", 400, "model"),
        ({**GEMINI, "model": 7}, "", 400, "model"),
        (GEMINI, "?model=nowhere", 404, None),
        (chat(model="nowhere"), "", 404, "model"),
        (chat(), "?dialect=latin", 400, "dialect"),
        ({"model": MODEL}, "", 400, "messages"),
    ],
)
async def test_what_would_be_refused_is_refused(
    tmp_path: Path, body: Any, query: str, status: int, param: str | None
) -> None:
    async with paid_house(tmp_path / "db") as paid:
        answer = await estimate(paid, body, query)
    assert (answer.status, answer.error["param"]) == (status, param)


async def test_an_estimate_needs_a_key_and_keeps_to_its_scope(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "db", policy={"models": ["gemini-3.5-*"]}) as paid:
        assert (await estimate(paid, chat(), key=None)).status == 401
        assert (await estimate(paid, chat())).status == 200
        assert (await estimate(paid, chat(model="gemini-2.5-pro"))).status == 404


async def test_the_model_of_geminis_body_may_stand_in_it(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "db") as paid:
        beside = await estimate(paid, jsontext.encode({"model": f"models/{MODEL}", **GEMINI}))
        named = await estimate(paid, jsontext.encode(GEMINI), f"?model={MODEL}")
    assert beside.json() == named.json()
