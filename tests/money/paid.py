"""A house whose calls cost money: a real SQLite database behind a committer that a test can hold back or break."""

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import databases
from gateway.house import KEY, House, until
from portico.accounts import Keyring, KeyRow
from portico.accounts.keys import digest_of
from portico.catalog import load_catalog
from portico.catalog.books import PriceBooks
from portico.catalog.price import PriceKind
from portico.core.errors import StorageUnavailable
from portico.core.storage import Db, Pending, Write
from portico.relay.relay import Settings
from portico.relay.till import Till, TillSettings
from portico.simulator import Simulator
from portico.store.sqlite import SqliteDb, connect
from portico.wire.http import App

T = TypeVar("T")
USD = 1_000_000_000


class Counter:
    """A committer on a SQLite file: each write is a transaction, made when the loop comes to it.

    `close` and `open` hold writes back and let them through, `broken` fails whatever is submitted (`away`: at once); what
    is posted waits.
    `written` is all that was written, in its order.
    """

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._db = SqliteDb(self._connection)
        self._waiting: list[tuple[Write[Any], asyncio.Future[Any] | None]] = []
        self._shut = False
        self.broken = False
        self.away = False
        self.full = False
        self.written: list[Write[Any]] = []
        self.submitted = 0
        self.results: list[Any] = []

    def submit(self, write: Write[T], *, hurry: bool = True) -> Pending[T]:  # noqa: ARG002
        if self.full or self.away:
            raise StorageUnavailable
        self.submitted += 1
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((write, future))
        loop.call_soon(self._work)
        return future

    def post(self, write: Write[Any], *, hurry: bool = True) -> None:  # noqa: ARG002
        self._waiting.append((write, None))
        asyncio.get_running_loop().call_soon(self._work)

    def close(self) -> None:
        self._shut = True

    def open(self) -> None:
        self._shut = self.broken = self.away = False
        self._work()

    def _work(self) -> None:
        if self._shut:
            return
        waiting, self._waiting = self._waiting, []
        for write, future in waiting:
            if self.broken and future is None:
                self._waiting.append((write, None))
            elif self.broken and future is not None:
                future.set_exception(StorageUnavailable())
            else:
                self._apply(write, future)

    def _apply(self, write: Write[Any], future: asyncio.Future[Any] | None) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._db.begin()
        try:
            result = write.apply(self._db)
        except Exception as error:  # noqa: BLE001 - as the committer does it
            self._connection.execute("ROLLBACK")
            if future is not None:
                future.set_exception(error)
            return
        self._connection.execute("COMMIT")
        self.written.append(write)
        if future is not None:
            self.results.append(result)
            if not future.cancelled():
                future.set_result(result)

    async def read(self, query: Callable[[Db], T]) -> T:
        """As a `core.storage.Reading`."""
        self._db.begin()
        return query(self._db)

    work = read

    def rows(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def shut(self) -> None:
        self._connection.close()


class Paid:
    """The house, its till, and what its books say of the account `alice`."""

    def __init__(self, house: House, counter: Counter) -> None:
        self.house = house
        self.counter = counter
        self.till: Till

    def account(self) -> tuple[int, int]:
        """What is posted, and what of it is held."""
        ((posted, held),) = self.counter.rows("SELECT posted_nanos, held_nanos FROM accounts WHERE id = 'alice'")
        return posted, held

    def entries(self, *kinds: str) -> list[tuple[str, int, int]]:
        found = self.counter.rows("SELECT kind, posted_nanos, held_nanos FROM entries ORDER BY id")
        return [row for row in found if not kinds or row[0] in kinds]

    def receipts(self) -> list[dict[str, Any]]:
        return [json.loads(body) for (body,) in self.counter.rows("SELECT body FROM receipts ORDER BY request_id")]

    def set_balance(self, posted: int) -> None:
        self.counter.rows("UPDATE accounts SET posted_nanos = ? WHERE id = 'alice'", posted)

    def price(self, prompt: int, output: int) -> int:
        return price_of(prompt, output)

    async def settled(self, calls: int = 1) -> dict[str, Any]:
        """The last receipt, once there are so many and nothing is held any more."""
        await until(lambda: len(self.receipts()) >= calls and self.account()[1] == 0)
        assert len(self.receipts()) == calls
        return self.receipts()[-1]


@contextlib.asynccontextmanager
async def paid_house(
    path: Path,
    provider: App | None = None,
    *,
    balance: int = 100 * USD,
    prepaid: bool = True,
    policy: dict[str, Any] | None = None,
    settings: TillSettings | None = None,
    relay_settings: Settings | None = None,
    **options: Any,
) -> AsyncIterator[Paid]:
    """A house in which `KEY` belongs to the account `alice`."""
    make_books(path, balance=balance, prepaid=prepaid)
    counter = Counter(path)
    books = PriceBooks(load_catalog())
    row = KeyRow("key_1", "alice", digest_of(KEY), json.dumps(policy or {}), prepaid=prepaid)
    tills: list[Till] = []

    def till() -> Till:
        tills.append(
            Till(
                counter,
                lambda: books,
                worker_id=lambda: "worker_1",
                now=time.time,
                clock=time.monotonic,
                rng=Random(3),
                is_full=lambda: counter.full,
                settings=settings,
            )
        )
        return tills[-1]

    keyring = Keyring.of([row])
    house = House(
        provider or Simulator(), till=till, keyring=keyring, reading=counter, settings=relay_settings, **options
    )
    await house.start()
    paid = Paid(house, counter)
    paid.till = tills[0]
    try:
        yield paid
    finally:
        counter.open()
        await house.stop()
        counter.shut()


def make_books(path: Path, *, balance: int, prepaid: bool) -> None:
    databases.sqlite_books(path)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO accounts (id, name, kind, posted_nanos, created_us) VALUES ('alice', 'alice', ?, ?, 0)",
            ("prepaid" if prepaid else "open", balance),
        )
        connection.execute(
            "INSERT INTO keys (id, account_id, prefix, digest, created_us, revision)"
            " VALUES ('key_1', 'alice', '', 'd', 0, 0)"
        )


def is_marked(receipt: dict[str, Any], flag: str) -> bool:
    return flag in receipt.get("flags", ())


def price_of(prompt: int, output: int, model: str = "gemini-3.5-flash") -> int:
    """What so many text tokens cost, from the published rates by themselves."""
    rows = load_catalog().resolve(model).model.prices.in_force(datetime.now(UTC).date(), backend="gemini")
    rates = {
        row.kind: row.rate_nanos
        for row in rows
        if row.modality in ("text", "any") and not row.cached and row.above_tokens == 0
    }
    nanos = prompt * rates[PriceKind.INPUT] + output * rates[PriceKind.OUTPUT]
    return -(-nanos // 1_000_000)
