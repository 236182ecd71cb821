"""Who owns what was made at a provider: files, cached contents, stores, responses.

A provider knows only the gateway's own credentials, so whose a thing is must be known here: its tenant, and the credential
that made it, which alone can use it. Nobody is told more of another tenant's things than of things that do not exist.

What was deleted, or is past its time, keeps its name for a while: a name goes to another tenant only when no worker can
still remember whose it was. (A file's id may be chosen by who makes it.)
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from portico.core.errors import Conflict, StorageUnavailable
from portico.core.storage import Committer, Db, Reading, can_be_kept

FILE: Final = "file"
CACHE: Final = "cache"
STORE: Final = "store"
RESPONSE: Final = "response"

MICROSECONDS: Final = 1_000_000
REMEMBERED_S: Final = 10.0
"""How long a worker remembers whose a thing is."""
GRACE_S: Final = 6 * REMEMBERED_S
"""How long a name that is given up stays its last owner's."""
PATIENCE_S: Final = 2.0
"""How long a call waits for the database to say whose a thing is."""
MAX_REMEMBERED: Final = 4096
_AT_ONCE: Final = 500
"""Things that one statement asks for: databases take a limited number of values."""


class Resource(msgspec.Struct, frozen=True):
    """A thing at a provider. `provider` is its configured name, `name` the provider's own (`files/abc`)."""

    provider: str
    kind: str
    name: str
    account: str
    credential: str
    """The fingerprint of the credential that made it."""
    created_us: int = 0
    expires_us: int | None = None
    """When it ends by itself, in microseconds since 1970."""


Thing: TypeAlias = tuple[str, str]
"""(kind, name)"""
Found: TypeAlias = list[Resource]


class Resources:
    """The registry. `now` gives seconds since 1970."""

    def __init__(self, committer: Committer, reading: Reading, *, now: Callable[[], float]) -> None:
        self._committer = committer
        self._reading = reading
        self._now = now
        self._remembered: OrderedDict[tuple[str, Thing], tuple[float, Found]] = OrderedDict()

    async def record(self, resource: Resource) -> None:
        """Notes whose a thing is: to be awaited before its owner hears of it. Once more for the same owner changes when it
        ends. Raises `Conflict` if the name is another's (the thing must then be deleted at the provider, for nobody could
        use it), and `StorageUnavailable`."""
        if not await self._committer.submit(_Record(resource)):
            raise Conflict(f"The name {resource.name} is taken.")
        self._remembered.pop((resource.account, (resource.kind, resource.name)), None)

    async def owned(self, account: str, things: Iterable[Thing]) -> Mapping[Thing, Sequence[Resource]]:
        """Those of some things that an account owns, at whichever providers. Raises `StorageUnavailable`."""
        found: dict[Thing, Sequence[Resource]] = {}
        unknown: list[Thing] = []
        now = self._now()
        for thing in dict.fromkeys(things):
            told = self._remembered.get((account, thing))
            if told is not None and abs(now - told[0]) < REMEMBERED_S:
                if alive := [one for one in told[1] if _lives(one, now)]:
                    found[thing] = alive
            else:
                unknown.append(thing)
        if unknown:
            for thing, resources in (await self._asked(account, unknown)).items():
                found[thing] = resources
                self._remember(account, thing, resources, now)
        return found

    async def _asked(self, account: str, things: Sequence[Thing]) -> Mapping[Thing, Found]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._reading.read(_owned(account, [thing for thing in things if can_be_kept(thing[1])]))
        except TimeoutError:
            raise StorageUnavailable from None

    def _remember(self, account: str, thing: Thing, resources: Found, now: float) -> None:
        self._remembered[account, thing] = (now, resources)
        self._remembered.move_to_end((account, thing))
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    async def owner(self, provider: str, kind: str, name: str) -> Resource | None:
        """Whose a thing is, whoever asks: for the gateway itself. Raises `StorageUnavailable`."""
        if not can_be_kept(name):
            return None
        return await self._reading.read(_owner(provider, kind, name))

    async def list(self, account: str, kind: str, *, limit: int, after: tuple[str, str] = ("", "")) -> Found:
        """An account's things of a kind by name, those after (name, provider). Raises `StorageUnavailable`."""
        if not can_be_kept(after[0]):  # which comes behind what stands before the NUL, and before all that is longer
            after = after[0].partition("\0")[0], "\U0010ffff"
        return await self._reading.read(_list(account, kind, limit, after))

    async def delete(self, account: str, provider: str, kind: str, name: str) -> bool:
        """Gives a thing up that is deleted at its provider; whether the account owned it. Raises `StorageUnavailable`."""
        owned = can_be_kept(name) and await self._committer.submit(_Delete(account, provider, kind, name))
        self._remembered.pop((account, (kind, name)), None)
        return owned

    async def sweep(self, limit: int = 200) -> int:
        """Forgets what has been given up for long, a few rows a write. How many rows went. Raises `StorageUnavailable`."""
        gone = 0
        while (dropped := await self._committer.submit(_Sweep(limit))) == limit:
            gone += dropped
        return gone + dropped


def _lives(resource: Resource, now: float) -> bool:
    return resource.expires_us is None or resource.expires_us > now * MICROSECONDS


# -- writes ------------------------------------------------------------------------------------------------------------


class _Record(msgspec.Struct, frozen=True):
    """Whether the name is this account's now."""

    resource: Resource

    @property
    def keys(self) -> Sequence[str]:
        return [f"resource:{self.resource.provider}:{self.resource.kind}:{self.resource.name}"]

    def apply(self, db: Db) -> bool:
        one = self.resource
        changed = db.run(
            "INSERT INTO resources (provider, kind, name, account_id, credential, created_us, expires_us)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (provider, kind, name) DO UPDATE SET account_id = excluded.account_id,"
            " credential = excluded.credential, created_us = excluded.created_us, expires_us = excluded.expires_us"
            " WHERE resources.account_id = excluded.account_id OR resources.expires_us <= ?",
            one.provider,
            one.kind,
            one.name,
            one.account,
            one.credential,
            one.created_us or db.now_us,
            one.expires_us,
            db.now_us - int(GRACE_S * MICROSECONDS),
        )
        return changed > 0


class _Delete(msgspec.Struct, frozen=True):
    """Whether there was such a thing."""

    account: str
    provider: str
    kind: str
    name: str

    @property
    def keys(self) -> Sequence[str]:
        return [f"resource:{self.provider}:{self.kind}:{self.name}"]

    def apply(self, db: Db) -> bool:
        changed = db.run(
            "UPDATE resources SET expires_us = ?"
            " WHERE provider = ? AND kind = ? AND name = ? AND account_id = ?"
            " AND (expires_us IS NULL OR expires_us > ?)",
            db.now_us,
            self.provider,
            self.kind,
            self.name,
            self.account,
            db.now_us,
        )
        return changed > 0


class _Sweep(msgspec.Struct, frozen=True):
    limit: int

    @property
    def keys(self) -> Sequence[str]:
        return ()

    def apply(self, db: Db) -> int:
        ended = db.now_us - int(GRACE_S * MICROSECONDS)
        return db.run(
            "DELETE FROM resources WHERE expires_us <= ? AND (provider, kind, name) IN"
            " (SELECT provider, kind, name FROM resources WHERE expires_us <= ? LIMIT ?)",
            ended,
            ended,
            self.limit,
        )


# -- queries -----------------------------------------------------------------------------------------------------------


def _owned(account: str, things: Sequence[Thing]) -> Callable[[Db], dict[Thing, Found]]:
    def query(db: Db) -> dict[Thing, Found]:
        found: dict[Thing, Found] = {}
        for start in range(0, len(things), _AT_ONCE):
            some = things[start : start + _AT_ONCE]
            pairs = ", ".join(["(?, ?)"] * len(some))
            rows = db.rows(
                "SELECT provider, kind, name, account_id, credential, created_us, expires_us FROM resources"  # noqa: S608
                " WHERE account_id = ? AND (expires_us IS NULL OR expires_us > ?)"
                f" AND (kind, name) IN (VALUES {pairs}) ORDER BY provider",
                account,
                db.now_us,
                *[value for thing in some for value in thing],
            )
            for row in rows:
                resource = Resource(*row)
                found.setdefault((resource.kind, resource.name), []).append(resource)
        return found

    return query


def _owner(provider: str, kind: str, name: str) -> Callable[[Db], Resource | None]:
    def query(db: Db) -> Resource | None:
        rows = db.rows(
            "SELECT provider, kind, name, account_id, credential, created_us, expires_us FROM resources"
            " WHERE provider = ? AND kind = ? AND name = ? AND (expires_us IS NULL OR expires_us > ?)",
            provider,
            kind,
            name,
            db.now_us,
        )
        return Resource(*rows[0]) if rows else None

    return query


def _list(account: str, kind: str, limit: int, after: tuple[str, str]) -> Callable[[Db], Found]:
    def query(db: Db) -> Found:
        rows = db.rows(
            "SELECT provider, kind, name, account_id, credential, created_us, expires_us FROM resources"
            " WHERE account_id = ? AND kind = ? AND (expires_us IS NULL OR expires_us > ?)"
            " AND (name, provider) > (?, ?) ORDER BY name, provider LIMIT ?",
            account,
            kind,
            db.now_us,
            *after,
            limit,
        )
        return [Resource(*row) for row in rows]

    return query
