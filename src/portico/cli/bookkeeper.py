"""The books of one worker: its database, committer and lease; keys and prices; what it does beside calls.

`prepare` is done once, before there are workers. What a worker holds is made on its loop, after the fork: connections and
threads do not survive one.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from random import Random, SystemRandom
from typing import Final

from portico.accounts import Keyring, attempts, forms, links, sessions
from portico.accounts.follow import Follower
from portico.accounts.rows import ensure_default
from portico.catalog import load_catalog
from portico.catalog.books import PriceBooks
from portico.config import Config
from portico.core.errors import StorageUnavailable
from portico.core.ids import timed_id
from portico.core.storage import Db
from portico.ledger import open_calls
from portico.ledger.recover import gone_workers, recover
from portico.ledger.retention import Retention, sweep
from portico.providers import Secret
from portico.relay.till import Till, TillSettings
from portico.routing import Group, Health, Rest, traffic_rows
from portico.routing import rows as rests
from portico.store import leases
from portico.store.database import Database, open_database
from portico.store.leases import Lease
from portico.store.version import bring_up_to_date
from portico.store.watch import Changed, RevisionWatch
from portico.vault import MemoryVault, Resources, StoredVault
from portico.vault.responses import ResponseSettings, StoredResponses
from portico.vault.stored import VaultSettings

log = logging.getLogger("portico.books")

LOOK_S: Final = 1.0
"""How often a worker looks for others that are gone."""
SWEEP_S: Final = 60.0
SWEEP_PAUSE_S: Final = 0.05
"""Between two pieces of a sweep, so that calls come in between."""

_PRICES: Final = "SELECT book, provider, model, row, effective_from FROM prices ORDER BY id"
_MARKUPS: Final = "SELECT account_id, model, permille, effective_from FROM markups"


def prepare(settings: Config, key: str) -> None:
    """A database that can be served from: its schema brought up to date, the built-in account in it with its key.

    Raises `Unusable`, `StorageUnavailable`.
    """
    database = open_database(settings.storage.url)
    try:
        bring_up_to_date(settings.storage.url, database)
        database.change(lambda db: ensure_default(db, key))
    finally:
        database.close()


def first_start(settings: Config) -> str | None:
    """The path of the link by which the first operator comes in; None where there is one. It takes the place of the one
    that the start before told. Raises `StorageUnavailable`."""
    database = open_database(settings.storage.url)
    try:
        return database.change(lambda db: links.offer_first_start(db, SystemRandom()))
    finally:
        database.close()


class Bookkeeper:
    """One worker's. `start` before the first call is served, `finish` after the last has ended."""

    def __init__(self, settings: Config, rng: Random) -> None:
        self._settings = settings
        self._rng = rng
        self._catalog = load_catalog()
        self._prices = PriceBooks(self._catalog)
        self.database: Database = open_database(settings.storage.url)
        self.keyring = Keyring()
        self.follower = Follower(self.keyring, self.database.reading)
        worker_id = self._new_worker_id()
        self.committer = self.database.committer(worker_id)
        self.lease = Lease(self.committer, self._new_worker_id)
        retention = settings.retention
        self._retention = Retention(retention.receipts_days, retention.usage_days, retention.idempotency_hours)
        kept = VaultSettings(ttl_s=retention.vault_hours * 3600.0, max_account_bytes=retention.vault_max_bytes)
        memory = MemoryVault(time.monotonic, ttl_s=kept.ttl_s)
        self.vault = StoredVault(memory, self.committer, self.database.reading, clock=time.monotonic, settings=kept)
        self.resources = Resources(self.committer, self.database.reading, now=time.time)
        going_on = ResponseSettings(retention.responses_days * 86_400.0, retention.responses_max_bytes)
        self.responses = StoredResponses(self.committer, self.database.reading, going_on)
        self.till = Till(
            self.committer,
            lambda: self._prices,
            worker_id=lambda: self.lease.worker_id,
            now=time.time,
            clock=time.monotonic,
            rng=rng,
            admits=lambda: self.lease.held,
            is_full=lambda: self.committer.full,
            settings=_till_settings(settings),
        )
        self.health = Health(rules=settings.routing.breaker, on_rest=self._keep_rest, group_of=_groups(settings))
        """What is known of providers; what rests is shared with the other workers."""
        self._watch: RevisionWatch | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def prices(self) -> PriceBooks:
        """Both books as they stand."""
        return self._prices

    def _new_worker_id(self) -> str:
        return timed_id("wrk_", self._rng, time.time())

    async def start(self, credentials: Changed) -> None:
        """Takes the lease, and reads keys and prices. `credentials` reads those of the providers.

        Raises `StorageUnavailable`.
        """
        await self.lease.start()
        changed: dict[str, Changed] = {
            "keys": self.follower.load,
            "prices": self._read_prices,
            "credentials": credentials,
            rests.REVISION: self._read_rests,
            open_calls.REVISION: self._end_calls,
        }
        self._watch = RevisionWatch(self.database.reading, changed)
        await self._watch.start()
        self._tasks = [asyncio.create_task(self._look_after()), asyncio.create_task(self._clear_out())]

    async def finish(self) -> None:
        """Writes all that is to be written, and lets others resolve at once what is still open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._watch is not None:
            await self._watch.aclose()
        await self.vault.close()
        await self.lease.aclose()
        await self.committer.aclose()
        await self.database.aclose()

    async def _read_prices(self) -> None:
        prices, markups = await self.database.reading.read(lambda db: (db.rows(_PRICES), db.rows(_MARKUPS)))
        self._prices = PriceBooks.from_rows(self._catalog, prices, markups)

    async def _read_rests(self) -> None:
        self.health.replace_rests(await self.database.reading.read(rests.load))

    async def _end_calls(self) -> None:
        """Ends those of this worker's calls that an operator wants ended."""
        asked = await self.database.reading.read(open_calls.to_be_ended)
        ended = [request_id for request_id in asked if self.till.end(request_id)]
        if ended:
            await self.database.reading.work(lambda db: open_calls.was_ended(db, ended))

    def _keep_rest(self, group: Group, rest: Rest) -> None:
        """The other workers learn of it, and so does whoever comes after this one."""
        self.committer.post(rests.KeepRest(group, rest))

    # -- beside calls

    async def _look_after(self) -> None:
        """Resolves what workers that are gone left open: those of this machine at once, others when their lease lapses."""
        while True:
            await asyncio.sleep(LOOK_S)
            with _told_once_more("what gone workers left open was not resolved"):
                await self._resolve_left_open()

    async def _resolve_left_open(self) -> None:
        reading, steady = self.database.reading, self.lease.steady
        if not await reading.read(lambda db: _anything_open(db, self.lease.worker_id)):
            return
        await reading.work(leases.end_dead)
        if steady:
            await reading.work(leases.lapsed)
        for worker in await reading.read(gone_workers):
            if worker != self.lease.worker_id:
                await self._resolve(worker)

    async def _resolve(self, worker: str) -> None:
        while (resolved := await self.database.reading.work(lambda db: recover(db, worker))) > 0:
            log.warning("resolved calls that %s left open: %d", worker, resolved)

    async def _sweep(self) -> int:
        return await self.database.reading.work(lambda db: sweep(db, self._retention))

    async def _sweep_rests(self) -> int:
        await self.database.reading.work(rests.sweep)
        return 0  # there are never many

    async def _sweep_endings(self) -> int:
        await self.database.reading.work(open_calls.sweep)
        return 0  # nor of these

    async def _sweep_traffic(self) -> int:
        await self.database.reading.work(traffic_rows.sweep)
        return 0  # a slot of each model at a time

    async def _sweep_door(self) -> int:
        """Sessions and links that are over, with what forms were sent, and tries to sign in that count no more."""
        work = self.database.reading.work
        return sum([await work(one.sweep) for one in (sessions, links, attempts, forms)])

    async def _clear_out(self) -> None:
        """Removes what is too old, a piece at a time; workers begin at different times."""
        await asyncio.sleep(self._rng.random() * SWEEP_S)
        while True:
            with _told_once_more("what is too old was not removed"):
                await self.database.reading.work(leases.ended)  # forgets the oldest
                pieces = (
                    self._sweep,
                    self._sweep_rests,
                    self._sweep_endings,
                    self._sweep_traffic,
                    self._sweep_door,
                    self.vault.sweep,
                    self.resources.sweep,
                    self.responses.sweep,
                )
                for piece in pieces:
                    await _to_the_end(piece)
            await asyncio.sleep(SWEEP_S)


async def _to_the_end(piece: Callable[[], Awaitable[int]]) -> None:
    while await piece() > 0:  # noqa: ASYNC110 - what it waits for is done by itself
        await asyncio.sleep(SWEEP_PAUSE_S)


def _anything_open(db: Db, own: str) -> bool:
    return bool(db.rows("SELECT 1 FROM holds WHERE worker_id <> ? LIMIT 1", own))


@contextlib.contextmanager
def _told_once_more(what: str) -> Iterator[None]:
    """Goes on after a failure: it is tried again."""
    try:
        yield
    except StorageUnavailable:
        pass  # it is told elsewhere
    except Exception:
        log.exception("%s; it is tried again", what)


def _groups(settings: Config) -> Callable[[str, Secret], str]:
    """Whose quota a credential uses, where the configuration says it."""
    projects = {
        (provider.name, mark): f"project:{project}"
        for provider in settings.providers
        for mark, project in provider.projects.items()
    }
    return lambda provider, credential: projects.get((provider, credential.mark), "")


def _till_settings(settings: Config) -> TillSettings:
    books = settings.books
    return TillSettings(
        default_hold_tokens=books.default_hold_tokens,
        funds_wait_s=books.funds_wait_s,
        drain_s=books.drain_seconds,
        drains=books.max_draining,
        on_disconnect=books.cancel_policy,
    )
