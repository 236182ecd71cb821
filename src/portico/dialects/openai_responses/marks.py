"""What is said of places in an answer's text: sources and logprobs, told of the content part that holds the place.

Neutral citations count characters of all the visible text; annotations count those of their own content part.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

from portico.core.response import Citation, TokenLogprob
from portico.dialects.openai.logprobs import render_logprobs


class _Place:
    """A content part of text, and where it begins in all the text."""

    __slots__ = ("at", "content_index", "entry", "item_id", "output_index")

    def __init__(self, at: int, entry: dict[str, Any], output_index: int, content_index: int, item_id: Any) -> None:
        self.at = at
        self.entry = entry
        self.output_index = output_index
        self.content_index = content_index
        self.item_id = item_id


_AT: Final = attrgetter("at")


class TextMarks:
    """The content parts of one answer so far."""

    __slots__ = ("_cited", "_length", "_places", "homeless")

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._length = 0
        self._cited: set[Citation] = set()
        self.homeless: list[Citation] = []
        """Sources of an answer without text."""

    def begin(self, entry: dict[str, Any], output_index: int, content_index: int, item_id: Any) -> None:
        self._places.append(_Place(self._length, entry, output_index, content_index, item_id))

    def add(self, text: str) -> None:
        """More of the answer's visible text."""
        self._length += len(text)

    def cite(self, cited: Citation) -> list[dict[str, Any]]:
        """The event of a source; none for one that was told, or where there is no text."""
        if cited in self._cited:
            return []
        self._cited.add(cited)
        if not self._places:
            self.homeless.append(cited)
            return []
        place = self._places[max(0, bisect_right(self._places, cited.start, key=_AT) - 1)]
        return self._told(
            place,
            {
                "type": "url_citation",
                "start_index": max(0, cited.start - place.at),
                "end_index": max(0, cited.end - place.at),
                "url": cited.url,
                "title": cited.title or "",
            },
        )

    def annotate(self, annotation: Any) -> list[dict[str, Any]]:
        """The event of an annotation that is no source by address."""
        if not self._places or not isinstance(annotation, Mapping):
            return []
        return self._told(self._places[-1], dict(annotation))

    def weigh(self, logprobs: Iterable[TokenLogprob]) -> None:
        """The tokens of the text that was told last."""
        if self._places:
            self._places[-1].entry["logprobs"] += render_logprobs(logprobs)["content"]

    def _told(self, place: _Place, annotation: dict[str, Any]) -> list[dict[str, Any]]:
        annotations = place.entry["annotations"]
        annotations.append(annotation)
        return [
            {
                "type": "response.output_text.annotation.added",
                "item_id": place.item_id,
                "output_index": place.output_index,
                "content_index": place.content_index,
                "annotation_index": len(annotations) - 1,
                "annotation": annotation,
            }
        ]
