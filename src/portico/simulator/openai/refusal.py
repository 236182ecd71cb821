"""Why a request is not answered, in OpenAI's words and shape: `{"error": {"message", "type", "param", "code"}}`.

The sentences and codes are those of recorded errors where there is one. Azure says some of them its own way.
"""

from collections.abc import Sequence

from portico.simulator.faults import Wishes
from portico.simulator.refusal import Json
from portico.wire.http import Headers

_INVALID = "invalid_request_error"


class Refused(Exception):
    """The request is refused as OpenAI would refuse it."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int = 400,
        kind: str | None = _INVALID,
        headers: Headers = (),
        more: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.param, self.code, self.status, self.kind = message, param, code, status, kind
        self.headers = headers
        self.more = more or {}

    def body(self, *, azure: bool = False) -> Json:
        """The error envelope. Azure's own front door gives code and message alone."""
        if azure and self.status in (401, 404, 429) and self.kind == _AZURE:
            return {"error": {"code": self.code, "message": self.message}}
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return {"error": error | self.more}


_AZURE = "azure"


def listed(values: Sequence[str], *, quoted: bool = True, last: str = "and") -> str:
    """Words as OpenAI lists them: 'a', 'b', and 'c'."""
    words = [f"'{value}'" if quoted else value for value in values]
    if len(words) < 3:
        return f" {last} ".join(words)
    return f"{', '.join(words[:-1])}, {last} {words[-1]}"


def unknown(path: str) -> Refused:
    """A field that OpenAI does not know."""
    return Refused(f"Unknown parameter: '{path}'.", param=path, code="unknown_parameter")


def missing(path: str) -> Refused:
    """A field that has to be there."""
    return Refused(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def unsupported(path: str, hint: str = "") -> Refused:
    """A field that this model does not take."""
    text = f"Unsupported parameter: '{path}' is not supported with this model.{hint}"
    return Refused(text, param=path, code="unsupported_parameter")


def unsupported_value(path: str, said: str) -> Refused:
    """A value that this model does not take."""
    return Refused(f"Unsupported value: {said}", param=path, code="unsupported_value")


def invalid(path: str, said: str, code: str | None = "invalid_value") -> Refused:
    """`Invalid 'path': said`."""
    return Refused(f"Invalid '{path}': {said}", param=path, code=code)


def bad_key(key: str, *, azure: bool) -> Refused:
    """No key, or a wrong one."""
    if azure:
        text = (
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
            "active subscription and use a correct regional API endpoint for your resource."
        )
        return Refused(text, status=401, code="401", kind=_AZURE)
    if not key:
        text = (
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from "
            "https://platform.openai.com/account/api-keys."
        )
        return Refused(text, status=401)
    shown = 8 if len(key) > 15 else 2
    hidden = key[:shown] + "*" * (len(key) - shown - shown // 2) + key[-(shown // 2) :]
    text = f"Incorrect API key provided: {hidden}. You can find your API key at https://platform.openai.com/account/api-keys."
    return Refused(text, status=401, code="invalid_api_key")


def no_path(method: str, path: str, *, azure: bool = False) -> Refused:
    """A URL that is none of the API's."""
    if azure:
        return Refused("Resource not found", status=404, code="404", kind=_AZURE)
    return Refused(f"Invalid URL ({method} {path})", status=404)


def no_deployment() -> Refused:
    """A deployment that Azure does not have."""
    text = (
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again."
    )
    return Refused(text, status=404, code="DeploymentNotFound", kind=_AZURE)


def no_model(name: str) -> Refused:
    """A model that is not there, as all but the Responses API say it."""
    text = f"The model `{name}` does not exist or you do not have access to it."
    return Refused(text, status=404, code="model_not_found")


def no_json(said: object) -> Refused:
    """A body that is no JSON."""
    text = (
        f"We could not parse the JSON body of your request. ({said}) (HINT: This likely means you aren't using your HTTP "
        "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
    )
    return Refused(text)


_HELP = "Please contact us through our help center at help.openai.com if the error persists."
_PLAIN = {
    "500": (
        500,
        "server_error",
        f"The server had an error while processing your request. Sorry about that! {_HELP}",
        None,
    ),
    "503": (503, "server_error", "The engine is currently overloaded, please try again later", None),
    "504": (504, "server_error", "The request timed out. Please try again.", None),
    "400": (400, _INVALID, "Invalid request.", None),
    "403": (403, _INVALID, "You are not allowed to sample from this model", None),
    "404": (404, _INVALID, "The requested resource was not found.", None),
}


def wished(asked: Wishes, model: str, *, chat: bool, azure: bool = False) -> Refused | None:
    """The error asked for instead of an answer, if one was."""
    if "block" in asked:
        return _blocked(azure=azure)
    for name, (status, kind, message, code) in _PLAIN.items():
        if name in asked:
            return Refused(message, status=status, kind=kind, code=code)
    if "context" in asked:
        text = "Your input exceeds the context window of this model. Please adjust your input and try again."
        if chat:
            text = (
                "This model's maximum context length is 128000 tokens. However, your messages resulted in 250074 tokens. "
                "Please reduce the length of the messages."
            )
        return Refused(text, param="messages" if chat else "input", code="context_length_exceeded")
    if "429-day" in asked:
        text = (
            "You exceeded your current quota, please check your plan and billing details. For more information on this "
            "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
        )
        return Refused(text, status=429, kind="insufficient_quota", code="insufficient_quota")
    if "429" in asked:
        text = (
            f"Rate limit reached for {model} in organization org-simulated on requests per min (RPM): Limit 500, Used 500, "
            "Requested 1. Please try again in 2s. Visit https://platform.openai.com/account/rate-limits to learn more."
        )
        waits = (
            ("retry-after", "2"),
            ("retry-after-ms", "2000"),
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2s"),
        )
        return Refused(text, status=429, kind="requests", code="rate_limit_exceeded", headers=waits)
    return None


def _blocked(*, azure: bool) -> Refused:
    """A prompt that is not answered at all."""
    if not azure:
        text = (
            "Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a "
            "different prompt: https://platform.openai.com/docs/guides/reasoning#advice-on-prompting"
        )
        return Refused(text, code="invalid_prompt")
    text = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify "
        "your prompt and retry. To learn more about our content filtering policies please read our documentation: "
        "https://go.microsoft.com/fwlink/?linkid=2198766"
    )
    found: Json = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual")}
    found["violence"] = {"filtered": True, "severity": "high"}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": found}
    return Refused(text, param="prompt", code="content_filter", kind=None, more={"status": 400, "innererror": inner})


OVERLOADED: Json = {
    "error": {
        "message": f"The server had an error while processing your request. Sorry about that! {_HELP}",
        "type": "server_error",
        "param": None,
        "code": None,
    }
}
"""What a stream says when it fails in the middle."""
