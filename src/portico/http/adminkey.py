"""Who is the administrator: whoever brings the admin key as a bearer token. Compared in constant time."""

import hmac
from collections.abc import Mapping

from portico.providers import Secret

CHALLENGE = ("www-authenticate", 'Bearer realm="portico admin"')


class AdminKey:
    """The one admin key; without one nobody is the administrator."""

    def __init__(self, secret: Secret | None) -> None:
        self._key = None if secret is None else secret.reveal().encode()

    def __bool__(self) -> bool:
        return self._key is not None

    def is_brought(self, headers: Mapping[str, str]) -> bool:
        """Whether these headers (names in lower case) carry it."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._key is None:
            return False
        return hmac.compare_digest(value.strip().encode("latin-1", "replace"), self._key)
