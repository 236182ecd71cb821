"""How single servers deviate from the Chat Completions they claim to speak: named pure functions, body -> body.

A provider's configuration or kind names the quirks it has; the dialect knows none of them. What every reader has to
survive anyway is not here but in `dialects/openai_chat`. A function takes a decoded body and gives a new one; what it is
given stays as it was. [K] marks what is general knowledge and no document's word.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from portico.wire import jsontext
from portico.wire.sse import Frame

Body: TypeAlias = Mapping[str, Any]
Change: TypeAlias = Callable[[Body], Body]

# -- requests --------------------------------------------------------------------------------------------------------


def joined_text(body: Body) -> Body:
    """A content that is several texts is sent as one, a blank line between them: SambaNova, Cerebras and older llama.cpp
    read strings alone [K]."""

    def joined(message: Body) -> Body:
        content = message.get("content")
        if not isinstance(content, list) or any(_kind(part) != "text" for part in content):
            return message
        return {**message, "content": "\n\n".join([str(part.get("text", "")) for part in content])}

    return _each(body, "messages", joined)


def without_stream_options(body: Body) -> Body:
    """`stream_options` is left out: a server that knows no such field refuses the request (older vLLM and Azure [K]).
    What its streams used is then an estimate."""
    return {name: value for name, value in body.items() if name != "stream_options"}


def without_strict(body: Body) -> Body:
    """`strict` of functions is left out: servers that validate with pydantic refuse fields that they do not know [K]."""

    def plain(tool: Body) -> Body:
        function = tool.get("function")
        if not isinstance(function, Mapping) or "strict" not in function:
            return tool
        return {**tool, "function": {name: value for name, value in function.items() if name != "strict"}}

    return _each(body, "tools", plain)


def with_parameters(body: Body) -> Body:
    """A function without parameters is declared with none in so many words: some chat templates (llama.cpp's, SGLang's)
    read the member without looking whether it is there [K]."""

    def declared(tool: Body) -> Body:
        function = tool.get("function")
        if not isinstance(function, Mapping) or "parameters" in function:
            return tool
        return {**tool, "function": {**function, "parameters": {"type": "object", "properties": {}}}}

    return _each(body, "tools", declared)


def nine_character_ids(body: Body) -> Body:
    """Ids of calls are nine letters or digits: "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9" (a 400
    of Mistral's [K]). Ids that are so stay; others become the same nine every time."""

    def renamed(message: Body) -> Body:
        changed = dict(message)
        if isinstance(said := message.get("tool_call_id"), str):
            changed["tool_call_id"] = _nine(said)
        if isinstance(calls := message.get("tool_calls"), list):
            changed["tool_calls"] = [
                {**call, "id": _nine(call["id"])}
                if isinstance(call, Mapping) and isinstance(call.get("id"), str)
                else call
                for call in calls
            ]
        return changed

    return _each(body, "messages", renamed)


def _nine(call_id: str) -> str:
    if len(call_id) == _NINE and call_id.isascii() and call_id.isalnum():
        return call_id
    return hashlib.sha256(call_id.encode("utf-8", "surrogatepass")).hexdigest()[:_NINE]


_NINE: Final = 9


def thinking_type(body: Body) -> Body:
    """An effort switches thinking on or off by `thinking.type`: DeepSeek's, Zhipu's and Moonshot's own documents of Chat
    Completions have no other control."""
    return _without_effort(body, lambda on: {"thinking": {"type": "enabled" if on else "disabled"}})


def enable_thinking(body: Body) -> Body:
    """An effort switches thinking on or off by `enable_thinking`: Alibaba's Model Studio (Qwen), beside OpenAI's fields."""
    return _without_effort(body, lambda on: {"enable_thinking": on})


def template_thinking(body: Body) -> Body:
    """An effort switches thinking on or off in the chat template, by `chat_template_kwargs.enable_thinking` (vLLM's and
    SGLang's documents on reasoning)."""
    given = body.get("chat_template_kwargs")
    given = given if isinstance(given, Mapping) else {}
    return _without_effort(body, lambda on: {"chat_template_kwargs": {**given, "enable_thinking": on}})


def _without_effort(body: Body, said: Callable[[bool], Body]) -> Body:
    effort = body.get("reasoning_effort")
    if effort is None:
        return body
    return {**{name: value for name, value in body.items() if name != "reasoning_effort"}, **said(effort != "none")}


# -- answers ---------------------------------------------------------------------------------------------------------

_OPEN: Final = "<think>"
_CLOSE: Final = "</think>"


def think_tags(body: Body) -> Body:
    """Thoughts that stand in front of the text between `<think>` and `</think>` are thoughts: servers without a reasoning
    parser give DeepSeek R1's, Qwen's and MiniMax' output as it is (vLLM's documents on reasoning outputs)."""

    def read(choice: Body) -> Body:
        message = choice.get("message")
        content = message.get("content") if isinstance(message, Mapping) else None
        if not isinstance(message, Mapping) or not isinstance(content, str):
            return choice
        tags = _Tags()
        thoughts, text = tags.feed(content)
        more_thoughts, more_text = tags.close()
        return {**choice, "message": _thought({**message}, thoughts + more_thoughts, text + more_text)}

    return _each(body, "choices", read)


class _Tags:
    """Splits a text that comes in pieces into thoughts and the rest. Only tags in front of the text are looked for."""

    def __init__(self) -> None:
        self._held = ""
        self._state = _OPEN
        """The tag that is waited for; "": the rest is text."""
        self._began = False
        """Thoughts or text have begun: white space is no longer passed over."""

    def feed(self, piece: str) -> tuple[str, str]:
        """(thoughts, text) that are certain now."""
        thoughts = ""
        held = self._held + piece
        self._held = ""
        if self._state == _OPEN:
            text = held.lstrip()
            if text.startswith(_OPEN):
                self._state, held = _CLOSE, text[len(_OPEN) :]
            elif _OPEN.startswith(text):
                self._held = held
                return "", ""
            else:
                self._state, self._began = "", True
        if self._state == _CLOSE:
            if not self._began:
                held = held.lstrip("\n")
                self._began = bool(held)
            thoughts, tag, rest = held.partition(_CLOSE)
            if not tag:
                kept = _overlap(thoughts, _CLOSE)
                self._held = thoughts[len(thoughts) - kept :] if kept else ""
                return thoughts[: len(thoughts) - kept], ""
            self._state, self._began, held = "", False, rest
        if not self._began:
            held = held.lstrip("\n")
            self._began = bool(held)
        return thoughts, held

    def close(self) -> tuple[str, str]:
        """What was held back for a tag that never came."""
        held, self._held = self._held, ""
        return (held, "") if self._state == _CLOSE else ("", held)


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of a text may be the beginning of a tag."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-size:])), 0)


def _thought(message: dict[str, Any], thoughts: str, text: str) -> dict[str, Any]:
    message["content"] = text
    if thoughts:
        message["reasoning_content"] = f"{message.get('reasoning_content') or ''}{thoughts}"
    return message


def think_tags_of_stream() -> Change:
    """The same of the chunks of one stream."""
    tags: dict[Any, _Tags] = {}

    def read(choice: Body) -> Body:
        delta = choice.get("delta")
        if not isinstance(delta, Mapping):
            return choice
        splitter = tags.setdefault(choice.get("index"), _Tags())
        content = delta.get("content")
        thoughts, text = splitter.feed(content) if isinstance(content, str) else ("", "")
        if choice.get("finish_reason") is not None:
            held = splitter.close()
            thoughts, text = thoughts + held[0], text + held[1]
        if not isinstance(content, str) and not thoughts and not text:
            return choice
        return {**choice, "delta": _thought({**delta}, thoughts, text)}

    return lambda chunk: _each(chunk, "choices", read)


def thinking_parts(body: Body) -> Body:
    """Thoughts that are parts of the content, `{"type": "thinking", "thinking": [{"type": "text", …}]}`, are thoughts
    (Mistral's document on reasoning: Magistral)."""

    def read(choice: Body) -> Body:
        name = "delta" if "delta" in choice else "message"
        message = choice.get(name)
        content = message.get("content") if isinstance(message, Mapping) else None
        if not isinstance(message, Mapping) or not isinstance(content, list):
            return choice
        thoughts = [part for part in content if _kind(part) == "thinking"]
        rest = [part for part in content if _kind(part) != "thinking"]
        if not thoughts:
            return choice
        changed = _thought({**message}, "".join([_texts(part.get("thinking")) for part in thoughts]), "")
        changed["content"] = rest or None
        return {**choice, name: changed}

    return _each(body, "choices", read)


def _texts(value: Any) -> str:
    if isinstance(value, str):
        return value
    texts = [part.get("text") for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []
    return "".join([text for text in texts if isinstance(text, str)])


def base_resp(body: Body) -> Body:
    """A `base_resp` that says no is an error, though the status is 200 (MiniMax' document on error codes)."""
    told = body.get("base_resp")
    code = told.get("status_code") if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(code, int) or code == 0:
        return body
    return {"error": {"message": str(told.get("status_msg") or ""), "code": _BASE_CODES.get(code, 500)}}


_BASE_CODES: Final = {
    1000: 500,
    1001: 504,
    1002: 429,
    1004: 401,
    1008: 402,
    1013: 500,
    1026: "content_filter",
    1027: "content_filter",
    1039: 429,
    2013: 400,
    2049: 401,
}
"""MiniMax' codes -> the status they mean, or OpenAI's code."""


# -- the list --------------------------------------------------------------------------------------------------------


class Quirk(msgspec.Struct, frozen=True):
    """One deviation. Its function's docstring says which, and where that is written."""

    name: str
    request: Change | None = None
    answer: Change | None = None
    stream: Callable[[], Change] | None = None
    """Makes what changes the chunks of one stream, in order; it may remember."""

    @property
    def says(self) -> str:
        """What deviates, and whose word that is."""
        function = self.request or self.answer
        return " ".join((function.__doc__ or "").split()) if function is not None else ""


def _of_requests(*changes: Change) -> Iterable[Quirk]:
    return [Quirk(change.__name__, request=change) for change in changes]


QUIRKS: Final[Mapping[str, Quirk]] = {
    quirk.name: quirk
    for quirk in (
        *_of_requests(joined_text, without_stream_options, without_strict, with_parameters, nine_character_ids),
        *_of_requests(thinking_type, enable_thinking, template_thinking),
        Quirk("think_tags", answer=think_tags, stream=think_tags_of_stream),
        Quirk("thinking_parts", answer=thinking_parts, stream=lambda: thinking_parts),
        Quirk("base_resp", answer=base_resp, stream=lambda: base_resp),
    )
}


def in_request(quirks: Sequence[Quirk], body: Body) -> Body:
    """A rendered body as a server with these quirks wants it."""
    for quirk in quirks:
        if quirk.request is not None:
            body = quirk.request(body)
    return body


def in_answer(quirks: Sequence[Quirk], body: Any) -> Any:
    """A whole answer as the dialect means it; what is no object stays."""
    for quirk in quirks:
        if quirk.answer is not None and isinstance(body, Mapping):
            body = quirk.answer(body)
    return body


def in_stream(quirks: Sequence[Quirk]) -> Callable[[Frame], Frame] | None:
    """What changes the frames of one stream; None: nothing does. What is not a JSON object stays."""
    changes = [quirk.stream() for quirk in quirks if quirk.stream is not None]
    if not changes:
        return None

    def changed(frame: Frame) -> Frame:
        try:
            body = jsontext.decode(frame.data)
        except jsontext.NotJson:
            return frame
        if not isinstance(body, Mapping):
            return frame
        for change in changes:
            body = change(body)
        return Frame(jsontext.encode(body), frame.event)

    return changed


def _each(body: Body, name: str, change: Change) -> Body:
    """The body with each object of a list changed."""
    items = body.get(name)
    if not isinstance(items, list):
        return body
    return {**body, name: [change(item) if isinstance(item, Mapping) else item for item in items]}


def _kind(part: Any) -> Any:
    return part.get("type") if isinstance(part, Mapping) else None
