"""Pages made of the code's own tables say what the code says, and what a page points to is there."""

import itertools
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DECISIONS = ROOT / "docs" / "decisions"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://|mailto:|data:|#)([^)#\s]+)")
NAMED = re.compile(r"docs/decisions/(\d{4})")
PLAN = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = dict(re.findall(r"^\| `(\w+)/` \| (.*) \|$", PLAN, re.MULTILINE))
"""What the plan tells of each room, by the room's name."""
IN_FULL = [
    "accounts",
    "catalog",
    "ledger",
    "metering",
    "providers",
    "relay",
    "routing",
    "store",
    "telemetry",
    "vault",
    "wire",
]
"""Rooms of which the plan names every module."""


def test_generated_pages_are_in_step_with_the_code() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_number_of_a_decision_is_used_once() -> None:
    numbers = Counter(page.name[:4] for page in DECISIONS.glob("*.md"))
    assert [number for number, count in numbers.items() if count > 1] == []


@pytest.mark.parametrize("room", [*IN_FULL, "http"])
def test_the_plan_names_every_module_of_a_room(room: str) -> None:
    modules = {path.stem for path in (ROOT / "src" / "portico" / room).glob("*.py")} - {"__init__"}
    told = PLAN if room == "http" else ROOMS[room]  # the callers' side of it has a paragraph
    assert modules - _named(told) == set()


def test_the_plan_names_nothing_that_is_not_there() -> None:
    source = ROOT / "src" / "portico"
    there = {path.stem for path in [source, *source.rglob("*")] if path.is_dir() or path.suffix == ".py"}
    names = {name for row in ROOMS.values() for name in _named(row) if name == name.lower()}
    assert names - there == {"asyncio"}


def _named(text: str) -> set[str]:
    return {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.split(r"[/.]", code) if word}


def test_every_page_that_is_pointed_to_is_there() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_dependency_has_its_reason_on_the_page_of_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    page = (DECISIONS / "0001-dependencies.md").read_text(encoding="utf-8")
    told = {name for cell in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE) for name in re.split(r"[ ,]+", cell)}
    assert {re.split(r"[\[>]", one)[0] for one in wanted} - told == set()


def test_every_decision_that_the_code_names_is_there() -> None:
    there = {page.name[:4] for page in DECISIONS.glob("*.md")}
    sources = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py")]
    named = {number for path in sources for number in NAMED.findall(path.read_text(encoding="utf-8"))}
    assert named
    assert named <= there
