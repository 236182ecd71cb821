"""Neutral messages -> Chat messages for a provider that is no gateway: only what OpenAI's own API reference knows.

Thoughts and signatures stay here. A result holds text alone, so its pictures follow in a user's message, labelled, after
the last result of the turn; and so do pictures that the assistant made, which its own messages have no place for.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.core.foreign import foreign_extras
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Part, Reasoning, Text, ToolCall, ToolResult, text_of
from portico.core.request import FILLER, MADE_LABEL, Message, Request, Role
from portico.core.target import Target
from portico.dialects.openai.cuts import cut_of, joined
from portico.dialects.openai.refusals import SYSTEM_ROLE
from portico.dialects.openai_chat.extra_content import ORIGIN
from portico.dialects.openai_chat.media_for import media_for
from portico.dialects.openai_chat.wire_names import called, wire_id
from portico.wire import jsontext

_NAME: Final = re.compile(r"[^\s<|\\/>]{1,64}")
_SYSTEM: Final = (Role.SYSTEM, Role.DEVELOPER)


class MessagesRenderer:
    """Renders the messages of one request."""

    def __init__(self, request: Request, target: Target, names: Mapping[str, str], losses: list[Loss]) -> None:
        self._request = request
        self._target = target
        self._names = names
        self._losses = losses
        self._where = request.where
        self._messages: list[dict[str, Any]] = []
        self._moved: list[dict[str, Any]] = []
        """Parts that wait for the end of a run of results."""
        self._moved_results = 0
        self._turn = _turn_from(request) if target.capabilities.thoughts_back else len(request.messages)
        """From which message on thoughts are given back."""

    def render(self) -> list[dict[str, Any]]:
        messages = list(enumerate(self._request.messages))
        if not self._target.capabilities.mid_system:
            messages.sort(key=lambda numbered: numbered[1].role not in _SYSTEM)
        for number, message in messages:
            if message.role is Role.ASSISTANT:
                self._flush()
                self._assistant(message, number)
            else:
                self._other(message)
        self._flush()
        if not self._messages:
            self._messages.append({"role": "user", "content": FILLER})
        return self._messages

    # -- system and user

    def _other(self, message: Message) -> None:
        content: list[Text | Media] = []
        only_results = bool(message.parts)
        for part in message.parts:
            if isinstance(part, ToolResult):
                self._result(part, message)
                continue
            only_results = False
            if isinstance(part, (Text, Media)):
                content.append(part)
            else:
                self._leave(part, message)
        if only_results:
            return
        if message.role in _SYSTEM:
            if content:
                self._add(self._role(message.role), self._content(content, message), message)
            return
        parts = [*self._take_moved(), *self._rendered(content, message)]
        if parts or content or not message.parts:
            self._add("user", _shortest(parts), message)

    def _role(self, role: Role) -> str:
        able = self._target.capabilities
        wire = str(role)
        if not able.developer_role:
            wire = "system"
        elif not self._target.own and able.judged:
            wire = able.system_role
        if SYSTEM_ROLE in self._target.refused:
            wire = "system" if wire == "developer" else "developer"
        return wire

    def _add(self, role: str, content: Any, message: Message) -> None:
        rendered: dict[str, Any] = {"role": role, "content": content}
        self._messages.append(rendered)
        self._add_named(rendered, message)

    def _add_named(self, rendered: dict[str, Any], message: Message) -> None:
        if message.name is not None:
            if _NAME.fullmatch(message.name):
                rendered["name"] = message.name
            else:
                self._lose("1.2:name", message, "an author's name has no spaces here")
        for origin, fields in (message.ext or {}).items():
            if origin == ORIGIN:
                rendered.update(fields)
            elif fields:
                self._lose("1.2:message_ext", message, f"no place for {', '.join(sorted(fields))}")

    # -- results

    def _result(self, result: ToolResult, message: Message) -> None:
        for inner in result.parts:
            if inner.ext:
                self._losses += foreign_extras(inner.ext, self._where.at_message(message.at), own=(ORIGIN,))
        text = text_of(result.parts)
        labels: list[str] = []
        media = [part for part in result.parts if isinstance(part, Media)]
        if media:
            self._moved_results += 1
            for number, part in enumerate(media, 1):
                label = f"result-{self._moved_results}-{number}"
                labels.append(label)
                self._moved += [_text(f"This is file {label}:"), self._media(part, message)]
            if not text:
                text = f"See file{'s' if len(labels) > 1 else ''} {', '.join(labels)}."
        if result.is_error:
            text = f"Error: {text}"
        if any((result.ext or {}).values()):
            self._lose("1.3:result_ext", message, "extra fields of a tool's result")
        call_id = wire_id(result.call_id) or f"call_unknown{len(self._messages)}"
        cut = cut_of(joined(result.parts), self._target)
        content = [{**_text(text), **cut}] if cut else text
        self._messages.append({"role": "tool", "tool_call_id": call_id, "content": content})

    def _take_moved(self) -> list[dict[str, Any]]:
        moved, self._moved = self._moved, []
        return moved

    def _flush(self) -> None:
        if self._moved:
            self._messages.append({"role": "user", "content": self._take_moved()})

    # -- the assistant

    def _assistant(self, message: Message, number: int) -> None:
        content: list[Text | Media] = []
        calls: list[dict[str, Any]] = []
        thoughts: list[str] = []
        order: list[int] = []
        for part in message.parts:
            match part:
                case Text():
                    content.append(part)
                    order.append(0)
                case Media():
                    self._made(part, message)
                case ToolCall():
                    calls.append(self._call(part, message))
                    order.append(1)
                case Reasoning() if number >= self._turn and not part.redacted:
                    self._tell_signature(part, message)
                    thoughts.append(part.text)
                case _:
                    self._leave(part, message)
        if order != sorted(order):
            self._lose("1.2:order", message, "Chat keeps content and calls apart, not their order")
        if message.parts and not (content or calls or thoughts):
            return  # all of it is told as lost, or shown by the user: servers refuse a turn that says nothing
        said = self._content(content, message) if content else None
        rendered: dict[str, Any] = {"role": "assistant", "content": said if said is not None or calls else ""}
        if thoughts:
            rendered[self._target.capabilities.thoughts_back] = "".join(thoughts)
        if calls:
            rendered["tool_calls"] = calls
        self._messages.append(rendered)
        self._add_named(rendered, message)

    def _made(self, part: Media, message: Message) -> None:
        if part.thought:
            self._lose("2.2:draft", message, "a draft image the model made while thinking")
        else:
            self._tell_signature(part, message)
            self._moved += [_text(MADE_LABEL), self._media(part, message)]

    def _call(self, call: ToolCall, message: Message) -> dict[str, Any]:
        self._tell_signature(call, message)
        name, own_id = called(call.name, self._names), wire_id(call.id)
        if call.kind == "custom" and self._target.capabilities.custom_tools:
            return {"id": own_id, "type": "custom", "custom": {"name": name, "input": call.arguments}}
        arguments = jsontext.dumps({"input": call.arguments}) if call.kind == "custom" else call.arguments or "{}"
        return {"id": own_id, "type": "function", "function": {"name": name, "arguments": arguments}}

    # -- parts

    def _content(self, parts: list[Text | Media], message: Message) -> Any:
        return _shortest(self._rendered(parts, message))

    def _rendered(self, parts: list[Text | Media], message: Message) -> list[dict[str, Any]]:
        rendered = []
        for part in parts:
            self._tell_signature(part, message)
            cut = cut_of(part, self._target)
            if isinstance(part, Media):
                rendered.append({**self._media(part, message), **cut})
            elif part.text or len(parts) == 1:
                rendered.append({**_text(part.text), **cut})
        return rendered

    def _media(self, part: Media, message: Message) -> dict[str, Any]:
        return media_for(part, self._where.at_message(message.at), self._losses)

    def _leave(self, part: Part, message: Message) -> None:
        """What no message can hold is left out, and told."""
        if isinstance(part, Reasoning):
            self._lose("7.4:thoughts", message, "earlier thoughts are not given back to this provider")
        elif isinstance(part, Opaque) and not part.said:
            self._lose("1.2:opaque", message, "a part that only another provider understands")

    def _tell_signature(self, part: Text | Media | ToolCall | Reasoning, message: Message) -> None:
        if part.signature is not None:
            self._lose("2.4:foreign_signature", message, "Chat has no place for a thought signature")
        if part.ext:
            path = self._where.at_message(message.at)
            self._losses += foreign_extras(part.ext, path, own=(ORIGIN,))

    def _lose(self, code: str, message: Message, text: str) -> None:
        loss = Loss(code, self._where.at_message(message.at), text)
        if loss not in self._losses[-8:]:
            self._losses.append(loss)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _shortest(parts: list[dict[str, Any]]) -> Any:
    """A string where that says it all: more servers read that."""
    if not parts:
        return ""
    return parts[0]["text"] if len(parts) == 1 and parts[0].keys() == {"type", "text"} else parts


def _turn_from(request: Request) -> int:
    """Where the current turn begins: behind the last message in which the user says something."""
    for number in range(len(request.messages) - 1, -1, -1):
        message = request.messages[number]
        if message.role is Role.USER and any(not isinstance(part, ToolResult) for part in message.parts):
            return number
    return 0
