"""Holds: no answer without one, beside the provider's call or before it (money.md, A call)."""

from pathlib import Path

import pytest

from gateway.house import Script, answers, chat, says
from money.paid import USD, paid_house

USAGE = {"promptTokenCount": 1000, "candidatesTokenCount": 500, "totalTokenCount": 1500}
ANSWER = says("Hello there", usageMetadata=USAGE)


async def test_an_answer_is_charged_once_and_its_hold_is_gone(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        answer = await paid.house.ask(chat())
        assert answer.status == 200
        receipt = await paid.settled()
        kinds = [kind for kind, _, _ in paid.entries()]
        assert kinds == ["hold", "settle"]
        charged = 100 * USD - paid.account()[0]
        assert charged > 0
        assert receipt["request_id"] == answer.headers["x-portico-request-id"]
