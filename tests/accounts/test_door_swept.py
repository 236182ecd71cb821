"""What is over at the door is removed by whoever looks after the books, as all else that is kept for a time."""

from pathlib import Path
from random import SystemRandom

import databases
from portico.accounts import attempts, links, people, sessions
from portico.cli.bookkeeper import Bookkeeper
from portico.cli.dice import PooledRandom
from portico.config import load_config
from portico.core.storage import Db

RNG = SystemRandom()


async def nothing() -> None:
    """There are no credentials to read."""


def open_ones(db: Db) -> None:
    ada = people.create_user(db, RNG, email="ada@example.com")
    sessions.open_session(db, RNG, ada)
    links.make_link(db, RNG, links.RESET, user_id=ada.id)
    attempts.wait_s(db, address="192.0.2.1", email="ada@example.com")


def age(db: Db) -> None:
    db.run("UPDATE links SET expires_us = 1")
    db.run("UPDATE sessions SET expires_us = 1")
    db.run("UPDATE counters SET \"window\" = 1 WHERE kind = 'sign_in'")


def left(db: Db) -> object:
    return db.rows(
        "SELECT (SELECT COUNT(*) FROM links) + (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM counters)"
    )


async def test_sessions_links_and_tries_go_when_they_are_over_and_not_before(tmp_path: Path) -> None:
    url = databases.sqlite_books(tmp_path / "books.db")
    books = Bookkeeper(load_config({"PORTICO_STORAGE_URL": url}, folder=tmp_path), PooledRandom())
    await books.start(credentials=nothing)
    try:
        reading = books.database.reading
        await reading.work(open_ones)
        assert await books._sweep_door() == 0
        await reading.work(age)
        assert await books._sweep_door() == 5
        assert await reading.read(left) == [(0,)]
    finally:
        await books.finish()
