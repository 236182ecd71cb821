"""A backup of a file that is in use."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from portico.store.backup import BackupFailed, backup
from portico.store.database import open_database
from store.writes import Add, patient, total


async def test_a_backup_is_whole_while_the_database_is_written(sqlite_url: str, tmp_path: Path) -> None:
    database = open_database(sqlite_url)
    committer = patient(database, "w1")
    await committer.submit(Add("a", 5))
    pending = [committer.submit(Add("b")) for _ in range(200)]
    target = tmp_path / "copy.db"
    size = backup(tmp_path / "books.db", target)
    for future in pending:
        await future
    await committer.aclose()
    await database.aclose()
    assert size == target.stat().st_size > 0
    copy = open_database(f"sqlite:///{target}")
    assert copy.ask(total("a")) == 5
    assert copy.ask(total("b")) <= 200
    copy.close()


def test_a_backup_is_one_file_that_only_its_owner_reads(sqlite_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup(tmp_path / "books.db", folder / "copy.db")
    assert [path.name for path in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(folder / "copy.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_file_that_is_there_is_not_overwritten(sqlite_url: str, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(BackupFailed, match="exists already"):
        backup(tmp_path / "books.db", target)
    assert target.read_text() == "precious"
    assert not list(tmp_path.glob(".copy*"))


def test_a_backup_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    source = tmp_path / "books.db"
    with pytest.raises(BackupFailed, match="does not exist"):
        backup(source, tmp_path / "copy.db")
    source.write_text("this is no database " * 100)
    with pytest.raises(BackupFailed, match="not a database"):
        backup(source, tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["books.db"]
