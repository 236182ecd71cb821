"""`python -m store.released`: writes down a SQLite database of the newest schema with the rows of every table.

Done once for a schema, when a version that has it is released; never again for it. Run with `PYTHONPATH=tests`.
"""

import contextlib
import sqlite3
import sys
import tempfile
from pathlib import Path

from portico.store import version
from portico.store.migrate import upgrade
from portico.store.schema import METADATA
from store.released.rows import insert

FOLDER = Path(__file__).parent

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "books.db"
    upgrade(f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for table in METADATA.sorted_tables:
            insert(connection, table)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        lines = "\n".join(connection.iterdump())
target = FOLDER / f"{version.KNOWN[-1]}.sql"
target.write_text(lines + "\n", encoding="utf-8")
sys.stdout.write(f"{target.name}: {len(lines)} bytes\n")
