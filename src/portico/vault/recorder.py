"""Makes a record of an answer while it passes, without holding its text."""

from collections.abc import Iterator

import msgspec

from portico.core.events import Event, PartDelta, PartEnded, PartStarted
from portico.core.parts import Opaque, Signature, Text, ToolCall
from portico.core.response import Response
from portico.vault.record import (
    CallKept,
    Kept,
    OpaqueKept,
    TextKept,
    TurnRecord,
    call_digest,
    call_key,
    text_digest,
    text_key,
)


class _Candidate:
    __slots__ = ("digest", "parts")

    def __init__(self) -> None:
        self.parts: dict[int, Kept] = {}
        self.digest = text_digest()


class TurnRecorder:
    """Fed every event of an answer; `records` then says what to keep under which keys."""

    def __init__(self, signer: str) -> None:
        self._signer = signer
        self._candidates: dict[int, _Candidate] = {}

    def feed(self, event: Event) -> None:
        if isinstance(event, PartDelta):
            candidate = self._candidates.get(event.candidate)
            part = candidate.parts.get(event.index) if candidate else None
            if candidate is not None and isinstance(part, TextKept):
                candidate.digest.update(event.text.encode("utf-8", "surrogatepass"))
                candidate.parts[event.index] = TextKept(part.length + len(event.text), part.signature)
        elif isinstance(event, PartStarted):
            self._started(event)
        elif isinstance(event, PartEnded) and event.signature is not None:
            self._signed(event, event.signature)

    def feed_response(self, response: Response) -> None:
        """The same for an answer that came whole."""
        for candidate in response.candidates:
            for index, part in enumerate(candidate.parts):
                self._started(PartStarted(candidate.index, index, part))

    def _started(self, event: PartStarted) -> None:
        candidate = self._candidates.setdefault(event.candidate, _Candidate())
        match event.part:
            case Text(text, signature):
                candidate.digest.update(text.encode("utf-8", "surrogatepass"))
                candidate.parts[event.index] = TextKept(len(text), signature)
            case ToolCall() as call:
                said = call_digest(call) if call.arguments else ""
                candidate.parts[event.index] = CallKept(call.id, call.upstream_id, call.signature, said)
            case Opaque(origin, value):
                candidate.parts[event.index] = OpaqueKept(origin, value)

    def _signed(self, event: PartEnded, signature: Signature) -> None:
        parts = self._candidates[event.candidate].parts
        match parts.get(event.index):
            case TextKept(length):
                parts[event.index] = TextKept(length, signature)
            case CallKept() as kept:
                parts[event.index] = msgspec.structs.replace(kept, signature=signature)

    def records(self) -> Iterator[tuple[list[str], TurnRecord]]:
        """Keys and record of each candidate that has something to keep."""
        for candidate in self._candidates.values():
            parts = tuple([part for _, part in sorted(candidate.parts.items())])
            calls = [call_key(part.id) for part in parts if isinstance(part, CallKept)]
            hidden = any(isinstance(part, OpaqueKept) or part.signature is not None for part in parts)
            if calls:
                yield calls, TurnRecord(self._signer, parts)
            elif hidden and any(isinstance(part, TextKept) and part.length for part in parts):
                yield [text_key(candidate.digest)], TurnRecord(self._signer, parts)
