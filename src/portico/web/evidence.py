"""What the pages show as evidence: figures and a receipt that a running Portico gave, as they were written down.

`data/receipt.json` and `data/race.json` are written by `make evidence`, `data/bench.json` by `python -m bench --page`,
`data/clients.json` by `python -m clients --write`. A page says nothing of them that is not in the file, and where there is
no file it says that nothing was measured, or nothing.
"""

import statistics
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

import msgspec

from portico.web.slip import Slip, slip_of

T = TypeVar("T")


class Sample(msgspec.Struct, frozen=True):
    """One call, and the balance before and after it. `portico`: the version that answered."""

    date: date
    portico: str
    key_name: str
    before_nanos: int
    after_nanos: int
    receipt: dict[str, Any]
    """As it was told."""

    @property
    def slip(self) -> Slip:
        return slip_of(self.receipt)


class Race(msgspec.Struct, frozen=True):
    """Many calls at once on a balance that covers some of them. Amounts are nano-dollars."""

    date: date
    portico: str
    calls: int
    funded: int
    answered: int
    refused: int
    arrived: int
    workers: int
    paid_in_nanos: int
    ceiling_nanos: int
    charge_nanos: int
    charged_nanos: int
    left_nanos: int
    adds_up: bool


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured."""

    cpu: str
    cores: int
    system: str
    python: str
    load_average: float
    """Of the minute before."""


class Gateway(msgspec.Struct, frozen=True):
    """One that was measured, its version, and which API it spoke in front and behind."""

    name: str
    version: str
    between: str


class Figure(msgspec.Struct, frozen=True):
    """Of one gateway in one row of the table: a value for each round, of how many answers, and how many failed."""

    row: str
    gateway: str
    values: tuple[float, ...]
    answered: int = 0
    failed: int = 0

    @property
    def value(self) -> float:
        """The round in the middle."""
        return statistics.median(self.values)


class Measured(msgspec.Struct, frozen=True):
    """One run of the bench. `quick`: with short loads, for a first look; `problems`: what could not be measured."""

    at: datetime
    machine: Machine
    gateways: tuple[Gateway, ...]
    figures: tuple[Figure, ...]
    rounds: int
    quick: bool = False
    problems: tuple[str, ...] = ()

    def figure(self, row: str, gateway: str) -> Figure | None:
        return next((one for one in self.figures if (one.row, one.gateway) == (row, gateway)), None)

    @property
    def rows(self) -> tuple[str, ...]:
        """What was measured of at least one gateway."""
        return tuple(dict.fromkeys(one.row for one in self.figures))


class Tried(msgspec.Struct, frozen=True):
    """What a client did on one API, the one of its own that people install: `passed`, `failed` or `not` of each check."""

    client: str
    title: str
    version: str
    api: str
    dialect: str
    models: tuple[str, ...]
    checks: Mapping[str, str]
    reasons: Mapping[str, str]
    measured: date
    portico: str
    """The version that answered."""


class Trials(msgspec.Struct, frozen=True):
    """The clients' last runs."""

    rows: tuple[Tried, ...]


FLOOR: Final = "nginx"
"""It passes bytes on and translates nothing."""
OURS: Final = "portico"


def number(value: float) -> str:
    """Three figures of a number, thousands in groups."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:,.{digits}f}"


def _read(name: str, kind: type[T]) -> T | None:
    """Of the data that comes with the package; None if there is none. Raises `msgspec.ValidationError`."""
    file = files("portico.web") / "data" / name
    return msgspec.json.decode(file.read_bytes(), type=kind) if file.is_file() else None


@cache
def sample() -> Sample | None:
    return _read("receipt.json", Sample)


@cache
def race() -> Race | None:
    return _read("race.json", Race)


@cache
def bench() -> Measured | None:
    return _read("bench.json", Measured)


@cache
def trials() -> Trials | None:
    return _read("clients.json", Trials)
