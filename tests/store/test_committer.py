"""The group committer, on both databases: groups, order, failures of single writes, closing."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db, Write
from portico.store.committer import MAX_BATCH, POSTED_S, GroupCommitter
from portico.store.database import Database, open_database
from store.writes import PATIENCE_S, Add, Break, Gate, Noted, Now, Spend, patient, total


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


async def together(committer: GroupCommitter, act: Callable[[], None]) -> None:
    """What `act` submits and posts makes up one batch."""
    gate = Gate()
    committer.post(gate)
    assert await asyncio.to_thread(gate.entered.wait, 30)
    act()
    gate.opened.set()


def marks(db: Db) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in db.rows("SELECT worker_id, sequence FROM batches ORDER BY sequence")]


async def test_a_result_is_there_once_it_is_durable(database: Database, committer: GroupCommitter) -> None:
    assert await committer.submit(Add("a", 3)) == 3
    assert await committer.submit(Add("a", 4)) == 7
    assert await database.reading.read(total("a")) == 7


async def test_what_arrives_while_one_batch_commits_makes_up_the_next(
    database: Database, committer: GroupCommitter
) -> None:
    pending: list[asyncio.Future[int]] = []
    await together(committer, lambda: pending.extend(committer.submit(Now()) for _ in range(50)))
    assert len(set(await asyncio.gather(*pending))) == 1
    assert await database.reading.read(marks) == [("w1", 1), ("w1", 2)]


async def test_a_batch_is_bounded(database: Database, committer: GroupCommitter) -> None:
    pending: list[asyncio.Future[int]] = []
    await together(committer, lambda: pending.extend(committer.submit(Now()) for _ in range(MAX_BATCH + 1)))
    times = await asyncio.gather(*pending)
    assert len(set(times[:-1])) == 1
    assert times[-1] > times[0]


async def test_a_batch_goes_by_its_keys_and_equal_keys_by_their_arrival(committer: GroupCommitter) -> None:
    order: list[str] = []
    arriving = [("c", ("k2",)), ("b1", ("k1", "x")), ("d", ("k3",)), ("b2", ("k1", "x")), ("a", ()), ("b0", ["k1"])]

    def act() -> None:
        for name, keys in arriving:
            committer.post(Noted(name, keys, order))

    await together(committer, act)
    await committer.submit(Now())
    assert order == ["a", "b0", "b1", "b2", "c", "d"]


@pytest.mark.parametrize("how", ["mistake", "constraint", "statement"])
async def test_no_write_fails_its_neighbours(database: Database, committer: GroupCommitter, how: str) -> None:
    pending: list[asyncio.Future[int]] = []
    failing: list[asyncio.Future[None]] = []

    def act() -> None:
        pending.append(committer.submit(Add("a")))
        failing.append(committer.submit(Break("b", how)))
        pending.append(committer.submit(Add("b")))
        failing.append(committer.submit(Break("b", how)))
        pending.append(committer.submit(Add("c")))

    await together(committer, act)
    assert await asyncio.gather(*pending) == [1, 1, 1]
    for future in failing:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - each driver has its own
            await future
        assert not isinstance(raised.value, StorageUnavailable)
    assert await database.reading.read(total("b")) == 1


async def test_a_failure_alone_fails_nobody_after_it(committer: GroupCommitter) -> None:
    with pytest.raises(KeyError):
        await committer.submit(Break("a", "mistake"))
    assert await committer.submit(Add("a")) == 1


async def test_a_posted_write_that_fails_is_told_in_the_log(
    committer: GroupCommitter, caplog: pytest.LogCaptureFixture
) -> None:
    committer.post(Break("account:a", "mistake"))
    assert await committer.submit(Add("a")) == 1
    (record,) = caplog.records
    assert record.getMessage() == "a write failed: Break (account:a)"
    assert committer.waiting == 0


async def test_keys_that_cannot_be_told_fail_their_own_caller(committer: GroupCommitter) -> None:
    class Broken(Now):
        @property
        def keys(self) -> tuple[str, ...]:  # type: ignore[override]
            raise KeyError("no keys")

    with pytest.raises(KeyError):
        committer.submit(Broken())
    assert committer.waiting == 0
    assert await committer.submit(Add("a")) == 1


# -- several workers -------------------------------------------------------------------------------------------------


async def test_two_workers_lose_nothing_and_do_not_wait_for_each_other_for_ever(database: Database) -> None:
    workers = [patient(database, f"w{n}") for n in (1, 2)]
    subjects = [f"account:{n}" for n in range(8)]
    rng = random.Random(1)

    async def stream(committer: GroupCommitter) -> None:
        for _ in range(20):
            await asyncio.gather(*(committer.submit(Add(name)) for name in rng.sample(subjects, len(subjects))))

    await asyncio.gather(*(stream(committer) for committer in workers))
    for committer in workers:
        await committer.aclose()
    assert [await database.reading.read(total(name)) for name in subjects] == [40] * len(subjects)


async def test_two_workers_cannot_spend_the_same_twice(database: Database) -> None:
    workers = [patient(database, f"w{n}") for n in (1, 2)]
    await workers[0].submit(Add("a", 33))
    spent = await asyncio.gather(*(workers[n % 2].submit(Spend("a")) for n in range(200)))
    for committer in workers:
        await committer.aclose()
    assert (spent.count(True), spent.count(False)) == (33, 167)
    assert await database.reading.read(total("a")) == 0


# -- waiting, and not --------------------------------------------------------------------------------------------------


async def test_no_longer_waiting_does_not_take_a_write_back(database: Database, committer: GroupCommitter) -> None:
    tasks: list[asyncio.Future[int]] = []

    async def wait(pending: Awaitable[int]) -> int:
        return await pending

    def act() -> None:
        tasks.extend(asyncio.ensure_future(wait(committer.submit(Add("a")))) for _ in range(3))

    await together(committer, act)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert (results[0], results[2]) == (1, 3)
    assert await database.reading.read(total("a")) == 3
    assert committer.waiting == 0


async def test_when_too_much_waits_submits_are_refused_and_posts_kept(database: Database) -> None:
    committer = patient(database, "w1", capacity=4)
    pending: list[asyncio.Future[int]] = []

    def act() -> None:
        pending.extend(committer.submit(Add("a")) for _ in range(3))
        assert committer.full
        with pytest.raises(StorageUnavailable):
            committer.submit(Add("a"))
        committer.post(Add("a"))

    await together(committer, act)
    await asyncio.gather(*pending)
    assert await committer.submit(Add("b")) == 1
    assert not committer.full
    assert await database.reading.read(total("a")) == 4
    await committer.aclose()


async def test_closing_flushes_and_leaves_no_marks(database: Database) -> None:
    committer = patient(database, "w1")
    for _ in range(500):
        committer.post(Add("a"))
    pending = committer.submit(Add("a"))
    await committer.aclose()
    assert pending.done()
    assert await pending == 501
    assert await database.reading.read(total("a")) == 501
    assert await database.reading.read(marks) == []
    assert committer.waiting == 0


async def test_what_follows_a_write_is_written_though_it_is_closing(database: Database) -> None:
    """As a release follows a hold that was still on its way when the gateway was told to end."""
    committer = patient(database, "w1")
    held = committer.submit(Add("a", 1))
    held.add_done_callback(lambda _: committer.post(Add("a", 10)))
    await committer.aclose()
    assert await database.reading.read(total("a")) == 11
    assert committer.waiting == 0
    with pytest.raises(RuntimeError):
        committer.post(Add("a", 100))


async def test_what_it_was_collecting_for_does_not_keep_it_from_closing(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the batch and the end of the wait for company come in one turn of the loop."""
    monkeypatch.setattr("portico.store.committer.POSTED_S", 0.2)
    database = open_database(sqlite_url)
    committer = patient(database, "w1")
    gate = Gate()
    committer.post(gate)
    closing = asyncio.ensure_future(committer.aclose(flush_s=PATIENCE_S))
    assert await asyncio.to_thread(gate.entered.wait, PATIENCE_S)
    gate.opened.set()
    time.sleep(0.4)  # noqa: ASYNC251 - the loop is busy with something else meanwhile
    async with asyncio.timeout(PATIENCE_S / 4):
        await closing
    await database.aclose()


async def test_what_is_in_no_hurry_goes_with_what_is(
    committer: GroupCommitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portico.store.committer.PATIENT_S", 10 * PATIENCE_S)
    order: list[str] = []
    committer.post(Noted("patient", (), order), hurry=False)
    await asyncio.sleep(3 * POSTED_S)
    assert committer.waiting == 1
    await committer.submit(Now())
    assert order == ["patient"]


async def test_what_is_in_no_hurry_is_written_though_nothing_comes(committer: GroupCommitter) -> None:
    order: list[str] = []
    committer.post(Noted("patient", (), order), hurry=False)
    async with asyncio.timeout(PATIENCE_S):
        while not order:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_closed_committer_takes_nothing(database: Database) -> None:
    committer = patient(database, "w1")
    await committer.aclose()
    await committer.aclose()
    with pytest.raises(StorageUnavailable):
        committer.submit(Add("a"))
    with pytest.raises(RuntimeError):
        committer.post(Add("a"))


async def test_old_marks_are_pruned(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portico.store.batch.PRUNE_EVERY", 10)
    committer = patient(database, "w1")
    for _ in range(25):
        await committer.submit(Now())
    found = await database.reading.read(marks)
    assert found == [("w1", sequence) for sequence in range(20, 26)]
    await committer.aclose()


async def test_a_new_name_counts_from_the_next_batch(database: Database, committer: GroupCommitter) -> None:
    await committer.submit(Now())
    committer.worker_id = "w2"
    await committer.submit(Now())
    assert await database.reading.read(marks) == [("w1", 1), ("w2", 2)]


def test_a_write_is_what_the_port_says() -> None:
    writes: list[Write[object]] = [Add("a"), Break("a", ""), Now(), Spend("a"), Gate()]
    assert len(writes) == 5
