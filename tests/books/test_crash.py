"""`kill -9` in the middle of work, fifty times: what was answered is charged once, and nothing stays held."""

import asyncio
import contextlib
import random
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from books.shop import ANSWER_TOKENS, PROMPT_TOKENS, Gate, Shop, call, eventually, open_shop
from gateway.house import chat, soon, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes")

DEATHS = 50
CALLERS = 8


class Load:
    """Callers who ask again and again, whole and streamed, and remember which answers were complete."""

    def __init__(self, key: str, dice: random.Random) -> None:
        self.answered: set[str] = set()
        """Request ids of complete answers."""
        self._key = key
        self._dice = dice

    async def until_killed(self, port: int) -> None:
        await asyncio.gather(*[self._ask(port) for _ in range(CALLERS)])

    async def _ask(self, port: int) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
            while True:
                stream = self._dice.random() < 0.5
                answer = await call(port, self._key, chat("Hello", max_tokens=100, stream=stream))
                assert answer.status == 200, answer.body
                if not stream or answer.body.endswith(b"data: [DONE]\n\n"):
                    self.answered.add(answer.headers["x-portico-request-id"])


async def test_fifty_deaths_lose_no_charge_and_double_none(tmp_path: Path) -> None:
    dice = random.Random(1)
    async with open_shop(tmp_path, Gate(pace_s=0.005)) as shop:
        _, key = await shop.prepaid("crasher")
        await shop.command("accounts", "top-up", "crasher", "1000")
        load = Load(key, dice)
        for death in range(DEATHS):
            async with shop.serving() as server:
                port = await server.port()
                asking = asyncio.create_task(load.until_killed(port))
                if death % 2:
                    enough = len(load.answered) + 4 * CALLERS
                    await until(lambda enough=enough: len(load.answered) >= enough)  # type: ignore[misc]
                await asyncio.sleep(dice.uniform(0.02, 0.4))
                server.send(signal.SIGKILL)
                await soon(asking)
            if death % 10 == 0:
                assert await shop.add_up()
        async with shop.serving() as server:
            port = await server.port()
            await eventually(lambda: _nothing_held(shop))
            await _accounted_for(shop, load)
            for request_id in load.answered:
                told = await call(port, key, path=f"/v1/receipts/{request_id}", method="GET")
                assert told.status == 200, f"{request_id} has no receipt"
    assert len(load.answered) > DEATHS // 2, "too few for this to say anything"


async def _nothing_held(shop: Shop) -> bool:
    """The last process's holds are resolved by whoever finds that it lives no more."""
    return (await shop.balance("crasher"))[1] == 0


async def _accounted_for(shop: Shop, load: Load) -> None:
    assert await shop.add_up()
    entries = await shop.entries("crasher")
    by_kind: dict[str, list[str]] = {}
    for entry in entries:
        by_kind.setdefault(entry["kind"], []).append(entry["request_id"])
    settled, released = by_kind["settle"], by_kind.get("release", [])
    assert len(set(settled)) == len(settled), "a charge appears twice"
    assert sorted(settled + released) == sorted(by_kind["hold"]), "a hold is open, or was resolved twice"
    # What was answered in the last moment before a death may be released: its settlement was on its way (the contract's
    # last row). It is never forgotten.
    assert load.answered <= {*settled, *released}
    assert len(load.answered & set(released)) < len(load.answered) // 2
    charges = {-entry["posted_nanos"] for entry in entries if entry["kind"] == "settle"}
    assert max(charges) == _whole_charge(entries, load), "somebody paid more than a whole answer costs"


def _whole_charge(entries: list[dict[str, Any]], load: Load) -> int:
    """What a complete answer costs: all of them are alike."""
    whole: set[int] = {
        -entry["posted_nanos"]
        for entry in entries
        if entry["kind"] == "settle" and entry["request_id"] in load.answered and entry["note"] != "recovered"
    }
    assert len(whole) == 1, f"answers of {PROMPT_TOKENS} and {ANSWER_TOKENS} tokens differ in price: {whole}"
    return whole.pop()
