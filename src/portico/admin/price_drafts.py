"""Commands on drafts that are kept: prices that somebody wrote down and nobody has published yet.

A draft is kept as it was written, also while it cannot be read; what is wrong with it is told with the line.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec

from portico.admin.desk import Args, Desk, Nothing, Page, at, checked_text, says
from portico.admin.drafts import FORMATS, Line, csv_line, read_lines
from portico.admin.prices import check_lines
from portico.core.errors import InvalidRequest, NotFound
from portico.core.ids import timed_id
from portico.core.storage import Row

Format = Annotated[Literal[FORMATS], says("What it is written in.")]  # type: ignore[valid-type]
MOST_DRAFTS: Final = 200
LONGEST: Final = 1_000_000
_TABLE: Final = re.compile(r"[ \t]*\[\[[ \t]*prices[ \t]*\]\]", re.MULTILINE)
_SAID: Final = re.compile(r"\bline (\d+)")
_PLACE: Final = re.compile(r"prices\[(\d+)\](?:\.(\w+))?")


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A draft, without its text."""

    id: str
    title: str
    made_by: str
    created: datetime
    changed: datetime
    format: Annotated[str, says("`toml`, `csv` or `json`, as it looks.")]
    lines: Annotated[int, says("How many lines of prices it has; 0 where it cannot be read.")]
    problem: Annotated[str, says("What is wrong with it; empty: it can be published.")] = ""
    problem_line: Annotated[int, says("In which line of the text that is, as far as it is known.")] | None = None


class WholeDraft(DraftView, frozen=True, kw_only=True):
    """A draft."""

    text: str
    prices: Annotated[list[Line], says("The same line by line, for `prices diff` and `prices publish`.")]


class SaveDraft(Args, frozen=True, kw_only=True):
    text: Annotated[str, says("The prices, in TOML, CSV or JSON.", max_length=LONGEST)]
    title: Annotated[str, says("What it is about.", max_length=200)] = ""
    draft: Annotated[str, says("The id of the one to write over. Not given: a new one.", max_length=100)] | None = None


class OneDraft(Args, frozen=True, kw_only=True):
    draft: Annotated[str, says("A draft's id (`drf_…`).", min_length=1, max_length=100)]


_DRAFT: Final = "SELECT id, title, made_by, created_us, changed_us, text FROM price_drafts"


def save(desk: Desk, args: SaveDraft) -> WholeDraft:
    """Keeps a draft of prices. Nothing is published by it."""
    title, text = checked_text(args.title.strip(), "title"), args.text.replace("\r\n", "\n")
    if args.draft is not None:
        found = _row(desk, args.draft)
        sql = "UPDATE price_drafts SET title = ?, text = ?, changed_us = ? WHERE id = ?"
        desk.db.run(sql, title or found[1], text, desk.db.now_us, args.draft)
        return _whole(desk, _row(desk, args.draft))
    if desk.db.rows("SELECT COUNT(*) FROM price_drafts")[0][0] >= MOST_DRAFTS:
        raise InvalidRequest(f"There are {MOST_DRAFTS} drafts: publish or drop some first.")
    made = timed_id("drf_", desk.rng, desk.db.now_us / 1_000_000)
    sql = "INSERT INTO price_drafts (id, title, text, made_by, created_us, changed_us) VALUES (?, ?, ?, ?, ?, ?)"
    desk.db.run(sql, made, title, text, desk.actor, desk.db.now_us, desk.db.now_us)
    return _whole(desk, _row(desk, made))


def list_(desk: Desk, args: Nothing) -> Page[DraftView]:  # noqa: ARG001
    """Lists the drafts that are kept, the latest first."""
    rows = desk.db.rows(f"{_DRAFT} ORDER BY changed_us DESC, id DESC")
    return Page(data=[DraftView(**_fields(desk, row)[0]) for row in rows])


def show(desk: Desk, args: OneDraft) -> WholeDraft:
    """Shows a draft: its text, and what is wrong with it."""
    return _whole(desk, _row(desk, args.draft))


def drop(desk: Desk, args: OneDraft) -> DraftView:
    """Drops a draft. What was published of it stays."""
    row = _row(desk, args.draft)
    desk.db.run("DELETE FROM price_drafts WHERE id = ?", args.draft)
    return DraftView(**_fields(desk, row)[0])


def _row(desk: Desk, draft: str) -> Row:
    rows = desk.db.rows(f"{_DRAFT} WHERE id = ?", draft)
    if not rows:
        raise NotFound(f"There is no draft {draft!r}.")
    return rows[0]


def _whole(desk: Desk, row: Row) -> WholeDraft:
    fields, lines = _fields(desk, row)
    return WholeDraft(**fields, text=row[5], prices=lines)


def _fields(desk: Desk, row: Row) -> tuple[dict[str, Any], list[Line]]:
    draft, title, made_by, created_us, changed_us, text = row
    form, lines, problem, line = form_of(text), [], "", None
    try:
        lines = read_lines(text, form)
        check_lines(desk, lines)
    except InvalidRequest as error:
        lines, problem, line = [], error.message, line_of(text, form, error)
    fields: dict[str, Any] = {
        "id": draft,
        "title": title,
        "made_by": made_by,
        "created": at(created_us),
        "changed": at(changed_us),
        "format": form,
        "lines": len(lines),
        "problem": problem,
        "problem_line": line,
    }
    return fields, lines


def form_of(text: str) -> str:
    """In which format a text is written, by how it begins."""
    start = next((line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")
    if start.startswith("{") or re.match(r"\[\s*($|\{)", start):
        return "json"
    return "toml" if start.startswith(("[", "#")) or "=" in start else "csv"


def line_of(text: str, form: str, error: InvalidRequest) -> int | None:
    """In which line of a text something is wrong; None: that is not known."""
    if said := _SAID.search(error.message):
        return int(said.group(1))
    place = _PLACE.match(error.param or "")
    if place is None:
        return None
    number = int(place.group(1))
    if form == "csv":
        return csv_line(text, number)
    tables = [found.start() for found in _TABLE.finditer(text)] if form == "toml" else []
    if number >= len(tables):
        return None
    begins = text.count("\n", 0, tables[number]) + 1
    end = tables[number + 1] if number + 1 < len(tables) else len(text)
    for offset, line in enumerate(text[tables[number] : end].splitlines()):
        if place.group(2) and re.match(rf"\s*{re.escape(place.group(2))}\s*=", line):
            return begins + offset
    return begins
