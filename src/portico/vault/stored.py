"""A vault in the database, with this process's memory in front of it.

The rules that are kept: what an answer leaves behind can be found by every worker before the answer's last byte leaves, and
after a restart; it is found by its own tenant only; and no answer fails or hangs for it. While the database cannot be
reached an answer is held back for a moment, those after it are not, and what could not be written waits, as far as there
is room, until it can. Memory has it meanwhile.

That a key is not there is never remembered: another worker may keep it at any time.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.errors import StorageUnavailable
from portico.core.storage import Committer, Pending, Reading
from portico.vault import codec, rows
from portico.vault.memory import MemoryVault
from portico.vault.record import TurnRecord

log = logging.getLogger("portico.vault")
MIB: Final = 1024 * 1024
SHARED_BYTES: Final = 1024
"""A record that is longer is written once, and its other keys lead to the first."""


class VaultSettings(msgspec.Struct, frozen=True):
    """What an operator may set about what is kept. Times are seconds."""

    ttl_s: float = 24 * 3600.0
    max_record_bytes: int = 16 * MIB
    """Longer records stay in memory only. Image models sign with up to 3 MB a picture (mapping.md 2.4)."""
    max_account_bytes: int = 512 * MIB
    """What one account may keep; looked after by the sweep, the oldest goes first."""
    max_keys: int = 2048
    """So many keys of a request are looked for in the database, the last ones: those of its latest turns."""
    max_found_bytes: int = 64 * MIB
    """So much of long records is read for one request."""
    wait_s: float = 1.0
    """How long an answer's end, or a request's beginning, is held back for the database."""
    rest_s: float = 2.0
    """How long after that no other is, nor a database asked that did not answer; and how soon what could not be written
    is tried again."""
    max_unwritten_bytes: int = 32 * MIB
    sweep_rows: int = 200
    """So many rows a sweep takes out in one write."""


class StoredVault:
    """Implements `Vault`. `clock` gives seconds; it only needs to go forward."""

    def __init__(
        self,
        memory: MemoryVault,
        committer: Committer,
        reading: Reading,
        *,
        clock: Callable[[], float],
        settings: VaultSettings | None = None,
    ) -> None:
        self._memory = memory
        self._committer = committer
        self._reading = reading
        self._clock = clock
        self._settings = settings or VaultSettings()
        self._unwritten: deque[rows.Keep] = deque()
        self._unwritten_bytes = 0
        self._retry: asyncio.TimerHandle | None = None
        self._rests_until = float("-inf")
        self._reads_again_at = float("-inf")
        self.unsettled = 0
        """Answers that ended before it was known that other workers can find what they left behind."""
        self.lost = 0
        """Records, by key, that could not be written: too long, unspeakable, or no room while the database was away."""
        self.unread = 0
        """Requests for which the database could not be asked."""

    def __len__(self) -> int:
        """Keys in memory."""
        return len(self._memory)

    @property
    def size_bytes(self) -> int:
        """What is in memory."""
        return self._memory.size_bytes

    # -- finding

    async def find(self, tenant: str, keys: Iterable[str]) -> Mapping[str, TurnRecord]:
        keys = list(keys)
        found = self._memory.look(tenant, keys)
        missing = list(dict.fromkeys([key for key in keys if key not in found]))
        if not missing or self._clock() < self._reads_again_at:
            return found
        settings = self._settings
        query = rows.find(tenant, missing[-settings.max_keys :], max_bytes=settings.max_found_bytes)
        try:
            async with asyncio.timeout(settings.wait_s):
                there = await self._reading.read(query)
        except (StorageUnavailable, TimeoutError):
            self.unread += 1
            self._reads_again_at = self._clock() + settings.rest_s
            return found
        return self._remembered(tenant, there, found) if there else found

    def _remembered(
        self, tenant: str, there: Mapping[str, rows.Found], found: dict[str, TurnRecord]
    ) -> dict[str, TurnRecord]:
        """What was found, with what was there. Keys of one record share it, in memory too."""
        records: dict[bytes, tuple[TurnRecord, float, list[str]]] = {}
        for key, row in there.items():
            if row.data in records:
                records[row.data][2].append(key)
            elif (record := codec.decode(row.data)) is not None:
                records[row.data] = (record, row.left_s, [key])
        newer = self._memory.look(tenant, there)  # kept while the database was asked
        for record, left_s, keys in records.values():
            self._memory.keep(tenant, [key for key in keys if key not in newer], record, left_s)
            found.update(dict.fromkeys(keys, record))
        return found | newer

    # -- keeping

    def keep_all(self, tenant: str, kept: Iterable[tuple[Sequence[str], TurnRecord]]) -> Awaitable[None] | None:
        data: dict[str, bytes] = {}
        for keys, record in kept:
            self._memory.keep(tenant, keys, record)
            data |= self._encoded(keys, record)
        if not data:
            return None
        return self._write(rows.Keep(tenant, data, int(self._settings.ttl_s * rows.MICROSECONDS)))

    def _encoded(self, keys: Sequence[str], record: TurnRecord) -> dict[str, bytes]:
        try:
            data = codec.encode(record)
            if len(data) > self._settings.max_record_bytes:
                raise codec.Unwritable("too long")
            if len(data) <= SHARED_BYTES:
                return dict.fromkeys(keys, data)
            return {key: codec.elsewhere(keys[0]) for key in keys[1:]} | {keys[0]: data}
        except codec.Unwritable:
            self.lost += len(keys)
            return {}

    def _write(self, write: rows.Keep) -> Awaitable[None] | None:
        """Hands a write over; None if nobody is to wait for it."""
        try:
            pending = self._committer.submit(write)
        except StorageUnavailable:
            self._put_off(write)
            self.unsettled += 1
            return None
        pending.add_done_callback(lambda done: self._written(write, done))
        if self._clock() < self._rests_until:
            self.unsettled += 1
            return None
        return _Settling(self, pending, self._settings.wait_s)

    def _written(self, write: rows.Keep, done: Pending[None]) -> None:
        try:
            done.result()
        except (StorageUnavailable, asyncio.CancelledError):
            self._put_off(write)
        except Exception:
            log.exception("records of account %s could not be written", write.account_id)
            self.lost += len(write.rows)
        else:
            self._rests_until = float("-inf")

    def waited_in_vain(self) -> None:
        """An answer goes on without the database."""
        self.unsettled += 1
        self._rest()

    def _rest(self) -> None:
        self._rests_until = self._clock() + self._settings.rest_s

    # -- while the database is away

    def _put_off(self, write: rows.Keep) -> None:
        """Keeps a write for later; what has waited longest makes room."""
        self._rest()
        self._unwritten.append(write)
        self._unwritten_bytes += write.size_bytes
        while self._unwritten_bytes > self._settings.max_unwritten_bytes:
            gone = self._unwritten.popleft()
            self._unwritten_bytes -= gone.size_bytes
            self.lost += len(gone.rows)
        if self._retry is None and self._unwritten:
            self._retry = asyncio.get_running_loop().call_later(self._settings.rest_s, self._try_again)

    def _try_again(self) -> None:
        """The oldest goes first, alone: it tells whether there is any use."""
        self._retry = None
        if not self._unwritten:
            return
        write = self._unwritten.popleft()
        self._unwritten_bytes -= write.size_bytes
        try:
            pending = self._committer.submit(write)
        except StorageUnavailable:
            self._unwritten.appendleft(write)
            self._unwritten_bytes += write.size_bytes
            self._retry = asyncio.get_running_loop().call_later(self._settings.rest_s, self._try_again)
            return
        pending.add_done_callback(lambda done: self._tried_again(write, done))

    def _tried_again(self, write: rows.Keep, done: Pending[None]) -> None:
        self._written(write, done)
        if self._clock() >= self._rests_until:
            self._try_again()

    async def close(self) -> None:
        """Hands over what still waits: to be called before the committer ends."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        while self._unwritten:
            self._committer.post(self._unwritten.popleft())
        self._unwritten_bytes = 0

    # -- the sweep

    async def sweep(self) -> int:
        """Takes out whose time is over, and the oldest of accounts that keep too much, a few rows a write. How many rows
        went. Raises `StorageUnavailable`."""
        size, gone = self._settings.sweep_rows, 0
        while (dropped := await self._committer.submit(rows.DropExpired(size))) == size:
            gone += dropped
        gone += dropped
        for account_id, above in await self._reading.read(rows.accounts_above(self._settings.max_account_bytes)):
            gone += await self._shrink(account_id, above)
        return gone

    async def _shrink(self, account_id: str, above_bytes: int) -> int:
        gone = 0
        while above_bytes > 0:
            oldest = await self._reading.read(rows.oldest_of(account_id, above_bytes, self._settings.sweep_rows))
            if not oldest:
                break
            gone += await self._committer.submit(rows.DropOldest(account_id, [(key, at) for key, at, _ in oldest]))
            above_bytes -= sum([size_bytes for _, _, size_bytes in oldest])
        return gone


class _Settling:
    """Awaited, it returns when a write is durable, or after a while. It leaves the write alone in either case."""

    __slots__ = ("_pending", "_vault", "_wait_s")

    def __init__(self, vault: StoredVault, pending: Pending[Any], wait_s: float) -> None:
        self._vault = vault
        self._pending = pending
        self._wait_s = wait_s

    def __await__(self) -> Generator[Any, None, None]:
        if self._pending.done():
            return
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[bool] = loop.create_future()

        def settle(in_time: bool) -> None:
            if not settled.done():
                settled.set_result(in_time)

        timer = loop.call_later(self._wait_s, settle, False)
        self._pending.add_done_callback(lambda _: settle(True))
        try:
            in_time = yield from settled.__await__()
        finally:
            timer.cancel()
        if not in_time:
            self._vault.waited_in_vain()
