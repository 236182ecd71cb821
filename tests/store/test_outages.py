"""The group committer while its database goes away: nothing is lost, nothing is written twice, nobody waits for ever."""

import asyncio
import contextlib
import sqlite3
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from databases import Postgres
from portico.core.errors import StorageUnavailable
from portico.core.storage import Db, Value
from portico.store.committer import GroupCommitter
from portico.store.database import Database, open_database
from portico.store.engine import Fault
from portico.store.filelock import FileLock, lock_path
from portico.store.sqlite import SqliteDb, SqliteEngine, SqliteSession
from store.cutwire import CutWire
from store.outages import Outage, postgres_stopped, sqlite_busy, sqlite_locked
from store.writes import PATIENCE_S, Add, Gate, Noted, Once, total

SHORT_S = 1.0


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is looked at changes in another thread
            await asyncio.sleep(0.01)


@pytest.fixture(params=["busy", "locked", "stopped"])
def gone(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Outage]:
    """A database with all tables, and a way to make it unavailable."""
    if request.param == "stopped":
        url: str = request.getfixturevalue("postgres_url")
        return url, postgres_stopped(request.getfixturevalue("server"))
    url = request.getfixturevalue("sqlite_url")
    make = sqlite_busy if request.param == "busy" else sqlite_locked
    return url, make(tmp_path / "books.db")


async def test_in_an_outage_submits_fail_unwritten_and_posts_are_kept(gone: tuple[str, Outage]) -> None:
    url, outage = gone
    database = open_database(url)
    committer = GroupCommitter(database.engine, "w1", wait_s=SHORT_S)
    assert await committer.submit(Add("a")) == 1
    with outage():
        committer.post(Add("a", 10))
        for _ in range(2):
            with pytest.raises(StorageUnavailable):
                await committer.submit(Add("a", 100))
        committer.post(Add("a", 10))
    await until(lambda: committer.waiting == 0 and not committer.down)
    assert await committer.submit(Add("a")) == 22
    assert await database.reading.read(total("a")) == 22
    await committer.aclose()
    await database.aclose()


async def test_a_database_that_is_known_to_be_down_is_not_waited_for(server: Postgres, postgres_url: str) -> None:
    database = open_database(postgres_url)
    committer = database.committer("w1")
    await committer.submit(Add("a"))
    with postgres_stopped(server)():
        committer.post(Add("a"))
        assert committer.down_s == 0.0
        await until(lambda: committer.down)
        await until(lambda: committer.down_s > SHORT_S)
        with pytest.raises(StorageUnavailable):
            committer.submit(Add("a"))
        with pytest.raises(StorageUnavailable):
            await database.reading.read(total("a"))
        with pytest.raises(StorageUnavailable):
            await database.reading.work(total("a"))
    await until(lambda: not committer.down)
    assert committer.down_s == 0.0
    assert await committer.submit(Add("a")) == 3
    assert await database.reading.read(total("a")) == 3
    await committer.aclose()
    await database.aclose()


async def test_closing_in_an_outage_gives_up_in_time_and_says_what_is_lost(
    gone: tuple[str, Outage], caplog: pytest.LogCaptureFixture
) -> None:
    url, outage = gone
    database = open_database(url)
    committer = database.committer("w1")
    await committer.submit(Add("a"))
    with outage():
        committer.post(Add("a"))
        pending = committer.submit(Add("a"))
        await committer.aclose(flush_s=SHORT_S)
        with pytest.raises(StorageUnavailable):
            await pending
    assert any("2 writes could not be flushed" in record.getMessage() for record in caplog.records)
    await database.aclose()


async def test_connections_that_are_killed_again_and_again_lose_nothing(server: Postgres, postgres_url: str) -> None:
    database = open_database(postgres_url)
    committer = database.committer("w1")
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    ended = 0

    async def stream() -> tuple[int, int]:
        tried = written = 0
        while tried < 150 or ended <= 3:
            committer.post(Add("a"))
            committer.post(Once(f"once.{tried}"))
            tried += 1
            await asyncio.sleep(0.001)  # a submit that is refused at once lets nobody else have a turn
            with contextlib.suppress(StorageUnavailable):
                await committer.submit(Add("a"))
                written += 1
        return tried, written

    streaming = asyncio.create_task(stream())
    while not streaming.done():
        ended += await asyncio.to_thread(server.end_connections, name)
        await asyncio.sleep(0.01)
    await committer.aclose()
    tried, written = await streaming
    assert await database.reading.read(total("a")) == tried + written
    assert await database.reading.read(lambda db: db.rows("SELECT count(*) FROM counters WHERE kind = 'once'")) == [
        (tried,)
    ]
    await database.aclose()


# -- a connection that is lost during COMMIT ---------------------------------------------------------------------------


@pytest.fixture
def wire(server: Postgres) -> Iterator[CutWire]:
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        made = CutWire(Path(folder), server.socket_folder)
        yield made
        made.close()


@pytest.fixture
async def wired(server: Postgres, postgres_url: str, wire: CutWire) -> AsyncIterator[tuple[Database, Database]]:
    """The same database, through the wire and past it."""
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    through, past = open_database(server.url(name, wire.folder)), open_database(postgres_url)
    yield through, past
    await through.aclose()
    await past.aclose()


@pytest.mark.parametrize("before", [True, False], ids=["not applied", "applied"])
async def test_a_commit_whose_answer_is_lost_is_applied_once(
    wired: tuple[Database, Database], wire: CutWire, before: bool
) -> None:
    through, past = wired
    committer = through.committer("w1")
    assert await committer.submit(Add("a")) == 1
    wire.before, wire.cut_at = before, b"COMMIT"
    pending = [committer.submit(Add("a")) for _ in range(3)]
    committer.post(Once("o"))
    assert await asyncio.gather(*pending) == [2, 3, 4]
    assert wire.cuts == 1
    await committer.aclose()
    assert await past.reading.read(total("a")) == 4
    assert await past.reading.read(total("o", "once")) == 1


async def test_who_waits_for_a_commit_in_doubt_learns_the_truth_when_the_database_is_back(
    wired: tuple[Database, Database], wire: CutWire
) -> None:
    through, past = wired
    committer = GroupCommitter(through.engine, "w1", wait_s=SHORT_S)
    await committer.submit(Add("a"))
    wire.before, wire.cut_at, wire.refusing = False, b"COMMIT", True
    pending = committer.submit(Add("a"))
    await until(lambda: committer.down)
    await asyncio.sleep(2 * SHORT_S)
    assert not pending.done()
    wire.refusing = False
    assert await pending == 2
    assert await past.reading.read(total("a")) == 2
    await committer.aclose()


async def test_who_waits_too_long_for_a_commit_that_never_was_is_refused_and_nothing_is_written(
    wired: tuple[Database, Database], wire: CutWire
) -> None:
    through, past = wired
    committer = GroupCommitter(through.engine, "w1", wait_s=SHORT_S)
    await committer.submit(Add("a"))
    wire.before, wire.cut_at, wire.refusing = True, b"COMMIT", True
    pending = committer.submit(Add("a"))
    committer.post(Add("b"))
    await until(lambda: committer.down)
    await asyncio.sleep(2 * SHORT_S)
    wire.refusing = False
    with pytest.raises(StorageUnavailable):
        await pending
    await committer.aclose()
    assert await past.reading.read(total("a")) == 1
    assert await past.reading.read(total("b")) == 1


class InTheWay(Exception):
    """Another transaction has what is wanted."""


class Failing(SqliteEngine):
    """A disk that reports an error at a COMMIT, `before` it is applied or after."""

    def __init__(self, path: Path, *, before: bool) -> None:
        super().__init__(path)
        self.before = before
        self.failures = 0

    def connect(self) -> SqliteSession:
        engine = self

        class Session(SqliteSession):
            def commit(self) -> None:
                if engine.failures == 0:
                    return super().commit()
                engine.failures -= 1
                if engine.before:
                    self.rollback()
                else:
                    super().commit()
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error

            def fault(self, error: Exception) -> Fault:
                return Fault.PASSING if isinstance(error, InTheWay) else super().fault(error)

        return Session(self.path)


@pytest.mark.parametrize("before", [True, False], ids=["not applied", "applied"])
async def test_a_commit_that_fails_on_the_disk_is_applied_once(sqlite_url: str, tmp_path: Path, before: bool) -> None:
    engine = Failing(tmp_path / "books.db", before=before)
    committer = GroupCommitter(engine, "w1")
    assert await committer.submit(Add("a")) == 1
    engine.failures = 2 if before else 1
    committer.post(Once("o"))
    assert await asyncio.gather(*(committer.submit(Add("a")) for _ in range(3))) == [2, 3, 4]
    assert engine.failures == 0
    await committer.aclose()
    database = open_database(sqlite_url)
    assert await database.reading.read(total("a")) == 4
    await database.aclose()


class FailsAtFirst(Add):
    """Fails in both tries of the first transaction."""

    def __init__(self, subject: str) -> None:
        super().__init__(subject)
        self.tries = 0

    def apply(self, db: Db) -> int:
        self.tries += 1
        if self.tries <= 2:
            raise KeyError(self.subject)
        return super().apply(db)


class BlockedAtFirst(FailsAtFirst):
    """Another transaction stands in its way at the first try."""

    def apply(self, db: Db) -> int:
        self.tries += 1
        if self.tries == 1:
            raise InTheWay
        return Add.apply(self, db)


@pytest.mark.parametrize("odd", [FailsAtFirst, BlockedAtFirst])
async def test_what_failed_or_was_blocked_in_a_transaction_that_was_lost_is_written_once_by_the_next(
    sqlite_url: str, tmp_path: Path, odd: type[FailsAtFirst]
) -> None:
    engine = Failing(tmp_path / "books.db", before=True)
    committer = GroupCommitter(engine, "w1")
    assert await committer.submit(Add("a")) == 1
    engine.failures = 1
    assert await committer.submit(odd("a")) == 2
    assert await committer.submit(Add("a")) == 3
    await committer.aclose()
    assert engine.failures == 0
    database = open_database(sqlite_url)
    assert await database.reading.read(total("a")) == 3
    await database.aclose()


class NotedSecondTime(Noted):
    """Another transaction stands in its way at the first try."""

    blocked = False

    def apply(self, db: Db) -> None:
        if not self.blocked:
            self.blocked = True
            raise InTheWay
        super().apply(db)


@pytest.mark.usefixtures("sqlite_url")
async def test_what_was_blocked_comes_before_what_shares_a_key_with_it_and_came_later(tmp_path: Path) -> None:
    """As the end of a call comes after its hold."""
    order: list[str] = []
    committer, gate = GroupCommitter(Failing(tmp_path / "books.db", before=True), "w1", wait_s=PATIENCE_S), Gate()
    committer.post(gate)
    committer.post(NotedSecondTime("first", ("a",), order))
    await until(gate.entered.is_set)
    committer.post(Noted("later", ("a",), order))
    gate.opened.set()
    await committer.aclose()
    assert order == ["first", "later"]


class SilentAfterwards(Failing):
    """A database that does not answer any more after its first transaction."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, before=True)
        self.begun = 0
        self.answers = threading.Event()

    def connect(self) -> SqliteSession:
        session, begin = super().connect(), SqliteSession.begin
        engine = self

        def silent() -> None:
            engine.begun += 1
            if engine.begun > 2:  # the first transaction was tried once more, with savepoints
                assert engine.answers.wait(30)
            begin(session)

        session.begin = silent  # type: ignore[method-assign]
        return session


@pytest.mark.usefixtures("sqlite_url")
async def test_who_was_blocked_is_told_in_time_though_the_database_does_not_answer_any_more(tmp_path: Path) -> None:
    engine = SilentAfterwards(tmp_path / "books.db")
    committer = GroupCommitter(engine, "w1", wait_s=0.5)
    blocked = committer.submit(BlockedAtFirst("a"))
    await until(lambda: engine.begun == 3)
    async with asyncio.timeout(10):
        with pytest.raises(StorageUnavailable):
            await blocked
    engine.answers.set()
    assert await committer.submit(Add("a")) == 1
    await committer.aclose()


class LostAtRelease(SqliteEngine):
    """Its connection is lost as the savepoint of the first write that failed is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.failures = 1

    def connect(self) -> SqliteSession:
        engine = self

        class Lost(SqliteDb):
            __slots__ = ()

            def run(self, sql: str, *values: Value) -> int:
                if sql.startswith("RELEASE") and engine.failures:
                    engine.failures -= 1
                    error = sqlite3.OperationalError("disk I/O error")
                    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                    raise error
                return super().run(sql, *values)

        session = super().connect()
        session.db = Lost(session._connection)
        return session


async def test_who_failed_in_a_transaction_that_was_lost_is_not_told_so_where_the_next_writes_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = LostAtRelease(tmp_path / "books.db")
    committer = GroupCommitter(engine, "w1")
    assert await committer.submit(FailsAtFirst("a")) == 1
    await committer.aclose()
    assert engine.failures == 0
    database = open_database(sqlite_url)
    assert await database.reading.read(total("a")) == 1
    await database.aclose()


# -- a transaction that does not end -----------------------------------------------------------------------------------

_FOR_EVER = {
    "sqlite": "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(60)",
}


class StuckOnce(Add):
    """Never comes back from its first try."""

    def __init__(self, subject: str, sql: str) -> None:
        super().__init__(subject)
        self.sql, self.tries = sql, 0

    def apply(self, db: Db) -> int:
        self.tries += 1
        if self.tries == 1:
            db.rows(self.sql)
        return super().apply(db)


async def test_a_transaction_that_is_stuck_is_given_up_and_tried_again(url: str) -> None:
    database = open_database(url)
    committer = GroupCommitter(database.engine, "w1", stuck_s=1.0, wait_s=60)
    stuck = StuckOnce("a", _FOR_EVER[url.partition(":")[0]])
    assert await committer.submit(stuck) == 1
    assert stuck.tries == 2
    await committer.aclose()
    await database.aclose()


class Counted(Add):
    """Tells how often it was tried."""

    def __init__(self, subject: str, factor: int, tries: list[int]) -> None:
        super().__init__(subject)
        self.factor, self.tries = factor, tries

    def apply(self, db: Db) -> int:
        self.tries.append(self.factor)
        db.run("UPDATE counters SET used = used * ? WHERE subject = ? AND kind = 'test'", self.factor, self.subject)
        return super().apply(db)


async def test_a_lock_that_a_frozen_process_holds_is_an_outage_until_it_lets_go(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "books.db"
    database = open_database(sqlite_url)
    committer = GroupCommitter(database.engine, "w1", stuck_s=1.5, wait_s=1.0)
    assert await committer.submit(Add("a")) == 1
    frozen = FileLock(lock_path(path))
    frozen.take()
    with pytest.raises(StorageUnavailable):
        await committer.submit(Add("a"))
    committer.post(Add("a", 10))
    await until(lambda: committer.down)
    with pytest.raises(StorageUnavailable):  # at once: nobody waits any more for what does not answer
        committer.submit(Add("a"))
    frozen.close()
    await until(lambda: not committer.down)
    assert await committer.submit(Add("a")) == 12
    await committer.aclose()
    await database.aclose()
    gone, back = [record.getMessage() for record in caplog.records]
    assert gone.startswith(f"{path} is not available: a transaction has not ended within 1.5 s.")
    assert back == f"{path} is available again"


async def test_a_row_that_somebody_holds_does_not_hold_up_others(server: Postgres, postgres_url: str) -> None:
    """One waits for it at a time, and they keep their order."""
    database = open_database(postgres_url)
    committer = database.committer("w1")
    await committer.submit(Add("a"))
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    holding = open_database(server.url(name)).engine.connect()
    holding.begin()
    holding.db.run("SET LOCAL idle_in_transaction_session_timeout = 0")
    holding.db.run("UPDATE counters SET used = 10 WHERE subject = 'a'")
    tries: list[int] = []
    for factor in (2, 3, 5):
        committer.post(Counted("a", factor, tries))
    async with asyncio.timeout(60):
        assert [await committer.submit(Add("b")) for _ in range(3)] == [1, 2, 3]
    assert committer.waiting == 3
    assert set(tries) == {2}
    holding.commit()
    holding.close()
    await committer.aclose()
    assert await database.reading.read(total("a")) == ((10 * 2 + 1) * 3 + 1) * 5 + 1
    await database.aclose()
