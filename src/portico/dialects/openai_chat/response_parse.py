"""chat.completion -> neutral response (mapping.md 2.1 to 2.9, from the other side).

Servers that imitate OpenAI tell thoughts, counts and the end of an answer in places of their own: all are looked at.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import Reading
from portico.core.errors import InvalidRequest, UpstreamBadGateway
from portico.core.parts import Ext, Media, Opaque, Part, Reasoning, Signature, Text, ToolCall, text_of
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.dialects.openai.checks import array_at, object_at, string_at
from portico.dialects.openai.errors import parse_error_object, tells_error
from portico.dialects.openai.logprobs import parse_logprobs
from portico.dialects.openai_chat.annotations import annotations_in, parse_annotations
from portico.dialects.openai_chat.content import parse_content
from portico.dialects.openai_chat.extra_content import (
    GOOGLE_EXT,
    ORIGIN,
    VENDOR,
    ext_around,
    ext_of,
    read_google,
    read_signature,
)
from portico.dialects.openai_chat.finish import finish_reason
from portico.dialects.openai_chat.response import REFUSAL, SEARCHES
from portico.dialects.openai_chat.usage import parse_usage, usage_in, uses_in
from portico.wire import jsontext

UNREADABLE: Final = (InvalidRequest, AttributeError, TypeError, ValueError, KeyError, OverflowError)
"""What reading values of unexpected types raises: such an answer is the provider's fault."""


def name_in(body: Mapping[str, Any], field: str) -> str | None:
    """What an answer calls itself or its model, if it is a name."""
    value = body.get(field)
    return value if isinstance(value, str) and value else None


def created_at(body: Mapping[str, Any]) -> int | None:
    """When the answer was made, in seconds."""
    value = body.get("created")
    return int(value) if isinstance(value, (int, float)) else None


def text_in(holder: Mapping[str, Any], field: str) -> str:
    """A text; "" where there is none. Raises `InvalidRequest` for something else."""
    value = holder.get(field)
    return "" if value is None else string_at(value, f".{field}")


_THOUGHTS: Final = ("reasoning_content", "reasoning")
_THOUGHT_TEXTS: Final = ("text", "summary")


def thoughts_in(holder: Mapping[str, Any]) -> str:
    """The thoughts of a message or a piece of one, in the first of the places where servers tell them; "" for none."""
    for name in _THOUGHTS:
        if isinstance(text := holder.get(name), str) and text:
            return text
    details = holder.get("reasoning_details")
    if not isinstance(details, list):
        return ""
    found = [item.get(name) for item in details if isinstance(item, Mapping) for name in _THOUGHT_TEXTS]
    return "".join([text for text in found if isinstance(text, str)])


def arguments_in(function: Mapping[str, Any]) -> str:
    """The arguments of a call as text; some endpoints send the object itself."""
    arguments = function.get("arguments")
    return jsontext.dumps(arguments) if isinstance(arguments, dict) else text_in(function, "arguments")


def searches_in(google: Mapping[str, Any]) -> tuple[str, ...]:
    """The queries that were put to the web. Raises `InvalidRequest` for what are none."""
    return tuple([string_at(query, f".{SEARCHES}") for query in array_at(google.get(SEARCHES) or [], f".{SEARCHES}")])


def parse_response(body: Any, reading: Reading) -> Response:
    """A chat.completion. Raises `UpstreamBadGateway` for what is none, and an error that came as one."""
    if not isinstance(body, Mapping) or not isinstance(body.get("choices"), list):
        if tells_error(body):
            raise parse_error_object(body)
        raise UpstreamBadGateway
    try:
        candidates = [_candidate(choice, position, reading) for position, choice in enumerate(body["choices"])]
        counts = usage_in(body)
        usage = parse_usage(counts)
    except UNREADABLE as error:
        raise UpstreamBadGateway from error
    return Response(
        id=name_in(body, "id"),
        model=name_in(body, "model"),
        candidates=tuple(candidates),
        usage=usage,
        created=created_at(body),
        service_tier=name_in(body, "service_tier"),
        ext=with_own(ext_of(read_google(body)), {"system_fingerprint": body.get("system_fingerprint")}),
        uses={} if usage is None else uses_in(counts, searched=any(one.citations for one in candidates)),
        raw_usage=None if usage is None else counts,
    )


def _candidate(choice: Mapping[str, Any], position: int, reading: Reading) -> Candidate:
    message = choice.get("message") or {}
    google = read_google(message)
    parts: list[Part] = []
    if reasoning := thoughts_in(message):
        parts.append(Reasoning(reasoning))
    parts += parse_content(message.get("content") or [], answered=True)
    for image in message.get("images") or ():
        parts += parse_content([image])
    parts += parse_audio(message.get("audio"))
    feedback = google.get("prompt_feedback")
    refusal = text_in(message, "refusal")
    if refusal and not feedback:
        parts.append(Text(refusal, ext=REFUSAL))
    calls = [parse_call(item, reading) for item in message.get("tool_calls") or ()]
    if signature := text_in(google, "thought_signature"):
        signed = Signature(VENDOR, signature)
        if calls and calls[0].signature is None and not text_of(tuple(parts)):
            calls[0] = msgspec.structs.replace(calls[0], signature=signed)  # as Google's own surface puts it
        elif not (calls and calls[0].signature == signed):
            _sign(parts, signed)
    parts += calls
    if legacy := message.get("function_call"):
        parts.append(ToolCall(reading.mint(), string_at(legacy["name"], ".name"), arguments_in(legacy), minted=True))
    for item in google.get("parts") or ():
        parts.insert(min(int(item["index"]), len(parts)), Opaque(GOOGLE_EXT, object_at(item["part"], ".part")))
    index = choice.get("index")
    logprobs, other_logprobs = parse_logprobs(choice.get("logprobs"))
    citations, other_annotations = parse_annotations(annotations_in(message))
    return Candidate(
        index=position if index is None else int(index),
        parts=tuple(parts),
        finish=with_calls(parse_finish(choice, feedback), any(isinstance(part, ToolCall) for part in parts)),
        ext=with_own(
            ext_of(google, "thought_signature", "parts", "prompt_feedback", SEARCHES),
            {"logprobs": other_logprobs, "annotations": other_annotations},
        ),
        citations=citations,
        searches=searches_in(google),
        logprobs=logprobs,
    )


def with_own(ext: Ext, own: Mapping[str, Any]) -> Ext:
    """Extras and the fields that only Chat has; empty ones are none."""
    kept = {name: value for name, value in own.items() if value}
    return {**(ext or {}), ORIGIN: kept} if kept else ext


def parse_audio(audio: Any) -> list[Part]:
    if not isinstance(audio, Mapping) or not audio.get("data"):
        return []
    google = read_google(audio)
    ext: Ext = ext_of(google, "thought_signature")
    mime, data = text_in(audio, "mime_type") or "audio/wav", text_in(audio, "data")
    return [Media(mime, data=data, signature=read_signature(audio), ext=ext)]


def _sign(parts: list[Part], signature: Signature) -> None:
    for i in range(len(parts) - 1, -1, -1):
        part = parts[i]
        if isinstance(part, Text):
            parts[i] = Text(part.text, signature, part.ext)
            return
    parts.append(Text("", signature))


def parse_call(item: Mapping[str, Any], reading: Reading) -> ToolCall:
    """One tool call of an answer; a call without an id (Google's compatible endpoint sends "") gets one."""
    wire_id = text_in(item, "id") or None
    signature = read_signature(item)
    google_ext = ext_around(item, "function_call", "thought_signature")
    call_id = wire_id or reading.mint()
    if item.get("type") == "custom":
        custom = item["custom"]
        name, text = string_at(custom["name"], ".name"), text_in(custom, "input")
        name = reading.tool_names.get(name, name)
        return ToolCall(call_id, name, text, kind="custom", minted=not wire_id, signature=signature)
    function = item["function"]
    name = string_at(function["name"], ".name")
    name = reading.tool_names.get(name, name)
    arguments = arguments_in(function)
    if name in reading.custom and (free := free_text(arguments)) is not None:
        return ToolCall(call_id, name, free, kind="custom", minted=not wire_id, signature=signature)
    return ToolCall(call_id, name, arguments, minted=not wire_id, signature=signature, ext=google_ext)


def free_text(arguments: str) -> str | None:
    """What a custom tool is called with that was declared as a function; None for arguments that are not that."""
    try:
        value = jsontext.decode(arguments)
    except jsontext.NotJson:
        return None
    text = value.get("input") if isinstance(value, dict) and len(value) == 1 else None
    return text if isinstance(text, str) else None


def parse_finish(choice: Mapping[str, Any], feedback: Any) -> Finish | None:
    """How a choice ended; None where it does not say."""
    word = text_in(choice, "finish_reason")
    if not word:
        return None
    if "native_finish_reason" in choice and choice["native_finish_reason"] is None:
        return None
    if isinstance(feedback, Mapping):
        return Finish(
            FinishReason.CONTENT_FILTER,
            text_in(feedback, "block_reason") or None,
            text_in(feedback, "block_reason_message") or None,
            prompt_blocked=True,
        )
    raw = text_in(choice, "native_finish_reason") or word
    return Finish(finish_reason(word), raw, text_in(choice, "finish_message") or None)


def with_calls(finish: Finish | None, called: bool) -> Finish | None:
    """How a choice ended that called something: some servers say `stop` then, and so does OpenAI of a forced call."""
    if finish is not None and called and finish.reason is FinishReason.STOP:
        return Finish(FinishReason.TOOL_CALLS, finish.raw, finish.message)
    return finish
