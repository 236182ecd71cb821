"""What of a Messages body decides its price, before it is sent (money.md, A call 1).

Read as plain JSON; no text and no media is looked into. What stands where it cannot mean anything is passed over: whoever
serves such a body refuses it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from portico.core.ask import FILE, Ask, MediaCount, models_in
from portico.core.errors import BodyNotJson
from portico.dialects.anthropic_messages.blocks import DEEPEST
from portico.dialects.anthropic_messages.words import ADVISOR, BUILTINS
from portico.wire import jsontext

_PRICED: Final = frozenset(
    {
        *("model", "messages", "system", "tools", "tool_choice", "max_tokens", "stream", "stop_sequences"),
        *("temperature", "top_p", "top_k", "thinking", "output_config", "output_format", "metadata", "service_tier"),
        *("cache_control", "context_management", "container", "mcp_servers", "speed", "betas"),
    }
)
"""Fields of which it is known what they cost. `inference_geo` is one only where it says what is so anyhow: elsewhere it is
dearer, by a surcharge that is in no price."""


def ask_of_body(body: bytes) -> Ask:
    """The sizes of a body that passes. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    return ask(value if isinstance(value, Mapping) else {}, len(body), passes=True)


def ask(body: Mapping[str, Any], body_bytes: int, *, passes: bool = False) -> Ask:
    """Of a body that takes so many bytes on the wire. `passes`: it is the caller's own, with whatever stands in it."""
    media = MediaCount()
    look = _Look(media)
    look.marks(body)
    look.content(body.get("system"))
    for message in _objects(body.get("messages")):
        look.content(message.get("content"))
    tools: set[str] = set()
    own_tools = False
    theirs: list[Mapping[str, Any]] = []
    for tool in _objects(body.get("tools")):
        look.marks(tool)
        kind = tool.get("type")
        if kind in (None, "custom"):
            own_tools = True
        else:
            theirs.append(tool)
        name = kind.rpartition("_")[0] if isinstance(kind, str) else ""
        if name == ADVISOR or name in BUILTINS:
            tools.add(BUILTINS.get(name, name))
    limit = body.get("max_tokens")
    tier = "fast" if body.get("speed") == "fast" else body.get("service_tier")
    return Ask(
        text_bytes=max(0, body_bytes - media.inline_bytes),
        media=media.counts,
        media_bytes=media.sizes,
        tools=frozenset(tools),
        max_output_tokens=limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None,
        service_tier="default" if tier == "standard_only" else tier if isinstance(tier, str) else None,
        own_tools=own_tools,
        long_cache=look.long_cache,
        unknown=_unknown(body) if passes else (),
        models=models_in(body, theirs),
    )


def _unknown(body: Mapping[str, Any]) -> tuple[str, ...]:
    known = _PRICED | {"inference_geo"} if body.get("inference_geo") == "global" else _PRICED
    return tuple(sorted([name for name in body.keys() - known if body[name] is not None]))


class _Look:
    """Files and marks of the cache, wherever blocks stand."""

    def __init__(self, media: MediaCount) -> None:
        self._media = media
        self.long_cache = False

    def marks(self, fields: Mapping[str, Any]) -> None:
        mark = fields.get("cache_control")
        if isinstance(mark, Mapping) and mark.get("ttl") == "1h":
            self.long_cache = True

    def content(self, content: Any, depth: int = 0) -> None:
        """Blocks, and the blocks inside them, as deep as anybody reads them."""
        if depth > DEEPEST:
            return
        for block in _objects(content):
            self.marks(block)
            kind = block.get("type")
            if kind in ("image", "document"):
                self._source(kind, block.get("source"), depth)
            elif kind == "container_upload":
                self._media.by_address(FILE)
            elif "content" in block:
                self.content(block["content"], depth + 1)

    def _source(self, kind: str, source: Any, depth: int) -> None:
        if not isinstance(source, Mapping):
            return
        data = source.get("data")
        match source.get("type"):
            case "base64" if isinstance(data, str):
                mime = source.get("media_type")
                self._media.inline(mime if isinstance(mime, str) else None, len(data))
            case "content":
                self.content(source.get("content"), depth + 1)
            case "url" | "file":
                self._media.by_address("image" if kind == "image" else FILE)


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (item for item in value if isinstance(item, Mapping)) if isinstance(value, list) else iter(())
