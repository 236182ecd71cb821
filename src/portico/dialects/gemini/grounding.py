"""groundingMetadata and citationMetadata <-> citations and searches (mapping.md 2.7).

Google points at UTF-8 bytes of the candidate's visible text, from 0 where it says nothing; one support may name several
sources, which are as many citations of one span. What a citation cannot hold (the search box that must be shown, scores,
sources that no text points to) stays in `ext`, whole; nothing is kept there when the citations say it all.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from portico.core.response import Candidate, Citation
from portico.core.spans import TextSpans
from portico.dialects.gemini.fields import camelise

GROUNDING: Final = "groundingMetadata"
CITATIONS: Final = "citationMetadata"
_SOURCE_LISTS: Final = ("citationSources", "citations")
"""The Gemini API's word and Vertex AI's."""
_CHUNK_LISTS: Final = frozenset(
    {"groundingChunks", "groundingSupports", "webSearchQueries", "imageSearchQueries", *_SOURCE_LISTS}
)
_ADDRESSES: Final = ("uri", "sourceUri")


class Grounding(msgspec.Struct, frozen=True):
    """What a candidate's metadata says. `said_all`: the neutral words say all of it."""

    citations: tuple[Citation, ...] = ()
    searches: tuple[str, ...] = ()
    said_all: bool = False


NO_GROUNDING: Final = Grounding()


def read_grounding(extras: Mapping[str, Any], text: TextSpans) -> Grounding:
    """The citations and searches in a candidate's extra fields. Malformed entries are passed over: they stay in `ext`."""
    metadata = _fields(extras.get(GROUNDING))
    sources = _fields(extras.get(CITATIONS))
    if not metadata and not sources:
        return NO_GROUNDING
    queries = [*_list(metadata, "webSearchQueries"), *_list(metadata, "imageSearchQueries")]
    searches = tuple([query for query in queries if isinstance(query, str) and query])
    citations = (*_supported(metadata, text), *_recited(sources, text))
    canonical = render_grounding(Candidate(0, (), None, citations=citations, searches=searches), text)
    return Grounding(citations, searches, said_all=canonical == metadata and not sources)


def _supported(metadata: Mapping[str, Any], text: TextSpans) -> Iterable[Citation]:
    chunks = [_source(chunk) for chunk in _list(metadata, "groundingChunks")]
    for support in map(_fields, _list(metadata, "groundingSupports")):
        span = _span(_fields(support.get("segment")), text)
        for index in _list(support, "groundingChunkIndices"):
            source = chunks[index] if isinstance(index, int) and 0 <= index < len(chunks) else None
            if span is not None and source is not None:
                yield Citation(*span, *source)


def _recited(metadata: Mapping[str, Any], text: TextSpans) -> Iterable[Citation]:
    """Sources of what the model recited."""
    for name in _SOURCE_LISTS:
        for entry in map(_fields, _list(metadata, name)):
            span, source = _span(entry, text), _address(entry)
            if span is not None and source is not None:
                yield Citation(*span, *source)


def _source(chunk: Any) -> tuple[str, str | None] | None:
    """Address and title of a chunk: web, maps, image, or a retrieved document that has an address."""
    for fields in _fields(chunk).values():
        if isinstance(fields, Mapping) and (found := _address(camelise(fields))) is not None:
            return found
    return None


def _address(fields: Mapping[str, Any]) -> tuple[str, str | None] | None:
    address = next((fields[name] for name in _ADDRESSES if fields.get(name)), None)
    title = fields.get("title")
    if not isinstance(address, str):
        return None
    return address, title if isinstance(title, str) and title else None


def _span(segment: Mapping[str, Any], text: TextSpans) -> tuple[int, int] | None:
    start, end = segment.get("startIndex", 0), segment.get("endIndex")
    if not isinstance(start, int) or not isinstance(end, int) or end < start:
        return None
    return text.characters(start), text.characters(end)


def _fields(value: Any) -> dict[str, Any]:
    return camelise(value) if isinstance(value, Mapping) else {}


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    return value if isinstance(value, list) else []


def joined_metadata(before: Any, more: Any) -> Any:
    """The metadata of a stream so far with those of one more frame: whole lists replace, pieces of lists are appended."""
    if not isinstance(before, Mapping) or not isinstance(more, Mapping):
        return more
    joined = {**before, **more}
    for name in _CHUNK_LISTS & before.keys() & more.keys():
        old, new = before[name], more[name]
        if isinstance(old, list) and isinstance(new, list) and new[: len(old)] != old:
            joined[name] = [*old, *new]
    return joined


# -- the other way ---------------------------------------------------------------------------------------------------


def render_grounding(candidate: Candidate, text: TextSpans) -> dict[str, Any]:
    """groundingMetadata that says a candidate's citations and searches; {} where there are none."""
    metadata: dict[str, Any] = {"webSearchQueries": list(candidate.searches)} if candidate.searches else {}
    sources: dict[tuple[str, str | None], int] = {}
    spans: list[tuple[tuple[int, int], list[int]]] = []
    for cited in candidate.citations:
        index = sources.setdefault((cited.url, cited.title), len(sources))
        span = (cited.start, cited.end)
        if spans and spans[-1][0] == span:
            spans[-1][1].append(index)
        else:
            spans.append((span, [index]))
    if sources:
        metadata["groundingChunks"] = [{"web": _web(url, title)} for url, title in sources]
        metadata["groundingSupports"] = [
            {"segment": _segment(span, text), "groundingChunkIndices": indices} for span, indices in spans
        ]
    return metadata


def _web(url: str, title: str | None) -> dict[str, str]:
    return {"uri": url} if title is None else {"uri": url, "title": title}


def _segment(span: tuple[int, int], text: TextSpans) -> dict[str, int]:
    start, end = text.bytes(span[0]), text.bytes(span[1])
    return {"startIndex": start, "endIndex": end} if start else {"endIndex": end}
