"""Settings into a file of NAME=value lines, as dotenv reads it."""

import re
from typing import Final

from portico.clients.merge.errors import Unmergeable
from portico.clients.merge.plan import KEPT, Into, Plan

_LINE: Final = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)[ \t]*=[ \t]*
        (?P<value>'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^\r\n]*?)
        (?P<rest>[ \t]*(?:(?<=[ \t"'`=])\#[^\r\n]*)?)(?=\r?$)""",
    re.MULTILINE | re.VERBOSE,
)
_PLAIN: Final = re.compile(r"[\w.:/@%+=,~^-]+", re.ASCII)


def merge_env(text: str, plan: Plan) -> str:
    """The text with the variables set. Raises `Unmergeable`."""
    newline = "\r\n" if "\r\n" in text else "\n"
    for name, value in plan.members.items() if isinstance(plan, Into) else ():
        if value is KEPT:
            continue
        if not isinstance(value, str):
            raise Unmergeable("a variable is set to a text, and none is taken away")
        found = next((line for line in reversed(list(_LINE.finditer(text))) if line["name"] == name), None)
        if found is None:
            text += (newline if text and not text.endswith("\n") else "") + f"{name}={quoted(name, value)}{newline}"
        else:
            text = text[: found.start("value")] + quoted(name, value) + text[found.end("value") :]
    return text


def read_env(text: str) -> dict[str, str]:
    """What a file sets; of several lines for one name the last counts."""
    return {line["name"]: _unquoted(line["value"]) for line in _LINE.finditer(text)}


def quoted(name: str, value: str) -> str:
    """A value so that every reader of such files takes it as it is. Raises `Unmergeable` where there is no such way."""
    if _PLAIN.fullmatch(value):
        return value
    if not re.search(r"['\r\n\\]", value):
        return f"'{value}'"
    if not re.search(r'["$`\r\n\\]', value):
        return f'"{value}"'
    raise Unmergeable(f"the value of {name} has quotes or line breaks, which readers of such files take differently")


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"`":
        return value[1:-1]
    return value
