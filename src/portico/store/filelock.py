"""A lock beside a SQLite file, so that its writers take turns.

SQLite's own way of waiting is to sleep and to look again, which is unfair: some writer looks too late every time (money.md
measured a p99 of 8.3 ms with it and of 0.8 ms with this). `flock` wakes whoever waited longest. It belongs to an open file,
so that two locks of one process exclude each other too, and the kernel lets go of it when a process dies.
"""

import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class FileLock:
    """Exclusive; waits as long as it takes. Where there is no flock it does nothing, and SQLite's own waiting remains."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> None:
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def give(self) -> None:
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)


def lock_path(database: Path) -> Path:
    """Not the database itself: SQLite loses its own locks when any descriptor of that is closed."""
    return database.with_name(database.name + ".lock")
