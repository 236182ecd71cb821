"""Questions and changes beside the hot path."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from psycopg import conninfo

from databases import Postgres
from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.store.database import Database, open_database
from portico.store.postgres import PostgresSession
from store.writes import Add, patient, total


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    yield opened
    await opened.aclose()


async def test_questions_are_asked_in_threads(database: Database) -> None:
    here = threading.get_ident()
    assert await database.reading.read(lambda _: threading.get_ident()) != here
    assert await database.reading.work(lambda _: threading.get_ident()) != here


async def test_a_question_sees_one_state_throughout(database: Database) -> None:
    looked, written = threading.Event(), threading.Event()

    def twice(db: Db) -> tuple[int, int]:
        first = total("a")(db)
        looked.set()
        assert written.wait(30)
        return first, total("a")(db)

    question = asyncio.create_task(database.reading.read(twice))
    assert await asyncio.to_thread(looked.wait, 30)
    await database.reading.work(Add("a", 5).apply)
    written.set()
    assert await question == (0, 0)
    assert await database.reading.read(total("a")) == 5


async def test_a_question_changes_nothing(database: Database) -> None:
    with pytest.raises(Exception, match=r"read-?only"):
        await database.reading.read(Add("a").apply)
    assert await database.reading.read(total("a")) == 0


async def test_a_change_that_raises_is_undone(database: Database) -> None:
    def change(db: Db) -> None:
        Add("a").apply(db)
        raise KeyError("enough")

    with pytest.raises(KeyError):
        await database.reading.work(change)
    assert await database.reading.read(total("a")) == 0
    assert await database.reading.work(Add("a").apply) == 1


async def test_changes_and_batches_take_turns(database: Database) -> None:
    committer = patient(database, "w1")
    changes = [database.reading.work(Add("a").apply) for _ in range(20)]
    writes = [committer.submit(Add("a")) for _ in range(20)]
    results = await asyncio.gather(*changes, *writes)
    assert sorted(results) == list(range(1, 41))
    await committer.aclose()


async def test_time_is_the_databases_and_stands_still_in_a_transaction(database: Database) -> None:
    times = [await database.reading.work(lambda db: (db.now_us, db.now_us)) for _ in range(2)]
    assert times[0][0] == times[0][1] < times[1][0]
    assert times[0][0] > 1_700_000_000_000_000


async def test_connections_that_were_cut_while_idle_are_replaced(server: Postgres, postgres_url: str) -> None:
    database = open_database(postgres_url)
    await asyncio.gather(*(database.reading.read(total("a")) for _ in range(4)))
    assert server.end_connections(postgres_url.partition("?")[0].rpartition("/")[2]) > 0
    assert await database.reading.work(Add("a").apply) == 1
    assert await database.reading.read(total("a")) == 1
    await database.aclose()


async def test_a_change_whose_connection_is_cut_says_so(server: Postgres, postgres_url: str) -> None:
    database = open_database(postgres_url)
    name = postgres_url.partition("?")[0].rpartition("/")[2]

    def change(db: Db) -> None:
        Add("a").apply(db)
        server.end_connections(name)
        Add("a").apply(db)

    with pytest.raises(StorageUnavailable):
        await database.reading.work(change)
    assert await database.reading.read(total("a")) == 0
    await database.aclose()


def test_what_a_frozen_worker_holds_is_taken_from_it(postgres_url: str) -> None:
    database = open_database(postgres_url)
    settings = ("lock_timeout", "idle_in_transaction_session_timeout", "client_connection_check_interval")
    found = database.ask(lambda db: [db.rows(f"SHOW {name}")[0][0] for name in settings])
    assert found == ["1s", "5s", "500ms"]
    database.close()


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///", "mysql://x/y", "books.db", "postgresql://[::1/x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        open_database(url)


def test_a_relative_path_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_database("sqlite:///data/books.db").name == str(tmp_path / "data" / "books.db")
    assert open_database("sqlite:////srv/books.db").name == "/srv/books.db"


@pytest.mark.parametrize("url", ["postgresql://me:sample-pass@localhost/books", "postgresql://me:sample-pass@[::1/x"])
def test_a_password_is_not_told(url: str) -> None:
    try:
        told = open_database(url).name
    except ValueError as error:
        told = f"{error}{error.__cause__}"
    assert "sample-pass" not in told


async def test_a_file_that_cannot_be_opened_is_storage_that_is_not_available(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'none' / 'books.db'}")
    with pytest.raises(StorageUnavailable):
        await database.reading.read(total("a"))
    await database.aclose()


@pytest.mark.parametrize(("more", "waits"), [({}, "10000"), ({"tcp_user_timeout": "2500"}, "2500")])
def test_a_postgresql_server_that_is_gone_without_a_word_is_not_waited_for_as_long_as_the_system_would(
    postgres_url: str, more: dict[str, str], waits: str
) -> None:
    session = PostgresSession(conninfo.make_conninfo(postgres_url, **more))
    try:
        said = session._connection.info.get_parameters()
    finally:
        session.close()
    assert (said["tcp_user_timeout"], said["keepalives_idle"], said["connect_timeout"]) == (waits, "5", "3")
