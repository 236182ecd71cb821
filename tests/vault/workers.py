"""Worker processes, as far as the database can tell: each with a committer and memory of its own."""

import asyncio
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, Self, TypeVar

from portico.core.errors import StorageUnavailable
from portico.core.parts import Signature
from portico.core.storage import Committer, Db, Pending, Reading, Write
from portico.store.committer import GroupCommitter
from portico.store.database import Database, open_database
from portico.vault import (
    CallKept,
    MemoryVault,
    OpaqueKept,
    Resources,
    StoredVault,
    TurnRecord,
    VaultSettings,
)
from portico.vault.responses import ResponseSettings, StoredResponses

T = TypeVar("T")
SIGNER = "gemini-3@gemini"


class Workers:
    """Those of one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._databases: list[Database] = []
        self._committers: list[GroupCommitter] = []
        self._vaults: list[StoredVault] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for vault in self._vaults:
            await vault.close()
        for committer in self._committers:
            await committer.aclose(flush_s=1.0)
        for database in self._databases:
            await database.aclose()

    def storage(self) -> tuple[GroupCommitter, Reading]:
        database = open_database(self.url)
        committer = database.committer(f"w{len(self._committers)}")
        self._databases.append(database)
        self._committers.append(committer)
        return committer, database.reading

    def vault(
        self,
        settings: VaultSettings | None = None,
        *,
        through: Callable[[Committer], Committer] = lambda committer: committer,
        clock: Callable[[], float] = time.monotonic,
    ) -> StoredVault:
        """One with nothing in its memory. `through`: what its writes pass on their way."""
        committer, reading = self.storage()
        vault = StoredVault(MemoryVault(clock), through(committer), reading, clock=clock, settings=settings)
        self._vaults.append(vault)
        return vault

    def resources(self, now: Callable[[], float] = time.time) -> Resources:
        return Resources(*self.storage(), now=now)

    def responses(
        self,
        settings: ResponseSettings | None = None,
        *,
        through: Callable[[Committer], Committer] = lambda committer: committer,
    ) -> StoredResponses:
        committer, reading = self.storage()
        return StoredResponses(through(committer), reading, settings)

    async def change(self, sql: str, *values: int | str | bytes) -> int:
        """A statement of the test's own; how many rows it changed."""
        return await self._databases[0].reading.work(lambda db: db.run(sql, *values))

    async def keys(self) -> list[str]:
        """Of all rows of the vault."""

        def query(db: Db) -> list[str]:
            return [key for (key,) in db.rows("SELECT key FROM vault_records")]

        return await self._databases[0].reading.read(query)


class Gate:
    """A `Committer` that holds every write back until it is opened."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self.held: list[Write[Any]] = []
        self._pending: list[_Held] = []

    def submit(self, write: Write[T], *, hurry: bool = True) -> Pending[T]:  # noqa: ARG002
        held = _Held()
        self.held.append(write)
        self._pending.append(held)
        return held

    def post(self, write: Write[Any], *, hurry: bool = True) -> None:
        self._committer.post(write, hurry=hurry)

    def open(self) -> None:
        for write, held in zip(self.held, self._pending, strict=True):
            held.passed(self._committer.submit(write))
        self.held.clear()
        self._pending.clear()


class _Held:
    def __init__(self) -> None:
        self._pending: Pending[Any] | None = None
        self._calls: list[Callable[[Any], object]] = []

    def passed(self, pending: Pending[Any]) -> None:
        self._pending = pending
        for call in self._calls:
            pending.add_done_callback(call)

    def done(self) -> bool:
        return self._pending is not None and self._pending.done()

    def result(self) -> Any:
        assert self._pending is not None
        return self._pending.result()

    def add_done_callback(self, call: Callable[[Any], object], /) -> None:
        if self._pending is None:
            self._calls.append(call)
        else:
            self._pending.add_done_callback(call)

    def __await__(self) -> Generator[Any, None, Any]:
        raise AssertionError("nobody waits for it without a bound")


class Silent:
    """A `Reading` that never answers."""

    async def read(self, query: Callable[[Db], T]) -> T:  # noqa: ARG002
        await asyncio.Event().wait()
        raise AssertionError

    work = read


class Refusing:
    """A `Committer` that takes nothing on while it `refuses`, as while the database is known to be down."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self.refuses = True

    def submit(self, write: Write[T], *, hurry: bool = True) -> Pending[T]:  # noqa: ARG002
        if self.refuses:
            raise StorageUnavailable
        return self._committer.submit(write)

    def post(self, write: Write[Any], *, hurry: bool = True) -> None:
        self._committer.post(write, hurry=hurry)


async def keep(vault: StoredVault, tenant: str, keys: Sequence[str], record: TurnRecord) -> None:
    """Keeps a record as an answer does, up to where its last byte may leave."""
    if (settling := vault.keep_all(tenant, [(keys, record)])) is not None:
        await settling


async def found(vault: StoredVault, tenant: str, *keys: str) -> dict[str, TurnRecord]:
    return dict(await vault.find(tenant, keys))


def record(id_: str = "call_a", *, size: int = 10) -> TurnRecord:
    """One whose signature has so many characters."""
    signed = Signature("google", (id_ * size)[:size], SIGNER)
    return TurnRecord(SIGNER, (CallKept(id_, "up", signed, "d1"), OpaqueKept("gemini", {"toolCall": {"id": 1}})))
