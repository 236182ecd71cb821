"""Tools the provider runs -> Google's tools (mapping.md 1.14)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from portico.core.loss import Loss
from portico.core.request import GOOGLE_BUILTINS, LOCATION_HINT, Builtin, Request
from portico.dialects.gemini.parts import ORIGIN

_WIRE: Final = {kind: wire for wire, kind in GOOGLE_BUILTINS.items()}
_PLACE: Final = ("city", "region", "country", "timezone")
"""Of a place in words, what is told, the nearest first."""


def render_builtin(tool: Builtin, losses: list[Loss], request: Request) -> dict[str, Any]:
    """One of Google's Tool objects; options without a place there are losses."""
    foreign = [name for origin, fields in (tool.ext or {}).items() if origin != ORIGIN for name in fields]
    if location_of(tool) is not None:
        foreign.remove("user_location")
        message = "Google's search has no place for where the user is; the model was told in words"
        losses.append(Loss("1.14:builtin", request.where.field(tool.kind), message))
    if foreign:
        message = f"{tool.kind} has no place for {', '.join(foreign)} at Google"
        losses.append(Loss("1.14:builtin", request.where.field(tool.kind), message))
    wire = _WIRE.get(tool.kind, tool.kind)
    return {wire: (tool.ext or {}).get(ORIGIN, {}).get(wire, {})}


def location_of(tool: Builtin) -> str | None:
    """Where the user is, in words, if a search tool says so."""
    for origin, fields in (tool.ext or {}).items():
        place = fields.get("user_location") if origin != ORIGIN and tool.kind == "web_search" else None
        if isinstance(place, Mapping):
            told = place.get("approximate")
            place = told if isinstance(told, Mapping) else place
            words = [str(place[name]) for name in _PLACE if place.get(name)]
            return ", ".join(words) or None
    return None


def location_hints(tools: Iterable[Builtin]) -> Iterator[str]:
    """What the model is told of the user's place, which no field of the request can say."""
    for tool in tools:
        if (place := location_of(tool)) is not None:
            yield f"{LOCATION_HINT}{place}."
