"""chat.completion.chunk frames -> events (mapping.md 3.2, 3.6).

Endpoints differ in what they leave out: an index, an id, a finish reason. A call is known by its index, where that is not
the same for all of them, else by a new id or name; a stream is complete when every choice has said how it ended, or when
`[DONE]` was said.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

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
from portico.core.parts import Opaque, Reasoning, Signature, Text, ToolCall
from portico.core.response import Finish, FinishReason
from portico.core.telling import PartTeller
from portico.dialects.openai.checks import object_at
from portico.dialects.openai.errors import parse_error_object, tells_error
from portico.dialects.openai.logprobs import parse_logprobs
from portico.dialects.openai_chat.annotations import annotations_in, parse_annotations
from portico.dialects.openai_chat.content import parse_content
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, VENDOR, ext_of, read_google
from portico.dialects.openai_chat.more import MORE
from portico.dialects.openai_chat.response import REFUSAL, SEARCHES
from portico.dialects.openai_chat.response_parse import (
    UNREADABLE,
    arguments_in,
    created_at,
    free_text,
    name_in,
    parse_audio,
    parse_call,
    parse_finish,
    searches_in,
    text_in,
    thoughts_in,
    with_calls,
    with_own,
)
from portico.dialects.openai_chat.usage import parse_usage, usage_in, uses_in
from portico.wire import jsontext
from portico.wire.sse import Frame


class _ReadChoice:
    """One choice of a stream that is being read."""

    __slots__ = (
        "annotations",
        "call_ids",
        "call_parts",
        "called",
        "calls_waiting",
        "feedback",
        "finish",
        "google",
        "last_call",
        "latest",
        "own",
        "refusals",
        "searches",
        "teller",
        "waiting",
    )

    def __init__(self, index: int) -> None:
        self.annotations: list[Any] = []
        self.refusals: list[str] = []
        self.searches: tuple[str, ...] = ()
        self.own: dict[str, Any] = {}
        self.teller = PartTeller(index)
        self.call_parts: dict[Any, int] = {}
        self.call_ids: dict[Any, str] = {}
        """Of every call the id it came with, maybe none."""
        self.called = False
        self.latest: dict[Any, Any] = {}
        """Of an index that several calls have, the last of them."""
        self.waiting: dict[Any, list[str]] = {}
        self.calls_waiting: dict[Any, ToolCall] = {}
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
        self._cites = False
        """An address was told as a source."""
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
        if frame.event == "error" or tells_error(body):
            return self._fail(parse_error_object(body))
        events: list[Event] = []
        try:
            self._read(body, events)
        except UNREADABLE:
            self._failed = True
            events.append(Failed(UpstreamBadGateway()))
        return events

    def more(self, frame: Frame) -> PartDelta | None:
        try:
            (wire,) = MORE.decode(frame.data).choices
        except jsontext.NOT_DECODED:
            return None
        choice, text = self._choices.get(wire.index), wire.delta.content
        if choice is None or not text or self._failed or self._done or frame.event == "error":
            return None
        teller = choice.teller
        return PartDelta(wire.index, teller.open, text) if teller.open is not None and teller.kind is Text else None

    def note(self, more: PartDelta) -> None:
        """Nothing here depends on how long a text is."""

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
            finish = _finish_of(choice)
            if finish is not None:
                finished.append(CandidateFinished(index, finish))
            searches = choice.searches
            citations, choice.own["annotations"] = parse_annotations(choice.annotations)
            extras = with_own(ext_of(choice.google), choice.own)
            if extras or citations or searches:
                events.append(Annotated(index, extras, citations, searches))
        if not self._choices or not (self._done or all(choice.finish is not None for choice in self._choices.values())):
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
        counts = usage_in(body)
        usage = parse_usage(counts)
        if usage is not None:
            uses = uses_in(counts, searched=self._cites)
            events.append(UsageReported(usage, name_in(body, "service_tier"), uses, raw=counts))
        if extras := ext_of(read_google(body)):
            events.append(Annotated(None, extras))

    def _read_choice(self, index: int, wire: Mapping[str, Any], events: list[Event]) -> None:
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = _ReadChoice(index)
        delta = wire.get("delta") or {}
        if thought := thoughts_in(delta):
            choice.teller.text(Reasoning(thought), events)
        if isinstance(delta.get("content"), str):
            choice.teller.text(Text(delta["content"]), events)
        elif isinstance(delta.get("content"), list):  # an image among parts (2.8)
            for part in parse_content(delta["content"], answered=True):
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
        if annotations := annotations_in(delta):
            choice.annotations += annotations
            self._cites = self._cites or _cites(annotations)
        if wire.get("logprobs"):
            logprobs, rest = parse_logprobs(wire["logprobs"])
            for name, more in rest.items():
                told = choice.own.setdefault("logprobs", {})
                told.setdefault(name, []).extend(more)
            if logprobs:
                events.append(Annotated(index, logprobs=logprobs))
        if text_in(wire, "finish_reason"):
            parse_finish(wire, choice.feedback)  # what cannot be read is known now
            choice.finish = wire

    # -- parts

    def _tool_call(self, index: int, choice: _ReadChoice, item: Mapping[str, Any], events: list[Event]) -> None:
        """A call is known by its index; where an endpoint leaves it out or gives all the same, a new id or a name begins a
        new call. Ids and names that are said again with every piece begin none."""
        function = item.get("function") or item.get("custom") or {}
        key, call_id, name = item.get("index"), text_in(item, "id"), function.get("name")
        if key is None:
            key = choice.last_call
            begins = call_id != choice.call_ids.get(key) if call_id else bool(name)
            if key is None or begins:
                key = ("call", len(choice.call_ids))
        elif key in choice.call_ids:
            key = self._same_index(choice, key, call_id, begins=bool(name))
        choice.last_call = key
        if key not in choice.call_ids:
            self._begin_call(choice, key, item, events)
        elif text := arguments_in(function) or text_in(function, "input"):
            if (waiting := choice.waiting.get(key)) is not None:
                waiting.append(text)
            else:
                events.append(PartDelta(index, choice.call_parts[key], text))

    def _same_index(self, choice: _ReadChoice, index: Any, call_id: str, *, begins: bool) -> Any:
        """Which call a piece belongs to whose index is known: that which has its id, or the last of that index."""
        if not call_id:
            return choice.latest.get(index, index)
        key = (index, call_id)
        if choice.call_ids[index] in ("", call_id) or not (begins or key in choice.call_ids):
            return index
        choice.latest[index] = key
        return key

    def _begin_call(self, choice: _ReadChoice, key: Any, item: Mapping[str, Any], events: list[Event]) -> None:
        """A custom tool that was declared as a function is told when its text is whole."""
        choice.called = True
        choice.call_ids[key] = text_in(item, "id")
        call = parse_call(item, Reading(self._reading.mint, self._reading.tool_names))
        if call.kind == "function" and call.name in self._reading.custom:
            choice.waiting[key] = [call.arguments]
            choice.calls_waiting[key] = call
        else:
            choice.call_parts[key] = choice.teller.start(call, events)

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
        for key, call in choice.calls_waiting.items():
            arguments = "".join(choice.waiting[key])
            text = free_text(arguments)
            kind, said = ("function", arguments) if text is None else ("custom", text)
            choice.teller.whole(msgspec.structs.replace(call, kind=kind, arguments=said), events)


def _finish_of(choice: _ReadChoice) -> Finish | None:
    """How it ended. Where the stream was ended in order and nobody says how, it stopped."""
    how = Finish(FinishReason.STOP) if choice.finish is None else parse_finish(choice.finish, choice.feedback)
    return with_calls(how, choice.called)


def _cites(annotations: list[Any]) -> bool:
    return any(isinstance(one, Mapping) and one.get("type") == "url_citation" for one in annotations)
