"""Two hundred calls at once on an account that can bear thirty-three: the database decides, whoever races."""

import asyncio
import sys
from pathlib import Path

import pytest

from books.shop import Gate, Shop, call, eventually, open_shop, receipt, statuses
from databases import started_postgres_url
from gateway.house import Answer, chat, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")

CALLS, FIT, WORKERS = 200, 33, 2
BODY = chat("Hello", max_tokens=100)


def dollars(nanos: int) -> str:
    return f"{nanos // 10**9}.{nanos % 10**9:09d}"


async def race(shop: Shop) -> None:
    _, key = await shop.prepaid("racer")
    async with shop.serving(workers=WORKERS) as server:
        port = await server.port()
        estimate = (await call(port, key, BODY, path="/v1/estimate")).json()
        ceiling = estimate["ceiling_nanos"]
        # One nano-dollar short of one more.
        await shop.command("accounts", "top-up", "racer", dollars(FIT * ceiling + ceiling - 1))
        asked = [asyncio.create_task(call(port, key, BODY, patience_s=60)) for _ in range(CALLS)]
        await until(lambda: sum(task.done() for task in asked) == CALLS - FIT, 60)
        # A worker may begin one call beside a hold that is then refused (relay/till.py): nobody's answer, nobody's charge.
        assert FIT <= shop.provider.arrived <= FIT + WORKERS
        assert await shop.balance("racer") == (FIT * ceiling + ceiling - 1, FIT * ceiling)
        shop.provider.open.set()
        answers: list[Answer] = await asyncio.gather(*asked)
        told = statuses(answers)
        assert told[200] == FIT
        assert sum(count for status, count in told.items() if status in (402, 429)) == CALLS - FIT
        for answer in answers:
            if answer.status != 200:
                assert answer.error["code"] == "funds_held", "open holds are a passing state: never a 402"
                assert int(answer.headers["retry-after"]) >= 1
        charge = (await receipt_of(port, key, answers))["charge_nanos"]
        posted = FIT * ceiling + ceiling - 1 - FIT * charge
        await eventually(lambda: _is(shop, (posted, 0)))
    assert await shop.add_up()


async def receipt_of(port: int, key: str, answers: list[Answer]) -> dict[str, int]:
    """The receipt of one of the answered calls. Every one of them has one, and all of them the same charge."""
    ids = [answer.headers["x-portico-request-id"] for answer in answers if answer.status == 200]
    receipts = [await receipt(port, key, request_id) for request_id in ids]
    assert len({one["charge_nanos"] for one in receipts}) == 1
    assert receipts[0]["charge_nanos"] > 0
    return dict(receipts[0])


async def _is(shop: Shop, balance: tuple[int, int]) -> bool:
    return await shop.balance("racer") == balance


async def test_of_two_hundred_calls_at_once_as_many_are_answered_as_the_account_covers(tmp_path: Path) -> None:
    async with open_shop(tmp_path, Gate(opened=False)) as shop:
        await race(shop)


async def test_the_same_holds_on_postgresql(tmp_path: Path) -> None:
    async with open_shop(tmp_path, Gate(opened=False), storage_url=started_postgres_url()) as shop:
        await race(shop)
