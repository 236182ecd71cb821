"""Credentials in the database, on SQLite and on PostgreSQL: kept sealed, served opened, rotated as a whole."""

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from portico.core.errors import InvalidRequest, NotFound
from portico.core.storage import Db
from portico.providers import KINDS, Provider, Secret
from portico.providers.sealed import CannotUnseal
from portico.providers.secret_keys import KeyRing, NoSecretKey, SecretKeys
from portico.providers.stored import (
    Credential,
    Loaded,
    add_credential,
    credentials_revision,
    disable_credential,
    enable_credential,
    list_credentials,
    load_credentials,
    remove_credential,
    rotate_secrets,
    with_credentials,
)
from portico.store.database import Database, open_database

VALUE = "AIza-sample-credential"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def keys(tmp_path: Path) -> SecretKeys:
    return SecretKeys(tmp_path / "secret.key")


def add(
    database: Database, keys: SecretKeys, value: str = VALUE, provider: str = "gemini", name: str = ""
) -> Credential:
    rng = Random()
    return database.change(lambda db: add_credential(db, keys.ring, provider=provider, value=value, name=name, rng=rng))


def load(database: Database, keys: SecretKeys) -> Loaded:
    return database.ask(lambda db: load_credentials(db, keys.ring))


def test_a_credential_is_kept_sealed_and_served_opened(database: Database, keys: SecretKeys) -> None:
    made = add(database, keys, f"  {VALUE}\n", name="first")
    (row,) = database.ask(lambda db: db.rows("SELECT * FROM credentials"))
    plain = [bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row]
    assert not any(VALUE.encode() in value for value in plain)
    loaded = load(database, keys)
    assert [(provider, secret.reveal(), secret.source) for provider, secret in loaded.secrets] == [
        ("gemini", VALUE, f"database:{made.id}")
    ]
    assert database.ask(list_credentials) == [made]
    assert (made.name, made.provider, made.secret_key_id) == ("first", "gemini", keys.ring().newest.id)
    assert VALUE not in repr(made) + repr(loaded)


def test_without_a_credential_no_secret_key_is_asked_for_or_made(database: Database, tmp_path: Path) -> None:
    def none() -> KeyRing:
        raise AssertionError("nothing is to be opened")

    assert database.ask(lambda db: load_credentials(db, none)) == Loaded(0)
    assert not (tmp_path / "secret.key").exists()


def test_every_change_raises_the_revision(database: Database, keys: SecretKeys) -> None:
    seen = [database.ask(credentials_revision)]
    made = add(database, keys)
    for change in (disable_credential, enable_credential, remove_credential):
        seen.append(database.ask(credentials_revision))
        database.change(lambda db, change=change: change(db, made.id))  # type: ignore[misc]
    seen.append(load(database, keys).revision)
    database.change(lambda db: rotate_secrets(db, keys))
    seen.append(database.ask(credentials_revision))
    assert seen == sorted(set(seen))


def test_a_disabled_one_is_listed_and_not_served_until_it_is_enabled(database: Database, keys: SecretKeys) -> None:
    made = add(database, keys)
    disabled = database.change(lambda db: disable_credential(db, made.id))
    again = database.change(lambda db: disable_credential(db, made.id))
    assert disabled.disabled_us is not None
    assert again == disabled
    assert database.ask(list_credentials) == [disabled]
    assert load(database, keys).secrets == ()
    assert database.change(lambda db: enable_credential(db, made.id)) == made
    assert len(load(database, keys).secrets) == 1


def test_a_removed_one_is_gone(database: Database, keys: SecretKeys) -> None:
    made = add(database, keys)
    assert database.change(lambda db: remove_credential(db, made.id)) == made
    assert database.ask(list_credentials) == []


@pytest.mark.parametrize("change", [disable_credential, enable_credential, remove_credential])
def test_one_that_is_not_there_is_said_and_nothing_has_changed(database: Database, change: object) -> None:
    assert callable(change)
    with pytest.raises(NotFound, match="no credential 'cred_none'"):
        database.change(lambda db: change(db, "cred_none"))
    assert database.ask(credentials_revision) == 0


@pytest.mark.parametrize("value", ["", "  \n", "hunter2\r\nx-more: 1", "hunter2\x00", "hunter2é", "hunter2" * 4096])
def test_what_can_be_no_credential_is_refused_and_not_repeated(
    database: Database, keys: SecretKeys, value: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        add(database, keys, value)
    assert "hunter2" not in str(raised.value)
    assert database.ask(list_credentials) == []


def test_one_that_was_tampered_with_is_told_and_the_others_are_served(database: Database, keys: SecretKeys) -> None:
    first, second = add(database, keys, "one-sample"), add(database, keys, "two-sample")
    swap = "UPDATE credentials SET ciphertext = (SELECT ciphertext FROM credentials WHERE id = ?) WHERE id = ?"
    database.change(lambda db: db.run(swap, second.id, first.id))
    loaded = load(database, keys)
    assert [secret.reveal() for _, secret in loaded.secrets] == ["two-sample"]
    (said,) = loaded.complaints
    assert first.id in said
    assert "comes from another row" in said
    with pytest.raises(CannotUnseal, match=first.id):
        database.change(lambda db: rotate_secrets(db, keys))
    assert {one.secret_key_id for one in database.ask(list_credentials)} == {first.secret_key_id}


def test_a_rotation_encrypts_all_of_them_anew(database: Database, keys: SecretKeys, tmp_path: Path) -> None:
    made = [add(database, keys, f"sample-{number}") for number in range(3)]
    database.change(lambda db: disable_credential(db, made[0].id))
    rotated = database.change(lambda db: rotate_secrets(db, keys))
    assert rotated.credentials == 3
    assert rotated.secret_key_id != made[0].secret_key_id
    assert {one.secret_key_id for one in database.ask(list_credentials)} == {rotated.secret_key_id}
    assert [secret.reveal() for _, secret in load(database, keys).secrets] == ["sample-1", "sample-2"]
    database.change(lambda db: rotate_secrets(db, keys))
    lines = (tmp_path / "secret.key").read_text().split()
    assert len(lines) == 2
    assert keys.ring().get(made[0].secret_key_id) is None


def test_a_rotation_that_fails_leaves_everything_readable(database: Database, keys: SecretKeys) -> None:
    add(database, keys)

    def half(db: Db) -> None:
        rotate_secrets(db, keys)
        raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            database.change(half)
        assert [secret.reveal() for _, secret in load(database, keys).secrets] == [VALUE]


def test_from_the_file_to_a_named_key_and_on_to_another(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    one, two = Secret("first phrase of the house", "env:ONE"), Secret("second phrase of the house", "env:TWO")
    add(database, SecretKeys(file))
    database.change(lambda db: rotate_secrets(db, SecretKeys(file, one)))
    file.unlink()
    assert len(load(database, SecretKeys(file, one)).secrets) == 1
    assert len(load(database, SecretKeys(file, two, [one])).secrets) == 1
    assert "old_keys" in load(database, SecretKeys(file, two)).complaints[0]
    database.change(lambda db: rotate_secrets(db, SecretKeys(file, two, [one])))
    assert [secret.reveal() for _, secret in load(database, SecretKeys(file, two)).secrets] == [VALUE]


def test_what_is_added_while_secrets_are_rotated_can_be_read(database: Database, url: str, tmp_path: Path) -> None:
    def work(job: object) -> None:
        own = open_database(url)
        keys = SecretKeys(tmp_path / "secret.key")
        for _ in range(4):
            if job == "add":
                add(own, keys)
            else:
                own.change(lambda db: rotate_secrets(db, keys))
        own.close()

    threads = [threading.Thread(target=work, args=(job,)) for job in ("add", "rotate", "add", "rotate")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loaded = load(database, SecretKeys(tmp_path / "secret.key"))
    assert loaded.complaints == ()
    assert [secret.reveal() for _, secret in loaded.secrets] == [VALUE] * 8


def test_a_secret_key_that_cannot_be_had_stores_nothing(database: Database, tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("nonsense")
    with pytest.raises(NoSecretKey):
        add(database, SecretKeys(tmp_path / "secret.key"))
    assert database.ask(list_credentials) == []


def provider(name: str, *keys: str, stored: bool) -> Provider:
    secrets = tuple(Secret(key, f"env:{key}") for key in keys)
    return Provider.at(name, KINDS["gemini"], None, secrets, takes_stored=stored)


STORED = [("a", Secret("s1", "database:1")), ("d", Secret("s2", "database:2")), ("a", Secret("s3", "database:3"))]


def test_providers_get_the_keys_that_are_stored_for_them() -> None:
    configured = [provider("a", "k1", stored=True), provider("b", "k2", stored=False), provider("c", stored=True)]
    dormant = [provider("d", stored=True), provider("e", stored=True)]
    found = with_credentials(configured, dormant, STORED)
    assert [(one.name, [key.reveal() for key in one.keys]) for one in found] == [
        ("a", ["k1", "s1", "s3"]),
        ("b", ["k2"]),
        ("d", ["s2"]),
    ]
    # Done again with what came of it, it forgets what is stored no more.
    again = with_credentials(found, [], STORED[2:])
    assert [(one.name, [key.reveal() for key in one.keys]) for one in again] == [("a", ["k1", "s3"]), ("b", ["k2"])]


def test_a_provider_that_takes_no_stored_keys_gets_none() -> None:
    assert with_credentials([provider("a", stored=False)], [], STORED) == ()


def test_a_key_that_is_configured_and_stored_is_tried_once() -> None:
    (found,) = with_credentials([provider("a", "s1", stored=True)], [], STORED[:1])
    assert [key.source for key in found.keys] == ["env:s1"]
