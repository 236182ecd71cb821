"""Why a request is not answered, in Anthropic's words and shape: `{"type": "error", "error": {"type", "message"}}`.

The sentences are those of recorded errors, or of errors quoted in public issue trackers, where there is one.
"""

from portico.simulator.faults import Wishes
from portico.simulator.refusal import Json
from portico.wire.http import Headers

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class Refused(Exception):
    """The request is refused as Anthropic would refuse it."""

    def __init__(self, message: str, *, status: int = 400, headers: Headers = (), details: Json | None = None) -> None:
        super().__init__(message)
        self.message, self.status, self.headers, self.details = message, status, headers, details

    def body(self, request_id: str) -> Json:
        """The error envelope."""
        told = error(KINDS[self.status], self.message)
        if self.details is not None:
            told["error"]["details"] = self.details
        return told | {"request_id": request_id}


def error(kind: str, message: str) -> Json:
    """The envelope without a request id, as streams tell it."""
    return {"type": "error", "error": {"type": kind, "message": message}}


OVERLOADED = error("overloaded_error", "Overloaded")
"""What a stream says when it fails in the middle."""


def at(path: str, said: str) -> Refused:
    """`path: said`."""
    return Refused(f"{path}: {said}" if path else said)


def no_model(name: str) -> Refused:
    """A model that is not there."""
    return Refused(f"model: {name}", status=404)


_PLAIN = {
    "500": (500, "Internal server error"),
    "503": (529, "Overloaded"),
    "529": (529, "Overloaded"),
    "504": (504, "Request timed out"),
    "400": (400, "Invalid request"),
    "403": (403, "Your API key does not have permission to use the specified resource."),
    "404": (404, "Not found"),
}


def wished(asked: Wishes, limit: int) -> Refused | None:
    """The error asked for instead of an answer, if one was; `limit` is the model's context in tokens."""
    for name, (status, message) in _PLAIN.items():
        if name in asked:
            return Refused(message, status=status)
    if "context" in asked:
        return Refused(f"prompt is too long: {limit + 1074} tokens > {limit} maximum")
    if "429" in asked or "429-day" in asked:
        wait = "46800" if "429-day" in asked else "2"
        text = (
            "This request would exceed your organization's rate limit of 50 requests per minute (org: simulated). For "
            "details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current "
            "usage. Please reduce the prompt length or the maximum tokens requested, or try again later."
        )
        return Refused(text, status=429, headers=(("retry-after", wait), ("x-should-retry", "true")))
    return None
