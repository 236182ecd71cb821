"""The table: for a terminal, for docs/clients.md, and as data of the pages.

What was not tried this time stays as it was, with the day on which it was measured: the rows of other clients, and in a row
the other checks, if they were of the same version.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

import portico
from clients.check import Row
from clients.judge import CHECKS, OF_LIBRARIES

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "clients.md"
DATA: Final = ROOT / "src" / "portico" / "web" / "data" / "clients.json"
MARKS: Final = ("<!-- table: written by `python -m clients --write` -->\n", "<!-- end of table -->\n")
_SHOWN: Final = {"passed": "yes", "failed": "**no**", "not": "–"}


class Line(msgspec.Struct):
    """A row as it is written down. A check is `passed`, `failed`, or `not` where the client cannot do that or is not there;
    `reasons` say why of those that did not pass. `measured`, `portico`: the day and the version that answered, or
    those of the oldest check."""

    client: str
    title: str
    version: str
    api: str
    dialect: str
    models: list[str]
    checks: dict[str, str]
    reasons: dict[str, str]
    measured: str
    portico: str


class Table(msgspec.Struct):
    """What the pages show."""

    rows: list[Line]


def table(rows: Sequence[Row], today: date) -> Table:
    return Table([_line(row, today) for row in rows])


def _line(row: Row, today: date) -> Line:
    return Line(
        row.client,
        row.title,
        row.version,
        row.api,
        row.dialect,
        row.models,
        {name: outcome.state for name, outcome in row.checks.items()},
        {name: outcome.reason for name, outcome in row.checks.items() if outcome.reason},
        today.isoformat(),
        portico.__version__,
    )


def lines(told: Table) -> list[str]:
    """The table in Markdown, and below it every reason that there is."""
    columns = [name for name in CHECKS + OF_LIBRARIES if any(name in row.checks for row in told.rows)]
    head = ["client", "version", "API", *columns, "passed"]
    made = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * 3 + [':-:'] * (len(columns) + 1))} |"]
    made += [f"| {' | '.join(_cells(row, columns))} |" for row in told.rows]
    if reasons := _reasons(told.rows):
        made += ["", *reasons]
    return made


def _cells(row: Line, columns: Sequence[str]) -> list[str]:
    shown = [_SHOWN.get(row.checks.get(name, ""), "") for name in columns]
    passed = sum(state == "passed" for state in row.checks.values())
    return [row.title, row.version or "–", row.api, *shown, f"{passed} of {len(row.checks)}"]


def _reasons(rows: Sequence[Line]) -> list[str]:
    made: dict[str, None] = {}
    for row in rows:
        by_reason: dict[str, list[str]] = {}
        for name, reason in row.reasons.items():
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            which = "" if len(names) == len(row.checks) else f", {', '.join(names)}"
            made[f"- {row.title}, {row.api}{which}: {reason}"] = None
    return [*made]


Place = tuple[str, str]
"""A client, and one of its APIs."""


def merged(new: Table, file: Path, order: Sequence[Place]) -> Table:
    """The new checks among those that were not tried this time, in the order given; what is not in it is tried no more."""
    old = msgspec.json.decode(file.read_bytes(), type=Table).rows if file.exists() else []
    rows = {(row.client, row.api): row for row in old}
    for row in new.rows:
        place = (row.client, row.api)
        if row.version or place not in rows:  # who was not there this time was tried none the less
            rows[place] = _renewed(rows.get(place), row)
    return Table([rows[place] for place in order if place in rows])


def _renewed(old: Line | None, new: Line) -> Line:
    """A row with what was tried now, and the checks of the same version that were not."""
    if old is None or old.version != new.version or not {*old.checks} - {*new.checks}:
        return new
    checks, reasons = (
        old.checks | new.checks,
        {name: why for name, why in old.reasons.items() if name not in new.checks},
    )
    reasons |= new.reasons
    names = [name for name in CHECKS + OF_LIBRARIES if name in checks]
    return msgspec.structs.replace(
        new,
        checks={name: checks[name] for name in names},
        reasons={name: reasons[name] for name in names if name in reasons},
        measured=old.measured,
        portico=old.portico,
    )


def write(new: Table, order: Sequence[Place], *, page: Path = PAGE, file: Path = DATA) -> None:
    """Puts the table between the marks of the page, and the data beside the others of the pages."""
    told = merged(new, file, order)
    before, begin, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"{page} has no place for the table")
    rows = sorted(told.rows, key=lambda row: row.measured)
    when, which = _span([row.measured for row in rows]), _span([row.portico for row in rows])
    text = "\n".join([f"Tried on {when} with Portico {which}.", "", *lines(told)])
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")
    file.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")


def _span(ordered: Sequence[str]) -> str:
    first, last = ordered[0], ordered[-1]
    return last if first == last else f"{first} to {last}"
