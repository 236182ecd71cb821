"""The group committer: whatever arrived while the last transaction was committing makes up the next one.

One thread per worker process owns the connection. The event loop collects writes, hands over all it has at once, and is
called back once a batch. Where nobody is in a hurry it collects for a moment, since a commit costs the same for many as for
one.

    submit    waits a bounded time. Who is told `StorageUnavailable` may rely on it that nothing was written: a write that
              is not yet in a transaction is withdrawn; one that is waits until its fate is known, which may be when the
              database is back.
    post      is kept until the database has it.

Only one of the two threads can run Python at a time, and statements of SQLite take no time but that of the processor: so
the loop stands aside while the thread makes them, and goes on as soon as it commits. Else they would take turns at every
statement (measured: a write beside a loop that is never idle took 765 ms in the middle).

While the database is known to be down, submits are refused at once, and the thread tries it again and again, later and
later. Too much is waiting: submits are refused, and `full` says so, so that no new call is taken on.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from itertools import takewhile
from math import inf
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from portico.core.errors import StorageUnavailable
from portico.core.storage import Write
from portico.store.batch import Batch, Item
from portico.store.engine import Engine, Exchanged, Session, reason

T = TypeVar("T")

WAIT_S: Final = 2.0
"""How long a submit waits for a database that does not answer."""
CAPACITY: Final = 10_000
"""Writes that may wait before no more are asked for."""
MAX_BATCH: Final = 128
STUCK_S: Final = 10.0
"""A transaction this old is given up, and its connection with it."""
LOOK_EVERY_S: Final = 0.25
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
FLUSH_S: Final = 10.0
LINGER_S: Final = 0.003
"""How long submits that are in no hurry are collected."""
POSTED_S: Final = 0.01
"""How long posts are, for which nobody waits. Most go sooner, with what is submitted."""
PATIENT_S: Final = 0.1
"""How long posts that are in no hurry are: a commit of their own is what they are not worth."""
ASIDE_S: Final = 0.002
"""How long the loop stands aside for a batch: another worker may hold the lock, and the disk be slow."""
GIVE_EVERY_S: Final = 0.001
GIVE_S: Final = 0.0002
"""How often, and for how long at most, the loop lets the thread run while a batch is under way. The interpreter's lock is
not fair: a loop that lets go of it for a system call has it back before the thread has woken up. Without this, batches took
hundreds of milliseconds beside a loop that is never idle (docs/decisions/0013).
"""

_STUCK: Final = (
    "a transaction has not ended within {:g} s. The disk may hang, or a process that is frozen hold the lock."
)

log = logging.getLogger("portico.store")


class GroupCommitter:
    """A `core.storage.Committer`. Made within the running loop, whose it is; `aclose` ends it."""

    def __init__(
        self,
        engine: Engine,
        worker_id: str,
        *,
        capacity: int = CAPACITY,
        wait_s: float = WAIT_S,
        stuck_s: float = STUCK_S,
    ) -> None:
        self.worker_id = worker_id
        """Whose batches these are from now on. May be changed: a worker with a new lease is another worker."""
        self._engine = engine
        self._capacity = capacity
        self._wait_s = wait_s
        self._stuck_s = stuck_s
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[list[Item] | None] = SimpleQueue()
        self._arrived: list[Item] = []
        """What no batch has yet."""
        self._under_way = False
        """The thread has a batch."""
        self._linger_s = inf
        """How long the most hurried of them may wait, from when it came or the thread was done with what it had."""
        self._handing: asyncio.Handle | None = None
        self._count = 0
        self._waiting: deque[Item] = deque()
        """Submits in the order of their deadlines; some have been answered."""
        self._looking: asyncio.TimerHandle | None = None
        self._giving: asyncio.TimerHandle | None = None
        self._closing = False
        """Nothing is submitted any more."""
        self._finished = False
        """Nothing is posted any more: the thread has been told to end."""
        self._ended = asyncio.Event()
        # Shared with the thread.
        self._down_since: float | None = None
        self._session: Session | None = None
        self._busy_since: float | None = None
        self._lock = threading.Lock()
        """Held to take items, to withdraw them, and to replace the session."""
        self._abandoned = threading.Event()
        self._rested = threading.Lock()
        """Released when the thread needs the interpreter no more for now."""
        self._thread = threading.Thread(target=self._work, name="portico-committer", daemon=True)
        self._thread.start()

    # -- on the loop ---------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Too much is waiting: no new call should be taken on."""
        return self._count >= self._capacity

    @property
    def down(self) -> bool:
        """The database did not answer when it was last tried, or does not now."""
        return self._down_since is not None

    @property
    def down_s(self) -> float:
        """For how long it has been `down`; 0.0 while it is not."""
        since = self._down_since
        return 0.0 if since is None else time.monotonic() - since

    @property
    def waiting(self) -> int:
        """How many writes are not durable yet."""
        return self._count

    def submit(self, write: Write[T], *, hurry: bool = True) -> "asyncio.Future[T]":
        """See `core.storage.Committer`. Raises `StorageUnavailable` at once while the database is known to be down, too."""
        if self._down_since is not None or self._closing or self._count >= self._capacity:
            raise StorageUnavailable
        future: asyncio.Future[T] = self._loop.create_future()
        item = Item(write, future, time.monotonic() + self._wait_s)
        self._waiting.append(item)
        self._put(item, 0.0 if hurry else LINGER_S)
        return future

    def post(self, write: Write[Any], *, hurry: bool = True) -> None:
        """See `core.storage.Committer`. While it is closing, too: a hold that is decided then is followed by its end."""
        if self._finished:
            raise RuntimeError("the committer is closed")
        self._put(Item(write, None, 0.0), POSTED_S if hurry else PATIENT_S)

    def _put(self, item: Item, linger_s: float) -> None:
        """Adds it to what has arrived, all of which is handed over in so long at the latest."""
        self._count += 1
        self._arrived.append(item)
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_EVERY_S, self._look)
        if self._closing:
            return  # whoever ends the thread looks for it first
        if linger_s < self._linger_s:
            self._linger_s = linger_s
            if not self._under_way:
                self._hand_over_soon()

    def _hand_over_soon(self) -> None:
        """Hands over as soon as those wish who have arrived; in this turn of the loop what else comes in it goes along."""
        if self._handing is not None:
            self._handing.cancel()
        if self._linger_s:
            self._handing = self._loop.call_later(self._linger_s, self._hand_over)
        else:
            self._handing = self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Gives the thread what has arrived. It has nothing to do."""
        if self._handing is not None:
            self._handing.cancel()  # else it would give the thread nothing, and nobody be told that this is done
            self._handing = None
        items = self._arrived[:MAX_BATCH]
        self._arrived = self._arrived[MAX_BATCH:]
        self._linger_s = 0.0 if self._arrived else inf
        self._under_way = True
        if not self._engine.is_local:
            self._queue.put(items)
        else:
            self._rested.acquire(blocking=False)
            self._queue.put(items)
            if self._rested.acquire(timeout=ASIDE_S):
                return
        if self._giving is None:
            self._giving = self._loop.call_later(GIVE_EVERY_S, self._give_way)

    def _done_with_batch(self) -> None:
        """The thread waits for the next."""
        self._under_way = False
        if self._closing:
            if self._arrived:
                self._hand_over()
            else:
                self._loop.call_soon(self._finish)  # behind those who were answered now, and may post
        elif self._linger_s == 0.0:
            self._hand_over()
        elif self._arrived:
            self._hand_over_soon()

    def _finish(self) -> None:
        """Ends the thread, if nothing has come since it was done."""
        if self._under_way or self._finished:
            return
        if self._arrived:
            self._hand_over()
        else:
            self._finished = True
            self._queue.put(None)

    def _give_way(self) -> None:
        """Lets the thread run. Where the loop is idle it has run already, and there is nothing left to do."""
        self._giving = None
        if not self._under_way:
            return
        if self._busy_since is not None:
            self._rested.acquire(blocking=False)
            self._rested.acquire(timeout=GIVE_S)
        self._giving = self._loop.call_later(GIVE_EVERY_S, self._give_way)

    def _rest(self) -> None:
        """In the thread: what follows does not need the interpreter."""
        if self._rested.locked():
            self._rested.release()

    def _look(self) -> None:
        """Withdraws what waited for too long, and gives up a transaction that is stuck. Not every one can be: who waits for
        the lock of a process that is frozen, or for a disk that hangs, hears nothing."""
        self._looking = None
        now, down = time.monotonic(), False
        with self._lock:
            overdue = takewhile(lambda item: item.deadline <= now, self._waiting)
            late = [item for item in overdue if not (item.taken or item.withdrawn or _is_answered(item))]
            for item in late:
                item.withdrawn = True
            since = self._busy_since
            if self._session is not None and since is not None and now - since > self._stuck_s:
                self._session.interrupt()
                down = self._down_since is None
                self._down_since = now if down else self._down_since
        if down:
            log.warning("%s is not available: %s", self._engine.name, _STUCK.format(self._stuck_s))
        for item in late:
            item.error = StorageUnavailable()
            self._answer(item)
        self._forget_answered()
        if self._count:
            self._looking = self._loop.call_later(LOOK_EVERY_S, self._look)

    def _deliver(self, items: list[Item]) -> None:
        """What became of these."""
        for item in items:
            self._answer(item)
        self._forget_answered()

    def _delivered(self, batch: Batch) -> None:
        """What became of a batch. What another transaction stood in the way of goes with the next, before what came later;
        the others are not kept waiting by it."""
        self._deliver(batch.done)
        if batch.again:
            self._arrived = batch.again + self._arrived
            self._linger_s = min(self._linger_s, POSTED_S)
        self._done_with_batch()

    def _answer(self, item: Item) -> None:
        self._count -= 1
        future, error = item.future, item.error
        if future is None or future.done():
            return
        if error is None:
            future.set_result(item.result)
        else:
            future.set_exception(error)
            future.exception()  # who gave up waiting has no use for it

    def _forget_answered(self) -> None:
        waiting = self._waiting
        while waiting and (waiting[0].withdrawn or _is_answered(waiting[0])):
            waiting.popleft()

    async def aclose(self, flush_s: float = FLUSH_S) -> None:
        """Writes what waits, and what is posted on account of it, if the database lets it within `flush_s`. Nothing can be
        submitted any more, and in the end nothing posted."""
        if not self._closing:
            self._closing = True
            if not self._under_way:
                self._done_with_batch()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), flush_s)
        if self._ended.is_set():
            self._thread.join()
        else:
            self._abandoned.set()
            self._finished = True
            if self._count:
                log.error("%d writes could not be flushed: %s is not available", self._count, self._engine.name)
        for timer in (self._looking, self._giving, self._handing):
            if timer is not None:
                timer.cancel()
        for item in self._waiting:
            item.error = item.error or StorageUnavailable()
            self._answer(item)
        self._waiting.clear()

    # -- in the thread -------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        sequence = 0
        while (items := self._queue.get()) is not None:
            sequence += 1
            self._commit(Batch(items, self.worker_id, sequence))
            if self._abandoned.is_set():
                break
        self._forget_marks()
        self._drop_session()
        self._call(self._ended.set)

    def _commit(self, batch: Batch) -> None:
        """Until the database has it."""
        failures = 0
        while not self._abandoned.is_set():
            try:
                session = self._session
                if session is None:
                    session = self._engine.connect()
                    with self._lock:
                        self._session = session
                self._busy_since = time.monotonic()
                batch.run(session, self._claim, self._rest)
            except Exception as error:  # noqa: BLE001 - the thread must not end; it is told
                self._no_longer_busy()
                self._lost(error, batch, failures)
                # A connection may just have been cut: one that is new is tried at once.
                if failures:
                    self._abandoned.wait(min(FIRST_PAUSE_S * 2.0 ** (failures - 1), LONGEST_PAUSE_S))
                failures += 1
            else:
                self._no_longer_busy()
                self._settled(batch)
                self._rest()
                return

    def _no_longer_busy(self) -> None:
        with self._lock:  # so that nobody finds it stuck who looked before, and says so after
            self._busy_since = None

    def _claim(self, items: list[Item]) -> list[Item]:
        """Takes those that are still wanted. Who waited for too long is told so, and nothing of it is written."""
        now, live, late = time.monotonic(), list[Item](), list[Item]()
        with self._lock:
            for item in items:
                if item.future is None:
                    live.append(item)
                elif item.withdrawn:
                    continue
                elif item.deadline <= now:
                    item.withdrawn, item.error = True, StorageUnavailable()
                    late.append(item)
                else:
                    item.taken = True
                    live.append(item)
        if late:
            self._call(self._deliver, late)
        return live

    def _lost(self, error: Exception, batch: Batch, failures: int) -> None:
        connected = self._session is not None
        self._drop_session()
        if not batch.in_doubt:
            with self._lock:
                for item in batch.items:
                    item.taken = False
        if isinstance(error, Exchanged):
            log.warning("%s", error)
        if self._down_since is not None or (connected and failures == 0):
            return
        self._down_since = time.monotonic()
        log.warning("%s is not available: %s", self._engine.name, reason(error))

    def _settled(self, batch: Batch) -> None:
        if self._down_since is not None:
            self._down_since = None
            log.warning("%s is available again", self._engine.name)
        for item in batch.done:
            if item.error is not None:
                names = ", ".join(item.keys)
                log.error("a write failed: %s (%s)", type(item.write).__name__, names, exc_info=item.error)
        if batch.again:
            with self._lock:
                for item in batch.again:
                    item.taken = False
        self._call(self._delivered, batch)

    def _forget_marks(self) -> None:
        """Nothing is in doubt any more: the rows that would tell are not needed."""
        session = self._session
        if session is None or self._abandoned.is_set():
            return
        with contextlib.suppress(Exception):
            session.begin()
            session.db.run("DELETE FROM batches WHERE worker_id = ?", self.worker_id)
            session.commit()

    def _drop_session(self) -> None:
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _call(self, function: Any, *arguments: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(function, *arguments)


def _is_answered(item: Item) -> bool:
    return item.future is None or item.future.done()
