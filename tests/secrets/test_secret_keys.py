"""The file of the secret keys: made once, for its owner only, and renewed without losing what is in use."""

import stat
import threading
from pathlib import Path

import pytest

from portico.providers.secret import Secret
from portico.providers.secret_keys import KeyRing, NoSecretKey, SecretKeys

PHRASE = Secret("correct horse battery staple", "env:SAMPLE")


def test_the_file_is_made_at_first_need_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "data" / "secret.key"
    keys = SecretKeys(file)
    assert not file.exists()
    made = keys.ring().newest
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SecretKeys(file).ring().newest.id == made.id
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]


def test_whoever_makes_it_at_the_same_time_gets_the_same(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    found: list[KeyRing] = []
    threads = [threading.Thread(target=lambda: found.append(SecretKeys(file).ring())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({ring.newest.id for ring in found}) == 1
    assert len(found) == 8


def test_a_key_that_is_named_makes_no_file(tmp_path: Path) -> None:
    keys = SecretKeys(tmp_path / "secret.key", PHRASE)
    assert keys.ring().newest.source == "env:SAMPLE"
    assert keys.renewed([]).newest.id == keys.ring().newest.id
    assert list(tmp_path.iterdir()) == []


def test_a_renewed_file_has_another_key_first_and_keeps_what_is_in_use(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    ids = [SecretKeys(file).ring().newest.id]
    for _ in range(3):
        ids.insert(0, SecretKeys(file).renewed({ids[-1]}).newest.id)
    ring = SecretKeys(file).ring()
    assert len(set(ids)) == 4
    assert ring.newest.id == ids[0]
    # The one before stays for the sake of backups, the first one because something is encrypted with it.
    assert [ring.get(key_id) is not None for key_id in ids] == [True, True, False, True]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_key_that_is_named_later_leaves_those_of_the_file_good_for_reading(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    before = SecretKeys(file).ring().newest.id
    ring = SecretKeys(file, PHRASE).ring()
    assert ring.newest.id != before
    assert ring.get(before) is not None


def test_keys_of_before_are_read_beside_the_one_that_is_named(tmp_path: Path) -> None:
    old = Secret("another phrase of some length", "env:OLD")
    before = SecretKeys(tmp_path / "none", old).ring().newest.id
    assert SecretKeys(tmp_path / "none", PHRASE, [old]).ring().get(before) is not None


@pytest.mark.parametrize(
    ("content", "said"), [(b"hunter2hunter2", "is no key of 32 bytes"), (b"\xff", "not text"), (b"\n", "is empty")]
)
def test_a_file_that_holds_something_else_is_refused_and_not_shown(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "secret.key"
    file.write_bytes(content)
    with pytest.raises(NoSecretKey, match=said) as raised:
        SecretKeys(file).ring()
    assert str(file) in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(NoSecretKey, match=r"cannot be (read|written)"):
        SecretKeys(tmp_path / "data" / "secret.key").ring()
