"""Writes to test with: sums in the table `counters`, so that a write that is lost or applied twice shows."""

import threading
from collections.abc import Callable, Sequence

from portico.core.storage import Db
from portico.store.committer import CAPACITY, GroupCommitter
from portico.store.database import Database

PATIENCE_S = 60.0

_ADD = """
INSERT INTO counters (subject, kind, "window", used) VALUES (?, 'test', 0, ?)
ON CONFLICT (subject, kind, "window") DO UPDATE SET used = counters.used + excluded.used RETURNING used
"""


class Add:
    """Adds to a sum; its result is the new one."""

    def __init__(self, subject: str, count: int = 1) -> None:
        self.keys: Sequence[str] = (subject,)
        self.subject, self.count = subject, count

    def apply(self, db: Db) -> int:
        ((used,),) = db.rows(_ADD, self.subject, self.count)
        return int(used)


class Once:
    """Adds a row that may be there only once: applied twice it fails."""

    def __init__(self, subject: str) -> None:
        self.keys: Sequence[str] = (subject,)
        self.subject = subject

    def apply(self, db: Db) -> None:
        db.run("""INSERT INTO counters (subject, kind, "window", used) VALUES (?, 'once', 0, 1)""", self.subject)


class Break:
    """Writes, and then fails by what the database says, or by a mistake of its own."""

    def __init__(self, subject: str, how: str) -> None:
        self.keys: Sequence[str] = (subject,)
        self.subject, self.how = subject, how

    def apply(self, db: Db) -> None:
        db.rows(_ADD, self.subject, 1000)
        if self.how == "mistake":
            raise KeyError(self.subject)
        if self.how == "constraint":
            db.run("""INSERT INTO counters (subject, kind, "window", used) VALUES (?, 'test', 0, 1)""", self.subject)
        else:
            db.run("SELECT no_such_column FROM counters")


class Now:
    """When its transaction began, by the database's clock."""

    keys: Sequence[str] = ()

    def apply(self, db: Db) -> int:
        return db.now_us


def total(subject: str, kind: str = "test") -> Callable[[Db], int]:
    """The sum of a subject, as a query."""
    return lambda db: sum(
        row[0] for row in db.rows("SELECT used FROM counters WHERE subject = ? AND kind = ?", subject, kind)
    )


class Spend:
    """Takes one from a sum, if there is one left: decided by the database."""

    def __init__(self, subject: str) -> None:
        self.keys: Sequence[str] = (subject,)
        self.subject = subject

    def apply(self, db: Db) -> bool:
        sql = "UPDATE counters SET used = used - 1 WHERE subject = ? AND kind = 'test' AND used >= 1"
        return db.run(sql, self.subject) == 1


class Gate:
    """Keeps the committer's thread inside a transaction until it is opened, so that what comes meanwhile is one batch."""

    keys: Sequence[str] = ()

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def apply(self, _db: Db) -> None:
        self.entered.set()
        assert self.opened.wait(30)


class Noted:
    """Says when it was its turn."""

    def __init__(self, name: str, keys: Sequence[str], order: list[str]) -> None:
        self.name, self.keys, self.order = name, keys, order

    def apply(self, _db: Db) -> None:
        self.order.append(self.name)


def patient(database: Database, worker_id: str, *, capacity: int = CAPACITY) -> GroupCommitter:
    """A committer whose submits outwait a disk that stands still for a while, as one of a busy machine does."""
    return database.committer(worker_id, capacity=capacity, wait_s=PATIENCE_S)
