"""What of a rendered Chat body decides its price, before it is sent (money.md, A call 1)."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.ask import Ask

_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "image_url": ("image", "url"),
    "input_audio": ("audio", "data"),
    "file": ("document", "file_data"),
}
"""Type of a content part -> the kind of file it holds, and where its data stands."""


def ask(body: Mapping[str, Any], body_bytes: int) -> Ask:
    """Of a body as it was rendered, which takes so many bytes on the wire."""
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for message in body["messages"]:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if part["type"] not in _FILES:
                continue
            kind, member = _FILES[part["type"]]
            data = part[part["type"]].get(member) or ""
            if data.startswith(("http://", "https://", "gs://")):
                kind = "file"
            else:
                sizes[kind] = sizes.get(kind, 0) + len(data)
            counts[kind] = counts.get(kind, 0) + 1
    return Ask(
        text_bytes=max(0, body_bytes - sum(sizes.values())),
        max_output_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        candidates=body.get("n") or 1,
        tools=frozenset({"web_search"}) if "web_search_options" in body else frozenset(),
        media=counts,
        media_bytes=sizes,
        service_tier=body.get("service_tier"),
    )
