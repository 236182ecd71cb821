"""The response object around an answer's items: its fields, how it ended, what it repeats (clients.md 10).

31 fields are there whether null or not: clients validate. What no request set stands as OpenAI would have it.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Reply
from portico.core.response import Finish, FinishReason

DEFAULTS: Final[Mapping[str, Any]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "background": False,
    "temperature": 1.0,
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "tool_choice": "auto",
    "truncation": "disabled",
    "service_tier": "auto",
    "metadata": {},
    "user": None,
}
STATUS: Final[Mapping[FinishReason, str]] = {
    FinishReason.STOP: "completed",
    FinishReason.TOOL_CALLS: "completed",
    FinishReason.LENGTH: "incomplete",
    FinishReason.CONTENT_FILTER: "incomplete",
    FinishReason.ERROR: "completed",
    FinishReason.OTHER: "completed",
}
DETAILS: Final[Mapping[FinishReason, str]] = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
}
PREFIX: Final = "resp_"


def answer_id(own: str | None, reply: Reply) -> str:
    """`resp_` and the provider's id, or ours where it gave none, or where the answer will be asked for by it."""
    found = (reply.id if reply.own_id or not own else own).removeprefix("chatcmpl-")
    return found if found.startswith(PREFIX) else f"{PREFIX}{found}"


def response_object(id_: str, created: int, model: str, reply: Reply) -> dict[str, Any]:
    """The object as it stands when an answer begins."""
    echo = reply.echo
    body: dict[str, Any] = {
        "id": id_,
        "object": "response",
        "created_at": created,
        "completed_at": None,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "usage": None,
    }
    body.update({name: echo.get(name, default) for name, default in DEFAULTS.items()})
    body["reasoning"] = {"effort": None, "summary": None, **_object(echo.get("reasoning"))}
    body["text"] = {"format": {"type": "text"}, "verbosity": "medium", **_object(echo.get("text"))}
    body["tools"] = [_tool(tool) for tool in echo.get("tools", ())]
    for name in ("conversation", "prompt_cache_retention"):
        if name in echo:
            body[name] = echo[name]
    if isinstance(body.get("conversation"), str):
        body["conversation"] = {"id": body["conversation"]}
    return body


def _object(value: Any) -> Mapping[str, Any]:
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else {}


def _tool(tool: Any) -> Any:
    """A tool as it is repeated: a function says its description, parameters and strictness, said or not."""
    if not isinstance(tool, Mapping) or tool.get("type") != "function":
        return tool
    nested = tool.get("function")
    given = {**nested, "type": "function"} if isinstance(nested, Mapping) else tool
    strict = given.get("strict")
    return {"description": None, "parameters": None, **given, "strict": True if strict is None else strict}


def finished(body: dict[str, Any], finish: Finish | None, completed_at: int) -> None:
    """Says how an answer ended: `status`, why it is incomplete, and the provider's own word beside it."""
    reason = FinishReason.STOP if finish is None else finish.reason
    body["status"] = STATUS[reason]
    if reason in DETAILS:
        body["incomplete_details"] = {"reason": DETAILS[reason]}
    else:
        body["completed_at"] = completed_at
    body["native_finish_reason"] = None if finish is None else finish.raw
    if finish is None:
        return
    if finish.prompt_blocked:
        body["prompt_feedback"] = {"block_reason": finish.raw, "block_reason_message": finish.message}
    elif finish.message is not None:
        body["finish_message"] = finish.message


def refusal_text(finish: Finish) -> str:
    """What a caller reads whose prompt was blocked."""
    return finish.message or f"Prompt blocked: {finish.raw or 'no reason given'}"


def parse_finish(body: Mapping[str, Any], *, calls: bool) -> Finish | None:
    """How an answer ended; None where it does not say. `calls`: it holds calls of the caller's tools."""
    status = body.get("status")
    if "native_finish_reason" in body and body["native_finish_reason"] is None:
        return None
    native = body.get("native_finish_reason")
    raw = native if isinstance(native, str) else None
    message = body.get("finish_message")
    message = message if isinstance(message, str) else None
    feedback = body.get("prompt_feedback")
    if isinstance(feedback, Mapping):
        told = feedback.get("block_reason_message")
        reason = feedback.get("block_reason")
        return Finish(
            FinishReason.CONTENT_FILTER,
            reason if isinstance(reason, str) else None,
            told if isinstance(told, str) else None,
            prompt_blocked=True,
        )
    if status == "incomplete":
        details = body.get("incomplete_details")
        word = details.get("reason") if isinstance(details, Mapping) else None
        known = {said: reason for reason, said in DETAILS.items()}
        said = word if isinstance(word, str) else "unknown"
        return Finish(known.get(said, FinishReason.OTHER), raw or f"incomplete:{said}", message)
    if status in ("queued", "in_progress"):
        return None
    if status in ("completed", "complete", None):
        return Finish(FinishReason.TOOL_CALLS if calls else FinishReason.STOP, raw or "completed", message)
    return Finish(FinishReason.OTHER, raw or str(status), message)
