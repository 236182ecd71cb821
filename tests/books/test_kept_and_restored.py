"""What is kept for as long as the configuration says, and what a backup of a database in use is good for."""

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path
from random import Random

import pytest

from books.shop import Gate, call, eventually, open_shop, receipt
from gateway.house import chat
from portico.cli import bookkeeper
from portico.cli.bookkeeper import Bookkeeper, prepare
from portico.config import load_config
from portico.core.storage import Db

DAY_US = 86_400_000_000
RETENTION = """
[retention]
receipts_days = 10
usage_days = 20
idempotency_hours = 48
vault_hours = 24
"""
# How old in days, and what of it is still there.
AGES = [
    (1, {"receipts", "usage_days", "idempotency", "entries"}),
    (9, {"receipts", "usage_days", "entries"}),
    (11, {"usage_days", "entries"}),
    (19, {"usage_days", "entries"}),
    (30, {"entries"}),
]
KEPT = ["receipts", "usage_days", "idempotency", "entries"]


def write(db: Db) -> None:
    """A call of each age, with all that it leaves."""
    for days, _ in AGES:
        at_us, request_id = db.now_us - days * DAY_US, f"req_{100 - days:03}"
        day = db.rows(f"SELECT date('now', '-{days} days')")[0][0]
        db.run(
            "INSERT INTO receipts (request_id, account_id, key_id, at_us, model, outcome, charge_nanos, cost_nanos, body)"
            " VALUES (?, 'default', 'key_1', ?, 'm', 'ok', 5, 3, '{}')",
            request_id,
            at_us,
        )
        db.run("INSERT INTO usage_days (account_id, day, model, key_id) VALUES ('default', ?, 'm', 'key_1')", day)
        db.run(
            "INSERT INTO idempotency (account_id, key, request_id, fingerprint, at_us, status)"
            " VALUES ('default', ?, ?, 'f', ?, 200)",
            request_id,
            request_id,
            at_us,
        )
        db.run(
            "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, at_us) VALUES ('default', 'top_up', 0, 0, ?)",
            at_us,
        )


async def test_what_is_older_than_the_configuration_says_goes_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bookkeeper, "SWEEP_S", 0.05)
    (tmp_path / "portico.toml").write_text(RETENTION, encoding="utf-8")
    config = load_config({}, folder=tmp_path)
    prepare(config, "sk-portico-sample-owner")
    books = Bookkeeper(config, Random(1))
    reading = books.database.reading
    await reading.work(write)
    await books.start(_no_credentials)
    try:
        wanted = {table: sum(table in left for _, left in AGES) for table in KEPT}

        async def swept() -> bool:
            def count(db: Db) -> dict[str, int]:
                return {table: db.rows(f"SELECT count(*) FROM {table}")[0][0] for table in KEPT}  # noqa: S608

            return await reading.read(count) == wanted

        await eventually(swept)
        await asyncio.sleep(0.2)  # and nothing more goes in further sweeps
        assert await swept()
    finally:
        await books.finish()


async def _no_credentials() -> None:
    """There are none that are stored."""


def put_in_place(backup: Path, folder: Path) -> None:
    target = folder / ".portico" / "portico.db"
    backup.rename(target)
    with contextlib.closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_backup_of_books_in_use_is_a_gateway_that_works(tmp_path: Path) -> None:
    """It is made while callers ask without a pause; another gateway serves from it, with the same keys and receipts."""
    shops = [tmp_path / name for name in ("first", "second")]
    for folder in shops:
        folder.mkdir()
    async with open_shop(shops[0], Gate()) as shop, open_shop(shops[1], Gate()) as restored:
        _, key = await shop.prepaid("customer")
        await shop.command("accounts", "top-up", "customer", "1000")
        answered: list[str] = []
        async with shop.serving(workers=2) as server:
            port = await server.port()

            async def ask() -> None:
                while True:
                    answer = await call(port, key, chat(max_tokens=100))
                    answered.append(answer.headers["x-portico-request-id"])

            askers = [asyncio.create_task(ask()) for _ in range(4)]
            await eventually(lambda: _are(answered, 20))
            await receipt(port, key, answered[0])
            made = await shop.command("backup")
            soon = len(answered)
            await eventually(lambda: _are(answered, soon + 20))
            for asker in askers:
                asker.cancel()
            await asyncio.gather(*askers, return_exceptions=True)
        put_in_place(Path(made["path"]), shops[1])
        async with restored.serving() as server:
            port = await server.port()
            first = await receipt(port, key, answered[0])
            assert first["charge_nanos"] > 0
            await receipt(port, key, (await call(port, key, chat(max_tokens=100))).headers["x-portico-request-id"])

            async def nothing_held() -> bool:
                return (await restored.balance("customer"))[1] == 0

            await eventually(nothing_held)
        assert await restored.add_up()
        settled = [one["request_id"] for one in await restored.entries("customer") if one["kind"] == "settle"]
        assert len(set(settled)) == len(settled)
        assert json.loads(await restored.said("accounts", "show", "customer"))["posted_nanos"] < 1000 * 10**9


async def _are(found: list[str], count: int) -> bool:
    return len(found) >= count
