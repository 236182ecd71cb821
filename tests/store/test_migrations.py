"""The schema: what the migrations make, who may run them, and who only looks."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, NullPool, create_engine

import databases
from portico.core.errors import StorageUnavailable
from portico.store import version
from portico.store.database import Database, open_database
from portico.store.migrate import settings, upgrade
from portico.store.schema import METADATA
from portico.store.version import State


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables; on SQLite without a file, too."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'books.db'}"
    return databases.postgres_url()


@contextmanager
def open_and_close(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


def engine_of(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=NullPool)


def found(url: str) -> list[tuple[str, ...]]:
    """Everything the database says of its tables, apart from the order it was made in."""
    if url.startswith("sqlite"):
        queries = ["SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"]
    else:
        columns = "table_name, column_name, data_type, is_nullable, coalesce(column_default, ''), collation_name"
        definition, ours = "pg_get_constraintdef(oid)", "'public'::regnamespace"
        queries = [
            f"SELECT {columns} FROM information_schema.columns WHERE table_schema = 'public'",  # noqa: S608
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            f"SELECT conrelid::regclass, conname, {definition} FROM pg_constraint WHERE connamespace = {ours}",  # noqa: S608
        ]
    with engine_of(url).connect() as connection:
        rows = [row for query in queries for row in connection.exec_driver_sql(query)]
    return sorted(
        tuple(re.sub(r"\s+", "", str(value)) for value in row)
        for row in rows
        if not any("alembic_version" in str(value) for value in row)
    )


def test_the_migrations_make_what_the_code_expects(empty: str, request: pytest.FixtureRequest) -> None:
    """Once by Alembic's own comparison, once by what the database says: that knows of CHECKs and defaults too."""
    assert upgrade(empty) == (None, version.KNOWN[-1])
    with engine_of(empty).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    made = request.getfixturevalue("sqlite_url" if empty.startswith("sqlite") else "postgres_url")
    assert found(empty) == found(made)


def test_ids_of_requests_sort_by_time_whatever_language_a_database_is_in() -> None:
    """In English an `a` comes before a `B`, in bytes behind it."""
    url = databases.postgres_url()
    upgrade(url)
    sql = "SELECT table_name, collation_name FROM information_schema.columns WHERE column_name = 'request_id'"
    with engine_of(url).connect() as connection:
        told = connection.exec_driver_sql(sql).fetchall()
    assert {row[0]: row[1] for row in told} == {
        table.name: "C" for table in METADATA.sorted_tables if "request_id" in table.columns
    }


def test_every_migration_is_known_to_those_who_only_look() -> None:
    scripts = [script.revision for script in ScriptDirectory.from_config(settings()).walk_revisions()]
    assert tuple(reversed(scripts)) == version.KNOWN


def test_an_upgrade_of_what_is_current_changes_nothing(empty: str) -> None:
    upgrade(empty)
    with open_and_close(empty) as database:
        database.change(lambda db: db.run("INSERT INTO revisions (name, number) VALUES ('keys', 7)"))
    assert upgrade(empty) == (version.KNOWN[-1], version.KNOWN[-1])
    with open_and_close(empty) as database:
        assert database.ask(lambda db: db.rows("SELECT name, number FROM revisions")) == [("keys", 7)]


def test_many_who_upgrade_at_once_do_it_once(empty: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(upgrade, [empty] * 4), key=str) == [
            *[(version.KNOWN[-1], version.KNOWN[-1])] * 3,
            (None, version.KNOWN[-1]),
        ]


def test_a_migration_that_fails_leaves_nothing_behind(empty: str) -> None:
    with open_and_close(empty) as database:
        version.make_room(database.engine)
        database.change(lambda db: db.run("CREATE TABLE resources (somebody_elses INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        upgrade(empty)
    with open_and_close(empty) as database:
        assert database.ask(lambda db: db.rows(database.engine.find_table, "accounts")) == []
        assert version.check(database) is State.EMPTY


# -- at a start --------------------------------------------------------------------------------------------------------


def test_a_start_makes_the_schema_and_the_next_finds_it(empty: str) -> None:
    with open_and_close(empty) as database:
        assert version.bring_up_to_date(empty, database) is State.EMPTY
        assert version.check(database) is State.CURRENT
        assert version.bring_up_to_date(empty, database) is State.CURRENT


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "books.db"
    upgrade(f"sqlite:///{path}")
    assert path.stat().st_mode & 0o077 == 0


def test_a_newer_schema_is_refused_by_whoever_looks(empty: str) -> None:
    upgrade(empty)
    with open_and_close(empty) as database:
        database.change(lambda db: db.run("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(version.SchemaTooNew, match="has schema 9999, which a newer Portico has made"):
            version.check(database)
        with pytest.raises(version.SchemaTooNew):
            version.bring_up_to_date(empty, database)
    with pytest.raises(version.SchemaTooNew):
        upgrade(empty)


def test_an_older_schema_is_behind() -> None:
    assert version.judged("a database", None) is State.EMPTY
    assert version.judged("a database", version.KNOWN[-1]) is State.CURRENT
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(version, "KNOWN", ("0001", "0002"))
        assert version.judged("a database", "0001") is State.BEHIND


def test_an_upgrade_that_fails_at_a_start_says_why(empty: str) -> None:
    with open_and_close(empty) as database:
        version.make_room(database.engine)
        database.change(lambda db: db.run("CREATE TABLE resources (somebody_elses INTEGER)"))
        with pytest.raises(version.UpgradeFailed, match="already exists"):
            version.bring_up_to_date(empty, database)


def test_a_database_that_cannot_be_reached_is_not_an_empty_one(tmp_path: Path) -> None:
    with open_and_close(f"postgresql://nobody@/none?host={tmp_path}") as database, pytest.raises(StorageUnavailable):
        version.check(database)


_SERVES = ["committer", "database", "leases", "sqlite", "version", "watch", "backup"]


def test_who_serves_from_a_file_loads_neither_toolkit_nor_driver() -> None:
    imports = "; ".join(f"import portico.store.{name}" for name in _SERVES)
    program = f"import sys; {imports}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "portico" in loaded
    assert loaded & {"sqlalchemy", "alembic", "psycopg", "mako"} == set()
