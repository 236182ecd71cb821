"""Events -> the events of a Responses stream, and the response object at their end (mapping.md 7.3).

One machine for both: an answer that comes whole is told as a stream, and only what the last event holds is sent. Items open
in the order their parts begin. A message stays open until something else begins, so that sources which are told late still
find their text. What was sealed by another vendor than OpenAI stands in an envelope, in a reasoning item before the part it
belongs to, or behind it where the seal came last (7.4).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

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
from portico.core.foreign import foreign_extras
from portico.core.loss import Loss
from portico.core.parts import Ext, Media, Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Finish, FinishReason
from portico.dialects.openai_responses.around import answer_id, finished, refusal_text, response_object
from portico.dialects.openai_responses.content import ORIGIN, SHARED, data_uri
from portico.dialects.openai_responses.hosted import hosted_events, in_progress, picture_events
from portico.dialects.openai_responses.marks import TextMarks
from portico.dialects.openai_responses.open_item import OpenItem, copied, entry_place, namespaces_of
from portico.dialects.openai_responses.reading import BLOCKED
from portico.dialects.openai_responses.thoughts import BETWEEN, FULL, own_fields, seal
from portico.dialects.openai_responses.usage import render_usage

PATH: Final = "$.output"
Told = list[dict[str, Any]]
_PREFIXES: Final[Mapping[str, str]] = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "image_generation_call": "ig",
}
MAX_SEAL: Final = 64 * 1024
"""Image models sign with megabytes; such a signature is kept on the server only (mapping.md 2.4)."""


class Telling:
    """Tells one answer. `losses` grows as things turn up that the Responses API cannot say."""

    def __init__(self, reply: Reply) -> None:
        self.losses: list[Loss] = []
        self.body: dict[str, Any] = {}
        """The response object; complete at the end."""
        self._reply = reply
        self._namespaces = namespaces_of(reply.echo)
        self._output: list[dict[str, Any]] = []
        self._last: OpenItem | None = None
        """The message or reasoning item that is still open."""
        self._parts: dict[int, OpenItem | None] = {}
        """Open parts by their number; None for one that is not shown."""
        self._pending: dict[int, tuple[Part, list[str]]] = {}
        """Parts that are told at their end: media that comes in pieces, hidden thoughts that may still be sealed."""
        self._kept: dict[int, Part] = {}
        self._late: list[Signature] = []
        """Seals that came behind a text."""
        self._marks = TextMarks()
        self._finish: Finish | None = None
        self._extras: dict[str, Any] = {}
        self._told_losses: set[str] = set()

    def feed(self, event: Event) -> Told:
        told: Told = []
        match event:
            case PartDelta(candidate, index, text):
                if candidate == 0:
                    self._more(index, text, told)
            case PartStarted(candidate, index, part):
                if candidate == 0:
                    self._begin(index, part, told)
            case PartEnded(candidate, index, signature):
                if candidate == 0:
                    self._end(index, signature, told)
            case UsageReported(usage, tier, _, _):
                self.body["usage"] = render_usage(usage)
                if tier is not None:
                    self.body["service_tier"] = tier
            case Annotated():
                self._annotate(event, told)
            case CandidateFinished(candidate, finish):
                if candidate == 0:
                    self._finish = finish
            case Started():
                self._start(event, told)
            case Finished():
                self._close(told)
            case Failed(error):
                self._fail(error, told)
        return told

    # -- beginning and end

    def _start(self, event: Started, told: Told) -> None:
        reply = self._reply
        id_ = answer_id(event.id, reply)
        created = event.created if event.created is not None else reply.created
        self.body = response_object(id_, created, reply.model or event.model or "", reply)
        told.append({"type": "response.created", "response": dict(self.body)})
        told.append({"type": "response.in_progress", "response": dict(self.body)})

    def _close(self, told: Told) -> None:
        finish = self._finish
        if finish is not None and finish.prompt_blocked:
            item = self._message({BLOCKED: True}, told)
            self._open_content(item, {"type": "refusal", "refusal": ""}, told)
            self._append(item, refusal_text(finish), told)
        self._end_last(told)
        self._tell_late(told)
        finished(self.body, finish, max(self._reply.created, self.body["created_at"]))
        if finish is not None and finish.reason in (FinishReason.ERROR, FinishReason.OTHER):
            text = f"the Responses API has no word for {finish.raw}; native_finish_reason says it"
            self._lose("2.5:finish", text)
        self.body["output"] = self._output
        if self._marks.homeless:
            self._extras["citations"] = [msgspec.structs.asdict(cited) for cited in self._marks.homeless]
        if self._extras:
            self.body["extra_content"] = self._extras
        if self._reply.cost is not None and self.body["usage"] is not None:
            self.body["usage"]["cost"] = self._reply.cost() / 1_000_000_000
        told.append({"type": f"response.{self.body['status']}", "response": self.body})

    def _fail(self, error: Any, told: Told) -> None:
        if not self.body:
            self._start(Started(), told)
        self._end_last(told)
        code = error.code or "server_error"
        body = {**self.body, "status": "failed", "error": {"code": code, "message": error.message}}
        body["output"] = self._output
        plain = {"code": code, "message": error.message, "param": error.param}
        told.append({"type": "error", **plain, "error": {"type": code, **plain}})
        told.append({"type": "response.failed", "response": body})

    def _lose(self, code: str, text: str) -> None:
        if text not in self._told_losses:
            self._told_losses.add(text)
            self.losses.append(Loss(code, PATH, text))

    # -- items

    def _add(self, value: dict[str, Any], first: Mapping[str, Any], told: Told) -> OpenItem:
        """A new item; `first` is what of it differs while it is in progress."""
        index = len(self._output)
        if not value.get("id"):
            prefix = _PREFIXES.get(value["type"], "item")
            value = {"id": f"{prefix}_{self.body['id'].removeprefix('resp_')}_{index}", **value}
        self._output.append(value)
        told.append({"type": "response.output_item.added", "output_index": index, "item": copied({**value, **first})})
        return OpenItem(index, value)

    def _done(self, item: OpenItem, told: Told) -> None:
        told.append({"type": "response.output_item.done", "output_index": item.index, "item": item.value})

    def _end_last(self, told: Told) -> None:
        item = self._last
        if item is None:
            return
        self._last = None
        self._end_entry(item, told)
        if item.kind == "message":
            item.value["status"] = "completed"
        self._done(item, told)

    def _at(self, item: OpenItem, kind: str, **more: Any) -> dict[str, Any]:
        """An event of an item."""
        return {"type": f"response.{kind}", "item_id": item.id, "output_index": item.index, **more}

    def _seal_item(self, signature: Signature, call: str, told: Told) -> None:
        """An envelope in an item of its own."""
        self._end_last(told)
        value = {"type": "reasoning", "summary": [], "encrypted_content": seal(signature, call=call)}
        self._done(self._add(value, {}, told), told)

    def _tell_late(self, told: Told) -> None:
        """Seals of a text that was over: the message stays open until then, for its sources."""
        late, self._late = self._late, []
        for signature in late:
            self._seal_item(signature, "", told)

    # -- parts

    def _begin(self, index: int, part: Part, told: Told) -> None:
        if self._late:
            self._tell_late(told)
        if not isinstance(part, Opaque) and part.ext:
            self.losses += foreign_extras(part.ext, PATH, own=(ORIGIN,))
        match part:
            case Text(text, signature, ext):
                if not text and signature is not None:
                    self._late.append(signature)
                    self._parts[index] = None
                    self._kept[index] = part
                    return
                if signature is not None:
                    self._seal_item(signature, "", told)
                self._parts[index] = self._text(text, ext, told)
            case Reasoning():
                self._thought(index, part, told)
            case ToolCall():
                self._call(index, part, told)
            case Media() if part.thought:
                self._parts[index] = None
                self._lose("2.2:draft", "a draft image the model made while thinking")
            case Media() | Opaque():
                self._pending[index] = (part, [])
            case _:
                self._parts[index] = None

    def _more(self, index: int, text: str, told: Told) -> None:
        if index in self._pending:
            self._pending[index][1].append(text)
            return
        item = self._parts.get(index)
        if item is not None:
            self._append(item, text, told)
        elif isinstance(kept := self._kept.pop(index, None), Text):
            self._tell_late(told)
            self._parts[index] = self._text(text, kept.ext, told)

    def _append(self, item: OpenItem, text: str, told: Told) -> None:
        """More of what is open in an item."""
        if not text:
            return
        if item.kind == "reasoning" and item.entry is None:
            self._open_thought(item, told)
        item.pieces.append(text)
        if item.kind == "message":
            entry = item.entry or {}
            at = len(item.value["content"]) - 1
            self._marks.add(text)
            if entry.get("type") == "refusal":
                told.append(self._at(item, "refusal.delta", content_index=at, delta=text))
            else:
                told.append(self._at(item, "output_text.delta", content_index=at, delta=text, logprobs=[]))
        elif item.kind == "reasoning":
            kind, place = entry_place(item)
            told.append(self._at(item, f"{kind}.delta", **place, delta=text))
        elif item.kind == "custom_tool_call":
            told.append(self._at(item, "custom_tool_call_input.delta", delta=text))
        else:
            told.append(self._at(item, "function_call_arguments.delta", delta=text))

    def _end(self, index: int, signature: Signature | None, told: Told) -> None:
        if index in self._pending:
            part, pieces = self._pending.pop(index)
            if signature is not None and isinstance(part, (Reasoning, Media)):
                part = msgspec.structs.replace(part, signature=signature)
            self._whole(part, "".join(pieces), told)
            return
        item = self._parts.pop(index, None)
        if item is None:
            if signature is not None:
                self._late.append(signature)
            return
        if item.kind in ("function_call", "custom_tool_call"):
            if signature is not None:
                self._seal_item(signature, item.value["call_id"], told)
            self._end_call(item, told)
        elif item.kind == "reasoning":
            if signature is not None:
                self._seal_thought(item, signature, told)
        elif signature is not None:
            self._late.append(signature)

    # -- messages

    def _message(self, own: Mapping[str, Any], told: Told) -> OpenItem:
        """The open message if it is this one, else a new one."""
        last = self._last
        same = last is not None and last.kind == "message" and all(last.value.get(k) == v for k, v in own.items())
        if last is not None and same and ("phase" in own or "phase" not in last.value):
            return last
        self._end_last(told)
        value = {**own, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        self._last = self._add(value, {"content": []}, told)
        return self._last

    def _text(self, text: str, ext: Ext, told: Told) -> OpenItem:
        refusal = bool((ext or {}).get(SHARED, {}).get("refusal"))
        item = self._message(own_fields(ext), told)
        kind = "refusal" if refusal else "output_text"
        if item.entry is None or item.entry["type"] != kind:
            entry = (
                {"type": "refusal", "refusal": ""}
                if refusal
                else {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            )
            self._open_content(item, entry, told)
        self._append(item, text, told)
        return item

    def _open_content(self, item: OpenItem, entry: dict[str, Any], told: Told) -> None:
        self._end_entry(item, told)
        at = len(item.value["content"])
        item.entry, item.pieces = entry, []
        item.value["content"].append(entry)
        if entry["type"] == "output_text":
            self._marks.begin(entry, item.index, at, item.id)
        told.append(self._at(item, "content_part.added", content_index=at, part=copied(entry)))

    def _end_entry(self, item: OpenItem, told: Told) -> None:
        """The open content part or summary entry of an item is complete."""
        entry = item.entry
        if entry is None:
            return
        text = "".join(item.pieces)
        item.entry, item.pieces = None, []
        if item.kind == "reasoning":
            self._end_thought(item, entry, text, told)
            return
        at = len(item.value["content"]) - 1
        if entry["type"] == "refusal":
            entry["refusal"] = text
            told.append(self._at(item, "refusal.done", content_index=at, refusal=text))
        elif entry["type"] == "output_text":
            entry["text"] = text
            logprobs = entry["logprobs"]
            told.append(self._at(item, "output_text.done", content_index=at, text=text, logprobs=logprobs))
        told.append(self._at(item, "content_part.done", content_index=at, part=copied(entry)))

    # -- thoughts

    def _thought(self, index: int, part: Reasoning, told: Told) -> None:
        """Shown to those who asked; hidden ones only as far as they are sealed."""
        if not self._reply.thoughts:
            self._pending[index] = (part, [])
            return
        own = own_fields(part.ext)
        id_, full, text = own.get("id"), bool(own.get(FULL)), part.text
        item = self._last
        if item is None or item.kind != "reasoning" or (id_ is not None and item.id != id_):
            self._end_last(told)
            item = self._add({**({"id": id_} if id_ else {}), "type": "reasoning", "summary": []}, {}, told)
            item.full = full
            self._last = item
        elif full != item.full:
            self._end_entry(item, told)
            item.full = full
        elif text.startswith(BETWEEN) and item.holds_thoughts:
            self._end_entry(item, told)
            text = text.removeprefix(BETWEEN)
        self._parts[index] = item
        self._append(item, text, told)
        if part.signature is not None:
            self._seal_thought(item, part.signature, told, redacted=part.redacted)

    def _open_thought(self, item: OpenItem, told: Told) -> None:
        """An entry begins with its first text: an item may hold nothing but a seal."""
        if item.full:
            item.entry = {"type": "reasoning_text", "text": ""}
            item.value.setdefault("content", []).append(item.entry)
            return
        item.entry = {"type": "summary_text", "text": ""}
        item.value["summary"].append(item.entry)
        _, place = entry_place(item)
        told.append(self._at(item, "reasoning_summary_part.added", **place, part=dict(item.entry)))

    def _end_thought(self, item: OpenItem, entry: dict[str, Any], text: str, told: Told) -> None:
        entry["text"] = text
        kind, place = entry_place(item)
        told.append(self._at(item, f"{kind}.done", **place, text=text))
        if not item.full:
            told.append(self._at(item, "reasoning_summary_part.done", **place, part=dict(entry)))

    def _seal_thought(self, item: OpenItem, signature: Signature, told: Told, *, redacted: bool = False) -> None:
        item.value["encrypted_content"] = seal(signature, redacted=redacted)
        if self._last is item:
            self._end_last(told)

    # -- calls and what comes whole

    def _call(self, index: int, part: ToolCall, told: Told) -> None:
        if part.signature is not None:
            self._seal_item(part.signature, part.id, told)
        self._end_last(told)
        own = own_fields(part.ext)
        custom = part.kind == "custom"
        grows = "input" if custom else "arguments"
        value: dict[str, Any] = {"id": own["id"]} if isinstance(own.get("id"), str) else {}
        value["type"] = "custom_tool_call" if custom else "function_call"
        value |= {"status": "in_progress", "call_id": part.id, "name": part.name, grows: ""}
        if part.name in self._namespaces:
            value["namespace"], value["name"] = self._namespaces[part.name]
        value |= {name: more for name, more in own.items() if name not in value}
        if custom:
            del value["status"]
        item = self._add(value, {}, told)
        self._parts[index] = item
        self._append(item, part.arguments, told)

    def _end_call(self, item: OpenItem, told: Told) -> None:
        text = "".join(item.pieces)
        if item.kind == "custom_tool_call":
            item.value["input"] = text
            told.append(self._at(item, "custom_tool_call_input.done", input=text))
        else:
            item.value["arguments"] = text or "{}"
            told.append(self._at(item, "function_call_arguments.done", arguments=item.value["arguments"]))
        item.value["status"] = "completed"
        self._done(item, told)

    def _whole(self, part: Part, more: str, told: Told) -> None:
        """A part that was held back until all of it was there."""
        if isinstance(part, Media):
            if more:
                part = msgspec.structs.replace(part, data=(part.data or "") + more)
            self._media(part, told)
        elif isinstance(part, Opaque) and part.origin == ORIGIN:
            self._end_last(told)
            value = dict(part.value)
            item = self._add(value, in_progress(value), told)
            told += [self._at(item, kind, **fields) for kind, fields in hosted_events(item.value)]
            self._done(item, told)
        elif isinstance(part, Opaque):
            self._lose("1.2:opaque", "a part that only another provider understands")
        elif isinstance(part, Reasoning) and part.signature is not None:
            self._end_last(told)
            own = own_fields(part.ext)
            sealed = {"encrypted_content": seal(part.signature, redacted=part.redacted)}
            value = {**({"id": own["id"]} if "id" in own else {}), "type": "reasoning", "summary": [], **sealed}
            self._done(self._add(value, {}, told), told)

    def _media(self, part: Media, told: Told) -> None:
        """A picture is a call that made it; anything else stands in a message, in parts of types of our own."""
        mime = part.mime or ""
        own = own_fields(part.ext)
        if part.data is not None and (mime.startswith("image/") or not mime):
            id_ = own.get("id") or f"ig_{self.body['id'].removeprefix('resp_')}_{len(self._output)}p"
            if part.signature is not None and len(part.signature.data) <= MAX_SEAL:
                self._seal_item(part.signature, id_, told)
            self._end_last(told)
            value = {"id": id_, "type": "image_generation_call", "status": "completed", "result": part.data}
            if mime:
                value["output_format"] = mime.removeprefix("image/")
            item = self._add(value, {"status": "in_progress", "result": None}, told)
            steps = picture_events(part.data, self._reply.echo.get("tools"))
            told += [self._at(item, kind, **fields) for kind, fields in steps]
            self._done(item, told)
            return
        if part.signature is not None and len(part.signature.data) <= MAX_SEAL:
            self._seal_item(part.signature, "", told)
        item = self._message({}, told)
        if part.data is not None and mime.startswith("audio/"):
            entry = {"type": "output_audio", "data": part.data, "transcript": "", "format": mime}
        else:
            entry = {"type": "output_file", "mime_type": mime} if mime else {"type": "output_file"}
            if part.name:
                entry["filename"] = part.name
            if part.data is not None:
                entry["file_data"] = data_uri(part)
            else:
                entry["file_url"] = part.uri or ""
        self._open_content(item, entry, told)
        self._end_entry(item, told)

    # -- what is said of the answer

    def _annotate(self, said: Annotated, told: Told) -> None:
        if said.ext:
            kept = self._extras.setdefault("answer" if said.candidate is None else "candidate", {})
            for origin, fields in said.ext.items():
                rest = dict(fields)
                for annotation in rest.pop("annotations", ()) if origin == SHARED else ():
                    told += self._marks.annotate(annotation)
                if rest:
                    kept.setdefault(origin, {}).update(rest)
            if not kept:
                del self._extras["answer" if said.candidate is None else "candidate"]
        if said.candidate:
            return
        for cited in said.citations:
            told += self._marks.cite(cited)
        if said.searches:
            self._extras["searches"] = list(said.searches)
        if said.logprobs:
            self._marks.weigh(said.logprobs)
