"""What can be foreseen to go wrong at a start is told in a line or two: no traceback, nothing left open, exit code 1."""

import contextlib
import socket
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from databases import server, sqlite_books
from gateway.commands import run, run_with

KEY = {"GEMINI_API_KEY": "sample-upstream", "PORTICO_API_KEY": "sk-sample"}
STRICT = ("-W", "default::ResourceWarning", "-m", "portico")
Broken = Callable[[Path], Mapping[str, str]]
"""Breaks something; what the environment is to say."""


def books(folder: Path) -> Path:
    (folder / ".portico").mkdir()
    return Path(sqlite_books(folder / ".portico" / "portico.db").removeprefix("sqlite:///"))


def newer(folder: Path) -> Mapping[str, str]:
    with contextlib.closing(sqlite3.connect(books(folder))) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    return {}


def somebody_elses(folder: Path) -> Mapping[str, str]:
    books(folder)  # all tables, and no word of which version they are
    return {}


def no_database(folder: Path) -> Mapping[str, str]:
    (folder / ".portico").mkdir()
    (folder / ".portico" / "portico.db").write_bytes(b"not a database" * 1000)
    return {}


def a_folder(folder: Path) -> Mapping[str, str]:
    (folder / ".portico" / "portico.db").mkdir(parents=True)
    return {}


def in_a_file(folder: Path) -> Mapping[str, str]:
    (folder / "taken").write_text("")
    return {"PORTICO_STORAGE_URL": "sqlite:///taken/books.db"}


def refused(folder: Path) -> Mapping[str, str]:
    return {"PORTICO_STORAGE_URL": "postgresql://portico:hunter2@127.0.0.1:1/books"}


def unknown(folder: Path) -> Mapping[str, str]:
    return {"PORTICO_STORAGE_URL": server().url("nowhere")}


def unreadable(folder: Path) -> Mapping[str, str]:
    return {"PORTICO_STORAGE_URL": "postgresql://portico:hunter2@[::1/books"}


UNUSABLE: dict[str, tuple[Broken, str]] = {
    "a newer schema": (newer, "has schema 9999, which a newer Portico has made"),
    "tables of somebody else": (somebody_elses, "already exists"),
    "no database": (no_database, "file is not a database"),
    "a folder": (a_folder, "portico.db"),
    "in a file": (in_a_file, "taken"),
    "nobody listens": (refused, "Connection refused"),
    "no such database": (unknown, 'database "nowhere" does not exist'),
    "no address": (unreadable, "PORTICO_STORAGE_URL: expected sqlite:///PATH or postgresql://USER@HOST/NAME"),
}


async def fails(folder: Path, *command: str, env: Mapping[str, str]) -> str:
    """What a command that fails says: briefly, and without what it should not."""
    code, out, err = await run(*command, folder=folder, env={**KEY, **env}, program=STRICT)
    assert code == 1, out + err
    assert "Traceback" not in err
    assert "ResourceWarning" not in err
    assert "hunter2" not in out + err
    assert len(err.splitlines()) <= 4, err
    return err


@pytest.mark.parametrize(("broken", "said"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize(
    "command", [("serve", "--port", "0"), ("accounts", "list"), ("db", "upgrade")], ids=["serve", "list", "upgrade"]
)
async def test_an_unusable_database_is_told(
    tmp_path: Path, broken: Broken, said: str, command: tuple[str, ...]
) -> None:
    assert said in await fails(tmp_path, *command, env=broken(tmp_path))


async def test_a_database_is_not_made_for_a_status(tmp_path: Path) -> None:
    assert "Connection refused" in await fails(tmp_path, "db", "status", env=refused(tmp_path))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_in_use_is_told_with_what_helps(tmp_path: Path, workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        err = await fails(tmp_path, "serve", "--port", str(port), "--workers", workers, env={})
        assert f"Cannot listen on 127.0.0.1:{port}: " in err
        assert f"add --port {port + 1}, or with make: make run PORT={port + 1}" in err


async def test_a_port_of_the_metrics_that_is_in_use_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "portico.toml").write_text(f'[metrics]\nlisten = "127.0.0.1:{port}"\n')
        assert "for metrics" in await fails(tmp_path, "serve", "--port", "0", "--simulate", env={})


@pytest.mark.parametrize("host", ["no..host", "x" * 70, "192.0.2.1"])
async def test_an_address_that_is_not_this_machines_is_told(tmp_path: Path, host: str) -> None:
    err = await fails(tmp_path, "serve", "--host", host, "--port", "0", env={})
    assert f"Cannot listen on {host}:0: " in err
    assert "Choose an address of this machine: add --host 127.0.0.1" in err
    assert "another port" not in err


async def test_a_file_that_holds_no_key_is_told(tmp_path: Path) -> None:
    (tmp_path / ".portico").mkdir()
    (tmp_path / ".portico" / "api_key").write_bytes(b"\xff\xfe")
    assert "holds no key" in await fails(tmp_path, "serve", "--port", "0", env={"PORTICO_API_KEY": ""})


@pytest.mark.parametrize("found", [b"", b"\xff\xfe", b"short"])
async def test_a_secret_key_that_cannot_be_read_is_told(tmp_path: Path, found: bytes) -> None:
    (tmp_path / "portico.toml").write_text('[[providers]]\nname = "gemini"\nkeys = ["database"]\n')
    code, _, err = await run_with(b"sample", "credentials", "add", "gemini", folder=tmp_path, env=KEY)
    assert code == 0, err
    (tmp_path / ".portico" / "secret.key").write_bytes(found)
    code, out, err = await run("serve", "--port", "0", folder=tmp_path, env=KEY, program=STRICT)
    assert code == 1
    assert out == ""
    assert "Careful: Keys that are kept in the database are not used" in err
    assert "secret.key" in err
    assert "Traceback" not in err
