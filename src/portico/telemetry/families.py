"""Families of metrics, where their numbers stand on the sheet, and the text that Prometheus reads.

A family is declared with every value its labels can have, so what a caller sends can never make it grow. Its children are
found once, as cell numbers; counting is then an addition. Text format 0.0.4:
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import product
from math import isnan
from typing import Final

import msgspec

from portico.telemetry.sheet import Sheet

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, Sequence[str]], ...]
"""Label names, each with every value it can have."""


class Family(msgspec.Struct, frozen=True):
    """Counters or gauges of one name."""

    name: str
    help: str
    kind: str
    start: int
    """Its first cell."""
    labels: Labels = ()
    per_worker: bool = False
    """Told for each worker apart, not as a sum; of one whose cell is not a number, nothing."""
    from_zero: bool = False
    """Its children are told before they count anything, too. Prometheus finds no increase in a counter that it sees at 1
    first, so that an alarm would miss what happens once."""

    @property
    def size(self) -> int:
        """How many cells it takes."""
        return len(self.children)

    @property
    def children(self) -> list[tuple[str, ...]]:
        """Label values, in the order of the cells."""
        return list(product(*[values for _, values in self.labels]))

    def cells(self) -> dict[tuple[str, ...], int]:
        """Label values -> cell."""
        return {values: self.start + number for number, values in enumerate(self.children)}

    def lines(self, sheet: Sheet) -> Iterator[str]:
        names = [name for name, _ in self.labels]
        for values, cell in self.cells().items():
            if self.per_worker:
                for worker in range(sheet.rows):
                    if not isnan(told := sheet.row(worker)[cell]):
                        labels = _labels([*names, "worker"], [*values, str(worker)])
                        yield f"{self.name}{labels} {_number(told)}"
            elif (total := sheet.total(cell)) or self.from_zero or not names:
                yield f"{self.name}{_labels(names, values)} {_number(total)}"


class Histogram(msgspec.Struct, frozen=True):
    """Histograms of one name: a child has a cell for each bucket, one for what is beyond, one for the sum."""

    name: str
    help: str
    start: int
    bounds: tuple[float, ...]
    """The upper end of each bucket, which belongs to it."""
    labels: Labels = ()

    kind = "histogram"

    @property
    def size(self) -> int:
        return len(self.children) * self._step

    @property
    def children(self) -> list[tuple[str, ...]]:
        return list(product(*[values for _, values in self.labels]))

    @property
    def _step(self) -> int:
        return len(self.bounds) + 2

    def cells(self) -> dict[tuple[str, ...], int]:
        """Label values -> first cell."""
        return {values: self.start + number * self._step for number, values in enumerate(self.children)}

    def lines(self, sheet: Sheet) -> Iterator[str]:
        names = [name for name, _ in self.labels]
        for values, start in self.cells().items():
            counts = [sheet.total(start + number) for number in range(len(self.bounds) + 1)]
            if names and not any(counts):
                continue
            seen = 0.0
            for bound, count in zip([*self.bounds, float("inf")], counts, strict=True):
                seen += count
                labels = _labels([*names, "le"], [*values, _number(bound)])
                yield f"{self.name}_bucket{labels} {_number(seen)}"
            labels = _labels(names, values)
            yield f"{self.name}_sum{labels} {_number(sheet.total(start + len(self.bounds) + 1))}"
            yield f"{self.name}_count{labels} {_number(seen)}"


def observe(cells: "memoryview[float]", start: int, bounds: Sequence[float], value: float) -> None:
    """Puts a value into the histogram whose first cell is `start`."""
    cells[start + bisect_left(bounds, value)] += 1.0
    cells[start + len(bounds) + 1] += value


class Layout:
    """Declares families, one after the other on the sheet."""

    def __init__(self) -> None:
        self.families: list[Family | Histogram] = []
        self.width = 0

    def counter(self, name: str, text: str, *labels: tuple[str, Sequence[str]], from_zero: bool = False) -> Family:
        return self._family(Family(name, text, "counter", self.width, labels, from_zero=from_zero))

    def gauge(
        self, name: str, text: str, *labels: tuple[str, Sequence[str]], kind: str = "gauge", per_worker: bool = True
    ) -> Family:
        return self._family(Family(name, text, kind, self.width, labels, per_worker))

    def histogram(
        self, name: str, text: str, bounds: tuple[float, ...], *labels: tuple[str, Sequence[str]]
    ) -> Histogram:
        family = Histogram(name, text, self.width, bounds, labels)
        self.families.append(family)
        self.width += family.size
        return family

    def _family(self, family: Family) -> Family:
        self.families.append(family)
        self.width += family.size
        return family


def rendered(families: Sequence[Family | Histogram], sheet: Sheet) -> str:
    """The families as Prometheus reads them."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += family.lines(sheet)
    return "\n".join(lines) + "\n"


def _labels(names: Sequence[str], values: Sequence[str]) -> str:
    if not names:
        return ""
    pairs = [f'{name}="{_escaped(value, quote=True)}"' for name, value in zip(names, values, strict=True)]
    return f"{{{','.join(pairs)}}}"


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value.is_integer() else repr(value)
