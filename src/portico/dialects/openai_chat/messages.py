"""Chat messages <-> neutral messages (mapping.md 1.2, 1.3, 2.4).

Reading pairs every tool result with the call it answers, by id, as sent or as clients shorten it, else by name; and finds
thought signatures in every channel they may come back through. A body must read the same whoever echoes it, so fields that
our own answers carry are no surprise here.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.ids import counted_call_id, normalised_call_id
from portico.core.pairing import OpenCalls
from portico.core.parts import Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, ToolResult, text_of
from portico.core.request import Message, PlainMessages, Role
from portico.dialects.openai.checks import array_at, missing, object_at, string_at, wrong_type
from portico.dialects.openai.cuts import joined
from portico.dialects.openai_chat.content import marked, parse_content, parse_list
from portico.dialects.openai_chat.extra_content import (
    GOOGLE_EXT,
    ORIGIN,
    VENDOR,
    ext_around,
    litellm_signature,
    own_signature,
    read_google,
    read_signature,
)
from portico.dialects.openai_chat.media_out import DATA_LINK, without_markdown_media
from portico.wire import jsontext

ROLES: Final[Mapping[str, Role]] = {
    "system": Role.SYSTEM,
    "developer": Role.DEVELOPER,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.USER,
    "function": Role.USER,
}
MAX_MESSAGES: Final = 50_000
"""More fit no model, and reading them would hold up everybody else's calls."""
_THOUGHT_SUFFIX: Final = "__thought__"
"""LiteLLM hides the signature behind this in the id; such histories come to us when a user moves over."""

_ECHOED: Final = frozenset(
    {
        "role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call", "extra_content", "images",
        "reasoning_content", "reasoning", "reasoning_details", "thought_signature", "provider_specific_fields", "audio",
        "annotations", "cache_control", "prompt_cache_breakpoint", "id", "index", "status", "type", "citations",
        "thinking_blocks", "other_annotations",
    }
)  # fmt: skip
"""Fields that are read, or that an answer carried and a client sends back with nothing lost by leaving them."""


_PLAIN_MESSAGE: Final = frozenset({"role", "content", "tool_calls", "name"})
_PLAIN_CALL: Final = frozenset({"id", "type", "index", "function"})
_PLAIN_FUNCTION: Final = frozenset({"name", "arguments"})
"""What says no more than it says: nothing hidden is looked for."""


_ASSISTANT: Final = Role.ASSISTANT
_USER: Final = Role.USER
_SYSTEM: Final = Role.SYSTEM
_DEVELOPER: Final = Role.DEVELOPER


class MessagesReader:
    """Reads the messages of one body in order."""

    def __init__(self, thought_tag: str | None = None) -> None:
        """`thought_tag`: our earlier answers hold thoughts between tags of this name, which are no text (1.9)."""
        self._thought_tag = thought_tag
        self._calls: dict[str, ToolCall] = {}
        self._by_short_id: dict[str, ToolCall] | None = None
        """By what clients leave of an id; made when a result first comes with such a one."""
        self._waiting: _Waiting | None = None
        """Which calls have no result yet; made when a result first comes that does not name its call by its id."""
        self._parsed: list[Message] = []
        self._count = 0

    def parse(self, messages: list[Any]) -> tuple[Message, ...]:
        calls, parsed, untagged, plain = self._calls, self._parsed, self._thought_tag is None, True
        for at, item in enumerate(messages):
            # Nearly all messages have one of a few shapes, and an agent sends dozens of them with every turn. Each of these
            # reads as `_message` would read it, or not at all, and then nothing has changed.
            message: Message | None = None
            if type(item) is dict:
                role, content, members = item.get("role"), item.get("content"), len(item)
                if type(content) is str:
                    if members == 2:  # somebody says something
                        if role == "user":
                            message = Message(_USER, (Text(content),), None, at)
                        elif role == "system":
                            message = Message(_SYSTEM, (Text(content),), None, at)
                        elif role == "developer":
                            message = Message(_DEVELOPER, (Text(content),), None, at)
                        elif role == "assistant" and untagged and DATA_LINK not in content:
                            message = Message(_ASSISTANT, (Text(content),), None, at)
                    elif members == 3 and role == "tool":  # a known call is answered with a text
                        call_id = item.get("tool_call_id")
                        if type(call_id) is str and (call := calls.get(call_id)) is not None:
                            message = Message(_USER, (ToolResult(call_id, call.name, (Text(content),)),), None, at)
                    elif members == 3 and role == "assistant":
                        message = self._plain_calls(item.get("tool_calls"), content, at)
                elif type(content) is list:
                    if members == 2 and role == "user":
                        message = _plain_texts(content, at)
                elif content is None and role == "assistant" and members == 2 + ("content" in item):
                    message = self._plain_calls(item.get("tool_calls"), None, at)
            if message is None:
                plain = False
                try:
                    message = self._message(object_at(item, ""), at)
                except InvalidRequest as error:
                    raise error.under(f"$.messages[{at}]") from None
            parsed.append(message)
            if self._waiting is not None:
                self._waiting.see(message)
        return PlainMessages(parsed) if plain else tuple(parsed)

    def _plain_calls(self, items: Any, content: str | None, at: int) -> Message | None:
        """`{role, content, tool_calls}`: tools are called, maybe after a text. Of each call there is an id, a name and
        arguments as text, and nothing else."""
        if type(items) is not list or not items or self._thought_tag is not None:
            return None
        if content is not None and DATA_LINK in content:
            return None
        parts: list[Part] = [] if content is None else [Text(content)]
        called: list[ToolCall] = []
        for item in items:
            if type(item) is not dict or len(item) != 3 or item.get("type") != "function":
                return None
            call_id, function = item.get("id"), item.get("function")
            if type(call_id) is not str or type(function) is not dict or len(function) != 2:
                return None
            name, arguments = function.get("name"), function.get("arguments")
            if type(name) is not str or type(arguments) is not str or not call_id or _THOUGHT_SUFFIX in call_id:
                return None
            called.append(ToolCall(call_id, name, arguments))
        for call in called:
            self._calls[call.id] = call
        if self._by_short_id is not None:
            self._by_short_id.update({normalised_call_id(call.id): call for call in called})
        return Message(_ASSISTANT, (*parts, *called), None, at)

    def _message(self, fields: Mapping[str, Any], at: int) -> Message:
        role = fields.get("role")
        if not isinstance(role, str):
            raise missing(".role") if role is None else wrong_type(".role", "a string", role)
        if role == "assistant":
            parts = self._assistant(fields)
        elif role in ("tool", "function"):
            parts = [self._result(fields)]
        elif role in ROLES:
            parts = parse_content(fields.get("content"))
        else:
            raise InvalidRequest(f"Unknown role {role!r}; known are {', '.join(ROLES)}.", param=".role")
        if parts and fields.get("cache_control") is not None:
            parts = [*parts[:-1], marked(parts[-1], fields["cache_control"])]
        name = fields.get("name") if role not in ("tool", "function") else None
        ext = None
        if not _ECHOED.issuperset(fields):
            strangers = {key: value for key, value in fields.items() if key not in _ECHOED and value is not None}
            ext = {ORIGIN: strangers} if strangers else None
        return Message(ROLES[role], tuple(parts), None if name is None else string_at(name, ".name"), at, ext)

    # -- assistant

    def _assistant(self, fields: Mapping[str, Any]) -> list[Part]:
        if self._thought_tag is None and _PLAIN_MESSAGE.issuperset(fields):  # most are, and an agent sends dozens
            return [
                *without_markdown_media(parse_content(fields.get("content"))),
                *self._tool_calls(fields, _NO_DETAILS),
            ]
        details = _Details(fields.get("reasoning_details"))
        parts: list[Part] = details.texts or _reasoning(fields)
        content = self._without_tags(without_markdown_media(parse_content(fields.get("content"))), parts)
        if fields.get("refusal"):
            content.append(Text(string_at(fields["refusal"], ".refusal")))
        for i, image in enumerate(parse_list(fields.get("images"), ".images")):
            try:
                content += parse_content([image])
            except InvalidRequest as error:
                raise error.under(f".images[{i}]") from None
        if fields.get("audio"):
            raise InvalidRequest(
                "Audio of an earlier answer is not kept; send its transcript as content.", param=".audio"
            )
        calls = self._tool_calls(fields, details)
        own = own_signature({"extra_content": fields.get("extra_content")})
        if own is None and not calls and (spare := _spare_signatures(fields)) is not None:
            own = Signature(VENDOR, spare)
        if own is not None and calls and calls[0].signature is None and not text_of(tuple(content)):
            calls[0] = msgspec.structs.replace(calls[0], signature=own)  # as Google's own surface puts it
        elif own is not None and not (calls and calls[0].signature == own):
            _sign_text(content, own)
        parts += content
        parts += calls
        _put_back_opaque(parts, read_google(fields).get("parts"))
        return parts

    def _without_tags(self, content: list[Part], thoughts: list[Part]) -> list[Part]:
        """The content with tagged thoughts taken out and put where thoughts are."""
        if self._thought_tag is None:
            return content
        plain: list[Part] = []
        for part in content:
            if isinstance(part, Text):
                text, spans = without_spans(part.text, f"<{self._thought_tag}>", f"</{self._thought_tag}>")
                thoughts += [Reasoning(span) for span in spans]
                part = msgspec.structs.replace(part, text=text)
            plain.append(part)
        return plain

    def _tool_calls(self, fields: Mapping[str, Any], details: "_Details") -> list[ToolCall]:
        calls = []
        for i, item in enumerate(parse_list(fields.get("tool_calls"), ".tool_calls")):
            try:
                calls.append(self._tool_call(object_at(item, ""), details))
            except InvalidRequest as error:
                raise error.under(f".tool_calls[{i}]") from None
        legacy = fields.get("function_call")
        if legacy is not None:
            calls.append(self._function(object_at(legacy, ".function_call"), self._fresh_id(), None, minted=True))
        spare = _spare_signatures(fields)
        if calls and calls[0].signature is None and spare:
            calls[0] = msgspec.structs.replace(calls[0], signature=Signature(VENDOR, spare))
        for call in calls:
            self._remember(call)
        return calls

    def _tool_call(self, item: Mapping[str, Any], details: "_Details") -> ToolCall:
        wire_id = item.get("id")
        if wire_id is not None and not isinstance(wire_id, str):
            raise wrong_type(".id", "a string", wire_id)
        function = item.get("function")
        if (
            details is _NO_DETAILS
            and wire_id
            and type(function) is dict
            and _PLAIN_CALL.issuperset(item)
            and _PLAIN_FUNCTION.issuperset(function)
            and item.get("type") != "custom"
            and _THOUGHT_SUFFIX not in wire_id
        ):  # nothing but the call
            return self._function(function, wire_id, None, minted=False)
        holders = (item, function) if isinstance(function, Mapping) else (item,)
        found = [own_signature(holder) for holder in holders]
        found.append(details.signatures.get(wire_id) if wire_id else None)
        found += [litellm_signature(holder) for holder in holders]
        signature = next((one for one in found if one is not None), None)
        if wire_id and _THOUGHT_SUFFIX in wire_id:
            wire_id, _, hidden = wire_id.partition(_THOUGHT_SUFFIX)
            signature = signature or (Signature(VENDOR, hidden) if hidden else None)
        call_id = wire_id or self._fresh_id()
        if item.get("type") == "custom" or (function is None and "custom" in item):
            custom = object_at(item.get("custom"), ".custom")
            text = string_at(custom.get("input", ""), ".custom.input")
            name = string_at(custom.get("name"), ".custom.name")
            return ToolCall(call_id, name, text, kind="custom", minted=not wire_id, signature=signature)
        ext = ext_around(item, "function_call", "thought_signature")
        call = self._function(object_at(function, ".function"), call_id, signature, minted=not wire_id)
        return msgspec.structs.replace(call, ext=ext) if ext else call

    def _function(
        self, function: Mapping[str, Any], call_id: str, signature: Signature | None, *, minted: bool
    ) -> ToolCall:
        arguments = function.get("arguments")
        if isinstance(arguments, dict):  # some clients send the object itself
            arguments = jsontext.dumps(arguments)
        text = "" if arguments is None else string_at(arguments, ".function.arguments")
        name = string_at(function.get("name"), ".function.name")
        return ToolCall(call_id, name, text, minted=minted, signature=signature)

    def _remember(self, call: ToolCall) -> None:
        self._calls[call.id] = call
        if self._by_short_id is not None:
            self._by_short_id[normalised_call_id(call.id)] = call

    def _fresh_id(self) -> str:
        self._count += 1
        return counted_call_id(self._count)

    # -- results

    def _result(self, fields: Mapping[str, Any]) -> ToolResult:
        wire_id, name = fields.get("tool_call_id"), fields.get("name")
        if wire_id is not None and not isinstance(wire_id, str):
            raise wrong_type(".tool_call_id", "a string", wire_id)
        if name is not None and not isinstance(name, str):
            raise wrong_type(".name", "a string", name)
        call = self._answered(wire_id, name)
        if call is None and not name:
            raise InvalidRequest(
                f"No earlier tool call has the id {wire_id!r}; a tool message must answer a call of an assistant message.",
                param=".tool_call_id",
            )
        parts: tuple[Text | Media, ...]
        content = fields.get("content")
        if isinstance(content, str):
            parts = (Text(content),)
        else:
            read = parse_content(content)
            parts = (joined(read), *[part for part in read if isinstance(part, Media)])
        return ToolResult(
            call_id=call.id if call else wire_id or "",
            name=call.name if call else name or "",
            parts=parts,
            ext=ext_around(fields, "function_response") if "extra_content" in fields else None,
        )

    def _answered(self, wire_id: str | None, name: str | None) -> ToolCall | None:
        if wire_id:
            wire_id = wire_id.partition(_THOUGHT_SUFFIX)[0]
            found = self._calls.get(wire_id) or self._by_what_is_left(wire_id)
            if found is not None:
                return found
        waiting = self._still_waiting()
        if name:
            return waiting.first_named(name)
        return waiting.only() or (None if wire_id else waiting.first_minted())

    def _still_waiting(self) -> OpenCalls:
        """The calls that have no result yet. From here on they are kept up to date."""
        if self._waiting is None:
            self._waiting = _Waiting()
            for message in self._parsed:
                self._waiting.see(message)
        return self._waiting.calls

    def _by_what_is_left(self, wire_id: str) -> ToolCall | None:
        if self._by_short_id is None:
            self._by_short_id = {normalised_call_id(id_): call for id_, call in self._calls.items()}
        return self._by_short_id.get(normalised_call_id(wire_id))


class _Waiting:
    """Which calls still wait for their result, as one message after the other is seen."""

    def __init__(self) -> None:
        self.calls = OpenCalls()
        self._user_spoke = False
        """Whether the user's side has had its turn since the last calls: then what they left open, nobody answers."""

    def see(self, message: Message) -> None:
        if message.role is _USER:
            self._user_spoke = True
        for part in message.parts:
            if type(part) is ToolResult:
                self.calls.close(part.call_id)
            elif type(part) is ToolCall:
                if self._user_spoke:
                    self.calls.clear()
                    self._user_spoke = False
                self.calls.add(part)


def _plain_texts(items: list[Any], at: int) -> Message | None:
    """`{role: "user", content: [{type: "text", text}, …]}`: the user says something in pieces. None for anything else."""
    texts: list[Text] = []
    for item in items:
        if type(item) is not dict or len(item) != 2 or item.get("type") != "text":
            return None
        text = item.get("text")
        if type(text) is not str:
            return None
        texts.append(Text(text))
    return Message(_USER, tuple(texts), None, at)


class _Details:
    """`reasoning_details`, OpenRouter's form: thought texts, and encrypted signatures by call id (channel B)."""

    def __init__(self, wire: Any) -> None:
        self.texts: list[Part] = []
        self.signatures: dict[str, Signature] = {}
        for item in wire if isinstance(wire, list) else ():
            if not isinstance(item, dict):
                continue
            if item.get("type") == "reasoning.text" and isinstance(item.get("text"), str):
                self.texts.append(Reasoning(item["text"], read_signature(item)))
            data, call_id = item.get("data"), item.get("id")
            if item.get("type") == "reasoning.encrypted" and isinstance(data, str) and isinstance(call_id, str):
                self.signatures[call_id] = Signature(VENDOR, data)


_NO_DETAILS: Final = _Details(None)


def without_spans(text: str, opening: str, closing: str) -> tuple[str, list[str]]:
    """A text without its spans between two marks, and those spans; one that is not closed is text."""
    plain: list[str] = []
    spans: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start + len(opening))) >= 0:
        plain.append(text[at:start])
        spans.append(text[start + len(opening) : end])
        at = end + len(closing)
    plain.append(text[at:])
    return "".join(plain), spans


def _reasoning(fields: Mapping[str, Any]) -> list[Part]:
    for key in ("reasoning_content", "reasoning"):
        text = fields.get(key)
        if isinstance(text, str) and text:
            return [Reasoning(text)]
    return []


def _sign_text(content: list[Part], signature: Signature) -> None:
    """A message's own signature is that of its last text; a message without text keeps it on an empty one (2.4)."""
    for i in range(len(content) - 1, -1, -1):
        part = content[i]
        if isinstance(part, Text):
            if part.signature is None and part.text:
                content[i] = msgspec.structs.replace(part, signature=signature)
                return
            if part.signature == signature:
                return
            if not part.text:
                content[i] = msgspec.structs.replace(part, signature=signature)
                return
            break
    content.append(Text("", signature))


def _spare_signatures(fields: Mapping[str, Any]) -> str | None:
    """A signature that other gateways put on the message: its first call's, or its text's (2.4, C, E)."""
    top = fields.get("thought_signature")
    if isinstance(top, str) and top:
        return top
    specific = fields.get("provider_specific_fields")
    if isinstance(specific, Mapping):
        found = specific.get("thought_signatures") or specific.get("thought_signature")
        first = found[0] if isinstance(found, list) and found else found
        if isinstance(first, str) and first:
            return first
    return None


def _put_back_opaque(parts: list[Part], wire: Any) -> None:
    """Parts that only Google understands, back where they stood among the others."""
    for item in wire if isinstance(wire, list) else ():
        if isinstance(item, dict) and isinstance(item.get("part"), dict):
            index = item.get("index")
            at = index if isinstance(index, int) and 0 <= index <= len(parts) else len(parts)
            parts.insert(at, Opaque(GOOGLE_EXT, item["part"]))


def parse_messages(value: Any, thought_tag: str | None = None) -> tuple[Message, ...]:
    """The `messages` of a body. Raises `InvalidRequest` with a path such as `$.messages[3].content[0].text`."""
    messages = value if type(value) is list else array_at(value, "$.messages")
    if not messages:
        raise InvalidRequest("'messages' must hold at least one message.", param="$.messages")
    if len(messages) > MAX_MESSAGES:
        raise InvalidRequest(f"At most {MAX_MESSAGES} messages are read.", param="$.messages")
    return MessagesReader(thought_tag).parse(messages)
