"""What the words of the catalog are called on a page, in English; `say` puts them into a reader's language."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from portico.catalog import PriceKind, PriceRow, PriceUnit, Tier
from portico.core.target import ThinkingSpec

_PRICES: Final[Mapping[tuple[PriceKind, bool], str]] = {
    (PriceKind.INPUT, False): "Input",
    (PriceKind.INPUT, True): "Cached input",
    (PriceKind.CACHE_WRITE, False): "Written to the cache",
    (PriceKind.CACHE_WRITE_1H, False): "Written to the cache for an hour",
    (PriceKind.OUTPUT, False): "Output",
}
_ITEMS: Final[Mapping[str, str]] = {
    "web_search": "Web search",
    "google_maps": "Google Maps",
    "cache_storage": "Kept in the cache",
    "characters": "Text read aloud",
    "seconds": "Sound written down",
    "code_execution": "Code execution",
    "file_search": "File search",
    "containers": "Containers",
    "url_context": "Pages fetched",
    "web_fetch": "Pages fetched",
}
LINES: Final[Mapping[str, str]] = {
    "input": "Input",
    "input_cached": "Cached input",
    "input_cache_write": "Written to the cache",
    "input_cache_write_1h": "Written to the cache for an hour",
    "input_tool": "Brought in by a tool",
    "output": "Output",
    "output_reasoning": "Thoughts",
}
"""What a line of a receipt is called; one of a use is called as its item."""
UNITS: Final[Mapping[PriceUnit, str]] = {
    PriceUnit.MTOK: "million tokens",
    PriceUnit.QUERY: "query",
    PriceUnit.PROMPT: "prompt",
    PriceUnit.MTOK_HOUR: "million tokens and hour",
    PriceUnit.CHARACTER: "character",
    PriceUnit.SECOND: "second",
}
TIERS: Final[Mapping[Tier, str]] = {
    Tier.STANDARD: "Standard",
    Tier.FLEX: "Flex",
    Tier.BATCH: "Batch",
    Tier.PRIORITY: "Priority",
    Tier.FAST: "Fast",
    Tier.ULTRAFAST: "Ultrafast",
}
KINDS: Final[Mapping[str, str]] = {
    "chat": "Chat",
    "image": "Pictures",
    "speech": "Speech",
    "transcription": "Transcription",
    "embedding": "Embedding",
    "computer_use": "Computer use",
}
MODES: Final[Mapping[str, str]] = {
    "text": "text",
    "image": "image",
    "audio": "audio",
    "video": "video",
    "document": "document",
    "embedding": "vectors",
}
ANSWERS: Final[Mapping[str, str]] = {"yes": "yes", "lossy": "with a loss", "no": "no"}
BECAME: Final[Mapping[str, Callable[[Any], int]]] = {
    "Judged": lambda asked: asked.judged,
    "Carried whole": lambda asked: asked.carried,
    "With a loss": lambda asked: asked.lost,
    "Refused": lambda asked: asked.refused,
}
"""What becomes of recorded requests at a model, and how often it did."""
WHYS: Final[Mapping[str, str]] = {
    "words": "no words for it",
    "refused": "refused",
    "left out": "left out",
    "provider": "not taken in this API",
}
"""Why a model cannot do something for callers of a dialect that it can do for others."""
UNSAID: Final[Mapping[str, str]] = {"dynamic": "its choice", "off": "off"}
"""How hard a model thinks of which nothing is asked, where that is no level."""

DIALECTS: Final[Mapping[str, tuple[str, str]]] = {
    "openai_chat": ("Chat Completions", "/docs/dialects/openai-chat"),
    "openai_responses": ("Responses", "/docs/dialects/openai-responses"),
    "anthropic_messages": ("Messages", "/docs/dialects/anthropic"),
    "gemini": ("Gemini", "/docs/dialects/gemini"),
}
"""By name: the title, and the page that tells more."""


def unsaid(thinking: ThinkingSpec) -> str:
    """How hard a model thinks if a request says nothing: a level, a key of `UNSAID`, or "" if nobody knows."""
    if thinking.on_by_default:
        return thinking.default or ""
    return "none" if "none" in thinking.levels else "off"


def price_label(row: PriceRow) -> str:
    """What a price is of. An item that is not in the table is told by its own name."""
    if row.kind is PriceKind.USE:
        return _ITEMS.get(row.item, row.item)
    return _PRICES.get((row.kind, row.cached), row.kind.value)


def line_label(item: str, detail: str) -> str:
    """What a line of a receipt is of."""
    return LINES.get(item) or _ITEMS.get(detail, detail)


EVERY: Final = (
    *_PRICES.values(),
    *_ITEMS.values(),
    *LINES.values(),
    *UNITS.values(),
    *TIERS.values(),
    *KINDS.values(),
    *MODES.values(),
)
"""Every text here, for who collects texts to translate."""
