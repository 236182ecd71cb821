"""Who is told that something has changed, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db, raise_revision
from portico.store.database import Database, open_database
from portico.store.watch import RevisionWatch


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    yield opened
    await opened.aclose()


class Reader:
    """Notes that it was called, and may fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error


def raised(*names: str) -> Callable[[Db], list[int]]:
    def change(db: Db) -> list[int]:
        return [raise_revision(db, name) for name in names]

    return change


async def test_everything_is_read_at_the_start_and_then_what_has_changed(database: Database) -> None:
    keys, prices = Reader(), Reader()
    watch = RevisionWatch(database.reading, {"keys": keys, "prices": prices})
    await watch.look()
    await watch.look()
    assert (keys.calls, prices.calls) == (1, 1)
    assert await database.reading.work(raised("keys", "others")) == [1, 1]
    await watch.look()
    assert (keys.calls, prices.calls) == (2, 1)
    assert await database.reading.work(raised("keys", "prices")) == [2, 1]
    await watch.look()
    assert (keys.calls, prices.calls) == (3, 2)


async def test_what_could_not_be_read_is_read_again(database: Database) -> None:
    keys = Reader()
    watch = RevisionWatch(database.reading, {"keys": keys})
    await watch.look()
    await database.reading.work(raised("keys"))
    keys.error = StorageUnavailable()
    with pytest.raises(StorageUnavailable):
        await watch.look()
    keys.error = None
    await watch.look()
    await watch.look()
    assert keys.calls == 3


async def test_a_start_that_cannot_read_fails(database: Database) -> None:
    keys = Reader()
    keys.error = StorageUnavailable()
    with pytest.raises(StorageUnavailable):
        await RevisionWatch(database.reading, {"keys": keys}).start()


@pytest.mark.parametrize("error", [StorageUnavailable(), KeyError("a mistake")])
async def test_it_goes_on_looking_whatever_happens(
    database: Database, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    keys, again = Reader(), asyncio.Event()

    async def changed() -> None:
        if keys.calls > 4:
            again.set()
        await keys()

    watch = RevisionWatch(database.reading, {"keys": changed}, every_s=0.01)
    await watch.start()
    keys.error = error
    await database.reading.work(raised("keys"))
    async with asyncio.timeout(60):
        await again.wait()
    await watch.aclose()
    assert len(caplog.records) == (0 if isinstance(error, StorageUnavailable) else 1)
