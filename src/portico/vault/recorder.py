"""Makes a record of an answer while it passes, without holding its visible text or its pictures."""

from collections.abc import Iterator, Sequence

import msgspec

from portico.core.events import Event, PartDelta, PartEnded, PartStarted
from portico.core.parts import Media, Opaque, Reasoning, Signature, Text, ToolCall
from portico.core.response import Response
from portico.vault.record import (
    CallKept,
    Kept,
    MediaKept,
    OpaqueKept,
    ReasoningKept,
    TextKept,
    TextMark,
    TurnRecord,
    call_digest,
    call_key,
    call_spelling,
    media_digest,
    media_key,
)


class _Candidate:
    __slots__ = ("growing", "parts", "text", "texts", "thoughts")

    def __init__(self) -> None:
        self.parts: dict[int, Kept] = {}
        self.text = TextMark()
        self.texts: dict[int, int] = {}
        """The length of a text so far, while more of it comes."""
        self.growing: dict[int, list[str]] = {}
        """The data of files that come in pieces, since a digest needs all of it, and thoughts, which go back whole."""
        self.thoughts: dict[int, Reasoning] = {}
        """Thoughts as they began: whether they are signed, and so worth keeping, is mostly known at their end."""

    def is_plain(self) -> bool:
        """Whether it is text that nobody signed: nothing is hidden, and there is no call, so that nothing is to be kept."""
        return not [part for part in self.parts.values() if type(part) is not TextKept or part.signature is not None]

    def kept(self) -> tuple[Kept, ...]:
        """The parts in order."""
        for index in list(self.texts):
            self.end_text(index, None)
        return tuple(_without_unsigned([part for _, part in sorted(self.parts.items())]))

    def end_text(self, index: int, signature: Signature | None) -> bool:
        """The text has its length; False if no such text is growing."""
        length = self.texts.pop(index, None)
        if length is None:
            return False
        part = self.parts[index]
        own = part.signature if isinstance(part, TextKept) else None
        self.parts[index] = TextKept(length, signature if signature is not None else own)
        return True


def hides_something(response: Response) -> bool:
    """Whether there may be anything to keep of a whole answer: more than texts that nobody signed."""
    for candidate in response.candidates:
        for part in candidate.parts:
            if type(part) is not Text or part.signature is not None:
                return True
    return False


class TurnRecorder:
    """Fed every event of an answer; `records` then says what to keep under which keys."""

    def __init__(self, signer: str) -> None:
        self._signer = signer
        self._candidates: dict[int, _Candidate] = {}

    def feed(self, event: Event) -> None:
        if type(event) is PartDelta:
            candidate = self._candidates.get(event.candidate)
            if candidate is None:
                return
            index, text = event.index, event.text
            if index in candidate.texts:
                candidate.text.add(text)
                candidate.texts[index] += len(text)
            elif index in candidate.growing:
                candidate.growing[index].append(text)
        elif isinstance(event, PartStarted):
            self._started(event)
        elif isinstance(event, PartEnded):
            self._ended(event)

    def feed_response(self, response: Response) -> None:
        """The same for an answer that came whole."""
        for candidate in response.candidates:
            if all(type(part) is Text and part.signature is None for part in candidate.parts):
                continue  # nothing hidden, and no call: nothing to keep
            for index, part in enumerate(candidate.parts):
                self._started(PartStarted(candidate.index, index, part))
                self._ended(PartEnded(candidate.index, index))

    def _started(self, event: PartStarted) -> None:
        candidate = self._candidates.setdefault(event.candidate, _Candidate())
        match event.part:
            case Text(text, signature):
                candidate.text.add(text)
                candidate.texts[event.index] = len(text)
                candidate.parts[event.index] = TextKept(len(text), signature)
            case ToolCall() as call:
                said, spelt = (call_digest(call), call_spelling(call)) if call.arguments else ("", 0)
                candidate.parts[event.index] = CallKept(call.id, call.upstream_id, call.signature, said, spelt)
            case Opaque(origin, value):
                candidate.parts[event.index] = OpaqueKept(origin, value)
            case Media(data=str(data), thought=False, signature=signature):
                candidate.parts[event.index] = MediaKept("", signature)
                candidate.growing[event.index] = [data]
            case Reasoning(text) as thoughts:
                candidate.thoughts[event.index] = thoughts
                candidate.growing[event.index] = [text]

    def _ended(self, event: PartEnded) -> None:
        candidate = self._candidates.get(event.candidate)
        if candidate is None or candidate.end_text(event.index, event.signature):
            return
        if (thoughts := candidate.thoughts.pop(event.index, None)) is not None:
            text, signature = "".join(candidate.growing.pop(event.index)), event.signature or thoughts.signature
            candidate.parts[event.index] = ReasoningKept(text, signature, thoughts.redacted, thoughts.ext)
            return
        part = candidate.parts.get(event.index)
        if part is None:
            return
        if isinstance(part, MediaKept):
            part = MediaKept(media_digest("".join(candidate.growing.pop(event.index))), part.signature)
        candidate.parts[event.index] = _signed(part, event.signature)

    def records(self) -> Iterator[tuple[list[str], TurnRecord]]:
        """Keys and record of each candidate that has something to keep."""
        for candidate in self._candidates.values():
            if candidate.is_plain():
                continue
            parts = candidate.kept()
            record = TurnRecord(self._signer, parts, *candidate.text.edges(), candidate.text.key())
            if calls := [call_key(part.id) for part in parts if isinstance(part, CallKept)]:
                yield calls, record
                continue
            hidden = any(isinstance(part, OpaqueKept) or part.signature is not None for part in parts)
            files = [media_key(part.digest) for part in parts if isinstance(part, MediaKept) and part.digest]
            keys = [*files, *([record.text] if record.text else [])]
            if keys and (hidden or _shows_before_text(parts)):
                yield keys, record


def _without_unsigned(parts: Sequence[Kept]) -> list[Kept]:
    """The parts without thoughts that nobody signed, be it further on in the same run of thoughts."""
    kept: list[Kept] = []
    signed = False
    for part in reversed(parts):
        if isinstance(part, ReasoningKept):
            signed = signed or part.signature is not None
            if not signed:
                continue
        else:
            signed = False
        kept.append(part)
    kept.reverse()
    return kept


def _signed(part: Kept, signature: Signature | None) -> Kept:
    if signature is None or isinstance(part, OpaqueKept):
        return part
    return msgspec.structs.replace(part, signature=signature)


def _shows_before_text(parts: Sequence[Kept]) -> bool:
    """Whether text follows a picture: who is told pictures beside the text sends them back behind it."""
    shown = next((i for i, part in enumerate(parts) if isinstance(part, MediaKept)), len(parts))
    return any(isinstance(part, TextKept) and part.length for part in parts[shown:])
