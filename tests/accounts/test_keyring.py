"""The keys of a worker: what opens, what does not and why, and how changes come in."""

from random import Random
from typing import Any

import msgspec
import pytest

from portico.accounts import Keyring, KeyRow
from portico.accounts.keys import KEY_PREFIX, digest_of, new_key, visible_prefix
from portico.accounts.policy import UNLIMITED, Policy
from portico.core.errors import AuthenticationFailed, StorageUnavailable

SECRET = "sk-portico-sample-one-0123456789"
OTHER = "sk-portico-sample-two-0123456789"
ROW = KeyRow("key_1", "acc_1", digest_of(SECRET), revision=3)


def bearer(secret: str = SECRET) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def with_(row: KeyRow = ROW, **changes: Any) -> KeyRow:
    return msgspec.structs.replace(row, **changes)


def refusal(keyring: Keyring, secret: str = SECRET, *, peer: str = "192.0.2.1", now_us: int = 100) -> str:
    with pytest.raises(AuthenticationFailed) as refused:
        keyring.authenticate(bearer(secret), peer=peer, now_us=now_us)
    assert refused.value.status == 401
    assert secret not in refused.value.message
    return refused.value.message


@pytest.mark.parametrize(
    ("headers", "in_query"),
    [
        (bearer(), None),
        ({"authorization": f"bearer   {SECRET} "}, None),
        ({"x-api-key": SECRET}, None),
        ({"x-goog-api-key": SECRET}, None),
        ({"authorization": "Basic abc", "x-api-key": SECRET}, None),
        ({"authorization": "Bearer ", "x-api-key": SECRET}, None),
        ({}, SECRET),
    ],
)
def test_a_key_is_found_wherever_it_is_presented(headers: dict[str, str], in_query: str | None) -> None:
    keyring = Keyring.of([with_(policy='{"rpm":7}', prepaid=True)])
    caller = keyring.authenticate(headers, in_query, peer="192.0.2.1", now_us=5)
    assert (caller.tenant, caller.key_id, caller.policy, caller.prepaid) == ("acc_1", "key_1", Policy(rpm=7), True)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"revoked_us": 1}, "revoked"),
        ({"disabled_us": 1}, "disabled"),
        ({"closed_us": 1}, "closed"),
        ({"expires_us": 100}, "expired"),
        ({"digest": digest_of(OTHER)}, "Incorrect API key"),
        ({"policy": '{"allow_ips":["10.0.0.0/8"]}'}, "192.0.2.1"),
    ],
)
def test_a_key_that_opens_nothing_says_why(changes: dict[str, Any], says: str) -> None:
    assert says in refusal(Keyring.of([with_(**changes)]))


@pytest.mark.parametrize("key", ["sk-proj-abcdefghijklmn", "AIzaSyAbcdefghijklmnop", "secret"])
def test_whoever_brings_a_providers_key_is_told_whose_it_has_to_be(key: str) -> None:
    with pytest.raises(AuthenticationFailed, match="a key of this gateway, not one of a provider's"):
        Keyring.of([ROW]).authenticate({"authorization": f"Bearer {key}"}, peer="192.0.2.1", now_us=0)


def test_nobody_without_a_key_comes_in() -> None:
    with pytest.raises(AuthenticationFailed, match="No API key"):
        Keyring.of([ROW]).authenticate({}, peer="192.0.2.1", now_us=0)


def test_a_key_opens_until_the_moment_it_expires() -> None:
    keyring = Keyring.of([with_(expires_us=100)])
    assert keyring.authenticate(bearer(), now_us=99).key_id == "key_1"
    assert "expired" in refusal(keyring, now_us=100)


def test_an_address_list_is_judged_with_the_address_and_not_before() -> None:
    keyring = Keyring.of([with_(policy='{"allow_ips":["10.0.0.0/8"]}')])
    assert keyring.recognise(bearer(), now_us=0).key_id == "key_1"
    assert keyring.authenticate(bearer(), peer="10.9.9.9", now_us=0).key_id == "key_1"
    assert "unknown address" in refusal(keyring, peer="")


def test_both_secrets_of_a_rotated_key_open_until_the_old_one_expires() -> None:
    row = with_(digest=digest_of(OTHER), previous_digest=digest_of(SECRET), previous_expires_us=100)
    keyring = Keyring.of([row])
    assert keyring.authenticate(bearer(OTHER), now_us=10**9) == keyring.authenticate(bearer(SECRET), now_us=99)
    assert "expired" in refusal(keyring, SECRET, now_us=100)


def test_the_old_secret_outlives_neither_its_key_nor_its_revocation() -> None:
    row = with_(digest=digest_of(OTHER), previous_digest=digest_of(SECRET), previous_expires_us=100, expires_us=50)
    assert "expired" in refusal(Keyring.of([row]), SECRET, now_us=60)
    assert "revoked" in refusal(Keyring.of([with_(row, revoked_us=1)]), SECRET, now_us=10)


def test_changes_take_the_place_of_what_was_known() -> None:
    keyring = Keyring.of([ROW])
    assert keyring.revision == 3
    keyring.update([with_(digest=digest_of(OTHER), revision=9)])
    assert (keyring.revision, len(keyring)) == (9, 1)
    assert keyring.authenticate(bearer(OTHER), now_us=0).key_id == "key_1"
    assert "Incorrect" in refusal(keyring, SECRET)
    keyring.update([with_(digest=digest_of(OTHER), revoked_us=1, revision=10)])
    assert "revoked" in refusal(keyring, OTHER)
    keyring.update([])
    assert keyring.revision == 10


def test_what_was_read_earlier_and_told_later_changes_nothing() -> None:
    keyring = Keyring.of([with_(revoked_us=1, revision=9)])
    keyring.update([with_(revision=8)])
    assert "revoked" in refusal(keyring)
    assert keyring.revision == 9


def test_a_secret_that_moves_to_another_key_is_that_keys() -> None:
    keyring = Keyring.of([ROW])
    taken = KeyRow("key_2", "acc_2", digest_of(SECRET), revision=5)
    keyring.update([with_(digest=digest_of(OTHER), revision=4), taken])
    keyring.update([with_(digest=digest_of("sk-portico-sample-three"), revision=6)])
    assert keyring.authenticate(bearer(SECRET), now_us=0).tenant == "acc_2"
    assert "Incorrect" in refusal(keyring, OTHER)


def test_settings_that_cannot_be_read_open_nothing_and_shut_nobody_out(caplog: pytest.LogCaptureFixture) -> None:
    keyring = Keyring.of([with_(policy='{"rpm": -4}')])
    with pytest.raises(StorageUnavailable) as refused:
        keyring.authenticate(bearer(), now_us=0)
    assert refused.value.status == 503
    assert "key_1" in caplog.text
    keyring.update([with_(policy="{}", revision=4)])
    assert keyring.authenticate(bearer(), now_us=0).policy == UNLIMITED


def test_what_is_shown_of_a_key_is_not_enough_to_use_it() -> None:
    rng = Random(3)
    made = {new_key(rng) for _ in range(200)}
    assert len(made) == 200
    for key in made:
        shown = visible_prefix(key)
        assert key.startswith(shown)
        assert len(shown) == len(KEY_PREFIX) + 4
        assert len(key) - len(shown) >= 36
    assert visible_prefix("hunter2") == ""
    assert visible_prefix("a-secret-of-an-operator") == "a-se"


def test_nothing_of_a_secret_is_kept() -> None:
    keyring = Keyring.of([ROW])
    keyring.authenticate(bearer(), now_us=0)
    assert SECRET not in repr(vars(keyring))
