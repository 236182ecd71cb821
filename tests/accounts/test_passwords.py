"""What may be a password, how it is kept, and that nobody learns more than whether it was right."""

import asyncio
import time
from random import Random

import pytest

from accounts.rowbooks import Books
from portico.accounts import passwords, people
from portico.core.errors import GatewayBusy, InvalidRequest

GOOD = "correct horse battery"


@pytest.mark.parametrize("password", ["", "ninechars", "x" * 257, "ada@example.com", " ADA@example.com"])
def test_what_is_too_short_too_long_or_the_address_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        passwords.check_new(password, email="ada@example.com")
    assert refused.value.param == "password"


@pytest.mark.parametrize("password", ["ten chars!", "x" * 256, "密码密码密码密码密码"])
def test_anything_else_may_be_one(password: str) -> None:
    passwords.check_new(password, email="ada@example.com")


async def test_a_password_is_right_or_wrong_and_kept_with_its_parameters() -> None:
    kept = await passwords.hash_of(GOOD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in kept
    assert await passwords.check(GOOD, kept) == passwords.Checked(True)
    assert await passwords.check(GOOD + " ", kept) == passwords.Checked(False)
    assert await passwords.check(GOOD, None) == passwords.Checked(False)
    assert await passwords.check(GOOD, "$argon2id$broken") == passwords.Checked(False)
    assert await passwords.hash_of(GOOD) != kept


async def test_letters_are_the_same_however_a_keyboard_puts_them_together() -> None:
    kept = await passwords.hash_of("cafe\u0301 au lait")
    assert (await passwords.check("caf\u00e9 au lait", kept)).good


async def test_a_hash_of_other_parameters_is_made_anew_when_it_is_next_said() -> None:
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
    found = await passwords.check(GOOD, old)
    assert found.good
    assert found.rehashed is not None
    assert await passwords.check(GOOD, found.rehashed) == passwords.Checked(True)


async def test_an_address_that_nobody_has_takes_as_long_as_a_wrong_password() -> None:
    kept = await passwords.hash_of(GOOD)
    await passwords.check(GOOD, None)

    async def takes(stored: str | None) -> float:
        began = time.perf_counter()
        await passwords.check("wrong wrong", stored)
        return time.perf_counter() - began

    both = [(await takes(kept), await takes(None)) for _ in range(7)]  # in turn: whatever else runs slows both alike
    known, unknown = map(min, zip(*both, strict=True))
    assert unknown > known / 2


async def test_who_would_wait_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(passwords, "_waiting", threading.Semaphore(1))
    first = asyncio.create_task(passwords.hash_of(GOOD))
    await asyncio.sleep(0)
    with pytest.raises(GatewayBusy):
        await passwords.hash_of(GOOD)
    await first
    await passwords.hash_of(GOOD)


def test_a_hash_is_replaced_only_while_it_is_the_one_there_is(books: Books) -> None:
    ada = books.work(lambda db: people.create_user(db, Random(1), email="ada@example.com"))
    books.work(lambda db: passwords.keep_hash(db, ada.id, "one"))
    assert books.work(lambda db: passwords.replace_hash(db, ada.id, "one", "two"))
    assert not books.work(lambda db: passwords.replace_hash(db, ada.id, "one", "three"))
    assert books.work(lambda db: passwords.stored_hash(db, ada.id)) == "two"
    books.work(lambda db: passwords.keep_hash(db, ada.id, "four"))
    assert books.work(lambda db: passwords.stored_hash(db, ada.id)) == "four"
    assert books.work(lambda db: passwords.stored_hash(db, "nobody")) is None
