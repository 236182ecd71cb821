"""Tool results -> functionResponse (mapping.md 1.3).

The response must be an object: text that spells one is sent as it, anything else under `output`. Media ride inside the
functionResponse where the model takes them there, else in the content that follows, labelled.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from portico.core.parts import Media, Text, ToolResult, text_of
from portico.core.target import Target
from portico.dialects.gemini.parts import ORIGIN, drop_display_name, render_part
from portico.wire import jsontext

MAX_DEPTH: Final = 20
MAX_SAFE_INTEGER: Final = 2**53
_RESULT_MIMES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"})


def render_plain_result(result: ToolResult, name: str, wire_id: str | None) -> dict[str, Any] | None:
    """The functionResponse part of a result that is a text and nothing else, as nearly all are; None for any other."""
    parts = result.parts
    if result.ext is not None or len(parts) != 1 or type(parts[0]) is not Text or parts[0].ext:
        return None
    text = parts[0].text
    response: Mapping[str, Any] = {"output": text}
    if result.structured or result.is_error or text[:1] == "{" or text[:1].isspace():  # it may spell an object
        response = _response(result, [])
    if wire_id:
        return {"functionResponse": {"id": wire_id, "name": name, "response": response}}
    return {"functionResponse": {"name": name, "response": response}}


def render_result(
    result: ToolResult, name: str, wire_id: str | None, target: Target, *, label: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The functionResponse part, and the parts that must follow its content. `label` names media that had to move."""
    inside: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    names: list[str] = []
    for part in result.parts:
        if not isinstance(part, Media):
            continue
        rendered = render_part(part)
        if rendered is None:
            continue
        if target.capabilities.judged and target.provider_kind != "vertex":
            drop_display_name(rendered)
        if not keeps_detail(part, target):
            rendered.pop("mediaResolution", None)
        if _may_ride_inside(part, target):
            inside.append(rendered)
        else:
            names.append(f"{label}-{len(names) + 1}")
            moved += [{"text": f"This is file {names[-1]}:"}, rendered]
    answer: dict[str, Any] = {"id": wire_id} if wire_id else {}
    answer["name"] = name
    answer["response"] = _response(result, names)
    if inside:
        answer["parts"] = inside
    extras = dict((result.ext or {}).get(ORIGIN, {}).get("functionResponse", {}))
    answer.update(extras)
    return {"functionResponse": answer}, moved


def keeps_detail(part: Media, target: Target) -> bool:
    """Whether a picture of a result can say its resolution: inside a functionResponse there is no field for it."""
    if not target.capabilities.judged:
        return True
    return target.capabilities.part_resolution and not _may_ride_inside(part, target)


def _may_ride_inside(part: Media, target: Target) -> bool:
    if not target.capabilities.judged:
        return True
    if not target.capabilities.result_media:
        return False
    if part.data is None:  # the Gemini API answers 200 and ignores a file here; Vertex reads it
        return target.provider_kind == "vertex"
    return part.mime in _RESULT_MIMES


def _response(result: ToolResult, moved: list[str]) -> Mapping[str, Any]:
    text = text_of(result.parts)
    if result.is_error:
        return {"error": text}
    if result.structured:
        value = jsontext.decode(text)
        if isinstance(value, dict) and not (moved and not value):
            return value
    elif (value := _safe_object(text)) is not None:
        return value
    if moved and text in ("", "{}"):
        text = f"See file{'s' if len(moved) > 1 else ''} {', '.join(moved)}."
    return {"output": text}


def _safe_object(text: str) -> dict[str, Any] | None:
    """The object that a text spells, if Google would read the same: no `$ref`, no integer a double cannot hold, not too
    deep."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = jsontext.decode(text)
    except jsontext.NotJson:
        return None
    return value if isinstance(value, dict) and _is_safe(value, MAX_DEPTH) else None


def _is_safe(value: dict[str, Any] | list[Any], depth: int) -> bool:
    """Whether a decoded value is safe; asked of dicts and lists alone, since most that is in them is text."""
    if depth <= 0:
        return False
    items: Iterable[Any] = value
    if type(value) is dict:
        for key in value:
            if key[:1] == "$" and key.startswith("$ref"):
                return False
        items = value.values()
    for item in items:
        kind = type(item)
        if kind is int:
            if not -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER:
                return False
        elif (kind is dict or kind is list) and not _is_safe(item, depth - 1):
            return False
    return True
