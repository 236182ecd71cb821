"""What the page /benchmarks shows of a run, as data: `python -m bench --page FILE`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from bench.contenders import Contender
from bench.rows import Effort
from portico.web import evidence
from portico.web.evidence import Figure, Machine, Measured

_PATH: Final = re.compile(r"(?<![\w.:/])/[\w.-]+(?:/[^\s:'\",;]*)+")
"""A path of the machine: it is nobody's business."""


def measured(
    machine: Machine,
    contenders: Iterable[Contender],
    found: Mapping[tuple[str, str], Figure],
    problems: Sequence[str],
    effort: Effort,
    *,
    quick: bool,
    now: datetime,
) -> Measured:
    """A run as the page reads it."""
    shown = [one for one in contenders if not one.apart]
    names = {one.name for one in shown}
    return Measured(
        at=now.replace(microsecond=0),
        machine=machine,
        gateways=tuple(evidence.Gateway(one.name, one.version(), one.between) for one in shown),
        figures=tuple(figure for figure in found.values() if figure.gateway in names),
        rounds=effort.rounds,
        quick=quick,
        problems=tuple(_PATH.sub("…", problem) for problem in problems),
    )


def write(run: Measured, file: Path) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")
