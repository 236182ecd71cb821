"""People: users, and what they are in which account. Plain SQL on a transaction, as in `accounts/rows.py`.

    owner   everything, and says who else is what       admin   keys, limits, people but owners
    member  keys of their own, and what was used        viewer  what was used

An account that has an owner keeps one.
"""

from random import Random
from typing import Final

import msgspec

from portico.accounts.rows import LARGEST_PAGE, behind_of, show_account
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.core.ids import timed_id
from portico.core.lines import is_line
from portico.core.storage import Db
from portico.ledger.pay import lock_account

ROLES: Final = ("owner", "admin", "member", "viewer")
"""From most to least."""
MAX_EMAIL: Final = 254
_US: Final = 1_000_000


class User(msgspec.Struct, frozen=True):
    """A person."""

    id: str
    email: str
    name: str
    created_us: int
    disabled_us: int | None = None
    operator: int = 0
    """1: runs this Portico."""
    locale: str = ""
    """The language that was chosen; "": what the browser asks for."""


class Membership(msgspec.Struct, frozen=True):
    """What a person is in an account."""

    account_id: str
    user_id: str
    email: str
    role: str
    name: str = ""
    """How the person is called."""


USER_ROWS: Final = "SELECT id, email, name, created_us, disabled_us, operator, locale FROM users"


def create_user(db: Db, rng: Random, *, email: str, name: str = "") -> User:
    """A new person. The case of letters of an address does not count. Raises `InvalidRequest`; `Conflict` for an address
    that is taken."""
    address = address_of(email)
    _check_name(name)
    user_id = timed_id("user_", rng, db.now_us / _US)
    sql = "INSERT INTO users (id, email, name, created_us) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    if not db.run(sql, user_id, address, name, db.now_us):
        raise Conflict(f"There is a user of the address {address} already.", param="email")
    return show_user(db, user_id)


def show_user(db: Db, user: str) -> User:
    """A person by id, else by address. Raises `NotFound`."""
    rows = db.rows(f"{USER_ROWS} WHERE id = ?", user) or db.rows(f"{USER_ROWS} WHERE email = ?", user.strip().lower())
    if not rows:
        raise NotFound(f"There is no user {user[:MAX_EMAIL]!r}.")
    return User(*rows[0])


def user_of(db: Db, email: str) -> User | None:
    """A person by address; None: there is none."""
    rows = db.rows(f"{USER_ROWS} WHERE email = ?", email.strip().lower())
    return User(*rows[0]) if rows else None


def list_users(db: Db, *, after: str = "", limit: int = LARGEST_PAGE) -> list[User]:
    """A page of people, who came first in front, from behind `after` (an id) on."""
    behind, place = behind_of("users", after)
    sql = f"{USER_ROWS} WHERE 1 = 1{behind} ORDER BY created_us, id LIMIT ?"
    rows = db.rows(sql, *place, max(1, min(limit, LARGEST_PAGE)))
    return [User(*row) for row in rows]


def disable_user(db: Db, user: str) -> User:
    """A person who may do nothing until enabled. Keys are accounts' and not people's: they stay. Raises `NotFound`;
    `Conflict` for the last who runs this Portico."""
    found = show_user(db, user)
    _leave_an_operator(db, found.id)
    db.run("UPDATE users SET disabled_us = COALESCE(disabled_us, ?) WHERE id = ?", db.now_us, found.id)
    return show_user(db, found.id)


def enable_user(db: Db, user: str) -> User:
    """Raises `NotFound`."""
    found = show_user(db, user)
    db.run("UPDATE users SET disabled_us = NULL WHERE id = ?", found.id)
    return show_user(db, found.id)


def set_operator(db: Db, user: str, operator: bool) -> User:
    """Lets a person run this Portico, or no longer. Raises `NotFound`; `Conflict` for the last who does."""
    found = show_user(db, user)
    if not operator:
        _leave_an_operator(db, found.id)
    db.run("UPDATE users SET operator = ? WHERE id = ?", int(operator), found.id)
    return show_user(db, found.id)


def rename_user(db: Db, user: str, name: str) -> User:
    """Raises `NotFound`, `InvalidRequest`."""
    found = show_user(db, user)
    _check_name(name)
    db.run("UPDATE users SET name = ? WHERE id = ?", name, found.id)
    return show_user(db, found.id)


def set_locale(db: Db, user_id: str, locale: str) -> None:
    db.run("UPDATE users SET locale = ? WHERE id = ?", locale, user_id)


def set_role(db: Db, account: str, user: str, role: str) -> Membership:
    """Makes a person this in an account. Raises `NotFound`, `InvalidRequest`; `Conflict` for its last owner."""
    if role not in ROLES:
        raise InvalidRequest(f"A role is one of {', '.join(ROLES)}.", param="role")
    found, person = show_account(db, account), show_user(db, user)
    if role != "owner":
        _leave_an_owner(db, found.id, person.id)
    sql = (
        "INSERT INTO memberships (account_id, user_id, role) VALUES (?, ?, ?)"
        " ON CONFLICT (account_id, user_id) DO UPDATE SET role = excluded.role"
    )
    db.run(sql, found.id, person.id, role)
    return Membership(found.id, person.id, person.email, role, person.name)


def remove_member(db: Db, account: str, user: str) -> None:
    """Raises `NotFound`; `Conflict` for its last owner."""
    found, person = show_account(db, account), show_user(db, user)
    _leave_an_owner(db, found.id, person.id)
    if not db.run("DELETE FROM memberships WHERE account_id = ? AND user_id = ?", found.id, person.id):
        raise NotFound(f"{person.email} is not a member of the account {found.name!r}.")


def role_of(db: Db, account_id: str, user_id: str) -> str | None:
    """What a person is in an account; None: nothing, or disabled."""
    sql = (
        "SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id"
        " WHERE m.account_id = ? AND m.user_id = ? AND u.disabled_us IS NULL"
    )
    rows = db.rows(sql, account_id, user_id)
    return rows[0][0] if rows else None


def members_of(db: Db, account: str) -> list[Membership]:
    """Everybody of an account, by address. Raises `NotFound`."""
    return _memberships(db, "m.account_id", show_account(db, account).id)


def memberships_of(db: Db, user: str) -> list[Membership]:
    """Everything a person is. Raises `NotFound`."""
    return _memberships(db, "m.user_id", show_user(db, user).id)


def _memberships(db: Db, column: str, value: str) -> list[Membership]:
    sql = (
        "SELECT m.account_id, m.user_id, u.email, m.role, u.name FROM memberships m JOIN users u ON u.id = m.user_id"  # noqa: S608
        f" WHERE {column} = ? ORDER BY u.email, m.account_id"
    )
    return [Membership(*row) for row in db.rows(sql, value)]


def _leave_an_owner(db: Db, account_id: str, but: str) -> None:
    """Raises `Conflict` if `but` is the one owner there is. Two owners who leave at once wait for each other."""
    lock_account(db, account_id)
    owners = db.rows("SELECT user_id FROM memberships WHERE account_id = ? AND role = 'owner'", account_id)
    if owners == [(but,)]:
        raise Conflict("An account keeps at least one owner: make somebody else one first.")


def _leave_an_operator(db: Db, but: str) -> None:
    """Raises `Conflict` if `but` is the one there is. The rows of all are touched first: two who stop at once wait
    for each other."""
    db.run("UPDATE users SET operator = operator WHERE operator = 1")
    if db.rows("SELECT id FROM users WHERE operator = 1 AND disabled_us IS NULL") == [(but,)]:
        raise Conflict("Somebody runs this Portico: make somebody else an operator first.")


def _check_name(name: str) -> None:
    if len(name) > 200 or not is_line(name):
        raise InvalidRequest("A name is a line of at most 200 characters.", param="name")


def address_of(email: str) -> str:
    """An address as it is kept. Raises `InvalidRequest`."""
    address = email.strip().lower()
    name, at, host = address.partition("@")
    if (
        not (name and at and host)
        or "@" in host
        or len(address) > MAX_EMAIL
        or not address.isprintable()
        or " " in address
    ):
        raise InvalidRequest("An address is written as name@host.", param="email")
    return address
