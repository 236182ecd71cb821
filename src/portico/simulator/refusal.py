"""How Google says no: one exception, rendered as a google.rpc error.

The envelope is always `{"error": {"code", "message", "status", "details"?}}`; what surrounds it (a one-element array, a
`text/event-stream` content type) is the business of the framing.
"""

from typing import Any

Json = dict[str, Any]

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

_RPC = "type.googleapis.com/google.rpc."


class Refused(Exception):
    """The request is refused as Google would refuse it."""

    def __init__(self, message: str, *, code: int = 400, details: list[Json] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details or []

    def body(self) -> Json:
        """The error envelope as JSON."""
        error: Json = {"code": self.code, "message": self.message, "status": STATUS[self.code]}
        if self.details:
            error["details"] = self.details
        return {"error": error}


def detail(name: str, **fields: Any) -> Json:
    """One entry of `details`, typed `google.rpc.NAME`."""
    return {"@type": _RPC + name, **fields}


def field_violations(violations: list[tuple[str, str]]) -> Refused:
    """A 400 with one line and one BadRequest.fieldViolation for each (field, description)."""
    entries: list[Json] = []
    for path, text in violations:
        entries.append({"field": path, "description": text} if path else {"description": text})
    message = "\n".join(text for _, text in violations)
    return Refused(message, details=[detail("BadRequest", fieldViolations=entries)])


def bad_key() -> Refused:
    """A key Google does not know: a 400, not a 401."""
    text = "API key not valid. Please pass a valid API key."
    metadata = {"service": "generativelanguage.googleapis.com"}
    info = detail("ErrorInfo", reason="API_KEY_INVALID", domain="googleapis.com", metadata=metadata)
    return Refused(text, details=[info, detail("LocalizedMessage", locale="en-US", message=text)])


def no_key() -> Refused:
    """No key at all."""
    return Refused(
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
        "form of API consumer identity to call this API.",
        code=403,
    )


def no_token(why: str = "Request is missing required authentication credential.") -> Refused:
    """No credentials, on Vertex, or none of the kind that is wanted."""
    return Refused(
        f"{why} Expected OAuth 2 access token, login cookie or other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        code=401,
        details=[
            detail(
                "ErrorInfo",
                reason="CREDENTIALS_MISSING",
                domain="googleapis.com",
                metadata={"service": "aiplatform.googleapis.com"},
            )
        ],
    )


def no_publisher_model(path: str) -> Refused:
    """A model Vertex does not serve there; `path` is the resource name."""
    text = f"Publisher Model `{path}` not found."
    return Refused(text, code=404, details=[detail("DebugInfo", detail=f"[ORIGINAL ERROR] generic::not_found: {text}")])


def no_model(name: str, version: str, verb: str) -> Refused:
    """A model this version does not serve for this method."""
    return Refused(
        f"models/{name} is not found for API version {version}, or is not supported for {verb}. Call "
        "ModelService.ListModels to see the list of available models and their supported methods.",
        code=404,
    )
