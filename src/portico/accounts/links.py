"""Links that work once: the first start, an invitation, another password. Plain SQL on a transaction, as in
`accounts/rows.py`.

A link is a secret in an address and a row with its digest: whoever reads the database can follow none. Whether one was
used is decided by the row that is marked, so that of two who follow it at once one comes in.
"""

from random import Random
from typing import Final

import msgspec

from portico.accounts.keys import digest_of
from portico.core.errors import NotFound
from portico.core.ids import random_token
from portico.core.storage import Db, Row

FIRST_START: Final = "first_start"
INVITE: Final = "invite"
RESET: Final = "reset"
_HOUR_US: Final = 3_600_000_000
LIFE_US: Final = {FIRST_START: 24 * _HOUR_US, INVITE: 7 * 24 * _HOUR_US, RESET: 24 * _HOUR_US}
"""A link for another password is handed on by an operator, perhaps by mail: it may take its day."""
PATHS: Final = {FIRST_START: "/first-start/", INVITE: "/invite/", RESET: "/reset/"}
PIECE: Final = 500
_SECRET_CHARACTERS: Final = 43


class Link(msgspec.Struct, frozen=True):
    """What a link is for."""

    id: str
    """Its digest, which opens nothing."""
    purpose: str
    user_id: str | None
    """Whose password."""
    email: str
    """Who is invited."""
    account_id: str | None
    role: str | None
    operator: int
    made_by: str
    created_us: int
    expires_us: int


class Made(msgspec.Struct, frozen=True):
    """A link that was just made. Its secret is shown this once."""

    link: Link
    secret: str

    @property
    def path(self) -> str:
        return f"{PATHS[self.link.purpose]}{self.secret}"

    def __repr__(self) -> str:
        return f"Made({self.link!r})"


_COLUMNS: Final = "digest, purpose, user_id, email, account_id, role, operator, made_by, created_us, expires_us"
_OPEN: Final = "used_us IS NULL AND expires_us > ?"


def make_link(
    db: Db,
    rng: Random,
    purpose: str,
    *,
    user_id: str | None = None,
    email: str = "",
    account_id: str | None = None,
    role: str | None = None,
    operator: bool = False,
    made_by: str = "",
) -> Made:
    """`rng` is the system's own."""
    secret = random_token(rng, _SECRET_CHARACTERS)
    now = db.now_us
    row: Row = (
        *(digest_of(secret), purpose, user_id, email, account_id, role, int(operator), made_by),
        *(now, now + LIFE_US[purpose]),
    )
    db.run(f"INSERT INTO links ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)  # noqa: S608
    return Made(Link(*row), secret)


def find_link(db: Db, secret: str, purpose: str) -> Link:
    """What a link is for that still works; it is not used by that. Raises `NotFound`."""
    sql = f"SELECT {_COLUMNS} FROM links WHERE digest = ? AND purpose = ? AND {_OPEN}"  # noqa: S608
    return _one(db.rows(sql, digest_of(secret), purpose, db.now_us))


def use_link(db: Db, secret: str, purpose: str) -> Link:
    """Uses a link up. Raises `NotFound` for one that was, is too old, or never was."""
    sql = f"UPDATE links SET used_us = ? WHERE digest = ? AND purpose = ? AND {_OPEN} RETURNING {_COLUMNS}"  # noqa: S608
    return _one(db.rows(sql, db.now_us, digest_of(secret), purpose, db.now_us))


def open_invitations(db: Db, account_id: str) -> list[Link]:
    """Of an account, those that nobody has followed yet; the newest in front."""
    sql = f"SELECT {_COLUMNS} FROM links WHERE account_id = ? AND purpose = ? AND {_OPEN}"  # noqa: S608
    return [Link(*row) for row in db.rows(f"{sql} ORDER BY created_us DESC, digest", account_id, INVITE, db.now_us)]


def withdraw_invitation(db: Db, account_id: str, link_id: str) -> Link:
    """Raises `NotFound`, also for another account's."""
    sql = (
        f"DELETE FROM links WHERE digest = ? AND account_id = ? AND purpose = ? AND {_OPEN}"  # noqa: S608
        f" RETURNING {_COLUMNS}"
    )
    return _one(db.rows(sql, link_id, account_id, INVITE, db.now_us))


def withdraw_invitations(db: Db, email: str, account_id: str | None) -> None:
    """Who is invited again follows the newer link."""
    if account_id is None:
        db.run("DELETE FROM links WHERE purpose = ? AND email = ? AND account_id IS NULL", INVITE, email)
    else:
        db.run("DELETE FROM links WHERE purpose = ? AND email = ? AND account_id = ?", INVITE, email, account_id)


def withdraw_invitations_of(db: Db, made_by: str, account_id: str | None = None) -> None:
    """What somebody has invited to, an account or all of them, opens nothing any more: they may not invite."""
    sql = "DELETE FROM links WHERE purpose = ? AND made_by = ? AND used_us IS NULL"
    if account_id is None:
        db.run(sql, INVITE, made_by)
    else:
        db.run(f"{sql} AND account_id = ?", INVITE, made_by, account_id)


def withdraw_resets(db: Db, user_id: str) -> None:
    """What was sent for another password opens nothing any more."""
    db.run("DELETE FROM links WHERE purpose = ? AND user_id = ?", RESET, user_id)


def offer_first_start(db: Db, rng: Random) -> str | None:
    """The path of a link that makes whoever follows it an operator, in place of the one there was; None where somebody
    runs this Portico already."""
    db.run("DELETE FROM links WHERE purpose = ?", FIRST_START)
    if has_operator(db):
        return None
    return make_link(db, rng, FIRST_START, operator=True, made_by="serve").path


def has_operator(db: Db) -> bool:
    return bool(db.rows("SELECT 1 FROM users WHERE operator = 1 AND disabled_us IS NULL LIMIT 1"))


def sweep(db: Db) -> int:
    """Removes a piece of what is over; how many."""
    sql = "DELETE FROM links WHERE digest IN (SELECT digest FROM links WHERE expires_us < ? LIMIT ?)"
    return db.run(sql, db.now_us, PIECE)


def _one(rows: list[Row]) -> Link:
    if not rows:
        raise NotFound("This link is no longer good. It works once, and for a time only.")
    return Link(*rows[0])
