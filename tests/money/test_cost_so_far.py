"""What a stream has cost so far, as it is told and as a recovery would charge it: at its end just what is charged."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Json, Script, answers, candidate, chat, says, until
from money.acts import Steps, piece, usage
from money.paid import Paid, paid_house, price_of
from portico.ledger.settle import Checkpoint
from portico.relay.till import TillSettings

OFTEN = TillSettings(checkpoint_s=0.0)
TOLD: Json = {"stream": True, "usage": {"include": True}, "stream_options": {"include_usage": True}}
SEARCHED: Json = {"groundingMetadata": {"webSearchQueries": ["one", "two"]}}


def checkpoints(paid: Paid) -> list[dict[str, Any]]:
    return [json.loads(write.body) for write in paid.counter.written if isinstance(write, Checkpoint)]


@pytest.mark.parametrize(
    ("asked", "counts", "more"),
    [
        ({}, usage(1000, 40), {}),
        # Two calls are made, neither of them with a prompt of more than 200,000 tokens.
        ({"n": 2, "model": "gemini-3.1-pro-preview"}, usage(150_000, 40), {}),
        # Another tier than was asked for served it.
        ({"service_tier": "priority"}, {**usage(1000, 40), "serviceTier": "standard"}, {}),
        ({"service_tier": "priority"}, {**usage(1000, 40), "serviceTier": "priority"}, {}),
        ({"tools": [{"type": "web_search"}]}, usage(1000, 40, toolUsePromptTokenCount=5000), SEARCHED),
    ],
    ids=["plain", "lanes", "a cheaper tier", "the same tier", "a search"],
)
async def test_a_stream_has_cost_what_is_charged_for_it_once_all_is_reported(
    tmp_path: Path, asked: Json, counts: Json, more: Json
) -> None:
    answer = says("Hello", usageMetadata=counts)
    answer["candidates"][0] |= more
    async with paid_house(tmp_path / "books.db", Script(answers(answer)), settings=OFTEN) as paid:
        told = await paid.house.ask(chat(**TOLD, **asked))
        receipt = await paid.settled()
        assert round(told.events.chunks[-1]["usage"]["cost"] * 10**9) == receipt["charge_nanos"]
        assert {line.get("tier", "standard") for line in receipt["lines"]} == {counts.get("serviceTier", "standard")}
        last = checkpoints(paid)[-1]
        for name in ("charge_nanos", "lines", "usage", "raw_usage", "service_tier", "uses"):
            assert last.get(name) == receipt.get(name), name
        assert max(one["charge_nanos"] for one in checkpoints(paid)) == receipt["charge_nanos"]


async def test_a_stream_has_cost_what_is_charged_for_it_where_a_lane_reported_nothing(tmp_path: Path) -> None:
    told, silent = Steps(piece("one ", 40, "STOP")), Steps(says("word " * 40))
    async with (
        paid_house(tmp_path / "books.db", Script(told, silent)) as paid,
        paid.house.open(chat(**TOLD, n=2)) as wire,
    ):
        told.let_go()
        await until(lambda: told.done == 1)
        silent.let_go()
        answer = await wire.rest()
        receipt = await paid.settled()
        assert receipt["charge_nanos"] == paid.price(1000, 40 + 50)
        assert round(answer.events.chunks[-1]["usage"]["cost"] * 10**9) == receipt["charge_nanos"]


async def test_more_is_held_as_the_text_of_all_lanes_together_comes_near_to_what_is_held(tmp_path: Path) -> None:
    """Two lanes of a hundred tokens each, of which nothing is reported: 160 have come, and of each lane 80."""
    settings, act = TillSettings(checkpoint_s=0.0, default_hold_tokens=100), answers(says("word " * 64))
    async with paid_house(tmp_path / "books.db", Script(act), settings=settings) as paid:
        assert (await paid.house.ask(chat(stream=True, n=2))).status == 200
        await paid.settled()
        assert "extend" in [kind for kind, _, _ in paid.entries()]


@pytest.mark.parametrize("way", ["generateContent", "streamGenerateContent?alt=sse"])
@pytest.mark.parametrize(("prompt", "is_long"), [(150_000, False), (250_000, True)])
async def test_an_answer_that_passes_is_charged_by_the_length_of_its_one_prompt(
    tmp_path: Path, way: str, prompt: int, is_long: bool
) -> None:
    answer = says("Hello", usageMetadata=usage(prompt, 40))
    async with paid_house(tmp_path / "books.db", Script(answers(answer))) as paid:
        body: Json = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
        await paid.house.ask(body, path=f"/v1beta/models/gemini-3.1-pro-preview:{way}")
        receipt = await paid.settled()
        assert (receipt["charge_nanos"] > price_of(prompt, 40, "gemini-3.1-pro-preview")) is is_long
        assert {line.get("above_tokens", 0) for line in receipt["lines"]} == {200_000 if is_long else 0}


async def test_what_a_filter_stopped_before_anything_was_shown_is_told_to_cost_what_is_charged(tmp_path: Path) -> None:
    stopped = candidate(finish="SAFETY", usageMetadata=usage(1000, 0, thoughtsTokenCount=70))
    async with paid_house(tmp_path / "books.db", Script(answers(stopped))) as paid:
        told = await paid.house.ask(chat(**TOLD))
        receipt = await paid.settled()
        assert round(told.events.chunks[-1]["usage"]["cost"] * 10**9) == receipt["charge_nanos"] == price_of(1000, 70)
