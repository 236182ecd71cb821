"""Puts what was kept back into a request (mapping.md 2.4).

If a message still says what the answer said, its parts get their exact layout back: order, signatures, hidden parts,
the provider's ids. White space that a client trimmed from the ends is put back, and pictures that it lost are not missed.
If the client edited the message, each call and each picture that is still there gets its own signature back, and no
more; but thoughts that stood before a call stand before it again, for their vendor refuses the call without them
(mapping.md 7.4). What was kept wins over what the client sent: it is known who can read it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, text_of
from portico.core.request import Message, PlainMessages, Request, Role
from portico.vault.record import (
    CallKept,
    MediaKept,
    OpaqueKept,
    ReasoningKept,
    TextKept,
    TextMark,
    TurnRecord,
    call_digest,
    call_key,
    call_spelling,
    keys_of_message,
    media_digest,
)

_ASSISTANT: Final = Role.ASSISTANT
REFUSED: Final = "refused"
"""The origin of a signature that no vendor is sent."""


def keys_of_request(request: Request) -> list[str]:
    """Every key that a request's history could be kept under."""
    keys: list[str] = []
    for message in request.messages:
        if message.role is _ASSISTANT:
            parts = message.parts
            call = parts[0] if len(parts) == 1 else None
            if type(call) is ToolCall and not call.minted:  # nearly all of an agent's
                keys.append(call_key(call.id))
            else:
                keys += keys_of_message(parts)
    return keys


def restore(request: Request, found: Mapping[str, TurnRecord]) -> Request:
    """The request with everything that was found put back."""
    if not found:
        return request
    messages: list[Message] = []
    layouts: dict[int, _Layout] = {}
    plain = type(request.messages) is PlainMessages
    for message in request.messages:
        if message.role is _ASSISTANT:
            calls = _calls_alone(message.parts, found)
            if calls is not None:
                message = Message(_ASSISTANT, calls, message.name, message.at, message.ext, message.effort)
            elif (restored := _restored(message, found, layouts)) is not message:
                message, plain = restored, False
        messages.append(message)
    return msgspec.structs.replace(request, messages=PlainMessages(messages) if plain else tuple(messages))


def without_unknown_signatures(request: Request) -> Request | None:
    """The request without the signatures that a client sent and nobody here can vouch for, which renderers tell as lost;
    None if there are none.

    For a provider that refuses one: which it was it does not say (complaint 3).
    """
    return _without(request, lambda signature: not signature.signer)


def without_signatures(request: Request) -> Request | None:
    """The same without any: a provider may refuse what it made itself, for a text whose pieces a client has joined."""
    return _without(request, lambda signature: signature.origin != REFUSED)


def holds_signatures_of_others(request: Request, signer: str) -> bool:
    """Whether a signature in a request is known to be another model line's: whoever renders it leaves those out."""
    signatures = [getattr(part, "signature", None) for message in request.messages for part in message.parts]
    return any(signature is not None and signature.signer not in (None, signer) for signature in signatures)


def _without(request: Request, suspected: Callable[[Signature], bool]) -> Request | None:
    messages = [
        msgspec.structs.replace(message, parts=tuple([_unsigned(part, suspected) for part in message.parts]))
        for message in request.messages
    ]
    changed = any(new.parts != old.parts for new, old in zip(messages, request.messages, strict=True))
    return msgspec.structs.replace(request, messages=tuple(messages)) if changed else None


def _unsigned(part: Part, suspected: Callable[[Signature], bool]) -> Part:
    signature = getattr(part, "signature", None)
    if signature is None or not suspected(signature):
        return part
    return msgspec.structs.replace(part, signature=Signature(REFUSED, signature.data))


class _Layout:
    """What a record is asked for by each message that it may be of: looked through once for all of them."""

    __slots__ = ("calls", "media", "record", "thoughts")

    def __init__(self, record: TurnRecord) -> None:
        self.record = record
        self.calls: dict[str, tuple[CallKept, TurnRecord]] = {}
        """By their keys, each with where it was found."""
        self.media: list[MediaKept] = []
        self.thoughts: dict[str, list[Reasoning]] = {}
        """By the key of a call, those between it and the call before."""
        thoughts: list[Reasoning] = []
        for part in record.parts:
            if isinstance(part, CallKept):
                key = call_key(part.id)
                self.calls[key] = part, record
                if thoughts:
                    self.thoughts[key], thoughts = thoughts, []
            elif isinstance(part, MediaKept):
                self.media.append(part)
            elif isinstance(part, ReasoningKept):
                thoughts.append(_thoughts(part, record))


def _restored(message: Message, found: Mapping[str, TurnRecord], layouts: dict[int, _Layout]) -> Message:
    records = {id(record): record for key in keys_of_message(message.parts) if (record := found.get(key)) is not None}
    if not records:
        return message
    for known, record in records.items():
        if known not in layouts:
            layouts[known] = _Layout(record)
    asked = [layouts[known] for known in records]
    parts = _exactly(message.parts, asked[0])
    if parts is None:
        parts = _one_by_one(message.parts, asked)
    return msgspec.structs.replace(message, parts=tuple(parts))


def _calls_alone(parts: tuple[Part, ...], found: Mapping[str, TurnRecord]) -> tuple[ToolCall, ...] | None:
    """The parts in their record's own layout, if both are the same calls in the same order and nothing else, as most turns
    of an agent are; None for all others."""
    first = parts[0] if parts else None
    if type(first) is not ToolCall or first.minted:
        return None
    record = found.get(call_key(first.id))
    if record is None or record.text or len(parts) != len(record.parts):
        return None
    if len(parts) == 1:
        kept = record.parts[0]
        return (_with_kept(first, kept, record),) if type(kept) is CallKept and kept.id == first.id else None
    restored: list[ToolCall] = []
    for call, kept in zip(parts, record.parts, strict=True):
        if type(call) is not ToolCall or type(kept) is not CallKept or call.id != kept.id:
            return None
        restored.append(_with_kept(call, kept, record))
    return tuple(restored)


def _exactly(parts: tuple[Part, ...], layout: _Layout) -> list[Part] | None:
    """The parts in the record's own layout; None if they are not what the record was made of."""
    record = layout.record
    calls = {call_key(part.id): part for part in parts if isinstance(part, ToolCall)}
    if calls.keys() != layout.calls.keys():
        return None
    text = _untrimmed(text_of(parts), record)
    files = _by_digest(parts)
    if text is None or (files and files.keys() - {part.digest for part in layout.media}):
        return None
    if not all(isinstance(part, _KNOWN) for part in parts):
        return None
    thoughts = any(isinstance(part, ReasoningKept) for part in record.parts)
    restored: list[Part] = [] if thoughts else [part for part in parts if isinstance(part, Reasoning)]
    at = 0
    for part in record.parts:
        match part:
            case TextKept(size, signature):
                restored.append(Text(text[at : at + size], _named(signature, record)))
                at += size
            case CallKept(id_):
                restored.append(_with_kept(calls[call_key(id_)], part, record))
            case MediaKept(digest, signature):
                if same := files.get(digest):
                    restored.append(msgspec.structs.replace(same.pop(0), signature=_named(signature, record)))
            case ReasoningKept():
                restored.append(_thoughts(part, record))
            case OpaqueKept(origin, value):
                restored.append(Opaque(origin, value))
    return None if any(files.values()) else restored


_KNOWN = (Text, Reasoning, ToolCall, Opaque, Media)


def _untrimmed(text: str, record: TurnRecord) -> str | None:
    """The answer's text, with the white space that a client trimmed; None if it is another."""
    length = sum(part.length for part in record.parts if isinstance(part, TextKept))
    if len(text) != length:
        text = f"{record.before}{text.strip()}{record.after}"
    return text if len(text) == length and TextMark(text).key() == record.text else None


def _by_digest(parts: tuple[Part, ...]) -> dict[str, list[Media]]:
    files: dict[str, list[Media]] = {}
    for part in parts:
        if isinstance(part, Media):
            files.setdefault(media_digest(part.data) if part.data is not None else "", []).append(part)
    return files


def _thoughts(kept: ReasoningKept, record: TurnRecord) -> Reasoning:
    return Reasoning(kept.text, _named(kept.signature, record), kept.ext, kept.redacted)


def _thoughts_before(parts: tuple[Part, ...], layouts: Sequence[_Layout]) -> dict[str, list[Reasoning]] | None:
    """By the key of a call that is still there, the thoughts between it and the call before. None where there are none, or
    the client brought signed ones itself."""
    if not any(layout.thoughts for layout in layouts):
        return None
    if any(isinstance(part, Reasoning) and part.signature is not None for part in parts):
        return None
    there = {call_key(part.id) for part in parts if isinstance(part, ToolCall)}
    return {key: layout.thoughts[key] for layout in layouts for key in layout.thoughts.keys() & there} or None


def _one_by_one(parts: tuple[Part, ...], layouts: Sequence[_Layout]) -> list[Part]:
    calls = layouts[0].calls
    if len(layouts) > 1:
        calls = {key: call for layout in layouts for key, call in layout.calls.items()}
    files: dict[str, list[tuple[MediaKept, TurnRecord]]] = {}
    if any(isinstance(part, Media) for part in parts):
        for layout in layouts:
            for kept in layout.media:
                files.setdefault(kept.digest, []).append((kept, layout.record))
    restored: list[Part] = []
    waiting = _thoughts_before(parts, layouts)
    for part in parts:
        if waiting is not None and isinstance(part, Reasoning):
            continue  # shown without its signature: it comes back with it
        if isinstance(part, ToolCall):
            restored += () if waiting is None else waiting.pop(call_key(part.id), ())
        if isinstance(part, ToolCall) and (call := calls.get(call_key(part.id))) is not None:
            part = _with_kept(part, *call)
        elif isinstance(part, Media) and part.data and (same := files.get(media_digest(part.data))) is not None:
            file, record = same.pop(0) if len(same) > 1 else same[0]  # one picture twice is signed twice
            part = msgspec.structs.replace(part, signature=_named(file.signature, record))
        restored.append(part)
    return restored


def _with_kept(call: ToolCall, kept: CallKept, record: TurnRecord) -> ToolCall:
    """The call with its own signature (none if it had none) and the id the provider knows it by.

    A call that the client has edited is no longer what was signed: it gets no signature.
    """
    signature = kept.signature
    if signature is not None and not (
        kept.said == "" or kept.spelt == call_spelling(call) or kept.said == call_digest(call)
    ):
        signature = None
    return ToolCall(
        call.id,
        call.name,
        call.arguments,
        call.kind,
        kept.upstream_id is None,
        kept.upstream_id,
        signature if signature is None or signature.signer == record.signer else _named(signature, record),
        call.ext,
    )


def _named(signature: Signature | None, record: TurnRecord) -> Signature | None:
    if signature is None or signature.signer == record.signer:
        return signature
    return msgspec.structs.replace(signature, signer=record.signer)
