"""A race for money: many calls at once on an account that bears some of them, told as it went.

The provider holds every answer back until all calls that the account cannot bear have been refused, so that they are all
open at the same time. What was charged is read back from the ledger, and each call's from its receipt.
"""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from books.shop import Gate, Shop, call, eventually, open_shop, receipt, statuses
from gateway.house import PATIENCE_S, Answer, chat, until

CALLS: Final = 200
FUNDED: Final = 33
WORKERS: Final = 2
BODY: Final = chat("Hello", max_tokens=100)


class Raced(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended. Amounts are nano-dollars."""

    calls: int
    funded: int
    """How many the balance covered, each at the most that it could cost."""
    answered: int
    refused: int
    """With a 402 or a 429."""
    arrived: int
    """How many reached the provider. A worker may begin one call beside a hold that is then refused: nobody's answer and
    nobody's charge (relay/till.py)."""
    workers: int
    paid_in_nanos: int
    ceiling_nanos: int
    """Held for each call."""
    charge_nanos: int
    """Of each call that was answered, by its receipt."""
    charged_nanos: int
    """Of all of them, by the ledger."""
    left_nanos: int
    adds_up: bool
    """What `portico ledger verify` says afterwards."""


async def raced(folder: Path, *, storage_url: str | None = None) -> Raced:
    """Runs one, with a database of its own in a folder."""
    gate = Gate(opened=False)
    async with open_shop(folder, gate, storage_url=storage_url) as shop:
        return await _race(shop, gate)


async def _race(shop: Shop, gate: Gate) -> Raced:
    _, key = await shop.prepaid("racer")
    async with shop.serving(workers=WORKERS) as server:
        port = await server.port()
        ceiling = (await call(port, key, BODY, path="/v1/estimate")).json()["ceiling_nanos"]
        paid_in = FUNDED * ceiling + ceiling - 1  # one nano-dollar short of one more
        await shop.command("accounts", "top-up", "racer", _dollars(paid_in))
        asked = [asyncio.create_task(call(port, key, BODY, patience_s=5 * PATIENCE_S)) for _ in range(CALLS)]
        await until(lambda: sum(task.done() for task in asked) == CALLS - FUNDED, 4 * PATIENCE_S)
        arrived = gate.arrived
        assert await shop.balance("racer") == (paid_in, FUNDED * ceiling)
        gate.open.set()
        answers: list[Answer] = await asyncio.gather(*asked)
        for answer in answers:
            if answer.status != 200:
                assert answer.error["code"] == "funds_held", "open holds are a passing state: never a 402"
                assert int(answer.headers["retry-after"]) >= 1
        told = statuses(answers)
        charge = await _charge_of_each(port, key, answers)
        await eventually(lambda: _nothing_held(shop))
        left, _ = await shop.balance("racer")
    return Raced(
        calls=CALLS,
        funded=FUNDED,
        answered=told[200],
        refused=sum(count for status, count in told.items() if status in (402, 429)),
        arrived=arrived,
        workers=WORKERS,
        paid_in_nanos=paid_in,
        ceiling_nanos=ceiling,
        charge_nanos=charge,
        charged_nanos=paid_in - left,
        left_nanos=left,
        adds_up=await shop.add_up(),
    )


async def _charge_of_each(port: int, key: str, answers: list[Answer]) -> int:
    """By the receipts of all calls that were answered: every one has one, and all of them the same charge."""
    ids = [answer.headers["x-portico-request-id"] for answer in answers if answer.status == 200]
    charges = {(await receipt(port, key, request_id))["charge_nanos"] for request_id in ids}
    assert len(charges) == 1
    return int(charges.pop())


async def _nothing_held(shop: Shop) -> bool:
    return (await shop.balance("racer"))[1] == 0


def _dollars(nanos: int) -> str:
    return f"{nanos // 10**9}.{nanos % 10**9:09d}"
