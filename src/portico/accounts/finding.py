"""Finding keys among all there are: by how they begin, what they are called, or whose they are."""

from string import ascii_uppercase

import msgspec

from portico.accounts.keys import visible_prefix
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
_ASCII_LOWER = str.maketrans({letter: letter.lower() for letter in ascii_uppercase})
"""What LOWER does on SQLite, and in a PostgreSQL database of the language C. Elsewhere it knows more letters."""


class FoundKey(msgspec.Struct, frozen=True):
    """A key, and whose it is."""

    key: Key
    account_name: str


def find_keys(db: Db, text: str = "", *, account: str = "", before: str = "", limit: int = 100) -> list[FoundKey]:
    """A page of keys, the newest first, from before `before` on: of one account (by id) or of all; with a text those that
    it is part of the name, the account's name or the beginning of. A whole key is looked for by how it begins."""
    where, values = " WHERE 1 = 1", list[str]()
    if before:
        older = "(k.created_us, k.id) < (SELECT created_us, id FROM keys WHERE id = ?)"
        where, values = f"{where} AND {older}", [*values, before]
    if account:
        where, values = f"{where} AND k.account_id = ?", [*values, account]
    if text:
        begins = visible_prefix(text) or text
        told = [f"%{_escaped(lower)}%" for lower in (text.lower(), text.translate(_ASCII_LOWER))]
        where, values = where + _LIKE, [*values, *told, f"{_escaped(begins)}%", *told, text]
    rows = db.rows(f"{_FOUND}{where} ORDER BY k.created_us DESC, k.id DESC LIMIT ?", *values, limit)
    return [_found(row) for row in rows]


def _found(row: Row) -> FoundKey:
    key_id, account_id, name, prefix, policy, created, expires, disabled, revoked, previous, account_name = row
    times = (created, expires, disabled, revoked, previous)
    return FoundKey(Key(key_id, account_id, name, prefix, decode_policy(policy), *times), account_name)


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
