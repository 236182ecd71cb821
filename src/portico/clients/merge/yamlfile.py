"""Settings into a YAML file: the values that differ are exchanged where they stand, new ones put behind theirs.

The file is composed, so that every value is known with its place; then its text is cut. Writing it anew from what was read
would set other people's lists and comments in another way.
"""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from portico.clients.merge.errors import Unmergeable
from portico.clients.settings import Default, Owned, Settings, bare, same

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


def merge_yaml(text: str, settings: Settings) -> str:
    """The text with the settings in it. Raises `Unmergeable`."""
    root = _composed(text)
    if root is None:
        before = text and (text if text.endswith("\n") else text + "\n")
        return before + _block(bare(settings), 0) + "\n"
    edits = _edits(text, root, settings)
    if edits is None:
        raise Unmergeable("the file is not " + ("a list" if isinstance(settings, Owned) else "of names and values"), 1)
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


def _value(node: Node) -> Any:
    with _told():
        return YAML(typ="safe", pure=True).constructor.construct_document(copy.deepcopy(node))  # which changes it


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


def _edits(text: str, node: Node, setting: Any) -> list[_Edit] | None:
    """What merging takes; None where the two are not of a kind."""
    if isinstance(setting, Mapping) and isinstance(node, MappingNode):
        return _into_mapping(text, node, setting)
    if isinstance(setting, Owned) and isinstance(node, SequenceNode):
        return _into_list(text, node, setting)
    return None


def _into_mapping(text: str, node: MappingNode, settings: Mapping[str, Any]) -> list[_Edit]:
    edits: list[_Edit] = []
    added: dict[str, Any] = {}
    there = {key.value: (key, value) for key, value in node.value if isinstance(key, ScalarNode)}
    for name, setting in settings.items():
        if name not in there:
            added[name] = bare(setting)
            continue
        if isinstance(setting, Default):
            continue
        key, value = there[name]
        inside = _edits(text, value, setting)
        if inside is not None:
            edits += inside
        elif not same(_value(value), bare(setting)):
            edits.append(_exchanged(text, key, value, bare(setting)))
    if not added:
        return edits
    if node.flow_style or not node.value:
        return [*edits, _into_flow(node, [f"{_scalar(key)}: {_flow(value)}" for key, value in added.items()], text)]
    column = node.value[0][0].start_mark.column
    return [*edits, _below(text, _end(node), " " * column + _block(added, column))]


def _into_list(text: str, node: SequenceNode, owned: Owned) -> list[_Edit]:
    wanted = owned.wanted()
    edits: list[_Edit] = []
    values = [_value(item) for item in node.value]
    for item, value, gone in zip(node.value, values, owned.gone(values), strict=True):
        name = owned.name(value)
        if gone:
            edits.append(_without(text, node, item))
        elif name is not None and not same(value, new := wanted.pop(name)):
            inline = _flow(new) if node.flow_style else _block(new, item.start_mark.column)
            edits.append(_Edit(item.start_mark.index, _end(item), inline))
    if not wanted:
        return edits
    if node.flow_style or not node.value:
        return [*edits, _into_flow(node, [_flow(new) for new in wanted.values()], text)]
    column = node.start_mark.column
    lines = [" " * column + "- " + _block(new, column + _STEP) for new in wanted.values()]
    return [*edits, _below(text, _end(node), "\n".join(lines))]


def _exchanged(text: str, key: ScalarNode, old: Node, new: Any) -> _Edit:
    """Another value for a key. One of a line takes the old one's place; more stand below the key."""
    colon = text.index(":", _end(key))
    start, end = old.start_mark.index, _end(old)
    if not isinstance(new, dict | list) or not new or _is_inline(new):
        if start > colon and "\n" not in text[colon:end]:
            return _Edit(start, end, (" " if start == colon + 1 else "") + _flow(new))
        return _Edit(colon + 1, max(end, colon + 1), " " + _flow(new))
    column = key.start_mark.column + _STEP
    return _Edit(colon + 1, max(end, colon + 1), "\n" + " " * column + _block(new, column))


def _into_flow(node: Node, added: list[str], text: str) -> _Edit:
    close = node.end_mark.index - 1
    inside = text[node.start_mark.index + 1 : close].strip()
    at = len(text[:close].rstrip())
    return _Edit(at, at, ("" if not inside else " " if inside.endswith(",") else ", ") + ", ".join(added))


def _without(text: str, node: SequenceNode, item: Node) -> _Edit:
    """A list without one of its items: the lines from its dash on."""
    if node.flow_style:
        raise Unmergeable(
            "a list in brackets holds models that are gone; please take them out", item.start_mark.line + 1
        )
    start = text.rindex("-", 0, item.start_mark.index)
    return _Edit(text.rfind("\n", 0, start) + 1, min(_end_of_line(text, _end(item)) + 1, len(text)), "")


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
        return max(_end(key) + 1, _end(value))
    return max(_end(node.value[-1]), int(node.start_mark.index) + 1)


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
