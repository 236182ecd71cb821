"""Leases: who lives, by the database's clock, and who may take over from whom."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.store.committer import GroupCommitter
from portico.store.database import Database, open_database
from portico.store.leases import (
    KEPT_S,
    LEASE_S,
    End,
    Lease,
    Take,
    end_dead,
    ended,
    is_dead,
    label_of,
    lapsed,
    own_label,
)
from store.writes import patient

DAY_US = 86_400_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    yield opened
    await opened.aclose()


@pytest.fixture
async def committer(database: Database) -> AsyncIterator[GroupCommitter]:
    running = patient(database, "w1")
    yield running
    await running.aclose()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def lease(committer: GroupCommitter, clock: Clock) -> AsyncIterator[Lease]:
    made = Lease(committer, iter(["w2", "w3"]).__next__, clock=clock, renew_every_s=3600)
    await made.start()
    yield made
    await made.aclose()


def held(lease: Lease) -> bool:
    return lease.held


def steady(lease: Lease) -> bool:
    return lease.steady


def age(us: int, worker_id: str = "w1") -> Callable[[Db], int]:
    """Makes a lease older, as the passing of time would."""

    def change(db: Db) -> int:
        return db.run("UPDATE leases SET expires_us = expires_us - ? WHERE worker_id = ?", us, worker_id)

    return change


def left_us(db: Db) -> list[tuple[str, int]]:
    return [(row[0], row[1] - db.now_us) for row in db.rows("SELECT worker_id, expires_us FROM leases")]


async def test_a_lease_lasts_15_seconds_of_the_databases_clock(database: Database, lease: Lease) -> None:
    assert (lease.worker_id, lease.held) == ("w1", True)
    ((worker_id, left),) = await database.reading.read(left_us)
    assert worker_id == "w1"
    assert 0 < left <= LEASE_S * 1_000_000
    assert await database.reading.work(lapsed) == []


async def test_renewing_makes_it_last_longer(database: Database, lease: Lease, clock: Clock) -> None:
    ((_, before),) = await database.reading.read(lambda db: db.rows("SELECT worker_id, expires_us FROM leases"))
    clock.now += 14
    assert await lease.renew()
    ((_, after),) = await database.reading.read(lambda db: db.rows("SELECT worker_id, expires_us FROM leases"))
    assert after > before
    clock.now += 14
    assert held(lease)


async def test_a_lease_that_cannot_be_renewed_in_time_is_not_held(lease: Lease, clock: Clock) -> None:
    clock.now += LEASE_S - 0.001
    assert held(lease)
    clock.now += 0.001
    assert not held(lease)


async def test_a_renewal_counts_from_when_it_was_asked_for_however_long_it_takes(lease: Lease, clock: Clock) -> None:
    """The database may have written it at once, and answered late."""
    renewing = asyncio.create_task(lease.renew())
    await asyncio.sleep(0)
    clock.now += 10
    assert await renewing
    clock.now += LEASE_S - 10.001
    assert held(lease)
    clock.now += 0.001
    assert not held(lease)


async def test_nobody_is_steady_whose_own_lease_has_lapsed(lease: Lease, clock: Clock) -> None:
    for _ in range(4):
        clock.now += 4
        assert await lease.renew()
    assert steady(lease)
    clock.now += LEASE_S
    assert not steady(lease)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")
def test_a_process_of_which_nobody_knows_when_it_began_is_not_known_to_be_gone() -> None:
    assert not is_dead(f"{own_label().rpartition(':')[0]}:")


async def test_what_has_lapsed_may_be_renewed_until_somebody_ends_it(database: Database, lease: Lease) -> None:
    await database.reading.work(age(DAY_US))
    assert await lease.renew()
    assert (lease.worker_id, lease.held) == ("w1", True)
    assert await database.reading.work(lapsed) == []


async def test_a_worker_whose_lease_was_ended_goes_on_as_another(
    database: Database, committer: GroupCommitter, lease: Lease
) -> None:
    await database.reading.work(age(DAY_US))
    assert await database.reading.work(lapsed) == ["w1"]
    assert await lease.renew()
    assert (lease.worker_id, lease.held, committer.worker_id) == ("w2", True, "w2")
    # What it may still write as w1 is found too: w1 is named again and again.
    assert await database.reading.work(lapsed) == ["w1"]


async def test_a_worker_without_a_database_admits_nothing_once_its_lease_has_lapsed(
    database: Database, lease: Lease, committer: GroupCommitter, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(committer, "submit", refuse)
        clock.now += 10
        assert not await lease.renew()
        assert held(lease)
        clock.now += 10
        assert not held(lease)
    await database.reading.work(age(DAY_US))
    await database.reading.work(lapsed)
    with monkeypatch.context() as patch:
        patch.setattr(committer, "submit", refuse)
        assert not await lease.renew()
        assert not held(lease)
    assert await lease.renew()
    assert (lease.worker_id, lease.held) == ("w2", True)


async def test_nobody_is_steady_who_was_away_as_the_others_were(lease: Lease, clock: Clock) -> None:
    assert not steady(lease)
    for _ in range(8):
        clock.now += 2
        await lease.renew()
    assert steady(lease)
    clock.now += 12  # an outage: others may have lapsed meanwhile, and have to be given their time
    await lease.renew()
    assert (lease.held, lease.steady) == (True, False)


@pytest.mark.parametrize("by", ["label", "id"])
async def test_who_is_seen_to_die_is_ended_at_once(database: Database, lease: Lease, by: str) -> None:
    assert own_label() == label_of(os.getpid())
    end = End(label=label_of(os.getpid())) if by == "label" else End(worker_id="w1")
    assert await database.reading.work(end.apply) == 1
    assert await database.reading.work(end.apply) == 0
    assert await database.reading.read(lambda db: db.rows("SELECT worker_id FROM leases WHERE expires_us < 0")) == [
        ("w1",)
    ]


async def test_closing_ends_the_lease(database: Database) -> None:
    committer = patient(database, "w1")
    lease = Lease(committer, lambda: "w2")
    await lease.start()
    await lease.aclose()
    assert not held(lease)
    await committer.aclose()
    assert await database.reading.work(ended) == ["w1"]


async def test_what_was_ended_long_ago_is_forgotten_with_its_marks(
    database: Database, committer: GroupCommitter
) -> None:
    def old(db: Db) -> None:
        for name, age_s in [("gone", KEPT_S + 60), ("recent", KEPT_S - 60)]:
            ended_us = db.now_us - round(age_s * 1_000_000)
            db.run("INSERT INTO leases (worker_id, expires_us) VALUES (?, ?)", name, -ended_us)
            db.run("INSERT INTO batches (worker_id, sequence) VALUES (?, 1)", name)

    await database.reading.work(old)
    assert await database.reading.work(lapsed) == ["recent"]
    assert await database.reading.read(lambda db: db.rows("SELECT worker_id FROM batches")) == [("recent",)]


async def test_it_renews_itself(database: Database, committer: GroupCommitter) -> None:
    lease = Lease(committer, lambda: "w2", renew_every_s=0.01)
    await lease.start()
    await database.reading.work(age(DAY_US))
    while not all(left > 0 for _, left in await database.reading.read(left_us)):
        pass
    assert held(lease)
    await lease.aclose()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")
async def test_a_process_of_this_machine_that_is_gone_is_ended_before_its_lease_lapses(database: Database) -> None:
    """Also one that nobody has waited for. One that lives, and one of another machine, are left alone."""
    gone = subprocess.Popen(["sleep", "60"])  # noqa: ASYNC220
    labels = {"alive": own_label(), "elsewhere": "elsewhere:boot:4026531836:1:2", "gone": label_of(gone.pid)}
    take = [Take(name, label) for name, label in labels.items()]
    for one in take:
        await database.reading.work(one.apply)
    assert await database.reading.work(end_dead) == 0
    gone.kill()
    async with asyncio.timeout(60):
        while not is_dead(labels["gone"]):  # noqa: ASYNC110 - soon it is a zombie
            await asyncio.sleep(0.01)
    assert not is_dead(labels["alive"])
    gone.wait()
    assert await database.reading.work(end_dead) == 1
    assert await database.reading.work(ended) == ["gone"]
