"""A database by its address: `sqlite:///path` (a fourth slash begins an absolute path) or `postgresql://…`.

Everything that waits for it does so in threads. To be opened after a fork: connections do not survive one.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.store.committer import CAPACITY, WAIT_S, GroupCommitter
from portico.store.engine import Engine, Fault, Session
from portico.store.sqlite import SqliteEngine

T = TypeVar("T")

THREADS: Final = 4
SQLITE_PREFIX: Final = "sqlite:///"


def engine_for(url: str) -> Engine:
    """Raises `ValueError` for an address that is neither."""
    if url.startswith(SQLITE_PREFIX) and len(url) > len(SQLITE_PREFIX):
        return SqliteEngine(Path(url[len(SQLITE_PREFIX) :]).absolute())
    if url.startswith(("postgresql://", "postgres://")):
        from portico.store.postgres import PostgresEngine  # noqa: PLC0415 - psycopg is dear, and SQLite needs none

        return PostgresEngine(url)
    raise ValueError("a database is sqlite:///path or postgresql://user@host/name")


class Database:
    """What `open_database` gives. `ask` and `change` wait for the database where they are called, for commands; servers use
    `reading`, whose threads do the waiting."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.reading = ThreadedReading(self)
        self._idle: list[Session] = []
        self._closed = False

    @property
    def name(self) -> str:
        """Where it is, without secrets."""
        return self.engine.name

    def committer(self, worker_id: str, *, capacity: int = CAPACITY, wait_s: float = WAIT_S) -> GroupCommitter:
        """One that runs, for the worker process it is called in: within the running loop."""
        return GroupCommitter(self.engine, worker_id, capacity=capacity, wait_s=wait_s)

    def ask(self, query: Callable[[Db], T]) -> T:
        """What a query finds, in one state of the database throughout. Raises `StorageUnavailable`."""
        return self._within(
            query, begin=lambda session: session.begin_reading(), end=lambda session: session.rollback()
        )

    def change(self, change: Callable[[Db], T]) -> T:
        """A transaction of its own: all of it or, if it raises, nothing. Raises `StorageUnavailable`, with a message of its
        own if the connection was lost in the one moment in which nobody can tell which of the two it was."""
        return self._within(change, begin=lambda session: session.begin(), end=_commit)

    def _within(self, act: Callable[[Db], T], *, begin: Callable[[Session], None], end: Callable[[Session], None]) -> T:
        session = self._begun(begin)
        try:
            result = act(session.db)
            end(session)
        except BaseException as error:
            if isinstance(error, Exception) and session.fault(error) is Fault.OWN:
                self._undo(session)
                raise
            session.close()
            if isinstance(error, Exception) and not isinstance(error, StorageUnavailable):
                raise StorageUnavailable from error
            raise
        self._keep(session)
        return result

    def _begun(self, begin: Callable[[Session], None]) -> Session:
        """A session with a transaction begun. One that was idle may have been cut off meanwhile: then a new one is made."""
        while True:
            try:
                session, fresh = self._idle.pop(), False
            except IndexError:
                try:
                    session, fresh = self.engine.connect(), True
                except Exception as error:
                    raise StorageUnavailable from error
            try:
                begin(session)
            except Exception as error:
                session.close()
                if fresh:
                    raise StorageUnavailable from error
            else:
                return session

    def _undo(self, session: Session) -> None:
        try:
            session.rollback()
        except Exception:  # noqa: BLE001 - the caller learns of the first failure, which matters
            session.close()
        else:
            self._keep(session)

    def _keep(self, session: Session) -> None:
        if self._closed or len(self._idle) >= THREADS:
            session.close()
        else:
            self._idle.append(session)

    def close(self) -> None:
        """For who only asked and changed. Committers are closed by those who have them."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def aclose(self) -> None:
        await self.reading.aclose()
        self.close()


def _commit(session: Session) -> None:
    try:
        session.commit()
    except Exception as error:
        if session.fault(error) is Fault.OWN:
            raise
        raise StorageUnavailable(
            "The connection to the books was lost while a change was committed. Look whether it was made."
        ) from error


class ThreadedReading:
    """A `core.storage.Reading`: at most four at a time, each on a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="portico-reading")

    async def read(self, query: Callable[[Db], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._database.ask, query)

    async def work(self, change: Callable[[Db], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._database.change, change)

    async def aclose(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)


def open_database(url: str) -> Database:
    """Connects to nothing yet. Raises `ValueError` for an address that is neither kind."""
    return Database(engine_for(url))
