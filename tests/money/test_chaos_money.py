"""The books of a fleet in which one attempt in three fails: each charge is what the log says of the attempt that
answered, what failed is free, no hold stays open, and the entries add up to the balance.
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.fleet import (
    GOOD,
    LATE,
    MODELS,
    NAMES,
    OUTCOMES,
    RULES,
    SERVED,
    SETTINGS,
    Tried,
    check,
    check_failed,
    fleet,
    join,
    said,
)
from gateway.house import chat, soon, until
from money.paid import USD, is_marked, paid_house, price_of
from portico.relay.hedge import Budget

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
        join(members, paid.house.upstream)
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


async def test_with_hedging_each_call_is_answered_once_and_only_that_is_charged(tmp_path: Path) -> None:
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
        rules=msgspec.structs.replace(RULES, hedge_after_s=0.02),
        relay_settings=SETTINGS,
    ) as paid:
        join(members, paid.house.upstream)
        paid.house.relay.health.rest = lambda *_: None  # type: ignore[method-assign] # so that all are asked
        paid.house.relay._router.hedges = Budget(every=1)  # and as often as it takes

        async def one(number: int) -> None:
            word = f"word{number}"
            async with gate:
                ended[word] = await soon(paid.house.ask(chat(word, model="fleet", stream=True)))

        await asyncio.gather(*[one(number) for number in range(CALLS)])
        await until(lambda: len(paid.receipts()) == CALLS and paid.account()[1] == 0)
        receipts = {receipt["request_id"]: receipt for receipt in paid.receipts()}
        charged = 0
        for word, answer in ended.items():
            charged += check_hedged(word, log[word], answer, receipts[answer.headers["x-portico-request-id"]])
        assert paid.account() == (BALANCE - charged, 0)
        assert [sum(column) for column in zip(*[row[1:] for row in paid.entries()], strict=True)] == [-charged, 0]
        hedges = [one["outcome"] for receipt in receipts.values() for one in receipt["tries"] if one.get("beside")]
        assert {"ok", "cancelled", "overloaded"} <= set(hedges)


def check_hedged(word: str, attempts: list[Tried], answer: Any, receipt: dict[str, Any]) -> int:
    """Compares a call with its attempts, of which two may have been beside each other; what it charges."""
    tries = receipt["tries"]
    assert not Counter(one.provider for one in attempts) - Counter(one["provider"] for one in tries)
    charge: int = receipt.get("charge_nanos", 0)
    shown = [one for one in attempts if not one.early]
    if not shown:
        check_failed(attempts, answer)
        assert charge == 0
        return 0
    # Whoever had something to show was first, or was given up for one that was.
    assert answer.status == 200
    by_provider = [one for one in shown if one.provider == receipt["provider"]]
    text = said(answer, streamed=True)
    if text == "Answer to ":
        assert b'"error"' in answer.body
        assert is_marked(receipt, "partial")
        fits = [price_of(one.prompt, one.begun, SERVED[one.provider]) for one in by_provider if one.fate in LATE]
    else:
        assert text == f"Answer to {word}"
        assert [one["outcome"] for one in tries].count("ok") == 1
        fits = [price_of(one.prompt, one.output, SERVED[one.provider]) for one in by_provider if one.fate in GOOD]
    assert charge in fits
    return charge


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
