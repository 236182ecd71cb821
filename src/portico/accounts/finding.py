"""Finding keys among all there are, by how they begin, what they are called, or whose they are; and people."""

from string import ascii_uppercase

import msgspec

from portico.accounts.keys import visible_prefix
from portico.accounts.people import USER_ROWS, User
from portico.accounts.policy import decode_policy
from portico.accounts.rows import Key
from portico.core.storage import Db, Row

_FOUND = (
    "SELECT k.id, k.account_id, k.name, k.prefix, k.policy, k.created_us, k.expires_us, k.disabled_us, k.revoked_us,"
    " k.previous_expires_us, a.name FROM keys k JOIN accounts a ON a.id = k.account_id"
)
_LIKE = (
    " AND (LOWER(k.name) LIKE ? ESCAPE '!' OR LOWER(k.name) LIKE ? ESCAPE '!' OR k.prefix LIKE ? ESCAPE '!'"
    " OR LOWER(a.name) LIKE ? ESCAPE '!' OR LOWER(a.name) LIKE ? ESCAPE '!' OR k.id = ?)"
)
_LIKE_USER = (
    " AND (email LIKE ? ESCAPE '!' OR LOWER(name) LIKE ? ESCAPE '!' OR LOWER(name) LIKE ? ESCAPE '!' OR id = ?)"
)
_ASCII_LOWER = str.maketrans({letter: letter.lower() for letter in ascii_uppercase})
"""What LOWER does on SQLite, and in a PostgreSQL database of the language C. Elsewhere it knows more letters."""


class FoundKey(msgspec.Struct, frozen=True):
    """A key, and whose it is."""

    key: Key
    account_name: str


def find_keys(db: Db, text: str = "", *, account: str = "", before: str = "", limit: int = 100) -> list[FoundKey]:
    """A page of keys, the newest first, from before `before` on: of one account (by id) or of all; with a text those that
    it is part of the name, the account's name or the beginning of. A whole key is looked for by how it begins."""
    where, values = _before("keys", "k.", before)
    if account:
        where, values = f"{where} AND k.account_id = ?", [*values, account]
    if text:
        begins = visible_prefix(text) or text
        told = _within(text)
        where, values = where + _LIKE, [*values, *told, f"{_escaped(begins)}%", *told, text]
    rows = db.rows(f"{_FOUND}{where} ORDER BY k.created_us DESC, k.id DESC LIMIT ?", *values, limit)
    return [_found(row) for row in rows]


def find_users(db: Db, text: str = "", *, before: str = "", limit: int = 100) -> list[User]:
    """A page of people, the newest first, from before `before` (an id) on: with a text those whose address or name it is
    part of."""
    where, values = _before("users", "", before)
    if text:
        lower, ascii_lower = _within(text)
        where, values = where + _LIKE_USER, [*values, lower, lower, ascii_lower, text]
    rows = db.rows(f"{USER_ROWS}{where} ORDER BY created_us DESC, id DESC LIMIT ?", *values, limit)
    return [User(*row) for row in rows]


def _found(row: Row) -> FoundKey:
    key_id, account_id, name, prefix, policy, created, expires, disabled, revoked, previous, account_name = row
    times = (created, expires, disabled, revoked, previous)
    return FoundKey(Key(key_id, account_id, name, prefix, decode_policy(policy), *times), account_name)


def _before(table: str, of: str, row_id: str) -> tuple[str, list[str]]:
    if not row_id:
        return " WHERE 1 = 1", []
    older = f"({of}created_us, {of}id) < (SELECT created_us, id FROM {table} WHERE id = ?)"  # noqa: S608
    return f" WHERE {older}", [row_id]


def _within(text: str) -> list[str]:
    """What `LOWER(…) LIKE` takes, on either database."""
    return [f"%{_escaped(lower)}%" for lower in (text.lower(), text.translate(_ASCII_LOWER))]


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
