"""The last row of the disconnect contract, on real processes: the gateway itself died in the middle of a call.

What is paid is the usage of the last checkpoint, of which the first event is one; without any, nothing. The receipt says
`recovered`. With one worker another gateway finds what was left open; of two the other does.
"""

import contextlib
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from books.lines import holds
from books.shop import ANSWER_TOKENS, PROMPT_TOKENS, Gate, Shop, call, eventually, open_shop, receipt, wire_to
from gateway.commands import Command
from gateway.house import Wire, as_bytes, chat, until
from money.paid import price_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kills processes")

POSTED = 1000 * 10**9
EVENTS = 5
WORKERS = pytest.mark.parametrize("workers", [1, 2])


@asynccontextmanager
async def asked(port: int, key: str, *, stream: bool) -> AsyncIterator[Wire]:
    """A call that is under way."""
    wire = await wire_to(port)
    try:
        fields = {"host": "x", "authorization": f"Bearer {key}"}
        wire.request("POST", "/v1/chat/completions", fields, as_bytes(chat(max_tokens=100, stream=stream)))
        yield wire
    finally:
        wire.drop()


def kill_worker(server: Command, port: int) -> None:
    """The process that has the one connection which is open; of a single one, that."""
    victims = [pid for pid in (server.children or [server.pid]) if holds(pid, port)]
    assert len(victims) == 1
    os.kill(victims[0], signal.SIGKILL)


@asynccontextmanager
async def survivor(shop: Shop, server: Command, port: int, workers: int) -> AsyncIterator[int]:
    """The port of whoever still serves, or serves again."""
    kill_worker(server, port)
    if workers > 1:
        yield port
        return
    async with shop.serving() as again:
        yield await again.port()


async def is_released(shop: Shop) -> bool:
    return (await shop.balance("mourner"))[1] == 0


@WORKERS
@pytest.mark.parametrize("stream", [False, True])
async def test_the_gateway_died_before_the_first_event_and_nothing_is_paid(
    tmp_path: Path, workers: int, stream: bool
) -> None:
    gate = Gate(opened=False)
    async with open_shop(tmp_path, gate) as shop:
        _, key = await shop.prepaid("mourner")
        await shop.command("accounts", "top-up", "mourner", "1000")
        async with shop.serving(workers) as server:
            port = await server.port()
            async with asked(port, key, stream=stream):
                await until(lambda: gate.arrived == 1)
                await eventually(lambda: is_held(shop))
                async with survivor(shop, server, port, workers) as other:
                    await eventually(lambda: is_released(shop))
                    assert await shop.balance("mourner") == (POSTED, 0)
                    (hold, release) = [line for line in await shop.entries("mourner") if line["kind"] != "top_up"]
                    assert (hold["kind"], release["kind"], release["note"]) == ("hold", "release", "recovered")
                    told = await receipt(other, key, hold["request_id"])
                    assert (told["outcome"], told["charge_nanos"]) == ("recovered", 0)
        assert await shop.add_up()


async def is_held(shop: Shop) -> bool:
    return (await shop.balance("mourner"))[1] > 0


def has_checkpoint(shop: Shop) -> bool:
    """It goes beside the answer."""
    with contextlib.closing(sqlite3.connect(shop.folder / ".portico" / "portico.db")) as books:
        return bool(books.execute("SELECT 1 FROM holds WHERE checkpoint <> ''").fetchone())


@WORKERS
async def test_the_gateway_died_mid_answer_and_the_usage_of_the_last_checkpoint_is_paid(
    tmp_path: Path, workers: int
) -> None:
    gate = Gate(events=EVENTS, pace_s=3600)
    async with open_shop(tmp_path, gate) as shop:
        _, key = await shop.prepaid("mourner")
        await shop.command("accounts", "top-up", "mourner", "1000")
        async with shop.serving(workers) as server:
            port = await server.port()
            async with asked(port, key, stream=True) as wire:
                while b"word1" not in await wire.chunk():
                    pass
                request_id = wire.headers["x-portico-request-id"]
                await until(lambda: has_checkpoint(shop))
                async with survivor(shop, server, port, workers) as other:
                    await eventually(lambda: is_released(shop))
                    told = await receipt(other, key, request_id)
                    charge = price_of(PROMPT_TOKENS, ANSWER_TOKENS // EVENTS)
                    assert (told["outcome"], told["charge_nanos"]) == ("recovered", charge)
                    assert await shop.balance("mourner") == (POSTED - charge, 0)
                    used = (await call(other, key, path="/v1/usage", method="GET")).json()["total"]
                    assert (used["calls"], used["charge_nanos"]) == (1, charge)
                    assert (used["input_tokens"], used["output_tokens"]) == (PROMPT_TOKENS, ANSWER_TOKENS // EVENTS)
                    (settled,) = [line for line in await shop.entries("mourner") if line["kind"] == "settle"]
                    assert (settled["posted_nanos"], settled["note"]) == (-charge, "recovered")
        assert await shop.add_up()
