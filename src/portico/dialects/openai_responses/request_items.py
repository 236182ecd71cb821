"""Neutral messages -> input items (mapping.md 7.1, 7.4, 7.5).

Every item is built from what is known to be accepted: OpenAI refuses a key it does not know. A signature goes back to the
vendor that made it and to nobody else; thoughts without one cannot be given back at all. Files that the assistant made,
which its own messages have no place for, are shown by the user, labelled; of pictures the call that made them is told.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import msgspec

from portico.core.foreign import OF_PARTS, foreign_extras
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult, text_of
from portico.core.request import MADE_LABEL, Message, Request, Role
from portico.core.target import Target
from portico.dialects.openai.cuts import joined
from portico.dialects.openai_responses.content import ORIGIN, SHARED, render_content, render_part
from portico.dialects.openai_responses.thoughts import BETWEEN, FULL, VENDOR, own_fields
from portico.dialects.openai_responses.tools import BRINGING, CALLERS

MAX_ID: Final = 64
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WORDS: Final[Mapping[Role, str]] = {Role.DEVELOPER: "developer", Role.USER: "user", Role.ASSISTANT: "assistant"}
_FORMATS: Final[Mapping[str, str]] = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}


def short_id(id_: str) -> str:
    """An id that OpenAI takes: a longer one by a digest of it, so that call and result still meet (7.5 row 18)."""
    return (
        id_ if len(id_) <= MAX_ID and id_ else "call_" + hashlib.sha256(id_.encode("utf-8", "replace")).hexdigest()[:40]
    )


def takes_own_tools(target: Target) -> bool:
    """Whether a model takes the tools that an item brings for OpenAI to run, whatever they are."""
    return not target.capabilities.judged or target.capabilities.builtin_tools


class ItemsRenderer:
    """Renders the messages of one request."""

    def __init__(self, request: Request, target: Target, wire_names: Mapping[str, str], losses: list[Loss]) -> None:
        self._request = request
        self._target = target
        self._judged = target.capabilities.judged
        self._names = wire_names
        self._losses = losses
        self._items: list[dict[str, Any]] = []
        self._custom: set[str] = set()
        """Ids of the calls of custom tools, whose results are of another type."""
        self._path = ""
        self._made: list[dict[str, Any]] = []
        """Files of the assistant's that wait for a message of the user's."""

    def items(self, messages: tuple[Message, ...]) -> list[dict[str, Any]]:
        for message in messages:
            self._path = self._request.where.at_message(message.at)
            self._tell_extras(message)
            if message.role is Role.ASSISTANT:
                self._show_made()
                self._turn(message)
            else:
                self._others(message)
        self._show_made()
        return self._items

    def _tell_extras(self, message: Message) -> None:
        if message.name is not None:
            self._lose("1.2:name", "a message has no author's name in the Responses API")
        foreign = [name for fields in (message.ext or {}).values() for name in fields]
        if foreign:
            self._lose("1.2:message_ext", f"fields without a place in the Responses API: {', '.join(sorted(foreign))}")

    def _lose(self, code: str, text: str) -> None:
        self._losses.append(Loss(code, self._path, text))

    # -- user and system

    def _others(self, message: Message) -> None:
        role = _WORDS.get(message.role) or self._target.capabilities.system_role
        content: list[Text | Media] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                self._items.append(self._result(part))
            elif isinstance(part, Text | Media):
                self._losses += foreign_extras(part.ext, self._path, own=(ORIGIN,))
                self._tell_part(part)
                content.append(part)
            elif isinstance(part, Reasoning):
                self._lose("7.4:thoughts", "a thought in a message that is not the assistant's")
            else:
                self._opaque(part)
        if content:
            self._show_made()
            self._items.append(
                {"role": role, "content": render_content(content, self._losses, self._path, self._target)}
            )

    def _show_made(self) -> None:
        """After the results of the calls beside which it was made."""
        if self._made:
            self._items.append({"role": "user", "content": self._made})
            self._made = []

    def _result(self, result: ToolResult) -> dict[str, Any]:
        custom = result.call_id in self._custom
        text = text_of(result.parts)
        media: list[Text | Media] = [part for part in result.parts if isinstance(part, Media)]
        if result.is_error:
            text = f"Error: {text}"
        if result.ext and any(result.ext.values()):
            self._lose("1.3:result_ext", "extra fields of a tool's result")
        for part in result.parts:
            self._losses += foreign_extras(part.ext, self._path, own=(ORIGIN,))
        content: list[Text | Media] = [msgspec.structs.replace(joined(result.parts), text=text), *media]
        content = content if text or not media else media
        return {
            "type": "custom_tool_call_output" if custom else "function_call_output",
            "call_id": short_id(result.call_id),
            "output": render_content(content, self._losses, self._path, self._target),
        }

    def _tell_part(self, part: Part) -> None:
        """What of a part has no place: extras of another dialect, a signature of another vendor."""
        odd = isinstance(part, Media) and {name for name, fields in (part.ext or {}).items() if fields}
        if odd and not odd.issubset((*OF_PARTS, SHARED)):
            self._lose("7.1:media_ext", "a video is looked at as a whole")
        signature: Signature | None = getattr(part, "signature", None)
        if signature is not None:
            self._lose("2.4:foreign_signature", "a thought signature of another vendor is not sent")

    # -- the assistant

    def _turn(self, message: Message) -> None:
        turn = _Turn(message.parts)
        for index, part in enumerate(message.parts):
            if not isinstance(part, Opaque) and part.ext:
                self._losses += foreign_extras(part.ext, self._path, own=(ORIGIN,))
            match part:
                case Text():
                    self._text(part, continues=index > 0 and _goes_on(message.parts[index - 1], part))
                case Reasoning():
                    self._reasoning(part, turn, index)
                case ToolCall():
                    self._call(part)
                case Media():
                    self._tell_part(part)
                    self._media(part)
                case Opaque():
                    self._opaque(part)
                case _:
                    raise AssertionError("results stand in user messages")

    def _text(self, part: Text, *, continues: bool) -> None:
        self._tell_part(part)
        if not part.text and part.signature is not None:
            return
        content = {"type": "output_text", "text": part.text, "annotations": []}
        if continues and self._items and "content" in self._items[-1]:
            self._items[-1]["content"].append(content)
            return
        own = own_fields(part.ext)
        item: dict[str, Any] = {"type": "message", "role": "assistant", "content": [content]}
        if _is_id(own.get("id"), "msg_"):
            item |= {"id": own["id"], "status": "completed"}
        else:
            self._let_go_of_thoughts()
        if "phase" in own:
            item["phase"] = own["phase"]
        self._items.append(item)

    def _let_go_of_thoughts(self) -> None:
        """A thought with an id wants what it led to with its id, too; one that is sealed and has none goes with anything
        (recorded)."""
        for item in reversed(self._items):
            if item.get("type") != "reasoning" or "encrypted_content" not in item:
                break
            item.pop("id", None)

    def _reasoning(self, part: Reasoning, turn: "_Turn", index: int) -> None:
        signature = part.signature
        own = own_fields(part.ext)
        unread = signature is None or not self._reads(signature)
        if unread and (self._judged or turn.is_of_another) and index not in turn.sealed_later:
            if signature is not None:
                self._lose("2.4:foreign_signature", "thoughts that another vendor or model line sealed are not sent")
            if part.text:
                self._lose("7.4:thoughts", "OpenAI takes back only thoughts that it sealed itself")
            return
        if signature is not None and signature.origin != VENDOR:
            self._lose("2.4:foreign_signature", "thoughts that another vendor sealed are not sent")
            signature = None
        item = self._open_thoughts(part, turn.parts, index, own)
        if part.text or own.get(FULL):
            text = part.text.removeprefix(BETWEEN) if item["summary"] or item.get("content") else part.text
            if own.get(FULL):
                item.setdefault("content", []).append({"type": "reasoning_text", "text": text})
            else:
                item["summary"].append({"type": "summary_text", "text": text})
        if signature is not None:
            item["encrypted_content"] = signature.data

    def _open_thoughts(
        self, part: Reasoning, parts: tuple[Part, ...], index: int, own: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The item that a thought goes into: that of the thought before it if both have one id."""
        before = parts[index - 1] if index else None
        same = (
            isinstance(before, Reasoning)
            and before.signature is None
            and own_fields(before.ext).get("id") == own.get("id")
        )
        if same and part.text.startswith(BETWEEN) and self._items and self._items[-1].get("type") == "reasoning":
            return self._items[-1]
        item: dict[str, Any] = {"type": "reasoning", "summary": []}
        if _is_id(own.get("id"), "rs_"):
            item["id"] = own["id"]
        self._items.append(item)
        return item

    def _reads(self, signature: Signature) -> bool:
        return signature.origin == VENDOR and (signature.signer is None or signature.signer == self._target.signer)

    def _call(self, call: ToolCall) -> None:
        self._tell_part(call)
        own = own_fields(call.ext)
        item: dict[str, Any] = {"type": "function_call", "call_id": short_id(call.id)}
        if call.kind == "custom":
            self._custom.add(call.id)
            item |= {"type": "custom_tool_call", "name": self._names.get(call.name, call.name), "input": call.arguments}
        else:
            item |= {"name": self._names.get(call.name, call.name), "arguments": call.arguments or "{}"}
        if isinstance(own.get("namespace"), str):
            item["namespace"] = own["namespace"]
            item["name"] = call.name.removeprefix(f"{own['namespace']}__")
        if _is_id(own.get("id"), "ctc_" if call.kind == "custom" else "fc_"):
            item["id"] = own["id"]
        self._items.append(item)

    def _media(self, part: Media) -> None:
        """A picture that the assistant made is the call that made it; other files are shown by the user."""
        format_ = _FORMATS.get(part.mime or "")
        if part.data is not None and (part.mime or "").startswith("image/"):
            own = own_fields(part.ext)
            id_ = (
                own["id"]
                if _is_id(own.get("id"), "ig_")
                else f"ig_{hashlib.sha256(part.data.encode()).hexdigest()[:40]}"
            )
            item = {"type": "image_generation_call", "id": id_, "status": "completed", "result": part.data}
            self._items.append({**item, "output_format": format_ or (part.mime or "").partition("/")[2]})
            return
        content = render_part(part, self._losses, self._path)
        if self._judged:
            self._made += [{"type": "input_text", "text": MADE_LABEL}, content]
        else:
            self._items.append({"type": "message", "role": "assistant", "content": [content]})

    def _opaque(self, part: Part) -> None:
        if isinstance(part, Opaque) and part.origin == ORIGIN:
            self._items += self._bringing(part.value) if part.value.get("type") == BRINGING else [dict(part.value)]
        elif not (isinstance(part, Opaque) and part.said):
            self._lose("1.2:opaque", "a part that only another provider understands")

    def _bringing(self, item: Mapping[str, Any]) -> list[dict[str, Any]]:
        """An item that brings tools, as it came; without OpenAI's own, which are told as lost, where the model has none."""
        if takes_own_tools(self._target):
            return [dict(item)]
        tools = [tool for tool in item["tools"] if tool["type"] in CALLERS]
        return [{**item, "tools": tools}] if tools else []


def _goes_on(before: Part, part: Text) -> bool:
    """Whether two texts are content of one message: only those of an item that has an id are known to be."""
    return isinstance(before, Text) and before.ext == part.ext and "id" in own_fields(part.ext)


class _Turn:
    """What is asked of a turn for each of its thoughts."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts

    @cached_property
    def is_of_another(self) -> bool:
        """Whether another vendor's model made it: its thoughts are sealed there, each or once for all of them, and an item
        that is not sealed is a 400, also for a caller of OpenAI's own dialect."""
        seals = [
            part.signature for part in self.parts if isinstance(part, Reasoning | Text | ToolCall) and part.signature
        ]
        return bool(seals) and all(signature.origin != VENDOR for signature in seals)

    @cached_property
    def sealed_later(self) -> set[int]:
        """The thoughts of which a later one of the same item holds the seal."""
        found: set[int] = set()
        for index in range(len(self.parts) - 2, -1, -1):
            part, later = self.parts[index], self.parts[index + 1]
            if not isinstance(part, Reasoning) or not isinstance(later, Reasoning):
                continue
            id_ = own_fields(part.ext).get("id")
            if id_ is None or own_fields(later.ext).get("id") != id_:
                continue
            if (index + 1 in found) if later.signature is None else later.signature.origin == VENDOR:
                found.add(index)
        return found


def _is_id(id_: Any, prefix: str) -> bool:
    return isinstance(id_, str) and id_.startswith(prefix) and _ID.fullmatch(id_) is not None
