"""Ways in which a database goes away for a while."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from databases import Postgres

Outage: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Within it the database cannot be worked with."""

_BUSY = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
_LOCKED = """
import fcntl, sys
file = open(sys.argv[1] + ".lock", "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def _held_by_another_process(program: str, path: Path) -> Iterator[None]:
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        yield


def sqlite_busy(path: Path) -> Outage:
    """Another program, which knows nothing of ours, is writing: SQLite says that it is busy."""
    return lambda: _held_by_another_process(_BUSY, path)


def sqlite_locked(path: Path) -> Outage:
    """Another worker does not let go of the lock beside the file, because it is frozen."""
    return lambda: _held_by_another_process(_LOCKED, path)


def postgres_stopped(server: Postgres) -> Outage:
    @contextmanager
    def stopped() -> Iterator[None]:
        with server.stoppable():
            server.stop()
            yield

    return stopped
