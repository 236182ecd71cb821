"""What is looked at of a request to say what it can cost at most: sizes and counts, no text and no media.

Whoever builds one walks the parts and takes lengths; base64 is neither decoded nor walked (money.md, A call 1).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from portico.core.request import GOOGLE_BUILTINS

FILE: Final = "file"
"""Media by address: its kind and size are the provider's to know."""
CACHE: Final = "cache"
"""Cached contents."""
TOOL_NAMES: Final = {
    **GOOGLE_BUILTINS,
    "googleSearchRetrieval": "web_search",
    "googleMaps": "google_maps",
    "fileSearch": "file_search",
}
"""A provider's words for its tools -> ours, as prices name them."""
_DOCUMENT: Final = "document"
_NAMED: Final = frozenset({"image", "audio", "video", "text"})
_AS_TEXT: Final = frozenset({"application/json", "application/xml", "application/javascript", "application/rtf"})


class Ask(msgspec.Struct, frozen=True):
    """The sizes of one rendered request."""

    text_bytes: int
    """Of the rendered body, inline media left out."""
    media: Mapping[str, int] = {}
    """Kind (`image`, `audio`, `video`, `document`, or FILE, CACHE) -> how many."""
    media_bytes: Mapping[str, int] = {}
    """Kind -> characters of base64."""
    tools: frozenset[str] = frozenset()
    """Of the provider's own, by their neutral names."""
    max_output_tokens: int | None = None
    candidates: int = 1
    service_tier: str | None = None
    """As it was asked for; `catalog.tier_of` understands it."""
    own_tools: bool = True
    """Whether it brings tools of the caller, whose hidden prompt some models count (`Capabilities.tools_prompt_tokens`).
    True where nobody looked: a ceiling is rather too high."""
    long_cache: bool = False
    """Whether it asks for a cache that lasts an hour or more, which is dearer to write."""
    embedded_characters: int = 0
    """Of the text that is to be embedded: older models report no usage (mapping.md 5.1)."""
    inputs: int = 1
    """How many texts are embedded, each of which may be as long as the model takes."""
    metered: Mapping[str, int] = {}
    """`characters` that are read aloud, `seconds` that are written down: what models are billed by that count no tokens."""
    unknown: tuple[str, ...] = ()
    """Top-level fields of a body that passes of which nobody here knows what they cost. What is null asks for nothing."""
    models: tuple[str, ...] = ()
    """What other models it names, by the provider's names: to fall back to, or to be asked by a tool of the provider."""


def models_in(body: Mapping[str, Any], tools: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The models that a body names beside its own. `tools`: those of the provider. (OpenRouter: `models`; Anthropic:
    `fallbacks`.)"""
    holders = [one for name in ("models", "fallbacks") if isinstance(found := body.get(name), list) for one in found]
    for tool in tools:
        holders += [tool, tool.get("parameters")]
    named = [one.get("model") if isinstance(one, Mapping) else one for one in holders]
    return tuple([one for one in named if isinstance(one, str)])


class MediaCount:
    """Media while a body is walked. Text that comes as a file is text."""

    __slots__ = ("counts", "sizes", "text_bytes")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.sizes: dict[str, int] = {}
        self.text_bytes = 0
        """Base64 characters of inline files that are text."""

    @property
    def inline_bytes(self) -> int:
        """All characters of base64 so far, but for those of text."""
        return sum(self.sizes.values())

    def inline(self, mime: str | None, base64_characters: int) -> None:
        kind = media_kind(mime)
        if kind == "text":
            self.text_bytes += base64_characters
            return
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.sizes[kind] = self.sizes.get(kind, 0) + base64_characters

    def by_address(self, kind: str = FILE) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1


def media_kind(mime: str | None) -> str:
    """`image`, `audio`, `video`, `document`, or `text` for what is read as text. Nothing known: a document."""
    if mime is None:
        return _DOCUMENT
    mime = mime.lower().partition(";")[0].strip()
    kind = mime.partition("/")[0]
    if kind in _NAMED:
        return kind
    return "text" if mime in _AS_TEXT else _DOCUMENT
