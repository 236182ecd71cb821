"""Going on from an answer that is kept, with a prepaid account: by its id, and by naming one of its items."""

from pathlib import Path
from typing import Any

import pytest

import databases
from gateway.house import Json
from gateway.test_switching_models import THREE
from money.paid import paid_house
from vault.workers import Workers

TOOL: Json = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}


def by_its_id(first: Json, result: Json) -> Json:
    return {"previous_response_id": first["id"], "input": [result]}


def by_its_items(first: Json, result: Json) -> Json:
    """As the Vercel AI SDK does: what the model thought by its id, calls as they were."""
    asked = {"role": "user", "content": "Call look."}
    thoughts = [{"type": "item_reference", "id": one["id"]} for one in first["output"] if one["type"] == "reasoning"]
    calls = [
        {name: one[name] for name in ("type", "call_id", "name", "arguments")}
        for one in first["output"]
        if one["type"] == "function_call"
    ]
    assert thoughts
    return {"input": [asked, *thoughts, *calls, result]}


@pytest.mark.parametrize("way", [by_its_id, by_its_items])
@pytest.mark.parametrize("model", ["gpt-5.5", "gemini-3.5-flash", "claude-sonnet-5-5"])
async def test_an_answer_is_gone_on_from_by_who_pays_before(tmp_path: Path, model: str, way: Any) -> None:
    async with (
        Workers(databases.sqlite_books(tmp_path / "kept.db")) as workers,
        paid_house(tmp_path / "db", kinds=THREE, responses=workers.responses) as paid,
    ):
        more: Json = {"model": model, "tools": [TOOL], "max_output_tokens": 4096, "reasoning": {"effort": "high"}}
        answer = await paid.house.ask({"input": "Call look.", **more}, path="/v1/responses")
        assert answer.status == 200, answer.body
        first = answer.json()
        call = next(one for one in first["output"] if one["type"] == "function_call")
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "A blue door."}
        second = await paid.house.ask({**way(first, result), **more}, path="/v1/responses")
        assert second.status == 200, second.body
        assert "A blue door." in second.body.decode()
        await paid.settled(calls=2)
