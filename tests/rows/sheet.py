"""The rows of the specification, each with a key that outlives a change of its words further back.

A row is a body row of a table, a bullet or a paragraph, unless it only announces the table after it; where a section
holds no table, each sentence of a paragraph is a row of its own. The sheet lies in `PORTICO_SPEC`, by default
`../shared/spec` beside the project.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]
SHEET = Path(os.environ.get("PORTICO_SPEC") or ROOT.parent / "shared" / "spec") / "mapping.md"

SECTIONS = ("0", "1", "2", "3", "4", "5.2", "5.3", "5.4", "5.5", "5.6", "7.6", "8", "9")
"""The sections whose every row needs an entry, with all that is below them."""

WORDS_OF_A_CELL = 6
WORDS_OF_A_SENTENCE = 5

HEADING = re.compile(r"#{2,4} (\d+(?:\.\d+)*)\.? ")
BULLET = re.compile(r"\s*(?:- |→ )")
RULE = re.compile(r"[|\s:-]+")
SENTENCE_END = re.compile(r"(?<=[.!?)])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z`$→])")
CELL_END = re.compile(r"(?<!\\)\|")


class Row(msgspec.Struct, frozen=True):
    """One row. `line` counts from 1; `text` is what the sheet says, for messages only."""

    key: str
    line: int
    text: str

    @property
    def section(self) -> str:
        """The section, "1.2" of "1.2:role-user"."""
        return self.key.partition(":")[0]


def wanted(section: str) -> bool:
    """Whether the rows of a section need entries."""
    return any(section == one or section.startswith(f"{one}.") for one in SECTIONS)


def rows(sheet: str) -> list[Row]:
    """Every row of the wanted sections, in the order of the sheet."""
    found: list[Row] = []
    taken: dict[str, int] = {}
    for section, lines in _sections(sheet):
        prose_only = not any(text.startswith("|") for _, text in lines)
        for line, name, text in _rows_of(lines, prose_only):
            key = f"{section}:{name}"
            taken[key] = taken.get(key, 0) + 1
            found.append(Row(key if taken[key] == 1 else f"{key}-{taken[key]}", line, text))
    return found


def _sections(sheet: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    section, lines = "", list[tuple[int, str]]()
    for number, text in enumerate(sheet.splitlines(), 1):
        heading = HEADING.match(text)
        if heading or text.startswith("#"):
            yield from [(section, lines)] if wanted(section) else []
            section, lines = heading[1] if heading else "", []
        else:
            lines.append((number, text))
    yield from [(section, lines)] if wanted(section) else []


def _rows_of(lines: list[tuple[int, str]], prose_only: bool) -> Iterator[tuple[int, str, str]]:
    """Line, name and text of each row. The line of a table before its rule is its header."""
    for at, (line, text) in enumerate(lines):
        following = [later for _, later in lines[at + 1 :] if later][:1]
        if text.startswith("|"):
            if not (_is_rule(text) or any(map(_is_rule, following))):
                yield line, _name_of_cells(text), text
        elif text.endswith(":") and any(later.startswith("|") for later in following):
            continue
        elif BULLET.match(text) or (text.strip("- ") and not prose_only):
            yield line, slug(text, WORDS_OF_A_SENTENCE), text
        elif text.strip("- "):
            for sentence in SENTENCE_END.split(text):
                yield line, slug(sentence, WORDS_OF_A_SENTENCE), sentence


def _is_rule(text: str) -> bool:
    return text.startswith("|") and RULE.fullmatch(text) is not None


def _name_of_cells(text: str) -> str:
    """The first cell that says anything."""
    names = (slug(cell, WORDS_OF_A_CELL) for cell in CELL_END.split(text)[1:-1])
    return next((name for name in names if name), "empty")


def slug(text: str, words: int) -> str:
    """The first words, in lower case, joined by dashes: `role-user`."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower().replace("’", ""))[:words])
