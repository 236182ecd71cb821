"""Keys and accounts in the store: every question and every change, as plain SQL on a transaction (`core.storage.Db`).

Each change raises `revisions.keys` and stamps the keys it concerns, in the same transaction; workers look twice a second
and read what is above the number they know (`changed_keys`). The number's row is changed first, so that two changes wait
for each other and numbers become visible in their order: a worker that has seen 8 has seen 7.
"""

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import Any, Final

import msgspec

from portico.accounts.keys import DEFAULT_TENANT, KeyRow, digest_of, new_key, visible_prefix
from portico.accounts.policy import Policy, changed, decode_policy, encode_policy
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.core.ids import timed_id
from portico.core.lines import is_line
from portico.core.storage import Db, Row, marks, raise_revision
from portico.ledger.windows import begin_budgets_anew

KINDS: Final = ("prepaid", "open")
DEFAULT_KEY: Final = "key_default"
"""The id of the key that PORTICO_API_KEY or the first start gave."""
MAX_NAME: Final = 200
LARGEST_PAGE: Final = 1000
_US: Final = 1_000_000


class Account(msgspec.Struct, frozen=True):
    """An account as it is shown. What may be spent is `posted_nanos - held_nanos`."""

    id: str
    name: str
    kind: str
    posted_nanos: int
    held_nanos: int
    created_us: int
    closed_us: int | None = None

    @property
    def available_nanos(self) -> int:
        return self.posted_nanos - self.held_nanos


class Key(msgspec.Struct, frozen=True):
    """A key as it is shown: all but its secret, which nobody has."""

    id: str
    account_id: str
    name: str
    prefix: str
    policy: Policy
    created_us: int
    expires_us: int | None = None
    disabled_us: int | None = None
    revoked_us: int | None = None
    previous_expires_us: int | None = None
    """Until when the secret it had before its rotation opens too."""
    user_id: str | None = None
    """Who looks after it, beside those who look after the account."""

    def state(self, now_us: int) -> str:
        """`active`, `disabled`, `expired` or `revoked`."""
        if self.revoked_us is not None:
            return "revoked"
        if self.expires_us is not None and now_us >= self.expires_us:
            return "expired"
        return "active" if self.disabled_us is None else "disabled"


class Issued(msgspec.Struct, frozen=True):
    """A key that was just made or rotated. Its secret is shown this once."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return f"Issued({self.key!r})"


# -- what workers read -------------------------------------------------------------------------------------------------

_CHANGED: Final = """\
SELECT k.id, k.account_id, k.digest, k.policy, k.expires_us, k.disabled_us, k.revoked_us, k.previous_digest,
       k.previous_expires_us, CASE a.kind WHEN 'prepaid' THEN 1 ELSE 0 END, a.closed_us, k.revision
FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.revision > ? ORDER BY k.revision"""
_PREPAID: Final = 9
"""Its column: a number in both databases."""


def changed_keys(db: Db, above: int = 0) -> list[KeyRow]:
    """The keys that have changed since a revision, for `Keyring.update`; above 0: all of them."""
    return [KeyRow(*row[:_PREPAID], *[bool(row[_PREPAID])], *row[_PREPAID + 1 :]) for row in db.rows(_CHANGED, above)]


# -- accounts ----------------------------------------------------------------------------------------------------------

_ACCOUNT: Final = "SELECT id, name, kind, posted_nanos, held_nanos, created_us, closed_us FROM accounts"


def create_account(db: Db, rng: Random, *, name: str, kind: str = "prepaid") -> Account:
    """A new account with nothing on it. Raises `InvalidRequest`, or `Conflict` if the name is taken."""
    _check_name(name)
    _check_kind(kind)
    account_id = timed_id("acc_", rng, db.now_us / _US)
    sql = "INSERT INTO accounts (id, name, kind, created_us) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    if not db.run(sql, account_id, name, kind, db.now_us):
        closed = db.rows("SELECT 1 FROM accounts WHERE name = ? AND closed_us IS NOT NULL", name)
        which = "a closed account" if closed else "an account"  # whose books go on under its name
        raise Conflict(f"There is {which} of the name {name!r} already.", param="name")
    return show_account(db, account_id)


def show_account(db: Db, account: str) -> Account:
    """An account by its id, else by its name. Raises `NotFound`."""
    rows = db.rows(f"{_ACCOUNT} WHERE id = ?", account) or db.rows(f"{_ACCOUNT} WHERE name = ?", account)
    if not rows:
        raise NotFound(f"There is no account {account[:MAX_NAME]!r}.")
    return Account(*rows[0])


def accounts_of(db: Db, ids: Collection[str]) -> dict[str, Account]:
    """Those of these ids that there are, by id: asked for together."""
    found = [Account(*row) for row in db.rows(f"{_ACCOUNT} WHERE id IN ({marks(ids)})", *ids)]
    return {account.id: account for account in found}


def list_accounts(db: Db, *, closed: bool = False, after: str = "", limit: int = LARGEST_PAGE) -> list[Account]:
    """A page of accounts, the oldest first, from behind `after` (an id) on; closed ones only if they are wanted."""
    which = " WHERE 1 = 1" if closed else " WHERE closed_us IS NULL"
    behind, place = behind_of("accounts", after)
    rows = db.rows(f"{_ACCOUNT}{which}{behind} ORDER BY created_us, id LIMIT ?", *place, _page(limit))
    return [Account(*row) for row in rows]


def behind_of(table: str, after: str) -> tuple[str, Sequence[str]]:
    """What is behind the row of that id in an order by `created_us, id`, as a condition and its values. Ids sort by time as
    well where they are compared by their bytes, but not in every language of a PostgreSQL database."""
    if not after:
        return "", ()
    return f" AND (created_us, id) > (SELECT created_us, id FROM {table} WHERE id = ?)", (after,)  # noqa: S608


def set_account_kind(db: Db, account: str, kind: str) -> Account:
    """Makes an account prepaid or open. Its keys are what workers know of it. Raises `NotFound`, `InvalidRequest`."""
    _check_kind(kind)
    revision, found = raise_revision(db, "keys"), show_account(db, account)
    db.run("UPDATE accounts SET kind = ?, revision = ? WHERE id = ?", kind, revision, found.id)
    _stamp_account(db, found.id, revision)
    return show_account(db, found.id)


def close_account(db: Db, account: str) -> Account:
    """Closes an account: its keys open nothing from now on. Nothing of its books goes away, since they add up. Closing it
    again changes nothing. Raises `NotFound`, and `InvalidRequest` for the built-in account."""
    revision, found = raise_revision(db, "keys"), show_account(db, account)
    if found.id == DEFAULT_TENANT:
        raise InvalidRequest("The built-in account 'default' cannot be closed; revoke its keys instead.")
    sql = "UPDATE accounts SET closed_us = ?, revision = ? WHERE id = ? AND closed_us IS NULL"
    if db.run(sql, db.now_us, revision, found.id):
        _stamp_account(db, found.id, revision)
    return show_account(db, found.id)


def _stamp_account(db: Db, account_id: str, revision: int) -> None:
    db.run("UPDATE keys SET revision = ? WHERE account_id = ?", revision, account_id)


# -- keys --------------------------------------------------------------------------------------------------------------

_KEY: Final = (
    "SELECT id, account_id, name, prefix, policy, created_us, expires_us, disabled_us, revoked_us, previous_expires_us,"
    " user_id FROM keys"
)


def create_key(
    db: Db,
    rng: Random,
    *,
    account: str = DEFAULT_TENANT,
    name: str = "",
    policy: Mapping[str, Any] | None = None,
    expires_us: int | None = None,
    user_id: str | None = None,
) -> Issued:
    """A new key of an account, which is named by id or name. `policy`: plain JSON values (`Policy`). `user_id`: who looks
    after it, of those who are of the account.

    Raises `NotFound`; `InvalidRequest` with the field's name; `Conflict` if the account is closed.
    """
    _check_name(name, empty=True)
    kept = encode_policy(changed(Policy(), policy or {}))
    _check_expiry(db, expires_us)
    revision, found = raise_revision(db, "keys"), show_account(db, account)
    if found.closed_us is not None:
        raise Conflict(f"The account {found.name!r} is closed.")
    of_it = "SELECT 1 FROM memberships WHERE account_id = ? AND user_id = ?"
    if user_id is not None and not db.rows(of_it, found.id, user_id):
        raise InvalidRequest("Who looks after a key is of its account, and this user is not.", param="user")
    secret, key_id = new_key(rng), timed_id("key_", rng, db.now_us / _US)
    sql = (
        "INSERT INTO keys (id, account_id, name, prefix, digest, policy, created_us, expires_us, revision, user_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    prefix, digest = visible_prefix(secret), digest_of(secret)
    db.run(sql, key_id, found.id, name, prefix, digest, kept, db.now_us, expires_us, revision, user_id)
    return Issued(show_key(db, key_id), secret)


def show_key(db: Db, key_id: str, *, account_id: str | None = None) -> Key:
    """A key by its id; with an account given, only if it is of that. Raises `NotFound`."""
    rows = db.rows(f"{_KEY} WHERE id = ?", key_id)
    if not rows or account_id not in (None, rows[0][1]):
        raise NotFound(f"There is no key {key_id[:MAX_NAME]!r}.")
    return _key(rows[0])


def list_keys(db: Db, *, account: str | None = None, after: str = "", limit: int = LARGEST_PAGE) -> list[Key]:
    """A page of keys, the oldest first, from behind `after` (an id) on: of one account (id or name) or of all. Raises
    `NotFound`."""
    which, whose = (
        (" WHERE 1 = 1", []) if account is None else (" WHERE account_id = ?", [show_account(db, account).id])
    )
    behind, place = behind_of("keys", after)
    sql = f"{_KEY}{which}{behind} ORDER BY created_us, id LIMIT ?"
    return [_key(row) for row in db.rows(sql, *whose, *place, _page(limit))]


def rotate_key(db: Db, rng: Random, key_id: str, *, overlap_s: int = 0) -> Issued:
    """Gives a key another secret. The one it has opens for `overlap_s` seconds more, beside the new one; of one that was
    still open from an earlier rotation this is the end. The key keeps its id, and with it limits, budgets and receipts.

    Raises `NotFound`; `Conflict` for a key that is revoked or has expired; `InvalidRequest`.
    """
    if not 0 <= overlap_s <= 366 * 86_400:
        raise InvalidRequest("An overlap is between 0 seconds and a year.", param="overlap_s")
    revision, found = raise_revision(db, "keys"), show_key(db, key_id)
    if (state := found.state(db.now_us)) in ("revoked", "expired"):
        raise Conflict(f"The key {key_id} is {state}, and cannot be rotated.")
    secret = new_key(rng)
    sql = (
        "UPDATE keys SET previous_digest = digest, previous_expires_us = ?, digest = ?, prefix = ?, revision = ?"
        " WHERE id = ?"
    )
    ends_us = db.now_us + overlap_s * _US
    db.run(sql, ends_us, digest_of(secret), visible_prefix(secret), revision, key_id)
    return Issued(show_key(db, key_id), secret)


def revoke_key(db: Db, key_id: str) -> Key:
    """Revokes a key for good, with the secret of before a rotation. Doing it again changes nothing. Raises `NotFound`."""
    return _change_key(db, key_id, "revoked_us = COALESCE(revoked_us, ?)", db.now_us)


def disable_key(db: Db, key_id: str) -> Key:
    """Disables a key until it is enabled. Raises `NotFound`."""
    return _change_key(db, key_id, "disabled_us = COALESCE(disabled_us, ?)", db.now_us)


def enable_key(db: Db, key_id: str) -> Key:
    """Raises `NotFound`."""
    return _change_key(db, key_id, "disabled_us = ?", None)


def rename_key(db: Db, key_id: str, name: str) -> Key:
    """Raises `NotFound`, `InvalidRequest`."""
    _check_name(name, empty=True)
    return _change_key(db, key_id, "name = ?", name)


def set_expiry(db: Db, key_id: str, expires_us: int | None) -> Key:
    """When a key expires; None: never. Raises `NotFound`, `InvalidRequest` for a time that has passed."""
    _check_expiry(db, expires_us)
    return _change_key(db, key_id, "expires_us = ?", expires_us)


def set_policy(db: Db, key_id: str, fields: Mapping[str, Any]) -> Key:
    """Changes these fields of a key's policy; a null is back to the default. Raises `NotFound`, `InvalidRequest`."""
    revision, found = raise_revision(db, "keys"), show_key(db, key_id)
    policy = encode_policy(changed(found.policy, fields))
    db.run("UPDATE keys SET policy = ?, revision = ? WHERE id = ?", policy, revision, key_id)
    begin_budgets_anew(db, key_id)
    return show_key(db, key_id)


def _change_key(db: Db, key_id: str, change: str, value: int | str | None) -> Key:
    revision = raise_revision(db, "keys")
    db.run(f"UPDATE keys SET {change}, revision = ? WHERE id = ?", value, revision, key_id)  # noqa: S608
    return show_key(db, key_id)


def _key(row: Row) -> Key:
    key_id, account_id, name, prefix, policy, *times = row
    return Key(key_id, account_id, name, prefix, decode_policy(policy), *times)


# -- the built-in account ----------------------------------------------------------------------------------------------


def ensure_default_account(db: Db) -> None:
    """The built-in open account, without a key."""
    account = "INSERT INTO accounts (id, name, kind, created_us) VALUES (?, ?, 'open', ?) ON CONFLICT DO NOTHING"
    db.run(account, DEFAULT_TENANT, DEFAULT_TENANT, db.now_us)


def ensure_default(db: Db, secret: str) -> None:
    """The built-in open account, and its built-in key with this secret: PORTICO_API_KEY, or the one of the first start.

    Done at every start. Another secret takes the place of the one there was, which opens nothing from then on; the same
    one changes nothing, so that a key that was revoked or disabled stays so. If the secret is that of a key made otherwise,
    that key stays what it is, and the built-in one is revoked.
    """
    digest = digest_of(secret)
    ensure_default_account(db)
    if db.rows("SELECT 1 FROM keys WHERE id = ? AND digest = ?", DEFAULT_KEY, digest):
        return
    revision = raise_revision(db, "keys")
    if db.rows("SELECT 1 FROM keys WHERE digest = ? AND id <> ?", digest, DEFAULT_KEY):
        sql = "UPDATE keys SET revoked_us = COALESCE(revoked_us, ?), revision = ? WHERE id = ?"
        db.run(sql, db.now_us, revision, DEFAULT_KEY)
        return
    sql = (
        "INSERT INTO keys (id, account_id, name, prefix, digest, created_us, revision) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, prefix = excluded.prefix, revision = excluded.revision,"
        " previous_digest = NULL, previous_expires_us = NULL, disabled_us = NULL, revoked_us = NULL"
    )
    prefix = visible_prefix(secret)
    db.run(sql, DEFAULT_KEY, DEFAULT_TENANT, DEFAULT_TENANT, prefix, digest, db.now_us, revision)


# -- checks ------------------------------------------------------------------------------------------------------------


def _check_name(name: str, *, empty: bool = False) -> None:
    if (not name and not empty) or len(name) > MAX_NAME or name != name.strip() or not is_line(name):
        raise InvalidRequest(
            "A name is a line of at most 200 characters, with no space at its ends and none that cannot be seen.",
            param="name",
        )


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InvalidRequest(f"An account is one of {', '.join(KINDS)}.", param="kind")


def _check_expiry(db: Db, expires_us: int | None) -> None:
    if expires_us is not None and expires_us <= db.now_us:
        raise InvalidRequest("The expiry is in the past.", param="expires")


def _page(limit: int) -> int:
    return max(1, min(limit, LARGEST_PAGE))
