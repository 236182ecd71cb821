"""`annotations` <-> citations (mapping.md 2.7). OpenAI counts characters of `content`, which holds more than the text."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Any, Final

from portico.core.response import Citation


class Insertions:
    """What stands in the content beside the text (an image in Markdown, tagged thoughts), so that places can be told."""

    __slots__ = ("_at", "_text", "_until")

    def __init__(self) -> None:
        self._text = 0
        self._at: list[int] = []
        """Where in the text something was added, ascending."""
        self._until: list[int] = [0]
        """How much was added before each of these places, and altogether."""

    def text(self, text: str) -> None:
        """Text of the answer was added to the content."""
        self._text += len(text)

    def other(self, text: str) -> None:
        """Something else was."""
        if self._at and self._at[-1] == self._text:
            self._until[-1] += len(text)
        else:
            self._at.append(self._text)
            self._until.append(self._until[-1] + len(text))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the text stands in the content."""
        before = bisect_right(self._at, start)
        inside = max(before, bisect_left(self._at, end))
        return start + self._until[before], end + self._until[inside]


OTHERS: Final = "other_annotations"
"""Where those stand that Chat has no type for, as the Responses API tells them (files of a container, of a store). An
extension: typed clients fail on any other among `annotations`."""


def annotated(citations: Iterable[Citation], content: Insertions, others: Iterable[Any]) -> dict[str, list[Any]]:
    """The members of a message, or of a piece of one, that tell sources. A server's own words stay where it had them."""
    told: dict[str, list[Any]] = {"annotations": render_annotations(citations, content), OTHERS: []}
    for one in others:
        told["annotations" if _is_of_chat(one) else OTHERS].append(one)
    return {name: annotations for name, annotations in told.items() if annotations}


def annotations_in(message: Mapping[str, Any]) -> list[Any]:
    """All annotations of a message, or of a piece of one."""
    return [*(message.get("annotations") or ()), *(message.get(OTHERS) or ())]


def _is_of_chat(annotation: Any) -> bool:
    """Chat says what an annotation is in a member named like its type."""
    return isinstance(annotation, Mapping) and isinstance(annotation.get(str(annotation.get("type"))), Mapping)


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
