"""An output item while it is told, and what of the request is needed to tell it."""

from collections.abc import Mapping
from typing import Any

from portico.dialects.openai_responses.tools import BRINGING, JOINT


class OpenItem:
    """An item that is being told. `value` is the item as it stands in the end."""

    __slots__ = ("entry", "full", "index", "kind", "pieces", "value")

    def __init__(self, index: int, value: dict[str, Any]) -> None:
        self.index = index
        self.value = value
        self.kind: str = value["type"]
        self.pieces: list[str] = []
        """Of what grows: the open content or summary entry, arguments, base64."""
        self.entry: dict[str, Any] | None = None
        """The open content part or summary entry."""
        self.full = False
        """Thoughts are told in full, not summed up."""

    @property
    def holds_thoughts(self) -> bool:
        return bool(self.value["content"] if self.full else self.value["summary"])

    @property
    def id(self) -> Any:
        return self.value.get("id")


def copied(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A content part as it is now: what is in it still grows."""
    return {name: list(value) if isinstance(value, list) else value for name, value in entry.items()}


def entry_place(item: OpenItem) -> tuple[str, dict[str, int]]:
    """How events of the open entry of a reasoning item are called, and which entry it is."""
    if item.full:
        return "reasoning_text", {"content_index": len(item.value["content"]) - 1}
    return "reasoning_summary_text", {"summary_index": len(item.value["summary"]) - 1}


def namespaces_of(echo: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """What a tool is called where there are no namespaces -> its namespace and its name in it."""
    names: dict[str, tuple[str, str]] = {}
    for tool in (*echo.get("tools", ()), *echo.get(BRINGING, ())):
        if isinstance(tool, Mapping) and tool.get("type") == "namespace":
            for inner in tool["tools"]:
                names[f"{tool['name']}{JOINT}{inner.get('name')}"] = (tool["name"], inner.get("name"))
    return names
