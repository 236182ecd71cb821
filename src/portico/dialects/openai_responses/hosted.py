"""What a stream tells of an item that a tool of the provider made, between its beginning and its end (mapping.md 7.3)."""

from collections.abc import Mapping
from typing import Any, Final

_STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "web_search_call": ("in_progress", "searching", "completed"),
    "file_search_call": ("in_progress", "searching", "completed"),
    "code_interpreter_call": ("in_progress", "interpreting", "completed"),
    "mcp_list_tools": ("in_progress", "completed"),
    "mcp_call": ("in_progress", "completed"),
}
"""Types of items that tell how they get on, and the steps. The last is `failed` where the item says so."""
_GROWING: Final[Mapping[str, tuple[str, str]]] = {
    "code_interpreter_call": ("code_interpreter_call_code", "code"),
    "mcp_call": ("mcp_call_arguments", "arguments"),
}
"""Those of which something is told in pieces: the events' name and the field."""


def picture_events(picture: str, tools: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a picture that came whole. Who asked, among these tools, for pictures on the way is shown it as the
    first and last of them."""
    name = "image_generation_call"
    told: list[tuple[str, dict[str, Any]]] = [(f"{name}.in_progress", {}), (f"{name}.generating", {})]
    if _shows_partial(tools):
        told.append((f"{name}.partial_image", {"partial_image_index": 0, "partial_image_b64": picture}))
    return [*told, (f"{name}.completed", {})]


def _shows_partial(tools: Any) -> bool:
    return any(
        isinstance(tool, Mapping) and tool.get("type") == "image_generation" and tool.get("partial_images")
        for tool in (tools if isinstance(tools, (list, tuple)) else ())
    )


def in_progress(item: Mapping[str, Any]) -> dict[str, Any]:
    """What of an item differs while it is in progress."""
    return {"status": "in_progress"} if "status" in item else {}


def hosted_events(item: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The events of an item that is known whole: (type below `response.`, fields)."""
    kind = str(item.get("type"))
    steps = _STEPS.get(kind)
    if steps is None:
        return []
    told: list[tuple[str, dict[str, Any]]] = [(f"{kind}.{steps[0]}", {})]
    if kind in _GROWING:
        name, field = _GROWING[kind]
        text = item.get(field)
        if isinstance(text, str) and text:
            told += [(f"{name}.delta", {"delta": text}), (f"{name}.done", {field: text})]
    told += [(f"{kind}.{step}", {}) for step in steps[1:-1]]
    failed = kind.startswith("mcp") and item.get("error") is not None
    told.append((f"{kind}.{'failed' if failed else steps[-1]}", {}))
    return told
