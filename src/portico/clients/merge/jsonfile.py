"""Settings into a JSON file: the values that differ are exchanged where they stand, new ones put at the end of theirs."""

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from portico.clients.merge.errors import Unmergeable
from portico.clients.merge.spans import Array, Member, Node, Object, plain, read, skipped
from portico.clients.settings import Default, Owned, Setting, Settings, bare, same

_ONE_LINE: Final = 100
"""A list or object of scalars that fits in so many columns is written in one line."""


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


class _Style(NamedTuple):
    """How the file is written, which what is added follows."""

    unit: str
    newline: str


def merge_json(text: str, settings: Settings) -> str:
    """The text with the settings in it. Raises `Unmergeable`."""
    if skipped(text, 0) == len(text):
        comments = text.strip() and text.rstrip() + "\n"
        return comments + rendered(bare(settings), _Style("  ", "\n")) + "\n"
    root = read(text)
    if removals := _removals(text, root, settings):
        text = _applied(text, removals)
        root = read(text)
    style = _style(text, root)
    return _applied(text, _edits(text, root, settings, style, "$"))


def read_json(text: str) -> Any:
    """The value that a text is; None for nothing but comments. Raises `Unmergeable`."""
    return None if skipped(text, 0) == len(text) else plain(read(text))


def _applied(text: str, edits: Sequence[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


# -- what goes -------------------------------------------------------------------------------------------------------


def _removals(text: str, node: Node, setting: "Setting | Settings") -> list[_Edit]:
    """Items that are ours and no longer wanted."""
    if isinstance(setting, Owned) and isinstance(node, Array):
        return _without(text, node, setting.gone(map(plain, node.items)))
    if isinstance(setting, Mapping) and isinstance(node, Object):
        found = ((node.find(key), value) for key, value in setting.items())
        return [edit for member, value in found if member for edit in _removals(text, member.value, value)]
    return []


def _without(text: str, array: Array, gone: Sequence[bool]) -> list[_Edit]:
    """The list without some of its items, their commas gone with them."""
    edits: list[_Edit] = []
    items = array.items
    for is_gone, group in groupby(range(len(items)), key=gone.__getitem__):
        if not is_gone:
            continue
        numbers = list(group)
        first, last = numbers[0], numbers[-1]
        if last + 1 < len(items):
            edits.append(_Edit(items[first].start, items[last + 1].start, ""))
        elif first:
            edits.append(_Edit(items[first - 1].end, items[last].end, ""))
        else:
            end = items[last].end
            edits.append(_Edit(items[first].start, skipped(text, end) + 1 if array.comma else end, ""))
    return edits


# -- what comes ------------------------------------------------------------------------------------------------------


def _edits(text: str, node: Node, setting: "Setting | Settings", style: _Style, path: str) -> list[_Edit]:
    if isinstance(setting, Mapping):
        if isinstance(node, Object):
            return _into_object(text, node, setting, style, path)
        if path == "$":
            raise Unmergeable("the file is not an object", 1)
    elif isinstance(setting, Owned):
        if isinstance(node, Array):
            return _into_array(text, node, setting, style)
        if path == "$":
            raise Unmergeable("the file is not a list", 1)
    value = bare(setting)
    if same(plain(node), value):
        return []
    return [_Edit(node.start, node.end, rendered(value, style, _indent(text, node.start)))]


def _into_object(text: str, node: Object, settings: Mapping[str, Setting], style: _Style, path: str) -> list[_Edit]:
    edits: list[_Edit] = []
    added: list[str] = []
    inner = _inner_indent(text, node.start, [member.start for member in node.members], style)
    for key, setting in settings.items():
        member: Member | None = node.find(key)
        if member is None:
            added.append(f"{_quoted(key)}: {rendered(bare(setting), style, inner)}")
        elif not isinstance(setting, Default):
            edits += _edits(text, member.value, setting, style, f"{path}.{key}")
    last = node.members[-1].value.end if node.members else None
    return edits + _appended(text, node, added, last, inner, style)


def _into_array(text: str, node: Array, owned: Owned, style: _Style) -> list[_Edit]:
    edits: list[_Edit] = []
    added: list[str] = []
    inner = _inner_indent(text, node.start, [item.start for item in node.items], style)
    ours = {owned.name(plain(item)): item for item in node.items}
    for name, wanted in owned.wanted().items():
        held = ours.get(name)
        if held is None:
            added.append(rendered(wanted, style, inner))
        elif not same(plain(held), wanted):
            edits.append(_Edit(held.start, held.end, rendered(wanted, style, _indent(text, held.start))))
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
