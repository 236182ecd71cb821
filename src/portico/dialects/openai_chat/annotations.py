"""`annotations` <-> citations (mapping.md 2.7). OpenAI counts characters of `content`, which holds more than the text."""

from collections.abc import Iterable, Mapping
from typing import Any

from portico.core.response import Citation


class Insertions:
    """What stands in the content beside the text (an image in Markdown, tagged thoughts), so that places can be told."""

    __slots__ = ("_made", "_text")

    def __init__(self) -> None:
        self._text = 0
        self._made: list[tuple[int, int]] = []

    def text(self, text: str) -> None:
        """Text of the answer was added to the content."""
        self._text += len(text)

    def other(self, text: str) -> None:
        """Something else was."""
        if self._made and self._made[-1][0] == self._text:
            self._made[-1] = (self._text, self._made[-1][1] + len(text))
        else:
            self._made.append((self._text, len(text)))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the text stands in the content."""
        before = sum(length for at, length in self._made if at <= start)
        inside = sum(length for at, length in self._made if start < at < end)
        return start + before, end + before + inside


def render_annotations(citations: Iterable[Citation], content: Insertions) -> list[dict[str, Any]]:
    """One `url_citation` each."""
    annotations = []
    for cited in citations:
        start, end = content.span(cited.start, cited.end)
        place = {"start_index": start, "end_index": end, "url": cited.url, "title": cited.title or ""}
        annotations.append({"type": "url_citation", "url_citation": place})
    return annotations


def parse_annotations(wire: Iterable[Any]) -> tuple[tuple[Citation, ...], list[Any]]:
    """The citations among annotations, and the annotations that are something else."""
    citations: list[Citation] = []
    others: list[Any] = []
    for annotation in wire:
        cited = _citation(annotation)
        if cited is None:
            others.append(annotation)
        else:
            citations.append(cited)
    return tuple(citations), others


def _citation(annotation: Any) -> Citation | None:
    place = annotation.get("url_citation") if isinstance(annotation, Mapping) else None
    if not isinstance(place, Mapping) or annotation.keys() != {"type", "url_citation"}:
        return None
    start, end, url, title = (place.get(name) for name in ("start_index", "end_index", "url", "title"))
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(url, str):
        return None
    return Citation(start, end, url, title if isinstance(title, str) and title else None)
