"""What the Responses API keeps between calls, as its bodies speak of it: `store`, `previous_response_id`, `item_reference`.

The gateway keeps it for every provider (docs/decisions/0022), so a body that goes on from an earlier answer is made one
that stands alone: what was said before stands in its `input`, and the provider is asked to store nothing. The answer says
what its caller asked for. Items stay the bytes they were: they are stepped over, not read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.dialect import Continuing, KeptAnswer, KeptTurn, State
from portico.core.errors import UnsupportedParameter
from portico.wire import jsontext, raw
from portico.wire.sse import Frame

SEALED_THOUGHTS: Final = "reasoning.encrypted_content"
"""What is to be included so that thoughts can be given back to a provider that stores nothing."""
_REFERENCE: Final = "item_reference"
_LONGEST_REFERENCE: Final = 512
_BEGINS: Final = frozenset({"response.created", "response.in_progress", "response.queued"})
_ENDS: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
_KEPT: Final = frozenset({"completed", "incomplete"})
_PREFIXES: Final[Mapping[str, str]] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}
_NOTHING: Final = msgspec.Raw(b"[]")


NO_BACKGROUND: Final = (
    "Background responses are not offered here: send background: false and read the answer of this request."
)


class _Asked(msgspec.Struct):
    input: msgspec.Raw = _NOTHING
    background: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None


class _Named(msgspec.Struct):
    type: str | None = None
    id: str | None = None
    role: Any = None


class _Answer(msgspec.Struct):
    id: str
    status: str | None = None
    output: list[msgspec.Raw] = []


class _Event(msgspec.Struct):
    type: str = ""


_asked: Final = msgspec.json.Decoder(_Asked)
_list: Final = msgspec.json.Decoder(list[msgspec.Raw])
_named: Final = msgspec.json.Decoder(_Named)
_answer: Final = msgspec.json.Decoder(_Answer)
_event: Final = msgspec.json.Decoder(_Event)


# -- requests --------------------------------------------------------------------------------------------------------


def read(body: bytes) -> Continuing | None:
    """What a body says of it. None for one that cannot be read: who parses it says why. Raises `UnsupportedParameter` for
    an answer that would have to be fetched later."""
    try:
        asked = _asked.decode(body.removeprefix(jsontext.BOM))
        new = _items(bytes(asked.input).strip())
        named = {index: name for index, item in enumerate(new) if (name := _reference(item)) is not None}
    except jsontext.NOT_DECODED:
        return None
    if asked.background:
        raise UnsupportedParameter(NO_BACKGROUND, param="$.background")
    return Continuing(asked.store is not False, asked.previous_response_id, new, named)


def _items(value: bytes) -> tuple[bytes, ...]:
    """An input as items: a text is what the user says."""
    if value.startswith(b'"'):
        return (b'{"type":"message","role":"user","content":' + value + b"}",)
    return tuple([bytes(item) for item in _list.decode(value)])


def _reference(item: bytes) -> str | None:
    """The id that an item names, if it is nothing but another's name. Its type may be left out."""
    if len(item) > _LONGEST_REFERENCE or not item.startswith(b"{"):
        return None
    try:
        named = _named.decode(item)
    except jsontext.NOT_DECODED:
        return None
    refers = named.type == _REFERENCE or (named.type is None and named.role is None)
    return named.id if refers else None


def continued(body: bytes, items: Sequence[bytes], *, asked: Continuing, thinks: bool) -> bytes:
    """The body with all of these items as its input, which names nothing that is kept elsewhere.

    If its answer is kept here, the provider is asked to keep nothing; `thinks` says that it may have sealed thoughts, which
    it is asked to give away then.
    """
    changes: dict[str, object] = {}
    if asked.previous is not None or asked.named:
        changes = {"input": msgspec.Raw(b"[" + b",".join(items) + b"]"), "previous_response_id": None}
    if asked.keeps:
        changes["store"] = False
        if thinks and (included := _included(body)) is not None:
            changes["include"] = included
    return raw.patch(body, changes) if changes else body


class _Included(msgspec.Struct):
    include: list[Any] | None = None


def _included(body: bytes) -> list[Any] | None:
    """What is to be included, with the sealed thoughts; None where they are already, or it is no list."""
    try:
        include = msgspec.json.decode(body.removeprefix(jsontext.BOM), type=_Included).include or []
    except jsontext.NOT_DECODED:
        return None
    return None if SEALED_THOUGHTS in include else [*include, SEALED_THOUGHTS]


# -- answers ---------------------------------------------------------------------------------------------------------


def told(answer: bytes, asked: Continuing, *, kept: bool) -> bytes:
    """A whole answer, saying of itself what its caller asked for. `kept`: it can be gone on from."""
    try:
        return raw.patch(answer, _said(asked, kept=kept))
    except jsontext.NotJson:
        return answer


def _said(asked: Continuing, *, kept: bool) -> dict[str, object]:
    said: dict[str, object] = {"store": kept}
    if asked.previous is not None:
        said["previous_response_id"] = asked.previous
    return said


def told_frame(frame: Frame, asked: Continuing, *, kept: bool) -> tuple[Frame, bytes | None]:
    """A frame that says the same, and the whole answer if it is the frame that ends it."""
    kind = frame.event or _kind(frame.data)
    if kind not in _BEGINS and kind not in _ENDS:
        return frame, None
    try:
        span = raw.members(frame.data).get("response")
        if span is None:
            return frame, None
        answer = raw.patch(frame.data[span.start : span.end], _said(asked, kept=kept))
    except jsontext.NotJson:
        return frame, None
    data = frame.data[: span.start] + answer + frame.data[span.end :]
    return Frame(data, frame.event), answer if kind in _ENDS else None


def _kind(data: bytes) -> str:
    try:
        return _event.decode(data).type
    except jsontext.NOT_DECODED:
        return ""


def kept_answer(answer: bytes) -> KeptAnswer | None:
    """What of an answer later calls may name; None for one that there is nothing to go on from."""
    try:
        found = _answer.decode(answer)
    except jsontext.NOT_DECODED:
        return None
    if found.status not in _KEPT:
        return None
    items = [bytes(item) for item in found.output]
    while items and _kind(items[-1]) == "reasoning":
        items.pop()  # Cut off before what it was thought for: OpenAI takes no such back.
    return KeptAnswer(found.id, tuple([(_id_of(item), item) for item in items]))


def _id_of(item: bytes) -> str:
    try:
        return _named.decode(item).id or ""
    except jsontext.NOT_DECODED:
        return ""


# -- what is shown of what was kept ------------------------------------------------------------------------------------


def input_items(turns: Sequence[KeptTurn]) -> list[dict[str, Any]]:
    """Everything that the last of these turns was asked with, oldest first, each item with an id."""
    shown: list[dict[str, Any]] = []
    for turn in turns:
        shown += [_shown(item, turn.id, number) for number, item in enumerate(_decoded(turn.input))]
        if turn is not turns[-1] and (kept := kept_answer(turn.response)) is not None:
            shown += [jsontext.decode(item) for _, item in kept.items]
    return shown


def _decoded(items: bytes) -> Iterable[Any]:
    found = jsontext.decode(items)
    return found if isinstance(found, list) else ()


def _shown(item: Any, response_id: str, number: int) -> dict[str, Any]:
    """An item as it is listed: with its type and an id, its text in parts."""
    if not isinstance(item, dict):
        return {"type": "message", "role": "user", "content": []}
    kind = str(item.get("type") or "message")
    shown = {"id": f"{_PREFIXES.get(kind, 'item')}_{response_id.partition('_')[2]}{number:04}", **item, "type": kind}
    if kind == "message":
        shown.setdefault("status", "completed")
        if isinstance(text := item.get("content"), str):
            said = {"type": "output_text", "text": text, "annotations": []}
            shown["content"] = [said if item.get("role") == "assistant" else {"type": "input_text", "text": text}]
    return shown


STATE: Final = State(
    read=read,
    continued=continued,
    told=told,
    told_frame=told_frame,
    kept=kept_answer,
    input_items=input_items,
)
