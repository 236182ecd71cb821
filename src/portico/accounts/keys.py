"""Virtual keys: finding the one a caller presents, and telling whose it is and what it may do.

A worker holds all keys in memory, by digest, and is told of changes (`update`); nobody asks the database who a caller is.
So a database that cannot be reached turns no caller away (complaint 17): the last known keys stay in force.
"""

import hashlib
import hmac
import logging
from collections.abc import Iterable, Mapping
from random import Random
from typing import Final

import msgspec

from portico.accounts.policy import UNLIMITED, Policy, decode_policy, is_allowed
from portico.core.errors import AuthenticationFailed, InvalidRequest, StorageUnavailable
from portico.core.ids import random_token

log = logging.getLogger("portico.accounts")

KEY_PREFIX: Final = "sk-portico-"
_KEY_CHARACTERS: Final = 40
_SHOWN_CHARACTERS: Final = 4
DEFAULT_TENANT: Final = "default"
"""The built-in account: `open`, for whoever runs Portico for themself."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls: the tenant everything is kept and counted under, the key it was told by, and what that may do."""

    tenant: str
    """The account's id."""
    key_id: str = ""
    policy: Policy = UNLIMITED
    prepaid: bool = False
    """The account pays in advance: its balance limits it."""


class KeyRow(msgspec.Struct, frozen=True):
    """A key as the store has it, joined with its account. Digests are SHA-256 in hex; times microseconds since 1970."""

    id: str
    account_id: str
    digest: str
    policy: str = "{}"
    expires_us: int | None = None
    disabled_us: int | None = None
    revoked_us: int | None = None
    previous_digest: str | None = None
    """Of the secret it had before its rotation, which still opens until `previous_expires_us`."""
    previous_expires_us: int | None = None
    prepaid: bool = False
    closed_us: int | None = None
    """When its account was closed."""
    revision: int = 0


NO_KEY: Final = (
    "No API key was given. Send it as 'Authorization: Bearer YOUR_KEY', or in the header x-api-key or x-goog-api-key."
)


class NoKey(AuthenticationFailed):
    """No API key was given."""


class UnknownKey(AuthenticationFailed):
    """This API key is none that is known here."""


def presented_key(headers: Mapping[str, str], in_query: str | None = None) -> str | None:
    """The key in `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`, else the one in the query (`?key=`).

    Header names are lower case.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and (value := value.strip()):
        return value
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or in_query or None


def new_key(rng: Random) -> str:
    """A fresh key. `rng` is the system's own: a key is as secret as its dice."""
    return KEY_PREFIX + random_token(rng, _KEY_CHARACTERS)


def digest_of(key: str) -> str:
    """What is kept of a key. It has 238 bits of chance, so that a plain SHA-256 is as good as a slow one."""
    return _digest(key).hex()


def seal_of(digest: str, secret: str) -> str:
    """Proof that a page of ours lent a key of this digest to the session of this secret. Only who knows what is kept of
    the key can make it, and every worker can check it without asking anybody."""
    return hmac.new(digest.encode(), b"lent to " + secret.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:40]


def visible_prefix(key: str) -> str:
    """By what a person knows a key again: its first characters, of a key that is long enough to give them away."""
    shown = len(KEY_PREFIX) if key.startswith(KEY_PREFIX) else 0
    shown += _SHOWN_CHARACTERS
    return key[:shown] if len(key) >= shown + 12 else ""


class _Known(msgspec.Struct, frozen=True):
    """What one secret opens."""

    caller: Caller
    expires_us: int | None
    allow_ips: tuple[str, ...]
    refusal: str | None
    """Why it opens nothing; None: it does."""
    unreadable: bool = False


class Keyring:
    """The keys that open this gateway: a snapshot, changed by `update` on the loop that also asks it.

    Keys are looked up by digest in a dictionary, not compared in constant time: what the time of a look-up could tell is of
    the digest of a guess, which leads back to no key. Nothing is remembered of a key beside its digest.
    """

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        """`keys`: key -> tenant, for a gateway without a store: open accounts, no limits."""
        self._known: dict[bytes, _Known] = {}
        self._rows: dict[str, tuple[int, tuple[bytes, ...]]] = {}
        """Key id -> the revision that is known of it, and the digests it has."""
        self.revision = 0
        """The highest of the rows it was made of: `update` wants those above it."""
        for number, (key, tenant) in enumerate((keys or {}).items()):
            self._put(KeyRow(f"key_{number}", tenant, digest_of(key)))

    @classmethod
    def of(cls, rows: Iterable[KeyRow]) -> "Keyring":
        keyring = cls()
        keyring.update(rows)
        return keyring

    def __len__(self) -> int:
        """How many keys it knows, of whatever state."""
        return len(self._rows)

    def update(self, rows: Iterable[KeyRow]) -> None:
        """Takes in keys that are new or have changed, themselves or their account, in the order of their revisions. A row
        that was read before what is known of its key changes nothing."""
        for row in rows:
            if row.id not in self._rows or row.revision >= self._rows[row.id][0]:
                self._put(row)
            self.revision = max(self.revision, row.revision)

    def authenticate(
        self, headers: Mapping[str, str], in_query: str | None = None, *, peer: str = "", now_us: int = 0
    ) -> Caller:
        """Whose key this is, wherever it was presented; `peer` is the address of who presents it.

        Raises `AuthenticationFailed`, also where the key is used from an address it is not meant for: a 401 tells every
        client that this key does not open here, and a 403 is understood as well as that by fewer. `StorageUnavailable`
        for a key whose settings cannot be read.
        """
        known = self._find(headers, in_query, now_us)
        return _from(known, peer) if known.allow_ips else known.caller

    def lend(self, key_id: str, *, peer: str = "", now_us: int = 0) -> Caller:
        """Who calls with this key, by its id: for whoever was found to be entitled to it without bringing its secret.
        Raises as `authenticate` does."""
        known = next((self._known[one] for one in self._digests(key_id)), None)
        if known is None:
            raise UnknownKey("There is no such API key.")
        return _from(_opened(known, now_us), peer)

    def is_sealed(self, key_id: str, seal: str, secret: str) -> bool:
        """Whether `seal_of` made this, of the key as it is now and of this secret; never of one that opens nothing."""
        now = next(iter(self._digests(key_id)), None)
        if now is None or self._known[now].refusal is not None:
            return False
        return hmac.compare_digest(seal_of(now.hex(), secret).encode(), seal.encode("utf-8", "replace"))

    def _digests(self, key_id: str) -> list[bytes]:
        """Of a key's secrets, the one it has now in front."""
        held = self._rows.get(key_id, (0, ()))[1]
        return [one for one in held if one in self._known and self._known[one].caller.key_id == key_id]

    def recognise(self, headers: Mapping[str, str], in_query: str | None = None, *, now_us: int = 0) -> Caller:
        """As `authenticate`, from wherever: for who does not know the caller's address yet."""
        return self._find(headers, in_query, now_us).caller

    def _find(self, headers: Mapping[str, str], in_query: str | None, now_us: int) -> _Known:
        key = presented_key(headers, in_query)
        if key is None:
            raise NoKey(NO_KEY)
        known = self._known.get(_digest(key))
        if known is None:
            ours = "" if key.startswith(KEY_PREFIX) else " It has to be a key of this gateway, not one of a provider's."
            raise UnknownKey(f"Incorrect API key provided: {_shown(key)}.{ours}")
        if known.refusal is None and known.expires_us is None:  # as of most keys
            return known
        return _opened(known, now_us)

    def _put(self, row: KeyRow) -> None:
        for digest in self._rows.get(row.id, (0, ()))[1]:
            # Another key may have the digest by now: a secret can move from one row to another.
            if digest in self._known and self._known[digest].caller.key_id == row.id:
                del self._known[digest]
        found = _known_of(row)
        secrets = [(row.digest, row.expires_us)]
        if row.previous_digest is not None and row.previous_expires_us is not None:
            secrets.append((row.previous_digest, _earlier(row.expires_us, row.previous_expires_us)))
        opened = {bytes.fromhex(of): msgspec.structs.replace(found, expires_us=until) for of, until in secrets}
        self._known.update(opened)
        self._rows[row.id] = (row.revision, tuple(opened))


def _opened(known: _Known, now_us: int) -> _Known:
    """The same, if it opens anything now. Raises why it does not."""
    if known.refusal is not None:
        error = StorageUnavailable if known.unreadable else AuthenticationFailed
        raise error(known.refusal)
    if known.expires_us is not None and now_us >= known.expires_us:
        raise AuthenticationFailed("This API key has expired.")
    return known


def _from(known: _Known, peer: str) -> Caller:
    if known.allow_ips and not is_allowed(peer, known.allow_ips):
        raise AuthenticationFailed(f"This API key may not be used from {peer[:60] or 'an unknown address'}.")
    return known.caller


def _known_of(row: KeyRow) -> _Known:
    try:
        policy = decode_policy(row.policy)
    except InvalidRequest as error:
        log.error("the settings of key %s cannot be read, and it opens nothing: %s", row.id, error.message)
        caller, told = Caller(row.account_id, row.id, UNLIMITED, row.prepaid), _refusal(row)
        unreadable = told is None
        told = told or "The settings of this API key cannot be read right now."
        return _Known(caller, row.expires_us, (), told, unreadable)
    caller = Caller(row.account_id, row.id, policy, row.prepaid)
    return _Known(caller, row.expires_us, policy.allow_ips, _refusal(row))


def _refusal(row: KeyRow) -> str | None:
    if row.revoked_us is not None:
        return "This API key has been revoked."
    if row.disabled_us is not None:
        return "This API key is disabled."
    return "The account of this API key is closed." if row.closed_us is not None else None


def _earlier(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _shown(key: str) -> str:
    """Enough of a key to know it again, never enough to use it."""
    return f"{key[:3]}…{key[-2:]}" if len(key) > 12 else "too short to be one"
