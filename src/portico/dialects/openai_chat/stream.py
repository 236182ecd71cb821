"""chat.completion.chunk frames <-> events (mapping.md 3.2, 3.6).

Writing: role first; indices of tool calls run over the whole stream per choice; the finish once per choice; usage only on
request, in a chunk of its own; `[DONE]` after success and never after a failure. The parts of a chunk that do not
change are encoded once.
"""

from collections.abc import Mapping
from typing import Any

from portico.core.dialect import Reading, Reply
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty, UpstreamIncomplete
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
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Finish
from portico.core.telling import PartTeller
from portico.core.usage import Usage
from portico.dialects.openai_chat.content import parse_content
from portico.dialects.openai_chat.errors import parse_error_object, render_error
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, ORIGIN, VENDOR, ext_of, extra_content, read_google
from portico.dialects.openai_chat.media_out import audio_entry, image_entry, is_audio, markdown_image
from portico.dialects.openai_chat.messages_render import render_call
from portico.dialects.openai_chat.response import (
    CANDIDATE_PATH,
    ORDER,
    REFUSAL,
    answer_id,
    blocked,
    finish_fields,
    is_refusal,
    parse_audio,
    parse_call,
    parse_finish,
    refusal_text,
    text_signature,
    with_own,
)
from portico.dialects.openai_chat.usage import parse_usage, render_usage
from portico.wire import jsontext
from portico.wire.sse import DONE, Frame

_OPEN_DELTA = b'{"index":%d,"delta":'
_CLOSE_DELTA = b',"logprobs":null,"finish_reason":null}]'


class _Choice:
    """One choice as far as it has been told."""

    __slots__ = (
        "calls",
        "custom",
        "highest",
        "images",
        "kinds",
        "opaque",
        "out_of_order",
        "signatures",
    )

    def __init__(self) -> None:
        self.kinds: dict[int, Part | int] = {}
        """Part index -> the part's kind by example, or the tool-call index it was told under."""
        self.calls = 0
        self.custom: set[int] = set()
        """Which of the calls take free text."""
        self.images = 0
        self.signatures: list[Signature] = []
        self.opaque: list[dict[str, Any]] = []
        self.highest = 0
        self.out_of_order = False


class ChatWriter:
    """Events -> chunks."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.losses: list[Loss] = []
        self._choices: dict[int, _Choice] = {}
        self._prefix = b""
        self._suffix = b',"usage":null}' if reply.include_usage else b"}"
        self._usage: Usage | None = None
        self._tier: str | None = None
        self._extras: dict[int | None, dict[str, Any]] = {}
        self._own: dict[int | None, dict[str, Any]] = {}
        self._id = answer_id(None, reply)
        self._started = Started()
        self._begin(self._started)

    def feed(self, event: Event) -> list[Frame]:
        match event:
            case PartDelta(candidate, index, text):
                return self._delta(candidate, index, text)
            case PartStarted(candidate, index, part):
                return self._part_started(candidate, index, part)
            case PartEnded(candidate, index, signature):
                return self._part_ended(candidate, index, signature)
            case UsageReported(usage, tier):
                self._usage = usage
                self._tier = tier or self._tier
            case Started():
                self._started = event
                self._begin(event)
            case Annotated(candidate, ext):
                extras = self._extras.setdefault(candidate, {})
                extras.update((ext or {}).get(GOOGLE_EXT, {}))
                self._own.setdefault(candidate, {}).update((ext or {}).get(ORIGIN, {}))
                if candidate is None and ORIGIN in (ext or {}):
                    self._begin(self._started)
            case CandidateFinished(candidate, finish):
                return self._finish(candidate, finish)
            case Finished():
                return self._finished()
            case Failed(error):
                return [Frame(jsontext.encode(render_error(error)))]
        return []

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

    # -- parts

    def _part_started(self, candidate: int, index: int, part: Part) -> list[Frame]:
        frames: list[Frame] = []
        choice = self._choice(candidate, frames)
        if isinstance(part, Opaque):
            choice.kinds[index] = part
            choice.highest = ORDER[Opaque]
            if part.origin == GOOGLE_EXT:
                choice.opaque.append({"index": index, "part": part.value})
            return frames
        if isinstance(part, Reasoning) and not self._reply.thoughts:
            choice.kinds[index] = part
            return frames
        rank = ORDER[type(part)]
        choice.out_of_order = choice.out_of_order or rank < choice.highest
        choice.highest = max(rank, choice.highest)
        if isinstance(part, ToolCall):
            self._call(candidate, index, part, choice, frames)
        elif isinstance(part, Media):
            choice.kinds[index] = part
            self._media(candidate, part, choice, frames)
        else:
            choice.kinds[index] = part
            if isinstance(part, Text) and part.signature is not None:
                choice.signatures.append(part.signature)
            if isinstance(part, Reasoning) and self._reply.thought_tag:
                frames.append(self._chunk(candidate, {"content": f"<{self._reply.thought_tag}>{part.text}"}))
            elif isinstance(part, (Text, Reasoning)) and part.text:
                key = "reasoning_content" if isinstance(part, Reasoning) else text_key(part)
                frames.append(self._chunk(candidate, {key: part.text}))
        return frames

    def _delta(self, candidate: int, index: int, text: str) -> list[Frame]:
        kind = self._choices[candidate].kinds[index]
        if isinstance(kind, Text):
            return [self._chunk(candidate, {text_key(kind): text})] if text else []
        if isinstance(kind, Reasoning):
            key = "content" if self._reply.thought_tag else "reasoning_content"
            return [self._chunk(candidate, {key: text})] if text and self._reply.thoughts else []
        if isinstance(kind, int):
            if self._reply.legacy_functions:
                return [self._chunk(candidate, {"function_call": {"arguments": text}})] if kind == 0 else []
            custom = kind in self._choices[candidate].custom
            piece = {"custom": {"input": text}} if custom else {"function": {"arguments": text}}
            return [self._chunk(candidate, {"tool_calls": [{"index": kind, **piece}]})]
        return []

    def _part_ended(self, candidate: int, index: int, signature: Signature | None) -> list[Frame]:
        choice = self._choices[candidate]
        if signature is not None:
            choice.signatures.append(signature)
        if self._reply.thought_tag and self._reply.thoughts and isinstance(choice.kinds.get(index), Reasoning):
            return [self._chunk(candidate, {"content": f"</{self._reply.thought_tag}>"})]
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
            choice.custom.add(number)
        else:
            rendered["function"]["arguments"] = call.arguments
        frames.append(self._chunk(candidate, {"tool_calls": [{"index": number, **rendered}]}))

    def _media(self, candidate: int, part: Media, choice: _Choice, frames: list[Frame]) -> None:
        if is_audio(part):
            frames.append(self._chunk(candidate, {"audio": audio_entry(part, self._reply.id, self._reply.created)}))
        elif self._reply.image_form == "markdown":
            if part.thought:
                path = CANDIDATE_PATH.format(candidate)
                self.losses.append(Loss("2.2:draft", path, "a draft image the model made while thinking"))
                return
            frames.append(self._chunk(candidate, {"content": markdown_image(part)}))
        else:
            frames.append(self._chunk(candidate, {"images": [image_entry(part, choice.images)]}))
            choice.images += 1

    # -- the end

    def _finish(self, candidate: int, finish: Finish) -> list[Frame]:
        frames: list[Frame] = []
        choice = self._choice(candidate, frames)
        path = CANDIDATE_PATH.format(candidate)
        if choice.out_of_order:
            self.losses.append(Loss("2.2:order", path, "Chat keeps thoughts, content and calls apart, not their order"))
        google: dict[str, Any] = {}
        if choice.opaque:
            google["parts"] = choice.opaque
        if finish.prompt_blocked:
            frames.append(self._chunk(candidate, {"refusal": refusal_text(finish)}))
            google["prompt_feedback"] = blocked(finish)
        signature = text_signature(choice.signatures, self.losses, path)
        extras = self._extras.pop(candidate, None)
        extra = extra_content(signature, {GOOGLE_EXT: extras} if extras else None, google)
        if extra:
            frames.append(self._chunk(candidate, extra))
        own = self._own.get(candidate, {})
        if "annotations" in own:
            frames.append(self._chunk(candidate, {"annotations": own["annotations"]}))
        told = finish_fields(finish, self._reply, self.losses, path)
        ending = jsontext.encode({"index": candidate, "delta": {}, "logprobs": own.get("logprobs"), **told})
        frames.append(Frame(self._prefix + ending + b"]" + self._suffix))
        return frames

    def _finished(self) -> list[Frame]:
        frames: list[Frame] = []
        last: dict[str, Any] = {}
        if self._reply.include_usage:
            last["usage"] = None if self._usage is None else render_usage(self._usage)
            if self._tier is not None:
                last["service_tier"] = self._tier
            extras = self._extras.get(None)
            last.update(extra_content(None, {GOOGLE_EXT: extras} if extras else None))
            frames.append(Frame(self._prefix + b"]," + jsontext.encode(last)[1:]))
        frames.append(DONE)
        return frames


def text_key(part: Text) -> str:
    """The delta that a text is told in."""
    return "refusal" if is_refusal(part.ext) else "content"


class _ReadChoice:
    """One choice of a stream that is being read."""

    __slots__ = (
        "call_parts",
        "feedback",
        "finish",
        "google",
        "last_call",
        "own",
        "refusals",
        "teller",
    )

    def __init__(self, index: int) -> None:
        self.refusals: list[str] = []
        self.own: dict[str, Any] = {}
        self.teller = PartTeller(index)
        self.call_parts: dict[Any, int] = {}
        self.last_call: Any = None
        self.finish: Mapping[str, Any] | None = None
        self.google: dict[str, Any] = {}
        self.feedback: Any = None


class ChatReader:
    """Chunks -> events."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._choices: dict[int, _ReadChoice] = {}
        self._started = False
        self._done = False
        self._failed = False

    def feed(self, frame: Frame) -> list[Event]:
        if self._failed or self._done:
            return []
        if frame.data.strip() == b"[DONE]":
            self._done = True
            return []
        try:
            body = jsontext.decode(frame.data)
        except jsontext.NotJson as error:
            return self._fail(UpstreamBadGateway(f"The provider sent a frame that is not JSON: {error}"))
        if not isinstance(body, dict):
            return self._fail(UpstreamBadGateway("The provider sent a frame that is not a chunk."))
        if body.get("error") is not None:
            return self._fail(parse_error_object(body))
        events: list[Event] = []
        try:
            self._read(body, events)
        except (AttributeError, TypeError, ValueError, KeyError):
            self._failed = True
            events.append(Failed(UpstreamBadGateway()))
        return events

    def close(self) -> list[Event]:
        if self._failed:
            return []
        if not self._started:
            return self._fail(UpstreamEmpty())
        events: list[Event] = []
        finished: list[Event] = []
        for index, choice in sorted(self._choices.items()):
            if choice.refusals and not choice.feedback:  # of a blocked prompt the refusal is only a retelling
                choice.teller.whole(Text("".join(choice.refusals), ext=REFUSAL), events)
            self._end_all(index, choice, events)
            if choice.finish is not None:
                finish = parse_finish(choice.finish, choice.feedback)
                if finish is not None:
                    finished.append(CandidateFinished(index, finish))
            if extras := with_own(ext_of(choice.google), choice.own):
                events.append(Annotated(index, extras))
        if not self._choices or any(choice.finish is None for choice in self._choices.values()):
            return [*events, *self._fail(UpstreamIncomplete())]
        return [*events, *finished, Finished()]

    def _fail(self, error: Any) -> list[Event]:
        self._failed = True
        return [Failed(error)]

    def _read(self, body: dict[str, Any], events: list[Event]) -> None:
        if not self._started:
            self._started = True
            created = body.get("created")
            events.append(Started(body.get("id") or None, body.get("model") or None, created))
            if own := with_own(None, {"system_fingerprint": body.get("system_fingerprint")}):
                events.append(Annotated(None, own))
        for position, wire in enumerate(body.get("choices") or ()):
            index = wire.get("index")
            self._read_choice(position if index is None else int(index), wire, events)
        usage = parse_usage(body.get("usage"))
        if usage is not None:
            events.append(UsageReported(usage, body.get("service_tier")))
        if extras := ext_of(read_google(body)):
            events.append(Annotated(None, extras))

    def _read_choice(self, index: int, wire: Mapping[str, Any], events: list[Event]) -> None:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _ReadChoice(index)
        delta = wire.get("delta") or {}
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thought, str):
            choice.teller.text(Reasoning(thought), events)
        if isinstance(delta.get("content"), str):
            choice.teller.text(Text(delta["content"]), events)
        for part in [*parse_content(list(delta.get("images") or ())), *parse_audio(delta.get("audio"))]:
            choice.teller.whole(part, events)
        for item in delta.get("tool_calls") or ():
            self._tool_call(index, choice, item, events)
        self._legacy_call(index, choice, delta.get("function_call"), events)
        self._google(choice, read_google(delta), events)
        if delta.get("refusal"):
            choice.refusals.append(delta["refusal"])
        if delta.get("annotations"):
            choice.own["annotations"] = [*choice.own.get("annotations", []), *delta["annotations"]]
        if wire.get("logprobs"):
            choice.own["logprobs"] = joined_logprobs(choice.own.get("logprobs"), wire["logprobs"])
        if wire.get("finish_reason") is not None:
            choice.finish = wire

    # -- parts

    def _tool_call(self, index: int, choice: _ReadChoice, item: Mapping[str, Any], events: list[Event]) -> None:
        """A call is known by its index; where an endpoint leaves it out, a new id or a name begins a new call."""
        function = item.get("function") or item.get("custom") or {}
        key = item.get("index")
        if key is None:
            begins = bool(item.get("id")) or bool(function.get("name"))
            key = ("call", len(choice.call_parts)) if begins or choice.last_call is None else choice.last_call
        choice.last_call = key
        part_index = choice.call_parts.get(key)
        if part_index is None:
            choice.call_parts[key] = choice.teller.start(parse_call(item, self._reading), events)
        elif text := function.get("arguments") or function.get("input"):
            events.append(PartDelta(index, part_index, text))

    def _legacy_call(self, index: int, choice: _ReadChoice, call: Any, events: list[Event]) -> None:
        if isinstance(call, Mapping):
            self._tool_call(index, choice, {"index": "function_call", "function": call}, events)

    def _google(self, choice: _ReadChoice, google: Mapping[str, Any], events: list[Event]) -> None:
        for name, value in google.items():
            if name == "thought_signature":
                choice.teller.whole(Text("", Signature(VENDOR, value)), events)
            elif name == "prompt_feedback":
                choice.feedback = value
            elif name == "parts":
                for item in value:
                    choice.teller.whole(Opaque(GOOGLE_EXT, item["part"]), events)
            else:
                choice.google[name] = value

    def _end_all(self, index: int, choice: _ReadChoice, events: list[Event]) -> None:
        choice.teller.end(events)
        events += [PartEnded(index, part_index) for part_index in choice.call_parts.values()]
        choice.call_parts = {}


def joined_logprobs(before: Any, more: Mapping[str, Any]) -> dict[str, Any]:
    """The logprobs of a stream so far, with those of one more chunk."""
    joined = dict(before or {})
    for key, items in more.items():
        if isinstance(items, list):
            joined[key] = [*joined.get(key, []), *items]
        else:
            joined.setdefault(key, items)
    return joined
