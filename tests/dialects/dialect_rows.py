"""Short words for the row tests: a Chat body as Google gets it, a Google answer as a Chat client reads it, streams.

A stream is always read twice, frame by frame and byte by byte; both must tell the same events.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import pytest

from portico.catalog import load_catalog
from portico.core.assembly import assemble
from portico.core.dialect import Dialect, Reading, Rendered, Reply, StreamReader, StreamWriter
from portico.core.errors import CallerError
from portico.core.events import Event, PartEnded, PartStarted
from portico.core.ids import Mint
from portico.core.loss import Loss
from portico.core.parts import Part, Signature, ToolCall
from portico.core.response import Response
from portico.core.target import Target
from portico.dialects import gemini, openai_chat
from portico.relay.translate import Translator
from portico.wire import jsontext
from portico.wire.sse import Frame, SseDecoder

Json = dict[str, Any]

CATALOG = load_catalog()
CHAT = openai_chat.DIALECT
GEMINI = gemini.DIALECT
NEW, OLD = "gemini-3.5-flash", "gemini-2.5-flash"
"""One model of each generation."""
CALL_ID = "call_000000000000000000000001"
SKIP = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
"""base64 of `skip_thought_signature_validator` (2.4)."""


# -- requests


def target(model: str = NEW, kind: str = "gemini") -> Target:
    """An upstream model as the catalog knows it."""
    return Target(model, kind, CATALOG.capabilities_for(model, kind))


def chat(*messages: Json, **fields: Any) -> Json:
    """A Chat body; without messages a user says hi."""
    return {"model": NEW, "messages": list(messages) or [user("hi")], **fields}


def user(content: Any, **fields: Any) -> Json:
    return {"role": "user", "content": content, **fields}


def assistant(content: Any = None, *calls: Json, **fields: Any) -> Json:
    message: Json = {"role": "assistant", "content": content, **fields}
    if calls:
        message["tool_calls"] = list(calls)
    return message


def call(id_: str, name: str = "look_up", arguments: str = "{}", **fields: Any) -> Json:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def result(id_: str | None, content: Any = "fine", **fields: Any) -> Json:
    message: Json = {"role": "tool", "content": content, **fields}
    if id_ is not None:
        message["tool_call_id"] = id_
    return message


def function(name: str = "look_up", **fields: Any) -> Json:
    return {"type": "function", "function": {"name": name, **fields}}


def rendered(body: Json, model: str = NEW, kind: str = "gemini") -> Rendered:
    """The body Google gets for a Chat body."""
    return GEMINI.render_request(CHAT.parse_request(body), target(model, kind))


def native(body: Json, model: str = NEW, kind: str = "gemini") -> Json:
    """The same without what is said beside it."""
    told: Json = rendered(body, model, kind).body
    return told


def config(body: Json, model: str = NEW, kind: str = "gemini") -> Json:
    """Its generationConfig."""
    found: Json = native(body, model, kind).get("generationConfig", {})
    return found


def contents(*messages: Json, model: str = NEW, kind: str = "gemini", **fields: Any) -> list[Json]:
    """Its contents."""
    found: list[Json] = native(chat(*messages, **fields), model, kind)["contents"]
    return found


def refusal(body: Json, model: str = NEW, kind: str = "gemini") -> CallerError:
    """The error that a Chat body is refused with."""
    with pytest.raises(CallerError) as caught:
        rendered(body, model, kind)
    assert caught.value.http_status == 400
    return caught.value


def codes(losses: Iterable[Loss]) -> list[str]:
    return [loss.code for loss in losses]


def translator(**options: Any) -> Translator:
    """Chat requests to Gemini, as serving would send them."""
    return Translator(CHAT, GEMINI, CATALOG, **options)


def answers(**options: Any) -> Translator:
    """Gemini answers to Chat, as serving would send them."""
    return Translator(GEMINI, CHAT, CATALOG, **options)


# -- answers


def counting() -> Mint:
    """Ids that count."""
    numbers = count(1)
    return lambda: f"call_{next(numbers):024d}"


def reading(**fields: Any) -> Reading:
    return Reading(**{"mint": counting(), **fields})


def reply(**fields: Any) -> Reply:
    return Reply(**{"id": "own", "created": 7, "model": "asked", **fields})


def answer(*parts: Json, finish: Any = "STOP", **fields: Any) -> Json:
    """A generateContent answer of one candidate; `finish` None leaves its end out."""
    candidate: Json = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "gemini-x", **fields}


def completion(body: Any, *, thoughts: bool = False, **about: Any) -> Json:
    """A Google answer as a Chat client gets it."""
    response = GEMINI.parse_response(body, reading(**about))
    told: Json = CHAT.render_response(response, reply(thoughts=thoughts)).body
    return jsontext_copy(told)


def choice(body: Any, **about: Any) -> Json:
    """Its first choice."""
    first: Json = completion(body, **about)["choices"][0]
    return first


def message(body: Any, **about: Any) -> Json:
    """The message of its first choice."""
    found: Json = choice(body, **about)["message"]
    return found


def jsontext_copy(value: Json) -> Json:
    """The value as it is after a journey over the wire."""
    copied: Json = jsontext.decode(jsontext.encode(value))
    return copied


# -- streams


def framed(pieces: Iterable[Any]) -> list[Frame]:
    return [Frame(piece.encode() if isinstance(piece, str) else jsontext.encode(piece)) for piece in pieces]


def _run(reader: StreamReader, frames: Iterable[Frame]) -> list[Event]:
    events = [event for frame in frames for event in reader.feed(frame)]
    return events + reader.close()


def byte_by_byte(data: bytes) -> list[Frame]:
    """Frames of a body that came in pieces of one byte."""
    decoder = SseDecoder()
    frames = [frame for at in range(len(data)) for frame in decoder.feed(data[at : at + 1])]
    return frames + decoder.close()


def read(pieces: Iterable[Any], dialect: Dialect = GEMINI, **about: Any) -> list[Event]:
    """The events of a stream, the same whether its bytes came whole or one by one."""
    frames = framed(pieces)
    whole = _run(dialect.reader(reading(**about)), frames)
    slow = _run(dialect.reader(reading(**about)), byte_by_byte(b"".join([dialect.frame(frame) for frame in frames])))
    # An error in the events is an exception, equal only to itself.
    assert [repr(event) for event in slow] == [repr(event) for event in whole]
    return whole


def told(pieces: Iterable[Any], **about: Any) -> Response:
    """The answer a Google stream told."""
    return assemble(read(pieces, **about))


def whole(number: int, part: Part, signature: Signature | None = None) -> list[Event]:
    """The events of a part that comes in one piece."""
    return [PartStarted(0, number, part), PartEnded(0, number, signature)]


def fed(writer: StreamWriter, *events: Event) -> list[bytes]:
    """What a writer tells of events, frame by frame."""
    return [frame.data for event in events for frame in writer.feed(event)]


def written(events: Iterable[Event], **about: Any) -> list[Any]:
    """Events as Chat chunks: JSON values, and `[DONE]`."""
    writer = CHAT.writer(reply(**about))
    frames = [frame for event in events for frame in writer.feed(event)] + writer.close()
    sent = b"".join([CHAT.frame(frame) for frame in frames])
    assert byte_by_byte(sent) == frames
    return [jsontext.decode(frame.data) if frame.data != b"[DONE]" else "[DONE]" for frame in frames]


def chunks(pieces: Iterable[Any], *, tools: Mapping[str, Any] | None = None, **about: Any) -> list[Any]:
    """A Google stream as the chunks a Chat client gets."""
    return written(read(pieces, tools=tools or {}), **about)


def deltas(sent: Sequence[Any], index: int = 0) -> list[Json]:
    """The deltas of one choice, the role's and empty ones left out."""
    return [
        one["delta"]
        for chunk in sent
        if isinstance(chunk, dict)
        for one in chunk.get("choices", ())
        if one["index"] == index and one["delta"] and "role" not in one["delta"]
    ]


def finishes(sent: Sequence[Any]) -> list[tuple[int, str]]:
    """(index, finish_reason) of every choice that a stream finished, in order."""
    return [
        (one["index"], one["finish_reason"])
        for chunk in sent
        if isinstance(chunk, dict)
        for one in chunk.get("choices", ())
        if one["finish_reason"] is not None
    ]


def calls_of(response: Response) -> Iterator[ToolCall]:
    return (part for candidate in response.candidates for part in candidate.parts if isinstance(part, ToolCall))
