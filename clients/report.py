"""The table: for a terminal, for docs/clients.md, and as data of the pages."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

import portico
from clients.check import Row
from clients.judge import CHECKS, Outcome

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "clients.md"
DATA: Final = ROOT / "src" / "portico" / "web" / "data" / "clients.json"
MARKS: Final = ("<!-- table: written by `python -m clients --write` -->\n", "<!-- end of table -->\n")
_SHOWN: Final = {"passed": "yes", "failed": "**no**", "not": "–"}


def lines(rows: Sequence[Row]) -> list[str]:
    """The table in Markdown, and below it every reason that there is."""
    head = ["client", "version", "API", *CHECKS, "passed"]
    made = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * 3 + [':-:'] * (len(CHECKS) + 1))} |"]
    made += [f"| {' | '.join(_cells(row))} |" for row in rows]
    if reasons := _reasons(rows):
        made += ["", *reasons]
    return made


def _cells(row: Row) -> list[str]:
    shown = [_SHOWN[row.checks[name].state] if name in row.checks else "" for name in CHECKS]
    passed = sum(outcome.state == "passed" for outcome in row.checks.values())
    return [row.title, row.version or "–", row.api, *shown, f"{passed} of {len(row.checks)}"]


def _reasons(rows: Sequence[Row]) -> list[str]:
    made: dict[str, None] = {}
    for row in rows:
        by_reason: dict[Outcome, list[str]] = {}
        for name, outcome in row.checks.items():
            if outcome.reason:
                by_reason.setdefault(outcome, []).append(name)
        for outcome, names in by_reason.items():
            which = "" if len(names) == len(CHECKS) else f", {', '.join(names)}"
            made[f"- {row.title}, {row.api}{which}: {outcome.reason}"] = None
    return [*made]


def data(rows: Sequence[Row], today: date) -> dict[str, Any]:
    """What the pages show."""
    told = [
        {
            "client": row.client,
            "title": row.title,
            "version": row.version,
            "api": row.api,
            "dialect": row.dialect,
            "models": row.models,
            "checks": {name: outcome.state for name, outcome in row.checks.items()},
            "reasons": {name: outcome.reason for name, outcome in row.checks.items() if outcome.reason},
        }
        for row in rows
    ]
    return {"measured": today.isoformat(), "portico": portico.__version__, "rows": told}


def write(rows: Sequence[Row], today: date, *, page: Path = PAGE, file: Path = DATA) -> None:
    """Puts the table between the marks of the page, and the data beside the others of the pages."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise ValueError(f"{page} has no place for the table")
    text = "\n".join([f"Tried on {today.isoformat()} with Portico {portico.__version__}.", "", *lines(rows)])
    page.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")
    file.write_bytes(msgspec.json.format(msgspec.json.encode(data(rows, today)), indent=1) + b"\n")
