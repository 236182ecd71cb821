"""Events -> Anthropic's event stream (mapping.md 7.3).

Blocks are strictly one after the other: what comes of another part while one is open waits. Each part is a block, and a
sealed blob of another vendor a block of its own before it (7.4); one that comes after its text waits for another block, and
is not told where none follows. The block of a text stays open until another begins, for Google tells sources last (2.7).
`message_start` tells what is known of the input by then; the counts of `message_delta` are the final ones.
"""

from typing import Any

import msgspec

from portico.core.dialect import Reply, StreamWriter
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    PartStarted,
    Started,
    UsageReported,
)
from portico.core.foreign import foreign_extras
from portico.core.loss import Loss
from portico.core.parts import Media, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Citation, Finish
from portico.dialects.anthropic_messages.errors import render_error
from portico.dialects.anthropic_messages.response import (
    LAST_SIGNATURE,
    SEARCHES,
    location,
    message_id,
    ran_by_anthropic,
    render_part,
    seal_of,
    sealed,
    stop_of,
    tell_finish,
    tell_foreign,
    tell_tier,
)
from portico.dialects.anthropic_messages.searching import search_blocks
from portico.dialects.anthropic_messages.usage import render_usage
from portico.dialects.anthropic_messages.words import ORIGIN, own
from portico.wire import jsontext
from portico.wire.sse import Around, Frame

_Key = tuple[int, int]


class AnthropicWriter(StreamWriter):
    """Events -> frames of one caller's stream."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.losses: list[Loss] = []
        self._started: Started | None = None
        self._told = False
        self._usage: UsageReported | None = None
        self._index = 0
        self._open: _Key | None = None
        self._part: Part | None = None
        self._pieces: list[str] = []
        self._shown = False
        """The open part has a block on the wire."""
        self._lingers = False
        """The block of a text that has ended is open still: what it cites may be told at the end of the answer."""
        self._waiting: dict[_Key, list[Event]] = {}
        self._length = 0
        self._block_from = 0
        self._cited: set[Citation] = set()
        self._widened = False
        """A source was told of a block of which it is but a piece's."""
        self._citations: tuple[Citation, ...] = ()
        self._searches: tuple[str, ...] = ()
        self._ran = False
        """A tool of Anthropic's own told what was searched for."""
        self._extras: dict[str, Any] = {}
        self._body: dict[str, Any] = {}
        self._finish: Finish | None = None
        self._others: dict[int, list[Any]] = {}
        """Sources without an address, by the block they are of: those that were not told."""
        self._others_told: set[int] = set()
        self._candidate: dict[str, Any] = {}
        self._last = ""
        """The type of the last block."""
        self._seals: list[dict[str, Any]] = []
        """Of the text that was told last."""

    def feed(self, event: Event) -> list[Frame]:
        match event:
            case PartDelta(candidate, index, _):
                return self._of_part((candidate, index), event)
            case PartStarted(candidate, index, _) | PartEnded(candidate, index, _):
                return self._of_part((candidate, index), event)
            case UsageReported():
                self._usage = event
            case Started():
                self._started = event
            case Annotated():
                return self._annotated(event)
            case CandidateFinished(0, finish):
                self._finish = finish
            case Finished():
                return self._finished()
            case Failed(error):
                return [_frame("error", **render_error(error))]
        return []

    def around(self, candidate: int, index: int) -> Around | None:
        part = self._part
        if (candidate, index) != self._open or not self._shown:
            return None
        if isinstance(part, Text):
            piece = b'"text_delta","text":'
        elif isinstance(part, Reasoning):
            piece = b'"thinking_delta","thinking":'
        else:  # a call: no other part has a block before it is whole
            piece = b'"input_json_delta","partial_json":'
        head = b'{"type":"content_block_delta","index":%d,"delta":{"type":' % self._index
        return Around(head + piece, b"}}", "content_block_delta")

    def note(self, more: PartDelta) -> None:
        if isinstance(self._part, Text):
            self._length += len(more.text)

    def close(self) -> list[Frame]:
        return []

    # -- parts, one after the other

    def _of_part(self, key: _Key, event: Event) -> list[Frame]:
        if key[0] != 0:
            return []
        if self._open is not None and key != self._open:
            self._waiting.setdefault(key, []).append(event)
            return []
        frames: list[Frame] = []
        self._tell(key, event, frames)
        while self._open is None and self._waiting:
            following = next(iter(self._waiting))
            for waited in self._waiting.pop(following):
                self._tell(following, waited, frames)
        return frames

    def _tell(self, key: _Key, event: Event, frames: list[Frame]) -> None:
        match event:
            case PartStarted(_, _, part):
                self._open, self._part, self._pieces, self._shown = key, part, [], False
                self._begin(part, frames)
            case PartDelta(_, _, text):
                self._more(text, frames)
            case PartEnded(_, _, signature):
                self._end(signature, frames)
                self._open = self._part = None

    def _begin(self, part: Part, frames: list[Frame]) -> None:
        reply = self._reply
        if isinstance(part, (Text, ToolCall, Reasoning)) and part.ext:
            self.losses += foreign_extras(part.ext, "$.content", own=(ORIGIN,))
        match part:
            case Text(text, signature, ext):
                if ext and "openai_chat" in ext:
                    self.losses.append(Loss("2.1:refusal", "$.content", "Anthropic tells a refusal as text"))
                if text:
                    self._blocks(sealed(signature, "", reply), frames)
                    self._more(text, frames)
                else:
                    self._seals += sealed(signature, "", reply)
            case Reasoning(text) if not part.redacted:
                if text:
                    self._more(text, frames)
            case ToolCall(id_, name, arguments, kind, _, _, signature, ext) if kind != "custom":
                self._blocks(sealed(signature, id_, reply), frames)
                block = {"type": "tool_use", "id": id_, "name": name, "input": {}, **own(ext)}
                self._start(block, frames)
                if arguments:
                    self._more(arguments, frames)
            case _:
                pass  # told when it is whole

    def _more(self, text: str, frames: list[Frame]) -> None:
        part = self._part
        match part:
            case Text():
                if not self._shown:
                    self._start({"type": "text", "text": "", **own(part.ext)}, frames)
                self._length += len(text)
                self._delta({"type": "text_delta", "text": text}, frames)
            case Reasoning() if not part.redacted:
                if self._reply.thoughts:
                    self._thinking(frames)
                    self._delta({"type": "thinking_delta", "thinking": text}, frames)
            case ToolCall() if part.kind != "custom":
                self._delta({"type": "input_json_delta", "partial_json": text}, frames)
            case _:
                self._pieces.append(text)

    def _thinking(self, frames: list[Frame]) -> None:
        if not self._shown:
            ext = own(self._part.ext) if isinstance(self._part, Reasoning) else {}
            self._start({"type": "thinking", "thinking": "", "signature": "", **ext}, frames)

    def _end(self, signature: Signature | None, frames: list[Frame]) -> None:
        part, reply = self._part, self._reply
        match part:
            case Reasoning() if not part.redacted:
                signature = signature or part.signature
                if signature is not None and (reply.thoughts or reply.seals):
                    self._thinking(frames)
                    self._delta({"type": "signature_delta", "signature": seal_of(signature)}, frames)
            case Text():
                self._lingers, self._shown = self._lingers or self._shown, False
            case ToolCall() if part.kind != "custom":
                pass
            case None:
                pass
            case _:
                self._ran = self._ran or ran_by_anthropic(part)
                self._blocks(render_part(self._completed(part, signature), reply, self.losses), frames)
        if self._shown:
            self._stop(frames)
        if isinstance(part, Text):  # it came when the text had been told: whoever brings it back brings both
            self._seals += sealed(signature, "", reply)

    def _completed(self, part: Part, signature: Signature | None) -> Part:
        text = "".join(self._pieces)
        match part:
            case ToolCall():
                return msgspec.structs.replace(
                    part, arguments=part.arguments + text, signature=signature or part.signature
                )
            case Reasoning():
                return msgspec.structs.replace(part, signature=signature or part.signature)
            case Media():
                return msgspec.structs.replace(part, data=(part.data or "") + text if text else part.data)
        return part

    # -- blocks

    def _blocks(self, blocks: list[dict[str, Any]], frames: list[Frame]) -> None:
        """Blocks that are complete; what a tool is given is told behind its start, as Anthropic does."""
        for block in blocks:
            given = block.get("input")
            self._start({**block, "input": {}} if given is not None else block, frames)
            if given:
                self._delta({"type": "input_json_delta", "partial_json": jsontext.encode(given).decode()}, frames)
            self._stop(frames)

    def _start(self, block: dict[str, Any], frames: list[Frame]) -> None:
        self._head(frames)
        self._let_go(frames)
        self._block_from = self._length
        if self._seals:
            seals, self._seals = self._seals, []
            self._blocks(seals, frames)
        self._last = block["type"]
        frames.append(_frame("content_block_start", index=self._index, content_block=block))
        self._shown = True

    def _delta(self, delta: dict[str, Any], frames: list[Frame]) -> None:
        frames.append(_frame("content_block_delta", index=self._index, delta=delta))

    def _stop(self, frames: list[Frame]) -> None:
        frames.append(_frame("content_block_stop", index=self._index))
        self._index += 1
        self._shown = False

    def _let_go(self, frames: list[Frame]) -> None:
        """Ends the block of a text that has ended."""
        if self._lingers:
            self._cite(frames)
            self._lingers = False
            self._stop(frames)

    def _head(self, frames: list[Frame]) -> None:
        if self._told:
            return
        self._told = True
        started = self._started or Started()
        usage = self._usage
        counts = render_usage(None if usage is None else usage.usage, {}, None if usage is None else usage.service_tier)
        message = {
            "id": started.id or message_id(self._reply),
            "type": "message",
            "role": "assistant",
            "model": self._reply.model or started.model or "",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**counts, "output_tokens": min(1, counts["output_tokens"])},
            **self._body,
        }
        frames.append(_frame("message_start", message=message))

    # -- what is said beside the parts

    def _annotated(self, said: Annotated) -> list[Frame]:
        tell_foreign(said.ext, self.losses, "$" if said.candidate is None else "$.content")
        if said.candidate is None:
            (self._extras if self._told else self._body).update(own(said.ext))
            return []
        if said.candidate != 0:
            return []
        self._extras_of_candidate(said)
        self._searches = said.searches or self._searches
        if said.logprobs and not any(loss.code == "7.5:logprobs" for loss in self.losses):
            self.losses.append(Loss("7.5:logprobs", "$.content", "Anthropic tells no logprobs"))
        self._citations = said.citations or self._citations
        frames: list[Frame] = []
        if self._lingers or isinstance(self._part, Text):
            self._cite(frames)
        return frames

    def _extras_of_candidate(self, said: Annotated) -> None:
        fields = dict(own(said.ext))
        others = fields.pop("citations", ())
        self._others = {one["block"]: one["citations"] for one in others if one["block"] not in self._others_told}
        self._candidate.update(fields)

    def _cite(self, frames: list[Frame]) -> None:
        """The sources of the block that is open, those that are known so far."""
        if not (self._shown or self._lingers):
            return
        here = range(self._block_from, self._length)
        told = [one for one in self._citations if one.start in here and one not in self._cited]
        for one in {(one.url, one.title): one for one in told}.values():
            self._delta({"type": "citations_delta", "citation": location(one, "")}, frames)
        self._cited.update(told)
        self._widened |= any((one.start, one.end) != (self._block_from, self._length) for one in told)
        for one in self._others.pop(self._index, ()):
            self._delta({"type": "citations_delta", "citation": one}, frames)
            self._others_told.add(self._index)

    def _searched(self) -> list[dict[str, Any]]:
        """What was found, which others tell last; where the caller reads it."""
        if self._reply.search_blocks and not self._ran:
            return search_blocks(self._reply.id, self._searches, self._citations)
        if self._searches:
            self.losses.append(SEARCHES)
        return []

    def _finished(self) -> list[Frame]:
        frames: list[Frame] = []
        while self._open is not None:  # a stream that did not end its parts; what waited for one comes now
            frames += self._of_part(self._open, PartEnded(*self._open))
        self._head(frames)
        self._let_go(frames)
        seals, self._seals = self._seals, []
        searched, last = self._searched(), self._last
        self._blocks(searched, frames)
        if seals and last == "text":
            self.losses.append(LAST_SIGNATURE)
        else:
            self._blocks(seals, frames)
        tell_finish(self._finish, self.losses)
        if not self._cited.issuperset(self._citations):
            self.losses.append(Loss("7.2:citations", "$.content", "sources were told after the text they are of"))
        elif self._widened:
            self.losses.append(Loss("7.2:citations", "$.content", "sources of pieces were told of the whole text"))
        usage = self._usage
        if self._others:
            said = "sources were told after the text they are of"
            self.losses.append(Loss("2.1:answer_ext", "$.content.citations", said))
        if usage is not None:
            tell_foreign(usage.usage.ext, self.losses, "$.usage")
            tell_tier(usage.service_tier, self.losses)
        counts = render_usage(
            None if usage is None else usage.usage,
            {} if usage is None else usage.uses,
            None if usage is None else usage.service_tier,
        )
        stop = stop_of(self._finish, self._candidate)
        frames.append(_frame("message_delta", delta={**stop, **self._extras}, usage=counts))
        frames.append(_frame("message_stop"))
        return frames


def _frame(kind: str, /, **fields: Any) -> Frame:
    return Frame(jsontext.encode({"type": kind, **fields}), kind)
