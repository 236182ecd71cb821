"""`portico serve` from a caller's side: an estimate, its call, and the same call sent again to another process."""

import json
from pathlib import Path

from books.shop import Gate, Shop, call, eventually, open_shop
from gateway.house import chat

ONCE = {"idempotency-key": "order-66"}


async def settled(shop: Shop) -> bool:
    """The process is killed next, and what it has not written by then is released."""
    return (await shop.balance("alice"))[1] == 0


async def test_a_call_is_estimated_made_once_and_given_again_by_the_next_process(tmp_path: Path) -> None:
    gate = Gate()
    async with open_shop(tmp_path, gate) as shop:
        await shop.command("accounts", "create", "alice")
        key = (await shop.command("keys", "create", "--account", "alice", "--rpm", "60"))["key"]
        async with shop.serving() as gateway:
            port = await gateway.port()
            told = json.loads((await call(port, key, path="/v1/estimate")).body)
            assert (told["covered"], told["available_nanos"]) == (False, 0)
            assert (await call(port, key)).status == 402
            await shop.command("accounts", "top-up", "alice", "1")
            told = json.loads((await call(port, key, path="/v1/estimate")).body)
            assert told["covered"]
            assert 0 < told["ceiling_nanos"] < told["available_nanos"]
            assert gate.arrived == 0
            first = await call(port, key, headers=ONCE)
            assert (first.status, first.headers["x-ratelimit-limit-requests"]) == (200, "60")
            await eventually(lambda: settled(shop))
        balance = await shop.balance("alice")
        async with shop.serving(workers=2) as gateway:
            port = await gateway.port()
            for _ in range(3):
                again = await call(port, key, headers=ONCE)
                assert (again.status, again.body) == (200, first.body)
                assert again.headers["x-portico-replayed"] == first.headers["x-portico-request-id"]
            assert (await call(port, key, chat("Another"), headers=ONCE)).status == 400
        assert gate.arrived == 1
        assert await shop.balance("alice") == balance
