"""Anthropic's error bodies <-> errors (mapping.md 4, end; traffic.md).

{"type": "error", "error": {"type": "rate_limit_error", "message": …}, "request_id": …}
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import (
    ContextLengthExceeded,
    PorticoError,
    UnsupportedParameter,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamConflict,
    UpstreamError,
    UpstreamFileNotFound,
    UpstreamInternal,
    UpstreamModelNotFound,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
    UpstreamRejected,
    UpstreamRequestTooLarge,
    UpstreamSignatureMissing,
    UpstreamSignatureRejected,
    UpstreamTimeout,
)
from portico.dialects.anthropic_messages.quotas import consumer_of, quotas_of
from portico.wire import jsontext
from portico.wire.retryafter import NO_HEADERS, retry_after_s

TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""What a status is called."""

_BY_TYPE: Final[Mapping[str, type[UpstreamError]]] = {
    "invalid_request_error": UpstreamRejected,
    "authentication_error": UpstreamAuthFailed,
    "billing_error": UpstreamRefusedAccount,
    "permission_error": UpstreamAuthFailed,
    "not_found_error": UpstreamModelNotFound,
    "conflict_error": UpstreamConflict,
    "request_too_large": UpstreamRequestTooLarge,
    "rate_limit_error": UpstreamRateLimited,
    "api_error": UpstreamInternal,
    "timeout_error": UpstreamTimeout,
    "overloaded_error": UpstreamOverloaded,
}
_BY_STATUS: Final[Mapping[int, type[UpstreamError]]] = {
    **{status: _BY_TYPE[word] for status, word in TYPES.items() if word in _BY_TYPE},
    502: UpstreamBadGateway,
}
_CONTEXT: Final = re.compile(
    r"prompt is too long|exceed context limit|context window|too many total text", re.IGNORECASE
)
_SIGNATURE: Final = re.compile(
    r"invalid `?signature`? in `?thinking|`?(?:redacted_)?thinking`? (?:blocks? )?.*cannot be modified"
    r"|invalid `?data`? in `?redacted_thinking",
    re.IGNORECASE,
)
_THOUGHTS_FIRST: Final = re.compile(r"expected `?thinking`? or `?redacted_thinking`?, but found", re.IGNORECASE)
_CREDIT: Final = re.compile(r"credit balance is too low|plans & billing", re.IGNORECASE)
_DISABLED: Final = re.compile(r"organization has been disabled|\baccount\b.*\b(?:disabled|suspended)", re.IGNORECASE)
_MODEL: Final = re.compile(r"\bmodel\b", re.IGNORECASE)
_FILE: Final = re.compile(r"\bfile", re.IGNORECASE)
_REFUSED: Final = re.compile(
    r"`?(temperature|top_p|top_k|thinking|output_config|stop_sequences|service_tier)`?"
    r"[^.]{0,60}(?:not supported|is deprecated|not permitted|cannot both be specified|not available)",
    re.IGNORECASE,
)
_FIELDS: Final = {
    "temperature": "sampling",
    "top_p": "sampling",
    "top_k": "sampling",
    "thinking": "thinking",
    "output_config": "thinking",
    "stop_sequences": "stop",
    "service_tier": "service_tier",
}
"""Anthropic's field -> the name under which it is learned that a model does not take it (`relay/learned.py`)."""
NATIVE: Final = "anthropic_messages"
"""Where Anthropic's own words ride in `UpstreamError.native`."""
_THREADS: Final = "thread_"
"""How codes begin that speak of a conversation which the provider holds: clients go on by them."""
LONGEST: Final = 4096
"""Characters of a message that are looked at and passed on."""
_KEYS: Final = re.compile(r"sk-ant-[\w-]{8,}|\borg_?[0-9a-f-]{16,}|req_\w{10,}", re.IGNORECASE)


class ThreadNotHeld(UnsupportedParameter):
    """Only Anthropic itself holds a thread: send the whole conversation, without `thread`."""


def parse_error(status: int, body: bytes, headers: Mapping[str, str] = NO_HEADERS, /) -> UpstreamError:
    """A failed answer as an error; JSON as documented, or no JSON at all."""
    try:
        decoded = jsontext.decode(body)
    except jsontext.NotJson:
        kind = _BY_STATUS.get(status, UpstreamInternal if status >= 500 else UpstreamBadGateway)
        if kind in (UpstreamRejected, UpstreamModelNotFound):
            kind = UpstreamBadGateway
        return _waiting(kind(upstream_status=status), "", headers)
    return parse_error_object(decoded, status, headers)


def _waiting(error: UpstreamError, message: str, headers: Mapping[str, str]) -> UpstreamError:
    """With which quotas were exceeded, and when it is worth coming back."""
    if isinstance(error, (UpstreamRateLimited, UpstreamOverloaded)):
        error.retry_after_s = retry_after_s(headers)
    if isinstance(error, UpstreamRateLimited):
        error.quotas, error.consumer = quotas_of(message, headers), consumer_of(message, headers)
    return error


def parse_error_object(body: Any, status: int | None = None, headers: Mapping[str, str] = NO_HEADERS) -> UpstreamError:
    """The same from a decoded body. In a stream there is no status, and the type tells."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return _waiting(_BY_STATUS.get(status or 0, UpstreamBadGateway)(upstream_status=status), "", headers)
    word = str(error.get("type") or "")
    message = _KEYS.sub("[hidden]", str(error.get("message") or "")[:LONGEST])
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    of_thread = isinstance(code, str) and code.startswith(_THREADS)
    kind, said = UpstreamRejected if of_thread else _kind(word, status, message), message
    if kind in (UpstreamAuthFailed, UpstreamRefusedAccount):
        message = ""  # it speaks of the operator's account: the caller gets our own words
    made = kind(message, upstream_status=status, reason=word or None)
    if of_thread:
        made.native = {NATIVE: _thread_details(code, details)}
    if kind is UpstreamModelNotFound:
        made.param = "model"
    elif kind is UpstreamRejected and isinstance(made, UpstreamRejected) and (found := _REFUSED.search(message)):
        made.refused = _FIELDS[found.group(1).lower()]
    elif isinstance(made, UpstreamAuthFailed):
        made.of_model = word == "permission_error" and _MODEL.search(said) is not None
        made.says_key = True if made.of_model or _DISABLED.search(said) else None
    return _waiting(made, said, headers)


def _thread_details(code: Any, details: Any) -> dict[str, Any]:
    """What a client reads of them, to a length."""
    unsupported = details.get("unsupported")
    named = [str(one)[:100] for one in unsupported[:20]] if isinstance(unsupported, list) else []
    return {"error_code": code[:100], **({"unsupported": named} if named else {})}


def _kind(word: str, status: int | None, message: str) -> type[UpstreamError]:
    kind = _BY_TYPE.get(word) or _BY_STATUS.get(status or 0)
    if kind is None:
        kind = UpstreamInternal if (status or 500) >= 500 else UpstreamRejected
    if kind is UpstreamRejected:
        if _SIGNATURE.search(message):
            return UpstreamSignatureRejected
        if _THOUGHTS_FIRST.search(message):
            return UpstreamSignatureMissing
        if _CONTEXT.search(message):
            return ContextLengthExceeded
        if _DISABLED.search(message):
            return UpstreamAuthFailed
        if _CREDIT.search(message):
            return UpstreamRefusedAccount
    if kind is UpstreamModelNotFound and _FILE.search(message) and "model" not in message:
        return UpstreamFileNotFound
    return kind


def render_error(error: PorticoError) -> dict[str, Any]:
    """An error in Anthropic's shape. The request id stands in the `request-id` header."""
    status = error.http_status
    word = TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
    told: dict[str, Any] = {"type": word, "message": error.message}
    if isinstance(error, ThreadNotHeld):
        told["details"] = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
    elif isinstance(error, UpstreamError) and NATIVE in error.native:
        told["details"] = error.native[NATIVE]
    if error.doc is not None:
        told["doc"] = error.doc
    return {"type": "error", "error": told}
