"""chat.completion.chunk frames -> events (mapping.md 3.2, 3.6).

Endpoints differ in what they leave out: an index, an id, a finish reason. A call is known by its index, else by a new id or
name; a stream is complete when every choice has said how it ended.
"""

from collections.abc import Mapping
from typing import Any

from portico.core.dialect import Reading
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty, UpstreamIncomplete
from portico.core.events import (
    Annotated,
    CandidateFinished,
    Event,
    Failed,
    Finished,
    PartDelta,
    PartEnded,
    Started,
    UsageReported,
)
from portico.core.parts import Opaque, Reasoning, Signature, Text
from portico.core.telling import PartTeller
from portico.dialects.openai.errors import parse_error_object
from portico.dialects.openai.logprobs import parse_logprobs
from portico.dialects.openai_chat.annotations import parse_annotations
from portico.dialects.openai_chat.checks import object_at
from portico.dialects.openai_chat.content import parse_content
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, VENDOR, ext_of, read_google
from portico.dialects.openai_chat.response import (
    REFUSAL,
    SEARCHES,
    UNREADABLE,
    arguments_in,
    created_at,
    name_in,
    parse_audio,
    parse_call,
    parse_finish,
    searches_in,
    text_in,
    with_own,
)
from portico.dialects.openai_chat.usage import parse_usage
from portico.wire import jsontext
from portico.wire.sse import Frame


class _ReadChoice:
    """One choice of a stream that is being read."""

    __slots__ = (
        "annotations",
        "call_parts",
        "feedback",
        "finish",
        "google",
        "last_call",
        "own",
        "refusals",
        "searches",
        "teller",
    )

    def __init__(self, index: int) -> None:
        self.annotations: list[Any] = []
        self.refusals: list[str] = []
        self.searches: tuple[str, ...] = ()
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
        except UNREADABLE:
            self._failed = True
            events.append(Failed(UpstreamBadGateway()))
        return events

    def put_off(self) -> list[Event]:
        return []

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
            searches = choice.searches
            citations, choice.own["annotations"] = parse_annotations(choice.annotations)
            extras = with_own(ext_of(choice.google), choice.own)
            if extras or citations or searches:
                events.append(Annotated(index, extras, citations, searches))
        if not self._choices or any(choice.finish is None for choice in self._choices.values()):
            return [*events, *self._fail(UpstreamIncomplete())]
        return [*events, *finished, Finished()]

    def _fail(self, error: Any) -> list[Event]:
        self._failed = True
        return [Failed(error)]

    def _read(self, body: dict[str, Any], events: list[Event]) -> None:
        if not self._started:
            self._started = True
            events.append(Started(name_in(body, "id"), name_in(body, "model"), created_at(body)))
            if own := with_own(None, {"system_fingerprint": body.get("system_fingerprint")}):
                events.append(Annotated(None, own))
        for position, wire in enumerate(body.get("choices") or ()):
            index = wire.get("index")
            self._read_choice(position if index is None else int(index), wire, events)
        usage = parse_usage(body.get("usage"))
        if usage is not None:
            events.append(UsageReported(usage, name_in(body, "service_tier"), raw=body.get("usage")))
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
        elif isinstance(delta.get("content"), list):  # an image among parts (2.8)
            for part in parse_content(delta["content"]):
                if isinstance(part, Text) and part.signature is None:
                    choice.teller.text(part, events)
                else:
                    choice.teller.whole(part, events)
        for part in [*parse_content(list(delta.get("images") or ())), *parse_audio(delta.get("audio"))]:
            choice.teller.whole(part, events)
        for item in delta.get("tool_calls") or ():
            self._tool_call(index, choice, item, events)
        self._legacy_call(index, choice, delta.get("function_call"), events)
        self._google(choice, read_google(delta), events)
        if refusal := text_in(delta, "refusal"):
            choice.refusals.append(refusal)
        if delta.get("annotations"):
            choice.annotations += delta["annotations"]
        if wire.get("logprobs"):
            logprobs, rest = parse_logprobs(wire["logprobs"])
            for name, more in rest.items():
                told = choice.own.setdefault("logprobs", {})
                told[name] = [*told.get(name, []), *more]
            if logprobs:
                events.append(Annotated(index, logprobs=logprobs))
        if text_in(wire, "finish_reason"):
            parse_finish(wire, choice.feedback)  # what cannot be read is known now
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
        elif text := arguments_in(function) or text_in(function, "input"):
            events.append(PartDelta(index, part_index, text))

    def _legacy_call(self, index: int, choice: _ReadChoice, call: Any, events: list[Event]) -> None:
        if isinstance(call, Mapping):
            self._tool_call(index, choice, {"index": "function_call", "function": call}, events)

    def _google(self, choice: _ReadChoice, google: Mapping[str, Any], events: list[Event]) -> None:
        for name, value in google.items():
            if name == "thought_signature":
                if signature := text_in(google, name):
                    choice.teller.whole(Text("", Signature(VENDOR, signature)), events)
            elif name == "prompt_feedback":
                choice.feedback = value
            elif name == "parts":
                for item in value:
                    choice.teller.whole(Opaque(GOOGLE_EXT, object_at(item["part"], ".part")), events)
            elif name == SEARCHES:
                choice.searches = searches_in(google)
            else:
                choice.google[name] = value

    def _end_all(self, index: int, choice: _ReadChoice, events: list[Event]) -> None:
        choice.teller.end(events)
        events += [PartEnded(index, part_index) for part_index in choice.call_parts.values()]
        choice.call_parts = {}
