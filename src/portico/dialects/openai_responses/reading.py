"""Output items -> parts of an answer, as they come or whole (mapping.md 7.2, 7.3).

`output_item.done` holds the whole item and is believed: what deltas did not tell is told then, so that an endpoint which
sends only some of the events is read all the same.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Reading
from portico.core.events import Annotated, Event, PartDelta, PartEnded, PartStarted
from portico.core.parts import Ext, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Citation
from portico.dialects.openai.checks import array_at, object_at, optional_string, string_at
from portico.dialects.openai.logprobs import parse_logprobs
from portico.dialects.openai_responses.content import ORIGIN, REFUSAL, SHARED, annotations_of, knows, parse_content
from portico.dialects.openai_responses.items import image_of, own_ext
from portico.dialects.openai_responses.thoughts import BETWEEN, FULL, entries_of, parse_reasoning, thought_ext

CALLS: Final[Mapping[str, str]] = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that call a tool of the caller, and the field that grows."""
BLOCKED: Final = "prompt_blocked"
"""Marks a message that only says that the prompt was refused; how the answer ended says it too."""
USES: Final[Mapping[str, str]] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
    "mcp_call": "mcp",
    "computer_call": "computer",
}
"""Items of tools that OpenAI ran -> what the use is called where it is billed."""
HOSTED_SHELL: Final = "code_interpreter"


def use_of(item: Mapping[str, Any]) -> str | None:
    """What an item used; None: nothing of OpenAI's. A shell in its containers is billed as the code interpreter is."""
    kind = str(item.get("type"))
    if kind == "shell_call":
        return HOSTED_SHELL if in_container(item) else None
    return USES.get(kind)


def in_container(shell: Mapping[str, Any]) -> bool:
    """Whether a shell, as a tool or as its call, is one that OpenAI runs; else its caller does."""
    where = shell.get("environment")
    return isinstance(where, Mapping) and str(where.get("type")).startswith("container")


class _Open:
    """A part that is being told: its number, and how much of its text came."""

    __slots__ = ("index", "part", "told")

    def __init__(self, index: int, part: Part, told: int) -> None:
        self.index = index
        self.part = part
        self.told = told


class _Item:
    """An output item that is being read."""

    __slots__ = ("call", "ext", "heard", "parts")

    def __init__(self, ext: Ext) -> None:
        self.ext = ext
        self.parts: dict[tuple[str, int], _Open] = {}
        """Those that are open, by member (`content`, `summary`) and place in it."""
        self.heard: dict[tuple[str, int], int] = {}
        """Characters of each thought that came, its part being open or not."""
        self.call: _Open | None = None


class OutputReader:
    """Reads the items of one answer. Raises `InvalidRequest` and the like for values of unexpected types."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._items: dict[int, _Item] = {}
        self._done: set[int] = set()
        self._next = 0
        self._starts: dict[tuple[int, int], int] = {}
        """Where the texts of whole items begin in all the text."""
        self._length = 0
        """Characters of visible text so far."""
        self._signed: dict[str, Signature] = {}
        self._for_text: Signature | None = None
        self._citations: list[Citation] = []
        self._annotations: list[Any] = []
        self.calls = False
        """The caller's tools were called."""
        self.uses: dict[str, int] = {}

    # -- items

    def added(self, at: int, item: Mapping[str, Any], events: list[Event]) -> None:
        """An item begins."""
        kind = string_at(item.get("type"), ".type")
        opened = self._items[at] = _Item(own_ext(item) if kind == "message" else None)
        if kind != "message":
            self._end_text(events)
        if kind in CALLS:
            opened.call = self._begin(self._call(item, kind), events)

    def done(self, at: int, item: Mapping[str, Any], events: list[Event]) -> None:
        """All of an item."""
        if at in self._done:
            return
        self._done.add(at)
        kind = string_at(item.get("type"), ".type")
        opened = self._items.setdefault(at, _Item(own_ext(item) if kind == "message" else None))
        if kind != "message":
            self._end_text(events)
        if kind == "message":
            self._message(at, opened, item, events)
        elif kind == "reasoning":
            self._thoughts(at, opened, item, events)
        elif kind in CALLS:
            self._end_call(opened, item, kind, events)
        else:
            self._hosted(item, kind, events)

    def holds(self, at: int) -> bool:
        """Whether an item was told whole."""
        return at in self._done

    def close(self, events: list[Event]) -> None:
        """The answer ends: what is still open, and what was said of all of it."""
        self._end_text(events)
        for opened in self._items.values():
            rest = [*opened.parts.values(), *([opened.call] if opened.call else [])]
            events += [PartEnded(0, one.index) for one in rest]
        if self._citations or self._annotations:
            ext: Ext = {SHARED: {"annotations": self._annotations}} if self._annotations else None
            events.append(Annotated(0, ext, tuple(self._citations)))

    # -- parts

    def _begin(self, part: Part, events: list[Event]) -> _Open:
        index = self._next
        self._next += 1
        events.append(PartStarted(0, index, part))
        text = (
            part.text if isinstance(part, (Text, Reasoning)) else part.arguments if isinstance(part, ToolCall) else ""
        )
        return _Open(index, part, len(text))

    def _whole(self, part: Part, events: list[Event]) -> None:
        events.append(PartEnded(0, self._begin(part, events).index))

    def _end_text(self, events: list[Event]) -> None:
        """No text came for a signature: it stands alone."""
        if self._for_text is not None:
            signature, self._for_text = self._for_text, None
            self._whole(Text("", signature), events)

    def text(self, at: int, place: int, text: str, events: list[Event], *, refusal: bool = False) -> None:
        """More of a message's text."""
        opened = self._items.setdefault(at, _Item(None))
        found = opened.parts.get(("content", place))
        if not text or (opened.ext or {}).get(ORIGIN, {}).get(BLOCKED):
            return
        self._length += len(text)
        if found is None:
            ext: Ext = {**(opened.ext or {}), **(REFUSAL or {})} if refusal else opened.ext
            signature, self._for_text = self._for_text, None
            opened.parts["content", place] = self._begin(Text(text, signature, ext), events)
        else:
            found.told += len(text)
            events.append(PartDelta(0, found.index, text))

    def thought(self, at: int, member: str, place: int, text: str, id_: Any, events: list[Event]) -> None:
        """More of a reasoning item's summary or content. The last of its parts stays open: the seal comes at the end."""
        if not text:
            return
        opened = self._items.setdefault(at, _Item(None))
        follows = bool(place) or any(other == member for other, _ in opened.heard)
        opened.heard[member, place] = opened.heard.get((member, place), 0) + len(text)
        found = opened.parts.get((member, place))
        if found is not None:
            events.append(PartDelta(0, found.index, text))
            return
        events += [PartEnded(0, one.index) for one in opened.parts.values()]
        opened.parts.clear()
        ext = thought_ext(id_ if isinstance(id_, str) else None, full=member == FULL)
        between = BETWEEN if follows else ""
        opened.parts[member, place] = self._begin(Reasoning(between + text, ext=ext), events)

    def arguments(self, at: int, text: str, events: list[Event]) -> None:
        """More of a call's arguments."""
        opened = self._items.get(at)
        if opened is not None and opened.call is not None and text:
            opened.call.told += len(text)
            events.append(PartDelta(0, opened.call.index, text))

    # -- whole items

    def _message(self, at: int, opened: _Item, item: Mapping[str, Any], events: list[Event]) -> None:
        content = [] if item.get(BLOCKED) else array_at(item.get("content") or [], ".content")
        start = self._length - sum([one.told for one in opened.parts.values()])
        for place, entry in enumerate(content):
            fields = object_at(entry, ".content")
            found = opened.parts.get(("content", place))
            kind = fields.get("type")
            if kind in ("output_text", "refusal", "input_text", "text"):
                said = string_at(fields.get("refusal" if kind == "refusal" else "text"), ".text")
                if found is None:
                    self._told_late(opened, item, place, said, events, refusal=kind == "refusal")
                elif len(said) > found.told:
                    self._length += len(said) - found.told
                    events.append(PartDelta(0, found.index, said[found.told :]))
                self._starts[at, place] = start
                self._marks(fields, start, events)
                start += len(said)
            elif knows(kind):
                for part in parse_content([fields]):
                    self._whole(part, events)
            else:  # nobody here knows it: it is kept whole, in an item of its own
                alone = {**item, "id": f"{item.get('id') or 'msg'}_{place}", "content": [fields]}
                self._whole(Opaque(ORIGIN, alone), events)
        events += [PartEnded(0, one.index) for one in opened.parts.values()]
        opened.parts.clear()

    def _told_late(
        self, opened: _Item, item: Mapping[str, Any], place: int, said: str, events: list[Event], *, refusal: bool
    ) -> None:
        opened.ext = own_ext(item)
        if said or (opened.ext and not place):
            if not said:
                signature, self._for_text = self._for_text, None
                opened.parts["content", place] = self._begin(Text("", signature, opened.ext), events)
            ext: Ext = {**(opened.ext or {}), **(REFUSAL or {})} if refusal else opened.ext
            if said:
                signature, self._for_text = self._for_text, None
                self._length += len(said)
                opened.parts["content", place] = self._begin(Text(said, signature, ext), events)

    def _marks(self, fields: Mapping[str, Any], start: int, events: list[Event]) -> None:
        """Sources and logprobs of a text that begins at this character of the answer's."""
        for annotation in annotations_of(fields):
            self._annotate(annotation, start)
        if fields.get("logprobs"):
            tokens, _ = parse_logprobs({"content": fields["logprobs"]})
            events.append(Annotated(0, logprobs=tokens))

    def _annotate(self, annotation: Any, start: int) -> None:
        cited = _citation(annotation, start)
        if cited is None:
            self._annotations.append(annotation)
        else:
            self._citations.append(cited)

    def late_annotation(self, at: int, place: int, annotation: Any) -> None:
        """An annotation by itself: the whole item repeats it, unless that was told before."""
        if at in self._done:
            self._annotate(annotation, self._starts.get((at, place), 0))

    def _thoughts(self, at: int, opened: _Item, item: Mapping[str, Any], events: list[Event]) -> None:
        sealed = parse_reasoning(item)
        if sealed.signature is not None:
            if sealed.call:
                self._signed[sealed.call] = sealed.signature
            else:
                self._for_text = sealed.signature
        elif not opened.heard:
            for part in sealed.parts:
                self._whole(part, events)
        else:
            for member, place, text in sorted(entries_of(item), key=lambda entry: entry[:2] not in opened.parts):
                self.thought(at, member, place, text[opened.heard.get((member, place), 0) :], item.get("id"), events)
        seal = sealed.parts[-1].signature if sealed.parts else None
        events += [PartEnded(0, last.index, seal) for last in opened.parts.values()]
        opened.parts.clear()

    def _call(self, item: Mapping[str, Any], kind: str) -> ToolCall:
        wire_id = optional_string(item.get("call_id"), ".call_id") or None
        name = string_at(item.get("name"), ".name")
        arguments = optional_string(item.get(CALLS[kind]), f".{CALLS[kind]}") or ""
        self.calls = True
        call_id = wire_id or self._reading.mint()
        return ToolCall(
            call_id,
            self._named(name, item.get("namespace")),
            arguments,
            "custom" if kind == "custom_tool_call" else "function",
            minted=not wire_id,
            signature=self._signed.pop(call_id, None),
            ext=own_ext(item),
        )

    def _named(self, name: str, namespace: Any) -> str:
        """The caller's name for a tool, which may stand in a namespace here."""
        if isinstance(namespace, str) and (joint := f"{namespace}__{name}") in self._reading.tools:
            return joint
        return self._reading.tool_names.get(name, name)

    def _end_call(self, opened: _Item, item: Mapping[str, Any], kind: str, events: list[Event]) -> None:
        if opened.call is None:
            opened.call = self._begin(self._call(item, kind), events)
        call, whole = opened.call, optional_string(item.get(CALLS[kind]), f".{CALLS[kind]}") or ""
        if not whole and not call.told and kind == "function_call":
            whole = "{}"  # no text spells no arguments
        if len(whole) > call.told:
            events.append(PartDelta(0, call.index, whole[call.told :]))
        signature = self._signed.pop(call.part.id, None) if isinstance(call.part, ToolCall) else None
        events.append(PartEnded(0, call.index, signature))
        opened.call = None

    def _hosted(self, item: Mapping[str, Any], kind: str, events: list[Event]) -> None:
        """What a tool of the provider did: a picture is media, the rest is kept whole."""
        if (use := use_of(item)) is not None:
            self.uses[use] = self.uses.get(use, 0) + 1
        image = image_of(item) if kind == "image_generation_call" else None
        if image is None:
            self._whole(Opaque(ORIGIN, item), events)
            return
        signature = self._signed.pop(str(item.get("id")), None)
        self._whole(msgspec.structs.replace(image, signature=signature), events)


def _citation(annotation: Any, start: int) -> Citation | None:
    """A source by address; None for any other annotation."""
    if not isinstance(annotation, Mapping) or annotation.get("type") != "url_citation":
        return None
    begin, end, url, title = (annotation.get(name) for name in ("start_index", "end_index", "url", "title"))
    if not isinstance(begin, int) or not isinstance(end, int) or not isinstance(url, str):
        return None
    return Citation(start + begin, start + end, url, title if isinstance(title, str) and title else None)
