"""Settings into a JSON file: the values that differ are exchanged where they stand, new ones put at the end of theirs."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from portico.clients.merge.plan import GONE, Each, Fate, Into, Plan, without_gone
from portico.clients.merge.spans import Array, Node, Object, plain, read, skipped

_ONE_LINE: Final = 100
"""A list or object of scalars that fits in so many columns is written in one line."""
_SPACE: Final = re.compile(r"[ \t]*")
_BESIDE: Final = re.compile(r"[ \t]*(?://[^\n\r]*|/\*[^\n\r]*?\*/[ \t]*(?=[\n\r]|$))?(?:\r?\n|(?=\r?$))")
"""The end of a line in which nothing more stands, but maybe a comment."""

_NOTHING: Final = re.compile(r"[ \t]*(?:\r?\n|(?=\r?$))")


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


class _Style(NamedTuple):
    """How the file is written, which what is added follows."""

    unit: str
    newline: str


def merge_json(text: str, plan: Plan) -> str:
    """The text as it is planned. Raises `Unmergeable`."""
    if skipped(text, 0) == len(text):
        comments = text.strip() and text.rstrip() + "\n"
        return comments + rendered(plan, _Style("  ", "\n")) + "\n"
    root = read(text)
    if removals := _removals(text, root, plan):
        text = _applied(text, removals)
        root, plan = read(text), without_gone(plan)
    return _applied(text, _edits(text, root, plan, _style(text, root)))


def read_json(text: str) -> Any:
    """The value that a text is; None for nothing but comments. Raises `Unmergeable`."""
    return None if skipped(text, 0) == len(text) else plain(read(text))


def _applied(text: str, edits: Sequence[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


# -- what goes -------------------------------------------------------------------------------------------------------


def _removals(text: str, node: Node, plan: Plan) -> list[_Edit]:
    match plan, node:
        case Each(), Array(items=items):
            spans = [(item.start, item.end) for item in items]
            return _without(text, spans, [one is GONE for one in plan.there], comma=node.comma)
        case Into(members=plans), Object(members=members):
            spans = [(member.start, member.value.end) for member in members]
            edits = _without(text, spans, [plans.get(one.key) is GONE for one in members], comma=node.comma)
            counting = [one for one in members if node.find(one.key) is one]
            return [*edits, *(edit for one in counting for edit in _removals(text, one.value, plans.get(one.key)))]
    return []


def _without(text: str, spans: Sequence[tuple[int, int]], gone: Sequence[bool], *, comma: bool) -> list[_Edit]:
    """A list or an object without some of what is in it: with each goes its comma, and a comment behind it if nothing that
    stays has its line, too. What is told above the next one stays. `comma`: there is one behind the last."""
    edits: list[_Edit] = []
    for first, last in _runs(text, spans, gone):
        start, end = spans[first][0], spans[last][1]
        is_alone = not first or "\n" in text[spans[first - 1][1] : start]
        if last + 1 < len(spans) or comma:
            at = skipped(text, end)
            if text[end:at].strip():  # what is told between is of the next one
                edits.append(_line_with(text, at, at + 1, is_alone=False))
            else:
                end = at + 1
        edits.append(_line_with(text, start, end, is_alone=is_alone))
    if gone and gone[-1] and not comma and (stay := [number for number, one in enumerate(gone) if not one]):
        behind = skipped(text, spans[stay[-1]][1])
        edits.append(_Edit(behind, behind + 1, ""))
    return edits


def _runs(text: str, spans: Sequence[tuple[int, int]], gone: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """The first and the last of what goes and stands together in a line."""
    first = None
    for number, is_gone in enumerate(gone):
        if is_gone and first is None:
            first = number
        is_last = (
            number + 1 == len(spans) or not gone[number + 1] or "\n" in text[spans[number][1] : spans[number + 1][0]]
        )
        if first is not None and is_last:
            yield first, number
            first = None


def _line_with(text: str, start: int, end: int, *, is_alone: bool) -> _Edit:
    """What stands there goes, and the lines with it in which nothing else stands. `is_alone`: with a comment behind it."""
    line = text.rfind("\n", 0, start) + 1
    rest = (_BESIDE if is_alone else _NOTHING).match(text, end)
    if rest is None:
        space = _SPACE.match(text, end)
        return _Edit(start, end if space is None else space.end(), "")
    if text[line:start].strip(" \t"):
        return _Edit(start, len(text[: rest.end()].rstrip("\r\n")), "")
    return _Edit(line, rest.end(), "")


# -- what comes ------------------------------------------------------------------------------------------------------


def _edits(text: str, node: Node, plan: Plan, style: _Style) -> list[_Edit]:
    match plan, node:
        case Fate(), _:
            return []
        case Into(), Object():
            return _into_object(text, node, plan, style)
        case Each(), Array():
            return _into_array(text, node, plan, style)
    return [_Edit(node.start, node.end, rendered(plan, style, _indent(text, node.start)))]


def _into_object(text: str, node: Object, plan: Into, style: _Style) -> list[_Edit]:
    edits: list[_Edit] = []
    added: list[str] = []
    inner = _inner_indent(text, node.start, [member.start for member in node.members], style)
    for key, one in plan.members.items():
        member = node.find(key)
        if member is None:
            added.append(f"{_quoted(key)}: {rendered(one, style, inner)}")
        else:
            edits += _edits(text, member.value, one, style)
    last = node.members[-1].value.end if node.members else None
    return edits + _appended(text, node, added, last, inner, style)


def _into_array(text: str, node: Array, plan: Each, style: _Style) -> list[_Edit]:
    inner = _inner_indent(text, node.start, [item.start for item in node.items], style)
    edits = [edit for item, one in zip(node.items, plan.there, strict=True) for edit in _edits(text, item, one, style)]
    added = [rendered(one, style, inner) for one in plan.new]
    return edits + _appended(text, node, added, node.items[-1].end if node.items else None, inner, style)


def _appended(
    text: str, node: Object | Array, added: Sequence[str], last: int | None, inner: str, style: _Style
) -> list[_Edit]:
    """More at the end of an object or a list, behind the comments that stand there."""
    if not added:
        return []
    close = node.end - 1
    between = f",{style.newline}{inner}".join(added)
    outer = _indent(text, close)
    if last is None:
        kept = text[node.start + 1 : close].rstrip()
        return [_Edit(node.start + 1, close, f"{kept}{style.newline}{inner}{between}{style.newline}{outer}")]
    in_one_line = style.newline not in text[node.start : node.end] and "\n" not in text[node.start : node.end]
    if in_one_line and "\n" not in "".join(added) and len(text[node.start : node.end]) + len(between) < _ONE_LINE:
        return [_Edit(last, last, "".join(f", {one}" for one in added))]
    rest = text[last:close]
    kept = rest.rstrip()
    comma = "" if node.comma else ","
    end = "," if node.comma else ""
    return [_Edit(last, close, f"{comma}{kept}{style.newline}{inner}{between}{end}{style.newline}{outer}")]


# -- how it is written -----------------------------------------------------------------------------------------------


def rendered(value: Any, style: _Style, indent: str = "") -> str:
    """A value as plain JSON, its further lines behind `indent`."""
    if not isinstance(value, dict | list) or not value:
        return _quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    one = json.dumps(value, ensure_ascii=False)
    inside = list(value.values()) if isinstance(value, dict) else value
    if len(one) < _ONE_LINE - len(indent) and indent and not any(isinstance(part, dict | list) for part in inside):
        return _encodable(one)
    inner = indent + style.unit
    parts = (
        [f"{_quoted(key)}: {rendered(part, style, inner)}" for key, part in value.items()]
        if isinstance(value, dict)
        else [rendered(part, style, inner) for part in value]
    )
    opened, closed = ("{", "}") if isinstance(value, dict) else ("[", "]")
    body = f",{style.newline}{inner}".join(parts)
    return f"{opened}{style.newline}{inner}{body}{style.newline}{indent}{closed}"


def _quoted(text: str) -> str:
    return _encodable(json.dumps(text, ensure_ascii=False))


def _encodable(text: str) -> str:
    """Without the lone halves of characters, which no file can hold, but as escapes."""
    return "".join(f"\\u{ord(one):04x}" if "\ud800" <= one <= "\udfff" else one for one in text)


def _style(text: str, root: Node) -> _Style:
    newline = "\r\n" if "\r\n" in text else "\n"
    if isinstance(root, Object) and root.members:
        first = root.members[0].start
        indent = _indent(text, first)
        if indent and text[:first].endswith(indent) and "\n" in text[root.start : first]:
            return _Style(indent, newline)
    return _Style("  ", newline)


def _indent(text: str, place: int) -> str:
    """The space at the beginning of the line in which a place is."""
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _inner_indent(text: str, start: int, inside: Sequence[int], style: _Style) -> str:
    """What stands before the first thing inside, if it has a line of its own; else one step more than outside."""
    for place in inside[:1]:
        indent = _indent(text, place)
        if "\n" in text[start:place] and not text[text.rfind("\n", 0, place) + 1 : place].strip():
            return indent
    return _indent(text, start) + style.unit
