"""The pages, with a stand-in for Stripe; for those that ask for `shop_anywhere`, on PostgreSQL too."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import databases
from admin.local import Bench, LocalReading, on_postgres, on_sqlite
from inside.desk import Rooms
from payments.shop import Shop
from payments.stand_in import running
from portico.ledger.payments import CENT, Fee
from portico.store.database import Database, open_database
from portico.web.payments.counter import CardDesk, Counter


@contextmanager
def opened(reading: LocalReading, note: str = "") -> Iterator[Shop]:
    with running() as stripe:
        till = stripe.till()
        card = CardDesk(till=till, amounts=(10, 50), min_amount=5, max_amount=100, fee=Fee(2900, 30 * CENT))
        yield Shop(Rooms(Bench(reading), extras={"counter": Counter(note, card)}), stripe)
        till.close()
    reading.connection.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with opened(on_sqlite(tmp_path / "books.db")) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def shop_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    with opened(on_sqlite(tmp_path / "books.db") if request.param == "sqlite" else on_postgres()) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """As a worker has it: several threads, each on a connection of its own."""
    sqlite = request.param == "sqlite"
    found = open_database(databases.sqlite_books(tmp_path / "books.db") if sqlite else databases.postgres_books())
    yield found
    found.close()


@pytest.fixture
def rooms(tmp_path: Path) -> Iterator[Rooms]:
    """Without a way to pay by card."""
    reading = on_sqlite(tmp_path / "books.db")
    yield Rooms(Bench(reading), extras={})
    reading.connection.close()
