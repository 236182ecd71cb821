"""Answers that callers go on from by their id, kept per tenant in the database (docs/decisions/0022).

Each is kept with what was new in its request and the id of the one before, so that a conversation is a chain and nothing of
it is written twice. Who goes on from an answer keeps everything before it alive for as long. A chain that has lost a link,
deleted or out of time, is not gone on from: a model that is given half a conversation answers as if that were all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from portico.core.dialect import KeptTurn
from portico.core.errors import StorageUnavailable
from portico.core.storage import Committer, Db, Pending, Reading, can_be_kept

log = logging.getLogger("portico.vault")
T = TypeVar("T")

MICROSECONDS: Final = 1_000_000
MIB: Final = 1024 * 1024
MAX_TURNS: Final = 10_000
"""The longest chain."""


class ResponseSettings(msgspec.Struct, frozen=True):
    """What an operator may set about them."""

    ttl_s: float = 30 * 86_400.0
    max_account_bytes: int = 1024 * MIB
    """What one account may keep; looked after by the sweep, the oldest goes first."""
    max_turn_bytes: int = 32 * MIB
    """A longer turn is not kept, and its answer says so."""
    max_chain_bytes: int = 64 * MIB
    """So much is put before what is new in a request."""
    wait_s: float = 1.0
    """How long an answer's end is held back for the database."""
    patience_s: float = 5.0
    """How long a request waits for what it goes on from."""
    sweep_rows: int = 50


class ChainTooLong(Exception):
    """There is more to a conversation than is read for one request."""


class StoredResponses:
    """What every worker finds. Ids are the tenant's own: another's are not there."""

    def __init__(self, committer: Committer, reading: Reading, settings: ResponseSettings | None = None) -> None:
        self._committer = committer
        self._reading = reading
        self._settings = settings or ResponseSettings()
        self._unwritten: dict[tuple[str, str], KeptTurn] = {}
        """Turns on their way to the database: an answer does not wait for ever, and its caller may be quick."""

    def fits(self, size_bytes: int) -> bool:
        """Whether a turn of so many bytes is kept."""
        return size_bytes <= self._settings.max_turn_bytes

    # -- finding

    async def chain(self, account: str, id_: str) -> list[KeptTurn]:
        """An answer and all before it, oldest first; empty if it, or one of them, is not there.

        Raises `ChainTooLong`, `StorageUnavailable`.
        """
        if not can_be_kept(id_):
            return []
        waiting: list[KeptTurn] = []
        wanted: str | None = id_
        while wanted is not None and (turn := self._unwritten.get((account, wanted))) is not None:
            waiting.append(turn)
            wanted = turn.previous
        waiting.reverse()
        if wanted is None:
            return waiting
        found = await self._read(_chain(account, wanted, self._settings.max_chain_bytes))
        return found + waiting if found else []

    async def find(self, account: str, id_: str) -> KeptTurn | None:
        """One answer. Raises `StorageUnavailable`."""
        turn = self._unwritten.get((account, id_))
        if turn is not None or not can_be_kept(id_):
            return turn
        return await self._read(_one(account, id_))

    async def saying(self, account: str, items: Iterable[str]) -> Mapping[str, KeptTurn]:
        """For each of some items the turn that says it, as far as there is one. Raises `StorageUnavailable`."""
        wanted = [id_ for id_ in dict.fromkeys(items) if can_be_kept(id_)]
        return await self._read(_saying(account, wanted)) if wanted else {}

    async def _read(self, query: Callable[[Db], T]) -> T:
        try:
            async with asyncio.timeout(self._settings.patience_s):
                return await self._reading.read(query)
        except TimeoutError:
            raise StorageUnavailable from None

    # -- keeping

    def keep(self, account: str, turn: KeptTurn, items: Sequence[str], before: Sequence[str]) -> "_Settling | None":
        """Keeps a turn; `items` are the ids of what it says, `before` those of the turns before it, which live as long.

        Awaiting what it returns takes a bounded time and raises nothing. None: nobody is to wait.
        """
        write = _Keep(account, turn, items, before, int(self._settings.ttl_s * MICROSECONDS))
        try:
            pending = self._committer.submit(write)
        except StorageUnavailable:
            self._committer.post(write)
            return None
        place = (account, turn.id)
        self._unwritten[place] = turn
        pending.add_done_callback(lambda done: self._written(place, write, done))
        return _Settling(pending, self._settings.wait_s)

    def _written(self, place: tuple[str, str], write: "_Keep", done: Pending[None]) -> None:
        self._unwritten.pop(place, None)
        try:
            done.result()
        except (StorageUnavailable, asyncio.CancelledError):
            with contextlib.suppress(RuntimeError):  # the process ends
                self._committer.post(write)
        except Exception:
            log.exception("a response of account %s could not be written", write.account)

    async def delete(self, account: str, id_: str) -> bool:
        """Takes an answer out; whether it was there. Raises `StorageUnavailable`."""
        return can_be_kept(id_) and await self._committer.submit(_Delete(account, id_))

    async def sweep(self) -> int:
        """Takes out whose time is over, and the oldest of accounts that keep too much. How many went. Raises
        `StorageUnavailable`."""
        settings = self._settings
        gone = await self._committer.submit(_DropExpired(settings.sweep_rows))
        for account, above in await self._reading.read(_accounts_above(settings.max_account_bytes)):
            gone += await self._committer.submit(_DropOldest(account, above, settings.sweep_rows))
        return gone


class _Settling:
    """Awaited, it returns when a write is durable, or after a while. It leaves the write alone in either case."""

    __slots__ = ("_pending", "_wait_s")

    def __init__(self, pending: Pending[Any], wait_s: float) -> None:
        self._pending = pending
        self._wait_s = wait_s

    def __await__(self) -> Generator[Any, None, None]:
        return self._wait().__await__()

    async def _wait(self) -> None:
        done = asyncio.Event()
        self._pending.add_done_callback(lambda _: done.set())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait_s):
                await done.wait()


# -- writes ------------------------------------------------------------------------------------------------------------


class _Keep(msgspec.Struct, frozen=True):
    """A `Write`. An id that is there stays as it is: whatever goes on from it goes on from the first."""

    account: str
    turn: KeptTurn
    items: Sequence[str]
    before: Sequence[str]
    ttl_us: int

    @property
    def keys(self) -> Sequence[str]:
        return [f"responses:{self.account}"]

    def apply(self, db: Db) -> None:
        account, turn, now = self.account, self.turn, db.now_us
        until = now + self.ttl_us
        made = db.run(
            "INSERT INTO stored_responses"
            " (account_id, id, previous_id, input, response, native, size_bytes, created_us, expires_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, id) DO NOTHING",
            account,
            turn.id,
            turn.previous,
            turn.input,
            turn.response,
            int(turn.native),
            len(turn.input) + len(turn.response),
            now,
            until,
        )
        if not made:
            return
        for item in self.items:
            db.run(
                "INSERT INTO stored_items (account_id, id, response_id) VALUES (?, ?, ?)"
                " ON CONFLICT (account_id, id) DO NOTHING",
                account,
                item,
                turn.id,
            )
        for start in range(0, len(self.before), _AT_ONCE):
            some = self.before[start : start + _AT_ONCE]
            db.run(
                f"UPDATE stored_responses SET expires_us = ? WHERE account_id = ? AND id IN ({_marks(some)})"  # noqa: S608
                " AND expires_us < ?",
                until,
                account,
                *some,
                until,
            )


_AT_ONCE: Final = 500


class _Delete(msgspec.Struct, frozen=True):
    """Whether there was such an answer."""

    account: str
    id: str

    @property
    def keys(self) -> Sequence[str]:
        return [f"responses:{self.account}"]

    def apply(self, db: Db) -> bool:
        there = "SELECT 1 FROM stored_responses WHERE account_id = ? AND id = ? AND expires_us > ?"
        found = bool(db.rows(there, self.account, self.id, db.now_us))
        _drop(db, [(self.account, self.id)])
        return found


class _DropExpired(msgspec.Struct, frozen=True):
    """How many went, `limit` at most."""

    limit: int

    @property
    def keys(self) -> Sequence[str]:
        return ()

    def apply(self, db: Db) -> int:
        rows = db.rows(
            "SELECT account_id, id FROM stored_responses WHERE expires_us <= ? ORDER BY expires_us LIMIT ?",
            db.now_us,
            self.limit,
        )
        return _drop(db, [(account, id_) for account, id_ in rows])


class _DropOldest(msgspec.Struct, frozen=True):
    """How many went, `limit` at most: the oldest, until an account has room again."""

    account: str
    above_bytes: int
    limit: int

    @property
    def keys(self) -> Sequence[str]:
        return [f"responses:{self.account}"]

    def apply(self, db: Db) -> int:
        rows = db.rows(
            "SELECT id, size_bytes FROM stored_responses WHERE account_id = ? ORDER BY expires_us, id LIMIT ?",
            self.account,
            self.limit,
        )
        left, going = self.above_bytes, []
        for id_, size in rows:
            if left <= 0:
                break
            left -= size
            going.append((self.account, id_))
        return _drop(db, going)


def _drop(db: Db, places: Sequence[tuple[str, str]]) -> int:
    if not places:
        return 0
    pairs = ", ".join(["(?, ?)"] * len(places))
    values = [value for place in places for value in place]
    db.run(f"DELETE FROM stored_items WHERE (account_id, response_id) IN (VALUES {pairs})", *values)  # noqa: S608
    return db.run(f"DELETE FROM stored_responses WHERE (account_id, id) IN (VALUES {pairs})", *values)  # noqa: S608


# -- queries -----------------------------------------------------------------------------------------------------------

_TURN: Final = "id, previous_id, input, response, native"


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _turn(row: Sequence[Any]) -> KeptTurn:
    id_, previous, input_, response, native = row
    return KeptTurn(id_, previous, bytes(input_), bytes(response), bool(native))


def _one(account: str, id_: str) -> Callable[[Db], KeptTurn | None]:
    def query(db: Db) -> KeptTurn | None:
        where = "WHERE account_id = ? AND id = ? AND expires_us > ?"
        rows = db.rows(f"SELECT {_TURN} FROM stored_responses {where}", account, id_, db.now_us)  # noqa: S608
        return _turn(rows[0]) if rows else None

    return query


_LINKS: Final = (
    "WITH RECURSIVE chain (id, previous_id, size_bytes, depth) AS ("
    " SELECT id, previous_id, size_bytes, 0 FROM stored_responses WHERE account_id = ? AND id = ? AND expires_us > ?"
    " UNION ALL"
    " SELECT one.id, one.previous_id, one.size_bytes, chain.depth + 1 FROM chain"
    " JOIN stored_responses one ON one.account_id = ? AND one.id = chain.previous_id AND one.expires_us > ?"
    " WHERE chain.depth < ?)"
    " SELECT id, previous_id, size_bytes FROM chain ORDER BY depth DESC"
)


def _chain(account: str, id_: str, max_bytes: int) -> Callable[[Db], list[KeptTurn]]:
    def query(db: Db) -> list[KeptTurn]:
        now = db.now_us
        links = db.rows(_LINKS, account, id_, now, account, now, MAX_TURNS)
        if len(links) > MAX_TURNS or sum([size for _, _, size in links]) > max_bytes:
            raise ChainTooLong
        if not links or links[0][1] is not None:
            return []
        ids = [link[0] for link in links]
        turns: dict[str, KeptTurn] = {}
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            where = f"WHERE account_id = ? AND id IN ({_marks(some)})"
            rows = db.rows(f"SELECT {_TURN} FROM stored_responses {where}", account, *some)  # noqa: S608
            turns |= {row[0]: _turn(row) for row in rows}
        return [turns[one] for one in ids] if len(turns) == len(ids) else []

    return query


def _saying(account: str, items: Sequence[str]) -> Callable[[Db], dict[str, KeptTurn]]:
    def query(db: Db) -> dict[str, KeptTurn]:
        found: dict[str, KeptTurn] = {}
        for start in range(0, len(items), _AT_ONCE):
            some = items[start : start + _AT_ONCE]
            said = db.rows(
                f"SELECT id, response_id FROM stored_items WHERE account_id = ? AND id IN ({_marks(some)})",  # noqa: S608
                account,
                *some,
            )
            turns = {one: _one(account, one)(db) for one in dict.fromkeys([response for _, response in said])}
            found |= {item: turn for item, response in said if (turn := turns[response]) is not None}
        return found

    return query


def _accounts_above(max_bytes: int) -> Callable[[Db], list[tuple[str, int]]]:
    def query(db: Db) -> list[tuple[str, int]]:
        rows = db.rows(
            "SELECT account_id, CAST(SUM(size_bytes) AS BIGINT) FROM stored_responses GROUP BY account_id"
            " HAVING SUM(size_bytes) > ?",
            max_bytes,
        )
        return [(account, size - max_bytes) for account, size in rows]

    return query
