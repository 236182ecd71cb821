"""Who somebody is at a provider of identities (OpenID Connect): an issuer's word for them, and which user that is here.
Plain SQL on a transaction, as in `accounts/rows.py`."""

from typing import Final

import msgspec

from portico.core.errors import NotFound
from portico.core.storage import Db

_COLUMNS: Final = "issuer, subject, user_id, created_us"


class Identity(msgspec.Struct, frozen=True):
    """What an issuer calls a user. It stays the same when their address changes."""

    issuer: str
    subject: str
    user_id: str
    created_us: int


def find_identity(db: Db, issuer: str, subject: str) -> Identity | None:
    sql = f"SELECT {_COLUMNS} FROM identities WHERE issuer = ? AND subject = ?"  # noqa: S608
    rows = db.rows(sql, issuer, subject)
    return Identity(*rows[0]) if rows else None


def identities_of(db: Db, user_id: str) -> list[Identity]:
    sql = f"SELECT {_COLUMNS} FROM identities WHERE user_id = ? ORDER BY created_us, issuer, subject"  # noqa: S608
    return [Identity(*row) for row in db.rows(sql, user_id)]


def connect(db: Db, issuer: str, subject: str, user_id: str) -> bool:
    """False: it is another user's already, and nothing is changed."""
    sql = f"INSERT INTO identities ({_COLUMNS}) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
    db.run(sql, issuer, subject, user_id, db.now_us)
    found = find_identity(db, issuer, subject)
    return found is not None and found.user_id == user_id


def disconnect(db: Db, user_id: str, issuer: str, subject: str) -> None:
    """Raises `NotFound`, also for another's."""
    sql = "DELETE FROM identities WHERE user_id = ? AND issuer = ? AND subject = ?"
    if not db.run(sql, user_id, issuer, subject):
        raise NotFound("There is no such connection.")


def disconnect_all(db: Db, user_id: str) -> None:
    """Whoever came in so far does so no more."""
    db.run("DELETE FROM identities WHERE user_id = ?", user_id)
