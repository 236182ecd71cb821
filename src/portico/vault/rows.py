"""The vault's rows in the database: what is asked and changed there. Times are the database's own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from portico.core.storage import Db, Row
from portico.vault.codec import where

MICROSECONDS: Final = 1_000_000
SMALL_BYTES: Final = 64 * 1024
"""Up to here a record comes with the first question; larger ones are fetched as far as they fit together."""


class Keep(msgspec.Struct, frozen=True):
    """A `Write`: the records of one answer, as bytes by key. The last write of a key wins.

    Rows go in the order of their keys, in one statement, so that writes run one by one never wait for each other. Two
    batches that keep the same texts may; the committer then runs their items one by one.
    """

    account_id: str
    rows: Mapping[str, bytes]
    ttl_us: int

    @property
    def keys(self) -> Sequence[str]:
        return [f"vault:{self.account_id}:{key}" for key in sorted(self.rows)]

    @property
    def size_bytes(self) -> int:
        return sum([len(key) + len(data) for key, data in self.rows.items()])

    def apply(self, db: Db) -> None:
        expires_us = db.now_us + self.ttl_us
        values: list[str | bytes | int] = []
        for key in sorted(self.rows):
            data = self.rows[key]
            values += (self.account_id, key, data, len(data), expires_us)
        db.run(_upsert(len(self.rows)), *values)


@lru_cache(maxsize=64)
def _upsert(rows: int) -> str:
    return (
        "INSERT INTO vault_records (account_id, key, record, size_bytes, expires_us) VALUES "  # noqa: S608
        + ", ".join(["(?, ?, ?, ?, ?)"] * rows)
        + " ON CONFLICT (account_id, key) DO UPDATE SET"
        " record = excluded.record, size_bytes = excluded.size_bytes, expires_us = excluded.expires_us"
    )


class Found(msgspec.Struct, frozen=True):
    """A row: its bytes, and for how many seconds more it is kept."""

    data: bytes
    left_s: float


def find(account_id: str, keys: Sequence[str], *, max_bytes: int) -> Callable[[Db], dict[str, Found]]:
    """A `Query` for some keys' rows. Of large ones as many as fit into `max_bytes` together, those of the last keys first.

    A row that only names another key leads there, if both are of this account.
    """

    def query(db: Db) -> dict[str, Found]:
        found = _rows(db, account_id, keys, max_bytes)
        aims = {key: aim for key, row in found.items() if (aim := where(row.data)) is not None}
        if missing := [aim for aim in dict.fromkeys(aims.values()) if aim not in found]:
            found |= _rows(db, account_id, missing, max_bytes)
        for key, aim in aims.items():
            row = found.get(aim)
            if row is None or where(row.data) is not None:
                del found[key]
            else:
                found[key] = row
        return {key: found[key] for key in keys if key in found}

    return query


def _rows(db: Db, account_id: str, keys: Sequence[str], max_bytes: int) -> dict[str, Found]:
    now_us = db.now_us
    rows = db.rows(_select(_bucket(len(keys))), SMALL_BYTES, account_id, now_us, *_padded(keys))
    found = {key: _found(data, expires_us, now_us) for key, data, _, expires_us in rows if data is not None}
    sizes = {key: size for key, data, size, _ in rows if data is None}
    if large := _fitting(reversed(keys), sizes, max_bytes):
        rows = db.rows(_select(_bucket(len(large))), 2**62, account_id, now_us, *_padded(large))
        found |= {key: _found(data, expires_us, now_us) for key, data, _, expires_us in rows if data is not None}
    return found


def _fitting(keys: Iterable[str], sizes: Mapping[str, int], max_bytes: int) -> list[str]:
    """Those of the keys, in their order, whose sizes fit together."""
    fitting: list[str] = []
    for key in keys:
        size = sizes.get(key, 0)
        if 0 < size <= max_bytes:
            max_bytes -= size
            fitting.append(key)
    return fitting


def _found(data: bytes, expires_us: int, now_us: int) -> Found:
    return Found(bytes(data), (expires_us - now_us) / MICROSECONDS)


@lru_cache(maxsize=16)
def _select(keys: int) -> str:
    return (
        "SELECT key, CASE WHEN size_bytes <= ? THEN record END, size_bytes, expires_us FROM vault_records"  # noqa: S608
        f" WHERE account_id = ? AND expires_us > ? AND key IN ({', '.join('?' * keys)})"
    )


def _bucket(count: int) -> int:
    """So many keys are asked for that there are few different statements, which databases remember."""
    return 1 << (count - 1).bit_length()


def _padded(keys: Sequence[str]) -> list[str]:
    return [*keys, *[keys[-1]] * (_bucket(len(keys)) - len(keys))]


# -- the sweep ---------------------------------------------------------------------------------------------------------


class DropExpired(msgspec.Struct, frozen=True):
    """A `Write`: takes up to `limit` rows out whose time is over. Its result is how many."""

    limit: int

    @property
    def keys(self) -> Sequence[str]:
        return ()

    def apply(self, db: Db) -> int:
        return db.run(
            "DELETE FROM vault_records WHERE expires_us <= ? AND (account_id, key) IN"
            " (SELECT account_id, key FROM vault_records WHERE expires_us <= ? ORDER BY expires_us LIMIT ?)",
            db.now_us,
            db.now_us,
            self.limit,
        )


class DropOldest(msgspec.Struct, frozen=True):
    """A `Write`: takes rows of an account out that have not been kept again since they were looked at."""

    account_id: str
    rows: Sequence[tuple[str, int]]
    """(key, expires_us)"""

    @property
    def keys(self) -> Sequence[str]:
        return ()

    def apply(self, db: Db) -> int:
        values = [value for row in self.rows for value in row]
        pairs = ", ".join(["(?, ?)"] * len(self.rows))
        return db.run(
            f"DELETE FROM vault_records WHERE account_id = ? AND (key, expires_us) IN (VALUES {pairs})",  # noqa: S608
            self.account_id,
            *values,
        )


def accounts_above(max_bytes: int) -> Callable[[Db], list[tuple[str, int]]]:
    """A `Query`: accounts that keep more than this, and by how many bytes."""

    def query(db: Db) -> list[tuple[str, int]]:
        rows = db.rows(
            "SELECT account_id, CAST(SUM(size_bytes) AS BIGINT) FROM vault_records GROUP BY account_id"
            " HAVING SUM(size_bytes) > ?",
            max_bytes,
        )
        return [(account_id, size - max_bytes) for account_id, size in rows]

    return query


def oldest_of(account_id: str, above_bytes: int, limit: int) -> Callable[[Db], list[tuple[str, int, int]]]:
    """A `Query`: (key, expires_us, size_bytes) of the rows whose going makes room for so many bytes, at most `limit`."""

    def query(db: Db) -> list[tuple[str, int, int]]:
        rows = db.rows(
            "SELECT key, expires_us, size_bytes FROM vault_records WHERE account_id = ? ORDER BY expires_us, key LIMIT ?",
            account_id,
            limit,
        )
        return list(_until(rows, above_bytes))

    return query


def _until(rows: Iterable[Row], above_bytes: int) -> Iterable[tuple[str, int, int]]:
    for key, expires_us, size in rows:
        if above_bytes <= 0:
            return
        above_bytes -= size
        yield key, expires_us, size
