"""Virtual keys: finding the one a caller presents and telling whose it is. Keys are compared by digest only."""

import hashlib
import hmac
from collections.abc import Mapping
from random import Random
from typing import Final

import msgspec

from portico.core.errors import AuthenticationFailed
from portico.core.ids import random_token

KEY_PREFIX: Final = "sk-portico-"
_KEY_CHARACTERS: Final = 40
DEFAULT_TENANT: Final = "default"


class Caller(msgspec.Struct, frozen=True):
    """Who calls: the tenant everything is kept and counted under."""

    tenant: str


def presented_key(headers: Mapping[str, str], in_query: str | None = None) -> str | None:
    """The key in `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`, else the one in the query (`?key=`).

    Header names are lower case.
    """
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or in_query or None


NO_KEY: Final = (
    "No API key was given. Send it as 'Authorization: Bearer YOUR_KEY', or in the header x-api-key or x-goog-api-key."
)


def new_key(rng: Random) -> str:
    """A fresh key."""
    return KEY_PREFIX + random_token(rng, _KEY_CHARACTERS)


class Keyring:
    """The keys that open this gateway."""

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys`: key -> tenant."""
        self._tenants = [(_digest(key), tenant) for key, tenant in keys.items()]

    def authenticate(self, headers: Mapping[str, str], in_query: str | None = None) -> Caller:
        """Whose key this is, wherever it was presented. Raises `AuthenticationFailed`."""
        key = presented_key(headers, in_query)
        if key is None:
            raise AuthenticationFailed(NO_KEY)
        digest = _digest(key)
        for known, tenant in self._tenants:
            if hmac.compare_digest(known, digest):
                return Caller(tenant)
        raise AuthenticationFailed(f"Incorrect API key provided: {_shown(key)}.")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _shown(key: str) -> str:
    """Enough of a key to know it again, never enough to use it."""
    return f"{key[:3]}…{key[-2:]}" if len(key) > 12 else "too short to be one"
