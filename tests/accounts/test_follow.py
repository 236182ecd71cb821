"""A worker's keys follow the store's, through an outage too: with the store's own watch."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest

from accounts.rowbooks import Books, Reads, T
from gateway.house import PATIENCE_S
from portico.accounts import Keyring
from portico.accounts import rows as accounts
from portico.accounts.follow import Follower
from portico.core.errors import AuthenticationFailed, StorageUnavailable
from portico.core.storage import Db
from portico.store.watch import RevisionWatch

DICE = Random(13)
FIRST = "first-secret-of-an-operator"


def opens(keyring: Keyring, secret: str) -> bool:
    try:
        keyring.authenticate({"x-api-key": secret}, peer="192.0.2.1", now_us=0)
    except AuthenticationFailed:
        return False
    return True


async def soon(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Counted(Reads):
    count = 0

    async def read(self, query: Callable[[Db], T]) -> T:
        self.count += 1
        return await super().read(query)


@contextlib.asynccontextmanager
async def following(reads: Reads) -> AsyncIterator[Keyring]:
    keyring = Keyring()
    watch = RevisionWatch(reads, {"keys": Follower(keyring, reads).load}, every_s=0.01)
    await watch.start()
    try:
        yield keyring
    finally:
        await watch.aclose()


async def test_every_change_is_soon_in_force(books: Books) -> None:
    books.work(lambda db: accounts.ensure_default(db, FIRST))
    async with following(Reads(books)) as keyring:
        assert opens(keyring, FIRST)
        made = books.work(lambda db: accounts.create_key(db, DICE))
        await soon(lambda: opens(keyring, made.secret))
        rotated = books.work(lambda db: accounts.rotate_key(db, DICE, made.key.id, overlap_s=3600))
        await soon(lambda: opens(keyring, rotated.secret))
        assert opens(keyring, made.secret)
        books.work(lambda db: accounts.revoke_key(db, made.key.id))
        await soon(lambda: not opens(keyring, made.secret) and not opens(keyring, rotated.secret))


async def test_complaint_17_through_an_outage_the_known_keys_stay_and_changes_come_after_it(books: Books) -> None:
    books.work(lambda db: accounts.ensure_default(db, FIRST))
    reads = Reads(books)
    async with following(reads) as keyring:
        reads.down = True
        made = books.work(lambda db: accounts.create_key(db, DICE))
        await asyncio.sleep(0.05)
        assert opens(keyring, FIRST)
        assert not opens(keyring, made.secret)
        reads.down = False
        await soon(lambda: opens(keyring, made.secret))


async def test_whoever_brings_a_new_key_waits_for_no_look_at_the_clock(books: Books) -> None:
    """Many who come at once share a look, and each has one that began after it came."""
    books.work(lambda db: accounts.ensure_default(db, FIRST))
    reads = Counted(books)
    keyring = Keyring()
    follower = Follower(keyring, reads)
    await follower.load()
    made = books.work(lambda db: accounts.create_key(db, DICE))
    first = [asyncio.create_task(follower.catch_up()) for _ in range(50)]
    await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
    assert opens(keyring, made.secret)
    await asyncio.gather(*first)
    assert reads.count == 2
    rotated = books.work(lambda db: accounts.rotate_key(db, DICE, made.key.id, overlap_s=0))
    await follower.catch_up()
    assert opens(keyring, rotated.secret)
    assert reads.count == 3


async def test_complaint_17_a_new_key_is_not_called_wrong_while_the_store_is_away(books: Books) -> None:
    reads = Reads(books)
    reads.down = True
    follower = Follower(Keyring(), reads)
    left = asyncio.create_task(follower.catch_up())
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(StorageUnavailable):
        await follower.catch_up()
    reads.down = False
    await follower.catch_up()


async def test_a_worker_without_a_store_says_so_at_its_start(books: Books) -> None:
    reads = Reads(books)
    reads.down = True
    with pytest.raises(StorageUnavailable):
        await Follower(Keyring(), reads).load()
