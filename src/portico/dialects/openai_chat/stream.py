"""Events -> chat.completion.chunk frames (mapping.md 3.2, 3.6).

Role first; indices of tool calls run over the whole stream per choice; the finish once per choice; usage only on
request, in a chunk of its own; `[DONE]` after success and never after a failure. The parts of a chunk that do not
change are encoded once.
"""

from collections.abc import Mapping
from typing import Any

from portico.core.dialect import Reply
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
from portico.core.foreign import foreign_losses, foreign_signature, is_foreign
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Citation, Finish
from portico.core.usage import Usage
from portico.dialects.openai.errors import render_error
from portico.dialects.openai.logprobs import render_logprobs
from portico.dialects.openai_chat.annotations import Insertions, annotated
from portico.dialects.openai_chat.content import render_part
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, ORIGIN, VENDOR, extra_content
from portico.dialects.openai_chat.media_out import (
    SpeechDeltas,
    audio_entry,
    image_entry,
    is_audio,
    markdown,
    pieces,
)
from portico.dialects.openai_chat.messages_render import render_call
from portico.dialects.openai_chat.response import (
    CANDIDATE_PATH,
    ORDER,
    SEARCHES,
    answer_id,
    blocked,
    call_details,
    finish_fields,
    is_refusal,
    refusal_text,
    tell_foreign,
    text_signature,
    thought_detail,
)
from portico.dialects.openai_chat.usage import costing, render_usage, searched
from portico.wire import jsontext
from portico.wire.sse import DONE, Around, Frame

_OPEN_DELTA = b'{"index":%d,"delta":'
_CLOSE_DELTA = b',"logprobs":null,"finish_reason":null}]'
_OPEN_CONTENT = b'{"content":'
_OPEN_THOUGHT = b'{"reasoning_content":'


class _Choice:
    """One choice as far as it has been told."""

    __slots__ = (
        "calls",
        "citations",
        "custom",
        "details",
        "images",
        "insertions",
        "kinds",
        "latest",
        "opaque",
        "out_of_order",
        "searches",
        "signatures",
        "speech",
    )

    def __init__(self) -> None:
        self.kinds: dict[int, Part | int] = {}
        """Part index -> the part's kind by example, or the tool-call index it was told under."""
        self.calls = 0
        self.custom: set[int] | None = None
        """Which of the calls take free text."""
        self.images = 0
        self.signatures: list[Signature] = []
        self.opaque: list[dict[str, Any]] = []
        self.latest = 0
        self.out_of_order = False
        self.insertions = Insertions()
        self.citations: tuple[Citation, ...] = ()
        self.searches: tuple[str, ...] = ()
        self.details = 0
        """How many `reasoning_details` were told."""
        self.speech: SpeechDeltas | None = None


class ChatWriter:
    """Events -> chunks."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.losses: list[Loss] = []
        self._choices: dict[int, _Choice] = {}
        self._prefix = b""
        self._suffix = b',"usage":null}' if reply.include_usage else b"}"
        self._content_end = b"}" + _CLOSE_DELTA + self._suffix
        self._plain_thoughts = reply.thoughts and not reply.thought_tag and not reply.reasoning_details
        """Thoughts are told, in one place."""
        self._usage: Usage | None = None
        self._uses: Mapping[str, int] = {}
        self._tier: str | None = None
        self._extras: dict[int | None, dict[str, Any]] = {}
        self._own: dict[int | None, dict[str, Any]] = {}
        self._id = answer_id(None, reply)
        self._started = Started()
        self._begin(self._started)

    def feed(self, event: Event) -> list[Frame]:
        if type(event) is PartDelta:
            return self._delta(event.candidate, event.index, event.text)
        match event:
            case PartStarted(candidate, index, part):
                return self._part_started(candidate, index, part)
            case PartEnded(candidate, index, signature):
                return self._part_ended(candidate, index, signature)
            case UsageReported(usage, tier, uses):
                self._usage = usage
                self._uses = uses
                self._tier = tier or self._tier
            case Started():
                self._started = event
                self._begin(event)
            case Annotated():
                return self._annotated(event)
            case CandidateFinished(candidate, finish):
                return self._finish(candidate, finish)
            case Finished():
                return self._finished()
            case Failed(error):
                return [Frame(jsontext.encode(render_error(error)))]
        return []

    def around(self, candidate: int, index: int) -> Around | None:
        kind = self._choices[candidate].kinds[index]
        if type(kind) is Text and not is_refusal(kind.ext):
            name = _OPEN_CONTENT
        elif type(kind) is Reasoning and self._plain_thoughts:
            name = _OPEN_THOUGHT
        else:
            return None
        return Around(self._prefix + _OPEN_DELTA % candidate + name, self._content_end)

    def note(self, more: PartDelta) -> None:
        choice = self._choices[more.candidate]
        if type(choice.kinds[more.index]) is Text:
            choice.insertions.text(more.text)

    def close(self) -> list[Frame]:
        return []

    def _begin(self, started: Started) -> None:
        self._id = answer_id(started.id, self._reply)
        envelope = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._reply.created if started.created is None else started.created,
            "model": self._reply.model or started.model or "",
            "system_fingerprint": self._own.get(None, {}).get("system_fingerprint"),
        }
        self._prefix = jsontext.encode(envelope)[:-1] + b',"choices":['
        self._content_heads: dict[int, bytes] = {}

    def _chunk(self, candidate: int, delta: Any) -> Frame:
        head = self._prefix + _OPEN_DELTA % candidate
        return Frame(head + jsontext.encode(delta) + _CLOSE_DELTA + self._suffix)

    def _choice(self, candidate: int, frames: list[Frame]) -> _Choice:
        """The choice, its role told when it is new (3.2, row 1)."""
        choice = self._choices.get(candidate)
        if choice is None:
            choice = self._choices[candidate] = _Choice()
            frames.append(self._chunk(candidate, {"role": "assistant", "content": "", "refusal": None}))
        return choice

    def _annotated(self, said: Annotated) -> list[Frame]:
        """Extras and sources are told at the end, logprobs with the tokens they are of."""
        ext, index = said.ext or {}, said.candidate
        self._extras.setdefault(index, {}).update(ext.get(GOOGLE_EXT, {}))
        self._own.setdefault(index, {}).update(ext.get(ORIGIN, {}))
        tell_foreign(ext, self.losses, "$" if index is None else CANDIDATE_PATH.format(index))
        if index is None:
            if ORIGIN in ext:
                self._begin(self._started)
            return []
        frames: list[Frame] = []
        if said.citations or said.searches or said.logprobs:
            choice = self._choice(index, frames)
            choice.citations = said.citations or choice.citations
            choice.searches = said.searches or choice.searches
        if said.logprobs:
            told = {"index": index, "delta": {}, "logprobs": render_logprobs(said.logprobs), "finish_reason": None}
            frames.append(Frame(self._prefix + jsontext.encode(told) + b"]" + self._suffix))
        return frames

    # -- parts

    def _part_started(self, candidate: int, index: int, part: Part) -> list[Frame]:
        frames: list[Frame] = []
        choice = self._choice(candidate, frames)
        if isinstance(part, Opaque):
            choice.kinds[index] = part
            choice.latest = ORDER[Opaque]
            if part.origin == GOOGLE_EXT:
                choice.opaque.append({"index": index, "part": part.value})
            else:
                path = CANDIDATE_PATH.format(candidate)
                self.losses.append(Loss("1.2:opaque", path, "a part that only another provider understands"))
            return frames
        if part.ext or getattr(part, "signature", None) is not None:
            path = CANDIDATE_PATH.format(candidate)
            self.losses += foreign_losses(part, path, own=(ORIGIN, GOOGLE_EXT), vendor=VENDOR)
        if isinstance(part, Reasoning) and not self._reply.thoughts:
            choice.kinds[index] = part
            return frames
        if isinstance(part, Media) and part.thought:
            choice.kinds[index] = part
            path = CANDIDATE_PATH.format(candidate)
            self.losses.append(Loss("2.2:draft", path, "a draft image the model made while thinking"))
            return frames
        rank = ORDER[Text if isinstance(part, Reasoning) and self._reply.thought_tag else type(part)]
        choice.out_of_order = choice.out_of_order or rank < choice.latest
        choice.latest = rank
        if isinstance(part, ToolCall):
            self._call(candidate, index, part, choice, frames)
        elif isinstance(part, Media):
            choice.kinds[index] = part
            self._media(candidate, part, choice, frames)
        else:
            choice.kinds[index] = part
            if isinstance(part, Text) and part.signature is not None and not is_foreign(part.signature, VENDOR):
                choice.signatures.append(part.signature)
            if isinstance(part, Reasoning) and self._reply.thought_tag:
                frames.append(self._inserted(candidate, choice, f"<{self._reply.thought_tag}>{part.text}"))
            elif isinstance(part, (Text, Reasoning)) and part.text:
                frames.append(self._text(candidate, choice, part, part.text))
        return frames

    def _text(self, candidate: int, choice: _Choice, kind: Text | Reasoning, text: str) -> Frame:
        if isinstance(kind, Reasoning):
            return self._chunk(candidate, self._thought(choice, text))
        if is_refusal(kind.ext):
            return self._chunk(candidate, {"refusal": text})
        choice.insertions.text(text)
        head = self._content_heads.get(candidate)
        if head is None:
            head = self._content_heads[candidate] = self._prefix + _OPEN_DELTA % candidate + _OPEN_CONTENT
        return Frame(head + jsontext.encode(text) + self._content_end)

    def _inserted(self, candidate: int, choice: _Choice, text: str) -> Frame:
        """What stands in the content beside the answer's text."""
        choice.insertions.other(text)
        return self._chunk(candidate, {"content": text})

    def _thought(self, choice: _Choice, text: str) -> dict[str, Any]:
        if not self._reply.reasoning_details:
            return {"reasoning_content": text}
        detail = thought_detail(text, choice.details)
        return {"reasoning_content": text, "reasoning": text, "reasoning_details": [detail]}

    def _delta(self, candidate: int, index: int, text: str) -> list[Frame]:
        choice = self._choices[candidate]
        kind = choice.kinds[index]
        if type(kind) is Text:
            return [self._text(candidate, choice, kind, text)] if text else []
        if isinstance(kind, (Text, Reasoning)):
            if not text or (isinstance(kind, Reasoning) and not self._reply.thoughts):
                return []
            if isinstance(kind, Reasoning) and self._reply.thought_tag:
                return [self._inserted(candidate, choice, text)]
            return [self._text(candidate, choice, kind, text)]
        if isinstance(kind, int):
            if self._reply.legacy_functions:
                return [self._chunk(candidate, {"function_call": {"arguments": text}})] if kind == 0 else []
            custom = kind in (self._choices[candidate].custom or ())
            piece = {"custom": {"input": text}} if custom else {"function": {"arguments": text}}
            return [self._chunk(candidate, {"tool_calls": [{"index": kind, **piece}]})]
        return []

    def _part_ended(self, candidate: int, index: int, signature: Signature | None) -> list[Frame]:
        choice = self._choices[candidate]
        if signature is not None and is_foreign(signature, VENDOR):
            self.losses.append(foreign_signature(CANDIDATE_PATH.format(candidate)))
        elif signature is not None:
            choice.signatures.append(signature)
        if self._reply.thought_tag and self._reply.thoughts and isinstance(choice.kinds.get(index), Reasoning):
            return [self._inserted(candidate, choice, f"</{self._reply.thought_tag}>")]
        return []

    def _call(self, candidate: int, index: int, call: ToolCall, choice: _Choice, frames: list[Frame]) -> None:
        number = choice.calls
        choice.calls += 1
        choice.kinds[index] = number
        if self._reply.legacy_functions:
            if number == 0:
                legacy = {"name": call.name, "arguments": call.arguments}
                frames.append(self._chunk(candidate, {"function_call": legacy}))
            return
        rendered = render_call(call)
        if call.kind == "custom":
            choice.custom = choice.custom or set()
            choice.custom.add(number)
        else:
            rendered["function"]["arguments"] = call.arguments
        told: dict[str, Any] = {"tool_calls": [{"index": number, **rendered}]}
        if self._reply.reasoning_details and (details := call_details([call], choice.details + 1)):
            choice.details += len(details)
            told["reasoning_details"] = details
        frames.append(self._chunk(candidate, told))

    def _media(self, candidate: int, part: Media, choice: _Choice, frames: list[Frame]) -> None:
        reply = self._reply
        if is_audio(part):
            if reply.audio_format is None:
                told = [audio_entry([part], reply.id, reply.created, None)]
            else:
                choice.speech = choice.speech or SpeechDeltas(reply.id, reply.created)
                told = choice.speech.feed(part)
            frames += [self._chunk(candidate, {"audio": audio}) for audio in told]
        elif reply.image_form == "markdown":
            slices = pieces(markdown(part), reply.markdown_slice_bytes)
            frames += [self._inserted(candidate, choice, piece) for piece in slices]
        elif reply.image_form == "parts":
            frames.append(self._chunk(candidate, {"content": [render_part(part)]}))
        else:
            frames.append(self._chunk(candidate, {"images": [image_entry(part, choice.images)]}))
            choice.images += 1

    # -- the end

    def _finish(self, candidate: int, finish: Finish) -> list[Frame]:
        frames: list[Frame] = []
        choice = self._choice(candidate, frames)
        path = CANDIDATE_PATH.format(candidate)
        if choice.speech is not None:
            frames += [self._chunk(candidate, {"audio": audio}) for audio in choice.speech.close()]
        if choice.out_of_order:
            self.losses.append(Loss("2.2:order", path, "Chat keeps thoughts, content and calls apart, not their order"))
        google: dict[str, Any] = {}
        if choice.opaque:
            google["parts"] = choice.opaque
        if finish.prompt_blocked:
            frames.append(self._chunk(candidate, {"refusal": refusal_text(finish)}))
            google["prompt_feedback"] = blocked(finish)
        signature = text_signature(choice.signatures, self.losses, path)
        if choice.searches:
            google[SEARCHES] = list(choice.searches)
        extras = self._extras.pop(candidate, None)
        extra = extra_content(signature, {GOOGLE_EXT: extras} if extras else None, google)
        if extra:
            frames.append(self._chunk(candidate, extra))
        own = self._own.get(candidate, {})
        if told_of := annotated(choice.citations, choice.insertions, own.get("annotations", ())):
            frames.append(self._chunk(candidate, told_of))
        told = finish_fields(finish, self._reply, self.losses, path)
        ending = jsontext.encode({"index": candidate, "delta": {}, "logprobs": own.get("logprobs"), **told})
        frames.append(Frame(self._prefix + ending + b"]" + self._suffix))
        return frames

    def _finished(self) -> list[Frame]:
        frames: list[Frame] = []
        last: dict[str, Any] = {}
        if self._reply.include_usage:
            searches = sum(len(choice.searches) for choice in self._choices.values())
            searches = searches or self._uses.get("web_search", 0)
            last["usage"] = None
            if self._usage is not None:
                last["usage"] = {**render_usage(self._usage), **searched(searches), **costing(self._reply)}
            if self._tier is not None:
                last["service_tier"] = self._tier
            extras = self._extras.get(None)
            last.update(extra_content(None, {GOOGLE_EXT: extras} if extras else None))
            frames.append(Frame(self._prefix + b"]," + jsontext.encode(last)[1:]))
        frames.append(DONE)
        return frames
