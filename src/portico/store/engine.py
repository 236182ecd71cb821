"""What the rest of the store needs of either database: connections with transactions, and whose fault a failure is."""

from enum import Enum
from typing import Protocol

from portico.core.storage import Db


def reason(error: BaseException) -> str:
    """In one line, what lies at the bottom of a failure: that is what the driver or the system said."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return str(error).strip().partition("\n")[0] or type(error).__name__


class Fault(Enum):
    """What an exception inside a transaction says."""

    OWN = "own"
    """The statement, or whoever made it, is wrong: it fails again however often it is tried."""
    PASSING = "passing"
    """Another transaction stood in the way (a deadlock, a row locked for too long): the same may go well next time."""
    LOST = "lost"
    """The database cannot be worked with: the connection is gone, the disk full, the server in another mood."""


class Exchanged(Exception):
    """A database whose file another has taken the place of."""

    def __init__(self, name: object) -> None:
        super().__init__(
            f"{name} is another file than the one that was opened. What is in its place is used from now on."
        )


class Session(Protocol):
    """One connection. Used by one thread at a time; `interrupt` alone may be called by another."""

    @property
    def db(self) -> Db: ...

    def begin(self) -> None:
        """A transaction that writes. Others that write may have to wait for its end. What it raises (`Exchanged`, too) says
        that this connection is of no more use."""

    def begin_reading(self) -> None:
        """A transaction that sees one state of the database throughout, and holds up nobody. `rollback` ends it."""

    def commit(self) -> None:
        """Durable, once this has returned. If it raises, the transaction was applied or it was not."""

    def rollback(self) -> None: ...

    def fault(self, error: Exception) -> Fault: ...

    def interrupt(self) -> None:
        """Makes what is under way raise, in its own thread."""

    def close(self) -> None:
        """Never raises. A transaction that is open is undone."""


class Engine(Protocol):
    """A database, by its address."""

    @property
    def name(self) -> str:
        """For people: where it is, without secrets."""

    @property
    def is_local(self) -> bool:
        """Whether a statement takes this process's own time, and does not wait for another's."""

    @property
    def find_table(self) -> str:
        """A query that has a row if there is a table of the name it is given."""

    def connect(self) -> Session:
        """Raises the driver's exceptions; all of them say that the database cannot be worked with."""
