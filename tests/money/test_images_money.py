"""What pictures cost: a hold that covers them, a charge by what was reported, and nothing for what failed."""

from pathlib import Path
from typing import Any

import pytest

from gateway.forms import Upload, form, form_header
from gateway.house import Json, Script, answers, candidate, fails, says
from gateway.test_images import EDITED, MADE, drawn, painted
from gateway.test_images_passing import ANSWER, DONE, PARTIAL, streams
from money.paid import USD, paid_house
from portico.providers import KINDS

GPT, PAINTER = "gpt-image-2", "gemini-3-pro-image"
OPENAI: Any = {"kinds": [KINDS["openai"]]}
IMAGE_OUT, TEXT_IN, IMAGE_IN = 30_000, 5_000, 8_000
"""Nano-dollars a token of gpt-image-2."""
GEMINI_OUT, GEMINI_IN = 120_000, 2_000


async def held(paid: Any) -> int:
    return sum(held for _, _, held in paid.entries("hold", "extend"))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 4])
async def test_pictures_of_geminis_are_held_for_and_charged_by_what_was_used(
    tmp_path: Path, n: int, stream: bool
) -> None:
    async with paid_house(tmp_path / "db", Script(answers(painted(prompt=9, made=1120)))) as paid:
        body = {"model": PAINTER, "prompt": "a fox", "n": n, "stream": stream}
        assert (await paid.house.ask(body, path=MADE)).status == 200
        receipt = await paid.settled()
        spent = n * (1120 * GEMINI_OUT + 9 * GEMINI_IN)
        assert 100 * USD - paid.account()[0] == spent
        assert await held(paid) >= spent
        assert await held(paid) >= n * 2000 * GEMINI_OUT, "the largest picture there is, for each"
        assert not receipt.get("flags")


@pytest.mark.parametrize("stream", [False, True])
async def test_pictures_that_pass_are_charged_by_what_was_reported(tmp_path: Path, stream: bool) -> None:
    act = streams(PARTIAL, DONE) if stream else answers(ANSWER)
    async with paid_house(tmp_path / "db", Script(act), **OPENAI) as paid:
        body = {"model": GPT, "prompt": "a fox", "stream": stream}
        assert (await paid.house.ask(body, path=MADE)).status == 200
        receipt = await paid.settled()
        assert 100 * USD - paid.account()[0] == 272 * IMAGE_OUT + 10 * TEXT_IN + 40 * IMAGE_IN
        assert not receipt.get("flags")


@pytest.mark.parametrize(
    ("more", "tokens"),
    [
        ({"quality": "low", "size": "1024x1024"}, 272),
        ({"quality": "medium", "size": "1536x1024"}, 1584),
        ({"quality": "high", "size": "1024x1536"}, 6240),
        ({"quality": "high", "size": "1024x1536", "n": 10}, 62_400),
        ({}, 6240),
        ({"quality": "low", "size": "1024x1024", "stream": True, "partial_images": 3}, 572),
        ({"quality": "max"}, 16_384),
        ({"quality": "high", "size": "3840x2160"}, 16_384),
    ],
)
async def test_a_hold_covers_the_largest_answer(tmp_path: Path, more: Json, tokens: int) -> None:
    act = streams(DONE) if more.get("stream") else answers(ANSWER)
    async with paid_house(tmp_path / "db", Script(act), **OPENAI) as paid:
        assert (await paid.house.ask({"model": GPT, "prompt": "a fox", **more}, path=MADE)).status == 200
        await paid.settled()
        assert tokens * IMAGE_OUT <= await held(paid) <= tokens * IMAGE_OUT + 200 * IMAGE_IN


@pytest.mark.parametrize("quality", ["low", "medium", "high"])
@pytest.mark.parametrize("n", [1, 3])
async def test_what_the_simulator_reports_is_within_the_hold(tmp_path: Path, quality: str, n: int) -> None:
    async with paid_house(tmp_path / "db", **OPENAI) as paid:
        fields = [("model", GPT), ("prompt", "a fox"), ("n", str(n)), ("quality", quality), ("size", "1024x1024")]
        body = form([*fields, ("image", Upload(drawn())), ("image", Upload(drawn()))])
        assert (await paid.house.ask(body, path=EDITED, headers=form_header())).status == 200
        await paid.settled()
        assert 0 < 100 * USD - paid.account()[0] <= await held(paid)


@pytest.mark.parametrize(
    ("provider", "more", "model"),
    [
        (Script(fails(503, "UNAVAILABLE")), {"n": 3}, PAINTER),
        (Script(answers(candidate(finish="IMAGE_SAFETY", usageMetadata={"promptTokenCount": 9}))), {"n": 2}, PAINTER),
        (Script(answers(says("No.", usageMetadata={"promptTokenCount": 9, "candidatesTokenCount": 4}))), {}, PAINTER),
        (Script(answers(says("No.", usageMetadata={"promptTokenCount": 9}))), {"stream": True, "n": 2}, PAINTER),
        (Script(answers({"error": {"message": "no", "code": "moderation_blocked"}}, 400)), {}, GPT),
        (Script(answers({"created": 1, "data": []})), {}, GPT),
        (Script(streams()), {"stream": True}, GPT),
    ],
)
async def test_what_failed_costs_nothing(tmp_path: Path, provider: Script, more: Json, model: str) -> None:
    kinds = [KINDS["gemini"], KINDS["openai"]]
    async with paid_house(tmp_path / "db", provider, kinds=kinds) as paid:
        answer = await paid.house.ask({"model": model, "prompt": "a fox", **more}, path=MADE)
        assert answer.status in (400, 502, 503) or answer.json()["data"] == []
        await paid.settled()
        assert paid.account() == (100 * USD, 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_of_several_pictures_those_that_came_are_paid_for(tmp_path: Path, stream: bool) -> None:
    blocked = candidate(finish="IMAGE_SAFETY", usageMetadata={"promptTokenCount": 9, "totalTokenCount": 9})
    good = answers(painted(prompt=9, made=1120))
    provider = Script(good, answers(blocked), fails(500, "INTERNAL"), good)
    async with paid_house(tmp_path / "db", provider) as paid:
        body = {"model": PAINTER, "prompt": "a fox", "n": 4, "stream": stream}
        assert (await paid.house.ask(body, path=MADE)).status == 200
        receipt = await paid.settled()
        assert 100 * USD - paid.account()[0] == 2 * (1120 * GEMINI_OUT + 9 * GEMINI_IN)
        assert not receipt.get("flags")


@pytest.mark.parametrize("stream", [False, True])
async def test_pictures_of_which_nothing_is_reported_are_estimated(tmp_path: Path, stream: bool) -> None:
    data = {name: value for name, value in ANSWER.items() if name != "usage"}
    quiet = b'event: x\ndata: {"type":"image_generation.completed","b64_json":"AA=="}\n\n'
    act = streams(quiet, quiet) if stream else answers(data | {"data": data["data"] * 2})  # type: ignore[operator]
    async with paid_house(tmp_path / "db", Script(act), **OPENAI) as paid:
        assert (await paid.house.ask({"model": GPT, "prompt": "x", "n": 2, "stream": stream}, path=MADE)).status == 200
        receipt = await paid.settled()
        assert receipt["flags"] == ["estimated"]
        assert 100 * USD - paid.account()[0] == 2 * 1120 * IMAGE_OUT


@pytest.mark.parametrize("stream", [False, True])
async def test_pictures_of_which_one_call_reported_nothing_are_estimated_beside_what_others_reported(
    tmp_path: Path, stream: bool
) -> None:
    quiet = {name: value for name, value in painted().items() if name != "usageMetadata"}
    provider = Script(answers(painted(prompt=9, made=1120)), answers(quiet), answers(quiet))
    async with paid_house(tmp_path / "db", provider) as paid:
        assert (
            await paid.house.ask({"model": PAINTER, "prompt": "x", "n": 3, "stream": stream}, path=MADE)
        ).status == 200
        receipt = await paid.settled()
        assert receipt["flags"] == ["estimated"]
        assert 100 * USD - paid.account()[0] == 3 * 1120 * GEMINI_OUT + 9 * GEMINI_IN


async def test_who_cannot_cover_the_pictures_is_refused_before_any_is_made(tmp_path: Path) -> None:
    provider = Script(answers(painted()))
    async with paid_house(tmp_path / "db", provider, balance=USD // 100) as paid:
        answer = await paid.house.ask({"model": PAINTER, "prompt": "a fox", "n": 10}, path=MADE)
        assert (answer.status, answer.error["code"]) == (402, "insufficient_funds")
        assert paid.account() == (USD // 100, 0)


@pytest.mark.parametrize("more", [{"svg": {"model": "x"}}, {"output_format": "svg"}, {"frame_count": 16}])
async def test_a_prepaid_account_asks_for_nothing_of_which_no_price_is_known(tmp_path: Path, more: Json) -> None:
    provider = Script(answers(ANSWER))
    async with paid_house(tmp_path / "db", provider, **OPENAI) as paid:
        answer = await paid.house.ask({"model": GPT, "prompt": "a fox", **more}, path=MADE)
        assert (answer.status, answer.error["param"]) == (400, next(iter(more)))
        assert provider.requests == []
    async with paid_house(tmp_path / "open", provider, prepaid=False, **OPENAI) as paid:
        assert (await paid.house.ask({"model": GPT, "prompt": "a fox", **more}, path=MADE)).status == 200


@pytest.mark.parametrize(("model", "calls"), [(PAINTER, 3), (GPT, 1)])
async def test_what_is_estimated_for_pictures_is_what_is_held(tmp_path: Path, model: str, calls: int) -> None:
    act = answers(painted()) if model == PAINTER else answers(ANSWER)
    async with paid_house(tmp_path / "db", Script(act), kinds=[KINDS["gemini"], KINDS["openai"]]) as paid:
        body = {"model": model, "prompt": "a fox", "n": 3, "size": "1536x1024"}
        told = await paid.house.ask(body, path="/v1/estimate")
        assert told.status == 200, told.body
        assert told.json()["made_up_of"]["calls"] == calls
        assert (await paid.house.ask(body, path=MADE)).status == 200
        await paid.settled()
        assert told.json()["ceiling_nanos"] == await held(paid)
