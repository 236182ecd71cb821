"""Input items -> neutral messages (mapping.md 7.1).

Items of the assistant that follow each other are one turn: its thoughts, texts, calls and the tools its provider ran. Every
result is paired with its call by `call_id`. An item's own `id` and the `call_id` are two names, and both are kept.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.ids import counted_call_id, normalised_call_id
from portico.core.mime import by_magic, head_of
from portico.core.parts import Ext, Media, Opaque, Part, Signature, Text, ToolCall, ToolResult
from portico.core.request import Message, Role
from portico.dialects.openai.checks import object_at, optional_string, string_at, wrong_type
from portico.dialects.openai.cuts import joined
from portico.dialects.openai_responses.content import ORIGIN, parse_content
from portico.dialects.openai_responses.thoughts import parse_reasoning
from portico.wire import jsontext

ROLES: Final[Mapping[str, Role]] = {
    "system": Role.SYSTEM,
    "developer": Role.DEVELOPER,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
MAX_ITEMS: Final = 50_000
"""More fit no model, and reading them would hold up everybody else's calls."""
Namespaces = Mapping[tuple[str, str], str]
"""(namespace, tool) -> what the tool is called where there are no namespaces."""
_DOMESTIC: Final = frozenset(
    {
        *("type", "status", "role", "content", "call_id", "name", "arguments", "input"),
        *("metadata", "internal_chat_message_metadata_passthrough"),
    }
)
"""Fields of a message or call that the neutral part says, or that say nothing: `status`, notes of OpenAI's own clients."""
_IMAGE_TYPES: Final[Mapping[str, str]] = {"jpeg": "image/jpeg", "webp": "image/webp", "png": "image/png"}
_USERS_OWN: Final = frozenset({"mcp_approval_response", "computer_call_output", "local_shell_call_output"})
"""Results that the user's side gives to tools of the provider: no turn of the assistant."""


def own_ext(item: Mapping[str, Any]) -> Ext:
    """What an item has beside what the neutral part says: its id, a namespace, a phase."""
    if _DOMESTIC.issuperset(item):
        return None
    fields = {name: value for name, value in item.items() if name not in _DOMESTIC and value is not None}
    return {ORIGIN: fields} if fields else None


def image_of(item: Mapping[str, Any]) -> Media | None:
    """The picture that an image_generation_call made; None where it holds none. Clients drop `output_format` (Codex): its
    first bytes tell as well."""
    result = item.get("result")
    if not isinstance(result, str) or not result:
        return None
    word = item.get("output_format")
    id_ = item.get("id")
    ext: Ext = {ORIGIN: {"id": id_}} if isinstance(id_, str) and id_ else None
    if isinstance(word, str):
        return Media(_IMAGE_TYPES.get(word, f"image/{word}"), data=result, ext=ext)
    shown = by_magic(head_of(result)) or ""
    return Media(shown if shown.startswith("image/") else "image/png", data=result, ext=ext)


class ItemsReader:
    """Reads the items of one body in order."""

    def __init__(self, namespaces: Namespaces, *, stands_alone: bool, brought: Mapping[int, bool]) -> None:
        """`stands_alone`: no earlier answer is named, so every result must answer a call of this body. `brought`: items
        that bring tools, by their place, and whether those say it all."""
        self._brought = brought
        self._namespaces = namespaces
        self._stands_alone = stands_alone
        self._messages: list[Message] = []
        self._turn: list[Part] = []
        self._turn_at = -1
        self._calls: dict[str, ToolCall] = {}
        self._by_short_id: dict[str, ToolCall] = {}
        self._hosted: set[str] = set()
        """Ids of calls of OpenAI's own tools, some of which the caller answers."""
        self._signed: dict[str, Signature] = {}
        """Signatures in envelopes, by the call they belong to."""
        self._for_text: Signature | None = None
        """One that belongs to the text behind it."""
        self._count = 0
        self._readers: Mapping[str, Callable[[Mapping[str, Any], int], None]] = {
            "message": self._message,
            "reasoning": self._reasoning,
            "function_call": self._function_call,
            "custom_tool_call": self._custom_call,
            "function_call_output": self._result,
            "custom_tool_call_output": self._result,
            "image_generation_call": self._image,
        }

    def parse(self, items: list[Any]) -> list[Message]:
        readers = self._readers
        for at, item in enumerate(items):
            if (said := self._brought.get(at)) is not None:
                self._bring(Opaque(ORIGIN, item, said), at)
                continue
            kind = item.get("type") if type(item) is dict else None
            reader = readers.get(kind) if type(kind) is str else None
            try:
                if reader is not None:  # nearly always
                    reader(item, at)
                else:
                    self._item(object_at(item, ""), at)
            except InvalidRequest as error:
                raise error.under(f"$.input[{at}]") from None
        self._end_turn()
        return self._messages

    def _item(self, item: Mapping[str, Any], at: int) -> None:
        kind = item.get("type")
        if kind is None and "role" in item:
            kind = "message"
        if kind is None and "id" in item:
            kind = "item_reference"
        reader = self._readers.get(string_at(kind, ".type"))
        if reader is not None:
            reader(item, at)
        elif kind in _USERS_OWN:
            self._say(Role.USER, (Opaque(ORIGIN, item),), at)
        else:
            self._opaque(item, at)

    # -- whose turn it is

    def _say(self, role: Role, parts: tuple[Part, ...], at: int) -> None:
        self._end_turn()
        self._messages.append(Message(role, parts, at=at))

    def _answer(self, parts: list[Part], at: int) -> None:
        if not self._turn:
            self._turn_at = at
        self._turn += parts

    def _bring(self, item: Opaque, at: int) -> None:
        """An item that brings tools ends no turn of the assistant's: between two calls of one, both have their results
        behind it."""
        if self._turn or self._for_text is not None:
            self._answer([item], at)
        else:
            self._say(Role.DEVELOPER, (item,), at)

    def _end_turn(self) -> None:
        if self._for_text is not None:
            self._end_text()
        if self._turn:
            self._messages.append(Message(Role.ASSISTANT, tuple(self._turn), at=self._turn_at))
            self._turn = []

    def _end_text(self) -> None:
        """No text came for a signature: it stands alone."""
        if self._for_text is not None:
            self._turn.append(Text("", self._for_text))
            self._for_text = None

    # -- items

    def _message(self, item: Mapping[str, Any], at: int) -> None:
        word = string_at(item.get("role"), ".role")
        role = ROLES.get(word)
        if role is None:
            raise InvalidRequest(f"Unknown role {word[:100]!r}; known are {', '.join(ROLES)}.", param=".role")
        parts = parse_content(item.get("content"))
        if role is not Role.ASSISTANT:
            self._say(role, tuple(parts), at)
            return
        ext = own_ext(item)
        said: list[Part] = []
        for part in parts:
            if isinstance(part, Text):
                said.append(Text(part.text, self._for_text, ext))
                self._for_text = None
            else:
                said.append(part)
        self._answer(said or [Text("", ext=ext)], at)

    def _reasoning(self, item: Mapping[str, Any], at: int) -> None:
        self._end_text()
        sealed = parse_reasoning(item)
        self._answer([*sealed.parts], at)
        if sealed.signature is None:
            return
        if not sealed.call:
            self._for_text = sealed.signature
            if not self._turn:
                self._turn_at = at
        elif sealed.call in self._calls:
            self._sign(sealed.call, sealed.signature)
        else:
            self._signed[sealed.call] = sealed.signature

    def _sign(self, call_id: str, signature: Signature) -> None:
        """A call of this turn that is signed behind its place."""
        for i, part in enumerate(self._turn):
            if isinstance(part, ToolCall) and part.id == call_id:
                self._turn[i] = msgspec.structs.replace(part, signature=signature)

    def _function_call(self, item: Mapping[str, Any], at: int) -> None:
        arguments = item.get("arguments")
        text = jsontext.dumps(arguments) if isinstance(arguments, dict) else optional_string(arguments, ".arguments")
        self._call(item, text or "", "function", at)

    def _custom_call(self, item: Mapping[str, Any], at: int) -> None:
        self._call(item, string_at(item.get("input", ""), ".input"), "custom", at)

    def _call(self, item: Mapping[str, Any], arguments: str, kind: str, at: int) -> None:
        if self._for_text is not None:
            self._end_text()
        wire_id = optional_string(item.get("call_id"), ".call_id")
        self._count += 1
        call_id = wire_id or counted_call_id(self._count)
        name = string_at(item.get("name"), ".name")
        namespace = optional_string(item["namespace"], ".namespace") if "namespace" in item else None
        if namespace is not None:
            name = self._namespaces.get((namespace, name), name)
        signature = self._signed.pop(call_id, None) if self._signed else None
        call = ToolCall(call_id, name, arguments, kind, not wire_id, signature=signature, ext=own_ext(item))
        self._calls[call_id] = call
        self._by_short_id[normalised_call_id(call_id)] = call
        if not self._turn:
            self._turn_at = at
        self._turn.append(call)

    def _result(self, item: Mapping[str, Any], at: int) -> None:
        wire_id = string_at(item.get("call_id"), ".call_id")
        call = self._calls.get(wire_id) or self._by_short_id.get(normalised_call_id(wire_id))
        if call is None and wire_id in self._hosted:
            self._say(Role.USER, (Opaque(ORIGIN, item),), at)
            return
        if call is None and self._stands_alone:
            message = f"No tool call found for function call output with call_id {wire_id[:100]}."
            raise InvalidRequest(message, param=".call_id")
        output = item.get("output")
        if isinstance(output, dict):  # some clients send the object itself
            output = jsontext.dumps(output)
        parts: tuple[Text | Media, ...]
        if isinstance(output, str):
            parts = (Text(output),)
        elif output is None:
            raise wrong_type(".output", "a string or an array of parts", output)
        else:
            read = parse_content(output, ".output")
            parts = (joined(read), *[part for part in read if isinstance(part, Media)])
        found = (call.id, call.name) if call is not None else (wire_id, "")
        self._say(Role.USER, (ToolResult(*found, parts),), at)

    def _image(self, item: Mapping[str, Any], at: int) -> None:
        image = image_of(item)
        if image is None:
            self._opaque(item, at)
            return
        self._end_text()
        id_ = item.get("id")
        signature = self._signed.pop(id_, None) if isinstance(id_, str) else None
        self._answer([msgspec.structs.replace(image, signature=signature)], at)

    def _opaque(self, item: Mapping[str, Any], at: int) -> None:
        """What only the Responses API understands: tools that OpenAI ran, references, compacted turns."""
        self._end_text()
        if isinstance(call_id := item.get("call_id"), str):
            self._hosted.add(call_id)
        self._answer([Opaque(ORIGIN, item)], at)
