"""The admin's desk on a database of its own: an operator who has signed in, and providers to look at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from admin.local import Bench, LocalReading, on_postgres, on_sqlite
from inside.desk import Client, Rooms
from portico.admin.desk import Probed, Upstream
from portico.providers.secret_keys import SecretKeys

UPSTREAMS = {
    "gemini": Upstream(
        kind="gemini", host="generativelanguage.googleapis.com", groups=("key:aaaa",), takes_stored=True
    ),
    "openai": Upstream(kind="openai", host="api.openai.com", groups=("key:bbbb",)),
}


def probe(name: str) -> list[Probed]:
    return [
        Probed(key=f"env:{name.upper()}_API_KEY", ok=name == "gemini", error="" if name == "gemini" else "<b>no</b>")
    ]


def desk_on(reading: LocalReading, folder: Path, **more: Any) -> Rooms:
    bench = Bench(
        reading, upstreams=UPSTREAMS, probe=probe, secret_keys=SecretKeys(folder / "secret_key", None, ()), **more
    )
    return Rooms(bench)


@pytest.fixture(params=["sqlite", "postgres"])
def desk_anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db") if request.param == "sqlite" else on_postgres()
    yield desk_on(reading, tmp_path)
    reading.connection.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Rooms]:
    reading = on_sqlite(tmp_path / "books.db")
    yield desk_on(reading, tmp_path)
    reading.connection.close()


@pytest.fixture
def root(desk: Rooms) -> Client:
    return desk.person("root@example.com", operator=True)
