"""The ledger: for every row of the specification the tests that prove it, that it is a fact, or why Portico does not do it.

`entries.toml` is written by hand, keys from `sheet.py`, in the order of the sheet; `tests/rows.md` is made of it
(`make rows`). An entry may name tests and say in `not` what of its row they leave out.
"""

import ast
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from rows.sheet import ROOT

ENTRIES = Path(__file__).parent / "entries.toml"
TABLE = ROOT / "tests" / "rows.md"

KINDS = ("tests", "fact", "not", "pending")
NAMES = {
    "0": "Transport",
    "1": "Requests",
    "2": "Answers",
    "3": "Streams",
    "4": "Errors",
    "5": "Other endpoints",
    "7": "Gemini's own callers",
    "8": "Known defects",
    "9": "Defaults",
}
HEAD = """\
# What proves the specification

Every row of the specification (mapping.md, sections 0 to 4, 5.2 to 5.6, 7.6, 8 and 9) and the tests that prove it; or
that it is a fact of the world with nothing to do; or why Portico does not do it. `make rows` writes this page from
`tests/rows/entries.toml`, and `tests/house/test_rows.py` keeps the two and the specification together.
"""


class BadEntry(Exception):
    """An entry that says nothing, or what no entry may say."""


class Entry(msgspec.Struct, frozen=True):
    """What is said of one row: at least one of the four; a fact stands alone."""

    key: str
    tests: tuple[str, ...] = ()
    fact: str = ""
    left_out: str = ""
    pending: str = ""

    @property
    def kind(self) -> str:
        """What the entry counts as."""
        said = {"pending": self.pending, "tests": self.tests, "fact": self.fact, "not": self.left_out}
        return next(kind for kind, value in said.items() if value)

    @property
    def section(self) -> str:
        return self.key.partition(":")[0]


def read_entries(text: str) -> list[Entry]:
    """The entries of a TOML document, in its order. Raises `BadEntry`."""
    return [_entry(key, value) for key, value in tomllib.loads(text).items()]


def _entry(key: str, value: Any) -> Entry:
    if not isinstance(value, dict) or not value or value.keys() - set(KINDS):
        raise BadEntry(f"{key}: an entry holds {', '.join(KINDS)}")
    tests = value.get("tests", [])
    if not isinstance(tests, list) or not all(isinstance(name, str) for name in tests):
        raise BadEntry(f"{key}: tests are a list of names")
    words = {kind: value.get(kind, "") for kind in KINDS[1:]}
    if not all(isinstance(word, str) for word in words.values()) or not (tests or any(words.values())):
        raise BadEntry(f"{key}: nothing is said, or not in words")
    if words["fact"] and len(value) > 1:
        raise BadEntry(f"{key}: a fact needs neither test nor excuse")
    return Entry(key, tuple(tests), words["fact"], words["not"], words["pending"])


def existing_tests() -> set[str]:
    """Every test function of the project, as `tests/FOLDER/test_x.py::test_name`."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        module = path.relative_to(ROOT).as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
                found.add(f"{module}::{node.name}")
    return found


def counts(entries: Iterable[Entry]) -> Mapping[str, int]:
    """How many entries there are of each kind."""
    kinds = [entry.kind for entry in entries]
    return {kind: kinds.count(kind) for kind in KINDS}


def table(entries: list[Entry]) -> str:
    """The page `tests/rows.md`."""
    number = counts(entries)
    partly = sum(1 for entry in entries if entry.tests and entry.left_out)
    lines = [HEAD, "| Rows | |", "|---|---|", f"| all | {len(entries)} |"]
    lines.append(f"| proved by tests | {number['tests']}, of which {partly} in part |")
    lines += [f"| facts | {number['fact']} |", f"| not done | {number['not']} |"]
    lines += [f"| in the making | {number['pending']} |"] if number["pending"] else []
    section = ""
    for entry in entries:
        if entry.section != section:
            section = entry.section
            name = NAMES[section.partition(".")[0]]
            lines += ["", f"## {section} {name}", "", "| Row | Proof |", "|---|---|"]
        lines.append(f"| {entry.key.partition(':')[2]} | {_proof(entry)} |")
    return "\n".join(lines) + "\n"


def _proof(entry: Entry) -> str:
    said = [f"`{name.removeprefix('tests/')}`" for name in entry.tests]
    said += [f"fact: {entry.fact}"] if entry.fact else []
    said += [f"not: {entry.left_out}"] if entry.left_out else []
    said += [f"in the making: {entry.pending}"] if entry.pending else []
    return "<br>".join(said).replace("|", "\\|")
