"""Sessions of people who are signed in. Plain SQL on a transaction, as in `accounts/rows.py`.

A session is a secret in a cookie and a row with its digest: whoever reads the database can sign in as nobody. A new sign-in
is a new secret, so that one that was planted before opens nothing. A session ends when its person ends it, is disabled or
sets another password, when it was not used for a week, and after a month in any case.
"""

from random import Random
from typing import Final

import msgspec

from portico.accounts.keys import digest_of
from portico.accounts.people import User, show_user
from portico.core.errors import NotFound
from portico.core.ids import random_token, timed_id
from portico.core.storage import Db

_US: Final = 1_000_000
LIFE_US: Final = 30 * 86_400 * _US
"""However much it is used."""
IDLE_US: Final = 7 * 86_400 * _US
SEEN_EVERY_US: Final = 300 * _US
"""How exact `seen_us` is: a page that is looked at writes nothing, most of the time."""
_SECRET_CHARACTERS: Final = 43
MAX_AGENT: Final = 300
PIECE: Final = 500


class Session(msgspec.Struct, frozen=True):
    """A session that is open, and whose it is."""

    id: str
    user_id: str
    account_id: str | None
    """Of a person's accounts, the one that was chosen."""
    agent: str
    address: str
    created_us: int
    seen_us: int
    expires_us: int


_SESSION: Final = "SELECT s.id, s.user_id, s.account_id, s.agent, s.address, s.created_us, s.seen_us, s.expires_us"


def open_session(db: Db, rng: Random, user: User, *, agent: str = "", address: str = "") -> str:
    """Signs a person in: the secret for the cookie, which is kept nowhere. `rng` is the system's own."""
    secret = random_token(rng, _SECRET_CHARACTERS)
    sql = (
        "INSERT INTO sessions (digest, id, user_id, agent, address, created_us, seen_us, expires_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    )
    told = "".join([one for one in agent if one.isprintable()])[:MAX_AGENT]
    session_id, now = timed_id("ses_", rng, db.now_us / _US), db.now_us
    db.run(sql, digest_of(secret), session_id, user.id, told, address[:100], now, now, now + LIFE_US)
    return secret


def find_session(db: Db, secret: str) -> tuple[Session, User] | None:
    """Who comes with this secret; None: nobody who is signed in."""
    sql = f"{_SESSION} FROM sessions s WHERE s.digest = ? AND s.expires_us > ? AND s.seen_us > ?"
    rows = db.rows(sql, digest_of(secret), db.now_us, db.now_us - IDLE_US)
    if not rows:
        return None
    session = Session(*rows[0])
    user = show_user(db, session.user_id)
    return None if user.disabled_us is not None else (session, user)


def note_seen(db: Db, session_id: str) -> None:
    """That a session was used just now."""
    db.run("UPDATE sessions SET seen_us = ? WHERE id = ? AND seen_us < ?", db.now_us, session_id, db.now_us)


def choose_account(db: Db, session_id: str, account_id: str) -> None:
    """Which of a person's accounts a session looks at. That they may is the caller's to know."""
    db.run("UPDATE sessions SET account_id = ? WHERE id = ?", account_id, session_id)


def sessions_of(db: Db, user_id: str) -> list[Session]:
    """A person's open sessions, the one that was used last in front."""
    sql = (
        f"{_SESSION} FROM sessions s WHERE s.user_id = ? AND s.expires_us > ? AND s.seen_us > ? ORDER BY s.seen_us DESC"
    )
    return [Session(*row) for row in db.rows(sql, user_id, db.now_us, db.now_us - IDLE_US)]


def end_session(db: Db, user_id: str, session_id: str) -> None:
    """Signs a session of this person out. Raises `NotFound`, also for another's."""
    if not db.run("DELETE FROM sessions WHERE id = ? AND user_id = ?", session_id, user_id):
        raise NotFound("There is no such session.")


def close_session(db: Db, session_id: str) -> None:
    """Signs a session out that was there a moment ago."""
    db.run("DELETE FROM sessions WHERE id = ?", session_id)


def end_sessions(db: Db, user_id: str, *, but: str = "") -> int:
    """Signs a person out everywhere, but for one session; of how many."""
    return db.run("DELETE FROM sessions WHERE user_id = ? AND id <> ?", user_id, but)


def sweep(db: Db) -> int:
    """Removes a piece of what is over; how many."""
    sql = "DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE expires_us < ? LIMIT ?)"
    return db.run(sql, db.now_us, PIECE)
