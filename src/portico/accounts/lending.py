"""A key that somebody calls with who has signed in, and does not know its secret: nobody does, keys are kept as digests.

A page of ours brings the cookie of its session, the token that only our pages are told, and the key's id with a seal:

    cookie: portico=…      x-portico-token: …      x-portico-key: key_…[.SEAL]

The call is then made as that key: its limits, scope, budgets and addresses are in force, and its receipts are the key's.
Owners and admins may call with every key of their account, members with their own; viewers with none. Whoever may not (any
more) is refused at once, for the books are asked at every call.

The seal is what a long body is judged by before it is read, when nobody can be asked: without it whoever makes up a
session could take the room of those who have a key. A form that may be long brings one too, of whichever key, in the
address that it is sent to: `?seal=key_….SEAL`.
"""

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from portico.accounts.browser import (
    SESSION,
    TOKEN_HEADER,
    comes_from_here,
    cookie_name,
    cookies_of,
    is_token,
)
from portico.accounts.keys import Caller, Keyring, UnknownKey
from portico.accounts.policy import decode_policy
from portico.accounts.sessions import find_session
from portico.core.errors import AuthenticationFailed, InvalidRequest
from portico.core.storage import Db, Reading

KEY_HEADER: Final = "x-portico-key"
SEAL: Final = "seal"
"""In the address of a form, which a browser sends no headers of ours with."""
_EVERY_KEY: Final = ("owner", "admin")


class Lent(msgspec.Struct, frozen=True):
    """A key that a person may call with, as a page offers it."""

    id: str
    name: str
    prefix: str
    seal: str
    models: tuple[str, ...] = ()
    """Globs of the models it may ask; empty: all."""


class Lending:
    """Lends keys to those who have signed in. On the loop that serves calls."""

    def __init__(self, keyring: Keyring, reading: Reading, public_url: str | None = None) -> None:
        """`public_url`: where visitors see the house, if not at the Host of their requests."""
        self._keyring = keyring
        self._reading = reading
        self._secure = None if public_url is None else public_url.startswith("https://")
        self._host = "" if public_url is None else urlsplit(public_url).netloc

    async def caller(self, headers: Mapping[str, str], *, scheme: str, peer: str, now_us: int) -> Caller:
        """Who calls. Raises `AuthenticationFailed`, `StorageUnavailable`."""
        secret, key_id = self._brought(headers, secure=scheme == "https")
        if not await self._reading.read(lambda db: may_call(db, secret, key_id)):
            raise AuthenticationFailed(_NOT_YOURS)
        return self._keyring.lend(key_id, peer=peer, now_us=now_us)

    def recognise(self, headers: Mapping[str, str], sealed: str) -> None:
        """Whether a page of ours lent the key, or sealed the form, to the session that is brought; the rest is asked when
        the body is there. `sealed`: as `sealed_in` finds it. Raises `UnknownKey`, as of a key that was made, or has another
        secret, since the keys were read."""
        key_id, _, seal = sealed.partition(".")
        for secure in (True, False):  # by what they came is told later, as is what trusted proxies say of it
            secret = _secret_of(headers, secure=secure)
            if secret and self._keyring.is_sealed(key_id, seal, secret):
                return
        raise UnknownKey(_STALE)

    def _brought(self, headers: Mapping[str, str], *, secure: bool) -> tuple[str, str]:
        """A session's secret and a key's id, of a page of ours."""
        if not comes_from_here(headers, {headers.get("host", ""), self._host}):
            raise AuthenticationFailed(_ELSEWHERE)
        secret = _secret_of(headers, secure=secure if self._secure is None else self._secure)
        if not is_token(headers.get(TOKEN_HEADER, ""), secret):
            raise AuthenticationFailed(_STALE)
        return secret, _id_of(headers)


_ELSEWHERE: Final = "Only pages of this Portico may call with a key that was lent to them."
_STALE: Final = "You are not signed in, or have signed in anew since this page was opened. Open it again."
_NOT_YOURS: Final = "You are not signed in, or this API key is not one that you may call with."


def may_call(db: Db, secret: str, key_id: str) -> bool:
    """Whether whoever comes with this session's secret may call with a key. What state the key is in is the keyring's."""
    found = find_session(db, secret)
    if found is None:
        return False
    sql = (
        "SELECT m.role, k.user_id FROM keys k JOIN memberships m ON m.account_id = k.account_id AND m.user_id = ?"
        " WHERE k.id = ?"
    )
    user_id = found[1].id
    return any(_may(role, of, user_id) for role, of in db.rows(sql, user_id, key_id))


def sealed_in(headers: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    """The key's id and the seal that a request brings; "": none. `parameters`: of its query."""
    return headers.get(KEY_HEADER, parameters.get(SEAL, ""))


def seal_of_a_form(db: Db, seal: Callable[[str], str]) -> str:
    """What a form that may be long brings in its address: of a key that lasts. `seal`: as for `lent_keys`. "": no key
    opens anything."""
    sql = (
        "SELECT id, digest FROM keys WHERE revoked_us IS NULL AND disabled_us IS NULL"
        " AND (expires_us IS NULL OR expires_us > ?) ORDER BY COALESCE(expires_us, ?) DESC, id LIMIT 1"
    )
    return next((f"{key_id}.{seal(digest)}" for key_id, digest in db.rows(sql, db.now_us, _NEVER_US)), "")


_NEVER_US: Final = 2**62


def lent_keys(db: Db, seal: Callable[[str], str], *, user_id: str, account_id: str) -> list[Lent]:
    """The keys of an account that a person may call with now, the newest in front. `seal`: seals the digest of a key for
    their session (`keys.seal_of`)."""
    sql = (
        "SELECT k.id, k.name, k.prefix, k.digest, k.policy, m.role, k.user_id FROM keys k"
        " JOIN memberships m ON m.account_id = k.account_id AND m.user_id = ?"
        " WHERE k.account_id = ? AND k.revoked_us IS NULL AND k.disabled_us IS NULL"
        " AND (k.expires_us IS NULL OR k.expires_us > ?) ORDER BY k.created_us DESC, k.id"
    )
    rows = db.rows(sql, user_id, account_id, db.now_us)
    return [
        Lent(key_id, name, prefix, seal(digest), _models(policy))
        for key_id, name, prefix, digest, policy, role, of in rows
        if _may(role, of, user_id)
    ]


def _may(role: str, of: str | None, user_id: str) -> bool:
    return role in _EVERY_KEY or (role == "member" and of == user_id)


def _models(policy: str) -> tuple[str, ...]:
    try:
        return decode_policy(policy).models
    except InvalidRequest:
        return ()


def _secret_of(headers: Mapping[str, str], *, secure: bool) -> str:
    return cookies_of(headers.get("cookie", "")).get(cookie_name(SESSION, secure=secure), "")


def _id_of(headers: Mapping[str, str]) -> str:
    return headers.get(KEY_HEADER, "").partition(".")[0]
