"""What of one of Google's request bodies decides its price, before it is sent (money.md, A call 1).

Bodies that were rendered here are looked at as they are; one that passes untouched is read only as far as it must be: its
long members are stepped over unless they hold a file.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import PricedFields
from portico.core.errors import BodyNotJson
from portico.dialects.gemini.fields import camelise
from portico.wire import jsontext
from portico.wire.names import camel

TOP_FIELDS: Final = frozenset(
    {
        "contents",
        "systemInstruction",
        "tools",
        "toolConfig",
        "safetySettings",
        "generationConfig",
        "cachedContent",
        "serviceTier",
        "labels",
        "model",
        "store",
        "modelArmorConfig",
        # countTokens and embeddings
        "generateContentRequest",
        "content",
        "taskType",
        "title",
        "outputDimensionality",
        "embedContentConfig",
        "requests",
    }
)
"""What a body may hold at its top; nothing else of it is known to have no price."""
_LONG: Final = frozenset({"contents", "systemInstruction", "content", "requests", "generateContentRequest"})
_FILES: Final = (b"nlineData", b"nline_data", b"ileData", b"ile_data")
TOOLS: Final[Mapping[str, str]] = {
    "googleSearch": "web_search",
    "googleSearchRetrieval": "web_search",
    "enterpriseWebSearch": "web_search",
    "urlContext": "url_context",
    "codeExecution": "code_execution",
    "googleMaps": "google_maps",
    "fileSearch": "file_search",
}
"""Google's word for a tool that has a price -> the word of price lists."""
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def priced(body: Mapping[str, Any]) -> PricedFields:
    """Of a body as it was rendered: names in camelCase."""
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for content in body.get("contents") or ():
        _count_files(content.get("parts") or (), counts, sizes)
    return _fields(body, counts, sizes)


def priced_bytes(data: bytes) -> PricedFields:
    """Of a body that passes, whatever its verb. Raises `BodyNotJson`."""
    try:
        members = _MEMBERS.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BodyNotJson(f"The request body is not a JSON object: {error}") from None
    body: dict[str, Any] = {}
    counts: dict[str, int] = {}
    sizes: dict[str, int] = {}
    unknown: list[str] = []
    holds_files = any(word in data for word in _FILES)
    for spelt, raw in members.items():
        name = camel(spelt) if "_" in spelt else spelt
        if name not in TOP_FIELDS or name in body:
            unknown.append(spelt)
        if name not in _LONG:
            body[name] = _value(raw)
            continue
        body[name] = None
        if holds_files:
            _count_anywhere(_value(raw), counts, sizes)
    return msgspec.structs.replace(_fields(body, counts, sizes), unknown=tuple(unknown))


def _value(raw: msgspec.Raw) -> Any:
    try:
        return jsontext.decode(bytes(raw))
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None


def _fields(body: Mapping[str, Any], counts: dict[str, int], sizes: dict[str, int]) -> PricedFields:
    config = body.get("generationConfig")
    config = camelise(config) if isinstance(config, Mapping) else {}
    tools: set[str] = set()
    for tool in _items(body.get("tools")):
        if isinstance(tool, Mapping):
            tools.update([word for name in tool if (word := TOOLS.get(camel(name))) is not None])
    if body.get("cachedContent"):
        counts["cache"] = 1
    tier = body.get("serviceTier")
    return PricedFields(
        max_output_tokens=_number(config.get("maxOutputTokens")),
        candidates=max(1, _number(config.get("candidateCount")) or 1),
        tools=frozenset(tools),
        media=counts,
        media_bytes=sizes,
        tier=tier if isinstance(tier, str) else None,
    )


def _items(value: Any) -> Iterable[Any]:
    """A repeated field, of which one that stands alone may be written without brackets."""
    return value if isinstance(value, list) else () if value is None else (value,)


def _number(value: Any) -> int | None:
    """A count, which JSON for protocol buffers may write as a string; None for what is none, or is no bound."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return int(value) if isinstance(value, (int, float)) and value > 0 else None


def _count_files(parts: Iterable[Any], counts: dict[str, int], sizes: dict[str, int]) -> None:
    for part in parts:
        if "inlineData" in part or "fileData" in part:
            _count_file(part, counts, sizes)
        elif "functionResponse" in part:
            _count_files(part["functionResponse"].get("parts") or (), counts, sizes)


def _count_file(part: Mapping[str, Any], counts: dict[str, int], sizes: dict[str, int]) -> None:
    inline = part.get("inlineData")
    if isinstance(inline, Mapping):
        kind, data = _kind(inline.get("mimeType")), inline.get("data")
        counts[kind] = counts.get(kind, 0) + 1
        sizes[kind] = sizes.get(kind, 0) + (len(data) if isinstance(data, str) else 0)
    if part.get("fileData") is not None:
        counts["file"] = counts.get("file", 0) + 1


def _kind(mime: Any) -> str:
    """image, audio, video or document."""
    first = mime.partition("/")[0].strip().lower() if isinstance(mime, str) else ""
    return first if first in ("image", "audio", "video") else "document"


def _count_anywhere(value: Any, counts: dict[str, int], sizes: dict[str, int]) -> None:
    """Every file below a value, wherever it stands and however it is spelt."""
    if isinstance(value, dict):
        fields = camelise(value)
        if "inlineData" in fields or "fileData" in fields:
            if isinstance(fields.get("inlineData"), dict):
                fields["inlineData"] = camelise(fields["inlineData"])
            _count_file(fields, counts, sizes)
            return
        for item in fields.values():
            _count_anywhere(item, counts, sizes)
    elif isinstance(value, list):
        for item in value:
            _count_anywhere(item, counts, sizes)
