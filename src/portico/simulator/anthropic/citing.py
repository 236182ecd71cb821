"""Citations of the documents a caller gave: which passage a text rests on, in the form that its kind of document has."""

from collections.abc import Iterator

from portico.simulator.anthropic.conversation import blocks_of
from portico.simulator.refusal import Json

_MOST = 200


def cited(messages: list[Json], text: str) -> list[Json]:
    """The text as blocks: one without citations, or, where documents may be cited, one more that rests on the first."""
    location = next(_locations(messages), None)
    if location is None:
        return [{"type": "text", "text": text}]
    passage = {"type": "text", "text": f" It says: {location['cited_text'].strip()}", "citations": [location]}
    return [{"type": "text", "text": text}, passage]


def _locations(messages: list[Json]) -> Iterator[Json]:
    documents = results = 0
    for message in messages:
        for block in blocks_of(message["content"]):
            if block["type"] == "document":
                if _is_enabled(block):
                    yield _document(block, documents)
                documents += 1
            elif block["type"] == "search_result":
                if _is_enabled(block) and block["content"]:
                    yield {
                        "type": "search_result_location",
                        "cited_text": block["content"][0]["text"][:_MOST],
                        "source": block["source"],
                        "title": block["title"],
                        "search_result_index": results,
                        "start_block_index": 0,
                        "end_block_index": 1,
                    }
                results += 1


def _is_enabled(block: Json) -> bool:
    """Whether it may be cited. (The `citations` of a text are what it cites.)"""
    return bool((block.get("citations") or {}).get("enabled"))


def _document(block: Json, number: int) -> Json:
    source = block["source"]
    told: Json = {"document_index": number, "document_title": block.get("title"), "file_id": None}
    if source["type"] == "file":
        told["file_id"] = source["file_id"]
    if source["type"] == "text":
        words = source["data"]
        end = _sentence(words)
        place = {"start_char_index": 0, "end_char_index": end}
        return told | {"type": "char_location", "cited_text": words[:end]} | place
    if source["type"] == "content":
        inner = next((one["text"] for one in blocks_of(source["content"]) if one["type"] == "text"), "[image]")
        place = {"start_block_index": 0, "end_block_index": 1}
        return told | {"type": "content_block_location", "cited_text": inner[:_MOST]} | place
    pages = {"start_page_number": 1, "end_page_number": 2}
    return told | {"type": "page_location", "cited_text": "[simulated] The first page."} | pages


def _sentence(words: str) -> int:
    """Where the first sentence ends, in characters."""
    ends = [at + 1 for at, letter in enumerate(words[:_MOST]) if letter in ".!?\n" and words[:at].strip()]
    return ends[0] if ends else min(len(words), _MOST)
