"""One worker: its objects made of the plan, started in their order, and ended in the opposite one."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from random import SystemRandom
from typing import Final, TypeAlias

import msgspec

from portico.accounts.lending import Lending
from portico.catalog import Catalog
from portico.cli.bookkeeper import Bookkeeper
from portico.cli.dice import PooledRandom
from portico.cli.house import LazyHouse
from portico.cli.loop import listen_for_stop, run_until_stopped, settle_memory
from portico.cli.media import fetcher_of
from portico.cli.operations import Shared, Watch
from portico.cli.stored_keys import StoredKeys
from portico.cli.supervise import CANNOT_START
from portico.cli.traffic import TrafficBook
from portico.config import Config
from portico.core.errors import StorageUnavailable
from portico.http.account import AccountPages
from portico.http.asgi import ASGIApp, AsgiBridge, StartupFailed
from portico.http.budget import Budget
from portico.http.client import HttpUpstream
from portico.http.estimate import Estimates
from portico.http.exchange import HttpExchange
from portico.http.fetch import Fetcher
from portico.http.forwarded import TrustedProxies
from portico.http.front import Front
from portico.http.gateway import Gateway
from portico.http.kept import ResponsePages
from portico.http.limits import Limits
from portico.http.operations import Operations
from portico.http.reader import Admit
from portico.http.readiness import DRAINING, STARTING, Readiness
from portico.http.server import Server
from portico.http.tls import ServerTls, TlsError
from portico.relay.quote import QuoteTab
from portico.relay.relay import Relay
from portico.store.engine import reason

Inner: TypeAlias = Callable[[HttpExchange], Awaitable[None]]
HANGUP: Final = getattr(signal, "SIGHUP", None)
"""There is none on Windows."""


class Plan(msgspec.Struct, frozen=True):
    """What every worker serves with. Made once, before there are any."""

    settings: Config
    catalog: Catalog
    listener: socket.socket
    simulator: socket.socket | None
    """Where the simulator listens, if this process is to play it."""
    tls: ServerTls | None
    web: ASGIApp | None
    shared: Shared
    simulated: bool = False
    """Whether every answer is the simulator's, whichever process plays it."""
    number: int = 0
    """Which worker this is."""


class Worker:
    """Everything one process serves with. To be made on its loop."""

    def __init__(self, plan: Plan) -> None:
        settings, limits = plan.settings, plan.settings.server
        rng = PooledRandom()
        self._plan = plan
        self.books = Bookkeeper(settings, rng)
        committer = self.books.committer
        self.readiness = Readiness(STARTING, storage_down_s=lambda: committer.down_s)
        reading = self.books.database.reading
        self.traffic = TrafficBook(committer, reading, simulated=plan.simulated)
        self.watch = Watch(plan.shared, plan.number, self.readiness, self.traffic.tally, self.traffic.tries)
        self.budget = Budget(max_body_bytes=limits.max_body_bytes_in_flight, max_calls=limits.max_open_calls)
        self.upstream = HttpUpstream(proxies=settings.proxies)
        self.fetcher: Fetcher = fetcher_of(settings.media)
        calls = partial(
            Relay,
            catalog=plan.catalog,
            providers=settings.providers,
            upstream=self.upstream,
            vault=self.books.vault,
            rng=rng,
            now=time.time,
            clock=time.perf_counter,
            settings=limits,
            defaults=settings.defaults,
            till=self.books.till,
            resources=self.books.resources,
            responses=self.books.responses,
            rules=settings.routing,
            health=self.books.health,
        )
        relay, quotes = calls(fetcher=self.fetcher), calls(tab=QuoteTab)
        self.stored_keys = StoredKeys(settings, (relay, quotes), reading)
        gateway = Gateway(
            relay=relay,
            catalog=plan.catalog,
            keyring=self.books.keyring,
            catch_up=self.books.follower.catch_up,
            rng=rng,
            simulated=plan.simulated,
            budget=self.budget,
            observer=self.watch.observer,
            pages=AccountPages(reading, lambda: datetime.now(UTC).date(), Estimates(quotes)),
            responses=ResponsePages(self.books.responses),
            manual=f"{settings.web.public_url or ''}/docs/errors" if settings.web.pages else None,
            lending=Lending(self.books.keyring, reading, settings.web.public_url) if settings.web.pages else None,
        )
        self.bridge = _bridge(plan, relay, self.books, self.traffic)
        front = Front(gateway, gateway.render_protocol_error, self.bridge)
        app, admit = _with_admin(plan, self.books, front, gateway)
        self.server = Server(
            Operations(app, self.readiness, metrics=self.watch.text, admin_key=settings.admin_key),
            limits=Limits(max_body_bytes=limits.max_body_bytes),
            render_error=front.render_protocol_error,
            budget=self.budget,
            admit=admit,
            proxies=TrustedProxies.of(limits.trusted_proxies),
        )
        self.stand_in = None if plan.simulator is None else _stand_in()

    async def start(self, ends: AsyncExitStack) -> None:
        """Starts everything, and tells `ends` how it is ended: what was started first is ended last. Open calls end first
        of all, and then what they left to be written is written. Raises `StartupFailed`, `StorageUnavailable`."""
        plan = self._plan
        if HANGUP is not None:
            asyncio.get_running_loop().add_signal_handler(HANGUP, self._reload)
        ends.push_async_callback(self.watch.stop)
        ends.push_async_callback(self.upstream.aclose)
        ends.push_async_callback(self.fetcher.aclose)
        ends.push_async_callback(self.books.finish)
        if self.stand_in is not None:  # other workers ask it too
            await self.stand_in.start(sock=plan.simulator)
            ends.push_async_callback(self.stand_in.stop, grace_s=plan.settings.server.grace_s)
        if self.bridge is not None:
            await self.bridge.start()
            ends.push_async_callback(self.bridge.stop)
        await self.books.start(credentials=self.stored_keys.changed)
        self.traffic.start()
        ends.push_async_callback(self.traffic.finish)
        ends.push_async_callback(self.server.stop, grace_s=plan.settings.server.grace_s)
        await self.server.start(sock=plan.listener, tls=None if plan.tls is None else plan.tls.context)
        await self.watch.start(server=self.server, upstream=self.upstream, books=self.books, budget=self.budget)
        self._read_certificate()  # it may have changed since there was a supervisor, and until now nobody could say so

    def _reload(self) -> None:
        """On SIGHUP: the log was renamed, or there is another certificate. Where there is neither, nothing happens."""
        self.watch.reopen()
        self._read_certificate()

    def _read_certificate(self) -> None:
        try:
            if self._plan.tls is not None:
                self._plan.tls.reload()
        except TlsError as error:
            print(f"The certificate stays as it was: {error}", file=sys.stderr)


async def serve(plan: Plan, lifeline: int | None = None) -> int:
    """Serves until it is told to stop, or the other end of the lifeline is gone; the exit code."""
    stopped = listen_for_stop(lifeline)
    worker = Worker(plan)
    try:
        async with AsyncExitStack() as ends:
            await worker.start(ends)
            worker.readiness.clear(STARTING)
            settle_memory()
            await run_until_stopped(stopped, lifeline)
            worker.readiness.wait_for(DRAINING)
            await asyncio.sleep(
                plan.settings.server.drain_delay_s
            )  # still accepting: who asks /readyz has to notice first
    except StartupFailed as error:
        lines = "".join(f"\n  {line}" for line in str(error).splitlines())
        print(f"The web app could not start:{lines}", file=sys.stderr)
        return 1 if lifeline is None else CANNOT_START
    except StorageUnavailable as error:
        print(f"The database cannot be used: {reason(error)}", file=sys.stderr)
        return 1
    return 0


def _with_admin(plan: Plan, books: Bookkeeper, front: Front, gateway: Gateway) -> tuple[Inner, Admit]:
    """The app, with the admin API around it where there is a key for that: nothing of it is imported otherwise."""
    if plan.settings.admin_key is None:
        return front, gateway.admit
    from portico.admin.command import Office
    from portico.cli.housekeeping import house_of
    from portico.http.admin import AdminApi

    rng = SystemRandom()  # commands run in threads
    api = AdminApi(
        front, Office(books.database.reading, house_of(plan.settings), rng), plan.settings.admin_key, rng=rng
    )
    return api, api.admit(gateway.admit)


def _bridge(plan: Plan, relay: Relay, books: Bookkeeper, traffic: TrafficBook) -> AsgiBridge | None:
    """To the web app that was handed in, or to the house's own pages, if there are to be any."""
    if plan.web is not None:
        return AsgiBridge(plan.web)
    if not plan.settings.web.pages:
        return None
    return AsgiBridge(LazyHouse(plan.settings, plan.catalog, relay, books, traffic, simulated=plan.simulated))


def _stand_in() -> Server:
    from portico.simulator import Simulator

    return Server(Simulator(now=time.time))
