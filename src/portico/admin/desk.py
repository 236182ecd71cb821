"""What every command has at hand, and the shapes that all of them share.

A command is one function: `(Desk, Args) -> a struct`. It speaks SQL through `desk.db`, inside a transaction that is not its
own; it knows nothing of HTTP or printing, and raises the errors of `core/errors.py`. Arguments are refused as a whole if
anything in them is unknown (complaint 14: a limit that is accepted and not kept is worse than none).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Annotated, Any, Final, Generic, Protocol, TypeVar

import msgspec

from portico.catalog import Catalog
from portico.core.digits import whole
from portico.core.errors import InvalidRequest
from portico.core.lines import is_line
from portico.core.storage import Db
from portico.providers.secret_keys import SecretKeys

T = TypeVar("T")
A = TypeVar("A", bound="Args")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_LAST_US: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _US
DEFAULT_PAGE = 100
LARGEST_PAGE = 500


def says(description: str, **limits: Any) -> msgspec.Meta:
    """What a field is, for the OpenAPI document, and what msgspec checks of it."""
    return msgspec.Meta(description=description, **limits)


AccountRef = Annotated[str, says("An account, by its id or its name.", min_length=1, max_length=200)]
Dollars = Annotated[str, says("An amount in US dollars, written in digits: `10`, `12.50`. At most nine decimals.")]
Note = Annotated[str, says("A line for whoever reads the books later.", max_length=500)]


class Args(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The arguments of a command. Its `Command` says which of them stand in the path."""


class Nothing(Args, frozen=True, kw_only=True):
    """A command without arguments."""


class Paging(Args, frozen=True, kw_only=True):
    """The arguments of a list."""

    after: Annotated[str, says("Where to go on: `next` of the page before.", max_length=400)] = ""
    limit: Annotated[int, says("How many at most.", ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A page of a list. Without `next` it is the last."""

    data: list[T]
    next: str | None = None

    @classmethod
    def cut(cls, found: Sequence[T], limit: int, place: "Callable[[T], str]") -> "Page[T]":
        """Of what was found by asking for one more than the limit."""
        kept = list(found[:limit])
        return cls(data=kept, next=place(kept[-1]) if len(found) > limit else None)


def place_of(after: str, first: int = 0) -> int:
    """Where a page begins that is named by a number; without a name the first one. Raises `InvalidRequest`."""
    number = whole(after) if after else first
    if number is None:
        raise misplaced()
    return number


def misplaced() -> InvalidRequest:
    """What stands in `after` was no page's `next`."""
    return InvalidRequest("after: the `next` of the page before.", param="after")


class Upkeep(Protocol):
    """What is done to a database as a whole. Raises core errors; may take its time, outside any transaction."""

    def backup(self, name: str) -> "BackupFile":
        """Writes a copy while the database is used, named by the time if no name is given."""

    def schema(self) -> "SchemaStatus":
        """Looks, and changes nothing."""


class BackupFile(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of the database."""

    path: str
    size_bytes: int


class SchemaStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Which version of the tables a database has. `state`: `current`, `behind` (or empty), `newer`."""

    database: str
    found: str
    wanted: str
    state: str


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """What is configured of a provider."""

    kind: str
    host: str
    groups: tuple[str, ...] = ()
    """Whose quota each of its configured keys uses, as the pool names it."""
    takes_stored: bool = False
    """Keys of the database are its own, too."""
    dormant: bool = False
    """Nobody has given it a key yet, so that it is not asked."""


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider took one of its keys."""

    key: Annotated[str, says("Where the key comes from. Never the key.")]
    ok: bool
    error: Annotated[str, says("What the provider said against it.")] = ""


class House(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says that commands need to know."""

    catalog: Catalog
    providers: Mapping[str, str] = {}
    """Providers by name, the one that is asked first in front; each with its kind."""
    upstreams: Mapping[str, Upstream] = {}
    """More of each of them."""
    probe: Callable[[str], list[Probed]] | None = None
    """Tries every key of a provider with a question that costs nothing. Takes its time."""
    upkeep: Upkeep | None = None
    secret_keys: SecretKeys | None = None
    """What stored credentials are encrypted with."""
    public_url: str | None = None
    """Where the pages are, as the world knows it."""


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, and on what."""

    db: Db
    rng: Random
    actor: str
    house: House

    @property
    def today(self) -> date:
        """The day in UTC, by the database's clock."""
        return at(self.db.now_us).date()


def at(us: int) -> datetime:
    """A stored time, for people and JSON."""
    return _EPOCH + us * _US


def at_or_none(us: int | None) -> datetime | None:
    return None if us is None else at(us)


def us_of(time: datetime | None, param: str) -> int | None:
    """A time as it is stored. One without an offset is in UTC. Raises `InvalidRequest` for one that is beyond the year 9999
    there, as an offset can make it: nobody could show it again."""
    if time is None:
        return None
    us = ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // _US
    if us > _LAST_US:
        raise InvalidRequest(f"{param}: a time is of the year 9999 at most (UTC).", param=param)
    return us


def checked_text(value: str, param: str) -> str:
    """A line of text that may be shown. Raises `InvalidRequest`."""
    if not is_line(value):
        raise InvalidRequest(f"{param}: one line without control characters.", param=param)
    return value
