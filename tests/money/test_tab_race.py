"""Many calls at once on one balance, with the committer that serves."""

import asyncio
import time
from pathlib import Path
from random import Random

from gateway.house import KEY, House, Json, Script, chat, says, soon, until
from money.acts import Steps, usage
from money.paid import make_books, price_of
from portico.accounts import Keyring, KeyRow
from portico.accounts.keys import digest_of
from portico.catalog import load_catalog
from portico.catalog.books import PriceBooks
from portico.relay.till import Till, TillSettings
from portico.store.database import open_database
from portico.store.sqlite import connect

CALLS, COVERED = 60, 11
BODY: Json = chat(max_tokens=10)


async def test_answers_never_exceed_what_the_balance_covers(tmp_path: Path) -> None:
    """The provider withholds every answer until every call is decided."""
    path = tmp_path / "books.db"
    act = Steps(says("Hello there", usageMetadata=usage(100, 10)))
    books = PriceBooks(load_catalog())
    make_books(path, balance=0, prepaid=True)
    row = KeyRow("key_1", "alice", digest_of(KEY), prepaid=True)
    database = open_database(f"sqlite:///{path}")
    committer = database.committer("worker_1")
    till = Till(
        committer,
        lambda: books,
        worker_id=lambda: "worker_1",
        now=time.time,
        clock=time.monotonic,
        rng=Random(3),
        settings=TillSettings(funds_wait_s=0.5, fresh_s=-1),  # each waits for its hold
    )
    house = await House(Script(act), till=lambda: till, keyring=Keyring.of([row])).start()
    try:
        each = await hold_of_one(path, house, act)
        balance(path, each * COVERED + each // 2)
        calls = [asyncio.create_task(house.ask(BODY)) for _ in range(CALLS)]
        await until(lambda: sum(call.done() for call in calls) == CALLS - COVERED)
        await until(lambda: act.asked >= 1 + COVERED)
        assert act.asked == 1 + COVERED
        act.let_go(CALLS)
        statuses = sorted([(await soon(call)).status for call in calls])
        assert statuses.count(200) == COVERED
        assert set(statuses) <= {200, 402, 429}
    finally:
        await house.stop()
        await committer.aclose()
        await database.aclose()
    left = each * COVERED + each // 2 - COVERED * price_of(100, 10)
    assert query(path, "SELECT posted_nanos, held_nanos FROM accounts") == [(left, 0)]
    assert query(path, "SELECT COUNT(*) FROM receipts") == [(1 + COVERED,)]


async def hold_of_one(path: Path, house: House, act: Steps) -> int:
    """What one such call is held for, by making one."""
    balance(path, 10**12)
    act.let_go()
    assert (await house.ask(BODY)).status == 200
    await until(lambda: query(path, "SELECT held_nanos FROM accounts") == [(0,)])
    ((held,),) = query(path, "SELECT held_nanos FROM entries WHERE kind = 'hold'")
    assert isinstance(held, int)
    return held


def balance(path: Path, nanos: int) -> None:
    connection = connect(path)
    connection.execute("UPDATE accounts SET posted_nanos = ?", (nanos,))
    connection.close()


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = connect(path, read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
