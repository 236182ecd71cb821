"""OpenAI's error object <-> errors (mapping.md 4): `{"error": {message, type, param, code}}`, all four keys always.

Servers that imitate OpenAI fail in shapes of their own: an error that is a string, an object at the top, FastAPI's
`detail`, an array, plain text, a page of HTML. All of them are read here, since all of them come from servers of one kind
or another behind the same address.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.errors import (
    ContextLengthExceeded,
    PorticoError,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamConflict,
    UpstreamContentRefused,
    UpstreamDeadlineExceeded,
    UpstreamError,
    UpstreamFileNotFound,
    UpstreamInternal,
    UpstreamModelNotFound,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRefusedAccount,
    UpstreamRejected,
    UpstreamRequestTooLarge,
    UpstreamSignatureRejected,
    UpstreamTimeout,
    UpstreamUnsupported,
)
from portico.dialects.openai.quotas import SPENT, consumer_of, quotas_of, reset_s
from portico.dialects.openai.refusals import only_value, refused_field
from portico.wire import jsontext
from portico.wire.retryafter import NO_HEADERS, retry_after_s

_TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "timeout",
    409: "server_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
    504: "timeout",
}
_BY_STATUS: Final[Mapping[int, type[UpstreamError]]] = {
    400: UpstreamRejected,
    401: UpstreamAuthFailed,
    402: UpstreamRefusedAccount,
    403: UpstreamAuthFailed,
    404: UpstreamModelNotFound,
    408: UpstreamTimeout,
    409: UpstreamConflict,
    413: UpstreamRequestTooLarge,
    422: UpstreamRejected,
    429: UpstreamRateLimited,
    498: UpstreamOverloaded,  # Groq: the flex tier is full
    500: UpstreamInternal,
    501: UpstreamUnsupported,
    502: UpstreamBadGateway,
    503: UpstreamOverloaded,
    504: UpstreamDeadlineExceeded,
    524: UpstreamDeadlineExceeded,  # Cloudflare's
    529: UpstreamOverloaded,
}

_STATUS_OF_WORD: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
    "invalid_value": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "unsupported_parameter": 400,
    "unsupported_value": 400,
    "invalid_prompt": 400,
    "invalid_image": 400,
    "invalid_image_format": 400,
    "invalid_image_mode": 400,
    "invalid_image_url": 400,
    "invalid_base64_image": 400,
    "image_too_large": 400,
    "image_too_small": 400,
    "image_parse_error": 400,
    "image_file_too_large": 400,
    "unsupported_image_media_type": 400,
    "empty_image_file": 400,
    "failed_to_download_image": 400,
    "image_file_not_found": 400,
    "invalid_api_key": 401,
    "authentication_error": 401,
    "permission_error": 403,
    "model_not_found": 404,
    "not_found_error": 404,
    "conflict": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "server_error": 500,
    "internal_error": 500,
    "bad_gateway": 502,
    "overloaded": 503,
    "overloaded_error": 503,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "service_unavailable": 503,
    "service_unavailable_error": 503,
    "timeout": 504,
    "upstream_timeout": 504,
}
"""`code` or `type` -> status, for errors that came without one: inside a stream."""

_BY_CODE: Final[Mapping[str, type[UpstreamError]]] = {
    "context_length_exceeded": ContextLengthExceeded,
    "request_too_large": UpstreamRequestTooLarge,
    "payload_too_large": UpstreamRequestTooLarge,
    "model_not_found": UpstreamModelNotFound,
    "model_not_available": UpstreamModelNotFound,
    "deploymentnotfound": UpstreamModelNotFound,
    "invalid_api_key": UpstreamAuthFailed,
    "insufficient_quota": UpstreamRateLimited,
    "billing_hard_limit_reached": UpstreamRefusedAccount,
    "billing_not_active": UpstreamRefusedAccount,
    "account_deactivated": UpstreamAuthFailed,
    "unsupported_country_region_territory": UpstreamRefusedAccount,
    "content_filter": UpstreamContentRefused,
    "content_policy_violation": UpstreamContentRefused,
    "responsibleaipolicyviolation": UpstreamContentRefused,
    "moderation_blocked": UpstreamContentRefused,
    "data_inspection_failed": UpstreamContentRefused,
    "invalid_encrypted_content": UpstreamSignatureRejected,
    "engine_overloaded": UpstreamOverloaded,
    "server_is_overloaded": UpstreamOverloaded,
    "slow_down": UpstreamOverloaded,
    "bio_policy": UpstreamContentRefused,
    "cyber_policy": UpstreamContentRefused,
    "misalignment_policy_violation": UpstreamContentRefused,
    "image_content_policy_violation": UpstreamContentRefused,
}
"""A provider's code, in small letters, that says more than its status."""
_CONTEXT: Final = re.compile(
    r"maximum context length|context (?:length|window|size)|prompt is too long|too many (?:input )?tokens"
    r"|exceeds? the (?:available|maximum|model'?s) (?:context|input|number of tokens)",
    re.IGNORECASE,
)
_MODEL: Final = re.compile(
    r"\bmodels?\b.*\b(?:not (?:exist|found|available|supported|allowed|a valid|a chat)|no access|does not exist|unknown)"
    r"|\b(?:unknown|no such|invalid|not a valid|not a chat) model\b"
    r"|\bnot allowed to (?:sample|generate embeddings) from this model",
    re.IGNORECASE,
)
_NO_TOOLS: Final = re.compile(
    r"\btools? (?:is|are|use|calling)\b.*\bnot support|not support.*\b(?:tools?|function)", re.IGNORECASE
)
_FILE: Final = re.compile(r"\bfile object\b|\bno such file\b|\bfiles? .*\bnot found\b", re.IGNORECASE)
_KEPT: Final = re.compile(
    r"^(?:item|previous response|response|conversation|prompt|vector store|container|thread)\b"
    r"(?!.*\bmodels?\b).*\bnot found\b",
    re.IGNORECASE,
)
"""What a caller named that the provider does not keep: `Item with id 'rs_…' not found`. Nobody else keeps it either."""
_CONTENT: Final = re.compile(r"content (?:management )?policy|content filter|usage polic|safety system", re.IGNORECASE)
_FLAGGED: Final = re.compile(r"\bflagged\b|\bmoderation\b", re.IGNORECASE)
"""OpenRouter's 403: not of the key, but of what was asked (https://openrouter.ai/docs/errors)."""
_KEY: Final = re.compile(r"\bapi[ _-]?key\b|\bunauthori[sz]ed\b|\bauthentication\b", re.IGNORECASE)
_SCOPES: Final = re.compile(r"missing scopes: ([\w.]*\w(?:, [\w.]*\w)*)", re.IGNORECASE)
_ANY_CALL: Final = "model.request"
"""The scope without which a key of OpenAI's may ask no model anything."""
_SHUT: Final = re.compile(
    r"\b(?:api[ _-]?key|account|token)\b.*\b(?:suspended|deactivated|disabled|revoked|leaked|expired|(?:in|not )valid)\b"
    r"|\b(?:invalid|expired|revoked|wrong|incorrect) (?:api[ _-]?)?(?:key|token)\b",
    re.IGNORECASE,
)
_DELAY: Final = re.compile(
    r"(?:try again|retry|retry after|wait)\s+(?:in|after|for)?\s*((?:\d+(?:\.\d+)?\s*(?:ms|[hms])\s*)+)", re.IGNORECASE
)
_UNIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[hms])", re.IGNORECASE)
_UNIT_S: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SECRETS: Final = re.compile(
    r"(?<![\w-])(?:sk|rk|pk|gsk|xai|nvapi)-[\w*.-]{3,}|\borg-[A-Za-z0-9]{6,}|\bproj_[A-Za-z0-9]{6,}"
    r"|(?<=://)(?:(?!://)[^\s?])+\?\S+"  # an address with a query: keys are in those
)
LONGEST: Final = 4096
"""Characters of a message that are looked at and passed on. A caller's own words may be quoted in it."""
_LONGEST_TEXT: Final = 500
NATIVE: Final = "openai_chat"
"""Where OpenAI's own words ride in `UpstreamError.native`."""
_OPERATORS: Final = (UpstreamAuthFailed, UpstreamRefusedAccount)
"""What speaks of the operator's account: the caller gets our own words."""


def render_error(error: PorticoError) -> dict[str, Any]:
    """The body an OpenAI client expects. `param` is the path without its `$.`. What a provider that speaks Chat said itself
    is said again."""
    status = error.http_status
    said = error.native.get(NATIVE) if isinstance(error, UpstreamError) else None
    own: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    told = {
        "message": error.message,
        "type": own.get("type") or error_type(status),
        "param": own.get("param") or (error.param.removeprefix("$.") if error.param else None),
        "code": own.get("code") or error.code,
    }
    if error.doc is not None:
        told["doc"] = error.doc
    return {"error": told}


def error_type(status: int) -> str:
    """OpenAI's word for the kind of error a status is."""
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


# -- reading one -----------------------------------------------------------------------------------------------------


class _Fault(msgspec.Struct):
    """What a provider said, wherever it said it."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    status: int = 0


def parse_error(status: int, body: bytes, headers: Mapping[str, str] = NO_HEADERS, /) -> UpstreamError:
    """A failed answer of an endpoint of a dialect of OpenAI's: JSON in any of its shapes, plain text, or a page."""
    try:
        told = jsontext.decode(body)
    except jsontext.NotJson:
        return _waiting(_of_text(status, body), headers)
    return parse_error_object(told, status, headers)


def decoded(data: bytes) -> Any:
    """What a provider sent. Raises `UpstreamBadGateway` for what is no JSON, or holds a number that nobody can."""
    try:
        return jsontext.decode(data)
    except jsontext.NotJson as error:
        raise UpstreamBadGateway(f"The provider sent something that is not JSON: {error}") from None


def parse_error_object(body: Any, status: int = 0, headers: Mapping[str, str] = NO_HEADERS) -> UpstreamError:
    """The same from a decoded body. Without a `status` the error's own words are asked for it."""
    fault = _fault(body)
    if fault is None:
        return _waiting(_of_text(status, b""), headers)
    fault.message = fault.message[:LONGEST]
    error = _error(fault, status or fault.status or _status_of(fault))
    if isinstance(error, UpstreamRateLimited):
        error.quotas = quotas_of(fault.code.lower(), fault.message, headers)
        error.consumer = consumer_of(fault.message)
    return _waiting(error, headers)


def _waiting(error: UpstreamError, headers: Mapping[str, str]) -> UpstreamError:
    """With when it is worth coming back, by its headers: they are more exact than its sentence."""
    if isinstance(error, (UpstreamRateLimited, UpstreamOverloaded)):
        told = retry_after_s(headers)
        if told is None and error.retry_after_s is None:
            told = reset_s(headers)
        error.retry_after_s = told if told is not None else error.retry_after_s
    return error


def tells_error(body: Any) -> bool:
    """Whether a decoded body that came as an answer, or as a piece of one, is an error: it has one, or it is nothing else
    than one (vLLM's `{"object": "error"}`, FastAPI's `detail`)."""
    if not isinstance(body, Mapping):
        return False
    if body.get("error") is not None:
        return True
    return "choices" not in body and (body.get("object") == "error" or "detail" in body)


def _of_text(status: int, body: bytes) -> UpstreamError:
    """An error in words alone. A page is for people, and says nothing of the request: what its status means is all."""
    text = body[: _LONGEST_TEXT + 1].decode("utf-8", "replace").strip()
    if not text or "<" in text[:1] or len(text) > _LONGEST_TEXT:
        kind = _BY_STATUS.get(status, UpstreamBadGateway)
        if kind in (UpstreamModelNotFound, UpstreamRejected):
            kind = UpstreamBadGateway  # whatever answers there does not speak Chat
        return kind(upstream_status=status)
    if status < 400:
        return UpstreamBadGateway(upstream_status=status)
    return _error(_Fault(text), status)


def _fault(body: Any) -> _Fault | None:
    """What an error's body says; None if that is nothing."""
    if isinstance(body, list):
        body = body[0] if body else None
    if isinstance(body, str):
        return _Fault(body)
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    if error is None and isinstance(errors := body.get("errors"), list) and errors:
        error = errors[0]
    if isinstance(error, Mapping):
        return _of_fields(error)
    if isinstance(error, str):  # Ollama, LM Studio; xAI has its code beside it
        return _Fault(error, _word(body.get("code")), _word(body.get("type") or body.get("error_type")))
    if error is None and {"message", "detail", "msg"} & body.keys():
        return _of_fields(body)
    return None


def _of_fields(fields: Mapping[str, Any]) -> _Fault:
    message = next((fields[name] for name in ("message", "detail", "msg") if fields.get(name) is not None), "")
    inner = fields.get("innererror")
    code, param = fields.get("code"), fields.get("param")
    status = next((one for one in map(_http, (code, fields.get("status"), fields.get("status_code"))) if one), 0)
    if isinstance(inner, Mapping) and inner.get("code"):  # Azure: what its filter found
        code = inner["code"]
    said, at = _detail(message)
    return _Fault(said, _word(code), _word(fields.get("type")), param if isinstance(param, str) else at, status)


def _detail(message: Any) -> tuple[str, str]:
    """A message as text, and the path it blames: FastAPI's are lists of `{loc, msg}`."""
    if isinstance(message, Mapping):
        return _detail(message.get("detail", message.get("message", "")))
    if not isinstance(message, list):
        return (message, "") if isinstance(message, str) else ("", "")
    said, at = [], ""
    for item in message:
        if isinstance(item, Mapping):
            steps = item.get("loc")
            path = ".".join([str(step) for step in steps if step != "body"]) if isinstance(steps, list) else ""
            at = at or path
            said.append(f"{path}: {item.get('msg', '')}" if path else str(item.get("msg", "")))
        elif isinstance(item, str):
            said.append(item)
    return "; ".join(said), at


def _word(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _http(value: Any) -> int:
    """A status that is told inside an error, as a number or as its digits."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and 400 <= value < 600 else 0


def _status_of(fault: _Fault) -> int:
    words = (fault.code, fault.type)
    return next((_STATUS_OF_WORD[word] for word in words if word in _STATUS_OF_WORD), 500)


def _error(fault: _Fault, status: int) -> UpstreamError:
    kind = _kind(status, fault)
    operators = kind in _OPERATORS or fault.code in SPENT
    message = "" if operators else masked(fault.message)
    error = kind(
        message,
        param=_PARAMS.get(kind) or neutral_field(fault.param),
        retry_after_s=_retry_delay(fault.message) if status in (429, 498, 503, 529) else None,
        upstream_status=status,
        reason=fault.code or fault.type or None,
    )
    if isinstance(error, UpstreamRejected) and kind in (UpstreamRejected, UpstreamUnsupported):
        error.refused = refused_field(fault.code, fault.param, fault.message)
        error.only_value = only_value(error.refused, fault.code, fault.message)
    if isinstance(error, UpstreamAuthFailed):
        error.says_key = _says_key(fault)
    if isinstance(error, UpstreamRejected):
        own = {"type": fault.type, "param": fault.param, "code": fault.code}
        error.native = {NATIVE: {name: masked(word) for name, word in own.items() if word}}
    return error


_PARAMS: Final[Mapping[type[UpstreamError], str]] = {UpstreamModelNotFound: "model", ContextLengthExceeded: "messages"}
"""What is to blame, by its neutral name."""


def _says_key(fault: _Fault) -> bool | None:
    """Whether the key is at fault, if a refusal tells. One that is restricted may lack the scope of one operation."""
    if (scopes := _SCOPES.search(fault.message)) is not None:
        return _ANY_CALL in scopes.group(1).split(", ")
    return True if fault.code.lower() in _BY_CODE or _SHUT.search(fault.message) else None


def _kind(status: int, fault: _Fault) -> type[UpstreamError]:
    if (by_code := _BY_CODE.get(fault.code.lower())) is not None:
        return by_code
    kind = _BY_STATUS.get(status, UpstreamInternal if status >= 500 else UpstreamRejected)
    message = fault.message
    if kind is UpstreamModelNotFound:
        if _NO_TOOLS.search(message) or _KEPT.search(message):
            return UpstreamRejected
        return UpstreamFileNotFound if _FILE.search(message) else kind
    if kind is UpstreamRejected and not fault.code.startswith("unsupported_"):
        if _CONTEXT.search(message):
            return ContextLengthExceeded
        if _CONTENT.search(message):
            return UpstreamContentRefused
        if _FILE.search(message):
            return UpstreamFileNotFound
        if not fault.param and _KEY.search(message):
            return UpstreamAuthFailed
        if fault.param in ("", "model") and _MODEL.search(message) and refused_field(fault.code, "", message) is None:
            return UpstreamModelNotFound
    elif status == 403 and _MODEL.search(message):
        return UpstreamModelNotFound
    elif status == 403 and _FLAGGED.search(message):
        return UpstreamContentRefused
    return kind


def _retry_delay(message: str) -> float | None:
    """`Please try again in 1m12.5s`, `in 120ms`: seconds."""
    match = _DELAY.search(message)
    if match is None:
        return None
    return sum(float(number) * _UNIT_S[unit.lower()] for number, unit in _UNIT.findall(match.group(1)))


_FIELDS: Final = {
    "max_completion_tokens": "max_tokens",
    "reasoning_effort": "thinking",
    "reasoning": "thinking",
    "thinking": "thinking",
    "web_search_options": "web_search",
    "functions": "tools",
    "function_call": "tool_choice",
}
"""Fields of Chat that have another neutral name."""


def neutral_field(path: str) -> str | None:
    """The field that a path of Chat is about, by its neutral name: another dialect's caller has no `messages[3].role`."""
    head = re.split(r"[.\[]", path.removeprefix("$.").removeprefix("body."), maxsplit=1)[0]
    return _FIELDS.get(head, head) or None


def masked(message: str) -> str:
    """A message without key fragments and the operator's names."""
    return _SECRETS.sub("[hidden]", message)
