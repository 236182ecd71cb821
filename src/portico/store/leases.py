"""A worker's lease: while it holds, the worker lives, and its open holds are its own business.

It is renewed every 2 s for 15 s, by the database's clock, through the worker's committer: a worker that cannot write cannot
renew. A lease that has lapsed may still be renewed, unless somebody has ended it. Ending is what gives others the right to
resolve what its worker left open, and it is final: the worker goes on under a new id, and what it writes of the old one's
business comes late.

An outage makes the leases of all workers lapse together. So nobody ends another's before its own has held for as long as a
lease lasts: until then the others have renewed theirs.
"""

import asyncio
import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from portico.core.errors import StorageUnavailable
from portico.core.storage import Db
from portico.store.committer import GroupCommitter

LEASE_S: Final = 15.0
RENEW_EVERY_S: Final = 2.0
TRY_AGAIN_S: Final = 0.5
MISSED_S: Final = 5.0
"""Longer between two renewals: the database was away, for others too."""
KEPT_S: Final = 7 * 24 * 3600.0
"""How long a lease that was ended is remembered. What a frozen worker wrote late under it is found until then, and so is
whether its last batch was applied."""

_BOOT_TIME: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", None)
"""Linux has it."""

log = logging.getLogger("portico.store")


def machine_seconds() -> float:
    """Seconds that go on while the machine sleeps, where it can tell."""
    return time.monotonic() if _BOOT_TIME is None else time.clock_gettime(_BOOT_TIME)


def own_label() -> str:
    """Which process this is, among those of one database."""
    return label_of(os.getpid())


def label_of(pid: int) -> str:
    """Where it runs, its number, and when it began: numbers are used again."""
    return f"{_place()}:{pid}:{_began(pid)}"


def is_dead(label: str) -> bool:
    """Whether a process is known to be gone. False: it lives, or it runs where nobody here can see it."""
    place, _, rest = label.rpartition(":")[0].rpartition(":")
    began = label.rpartition(":")[2]
    return bool(began) and place == _place() and rest.isdigit() and _began(int(rest)) != began


@cache
def _place() -> str:
    """The running kernel, and which of its containers: there process numbers mean the same."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}:{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return socket.gethostname()


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks; "" if there is none, or nothing tells. One that is dead but was not
    waited for yet has ended too."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def end_dead(db: Db) -> int:
    """Ends the leases of processes of this machine that are gone, without waiting until they lapse; how many."""
    labels = db.rows("SELECT DISTINCT label FROM leases WHERE expires_us > 0")
    return sum(End(label=label).apply(db) for (label,) in labels if is_dead(label))


class Take:
    """A Write: a new lease."""

    keys: Sequence[str] = ()

    def __init__(self, worker_id: str, label: str) -> None:
        self.worker_id, self.label = worker_id, label

    def apply(self, db: Db) -> None:
        expires_us = db.now_us + round(LEASE_S * 1_000_000)
        sql = "INSERT INTO leases (worker_id, label, expires_us) VALUES (?, ?, ?)"
        db.run(sql, self.worker_id, self.label, expires_us)


class Renew:
    """A Write: False if the lease was ended."""

    keys: Sequence[str] = ()

    def __init__(self, worker_id: str) -> None:
        self.worker_id = worker_id

    def apply(self, db: Db) -> bool:
        expires_us = db.now_us + round(LEASE_S * 1_000_000)
        sql = "UPDATE leases SET expires_us = ? WHERE worker_id = ? AND expires_us > 0"
        return db.run(sql, expires_us, self.worker_id) == 1


class End:
    """A Write: the worker is done, or known to be dead. By its id, by its label, or by either."""

    keys: Sequence[str] = ()

    def __init__(self, *, worker_id: str | None = None, label: str | None = None) -> None:
        self.worker_id, self.label = worker_id, label

    def apply(self, db: Db) -> int:
        sql = "UPDATE leases SET expires_us = ? WHERE expires_us > 0 AND (worker_id = ? OR label = ?)"
        return db.run(sql, -db.now_us, self.worker_id, self.label)


def lapsed(db: Db) -> list[str]:
    """Ends every lease that has lapsed, and returns the ids of all workers whose leases were ended: what they left open may
    be resolved in this transaction or later. A worker comes again and again until it is forgotten, since one that was
    frozen may have written something under its old id when it woke.

    Only for a worker whose own lease is `steady`.
    """
    db.run("UPDATE leases SET expires_us = ? WHERE expires_us > 0 AND expires_us <= ?", -db.now_us, db.now_us)
    return ended(db)


def ended(db: Db) -> list[str]:
    """The workers whose leases were ended, by themselves, by a supervisor, or by `lapsed`; forgets the oldest."""
    long_ago = -(db.now_us - round(KEPT_S * 1_000_000))
    old = "SELECT worker_id FROM leases WHERE expires_us < 0 AND expires_us > ?"
    db.run(f"DELETE FROM batches WHERE worker_id IN ({old})", long_ago)  # noqa: S608 - our own text
    db.run("DELETE FROM leases WHERE expires_us < 0 AND expires_us > ?", long_ago)
    return [row[0] for row in db.rows("SELECT worker_id FROM leases WHERE expires_us < 0 ORDER BY worker_id")]


class Lease:
    """This worker's. `start` takes it, a task renews it, `aclose` ends it (before the committer is closed)."""

    def __init__(
        self,
        committer: GroupCommitter,
        new_id: Callable[[], str],
        *,
        label: str = "",
        clock: Callable[[], float] = machine_seconds,
        renew_every_s: float = RENEW_EVERY_S,
    ) -> None:
        self._committer = committer
        self._new_id = new_id
        self._label = label or own_label()
        self._clock = clock
        self._renew_every_s = renew_every_s
        self._worker_id = committer.worker_id
        self._taken = False
        self._renewed_at = -LEASE_S
        self._since = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def worker_id(self) -> str:
        """Who this worker is now. Another after a lease was lost."""
        return self._worker_id

    @property
    def held(self) -> bool:
        """Whether new calls may be admitted."""
        return self._taken and self._clock() < self._renewed_at + LEASE_S

    @property
    def steady(self) -> bool:
        """Held without a gap for as long as a lease lasts: others have had the time to renew theirs."""
        return self.held and self._clock() - self._since >= LEASE_S

    async def start(self) -> None:
        """Raises `StorageUnavailable`."""
        await self._take()
        self._task = asyncio.create_task(self._keep())

    async def renew(self) -> bool:
        """Renews it once, or takes a new one if it was ended. False: the database is not available."""
        try:
            if self._taken:
                before = self._clock()
                if await self._committer.submit(Renew(self._worker_id)):
                    if before - self._renewed_at > MISSED_S:
                        self._since = before
                    self._renewed_at = before
                    return True
                self._taken = False
                self._worker_id = self._new_id()
                log.warning("this worker's lease was ended by another; it goes on as %s", self._worker_id)
            await self._take()
        except StorageUnavailable:
            return False
        return True

    async def _take(self) -> None:
        before = self._clock()
        await self._committer.submit(Take(self._worker_id, self._label))
        self._committer.worker_id = self._worker_id
        self._renewed_at = self._since = before
        self._taken = True

    async def _keep(self) -> None:
        pause = self._renew_every_s
        while True:
            await asyncio.sleep(pause)
            pause = self._renew_every_s if await self.renew() else min(TRY_AGAIN_S, self._renew_every_s)

    async def aclose(self) -> None:
        """Others may resolve at once what this worker leaves open."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._taken:
            self._taken = False
            self._committer.post(End(worker_id=self._worker_id))
