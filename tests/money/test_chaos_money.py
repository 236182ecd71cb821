"""The books of a fleet in which one attempt in three fails: each charge is what the log says of the attempt that
answered, what failed is free, no hold stays open, and the entries add up to the balance.
"""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.fleet import GOOD, LATE, MODELS, NAMES, OUTCOMES, RULES, SERVED, SETTINGS, Tried, check, fleet
from gateway.house import chat, soon, until
from money.paid import USD, is_marked, paid_house, price_of

CALLS = 1000
AT_A_TIME = 48
BALANCE = 10_000 * USD


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_every_charge_is_what_the_fleets_log_says(tmp_path: Path, streamed: bool) -> None:
    log: dict[str, list[Tried]] = {}
    members = fleet(log)
    ended: dict[str, Any] = {}
    gate = asyncio.Semaphore(AT_A_TIME)
    async with paid_house(
        tmp_path / "books.db",
        members["gemini"],
        balance=BALANCE,
        fleet={name: members[name] for name in NAMES[1:]},
        models=MODELS,
        rules=RULES,
        relay_settings=SETTINGS,
    ) as paid:
        paid.house.relay.health.rest = lambda *_: None  # type: ignore[method-assign] # so that all are asked

        async def one(number: int) -> None:
            word = f"word{number}"
            async with gate:
                ended[word] = await soon(paid.house.ask(chat(word, model="fleet", stream=streamed)))

        await asyncio.gather(*[one(number) for number in range(CALLS)])
        await until(lambda: len(paid.receipts()) == CALLS and paid.account()[1] == 0)
        receipts = {receipt["request_id"]: receipt for receipt in paid.receipts()}
        charged = 0
        for word, answer in ended.items():
            check(word, log[word], answer, streamed=streamed)
            charged += check_receipt(receipts[answer.headers["x-portico-request-id"]], log[word])
        assert charged > 0
        assert paid.account() == (BALANCE - charged, 0)
        assert [sum(column) for column in zip(*[row[1:] for row in paid.entries()], strict=True)] == [-charged, 0]
        assert paid.counter.rows("SELECT COUNT(*) FROM holds") == [(0,)]


def check_receipt(receipt: dict[str, Any], attempts: list[Tried]) -> int:
    """Compares the receipt of a call with its attempts; what it charges."""
    last = attempts[-1]
    assert [(one["provider"], one["model"], one["outcome"]) for one in receipt["tries"]] == [
        (one.provider, SERVED[one.provider], OUTCOMES[one.fate]) for one in attempts
    ]
    charge: int = receipt.get("charge_nanos", 0)
    if last.early:
        assert charge == 0
        assert "lines" not in receipt
        return 0
    output = last.output if last.fate in GOOD else last.begun
    assert charge == price_of(last.prompt, output, SERVED[last.provider])
    assert receipt["provider"] == last.provider
    assert is_marked(receipt, "partial") == (last.fate in LATE)
    assert not is_marked(receipt, "estimated")
    return charge
