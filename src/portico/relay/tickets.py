"""Tickets for files that come in pieces: what the gateway's own address for one says, so that any worker can go on with it.

Google's clients show no key where they bring the pieces, so that the address itself must say who may. It says for whom the
file is, where and with which credential it was begun, and until when; its seal is made with that credential, which nobody
but the gateway and its provider has. A ticket opens nothing else. Providers that want no credential have no tickets.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from portico.providers import Provider, Secret

LASTS_S: Final = 24 * 3600
MAX_LENGTH: Final = 8192
_SEAL_BYTES: Final = 32


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """One file on its way. `credential` is the mark of the one it is brought with, `expires_s` in seconds since 1970."""

    tenant: str
    provider: str
    credential: str
    url: str
    """The provider's address for it."""
    expires_s: int

    @classmethod
    def read(cls, text: str, providers: Iterable[Provider], now: float) -> "Ticket | None":
        """What a ticket says; None for one that is forged, too old, or of a credential that is no longer there."""
        if len(text) > MAX_LENGTH:
            return None
        try:
            data = base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return None
        said, seal = data[:-_SEAL_BYTES], data[-_SEAL_BYTES:]
        for one in providers:
            for credential in one.keys:
                if can_seal(credential) and hmac.compare_digest(_sealed(said, credential), seal):
                    # Only what we wrote is read.
                    found = msgspec.json.decode(said, type=cls)
                    is_there = (found.provider, found.credential) == (one.name, credential.mark)
                    if is_there and is_at(found.url, one) and now < found.expires_s:
                        return found
        return None


def is_at(url: str, provider: Provider) -> bool:
    """Whether an address is the provider's. (It may have others for what comes in pieces.)"""
    try:
        there, base = urlsplit(url), urlsplit(provider.base_url)
    except ValueError:
        return False
    if there.netloc == base.netloc:
        return there.scheme == base.scheme
    return there.scheme == "https" and (there.hostname or "").endswith(GOOGLE)


GOOGLE: Final = ".googleapis.com"


def can_seal(credential: Secret) -> bool:
    """Whether nobody else can write what is sealed with it: a provider that wants no key has none that is secret."""
    return bool(credential.reveal())


def issued(tenant: str, provider: str, credential: Secret, url: str, now: float) -> str:
    """A ticket as it stands in an address."""
    said = msgspec.json.encode(Ticket(tenant, provider, credential.mark, url, int(now) + LASTS_S))
    return base64.urlsafe_b64encode(said + _sealed(said, credential)).rstrip(b"=").decode()


def _sealed(said: bytes, credential: Secret) -> bytes:
    key = hashlib.blake2b(credential.reveal().encode(), person=b"portico.ticket", digest_size=_SEAL_BYTES).digest()
    return hmac.digest(key, said, "sha256")
