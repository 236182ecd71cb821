"""Settings into a YAML file: the values that differ are exchanged where they stand, new ones put behind theirs.

The file is composed, so that every value is known with its place; then its text is cut. Writing it anew from what was read
would set other people's lists and comments in another way.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from portico.clients.merge.errors import Unmergeable
from portico.clients.merge.plan import GONE, KEPT, Each, Fate, Into, Plan

_STEP: Final = 2
_PLAIN: Final = re.compile(r"[A-Za-z_/.~$][\w./~${}@+-]*(?: [\w./~${}@+-]+)*", re.ASCII)
_WORDS: Final = frozenset(
    {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", "none", ".inf", ".nan", "."}
)
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_REST: Final = re.compile(r"[ \t]*(?:#[^\n]*)?\r?(?=\n|$)")


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def merge_yaml(text: str, plan: Plan) -> str:
    """The text as it is planned. Raises `Unmergeable`."""
    root = _composed(text)
    if root is None:
        before = text and (text if text.endswith("\n") else text + "\n")
        return before + _block(plan, 0) + "\n"
    edits = _edits(text, root, plan)
    for edit in reversed(sorted(edits, key=lambda edit: edit.start)):  # noqa: C413 - at one place the inner comes first
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def read_yaml(text: str) -> Any:
    """The value that a text is. Raises `Unmergeable`."""
    with _told():
        return YAML(typ="safe", pure=True).load(text)


def _composed(text: str) -> Node | None:
    with _told():
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    return root


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a file, in our words."""
    try:
        yield
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unmergeable(error.problem or "not YAML", None if mark is None else mark.line + 1) from None
    except (YAMLError, ValueError, TypeError) as error:
        raise Unmergeable(str(error)) from None


# -- what changes ----------------------------------------------------------------------------------------------------


def _edits(text: str, node: Node, plan: Plan) -> list[_Edit]:
    match plan, node:
        case Fate(), _:
            return []
        case Into(), MappingNode():
            return _into_mapping(text, node, plan)
        case Each(), SequenceNode():
            return _into_list(text, node, plan)
    raise Unmergeable("an alias stands where something is to be changed", node.start_mark.line + 1)


def _into_mapping(text: str, node: MappingNode, plan: Into) -> list[_Edit]:
    edits: list[_Edit] = []
    added = dict(plan.members)
    for key, value in node.value:
        one = added.pop(key.value, KEPT) if isinstance(key, ScalarNode) else KEPT
        if one is GONE:
            edits.append(_without(text, node, key, value))
        elif isinstance(one, Into | Each):
            edits += _edits(text, value, one)
        elif not isinstance(one, Fate):
            edits.append(_exchanged(text, key, value, one, flow=node.flow_style))
    added = {name: one for name, one in added.items() if not isinstance(one, Fate)}
    if not added:
        return edits
    if node.flow_style or not node.value:
        return [*edits, _into_flow(node, [f"{_scalar(key)}: {_flow(value)}" for key, value in added.items()], text)]
    column = node.value[0][0].start_mark.column
    return [*edits, _below(text, _end(node), " " * column + _block(added, column))]


def _into_list(text: str, node: SequenceNode, plan: Each) -> list[_Edit]:
    if node.flow_style and GONE in plan.there:
        return [_rewritten(text, node, plan)]
    edits: list[_Edit] = []
    for item, one in zip(node.value, plan.there, strict=True):
        if one is GONE:
            edits.append(_without(text, node, item, item))
        elif not isinstance(one, Fate):
            inline = _flow(one) if node.flow_style else _block(one, item.start_mark.column)
            edits.append(_Edit(item.start_mark.index, _end(item), inline))
    if not plan.new:
        return edits
    if node.flow_style or not node.value:
        return [*edits, _into_flow(node, [_flow(new) for new in plan.new], text, first=plan.first)]
    column = node.start_mark.column
    lines = "\n".join(" " * column + "- " + _block(new, column + _STEP) for new in plan.new)
    if plan.first:
        return [_above(text, int(node.start_mark.index), lines), *edits]  # for it comes before one that goes there
    return [*edits, _below(text, _end(node), lines)]


def _exchanged(text: str, key: ScalarNode, old: Node, new: Any, *, flow: bool) -> _Edit:
    """Another value for a key. One of a line takes the old one's place; more stand below the key."""
    colon = text.index(":", _end(key))
    start, end = (colon + 1, colon + 1) if _is_nothing(old) else (old.start_mark.index, _end(old))
    if flow or not isinstance(new, dict | list) or not new or _is_inline(new):
        if start > colon and "\n" not in text[colon:end]:
            return _Edit(start, end, (" " if start == colon + 1 else "") + _flow(new))
        return _Edit(colon + 1, max(end, colon + 1), " " + _flow(new))
    column = key.start_mark.column + _STEP
    return _Edit(colon + 1, max(end, colon + 1), "\n" + " " * column + _block(new, column))


def _into_flow(node: Node, added: list[str], text: str, *, first: bool = False) -> _Edit:
    opened, close = node.start_mark.index + 1, node.end_mark.index - 1
    inside = text[opened:close].strip()
    if first and inside:
        return _Edit(opened, opened, ", ".join(added) + ", ")
    at = len(text[:close].rstrip())
    return _Edit(at, at, ("" if not inside else " " if inside.endswith(",") else ", ") + ", ".join(added))


def _rewritten(text: str, node: SequenceNode, plan: Each) -> _Edit:
    """A list in brackets, from which something goes: as one line, its items as they are written."""
    start, end = int(node.start_mark.index) + 1, int(node.end_mark.index) - 1
    if "#" in text[start:end]:
        raise Unmergeable("a list in brackets has comments and something that is gone; please take it out")
    stay = [
        text[item.start_mark.index : _end(item)] if one is KEPT else _flow(one)
        for item, one in zip(node.value, plan.there, strict=True)
        if one is not GONE
    ]
    new = [_flow(one) for one in plan.new]
    return _Edit(start, end, ", ".join([*new, *stay] if plan.first else [*stay, *new]))


def _without(text: str, around: MappingNode | SequenceNode, first: Node, last: Node) -> _Edit:
    """What begins and ends with two nodes goes, with its lines: of an item from its dash on."""
    if around.flow_style:
        raise Unmergeable("what is gone stands in brackets; please take it out", first.start_mark.line + 1)
    start = int(first.start_mark.index)
    if isinstance(around, SequenceNode):
        start = text.rindex("-", 0, start)
    return _Edit(text.rfind("\n", 0, start) + 1, min(_end_of_line(text, _end(last)) + 1, len(text)), "")


def _above(text: str, start: int, added: str) -> _Edit:
    """More lines above the one in which something starts, and above the comments that tell of it."""
    at = text.rfind("\n", 0, start) + 1
    while at:
        before = text.rfind("\n", 0, at - 1) + 1
        if (line := text[before:at].strip()) and not line.startswith("#"):
            break
        at = before
    return _Edit(at, at, added + "\n")


def _below(text: str, end: int, added: str) -> _Edit:
    """More lines, below the one in which something ends."""
    at = _end_of_line(text, end)
    return _Edit(at, at, "\n" + added)


def _end_of_line(text: str, end: int) -> int:
    """Behind the space and the comment that follow in the line in which something ends."""
    rest = _REST.match(text, end)
    if rest is not None:
        return rest.end()
    newline = text.find("\n", end)  # an alias, whose own place nobody knows
    return len(text) if newline < 0 else newline


def _end(node: Node) -> int:
    """Where the text of a node ends, without the space and the comments behind it."""
    end = int(node.end_mark.index)
    if isinstance(node, ScalarNode):
        return end - 1 if node.style in ("|", ">") else end
    if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
        return end
    if isinstance(node, MappingNode):
        key, value = node.value[-1]
        return _end(key) + 1 if _is_nothing(value) else max(_end(key) + 1, _end(value))
    return max(_end(node.value[-1]), int(node.start_mark.index) + 1)


def _is_nothing(node: Node) -> bool:
    """Whether nothing is written: such a node stands where what follows does."""
    return isinstance(node, ScalarNode) and not node.style and not node.value


# -- how it is written -----------------------------------------------------------------------------------------------


def _is_inline(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(one, dict | list) for one in value)


def _block(value: Any, column: int) -> str:
    """A value over several lines, of which all but the first stand at the column."""
    if not isinstance(value, dict | list) or not value or _is_inline(value):
        return _flow(value)
    between = "\n" + " " * column
    if isinstance(value, list):
        return between.join("- " + _block(one, column + _STEP) for one in value)
    lines = []
    for key, one in value.items():
        if isinstance(one, dict | list) and one and not _is_inline(one):
            lines.append(f"{_scalar(key)}:{between}{' ' * _STEP}{_block(one, column + _STEP)}")
        else:
            lines.append(f"{_scalar(key)}: {_flow(one)}")
    return between.join(lines)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        digits, exponent, power = repr(value).partition("e")
        return f"{digits if '.' in digits else digits + '.0'}{exponent}{power}"  # YAML 1.1 wants the point
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS and not set(value) & set("{}"):
        return value
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
