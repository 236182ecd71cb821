"""OpenAI's error object <-> errors (mapping.md 4): `{"error": {message, type, param, code}}`, all four keys always."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import (
    ContextLengthExceeded,
    PorticoError,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamConflict,
    UpstreamDeadlineExceeded,
    UpstreamError,
    UpstreamInternal,
    UpstreamModelNotFound,
    UpstreamOverloaded,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamRequestTooLarge,
    UpstreamTimeout,
)
from portico.wire import jsontext

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
    403: UpstreamAuthFailed,
    404: UpstreamModelNotFound,
    408: UpstreamTimeout,
    409: UpstreamConflict,
    413: UpstreamRequestTooLarge,
    422: UpstreamRejected,
    429: UpstreamRateLimited,
    500: UpstreamInternal,
    502: UpstreamBadGateway,
    503: UpstreamOverloaded,
    504: UpstreamDeadlineExceeded,
}

_STATUS_OF_WORD: Final[Mapping[str, int]] = {
    "invalid_request_error": 400,
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
    "timeout": 504,
    "upstream_timeout": 504,
}
"""`code` or `type` -> status, for errors that came without one: inside a stream."""


def render_error(error: PorticoError) -> dict[str, Any]:
    """The body an OpenAI client expects. `param` is the path without its `$.`."""
    status = error.http_status
    return {
        "error": {
            "message": error.message,
            "type": error_type(status),
            "param": error.param.removeprefix("$.") if error.param else None,
            "code": error.code,
        }
    }


def error_type(status: int) -> str:
    """OpenAI's word for the kind of error a status is."""
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def parse_error(status: int, body: bytes) -> UpstreamError:
    """A failed answer of an endpoint that speaks a dialect of OpenAI's."""
    try:
        decoded = jsontext.decode(body)
    except jsontext.NotJson:
        return UpstreamBadGateway(upstream_status=status)
    if isinstance(decoded, list) and decoded:
        decoded = decoded[0]
    return parse_error_object(decoded, status)


def parse_error_object(body: Any, status: int = 0) -> UpstreamError:
    """The same from a decoded body; some endpoints put a string under `error`, or the object at the top.

    Without a `status` the error's own words are asked for it.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, Mapping):
        return UpstreamBadGateway(upstream_status=status)
    code = error.get("code")
    if not status:
        status = _status_of(code, error.get("type"))
    kind = _BY_STATUS.get(status, UpstreamInternal if status >= 500 else UpstreamRejected)
    if code == "context_length_exceeded":
        kind = ContextLengthExceeded
    message = str(error.get("message") or "")
    return kind(
        "" if kind is UpstreamAuthFailed else message,
        param=str(error["param"]) if error.get("param") else None,
        upstream_status=status,
        reason=str(code) if code else None,
    )


def _status_of(code: Any, kind: Any) -> int:
    if isinstance(code, int) and 400 <= code < 600:
        return code
    words = [word for word in (code, kind) if isinstance(word, str)]
    return next((_STATUS_OF_WORD[word] for word in words if word in _STATUS_OF_WORD), 500)
