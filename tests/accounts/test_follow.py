"""A worker's keys follow the store's, through an outage too."""

import asyncio
from random import Random

import pytest

from accounts.books import Books, Reads
from portico.accounts import Keyring
from portico.accounts import rows as accounts
from portico.accounts.follow import Follower
from portico.core.errors import AuthenticationFailed, StorageUnavailable

DICE = Random(13)


def opens(keyring: Keyring, secret: str) -> bool:
    try:
        keyring.authenticate({"x-api-key": secret}, peer="192.0.2.1", now_us=0)
    except AuthenticationFailed:
        return False
    return True


async def soon(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_change_is_in_force_as_soon_as_it_is_told(books: Books) -> None:
    books.work(lambda db: accounts.ensure_default(db, "first-secret-of-an-operator"))
    keyring = Keyring()
    follower = Follower(keyring, Reads(books))
    await follower.load()
    assert opens(keyring, "first-secret-of-an-operator")
    made = books.work(lambda db: accounts.create_key(db, DICE))
    assert not opens(keyring, made.secret)
    follower.changed()
    await soon(lambda: opens(keyring, made.secret))
    books.work(lambda db: accounts.revoke_key(db, made.key.id))
    follower.changed()
    follower.changed()
    await soon(lambda: not opens(keyring, made.secret))
    await follower.stop()


async def test_complaint_17_through_an_outage_the_known_keys_stay_and_changes_come_after_it(books: Books) -> None:
    books.work(lambda db: accounts.ensure_default(db, "first-secret-of-an-operator"))
    keyring, reads = Keyring(), Reads(books)
    follower = Follower(keyring, reads, pause_s=0.01)
    await follower.load()
    reads.down = True
    made = books.work(lambda db: accounts.create_key(db, DICE))
    follower.changed()
    await asyncio.sleep(0.05)
    assert opens(keyring, "first-secret-of-an-operator")
    assert not opens(keyring, made.secret)
    reads.down = False
    await soon(lambda: opens(keyring, made.secret))
    await follower.stop()


async def test_a_worker_without_a_store_says_so_at_its_start(books: Books) -> None:
    reads = Reads(books)
    reads.down = True
    with pytest.raises(StorageUnavailable):
        await Follower(Keyring(), reads).load()


async def test_stopping_in_an_outage_waits_for_nothing(books: Books) -> None:
    reads = Reads(books)
    reads.down = True
    follower = Follower(Keyring(), reads, pause_s=1000)
    follower.changed()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await follower.stop()
    await Follower(Keyring(), reads).stop()
