"""What a stream has cost so far, as it is told and as a recovery would charge it: at its end just what is charged."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Json, Script, answers, chat, says
from money.acts import usage
from money.paid import Paid, paid_house
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
        last = checkpoints(paid)[-1]
        for name in ("charge_nanos", "lines", "usage", "raw_usage", "service_tier", "uses"):
            assert last.get(name) == receipt.get(name), name
        assert max(one["charge_nanos"] for one in checkpoints(paid)) == receipt["charge_nanos"]
