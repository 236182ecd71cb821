"""The database stops, the connection dies, a worker freezes: nothing is lost or doubled, no key refused for it."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

import databases
from books.shop import OWNER_KEY, Gate, Shop, call, eventually, open_shop, statuses
from databases import Postgres
from gateway.house import PATIENCE_S, Answer, chat, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals processes")

OUTAGE_S = float(os.environ.get("PORTICO_TEST_OUTAGE_S", "20"))
BODY = chat("Hello", max_tokens=100)


async def test_a_database_that_stops_costs_prepaid_callers_a_503_and_open_ones_nothing(
    tmp_path: Path,
) -> None:
    with databases.server().stoppable() as database:
        await _outage(tmp_path, database)


async def _outage(folder: Path, database: Postgres) -> None:
    async with open_shop(folder, Gate(), storage_url=databases.started_postgres_url()) as shop:
        _, key = await shop.prepaid("patient")
        await shop.command("accounts", "top-up", "patient", "1000")
        async with shop.serving() as server:
            port = await server.port()
            before = [await call(port, key, BODY) for _ in range(5)]
            database.stop()
            during: list[Answer] = []
            owners: list[Answer] = []
            until_s = time.monotonic() + OUTAGE_S
            while time.monotonic() < until_s:
                during.append(await call(port, key, BODY))
                owners.append(await call(port, OWNER_KEY, BODY))
                await asyncio.sleep(0.2)
            database.start()
            assert statuses(owners) == {200: len(owners)}
            assert statuses(during).keys() <= {200, 503}
            assert statuses(during).get(503, 0) > len(during) // 2
            refused = [answer for answer in during if answer.status == 503]
            assert {answer.error["code"] for answer in refused} == {"storage_unavailable"}
            assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
            after: list[Answer] = []

            async def back() -> bool:
                after.append(await call(port, key, BODY))
                return after[-1].status == 200

            await eventually(back)
            paid = [answer for answer in (*before, *during, *after) if answer.status == 200]
            await _charged(shop, "patient", paid)
            await _charged(shop, "default", owners)
    assert await shop.add_up()


async def test_while_the_database_is_away_no_call_is_made_that_must_not_be_made_twice(tmp_path: Path) -> None:
    once = {"idempotency-key": "a-nightly-job"}
    with databases.server().stoppable() as database:
        url = databases.started_postgres_url()
        async with open_shop(tmp_path, Gate(), storage_url=url) as shop, shop.serving() as server:
            port = await server.port()
            paid = [await call(port, OWNER_KEY, BODY)]
            database.stop()
            refused = [await call(port, OWNER_KEY, BODY, headers=once) for _ in range(3)]
            assert [answer.status for answer in refused] == [503, 503, 503]
            assert {answer.error["code"] for answer in refused} == {"storage_unavailable"}
            paid.append(await call(port, OWNER_KEY, BODY))
            assert paid[-1].status == 200, "who asks for no more than an answer has one"
            database.start()
            answers: list[Answer] = []

            async def back() -> bool:
                answers.append(await call(port, OWNER_KEY, BODY, headers=once))
                return answers[-1].status == 200

            await eventually(back)
            again = await call(port, OWNER_KEY, BODY, headers=once)
            assert again.headers["x-portico-replayed"] == answers[-1].headers["x-portico-request-id"]
            await _charged(shop, "default", [*paid, answers[-1]])


async def _charged(shop: Shop, account: str, answers: list[Answer]) -> None:
    """Each answer of an account is settled, once."""
    ids = sorted(answer.headers["x-portico-request-id"] for answer in answers)

    async def booked() -> bool:
        entries = await shop.entries(account)
        settled = sorted(entry["request_id"] for entry in entries if entry["kind"] == "settle")
        assert len(set(settled)) == len(settled), "a charge appears twice"
        return settled == ids

    await eventually(booked)


async def test_a_worker_that_wakes_up_after_its_lease_books_an_adjustment(tmp_path: Path) -> None:
    """It is frozen past its lease with a call open; another worker has resolved the hold when it wakes."""
    gate = Gate(opened=False)
    async with open_shop(tmp_path, gate) as shop:
        _, key = await shop.prepaid("sleeper")
        await shop.command("accounts", "top-up", "sleeper", "1000")
        async with shop.serving() as frozen, shop.serving() as awake:
            port, other = await frozen.port(), await awake.port()
            asked = asyncio.create_task(call(port, key, BODY, patience_s=5 * PATIENCE_S))
            await until(lambda: gate.arrived == 1)
            assert (await shop.balance("sleeper"))[1] > 0
            frozen.send(signal.SIGSTOP)

            async def released() -> bool:
                return (await shop.balance("sleeper"))[1] == 0

            await eventually(released)
            assert await shop.balance("sleeper") == (1000 * 10**9, 0), "without a checkpoint nothing is charged"
            gate.open.set()
            frozen.send(signal.SIGCONT)
            answer = await asked
            assert answer.status == 200
            request_id = answer.headers["x-portico-request-id"]

            async def adjusted() -> bool:
                entries = await shop.entries("sleeper")
                booked = [entry["kind"] for entry in entries if entry["request_id"] == request_id]
                assert booked[:2] == ["hold", "release"]
                return booked[2:] == ["adjust"]

            await eventually(adjusted)
            # A worker with a new lease admits calls again.
            again = await call(port, key, BODY)
            assert again.status == 200
            assert (await call(other, key, BODY)).status == 200
    assert await shop.add_up()
