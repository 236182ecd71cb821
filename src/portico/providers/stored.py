"""Upstream credentials in the database: added, listed, disabled and removed by an administrator, read by every worker.

All functions here are queries and changes for `core.storage.Reading`. A change begins with the number of the revision,
which is a row that all of them lock: the keys that a change encrypts with are read under that lock, so that no credential
is stored under a key that a rotation just left behind. Workers see the number rise and read again.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Final

import msgspec

from portico.core.errors import InvalidRequest, NotFound
from portico.core.ids import timed_id
from portico.core.storage import Db, raise_revision
from portico.providers.provider import Provider
from portico.providers.sealed import CannotUnseal, reseal, seal, unseal
from portico.providers.secret import Secret
from portico.providers.secret_keys import Ring, SecretKeys

REVISION: Final = "credentials"
SOURCE: Final = "database:"
"""Begins where a stored credential says it is from; its id follows."""
LONGEST: Final = 16_384
"""Characters of a credential: some are whole JSON documents, on one line."""
_COLUMNS: Final = "id, provider, name, secret_key_id, created_us, disabled_us"


class Credential(msgspec.Struct, frozen=True):
    """What may be shown of a stored credential."""

    id: str
    provider: str
    name: str
    secret_key_id: str
    """Of the secret key that it is encrypted with."""
    created_us: int
    disabled_us: int | None = None


class Loaded(msgspec.Struct, frozen=True):
    """The credentials that are in use, opened."""

    revision: int
    secrets: tuple[tuple[str, Secret], ...] = ()
    """(provider, secret), oldest first."""
    complaints: tuple[str, ...] = ()
    """Of those that do not open: the others are served all the same."""


class Rotated(msgspec.Struct, frozen=True):
    """What a rotation did."""

    credentials: int
    secret_key_id: str


def add_credential(db: Db, keys: Ring, *, provider: str, value: str, name: str = "", rng: Random) -> Credential:
    """Stores a credential for a provider. Raises `InvalidRequest` for what can be no credential (it is not repeated in the
    message), `NoSecretKey`."""
    value = value.strip()
    if not value:
        raise InvalidRequest("The credential is empty.", param="value")
    if len(value) > LONGEST or not value.isascii() or not value.isprintable():
        raise InvalidRequest(f"A credential is one line of at most {LONGEST} ASCII characters.", param="value")
    if len(name) > 200 or not name.isprintable():
        raise InvalidRequest("A name is one line of at most 200 characters.", param="name")
    raise_revision(db, REVISION)
    ring = keys()
    made = Credential(timed_id("cred_", rng, db.now_us / 1_000_000), provider, name, ring.newest.id, db.now_us)
    db.run(
        "INSERT INTO credentials (id, provider, name, ciphertext, secret_key_id, created_us) VALUES (?, ?, ?, ?, ?, ?)",
        made.id,
        provider,
        name,
        seal(value, ring, provider=provider, credential=made.id),
        made.secret_key_id,
        made.created_us,
    )
    return made


def list_credentials(db: Db) -> list[Credential]:
    """All of them, oldest first, without what they hide."""
    return [Credential(*row) for row in db.rows(f"SELECT {_COLUMNS} FROM credentials ORDER BY created_us, id")]  # noqa: S608


def disable_credential(db: Db, credential: str) -> Credential:
    """It is kept, and used no more. Raises `NotFound`."""
    return _changed(
        db, credential, "UPDATE credentials SET disabled_us = COALESCE(disabled_us, ?) WHERE id = ?", db.now_us
    )


def enable_credential(db: Db, credential: str) -> Credential:
    """It is used again. Raises `NotFound`."""
    return _changed(db, credential, "UPDATE credentials SET disabled_us = ? WHERE id = ?", None)


def remove_credential(db: Db, credential: str) -> Credential:
    """It is gone, and what is returned is what it was. Raises `NotFound`."""
    found = _one(db, credential)
    raise_revision(db, REVISION)
    db.run("DELETE FROM credentials WHERE id = ?", credential)
    return found


def credentials_revision(db: Db) -> int:
    """Rises with every change."""
    rows = db.rows("SELECT number FROM revisions WHERE name = ?", REVISION)
    return rows[0][0] if rows else 0


def load_credentials(db: Db, keys: Ring) -> Loaded:
    """What workers serve with. The keys are asked for only if there is something to open. Raises `NoSecretKey`."""
    revision = credentials_revision(db)
    rows = db.rows("SELECT id, provider, ciphertext FROM credentials WHERE disabled_us IS NULL ORDER BY created_us, id")
    if not rows:
        return Loaded(revision)
    ring = keys()
    found: list[tuple[str, Secret]] = []
    complaints: list[str] = []
    for credential, provider, ciphertext in rows:
        try:
            plain = unseal(bytes(ciphertext), ring, provider=provider, credential=credential)
        except CannotUnseal as error:
            complaints.append(str(error))
        else:
            found.append((provider, Secret(plain, SOURCE + credential)))
    return Loaded(revision, tuple(found), tuple(complaints))


def rotate_secrets(db: Db, keys: SecretKeys) -> Rotated:
    """Encrypts every credential anew, disabled ones too, with a new key (`SecretKeys.renewed`); all of them or none.

    Raises `CannotUnseal` for one that does not open, `NoSecretKey`.
    """
    raise_revision(db, REVISION)
    rows = db.rows("SELECT id, provider, ciphertext, secret_key_id FROM credentials ORDER BY created_us, id")
    ring = keys.renewed({row[3] for row in rows})
    for credential, provider, ciphertext, _ in rows:
        db.run(
            "UPDATE credentials SET ciphertext = ?, secret_key_id = ? WHERE id = ?",
            reseal(bytes(ciphertext), ring, provider=provider, credential=credential),
            ring.newest.id,
            credential,
        )
    return Rotated(len(rows), ring.newest.id)


def with_credentials(
    providers: Iterable[Provider], dormant: Iterable[Provider], stored: Sequence[tuple[str, Secret]]
) -> tuple[Provider, ...]:
    """The providers that can be asked. Those that take keys of the database get theirs behind their own; a `dormant` one,
    which nobody configured, is there when it has some. Who has no key at all is left out. `stored`: (provider, secret).

    What providers have of the database already is forgotten first, so that it may be done again with what came of it.
    """
    found = []
    for provider in (*providers, *dormant):
        keys = [secret for secret in provider.keys if not secret.source.startswith(SOURCE)]
        if provider.takes_stored:
            keys += [secret for name, secret in stored if name == provider.name and secret not in keys]
        if keys:
            found.append(msgspec.structs.replace(provider, keys=tuple(keys)))
    return tuple(found)


def _changed(db: Db, credential: str, sql: str, value: int | None) -> Credential:
    raise_revision(db, REVISION)
    db.run(sql, value, credential)
    return _one(db, credential)


def _one(db: Db, credential: str) -> Credential:
    rows = db.rows(f"SELECT {_COLUMNS} FROM credentials WHERE id = ?", credential)  # noqa: S608
    if not rows:
        raise NotFound(f"There is no credential {credential!r}.", param="id")
    return Credential(*rows[0])
