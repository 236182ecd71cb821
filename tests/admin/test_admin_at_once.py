"""Two administrators at once: on PostgreSQL their transactions run side by side."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from random import Random
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
import pytest

import databases
from gateway.house import PATIENCE_S
from portico.admin.command import Office
from portico.admin.commands import BY_NAME
from portico.admin.desk import House
from portico.catalog import load_catalog
from portico.core.errors import Conflict
from portico.core.storage import Db, Reading
from portico.store.database import Database, open_database

T = TypeVar("T")
DICE: Final = Random(7)
"""Of all commands, else two people of one millisecond are one."""
Asked: TypeAlias = tuple[str, dict[str, Any]]
"""A command and its arguments."""
_WAITING = (
    "SELECT COUNT(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> %s"
)


class Slow:
    """A `Reading` whose changes stay open until they are let go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.made = threading.Event()
        self.go = threading.Event()

    async def read(self, query: Callable[[Db], T]) -> T:
        return await self._database.reading.read(query)

    async def work(self, change: Callable[[Db], T]) -> T:
        def held(db: Db) -> T:
            result = change(db)
            self.made.set()
            self.go.wait(PATIENCE_S)
            return result

        return await self._database.reading.work(held)


@pytest.fixture
async def database(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """On a busy machine the one waits long for a lock, and the other for that wait to be seen."""
    monkeypatch.setattr("portico.store.postgres._SETTINGS", [f"SET lock_timeout = {1000 * int(PATIENCE_S)}"])
    database = open_database(databases.postgres_books())
    yield database
    await database.aclose()


async def do(reading: Reading, asked: Asked) -> Any:
    name, fields = asked
    command = BY_NAME[name]
    house = House(catalog=load_catalog(), providers={"gemini": "gemini"})
    return await Office(reading, house, DICE).do(command, command.read(fields), actor="test")


async def at_once(database: Database, first: Asked, second: Asked) -> list[Any]:
    """What becomes of two commands, of which the second begins before the first is committed."""
    slow = Slow(database)
    one = asyncio.create_task(do(slow, first))
    assert await asyncio.to_thread(slow.made.wait, PATIENCE_S)
    other = asyncio.create_task(do(database.reading, second))
    await asyncio.to_thread(until_it_waits, database, other)
    slow.go.set()
    return list(await asyncio.gather(one, other, return_exceptions=True))


def until_it_waits(database: Database, other: "asyncio.Task[Any]") -> None:
    """For a lock that the first has, or it is done without one."""
    with psycopg.connect(database.engine.url, autocommit=True) as connection:  # type: ignore[attr-defined]
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if other.done() or connection.execute(_WAITING, (connection.info.backend_pid,)).fetchone() != (0,):
                return
            time.sleep(0.005)
    raise AssertionError("it is neither done nor waiting")


PEOPLE: Sequence[Asked] = (
    ("accounts create", {"name": "acme"}),
    *[("users add", {"email": f"{name}@example.com"}) for name in ("ada", "bob")],
)
OPERATORS = (*PEOPLE, *[("users set", {"user": f"{name}@example.com", "operator": True}) for name in ("ada", "bob")])
OWNERS = (
    *PEOPLE,
    *[
        ("memberships add", {"account": "acme", "user": f"{name}@example.com", "role": "owner"})
        for name in ("ada", "bob")
    ],
)
PAID = {"account": "acme", "amount_usd": "5", "reference": "invoice-7"}


@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        pytest.param(
            OPERATORS,
            ("users set", {"user": "ada@example.com", "operator": False}),
            ("users set", {"user": "bob@example.com", "operator": False}),
            id="the last two who run it stop",
        ),
        pytest.param(
            OPERATORS,
            ("users remove", {"user": "ada@example.com"}),
            ("users set", {"user": "bob@example.com", "operator": False}),
            id="one of the last two is removed and the other stops",
        ),
        pytest.param(
            OWNERS,
            ("memberships remove", {"account": "acme", "user": "ada@example.com"}),
            ("memberships add", {"account": "acme", "user": "bob@example.com", "role": "member"}),
            id="the last two owners leave",
        ),
        pytest.param(PEOPLE, ("accounts top-up", PAID), ("accounts top-up", PAID), id="an invoice is paid in twice"),
        pytest.param(PEOPLE, ("accounts refund", PAID), ("accounts refund", PAID), id="an invoice is given back twice"),
        pytest.param(
            (), ("accounts create", {"name": "new"}), ("accounts create", {"name": "new"}), id="two accounts of a name"
        ),
        pytest.param(
            (),
            ("users add", {"email": "new@example.com"}),
            ("users add", {"email": "NEW@example.com"}),
            id="two users of an address",
        ),
    ],
)
async def test_of_two_at_once_the_second_is_refused(
    database: Database, before: Sequence[Asked], first: Asked, second: Asked
) -> None:
    for asked in before:
        await do(database.reading, asked)
    done, refused = await at_once(database, first, second)
    assert not isinstance(done, BaseException), done
    assert isinstance(refused, Conflict), refused
