"""A copy of a SQLite database that is in use: one moment of it, whole, and checked before it gets its name."""

import contextlib
import os
import sqlite3
from pathlib import Path

from portico.store.sqlite import connect


class BackupFailed(Exception):
    """No backup was made."""


def backup(source: Path, target: Path) -> int:
    """Copies the database to a file that must not exist yet; returns its size in bytes. Writers are not held up.

    Raises `BackupFailed`.
    """
    if not source.is_file():
        raise BackupFailed(f"{source} does not exist.")
    # Beside its target, so that it appears there under its name in one step; only the owner may read it.
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _copy(source, unfinished)
        os.link(unfinished, target)
    except FileExistsError as error:
        raise BackupFailed(f"{target} exists already.") from error
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"{source} could not be copied to {target}: {error}.") from error
    finally:
        for left in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                unfinished.with_name(unfinished.name + left).unlink()
    return target.stat().st_size


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(connect(source)) as read, contextlib.closing(sqlite3.connect(target)) as written:
        # All pages in one step: a backup in many is begun anew whenever another process writes between two of them. Readers
        # hold up no writers in WAL mode.
        read.backup(written, pages=-1)
        # A file that needs no others beside it.
        written.execute("PRAGMA journal_mode = DELETE")
        ((found,),) = written.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {found}")
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
