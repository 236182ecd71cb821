"""What the domain needs of a database, as narrow ports. `store/` implements them on SQLite and on PostgreSQL.

Everything durable is one of three things:

    Write   a small, independent change, decided by what the database says (a row count, a RETURNING); the group committer
            applies it with others in one transaction, and its result is known when that is durable
    Query   a question, asked on a connection of its own
    Work    a change that an administrator makes, in a transaction of its own

A Write may be applied more than once before it counts (a batch that failed is run again item by item), so that it keeps no
state of its own. Statements are plain SQL that both databases understand, with `?` for values.
"""

import re
from collections.abc import Callable, Collection, Generator, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Row: TypeAlias = tuple[Any, ...]
Value: TypeAlias = int | str | bytes | None


class Db(Protocol):
    """A transaction under way. Times are the database's own, so that workers on several machines agree."""

    def run(self, sql: str, *values: Value) -> int:
        """Executes a statement; how many rows it changed."""

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """The rows of a query, or of a RETURNING."""

    @property
    def now_us(self) -> int:
        """When this transaction began, in microseconds since 1970, by the database's clock."""

    carried: "dict[str, Carried] | None"
    """What the writes of one batch leave to be written together at its end, by a name of theirs; None where each writes its
    own."""

    batch: "Sequence[Write[Any]]"
    """The writes that are made together, in their order, for who can do at once what several of them need."""


def marks(values: Collection[object]) -> str:
    """Question marks for a list of values, as `IN` takes it; of none `NULL`, which nothing equals."""
    return ", ".join("?" * len(values)) or "NULL"


_HALF: Final = re.compile("[\ud800-\udfff]")


def can_be_kept(text: str) -> bool:
    """Whether either database has such a text. PostgreSQL has none with a NUL, and is not even to be asked for one; neither
    has half a surrogate pair, as JSON can write it and a terminal of another encoding than UTF-8 types it."""
    return "\0" not in text and (text.isascii() or _HALF.search(text) is None)


class Carried(Protocol):
    """Rows that many writes of a batch change, written once. Only those who carry them touch them in a batch."""

    def flush(self) -> None: ...


class Write(Protocol[T_co]):
    """One independent change of a batch."""

    @property
    def keys(self) -> Sequence[str]:
        """The shared rows it touches (`account:acc_1`, `key:key_1`): a batch is ordered by them, else two workers could
        wait for each other on PostgreSQL. Empty: none."""

    def apply(self, db: Db) -> T_co:
        """Makes the change. A refusal is a result, not an exception."""


class Pending(Protocol[T_co]):
    """What a future shows: a result that is not there yet. Awaiting it raises what became of it instead."""

    def done(self) -> bool: ...

    def result(self) -> T_co:
        """Once it is done. Raises as awaiting it does."""

    def add_done_callback(self, call: Callable[[Any], object], /) -> None:
        """Calls this with itself, from the loop, once it is done: whoever waits by a callback needs no task for it."""

    def __await__(self) -> Generator[Any, None, T_co]: ...


class Committer(Protocol):
    """Commits in groups: whatever arrived while the last transaction was committing makes up the next one."""

    def submit(self, write: Write[T], *, hurry: bool = True) -> Pending[T]:
        """The result, once it is durable; without `hurry` it may wait some milliseconds for others. Awaiting it raises
        `StorageUnavailable` if it cannot be had in time, and nothing was written then; no longer waiting does not take the
        write back.

        Raises `StorageUnavailable` at once if too much is waiting already, or the database is known to be away.
        """

    def post(self, write: Write[Any], *, hurry: bool = True) -> None:
        """Writes this, whatever it takes: it is kept until the database has it, and is flushed before the process ends.
        Without `hurry` it may wait a tenth of a second for others."""


class Reading(Protocol):
    """Questions beside the hot path."""

    async def read(self, query: Callable[[Db], T]) -> T:
        """What a query finds. Raises `StorageUnavailable`."""

    async def work(self, change: Callable[[Db], T]) -> T:
        """Makes a change in a transaction of its own: all of it or, if it raises, nothing. Raises `StorageUnavailable`."""


def raise_revision(db: Db, name: str) -> int:
    """Counts a change (of `keys`, `prices` or `credentials`), so that every worker looks again; the new number. Whoever
    changes anything does this first: two changes wait for each other, and numbers become visible in their order."""
    sql = (
        "INSERT INTO revisions (name, number) VALUES (?, 1) "
        "ON CONFLICT (name) DO UPDATE SET number = revisions.number + 1 RETURNING number"
    )
    return int(db.rows(sql, name)[0][0])
