"""A response as the events of its stream, numbered from 0.

Recorded: `created`, `in_progress`; each item is added empty, told in deltas, and given whole when done; the last event has
the whole response, and its name says how it ended.
"""

from collections.abc import Callable, Iterator

from portico.simulator.openai import telling
from portico.simulator.openai.responses_telling import Reply
from portico.simulator.refusal import Json


def events(reply: Reply, output: list[Json]) -> Iterator[Json]:
    """Every event of the stream of this response."""
    for number, event in enumerate(_events(reply, output)):
        yield {"type": event["type"], "sequence_number": number} | event


def _events(reply: Reply, output: list[Json]) -> Iterator[Json]:
    started = reply.response(None)
    yield {"type": "response.created", "response": started}
    if started["background"]:
        yield {"type": "response.queued", "response": started | {"status": "queued"}}
    yield {"type": "response.in_progress", "response": started}
    for index, item in enumerate(output):
        yield from _item(item, index)
    ended = reply.response(output)
    yield {"type": f"response.{ended['status']}", "response": ended}


def _item(item: Json, index: int) -> Iterator[Json]:
    empty, middle = _TOLD[item["type"]]
    at: Json = {"item_id": item["id"], "output_index": index}
    yield {"type": "response.output_item.added", "output_index": index, "item": empty(item)}
    for event in middle(item):
        yield event | at
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _open(item: Json, **blank: object) -> Json:
    status: Json = {"status": "in_progress"} if "status" in item else {}
    return item | status | blank


def _reasoning(item: Json) -> Iterator[Json]:
    for place, part in enumerate(item["summary"]):
        where: Json = {"summary_index": place}
        empty, text = {"type": "summary_text", "text": ""}, part["text"]
        yield {"type": "response.reasoning_summary_part.added", "part": empty} | where
        for piece in telling.pieces(text):
            yield {"type": "response.reasoning_summary_text.delta", "delta": piece} | where
        yield {"type": "response.reasoning_summary_text.done", "text": text} | where
        yield {"type": "response.reasoning_summary_part.done", "part": part} | where


def _message(item: Json) -> Iterator[Json]:
    for place, part in enumerate(item["content"]):
        where: Json = {"content_index": place}
        if part["type"] == "refusal":
            yield {"type": "response.content_part.added", "part": {"type": "refusal", "refusal": ""}} | where
            for piece in telling.pieces(part["refusal"]):
                yield {"type": "response.refusal.delta", "delta": piece} | where
            yield {"type": "response.refusal.done", "refusal": part["refusal"]} | where
        else:
            empty: Json = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            yield {"type": "response.content_part.added", "part": empty} | where
            for event in _text(part):
                yield event | where
        yield {"type": "response.content_part.done", "part": part} | where


def _text(part: Json) -> Iterator[Json]:
    text, at = part["text"], 0
    for piece in _pieces(text):
        probable = []
        size = 0
        while size < len(piece) and at < len(part["logprobs"]):
            probable.append(_brief(part["logprobs"][at]))
            size, at = size + len(part["logprobs"][at]["token"]), at + 1
        yield {"type": "response.output_text.delta", "delta": piece, "logprobs": probable}
    for number, note in enumerate(part["annotations"]):
        yield {"type": "response.output_text.annotation.added", "annotation_index": number, "annotation": note}
    yield {
        "type": "response.output_text.done",
        "text": text,
        "logprobs": [_brief(one) for one in part["logprobs"]],
    }


def _brief(one: Json) -> Json:
    tops = [{"token": top["token"], "logprob": top["logprob"]} for top in one["top_logprobs"]]
    return {"token": one["token"], "logprob": one["logprob"], "top_logprobs": tops}


def _pieces(text: str) -> list[str]:
    size = telling.BULK_PIECE
    if len(text) <= size:
        return telling.pieces(text)
    return [text[at : at + size] for at in range(0, len(text), size)]


def _function(item: Json) -> Iterator[Json]:
    for piece in telling.pieces(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", "delta": piece}
    yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"]}


def _custom(item: Json) -> Iterator[Json]:
    for piece in telling.pieces(item["input"]):
        yield {"type": "response.custom_tool_call_input.delta", "delta": piece}
    yield {"type": "response.custom_tool_call_input.done", "input": item["input"]}


def _search(_: Json) -> Iterator[Json]:
    for step in ("in_progress", "searching", "completed"):
        yield {"type": f"response.web_search_call.{step}"}


def _code(item: Json) -> Iterator[Json]:
    yield {"type": "response.code_interpreter_call.in_progress"}
    for piece in telling.pieces(item["code"]):
        yield {"type": "response.code_interpreter_call_code.delta", "delta": piece}
    yield {"type": "response.code_interpreter_call_code.done", "code": item["code"]}
    yield {"type": "response.code_interpreter_call.interpreting"}
    yield {"type": "response.code_interpreter_call.completed"}


def _without(item: Json, name: str) -> Json:
    return {key: value for key, value in _open(item).items() if key != name}


_TOLD: dict[str, tuple[Callable[[Json], Json], Callable[[Json], Iterator[Json]]]] = {
    "reasoning": (lambda item: _open(item, summary=[]), _reasoning),
    "message": (lambda item: _open(item, content=[]), _message),
    "function_call": (lambda item: _open(item, arguments=""), _function),
    "custom_tool_call": (lambda item: _open(item, input=""), _custom),
    "web_search_call": (lambda item: _without(item, "action"), _search),
    "code_interpreter_call": (lambda item: _open(item, code="", outputs=None), _code),
}
"""By type of item: what it is when it is added, and what is told of it until it is done."""
