"""Neutral messages -> Anthropic's (mapping.md 7.1, 7.4, 7.5).

Turns of one role are one turn; results come first in theirs; empty text, which Anthropic refuses, is left out. Thoughts go
only where their seal can be read: to the vendor and the model line that made it. Files that the assistant made, which its
own turns have no place for, are shown by the user, labelled.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from portico.core.arguments import call_object
from portico.core.errors import InvalidRequest
from portico.core.foreign import foreign_extras
from portico.core.loss import Loss
from portico.core.mime import by_magic, head_of, plain_base64, settled_mime
from portico.core.naming import FreeNames
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult
from portico.core.request import FILLER, MADE_LABEL, Message, Request, Role
from portico.core.target import Target
from portico.dialects.anthropic_messages.words import ORIGIN, VENDOR, own

LONGEST_ID: Final = 64
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_OF_IDS: Final = re.compile(r"[^A-Za-z0-9_-]")
_NOT_OF_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")
LONGEST_NAME: Final = 128
PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Types of pictures that Claude takes."""

Blocks = list[dict[str, Any]]


class Names:
    """Tool names as Anthropic allows them, and the way back."""

    def __init__(self, request: Request) -> None:
        declared = {tool.name for tool in request.tools}
        self._wire = {name: name for name in declared if _plain(name) == name}
        self._free = FreeNames(declared, LONGEST_NAME)
        self.back: dict[str, str] = {}
        for tool in request.tools:
            self.of(tool.name)

    def of(self, name: str) -> str:
        """The name on the wire."""
        found = self._wire.get(name)
        if found is None:
            found = self._wire[name] = self._free.free(_plain(name))
            if found != name:
                self.back[found] = name
        return found


def _plain(name: str) -> str:
    return _NOT_OF_NAMES.sub("_", name)[:LONGEST_NAME] or "tool"


class MessageRenderer:
    """Renders the messages of one request; what it could not say is in `losses`."""

    def __init__(self, request: Request, target: Target, names: Names, losses: list[Loss]) -> None:
        self._request = request
        self._target = target
        self._names = names
        self._losses = losses
        self._where = request.where
        self._judged = target.capabilities.judged
        self._ids: dict[str, str] = {}
        """What Anthropic is told of the latest call with an id."""
        self._free_ids = FreeNames((), LONGEST_ID)
        self.keeps_efforts = _keeps_efforts(request, target)
        self._at = -1
        self._made: Blocks = []
        """Files of the assistant's that wait for a turn of the user's."""

    def system(self) -> Blocks:
        """The texts that stand before the conversation; all of them, where none may stand in its middle."""
        blocks: Blocks = []
        for message in self._hoisted():
            self._begin(message)
            blocks += self._blocks(message.parts)
        return blocks

    def _hoisted(self) -> list[Message]:
        system = [one for one in self._request.messages if one.role in (Role.SYSTEM, Role.DEVELOPER)]
        if not system:
            return []
        if not self._keeps_places():
            return [one for one in system if not self._says_effort_alone(one)]
        if self._judged:
            return self._out_of_place()
        leading: list[Message] = []
        for message in self._request.messages:
            if message.role not in (Role.SYSTEM, Role.DEVELOPER) or message.at >= 0:
                break
            leading.append(message)
        return leading

    def _out_of_place(self) -> list[Message]:
        """Those that cannot stay where they are: what stays follows the user's, and comes last or before an answer. An
        effort alone may stand anywhere."""
        found: list[Message] = []
        run: list[Message] = []
        before: Role | None = None
        for message in self._request.messages:
            if message.role in (Role.SYSTEM, Role.DEVELOPER):
                if not self._says_effort_alone(message):
                    run.append(message)
                continue
            if not self._leaves_something(message):
                continue
            if before in (None, Role.ASSISTANT) or message.role is not Role.ASSISTANT:
                found += run
            run, before = [], message.role
        return found + run if before in (None, Role.ASSISTANT) else found

    def _leaves_something(self, message: Message) -> bool:
        """Whether a message is a turn here: there may be nothing in the assistant's that Anthropic can be told."""
        return message.role is Role.USER or any(
            isinstance(part, ToolCall)
            or (isinstance(part, Text) and bool(part.text.strip()))
            or (isinstance(part, Reasoning) and part.signature is not None and self._readable(part.signature))
            or (isinstance(part, Opaque) and part.origin == ORIGIN)
            for part in message.parts
        )

    def _says_effort_alone(self, message: Message) -> bool:
        """Whether nothing of a message is said but its effort, which counts from where it stands: it is never moved
        (Anthropic's page on effort per message)."""
        if message.effort is None or not self.keeps_efforts:
            return False
        return not any(not isinstance(part, Text) or part.text.strip() for part in message.parts)

    def _keeps_places(self) -> bool:
        return not self._judged or self._target.capabilities.mid_system

    def messages(self) -> list[dict[str, Any]]:
        hoisted = {id(message) for message in self._hoisted()}
        turns: list[dict[str, Any]] = []
        for message in self._request.messages:
            if id(message) in hoisted:
                if effort := self._effort(message):
                    turns.append({"role": "system", "content": [], **effort})
                continue
            self._begin(message)
            role = "system" if message.role in (Role.SYSTEM, Role.DEVELOPER) else str(message.role)
            blocks = self._of(message)
            extras = {**own(message.ext), **self._effort(message)}
            if not blocks and not (role == "system" and extras):
                continue
            alike = bool(turns) and turns[-1]["role"] == role and turns[-1].keys() == _BARE and not extras
            if alike and (role != "system" or self._judged):
                turns[-1]["content"] += blocks
            else:
                turns.append({"role": role, "content": blocks, **extras})
        if self._made and turns and turns[-1]["role"] == "user":
            turns[-1]["content"] += self._made
        elif self._made:
            turns.append({"role": "user", "content": self._made})
        for turn in turns:
            if turn["role"] == "user":
                turn["content"].sort(key=lambda block: block["type"] != "tool_result")
        if self._judged and (not turns or turns[0]["role"] != "user"):
            turns.insert(0, {"role": "user", "content": [{"type": "text", "text": FILLER}]})
        return turns

    def _effort(self, message: Message) -> dict[str, Any]:
        """A turn's own effort, beside what else its `output_config` says."""
        if message.effort is None or not self.keeps_efforts:
            return {}
        return {"output_config": {**own(message.ext).get("output_config", {}), "effort": message.effort}}

    def _begin(self, message: Message) -> None:
        self._at = message.at
        path = self._where.at_message(message.at)
        if message.name is not None:
            self._losses.append(Loss("1.2:name", f"{path}.name", "a message has no author's name at Anthropic"))
        if message.ext:
            foreign = [name for origin, fields in message.ext.items() if origin != ORIGIN for name in fields]
            if foreign:
                self._losses.append(Loss("1.2:message_ext", path, f"no place for {', '.join(foreign)}"))

    def _of(self, message: Message) -> Blocks:
        """The blocks of a turn: of the user's with what the assistant made before."""
        parts = message.parts
        if not self._judged or message.role is Role.SYSTEM or message.role is Role.DEVELOPER:
            return self._blocks(parts)
        if message.role is Role.USER:
            made, self._made = self._made, []
            return made + self._blocks(parts) if made else self._blocks(parts)
        files = [part for part in parts if isinstance(part, Media)]
        if not files:
            return self._blocks(parts)
        said = self._blocks(tuple([part for part in parts if not isinstance(part, Media)]))
        for part in files:
            if part.thought:
                self._lose("2.2:draft", "a draft image the model made while thinking")
            else:
                self._made += [{"type": "text", "text": MADE_LABEL}, *self._blocks((part,))]
        return said

    def _blocks(self, parts: tuple[Part, ...]) -> Blocks:
        blocks: Blocks = []
        for part in parts:
            if not isinstance(part, Opaque) and part.ext:
                self._losses += foreign_extras(part.ext, self._where.at_message(self._at), own=(ORIGIN,))
            block = _RENDERERS[type(part)](self, part)
            if block is not None:
                blocks.append(block)
        return blocks

    def _lose(self, code: str, message: str) -> None:
        self._losses.append(Loss(code, self._where.at_message(self._at), message))

    # -- one renderer for each kind of part

    def render_text(self, part: Text) -> dict[str, Any] | None:
        if part.signature is not None:
            self._lose("2.4:foreign_signature", "a signature of text is another vendor's")
        if not part.text.strip() and (self._judged or not part.text):
            return None
        return {"type": "text", "text": part.text, **own(part.ext)}

    def render_reasoning(self, part: Reasoning) -> dict[str, Any] | None:
        signature = part.signature
        if signature is None:
            self._lose("7.4:thoughts", "Anthropic takes no thoughts without its own seal")
            return None
        if not self._readable(signature):
            self._lose("7.4:thoughts", "the thoughts are of another vendor or model line")
            return None
        if part.redacted:
            return {"type": "redacted_thinking", "data": signature.data, **own(part.ext)}
        return {"type": "thinking", "thinking": part.text, "signature": signature.data, **own(part.ext)}

    def _readable(self, signature: Signature) -> bool:
        if signature.origin != VENDOR:
            return False
        return not self._judged or signature.signer is None or signature.signer == self._target.signer

    def render_media(self, part: Media) -> dict[str, Any]:
        extras = own(part.ext)
        mime = settled_mime(part.mime, name=part.name or part.uri, data=part.data) or ""
        if self._judged and mime in PICTURES and part.data is not None:
            mime = self._as_it_looks(part.data, mime)
        path = self._where.at_message(self._at)
        if mime.startswith(("audio/", "video/")):
            raise InvalidRequest(f"Claude takes no files of the type {mime!r}.", param=path)
        if part.detail is not None:
            self._lose("1.4:detail", "a picture has no detail at Anthropic")
        if part.data is None:
            uri = part.uri or ""
            if self._judged and not uri.lower().startswith("https://"):
                raise InvalidRequest(
                    "Claude takes no files by address but those of https, nor another's ids.", param=path
                )
            if part.mime is not None and mime != "application/pdf" and self._judged:
                self._lose("7.1:media_type", "the type of media by address is found out by Anthropic itself")
            source = {"type": "url", "url": uri} if "://" in uri else {"type": "file", "file_id": uri}
            kind = "image" if mime.startswith("image/") or (not mime and part.name is None) else "document"
        elif mime in PICTURES or (mime.startswith("image/") and not self._judged):
            kind, source = "image", {"type": "base64", "media_type": mime, "data": self._plain(part.data)}
        elif mime == "application/pdf":
            kind, source = "document", {"type": "base64", "media_type": mime, "data": self._plain(part.data)}
        elif mime.startswith("text/") or mime in _AS_TEXT:
            text = self._decoded(plain_base64(part.data))
            kind, source = "document", {"type": "text", "media_type": "text/plain", "data": text}
        else:
            raise InvalidRequest(f"Claude takes no files of the type {part.mime or 'unknown'!r}.", param=path)
        block: dict[str, Any] = {"type": kind, "source": source}
        if part.name is not None and kind == "document":
            block["title"] = part.name
        elif part.name is not None:
            self._lose("1.4:name", "a picture has no name at Anthropic")
        return {**block, **extras}

    def _as_it_looks(self, data: str, declared: str) -> str:
        """Of a picture, which kind it truly is: Claude refuses what is declared another, which some clients declare all."""
        shown = by_magic(head_of(data))
        return shown if shown in PICTURES else declared

    def _plain(self, data: str) -> str:
        return plain_base64(data) if self._judged else data

    def _decoded(self, data: str) -> str:
        try:
            return base64.b64decode(data + "=" * (-len(data) % 4), altchars=None).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            path = self._where.at_message(self._at)
            raise InvalidRequest("A file's data is not base64.", param=path) from None

    def render_call(self, part: ToolCall) -> dict[str, Any]:
        if part.signature is not None:
            self._lose("2.4:foreign_signature", "a call's signature is another vendor's")
        return {
            "type": "tool_use",
            "id": self._called(part.id),
            "name": self._names.of(part.name),
            "input": call_object(part),
            **own(part.ext),
        }

    def render_result(self, part: ToolResult) -> dict[str, Any]:
        inner = self._blocks(part.parts)
        extras = dict(own(part.ext))
        inner += extras.pop("content", [])
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": self._answered(part.call_id)}
        if len(inner) == 1 and inner[0].keys() == _PLAIN:
            block["content"] = inner[0]["text"]
        elif inner:
            block["content"] = inner
        if part.is_error:
            block["is_error"] = True
        if part.ext and any(fields for origin, fields in part.ext.items() if origin != ORIGIN):
            self._lose("1.3:result_ext", "extra fields of a tool's result")
        return {**block, **extras}

    def render_opaque(self, part: Opaque) -> dict[str, Any] | None:
        if part.origin == ORIGIN:
            return dict(part.value)
        if not part.said:
            self._lose("1.2:opaque", "a part that only another provider understands")
        return None

    def _called(self, call_id: str) -> str:
        """The id of a call: one that Anthropic accepts (mapping.md 7.5, 18) and that no call before it has, for some models
        count anew in every turn."""
        wire = self._ids[call_id] = self._free_ids.free(_plain_id(call_id))
        return wire

    def _answered(self, call_id: str) -> str:
        """The same of a result: that of the latest call with this id."""
        found = self._ids.get(call_id)
        return _plain_id(call_id) if found is None else found


def _plain_id(call_id: str) -> str:
    return call_id if _ID.fullmatch(call_id) else _NOT_OF_IDS.sub("_", call_id)[:LONGEST_ID] or "call"


_PLAIN: Final = {"type", "text"}
_BARE: Final = {"role", "content"}
_AS_TEXT: Final = frozenset({"application/json", "application/xml", "application/javascript", "application/rtf"})
_RENDERERS: Final[Mapping[type, Callable[[MessageRenderer, Any], dict[str, Any] | None]]] = {
    Text: MessageRenderer.render_text,
    Reasoning: MessageRenderer.render_reasoning,
    Media: MessageRenderer.render_media,
    ToolCall: MessageRenderer.render_call,
    ToolResult: MessageRenderer.render_result,
    Opaque: MessageRenderer.render_opaque,
}


def _keeps_efforts(request: Request, target: Target) -> bool:
    """Whether turns keep their efforts: the model takes all of them, in system messages, and nobody decided otherwise
    since, as the name of a model does that says how hard to think."""
    turns, able = [turn for turn in request.messages if turn.effort is not None], target.capabilities
    if not turns or turns[-1].effort != request.thinking.effort:
        return False
    known = able.turn_effort and all(turn.effort in able.thinking.levels for turn in turns)
    return not able.judged or (known and all(turn.role is Role.SYSTEM for turn in turns))
