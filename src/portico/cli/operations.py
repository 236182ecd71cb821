"""What `portico serve` shows its operator: access log and metrics, made of the configuration.

`Shared` is made once, before workers are forked; `Watch` is one worker's side of it.
"""

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from portico import __version__
from portico.catalog import Catalog
from portico.cli.bookkeeper import Bookkeeper
from portico.config import Config
from portico.core.errors import UpstreamError
from portico.http.budget import Budget
from portico.http.client import HttpUpstream
from portico.http.operations import Operations
from portico.http.readiness import Readiness
from portico.http.routes import ROUTE_NAMES
from portico.http.server import Server
from portico.routing.traffic import TrafficTally, TryTally
from portico.telemetry import AccessLog, LineWriter, Metrics, Observing, Sampler
from portico.telemetry.lines import Opener, another, appending
from portico.telemetry.process import cpu_seconds, most_files, open_files, resident_bytes
from portico.telemetry.settings import AUTO, OFF, STDERR


class Shared(msgspec.Struct, frozen=True):
    """What all workers have in common."""

    metrics: Metrics
    opener: Opener | None
    """Opens the access log, if there is one."""
    reopens: bool
    """It is a file, which may be renamed."""
    listener: socket.socket | None
    """Where metrics are told to whoever asks."""

    @classmethod
    def of(cls, settings: Config, catalog: Catalog, listen: Callable[[str, int], socket.socket]) -> "Shared":
        """Raises `OSError` if the log cannot be written or the address not listened on."""
        opener = _opener(settings.log.access)
        if opener is not None:
            os.close(opener())
        metrics = Metrics(
            workers=settings.server.workers,
            version=__version__,
            routes=ROUTE_NAMES,
            providers=[provider.name for provider in (*settings.providers, *settings.dormant)],
            models=list(catalog.models),
            errors=sorted(_codes(UpstreamError)),
        )
        address = settings.metrics.listen
        listener = None if address is None else listen(*address)
        return cls(metrics, opener, isinstance(settings.log.access, Path), listener)


def _opener(access: str | Path) -> Opener | None:
    if isinstance(access, Path):
        return appending(access)
    if access == OFF or (access == AUTO and sys.stdout.isatty()):
        return None
    return another(2 if access == STDERR else 1)


def _codes(error: type[UpstreamError]) -> set[str]:
    own = {error.code}
    return own.union(*[_codes(kind) for kind in error.__subclasses__()])


class Watch:
    """One worker's log and metrics. To be made on its loop."""

    def __init__(
        self, shared: Shared, worker: int, readiness: Readiness, models: TrafficTally, tries: TryTally
    ) -> None:
        """`models`, `tries`: where it is counted how they and their providers fare."""
        self._shared = shared
        self._tally = shared.metrics.tally(worker)
        self._writer = None if shared.opener is None else LineWriter(shared.opener)
        access_log = None if self._writer is None else AccessLog(self._writer.write)
        self.observer = Observing(self._tally, access_log, models, tries)
        self._sampler: Sampler | None = None
        self._own = Server(Operations(None, readiness, metrics=self.text, public=True))

    def text(self) -> bytes:
        """The metrics of all workers, those of this one as they are now."""
        if self._sampler is not None:
            self._sampler.sample()
        return self._shared.metrics.text()

    async def start(self, *, server: Server, upstream: HttpUpstream, books: Bookkeeper, budget: Budget) -> None:
        """Begins to look at the parts of a running gateway."""
        observer, writer, started = self.observer, self._writer, time.time()
        vault, committer, lease, till = books.vault, books.committer, books.lease, books.till
        gauges: dict[str, Callable[[], float]] = {
            "process_resident_memory_bytes": resident_bytes,
            "process_cpu_seconds_total": cpu_seconds,
            "process_start_time_seconds": lambda: started,
            "process_open_fds": open_files,
            "process_max_fds": most_files,
            "portico_open_connections": lambda: server.open_connections,
            "portico_open_calls": lambda: observer.open_calls,
            "portico_open_streams": lambda: observer.open_streams,
            "portico_body_bytes_in_flight": lambda: budget.body_bytes,
            "portico_upstream_connections": lambda: upstream.open_connections,
            "portico_upstream_connections_idle": lambda: upstream.idle_connections,
            "portico_vault_bytes": lambda: vault.size_bytes,
            "portico_vault_entries": lambda: len(vault),
            "portico_store_writes_waiting": lambda: committer.waiting,
            "portico_store_down": lambda: committer.down,
            "portico_lease_held": lambda: lease.held,
            "portico_draining_answers": lambda: till.draining,
        }
        totals: dict[str, Callable[[], float]] = {
            "portico_budget_refusals_body_bytes_total": lambda: budget.refused_bodies,
            "portico_budget_refusals_open_calls_total": lambda: budget.refused_calls,
            "portico_vault_unsettled_total": lambda: vault.unsettled,
            "portico_vault_lost_total": lambda: vault.lost,
            "portico_vault_unread_total": lambda: vault.unread,
        }
        if writer is not None:
            gauges["portico_log_queue_bytes"] = lambda: writer.waiting_bytes
            totals["portico_log_lines_total"] = lambda: writer.written
            totals["portico_log_lines_dropped_total"] = lambda: writer.dropped
        self._sampler = Sampler(self._tally, gauges=gauges, totals=totals)
        self._sampler.start()
        if self._shared.listener is not None:
            await self._own.start(sock=self._shared.listener.dup())

    def reopen(self) -> None:
        """The log was renamed."""
        if self._writer is not None and self._shared.reopens:
            self._writer.reopen()

    async def stop(self) -> None:
        """To be called when nothing more is served. Writes what of the log is not written."""
        await self._own.stop(grace_s=0)
        if self._sampler is not None:
            self._sampler.stop()
        if self._writer is not None:
            self._writer.close()
