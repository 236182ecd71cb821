"""The secret keys of the house: what upstream credentials in the database are encrypted with.

The newest encrypts; all of them decrypt, so that a key can be changed while the gateway serves. A key is 32 bytes: those
that an operator gives as base64 or hex are taken as they are, any other text is a passphrase and is stretched with scrypt
(RFC 7914). Where no key is named there is a file, which is made at first need and is readable by its owner only.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias

from portico.providers.secret import Secret

KEY_BYTES: Final = 32
ID_BYTES: Final = 8
SHORTEST: Final = 16
"""Characters of a passphrase."""

# About 0.1 s and 32 MiB, once per process and key. The salt is fixed because there is no place to keep one before the
# database is open; two houses with the same passphrase have the same key.
_SALT: Final = b"portico/secret-key/1"
_COST: Final = 2**15
_MEMORY_BYTES: Final = 64 * 1024 * 1024


class NoSecretKey(Exception):
    """The secret key cannot be had; the message says why, and shows nothing of it."""


class SecretKey:
    """One of them. It does not show itself."""

    __slots__ = ("id", "material", "source")

    def __init__(self, material: bytes, source: str) -> None:
        """`material`: 32 bytes. `source`: where they are from."""
        self.material = material
        self.source = source
        self.id: Final = hmac.digest(material, b"portico/secret-key-id", "sha256")[:ID_BYTES].hex()
        """Which it is: stands in all that it encrypted, and tells nothing of it."""

    def __repr__(self) -> str:
        return f"SecretKey({self.id}, from {self.source})"


class KeyRing:
    """The newest key, and those before it."""

    __slots__ = ("_keys", "newest")

    def __init__(self, newest: SecretKey, older: Iterable[SecretKey] = ()) -> None:
        self.newest = newest
        self._keys = {key.id: key for key in (*older, newest)}

    def get(self, key_id: str) -> SecretKey | None:
        return self._keys.get(key_id)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"


Ring: TypeAlias = Callable[[], KeyRing]
"""Gives the keys when they are needed, and not before. Raises `NoSecretKey`."""


def is_strong(secret: Secret) -> bool:
    """Whether a text can keep a secret."""
    return len(secret.reveal()) >= SHORTEST


def key_of(secret: Secret) -> SecretKey:
    """The key that a text stands for. Takes about 0.1 s for a passphrase."""
    text = secret.reveal()
    material = _plain(text)
    if material is None:
        material = hashlib.scrypt(text.encode(), salt=_SALT, n=_COST, r=8, p=1, maxmem=_MEMORY_BYTES, dklen=KEY_BYTES)
    return SecretKey(material, secret.source)


def _plain(text: str) -> bytes | None:
    """32 bytes in hex or base64 (either alphabet); None for anything else."""
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text)
    if re.fullmatch(r"[A-Za-z0-9+/_-]{43}=?", text) is None:
        return None
    try:
        return base64.b64decode(
            text.rstrip("=") + "=", altchars=None if re.search(r"[+/]", text) else b"-_", validate=True
        )
    except binascii.Error:  # both alphabets in one text
        return None


class SecretKeys:
    """Where the keys are: those that were named, and the file. Reads it anew each time it is asked, since it may have got
    another."""

    def __init__(self, file: Path, key: Secret | None = None, old: Iterable[Secret] = ()) -> None:
        self._file = file
        self._named = key
        self._old = tuple(old)
        self._derived: dict[Secret, SecretKey] = {}

    def ring(self) -> KeyRing:
        """The keys; the first one is made if there is none. Raises `NoSecretKey`."""
        older = [self._key(secret) for secret in self._old]
        in_file = self._in_file()
        if self._named is not None:
            return KeyRing(self._key(self._named), [*older, *in_file])
        if not in_file:
            self._make()
            in_file = self._in_file()
            if not in_file:
                raise NoSecretKey(f"{self._file} is empty: it should hold the secret key of the stored credentials.")
        return KeyRing(in_file[0], [*older, *in_file[1:]])

    def renewed(self, used: Iterable[str]) -> KeyRing:
        """The keys to encrypt everything anew with. In the file a new one is put first; there it keeps the one before,
        which a backup may need, and those with an id in `used`. A key that was named is renewed by whoever named it."""
        ring = self.ring()
        if self._named is not None:
            return ring
        kept = {ring.newest.id, *used}
        keys = [SecretKey(secrets.token_bytes(KEY_BYTES), str(self._file)), *self._in_file()]
        keys = [keys[0], *(key for key in keys[1:] if key.id in kept)]
        self._write(keys)
        return KeyRing(keys[0], [*(self._key(secret) for secret in self._old), *keys[1:]])

    def _key(self, secret: Secret) -> SecretKey:
        found = self._derived.get(secret)
        if found is None:
            found = self._derived[secret] = key_of(secret)
        return found

    def _in_file(self) -> list[SecretKey]:
        """One a line, the newest first."""
        try:
            text = self._file.read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise NoSecretKey(
                f"{self._file} cannot be read: {getattr(error, 'strerror', None) or 'not text'}."
            ) from None
        keys = []
        for number, line in enumerate(text.split(), start=1):
            material = _plain(line)
            if material is None:
                raise NoSecretKey(f"{self._file}: what stands in place {number} is no key of 32 bytes in base64.")
            keys.append(SecretKey(material, str(self._file)))
        return keys

    def _make(self) -> None:
        """The first key. Another process may be doing the same: the one that is there first counts."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside = self._beside([SecretKey(secrets.token_bytes(KEY_BYTES), "")])
            try:
                os.link(beside, self._file)
            except FileExistsError:
                pass
            finally:
                beside.unlink()
        except OSError as error:
            raise NoSecretKey(f"{self._file} cannot be written: {error.strerror}.") from None

    def _write(self, keys: list[SecretKey]) -> None:
        try:
            os.replace(self._beside(keys), self._file)
            _settle(self._file.parent)
        except OSError as error:
            raise NoSecretKey(f"{self._file} cannot be written: {error.strerror}.") from None

    def _beside(self, keys: list[SecretKey]) -> Path:
        """A whole file, on the disk, under another name: a key that encrypted something is never half written."""
        path = self._file.with_name(f"{self._file.name}.{secrets.token_hex(4)}")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.writelines(base64.b64encode(key.material).decode() + "\n" for key in keys)
            file.flush()
            os.fsync(file.fileno())
        return path


def _settle(folder: Path) -> None:
    """A renamed file is there after a loss of power only when its folder is on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
