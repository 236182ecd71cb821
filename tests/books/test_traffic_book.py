"""A worker's side of how models fare: what it counts is written with that of others, and read back for the pages."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

import databases
from gateway.house import PATIENCE_S
from portico.cli.traffic import Measured, TrafficBook
from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.routing.traffic import SLOT_S, SLOTS, Counts, slot_of
from vault.workers import Refusing, Silent, Workers

T = TypeVar("T")
NOW = 1.9e9
SLOT = slot_of(NOW)


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


class Flaky:
    """A `Reading` that counts, and answers with what `found` is: rows, or an exception."""

    def __init__(self, found: dict[str, dict[int, Counts]] | Exception) -> None:
        self.found = found
        self.asked = 0

    async def read(self, query: Callable[[Db], T]) -> T:  # noqa: ARG002
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.found, Exception):
            raise self.found
        return self.found  # type: ignore[return-value]

    work = read


@pytest.fixture(params=["sqlite", "postgres"])
async def workers(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Workers]:
    postgres = request.param == "postgres"
    url = databases.postgres_books() if postgres else databases.sqlite_books(tmp_path / "books.db")
    async with Workers(url) as made:
        yield made


def book(workers: Workers, clock: Clock, *, simulated: bool = False) -> TrafficBook:
    return TrafficBook(*workers.storage(), simulated=simulated, now=clock, clock=clock)


async def test_workers_count_together_and_each_reads_all_of_it(workers: Workers) -> None:
    clock = Clock()
    one, other, simulated = book(workers, clock), book(workers, clock), book(workers, clock, simulated=True)
    one.tally.answered("a", 0.1)
    one.tally.failed("a")
    other.tally.answered("a", 0.3)
    simulated.tally.failed("b")
    await asyncio.gather(one.write(), other.write(), simulated.write())
    told = {"a": {SLOT: Counts(3, 1, {100: 1, 315: 1})}}
    for each in (one, other):
        measured = await each.measured()
        assert (measured.at_s, measured.models) == (NOW, told)
    assert (await simulated.measured()).models == {"b": {SLOT: Counts(1, 1)}}


async def test_the_end_of_serving_writes_the_rest(workers: Workers) -> None:
    clock = Clock()
    one = book(workers, clock)
    one.start()
    one.tally.failed("a")
    await one.finish()
    later = book(workers, clock)

    async def there() -> bool:
        clock.at += 15.0
        return bool((await later.measured()).models)

    async with asyncio.timeout(PATIENCE_S):
        while not await there():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (await later.measured()).models == {"a": {SLOT: Counts(1, 1)}}


async def test_a_day_is_90_slots_and_what_is_older_is_not_read(workers: Workers) -> None:
    clock = Clock()
    one = book(workers, clock)
    one.tally.failed("a")
    clock.at += SLOT_S * SLOTS
    one.tally.failed("b")
    await one.write()
    measured = await one.measured()
    assert list(measured.models) == ["b"]
    assert len(measured.slots) == SLOTS
    assert measured.slots[-1] == slot_of(clock.at)
    assert measured.slots[0] == SLOT + 1


async def test_a_database_that_takes_nothing_on_gets_it_later(workers: Workers) -> None:
    clock = Clock()
    committer, reading = workers.storage()
    refusing = Refusing(committer)
    one = TrafficBook(refusing, reading, simulated=False, now=clock, clock=clock)
    one.tally.answered("a", 0.1)
    await one.write()
    one.tally.failed("a")
    await one.write()
    refusing.refuses = False
    await one.write()
    assert (await one.measured()).models == {"a": {SLOT: Counts(2, 1, {100: 1})}}


async def test_writing_goes_on_by_itself(workers: Workers) -> None:
    clock = Clock()
    one = TrafficBook(*workers.storage(), simulated=False, write_every_s=0.01, now=clock, clock=clock)
    one.start()
    for _ in range(2):
        one.tally.failed("a")
        async with asyncio.timeout(PATIENCE_S):
            while one.tally._counts:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await one.finish()


async def test_a_reading_is_kept_for_a_quarter_of_a_minute_however_many_look(tmp_path: Path) -> None:
    async with Workers(databases.sqlite_books(tmp_path / "books.db")) as workers:
        clock = Clock()
        reading = Flaky({"a": {SLOT: Counts(1, 1)}})
        one = TrafficBook(workers.storage()[0], reading, simulated=False, now=clock, clock=clock)
        told = await asyncio.gather(*[one.measured() for _ in range(20)])
        assert reading.asked == 1
        assert all(each is told[0] for each in told)
        clock.at += 14.9
        assert await one.measured() is told[0]
        clock.at += 0.2
        assert await one.measured() is not told[0]
        assert reading.asked == 2


@pytest.mark.parametrize("fault", [StorageUnavailable(), RuntimeError("no such table")])
async def test_without_a_database_the_last_reading_is_shown_with_its_time(tmp_path: Path, fault: Exception) -> None:
    async with Workers(databases.sqlite_books(tmp_path / "books.db")) as workers:
        clock = Clock()
        reading = Flaky(fault)
        one = TrafficBook(workers.storage()[0], reading, simulated=False, now=clock, clock=clock)
        assert await one.measured() == Measured(), "nothing is known, and that is said"
        clock.at += 15
        reading.found = {"a": {SLOT: Counts(1, 1)}}
        told = await one.measured()
        assert told.at_s == NOW + 15
        reading.found = fault
        clock.at += 3600
        assert await one.measured() is told
        assert await one.measured() is told
        assert reading.asked == 3, "a visitor in fifteen seconds waits for it"


async def test_nobody_waits_for_ever_for_a_database_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portico.cli.traffic.PATIENCE_S", 0.05)
    async with Workers(databases.sqlite_books(tmp_path / "books.db")) as workers:
        one = TrafficBook(workers.storage()[0], Silent(), simulated=False)
        async with asyncio.timeout(PATIENCE_S):
            assert (await one.measured()).at_s is None
