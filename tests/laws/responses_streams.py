"""Response objects cut into streams, and recorded streams joined, written apart from the code under test.

Cutting follows what was recorded: items one after the other, each added empty, told in deltas of some characters, and done
whole. Joining is a fold over the deltas and the items that are done; what the last event says of the whole answer stands.
"""

import copy
from typing import Any

Json = dict[str, Any]
LAST = ("response.completed", "response.incomplete")


def cut(body: Json, size: int | None) -> list[Json]:
    """A response object as the events of its stream, texts in pieces of `size` characters (None: whole)."""
    head = {
        **body,
        "status": "in_progress",
        "output": [],
        "usage": None,
        "completed_at": None,
        "incomplete_details": None,
    }
    events: list[Json] = [{"type": f"response.{kind}", "response": head} for kind in ("created", "in_progress")]
    for at, item in enumerate(body["output"]):
        events += _item(at, item, size)
    last = "response.incomplete" if body.get("status") == "incomplete" else "response.completed"
    events.append({"type": last, "response": body})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _item(at: int, item: Json, size: int | None) -> list[Json]:
    place = {"item_id": item.get("id"), "output_index": at}
    kind = item["type"]
    empty: Json = {**item}
    told: list[Json] = []
    if kind == "message":
        empty["content"] = []
        for index, part in enumerate(item["content"]):
            told += _content({**place, "content_index": index}, part, size)
    elif kind == "reasoning":
        empty |= {"summary": [], "encrypted_content": ""}
        for index, part in enumerate(item["summary"]):
            told += _summary({**place, "summary_index": index}, part, size)
    elif kind in ("function_call", "custom_tool_call"):
        field, name = (
            ("arguments", "function_call_arguments") if kind == "function_call" else ("input", "custom_tool_call_input")
        )
        empty[field] = ""
        told += _pieces(f"response.{name}", place, item[field], size, field)
    added = {"type": "response.output_item.added", "output_index": at, "item": empty}
    return [added, *told, {"type": "response.output_item.done", "output_index": at, "item": item}]


def _content(place: Json, part: Json, size: int | None) -> list[Json]:
    field = "refusal" if part["type"] == "refusal" else "text"
    name = "refusal" if field == "refusal" else "output_text"
    added = {"type": "response.content_part.added", **place, "part": {**part, field: ""}}
    annotations = [
        {"type": "response.output_text.annotation.added", **place, "annotation_index": n, "annotation": annotation}
        for n, annotation in enumerate(part.get("annotations") or [])
    ]
    done = {"type": "response.content_part.done", **place, "part": part}
    return [added, *_pieces(f"response.{name}", place, part[field], size, field), *annotations, done]


def _summary(place: Json, part: Json, size: int | None) -> list[Json]:
    added = {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
    done = {"type": "response.reasoning_summary_part.done", **place, "part": part}
    return [added, *_pieces("response.reasoning_summary_text", place, part["text"], size, "text"), done]


def _pieces(name: str, place: Json, text: str, size: int | None, field: str) -> list[Json]:
    step = size or max(1, len(text))
    deltas = [{"type": f"{name}.delta", **place, "delta": text[at : at + step]} for at in range(0, len(text), step)]
    return [*deltas, {"type": f"{name}.done", **place, field: text}]


def is_whole(events: list[Json]) -> bool:
    """Whether it came to its end and every item was said to be done."""
    done = {event["output_index"] for event in events if event["type"] == "response.output_item.done"}
    return any(event["type"] in LAST and len(event["response"]["output"]) == len(done) for event in events)


def joined(events: list[Json]) -> Json:
    """A recorded stream as the one object it told: its items as they were done, texts as their deltas spell them."""
    body: Json = {}
    items: dict[int, Json] = {}
    texts: dict[tuple[int, str, int], str] = {}
    for event in copy.deepcopy(events):
        kind, at = event["type"], event.get("output_index", 0)
        if kind in LAST:
            body = event["response"]
        elif kind == "response.output_item.done":
            items[at] = event["item"]
        elif kind in ("response.output_text.delta", "response.refusal.delta"):
            key = (at, "content", event["content_index"])
            texts[key] = texts.get(key, "") + event["delta"]
        elif kind == "response.reasoning_summary_text.delta":
            key = (at, "summary", event["summary_index"])
            texts[key] = texts.get(key, "") + event["delta"]
    for (at, member, place), text in texts.items():
        part = items[at][member][place]
        part["refusal" if part["type"] == "refusal" else "text"] = text
    return {**body, "output": [items[at] for at in sorted(items)]}
