"""Which schema a database has, and whether this Portico can work with it.

In plain SQL: SQLAlchemy and Alembic take long to load and much memory, so that a process that serves never does. A schema
that is behind is brought up to date by a process of its own.
"""

import os
import subprocess
import sys
from enum import Enum
from typing import Final

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.store.database import Database
from portico.store.engine import Engine, reason
from portico.store.sqlite import SqliteEngine

KNOWN: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every revision, oldest first; the last is what this Portico works with."""


class State(Enum):
    EMPTY = "empty"
    """Nothing of ours is there yet."""
    BEHIND = "behind"
    CURRENT = "current"


class Unusable(Exception):
    """A database that nobody can start on; the message says in one line which it is, and why."""


class SchemaTooNew(Unusable):
    """The database was made or upgraded by a newer Portico."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(
            f"{name} has schema {found}, which a newer Portico has made; this one knows no schema after {KNOWN[-1]}. "
            "Start the newer one again, or restore a backup from before the upgrade."
        )


class UpgradeFailed(Unusable):
    """The schema could not be brought up to date. The database is as it was."""


def found_version(engine: Engine, db: Db) -> str | None:
    """None: no tables of ours. Within a transaction."""
    if not db.rows(engine.find_table, "alembic_version"):
        return None
    rows = db.rows("SELECT version_num FROM alembic_version")
    return str(rows[0][0]) if rows else None


def check(database: Database) -> State:
    """Raises `SchemaTooNew`, and `StorageUnavailable`."""
    version = database.ask(lambda db: found_version(database.engine, db))
    return judged(database.name, version)


def judged(name: str, version: str | None) -> State:
    """What a version means for this Portico. Raises `SchemaTooNew`."""
    if version is None:
        return State.EMPTY
    if version not in KNOWN:
        raise SchemaTooNew(name, version)
    return State.CURRENT if version == KNOWN[-1] else State.BEHIND


def make_room(engine: Engine) -> None:
    """Makes the file of a SQLite database that does not exist yet, for its owner alone, and the folder it is in."""
    if isinstance(engine, SqliteEngine):
        engine.path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(engine.path, os.O_CREAT | os.O_RDWR, 0o600))


def bring_up_to_date(url: str, database: Database) -> State:
    """Upgrades the schema if it is behind; returns what it was. Several may try at once: the first does it, others wait.

    Raises `Unusable`.
    """
    try:
        make_room(database.engine)
        state = check(database)
    except (OSError, StorageUnavailable) as error:
        raise Unusable(f"{database.name}: {reason(error)}") from error
    if state is not State.CURRENT:
        # The address may hold a password, which a command line would show to everybody.
        command = [sys.executable, "-m", "portico.store.migrate"]
        done = subprocess.run(command, input=url, capture_output=True, text=True, check=False)  # noqa: S603 - our own
        if done.returncode != 0:
            raise UpgradeFailed(done.stderr.strip() or f"{UpgradeFailed.__doc__} (exit code {done.returncode})")
    return state
