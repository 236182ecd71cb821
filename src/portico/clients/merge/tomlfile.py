"""Settings into a TOML file. No client keeps a list there in which other people's items stand."""

from collections.abc import MutableMapping
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import ParseError, TOMLKitError

from portico.clients.merge.errors import Unmergeable
from portico.clients.merge.plan import GONE, KEPT, Into, Plan


def merge_toml(text: str, plan: Plan) -> str:
    """The text as it is planned. Raises `Unmergeable`."""
    document = _parsed(text)
    if isinstance(plan, Into) and _into(document, plan):
        return tomlkit.dumps(document)
    return text


def read_toml(text: str) -> Any:
    """The value that a text is. Raises `Unmergeable`."""
    return _parsed(text).unwrap()


def _parsed(text: str) -> TOMLDocument:
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise Unmergeable(str(error).rsplit(" at line", 1)[0], error.line) from None
    except TOMLKitError as error:
        raise Unmergeable(str(error)) from None


def _into(held: MutableMapping[str, Any], plan: Into) -> bool:
    """Whether anything was changed."""
    changed = False
    for key, one in plan.members.items():
        if isinstance(one, Into):
            changed |= _into(held[key], one)
        elif one is GONE:
            del held[key]
            changed = True
        elif one is not KEPT:
            held[key] = tomlkit.item(one)
            changed = True
    return changed
