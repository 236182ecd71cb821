"""What a body of Google's that passes untouched can cost: the fields that change the price (money.md, A call 1).

Read as plain JSON, in either spelling: its contents, tools, limits and tier; no text and no media is looked into. What
stands in a place where it cannot mean anything is passed over, for Google refuses such a body.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from portico.core.ask import CACHE, TOOL_NAMES, Ask, MediaCount
from portico.core.digits import whole
from portico.core.errors import BodyNotJson
from portico.dialects.gemini.fields import camelise
from portico.wire import jsontext

_TOP: Final = frozenset(
    {
        *("contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig"),
        *("cachedContent", "serviceTier", "store", "labels", "modelArmorConfig"),
        *("model", "content", "requests", "generateContentRequest"),  # of the other verbs
        *("taskType", "title", "outputDimensionality", "embedContentConfig"),  # of embeddings
    }
)
"""Fields of which it is known what they cost. `continuationToken` is none: it goes on with what is nowhere in the body."""
_NO_TOOLS: Final = frozenset({"functionDeclarations"})


def ask(body: bytes) -> Ask:
    """The sizes of a body. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    fields = _fields(value)
    return _ask(fields, len(body))


def ask_of_rendered(body: Mapping[str, Any], body_bytes: int) -> Ask:
    """The sizes of a body that was rendered here, in our spelling. It is what is really sent: a field of Google's that the
    caller gave by its own name has its say."""
    if "requests" in body or "content" in body:  # to be embedded
        return _ask(body, body_bytes)
    config = body.get("generationConfig") or _NOTHING
    most, tools = config.get("maxOutputTokens"), body.get("tools")
    media = _rendered_media(body)
    return Ask(
        text_bytes=body_bytes if media is None else max(0, body_bytes - media.inline_bytes),
        media=_NOTHING if media is None else media.counts,
        media_bytes=_NOTHING if media is None else media.sizes,
        tools=frozenset(_tools(body)) if tools and not _are_functions(tools) else _NONE,
        max_output_tokens=None if most is None else _whole(most) or None,
        candidates=_candidates(config) if "candidateCount" in config else 1,
        service_tier=_tier(body) if "serviceTier" in body else None,
    )


def _rendered_media(body: Mapping[str, Any]) -> MediaCount | None:
    """What a body that was rendered here holds beside text; None: nothing. Conversations are long, and most have none."""
    media: MediaCount | None = None
    for content in body.get("contents") or ():
        for part in content.get("parts") or ():
            if "text" in part:
                continue
            answer = part.get("functionResponse")
            inside = () if answer is None or "parts" not in answer else answer["parts"] or ()
            if inside or "inlineData" in part or "fileData" in part:
                media = media or MediaCount()
                for one in (part, *inside):
                    _count_part(one, media)
    if body.get("cachedContent"):
        media = media or MediaCount()
        media.by_address(CACHE)
    return media


def _are_functions(tools: Any) -> bool:
    """Whether the caller's functions are all there is of tools: nearly always."""
    return type(tools) is list and len(tools) == 1 and type(tools[0]) is dict and _NO_TOOLS.issuperset(tools[0])


def _ask(fields: Mapping[str, Any], body_bytes: int) -> Ask:
    config = _fields(fields.get("generationConfig"))
    media = MediaCount()
    for content in _contents(fields):
        _count(content, media)
    if fields.get("cachedContent"):
        media.by_address(CACHE)
    return Ask(
        text_bytes=max(0, body_bytes - media.inline_bytes),
        media=media.counts,
        media_bytes=media.sizes,
        tools=frozenset(_tools(fields)),
        embedded_characters=sum(map(_characters, _embedded(fields))),
        inputs=max(1, len(_list(fields.get("requests")))),
        max_output_tokens=_whole(config.get("maxOutputTokens")) or None,
        candidates=_candidates(config),
        service_tier=_tier(fields),
        unknown=tuple(sorted([name for name in fields.keys() - _TOP if fields[name] is not None])),
    )


_NONE: Final[frozenset[str]] = frozenset()
_NOTHING: Final[Mapping[str, Any]] = {}
MAX_CANDIDATES: Final = 128
"""Google refuses more than 8."""


def _candidates(config: Mapping[str, Any]) -> int:
    return min(max(1, _whole(config.get("candidateCount")) or 1), MAX_CANDIDATES)


def _tier(fields: Mapping[str, Any]) -> str | None:
    tier = fields.get("serviceTier")
    return tier.lower().removeprefix("service_tier_") if isinstance(tier, str) else None


def _contents(fields: Mapping[str, Any]) -> Iterator[Any]:
    """Every content of a body, of whichever verb."""
    yield from _list(fields.get("contents"))
    yield fields.get("systemInstruction")
    yield from _embedded(fields)


def _embedded(fields: Mapping[str, Any]) -> Iterator[Any]:
    """The contents that are to be embedded."""
    yield fields.get("content")
    for request in _list(fields.get("requests")):
        yield _fields(request).get("content")


def _characters(content: Any) -> int:
    texts = [part.get("text") for part in map(_fields, _list(_fields(content).get("parts")))]
    return sum(len(text) for text in texts if isinstance(text, str))


def _count(content: Any, media: MediaCount) -> None:
    for part in map(_fields, _list(_fields(content).get("parts"))):
        _count_part(part, media)
        answered = _fields(part.get("functionResponse"))
        for inner in map(_fields, _list(answered.get("parts"))):
            _count_part(inner, media)


def _count_part(part: Mapping[str, Any], media: MediaCount) -> None:
    blob = _fields(part.get("inlineData"))
    if isinstance(data := blob.get("data"), str):
        mime = blob.get("mimeType")
        media.inline(mime if isinstance(mime, str) else None, len(data))
    if part.get("fileData") is not None:
        media.by_address()


def _tools(fields: Mapping[str, Any]) -> Iterator[str]:
    for tool in map(_fields, _list(fields.get("tools"))):
        for word in tool.keys() - _NO_TOOLS:
            yield TOOL_NAMES.get(word, word)


def _fields(value: Any) -> Mapping[str, Any]:
    return camelise(value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    """Google takes one object where a list is meant."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _whole(value: Any) -> int | None:
    """A number, which may be written as text or with a fraction of zero."""
    if isinstance(value, str):
        return whole(value, 19)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**63 else None
