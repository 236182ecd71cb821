"""Passwords: what may be one, how it is kept, and whether it was said. Plain SQL on a transaction, as in
`accounts/rows.py`; hashing is beside any transaction and beside the loop.

A hash takes 19 MiB and some 50 ms (argon2id, t=2, p=1: OWASP's least), so that two threads of their own do it, whoever
asks, and who would wait too long is refused. An address that nobody has takes as long as one that somebody has.
"""

import asyncio
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from portico.core.errors import GatewayBusy, InvalidRequest
from portico.core.storage import Db

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")
SHORTEST: Final = 10
LONGEST: Final = 256
THREADS: Final = 2
MOST_WAITING: Final = 64
"""Some two seconds' work."""


class Checked(msgspec.Struct, frozen=True):
    """What came of a password that was said."""

    good: bool
    rehashed: str | None = None
    """What to keep in place of the hash there was, which was made with other parameters."""


# -- in the store


def stored_hash(db: Db, user_id: str) -> str | None:
    """None: this person has no password."""
    rows = db.rows("SELECT hash FROM passwords WHERE user_id = ?", user_id)
    return str(rows[0][0]) if rows else None


def keep_hash(db: Db, user_id: str, hashed: str) -> None:
    """In place of the one there was."""
    sql = (
        "INSERT INTO passwords (user_id, hash, changed_us) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_us = excluded.changed_us"
    )
    db.run(sql, user_id, hashed, db.now_us)


def replace_hash(db: Db, user_id: str, was: str, hashed: str) -> bool:
    """Keeps the same password with other parameters. False: another was set meanwhile, and nothing is changed."""
    return bool(db.run("UPDATE passwords SET hash = ? WHERE user_id = ? AND hash = ?", hashed, user_id, was))


# -- beside it


def check_new(password: str, *, email: str = "", param: str = "password") -> None:
    """Whether this may be a password of this person. Raises `InvalidRequest`."""
    if len(password) < SHORTEST:
        raise InvalidRequest("A password has at least 10 characters.", param=param)
    if len(password) > LONGEST:
        raise InvalidRequest("A password has at most 256 characters.", param=param)
    if email and _plain(password).strip().lower() == email.strip().lower():
        raise InvalidRequest("Your e-mail address is no password.", param=param)


async def hash_of(password: str) -> str:
    """What is kept of it. Raises `GatewayBusy`."""
    return await _beside(lambda: _hasher().hash(_plain(password)))


async def check(password: str, stored: str | None) -> Checked:
    """Whether this password was kept so. None: there is none, and that takes as long to find out. Raises `GatewayBusy`."""
    return await _beside(lambda: _check(password, stored))


def _check(password: str, stored: str | None) -> Checked:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - see _hasher

    hasher, nobodys = _hasher(), _nobodys()
    said = _plain(password[: LONGEST + 1])
    try:
        hasher.verify(nobodys if stored is None else stored, said)
    except (VerificationError, InvalidHashError):
        return Checked(False)
    if stored is None:
        return Checked(False)
    return Checked(True, hasher.hash(said) if hasher.check_needs_rehash(stored) else None)


def _plain(password: str) -> str:
    """A password is the same however a keyboard puts its letters together (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> "PasswordHasher":
    """Loaded when somebody first signs in: a gateway that only answers calls has no use for it."""
    from argon2 import PasswordHasher  # noqa: PLC0415

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody's")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")


_waiting = threading.Semaphore(MOST_WAITING)


async def _beside(work: Callable[[], T]) -> T:
    if not _waiting.acquire(blocking=False):
        raise GatewayBusy("Too many people sign in at once. Try again in a moment.")
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads(), work)
    finally:
        _waiting.release()
