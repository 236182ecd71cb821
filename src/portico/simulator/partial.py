"""Arguments of a call, streamed as they are written (Vertex, generation 3, `streamFunctionCallArguments`).

Recorded: the first piece names the function, each string comes in pieces and is closed by an empty one, and the last piece
is an empty call (mapping.md 3.3).
"""

import re
from collections.abc import Iterator
from typing import Any

from portico.simulator.refusal import Json

_PIECE = 12
_PLAIN = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


def pieces(call: Json) -> list[Json]:
    """The functionCall of each frame; the whole call alone where a path cannot say it."""
    name = {key: value for key, value in call.items() if key != "args"}
    leaves = list(_leaves(call["args"], "$"))
    if not call["args"]:
        return [name]
    if any(path == "" for path, _ in leaves):
        return [call]
    told = [one for path, value in leaves for one in _told(path, value)]
    return [name | {"willContinue": True}, *({"partialArgs": [one], "willContinue": True} for one in told), {}]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, scalar) in order; path "" for what no path can say: an empty container, an odd key."""
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from _leaves(inner, f"{path}.{key}" if _PLAIN.match(key) else "")
        case list() if value:
            for number, inner in enumerate(value):
                yield from _leaves(inner, f"{path}[{number}]")
        case dict() | list():
            yield "", value
        case _:
            yield path if path.startswith("$") else "", value


def _told(path: str, value: Any) -> Iterator[Json]:
    match value:
        case str():
            for at in range(0, len(value), _PIECE):
                yield {"jsonPath": path, "stringValue": value[at : at + _PIECE], "willContinue": True}
            yield {"jsonPath": path, "stringValue": ""}
        case bool():
            yield {"jsonPath": path, "boolValue": value}
        case None:
            yield {"jsonPath": path, "nullValue": "NULL_VALUE"}
        case _:
            yield {"jsonPath": path, "numberValue": value}
