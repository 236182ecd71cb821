"""The serving committer and a real lease under a gateway: what is taken on while writes cannot be made, and what is not."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest

from gateway.house import KEY, House, Script, answers, chat, says, until
from money.acts import usage
from money.paid import USD, make_books, price_of
from portico.accounts import Keyring, KeyRow
from portico.accounts.keys import digest_of
from portico.catalog import load_catalog
from portico.catalog.books import PriceBooks
from portico.relay.till import Till
from portico.store.committer import GroupCommitter
from portico.store.database import Database, open_database
from portico.store.leases import LEASE_S, Lease

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
CAPACITY = 7
WAYS = pytest.mark.parametrize("stream", [False, True])


class Served:
    """A house on the committer that `portico serve` has, with a lease whose time the test tells."""

    def __init__(self, folder: Path, *, prepaid: bool) -> None:
        self.path = folder / "books.db"
        make_books(self.path, balance=100 * USD, prepaid=prepaid)
        self.database: Database = open_database(f"sqlite:///{self.path}")
        self.committer = GroupCommitter(self.database.engine, "worker_1", capacity=CAPACITY, wait_s=0.8)
        self.seconds = 0.0
        self.lease = Lease(self.committer, lambda: "worker_2", clock=lambda: self.seconds, renew_every_s=3600)
        self.script = Script(answers(ANSWER))
        books = PriceBooks(load_catalog())
        till = Till(
            self.committer,
            lambda: books,
            worker_id=lambda: self.lease.worker_id,
            now=time.time,
            clock=time.monotonic,
            rng=Random(3),
            admits=lambda: self.lease.held,
            is_full=lambda: self.committer.full,
        )
        row = KeyRow("key_1", "alice", digest_of(KEY), prepaid=prepaid)
        self.house = House(self.script, till=lambda: till, keyring=Keyring.of([row]))

    async def ask(self, *, stream: bool = False) -> int:
        answer = await self.house.ask(chat(stream=stream))
        if answer.status != 200:
            assert (answer.status, answer.error["code"]) == (503, "storage_unavailable")
            assert "retry-after" in answer.headers
        return answer.status

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """While somebody else writes to the file and does not come to an end."""
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")
            connection.close()

    async def written(self) -> None:
        await until(lambda: self.committer.waiting == 0)
        await asyncio.sleep(0)  # whoever has just been told of a hold writes the end of its call
        await until(lambda: self.committer.waiting == 0)

    def books(self) -> tuple[int, int, int]:
        """What is posted and held, and how many receipts there are."""
        ((posted, held),) = self.database.ask(lambda db: db.rows("SELECT posted_nanos, held_nanos FROM accounts"))
        return posted, held, self.database.ask(lambda db: db.rows("SELECT COUNT(*) FROM receipts"))[0][0]


@contextlib.asynccontextmanager
async def serving(folder: Path, *, prepaid: bool) -> AsyncIterator[Served]:
    served = Served(folder, prepaid=prepaid)
    await served.lease.start()
    await served.house.start()
    try:
        yield served
    finally:
        await served.house.stop()
        await served.lease.aclose()
        await served.committer.aclose()
        await served.database.aclose()


@WAYS
async def test_an_open_account_is_served_until_too_much_waits_and_again_when_it_is_written(
    tmp_path: Path, stream: bool
) -> None:
    async with serving(tmp_path, prepaid=False) as served:
        with served.away():
            statuses = [await served.ask(stream=stream)]
            while statuses[-1] == 200 and len(statuses) < CAPACITY:
                statuses.append(await served.ask(stream=stream))
            assert statuses[0] == 200, "what waits may grow"
            assert statuses[-1] == 503, "but not without end"
            assert served.committer.full
            taken = len(served.script.requests)
            assert taken == statuses.count(200), "no provider was asked for what was refused"
        await served.written()
        assert served.books() == (100 * USD - taken * price_of(1000, 500), 0, taken), "nothing of it was lost"
        assert await served.ask(stream=stream) == 200
        await served.written()


@WAYS
async def test_nothing_is_taken_on_for_a_prepaid_account_while_the_books_are_away(tmp_path: Path, stream: bool) -> None:
    async with serving(tmp_path, prepaid=True) as served:
        with served.away():
            assert [await served.ask(stream=stream) for _ in range(3)] == [503, 503, 503]
            assert served.script.requests == []
        await served.written()
        assert served.books() == (100 * USD, 0, 0)
        await until(lambda: not served.committer.down)
        assert await served.ask(stream=stream) == 200
        await served.written()
        assert served.books() == (100 * USD - price_of(1000, 500), 0, 1)


@WAYS
@pytest.mark.parametrize("prepaid", [True, False])
async def test_without_a_lease_nothing_prepaid_is_admitted_until_there_is_another(
    tmp_path: Path, stream: bool, prepaid: bool
) -> None:
    async with serving(tmp_path, prepaid=prepaid) as served:
        assert await served.ask(stream=stream) == 200
        served.seconds += LEASE_S + 1
        assert not served.lease.held
        assert await served.ask(stream=stream) == (503 if prepaid else 200)
        assert len(served.script.requests) == (1 if prepaid else 2)
        await served.written()
        assert await served.lease.renew()
        assert await served.ask(stream=stream) == 200
        await served.written()
        taken = len(served.script.requests)
        assert served.books() == (100 * USD - taken * price_of(1000, 500), 0, taken)
