"""A SQLite file that goes, or that another takes the place of, while it is used: a backup was put there, a folder mounted.

An open file is still written when its name is gone; what is in it then, nobody will ever read.
"""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from portico.core.errors import StorageUnavailable
from portico.store.backup import backup
from portico.store.committer import GroupCommitter
from portico.store.database import Database, open_database
from store.writes import Add, total

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="open files stay where they are")


def _take_away(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


async def _sum(database: Database) -> int:
    """Asked on a connection of its own, as a command would."""
    other = open_database(f"sqlite:///{database.name}")
    try:
        return await other.reading.read(total("a"))
    finally:
        await other.aclose()


async def test_a_backup_put_in_the_place_of_a_file_in_use_is_what_is_written_from_then_on(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, kept = tmp_path / "books.db", tmp_path / "kept.db"
    database = open_database(sqlite_url)
    committer = GroupCommitter(database.engine, "w1")
    assert await committer.submit(Add("a")) == 1
    backup(path, kept)
    assert await committer.submit(Add("a")) == 2
    assert await database.reading.read(total("a")) == 2
    _take_away(path)
    shutil.move(kept, path)
    assert await committer.submit(Add("a")) == 2
    assert await database.reading.read(total("a")) == 2
    assert await database.reading.work(Add("a").apply) == 3
    assert await _sum(database) == 3
    await committer.aclose()
    await database.aclose()
    (told,) = [record.getMessage() for record in caplog.records if str(path) in record.getMessage()]
    assert told == f"{path} is another file than the one that was opened. What is in its place is used from now on."


async def test_a_file_that_is_gone_is_not_available_and_no_other_is_made(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, kept = tmp_path / "books.db", tmp_path / "kept.db"
    database = open_database(sqlite_url)
    committer = GroupCommitter(database.engine, "w1", wait_s=1.0)
    assert await committer.submit(Add("a")) == 1
    assert await database.reading.read(total("a")) == 1
    backup(path, kept)
    _take_away(path)
    with pytest.raises(StorageUnavailable):
        await committer.submit(Add("a"))
    with pytest.raises(StorageUnavailable):
        await database.reading.read(total("a"))
    committer.post(Add("a", 10))
    async with asyncio.timeout(60):
        while not committer.down:  # noqa: ASYNC110 - it changes in another thread
            await asyncio.sleep(0.01)
    assert not path.exists()
    shutil.move(kept, path)
    await committer.aclose()
    assert await _sum(database) == 11
    await database.aclose()
    told = [record.getMessage() for record in caplog.records if str(path) in record.getMessage()]
    assert told == [f"{path} is not available: No such file or directory ({path})", f"{path} is available again"]
