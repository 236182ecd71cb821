"""Google's error bodies <-> errors (mapping.md 4, traffic.md 4).

Matched by HTTP status, status word and ErrorInfo.reason first; by text only where Google leaves nothing else.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from portico.core.errors import (
    CallerError,
    ContextLengthExceeded,
    PorticoError,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamConflict,
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
    UpstreamSignatureMissing,
    UpstreamSignatureRejected,
    UpstreamTimeout,
    UpstreamUnsupported,
)
from portico.dialects.gemini.quotas import consumer_of, quotas_of
from portico.dialects.gemini.refusals import refused_field, refuses_value
from portico.dialects.gemini.request_parse import WHERE
from portico.wire import jsontext
from portico.wire.names import camel
from portico.wire.retryafter import NO_HEADERS, retry_after_s

_TYPE: Final = "type.googleapis.com/google.rpc."
_STATUS_OF_WORD: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_BY_STATUS: Final[Mapping[int, type[UpstreamError]]] = {
    400: UpstreamRejected,
    401: UpstreamAuthFailed,
    403: UpstreamAuthFailed,
    404: UpstreamModelNotFound,
    408: UpstreamTimeout,
    409: UpstreamConflict,
    413: UpstreamRequestTooLarge,
    429: UpstreamRateLimited,
    500: UpstreamInternal,
    501: UpstreamUnsupported,
    503: UpstreamOverloaded,
    504: UpstreamDeadlineExceeded,
}
_PARAMS: Final[Mapping[type[UpstreamError], str]] = {
    UpstreamModelNotFound: "model",
    ContextLengthExceeded: "messages",
}
"""What is to blame, by its neutral name."""
_KEY_REASONS: Final = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED"})
_CONTEXT: Final = re.compile(r"input token count|exceeds the maximum number of tokens|context length", re.IGNORECASE)
_SIGNATURE: Final = re.compile(
    r"thought.?signature (?:is )?not valid|corrupted thought.?signature|invalid value.*thought_?signature",
    re.IGNORECASE,
)
_PAYLOAD: Final = re.compile(r"payload size exceeds|request entity too large", re.IGNORECASE)
_ACCOUNT: Final = re.compile(r"location is not supported|billing", re.IGNORECASE)
_FILE: Final = re.compile(
    r"\b(?:(?:files?|cachedContents?|cached content|cloud storage|storage\.objects)\b|gs://)", re.IGNORECASE
)
_OF_ANYTHING: Final = re.compile(r"the caller does not have permission", re.IGNORECASE)
"""All that Google says where a call names a video that is not public."""
_DELAY: Final = re.compile(r"retry in ([0-9.]+)\s*s", re.IGNORECASE)
_SECRETS: Final = re.compile(
    r"(?<=://)(?:(?!://)[^\s?])+\?\S+"  # an address with a query: keys and project numbers are in those
    r"|projects/[\w-]+|AIza[\w-]{10,}|(?<=key=)[\w-]+|\bproject(?: number)?[:=]? ?\d{6,}",
    re.IGNORECASE,
)


LONGEST: Final = 4096
"""Characters of a message that are looked at and passed on. A caller's own words may be quoted in it."""


def parse_error(status: int, body: bytes, headers: Mapping[str, str] = NO_HEADERS, /) -> UpstreamError:
    """A failed answer as an error: JSON as documented, wrapped in an array, with `error` as a string, or no JSON at all."""
    error = _parsed(status, body)
    if error.retry_after_s is None and isinstance(error, (UpstreamRateLimited, UpstreamOverloaded)):
        error.retry_after_s = retry_after_s(headers)  # Google sends none; what stands in front of it may
    return error


def _parsed(status: int, body: bytes) -> UpstreamError:
    try:
        decoded = jsontext.decode(body)
    except jsontext.NotJson:
        kind = _BY_STATUS.get(status, UpstreamBadGateway)
        if kind in (UpstreamRejected, UpstreamModelNotFound):
            kind = UpstreamBadGateway
        return kind(upstream_status=status)
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    return parse_error_object(decoded, status)


def parse_error_object(body: Any, status: int | None = None) -> UpstreamError:
    """The same from a decoded body `{"error": {code, message, status, details}}`."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):  # OAuth: {"error": "invalid_grant", "error_description": …}
        kind = UpstreamAuthFailed if status in (400, 401, 403) else _BY_STATUS.get(status or 0, UpstreamBadGateway)
        return kind(upstream_status=status, reason=error)
    if not isinstance(error, Mapping):
        return UpstreamBadGateway(upstream_status=status)
    word = str(error.get("status") or "")
    code = error.get("code")
    http = status if status and status >= 400 else code if isinstance(code, int) else _STATUS_OF_WORD.get(word, 502)
    message = masked(str(error.get("message") or "")[:LONGEST])
    details = _objects(error.get("details"))
    reason = next((str(item["reason"]) for item in details if item.get("reason")), None)
    kind = _kind(int(http), word, reason, message)
    says_key = reason is not None or _OF_ANYTHING.search(message) is None
    operators = kind in (UpstreamAuthFailed, UpstreamRefusedAccount)
    if operators:
        message = ""  # it speaks of the operator's account: the caller gets our own words
    made = kind(
        message,
        param=_PARAMS.get(kind) or neutral_field(_violated_field(details)) or _schema_field(kind, message),
        retry_after_s=_retry_delay(details, message),
        upstream_status=int(http),
        reason=reason or word or None,
    )
    if kind is UpstreamRejected and isinstance(made, UpstreamRejected) and word == "INVALID_ARGUMENT":
        made.refused, made.only_value = refused_field(message), refuses_value(message)
    if isinstance(made, UpstreamRateLimited):
        made.quotas, made.consumer = quotas_of(details, message), consumer_of(details)
    elif isinstance(made, UpstreamAuthFailed):
        made.of_model, made.says_key = reason == "IAM_PERMISSION_DENIED", says_key
    if not operators:
        made.native = {"status": word, "details": _showable(details)}
    return made


def _kind(status: int, word: str, reason: str | None, message: str) -> type[UpstreamError]:
    kind = _BY_STATUS.get(status, UpstreamInternal if status >= 500 else UpstreamRejected)
    if status == 400:
        if reason in _KEY_REASONS or "API key not valid" in message or "API key expired" in message:
            return UpstreamAuthFailed
        if word == "FAILED_PRECONDITION" and _ACCOUNT.search(message):
            return UpstreamRefusedAccount
        if _PAYLOAD.search(message):
            return UpstreamRequestTooLarge
        if _CONTEXT.search(message):
            return ContextLengthExceeded
        if _SIGNATURE.search(message):
            return UpstreamSignatureRejected
        if "is missing a thought_signature in functionCall parts" in message:
            return UpstreamSignatureMissing
    elif status in (403, 404) and _FILE.search(message) and "is not found for API version" not in message:
        return UpstreamFileNotFound
    elif status == 502:
        return UpstreamBadGateway
    return kind


def masked(message: str) -> str:
    """A message without project numbers and key fragments."""
    return _SECRETS.sub("[hidden]", message)


_SHOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "BadRequest": ("fieldViolations",),
    "ErrorInfo": ("reason", "domain"),
    "LocalizedMessage": ("locale", "message"),
    "PreconditionFailure": ("violations",),
    "QuotaFailure": ("violations",),
    "RetryInfo": ("retryDelay",),
}
"""The details that speak of the request and of when to come back; the others are for the operator (projects, consumers,
links to their console, stack traces)."""
_DEEPEST: Final = 6


def _showable(details: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a caller of this dialect may see of the provider's details, secrets masked."""
    shown = []
    for item in details:
        kind = str(item.get("@type", "")).rpartition(".")[2]
        fields = {name: _masked_deep(item[name]) for name in _SHOWN.get(kind, ()) if name in item}
        if fields:
            shown.append({"@type": _TYPE + kind, **fields})
    return shown


def _masked_deep(value: Any, level: int = 0) -> Any:
    if isinstance(value, str):
        return masked(value)
    if level >= _DEEPEST:  # nothing of Google's is as deep
        return None
    if isinstance(value, Mapping):
        return {masked(name): _masked_deep(item, level + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked_deep(item, level + 1) for item in value]
    return value


def _details_of(details: list[Mapping[str, Any]], kind: str) -> Iterator[Mapping[str, Any]]:
    return (item for item in details if str(item.get("@type", "")).endswith(kind))


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; anything may stand where one was promised."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _retry_delay(details: list[Mapping[str, Any]], message: str) -> float | None:
    for item in _details_of(details, "RetryInfo"):
        text = str(item.get("retryDelay", "")).removesuffix("s")
        try:
            return max(0.0, float(text))
        except ValueError:
            continue
    match = _DELAY.search(message)
    try:
        return float(match.group(1)) if match else None
    except ValueError:
        return None


def _violated_field(details: list[Mapping[str, Any]]) -> str | None:
    for item in _details_of(details, "BadRequest"):
        for violation in _objects(item.get("fieldViolations")):
            if violation.get("field"):
                return str(violation["field"])
    return None


_FIELDS: Final = {
    **{path.rpartition(".")[2]: name for name, path in WHERE.fields.items()},
    **dict.fromkeys(("responseSchema", "responseJsonSchema", "responseFormat"), "response_format"),
}
_HEADS: Final = {"contents": "messages", "systemInstruction": "messages", "tools": "tools", "toolConfig": "tool_choice"}


def neutral_field(path: str | None) -> str | None:
    """Google's path of a wrong field as the field's neutral name; None where we have none: Google's own path says
    nothing to a caller of another dialect."""
    if path is None:
        return None
    steps = [camel(step) for step in re.split(r"[.\[\]]+", path) if step]
    known = next((_FIELDS[step] for step in steps[1:2] if steps[0] == "generationConfig" and step in _FIELDS), None)
    return known or (_HEADS.get(steps[0]) if steps else None)


_SCHEMA: Final = re.compile(r"schema|nesting depth|too many states", re.IGNORECASE)
_SCHEMA_OF: Final = (
    ("response_format", re.compile(r"generation_?config|response_?(?:json_?)?schema|response_?format", re.IGNORECASE)),
    ("tools", re.compile(r"function_?declarations?|\bfunctions?\b|\btools?\b|\bparameters\b", re.IGNORECASE)),
)


def _schema_field(kind: type[UpstreamError], message: str) -> str | None:
    """Whose schema a message is about: the answer's or a tool's; None where it names neither (1.11, complexity limits)."""
    if kind is not UpstreamRejected or not _SCHEMA.search(message):
        return None
    return next((field for field, pattern in _SCHEMA_OF if pattern.search(message)), None)


_WORD_OF_STATUS: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def _duration(seconds: float) -> str:
    """As google.protobuf.Duration is written in JSON: a decimal number, never with an exponent."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"


def render_error(error: PorticoError) -> dict[str, Any]:
    """An error in Google's shape: code, message, status word, and the field where one is to blame. What Google itself said
    is said again where it fits the status that is told."""
    status = error.http_status
    native = error.native if isinstance(error, UpstreamError) else {}
    word = str(native.get("status") or "")
    if _STATUS_OF_WORD.get(word) != status:
        word = _WORD_OF_STATUS.get(status, "INTERNAL" if status >= 500 else "INVALID_ARGUMENT")
    body: dict[str, Any] = {"code": status, "message": error.message, "status": word}
    details = list(native.get("details") or ())
    if isinstance(error, CallerError) and error.param:
        violation = {"field": error.param, "description": error.message}
        details.append({"@type": _TYPE + "BadRequest", "fieldViolations": [violation]})
    delay_s = error.retry_after_s
    if delay_s is not None and math.isfinite(delay_s) and not any(_details_of(details, "RetryInfo")):
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": _duration(delay_s)})
    if error.doc is not None:
        details.append({"@type": _TYPE + "Help", "links": [{"description": error.code or word, "url": error.doc}]})
    if details:
        body["details"] = details
    return {"error": body}
