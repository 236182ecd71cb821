"""What is sealed opens with its key, in its place, and as it was; in no other way."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.providers.sealed import CannotUnseal, SecretKeyMissing, reseal, seal, unseal
from portico.providers.secret import Secret
from portico.providers.secret_keys import KeyRing, SecretKey, key_of

KEY = SecretKey(bytes(range(32)), "sample")
OTHER = SecretKey(bytes(range(1, 33)), "sample")
RING = KeyRing(KEY)
PLACE = {"provider": "gemini", "credential": "cred_1"}

materials = st.binary(min_size=32, max_size=32)


@given(plain=st.text(), material=materials, provider=st.text(max_size=40), credential=st.text(max_size=40))
def test_what_is_sealed_opens_as_it_was(plain: str, material: bytes, provider: str, credential: str) -> None:
    ring = KeyRing(SecretKey(material, "sample"))
    sealed = seal(plain, ring, provider=provider, credential=credential)
    assert unseal(sealed, ring, provider=provider, credential=credential) == plain
    assert len(plain) < 8 or plain.encode() not in sealed


SEALED = seal("sample-credential", RING, **PLACE)


@given(bit=st.integers(0, 8 * len(SEALED) - 1))
def test_any_bit_that_was_changed_is_noticed(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CannotUnseal, match="The credential cred_1 of gemini "):
        unseal(bytes(changed), RING, **PLACE)


@given(length=st.integers(0, len(SEALED) - 1))
def test_what_was_cut_off_is_noticed(length: int) -> None:
    with pytest.raises(CannotUnseal):
        unseal(SEALED[:length], RING, **PLACE)


@pytest.mark.parametrize(
    ("provider", "credential"), [("other", "cred_1"), ("gemini", "cred_2"), ("geminic", "red_1"), ("", "geminicred_1")]
)
def test_a_row_that_was_moved_does_not_open(provider: str, credential: str) -> None:
    with pytest.raises(CannotUnseal, match="it was changed in the database, or comes from another row"):
        unseal(SEALED, RING, provider=provider, credential=credential)


def test_a_key_that_is_not_here_is_named() -> None:
    with pytest.raises(SecretKeyMissing, match=f"{KEY.id}.*old_keys"):
        unseal(SEALED, KeyRing(OTHER), **PLACE)


def test_every_ciphertext_tells_its_key_and_none_is_like_another() -> None:
    assert SEALED[1:9].hex() == KEY.id
    assert seal("sample-credential", RING, **PLACE) != SEALED
    assert KEY.id not in KEY.material.hex()


def test_an_older_key_of_the_ring_still_opens_and_the_newest_seals() -> None:
    ring = KeyRing(OTHER, [KEY])
    moved = reseal(SEALED, ring, **PLACE)
    assert moved[1:9].hex() == OTHER.id
    assert unseal(moved, KeyRing(OTHER), **PLACE) == "sample-credential"


@given(material=materials)
def test_32_bytes_are_taken_as_they_are_however_they_are_written(material: bytes) -> None:
    forms = [
        base64.b64encode(material).decode(),
        base64.b64encode(material).decode().rstrip("="),
        base64.urlsafe_b64encode(material).decode(),
        material.hex(),
        material.hex().upper(),
    ]
    assert {key_of(Secret(form, "sample")).material for form in forms} == {material}


@pytest.mark.parametrize(
    "passphrase", ["correct horse battery staple", "x" * 43, "+" * 21 + "_" * 22, "a" * 63, "schlüssel zum haus"]
)
def test_any_other_text_is_stretched_and_always_to_the_same_key(passphrase: str) -> None:
    found = key_of(Secret(passphrase, "env:SAMPLE"))
    assert len(found.material) == 32
    if passphrase != "x" * 43:
        assert passphrase.encode()[:16] not in found.material
    assert found.id == key_of(Secret(passphrase, "elsewhere")).id
    assert found.id != key_of(Secret(passphrase + "!", "env:SAMPLE")).id


def test_nothing_of_a_key_is_in_its_repr() -> None:
    secret = Secret("correct horse battery staple", "env:SAMPLE")
    key = key_of(secret)
    shown = f"{key!r} {key} {KeyRing(key)!r}"
    assert "env:SAMPLE" in shown
    assert key.id in shown
    assert "horse" not in shown
    assert key.material.hex() not in shown
    assert repr(key.material) not in shown
