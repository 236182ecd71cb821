"""What one of Google's two backends alone knows is taken out for the other, where it would be a 400 (mapping.md 0).

The Gemini API and Vertex AI speak one dialect with fields of their own. A path is a row of steps into the body, `*` for
each item of a list; what it leads to is left out and told, and so is whatever is empty without it.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from portico.core.loss import Loss, Where
from portico.core.request import GOOGLE_BUILTINS
from portico.wire.names import camel, snake

Path: TypeAlias = tuple[str, ...]

_CALLING: Final = ("toolConfig", "functionCallingConfig")
_IMAGE: Final = ("generationConfig", "imageConfig")
_SEARCH: Final = ("tools", "*", "googleSearch")

OF_VERTEX: Final[tuple[Path, ...]] = (
    ("labels",),
    ("modelArmorConfig",),
    ("continuationToken",),
    ("safetySettings", "*", "method"),
    (*_CALLING, "streamFunctionCallArguments"),
    ("generationConfig", "audioTimestamp"),
    ("generationConfig", "routingConfig"),
    ("generationConfig", "modelSelectionConfig"),
    *[(*_IMAGE, name) for name in ("personGeneration", "prominentPeople", "imageOutputOptions")],
    *[("tools", "*", name) for name in ("retrieval", "enterpriseWebSearch", "parallelAiSearch", "exaAiSearch")],
    *[(*_SEARCH, name) for name in ("excludeDomains", "blockingConfidence")],
)
OF_GEMINI_API: Final[tuple[Path, ...]] = (
    ("store",),
    ("generationConfig", "enableEnhancedCivicAnswers"),
    ("generationConfig", "translationConfig"),
    *[("tools", "*", name) for name in ("fileSearch", "mcpServers")],
    (*_SEARCH, "timeRangeFilter"),
    ("toolConfig", "includeServerSideToolInvocations"),
)


def settle_backend(body: dict[str, Any], provider_kind: str, where: Where) -> list[Loss]:
    """Takes out of a rendered body what its backend refuses. The caller's own values are not changed."""
    vertex = provider_kind == "vertex"
    owner, code = ("the Gemini API", "0:gemini_only") if vertex else ("Vertex AI", "1.16:vertex_only")
    losses: list[Loss] = []
    for path in OF_GEMINI_API if vertex else OF_VERTEX:
        if path[0] not in body:
            continue
        left = _without(body[path[0]], path[1:])
        if left is body[path[0]]:
            continue
        if left is None:
            del body[path[0]]
        else:
            body[path[0]] = left
        losses.append(Loss(code, _place(path, where), f"{path[-1]} is known to {owner} alone"))
    return losses


def _place(path: Path, where: Where) -> str:
    """Where the caller wrote it, as near as is known."""
    names = [(GOOGLE_BUILTINS.get(step, step), snake(step)) for step in reversed(path) if step != "*"]
    known = (where.fields.get(name) for both in names for name in both)
    return next((found for found in known if found is not None), where.field(path[0]))


def _without(value: Any, path: Path) -> Any:
    """The value without what the path leads to; the value itself where there is no such thing; None: nothing is left."""
    if not path:
        return None
    if path[0] == "*":
        if not isinstance(value, list):
            return value
        items = [_without(item, path[1:]) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return [item for item in items if item is not None] or None
    if not isinstance(value, Mapping):
        return value
    key = next((key for key in value if camel(key) == path[0]), None)
    if key is None:
        return value
    left = _without(value[key], path[1:])
    if left is value[key]:
        return value
    if left is None and path[0] == "googleSearch":
        left = {}  # a tool says all by its name
    kept = {name: left if name == key else item for name, item in value.items() if name != key or left is not None}
    return kept or None
