"""Names and ids as servers that speak Chat take them (mapping.md 7.5, 14 and 18).

A tool's name has letters, digits, `_` and `-`, 64 at most; a call's id 40 characters. What the caller calls a tool is found
again by `Rendered.tool_names`. An id only pairs a call with its result inside one body, so there is no way back to keep.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from portico.core.naming import FreeNames

MAX_NAME: Final = 64
MAX_ID: Final = 40
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BAD: Final = re.compile(r"[^A-Za-z0-9_-]")


def wire_names(names: Iterable[str]) -> dict[str, str]:
    """Of some names those that would be refused -> the names they go by; collisions get `_2`."""
    known = dict.fromkeys(names)
    wire = FreeNames(known, MAX_NAME)
    return {name: wire.free(_BAD.sub("_", name)[:MAX_NAME] or "_") for name in known if not _NAME.fullmatch(name)}


def called(name: str, names: Mapping[str, str]) -> str:
    """What a tool is called on the wire; one that is no longer declared may have any name."""
    return names.get(name) or (name if _NAME.fullmatch(name) else _BAD.sub("_", name)[:MAX_NAME] or "_")


def wire_id(call_id: str) -> str:
    """An id of a call, or what stands for one that is too long, the same every time."""
    if len(call_id) <= MAX_ID:
        return call_id
    return f"call_{hashlib.sha256(call_id.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
