"""Neutral messages -> Chat messages.

Chat has one content and one list of calls per assistant message, so the order among them is lost (and said); what Chat has
no field for travels in `extra_content`.
"""

from typing import Any

from portico.core.foreign import foreign_losses
from portico.core.loss import Loss
from portico.core.parts import Media, Opaque, Reasoning, Text, ToolCall, ToolResult, text_of
from portico.core.request import Message, Request, Role
from portico.dialects.openai_chat.content import render_content
from portico.dialects.openai_chat.extra_content import GOOGLE_EXT, ORIGIN, VENDOR, extra_content


def render_messages(request: Request, losses: list[Loss]) -> list[dict[str, Any]]:
    """The messages of a Chat body."""
    calls = {part.id for m in request.messages for part in m.parts if isinstance(part, ToolCall)}
    messages: list[dict[str, Any]] = []
    for message in request.messages:
        if message.role is Role.ASSISTANT:
            messages.append(_assistant(message, request, losses))
        else:
            _others(message, calls, messages, losses, request)
    return messages


def _others(
    message: Message, calls: set[str], messages: list[dict[str, Any]], losses: list[Loss], request: Request
) -> None:
    """System and user messages; the results among a user's parts are messages of their own."""
    content: list[Text | Media] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            messages.append(_result(part, known=part.call_id in calls, number=len(messages)))
        elif isinstance(part, (Text, Media)):
            content.append(part)
        elif isinstance(part, Reasoning):
            content.append(Text(part.text, part.signature, {GOOGLE_EXT: {"thought": True}}))
        elif not (isinstance(part, Opaque) and part.said):
            path = request.where.at_message(message.at)
            losses.append(Loss("1.2:opaque", path, "a part that only another provider understands"))
    if content or not (message.parts or message.effort):
        rendered: dict[str, Any] = {"role": str(message.role), "content": render_content(content) if content else ""}
        _add_named(rendered, message)
        messages.append(rendered)


def _add_named(rendered: dict[str, Any], message: Message) -> None:
    if message.name is not None:
        rendered["name"] = message.name
    rendered.update((message.ext or {}).get(ORIGIN, {}))


def _result(result: ToolResult, *, known: bool, number: int) -> dict[str, Any]:
    rendered: dict[str, Any] = {"role": "tool", "tool_call_id": result.call_id or f"call_unknown{number}"}
    if not known:
        rendered["name"] = result.name
    text = text_of(result.parts)
    media = [part for part in result.parts if isinstance(part, Media)]
    content: list[Text | Media] = [Text(text), *media] if text or not media else [*media]
    rendered["content"] = render_content(content)
    if result.is_error:
        rendered["content"] = render_content([Text(f"Error: {text}"), *media])
    rendered.update(extra_content(None, result.ext))
    return rendered


def _assistant(message: Message, request: Request, losses: list[Loss]) -> dict[str, Any]:
    reasoning: list[Reasoning] = []
    content: list[Text | Media] = []
    calls: list[dict[str, Any]] = []
    opaque: list[dict[str, Any]] = []
    order: list[int] = []
    for index, part in enumerate(message.parts):
        if not isinstance(part, Opaque) and (part.ext or getattr(part, "signature", None) is not None):
            path = request.where.at_message(message.at)
            losses += foreign_losses(part, path, own=(ORIGIN, GOOGLE_EXT), vendor=VENDOR)
        match part:
            case Reasoning():
                reasoning.append(part)
                order.append(0)
            case Text() | Media():
                content.append(part)
                order.append(1)
            case ToolCall():
                calls.append(render_call(part))
                order.append(2)
            case Opaque(origin, value):
                if origin == GOOGLE_EXT:
                    opaque.append({"index": index, "part": value})
                elif not part.said:
                    path = request.where.at_message(message.at)
                    losses.append(Loss("1.2:opaque", path, "a part that only another provider understands"))
            case _:
                raise AssertionError("results stand in user messages")
    if order != sorted(order):
        path = request.where.at_message(message.at)
        losses.append(Loss("1.2:order", path, "Chat keeps thoughts, content and calls apart, not their order"))
        opaque = [{**item, "index": len(order) + n} for n, item in enumerate(opaque)]
    rendered: dict[str, Any] = {"role": "assistant", "content": render_content(content) if content else None}
    if not content and not calls:
        rendered["content"] = ""
    _add_reasoning(rendered, reasoning)
    if calls:
        rendered["tool_calls"] = calls
    if opaque:
        rendered.update(extra_content(more={"parts": opaque}))
    _add_named(rendered, message)
    return rendered


def _add_reasoning(rendered: dict[str, Any], reasoning: list[Reasoning]) -> None:
    if not reasoning:
        return
    rendered["reasoning_content"] = "".join([part.text for part in reasoning])
    if len(reasoning) > 1 or reasoning[0].signature is not None:
        rendered["reasoning_details"] = [
            {"type": "reasoning.text", "text": part.text, **extra_content(part.signature)} for part in reasoning
        ]


def render_call(call: ToolCall) -> dict[str, Any]:
    """One tool call of a message, its signature in `extra_content`."""
    extra = extra_content(call.signature, call.ext)
    if call.kind == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}, **extra}
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function, **extra}
