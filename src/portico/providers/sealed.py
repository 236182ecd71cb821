"""Credentials, encrypted: AES-256-GCM, bound to the place they were stored in.

    version (1 byte) | id of the secret key (8) | nonce (12) | ciphertext and tag

The provider and the id of the credential are authenticated with it: a row that was changed, or moved under another
provider, does not open. `cryptography` is imported when something is sealed or opened, and not before.
"""

import secrets
from typing import Final

from portico.providers.secret_keys import ID_BYTES, KeyRing

VERSION: Final = 1
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_HEAD: Final = 1 + ID_BYTES + NONCE_BYTES


class CannotUnseal(Exception):
    """A stored credential does not open; the message names it and says what to do, and shows nothing of it."""


class SecretKeyMissing(CannotUnseal):
    """It was encrypted with a key that is not here."""


def seal(plain: str, ring: KeyRing, *, provider: str, credential: str) -> bytes:
    """A credential under the newest key. `credential`: its id."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - dear, and most houses store none

    head = bytes([VERSION]) + bytes.fromhex(ring.newest.id)
    nonce = secrets.token_bytes(NONCE_BYTES)
    bound = _bound(head, provider, credential)
    return head + nonce + AESGCM(ring.newest.material).encrypt(nonce, plain.encode(), bound)


def unseal(sealed: bytes, ring: KeyRing, *, provider: str, credential: str) -> str:
    """Raises `CannotUnseal`: the key is not here, or the row is not as it was stored."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    where = f"The credential {credential} of {provider}"
    if len(sealed) < _HEAD + TAG_BYTES or sealed[0] != VERSION:
        raise CannotUnseal(f"{where} is not in a form that this version of Portico knows. Remove it and add it again.")
    key_id = sealed[1 : 1 + ID_BYTES].hex()
    key = ring.get(key_id)
    if key is None:
        raise SecretKeyMissing(
            f"{where} was encrypted with the secret key {key_id}, which is not here. Name it in [secrets] old_keys, "
            "or remove the credential and add it again."
        )
    try:
        plain = AESGCM(key.material).decrypt(
            sealed[1 + ID_BYTES : _HEAD], sealed[_HEAD:], _bound(sealed[: 1 + ID_BYTES], provider, credential)
        )
    except InvalidTag:
        raise CannotUnseal(
            f"{where} is not what was stored: it was changed in the database, or comes from another row. "
            "Remove it and add it again."
        ) from None
    return plain.decode()


def reseal(sealed: bytes, ring: KeyRing, *, provider: str, credential: str) -> bytes:
    """The same credential under the newest key. Raises as `unseal` does."""
    plain = unseal(sealed, ring, provider=provider, credential=credential)
    return seal(plain, ring, provider=provider, credential=credential)


def _bound(head: bytes, provider: str, credential: str) -> bytes:
    """What is authenticated beside the text. Lengths keep two names from running into each other."""
    parts = (b"portico/credential", head, provider.encode(), credential.encode())
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)
