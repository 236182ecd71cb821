"""mapping.md 4: a provider's error body becomes a class, and a class the body an OpenAI client reads."""

import json
from typing import Any

import pytest

from dialects.dialect_rows import CATALOG, CHAT, GEMINI, Json, answers, read
from portico.core import errors
from portico.core.errors import PorticoError, UpstreamError
from portico.core.events import Failed
from portico.relay.translate import Translator

RPC = "type.googleapis.com/google.rpc."


def body(code: int, message: str, status: str, *details: Json) -> Json:
    error: Json = {"code": code, "message": message, "status": status}
    return {"error": error | ({"details": list(details)} if details else {})}


def info(reason: str) -> Json:
    return {"@type": f"{RPC}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def retry(delay: str) -> Json:
    return {"@type": f"{RPC}RetryInfo", "retryDelay": delay}


def quota(quota_id: str) -> Json:
    return {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": quota_id, "quotaValue": "10"}]}


INVALID, SIZE = "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."
CONTEXT = "The input token count (1250074) exceeds the maximum number of tokens allowed (1048576)."
NO_MODEL = (
    "models/gemini-x is not found for API version v1beta, or is not supported for generateContent. Call "
    "ModelService.ListModels to see the list of available models and their supported methods."
)

# (row, HTTP status, body, class, client's status, type, code, param)
ROWS: list[tuple[str, int, Json, type[UpstreamError], int, str, str, str | None]] = [
    ("400", 400, body(400, "Bad.", INVALID), errors.UpstreamRejected, 400, "invalid_request_error", "invalid_value", None),
    (
        "400 with a field",
        400,
        body(400, "Bad.", INVALID, {"@type": f"{RPC}BadRequest", "fieldViolations": [{"field": "contents"}]}),
        errors.UpstreamRejected, 400, "invalid_request_error", "invalid_value", "messages",
    ),
    *[
        (name, 400, body(400, text, INVALID, *details), errors.UpstreamAuthFailed, 502, "server_error", "upstream_auth",
         None)
        for name, text, details in (
            ("bad key by reason", "x", [info("API_KEY_INVALID")]),
            ("bad key by text", "API key not valid. Please pass a valid API key.", []),
            ("expired key", "API key expired. Please renew the API key.", []),
        )
    ],
    ("context", 400, body(400, CONTEXT, INVALID), errors.ContextLengthExceeded, 400, "invalid_request_error",
     "context_length_exceeded", "messages"),
    ("size", 400, body(400, SIZE, INVALID), errors.UpstreamRequestTooLarge, 413, "invalid_request_error",
     "request_too_large", None),
    ("413", 413, body(413, "x", INVALID), errors.UpstreamRequestTooLarge, 413, "invalid_request_error",
     "request_too_large", None),
    *[
        (name, 400, body(400, text, "FAILED_PRECONDITION"), errors.UpstreamRefusedAccount, 503, "server_error",
         "upstream_unavailable", None)
        for name, text in (
            ("region", "User location is not supported for the API use."),
            ("billing", "Gemini API free tier is not available in your country. Please enable billing."),
        )
    ],
    ("401", 401, body(401, "x", "UNAUTHENTICATED", info("ACCESS_TOKEN_EXPIRED")), errors.UpstreamAuthFailed, 502,
     "server_error", "upstream_auth", None),
    *[
        (f"403 {reason}", 403, body(403, "x", "PERMISSION_DENIED", info(reason)), errors.UpstreamAuthFailed, 502,
         "server_error", "upstream_auth", None)
        for reason in ("SERVICE_DISABLED", "BILLING_DISABLED", "API_KEY_SERVICE_BLOCKED", "API_KEY_IP_ADDRESS_BLOCKED")
    ],
    ("403 leaked", 403, body(403, "Your API key was reported as leaked.", "PERMISSION_DENIED"), errors.UpstreamAuthFailed,
     502, "server_error", "upstream_auth", None),
    ("403 cache", 403, body(403, "CachedContent not found (or permission denied)", "PERMISSION_DENIED"),
     errors.UpstreamFileNotFound, 400, "invalid_request_error", "file_not_found", None),
    ("403 bucket", 403, body(403, "The account does not have storage.objects.get access.", "PERMISSION_DENIED"),
     errors.UpstreamFileNotFound, 400, "invalid_request_error", "file_not_found", None),
    ("404 model", 404, body(404, NO_MODEL, "NOT_FOUND"), errors.UpstreamModelNotFound, 404, "invalid_request_error",
     "model_not_found", "model"),
    ("404 file", 404, body(404, "File abc not found.", "NOT_FOUND"), errors.UpstreamFileNotFound, 400,
     "invalid_request_error", "file_not_found", None),
    ("404 cache", 404, body(404, "Cached content not found.", "NOT_FOUND"), errors.UpstreamFileNotFound, 400,
     "invalid_request_error", "file_not_found", None),
    ("409", 409, body(409, "x", "ABORTED"), errors.UpstreamConflict, 409, "server_error", "conflict", None),
    *[
        (name, 429, body(429, text, "RESOURCE_EXHAUSTED", *details), errors.UpstreamRateLimited, 429, "rate_limit_error",
         "rate_limit_exceeded", None)
        for name, text, details in (
            ("429 per minute", "x", [quota("GenerateRequestsPerMinutePerProjectPerModel"), retry("34.4s")]),
            ("429 per day", "You exceeded your current quota, please check your plan and billing.", [quota("PerDay")]),
            ("429 limit 0", "Quota exceeded, limit: 0, model: x", []),
            ("429 of Vertex", "Resource exhausted. Please try again later.", []),
        )
    ],
    ("500", 500, body(500, "An internal error has occurred.", "INTERNAL"), errors.UpstreamInternal, 500, "server_error",
     "internal_error", None),
    ("501", 501, body(501, "x", "UNIMPLEMENTED"), errors.UpstreamUnsupported, 400, "invalid_request_error",
     "unsupported", None),
    ("502", 502, body(502, "x", "UNKNOWN"), errors.UpstreamBadGateway, 502, "server_error", "bad_gateway", None),
    ("503", 503, body(503, "The model is overloaded. Please try again later.", "UNAVAILABLE"), errors.UpstreamOverloaded,
     503, "server_error", "overloaded", None),
    ("504", 504, body(504, "x", "DEADLINE_EXCEEDED"), errors.UpstreamDeadlineExceeded, 504, "timeout", "timeout", None),
]  # fmt: skip
EACH_ROW = pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
HIDDEN = (errors.UpstreamAuthFailed, errors.UpstreamRefusedAccount)
"""What speaks of the operator's account is told in our own words."""


def agrees(error: UpstreamError, row: tuple[Any, ...]) -> None:
    _, status, wire, kind, client, type_, code, param = row
    assert type(error) is kind
    assert error.http_status == client
    assert error.upstream_status == status
    rendered = CHAT.render_error(error)["error"]
    assert (rendered["type"], rendered["code"], rendered["param"]) == (type_, code, param)
    assert set(rendered) == {"message", "type", "param", "code"}
    said = (wire[0] if isinstance(wire, list) else wire)["error"]["message"]
    assert (rendered["message"] == said) is (kind not in HIDDEN)
    assert rendered["message"]


@EACH_ROW
def test_a_body_is_its_class_and_its_class_openais_error(row: tuple[Any, ...]) -> None:
    """4, table"""
    agrees(GEMINI.parse_error(row[1], json.dumps(row[2]).encode()), row)


@EACH_ROW
def test_an_array_around_it_changes_nothing(row: tuple[Any, ...]) -> None:
    """4, array-wrapped, pretty-printed too"""
    agrees(GEMINI.parse_error(row[1], json.dumps([row[2]], indent=2).encode()), row)


@EACH_ROW
def test_an_error_inside_a_stream_is_the_same(row: tuple[Any, ...]) -> None:
    """4 and 3.1 (b): the code in the body stands for the status"""
    [event] = read([row[2]])
    assert isinstance(event, Failed)
    agrees(event.error, row)


@EACH_ROW
def test_translate_tells_the_same_error(row: tuple[Any, ...]) -> None:
    """4, through `portico translate response`"""
    told = answers().response(row[2]).body
    assert told == CHAT.render_error(GEMINI.parse_error(row[1], json.dumps(row[2]).encode()))


@EACH_ROW
def test_a_rejected_request_is_not_tried_elsewhere_and_everything_else_may_be(row: tuple[Any, ...]) -> None:
    """4, last column: what would be a 400 anywhere stays one"""
    error = GEMINI.parse_error(row[1], json.dumps(row[2]).encode())
    caller_s_own = error.http_status in (400, 413)
    assert error.fails_over is not caller_s_own


HTML = b"<!DOCTYPE html>\n<html lang=en>\n<title>Error</title>\n<p><b>That is an error.</b>\n"

# (HTTP status, class)
NOT_JSON: list[tuple[int, type[UpstreamError]]] = [
    (400, errors.UpstreamBadGateway),
    (401, errors.UpstreamAuthFailed),
    (403, errors.UpstreamAuthFailed),
    (404, errors.UpstreamBadGateway),
    (413, errors.UpstreamRequestTooLarge),
    (429, errors.UpstreamRateLimited),
    (500, errors.UpstreamInternal),
    (502, errors.UpstreamBadGateway),
    (503, errors.UpstreamOverloaded),
    (504, errors.UpstreamDeadlineExceeded),
    (520, errors.UpstreamBadGateway),
]


@pytest.mark.parametrize("data", [HTML, b"", b"\xff\xfe", b'{"error":', b"Service Unavailable"])
@pytest.mark.parametrize(("status", "kind"), NOT_JSON)
def test_a_body_that_is_no_json_is_judged_by_its_status(status: int, kind: type[UpstreamError], data: bytes) -> None:
    """4, HTML bodies; none of them reaches the caller"""
    error = GEMINI.parse_error(status, data)
    assert type(error) is kind
    assert "<" not in CHAT.render_error(error)["error"]["message"]
    assert error.upstream_status == status


@pytest.mark.parametrize("value", [None, [], {}, "x", 5, {"error": None}, {"error": 5}, {"error": []}, [5], {"x": 1}])
def test_json_of_another_shape_is_survived(value: Any) -> None:
    """4"""
    error = GEMINI.parse_error(500, json.dumps(value).encode())
    assert 400 <= error.http_status <= 599
    assert CHAT.render_error(error)["error"]["message"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_error_that_is_a_string_is_the_credentials(status: int) -> None:
    """4, OAuth"""
    wire = {"error": "invalid_grant", "error_description": "Bad Request for projects/123456"}
    error = GEMINI.parse_error(status, json.dumps(wire).encode())
    assert type(error) is errors.UpstreamAuthFailed
    assert error.reason == "invalid_grant"
    assert "123456" not in error.message


# -- delays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "details", "delay"),
    [
        ("x", [retry("34.4s")], 34.4),
        ("x", [retry("46800s")], 46_800),
        ("x", [retry("0s")], 0),
        ("x", [retry("-1s")], 0),
        ("x", [retry("soon")], None),
        ("x", [quota("PerMinute"), retry("7s")], 7),
        ("Quota exceeded.\nPlease retry in 34.407192s.", [], 34.407192),
        ("Please retry in 5s. [x]", [retry("soon")], 5),
        ("Please retry in ...s.", [], None),
        ("x", [], None),
    ],
)
def test_the_providers_delay_is_kept(message: str, details: list[Json], delay: float | None) -> None:
    """4, 429: Retry-After is ceil(retryDelay)"""
    error = GEMINI.parse_error(429, json.dumps(body(429, message, "RESOURCE_EXHAUSTED", *details)).encode())
    assert error.retry_after_s == delay


# -- masking ----------------------------------------------------------------------------------------------------------

SECRETS = (
    "projects/123456789", "projects/my-project-1", "AIzaSyA1234567890abcdefghijklmnopqrstuvw", "987654321", "s3cr3tk3y",
)  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        "Consumer 'consumer: projects/123456789' has exceeded its quota.",
        "Quota of projects/my-project-1 exceeded.",
        "The key AIzaSyA1234567890abcdefghijklmnopqrstuvw is bad.",
        "It has not been used in project 987654321 before.",
        "It has not been used in project number: 987654321.",
        "Visit https://console.developers.google.com/apis/api/x/overview?project=987654321 then retry.",
        "POST https://x.example/v1beta/models?key=s3cr3tk3y failed.",
        "See https://x.example/a?x=1&key=s3cr3tk3y&project=987654321.",
    ],
)
@pytest.mark.parametrize(("status", "word"), [(400, INVALID), (429, "RESOURCE_EXHAUSTED"), (500, "INTERNAL")])
def test_what_is_the_operators_is_hidden(message: str, status: int, word: str) -> None:
    """4, sanitize: project numbers, key fragments, full URLs"""
    error = GEMINI.parse_error(status, json.dumps(body(status, message, word)).encode())
    told = CHAT.render_error(error)["error"]["message"]
    assert not [secret for secret in SECRETS if secret in told]
    assert "[hidden]" in told


def test_a_message_without_secrets_is_untouched() -> None:
    """4, sanitize: documentation may be linked"""
    text = (
        "Quota exceeded. Head to https://ai.google.dev/gemini-api/docs/rate-limits. Limit: 10, model: gemini-3.5-flash"
    )
    error = GEMINI.parse_error(429, json.dumps(body(429, text, "RESOURCE_EXHAUSTED")).encode())
    assert error.message == text


# -- our own errors ---------------------------------------------------------------------------------------------------

# (error, status, type, code, param)
OWN: list[tuple[PorticoError, int, str, str | None, str | None]] = [
    (errors.InvalidRequest("x", param="$.a.b[1]"), 400, "invalid_request_error", "invalid_value", "a.b[1]"),
    (errors.UnsupportedParameter("x", param="$.n"), 400, "invalid_request_error", "unsupported_parameter", "n"),
    (errors.BodyNotJson(), 400, "invalid_request_error", "invalid_json", None),
    (errors.AuthenticationFailed(), 401, "authentication_error", "invalid_api_key", None),
    (errors.ModelNotFound(param="$.model"), 404, "invalid_request_error", "model_not_found", "model"),
    (errors.RouteNotFound(), 404, "invalid_request_error", "unknown_url", None),
    (errors.MethodNotAllowed(), 405, "invalid_request_error", "method_not_allowed", None),
    (errors.RequestTooLarge(), 413, "invalid_request_error", "request_too_large", None),
    (errors.UpstreamTimeout(), 504, "timeout", "upstream_timeout", None),
    (errors.UpstreamUnreachable(), 502, "server_error", "upstream_unreachable", None),
    (errors.UpstreamIncomplete(), 502, "server_error", "upstream_incomplete", None),
    (errors.UpstreamMalformedOutput(), 502, "server_error", "upstream_malformed_output", None),
    (errors.UpstreamEmpty(), 502, "server_error", "upstream_empty", None),
    (PorticoError(), 500, "server_error", None, None),
]


@pytest.mark.parametrize(("error", "status", "type_", "code", "param"), OWN, ids=[type(row[0]).__name__ for row in OWN])
def test_an_error_of_our_own_has_all_four_keys(
    error: PorticoError, status: int, type_: str, code: str | None, param: str | None
) -> None:
    """4, OpenAI error object; connect and read timeouts"""
    assert error.http_status == status
    rendered = CHAT.render_error(error)["error"]
    assert {key: rendered[key] for key in ("type", "code", "param")} == {"type": type_, "code": code, "param": param}
    assert rendered["message"] == error.message
    assert error.message


def test_a_gemini_client_gets_googles_shape() -> None:
    """4, other dialects: the google.rpc shape with our code"""
    told = GEMINI.render_error(errors.InvalidRequest("Bad.", param="$.contents[0]"))["error"]
    assert (told["code"], told["status"], told["message"]) == (400, INVALID, "Bad.")
    assert told["details"][0]["fieldViolations"][0]["field"] == "$.contents[0]"
    limited = errors.UpstreamRateLimited("Slow down.", retry_after_s=34.4)
    told = GEMINI.render_error(limited)["error"]
    assert (told["code"], told["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert told["details"][0]["retryDelay"] == "34.4s"
    again = GEMINI.parse_error(429, json.dumps({"error": told}).encode())
    assert again.retry_after_s == 34.4


# -- OpenAI's bodies, read --------------------------------------------------------------------------------------------

# (HTTP status, error object, class)
FROM_CHAT: list[tuple[int, Any, type[UpstreamError]]] = [
    (400, {"message": "x", "type": "invalid_request_error", "param": "n", "code": None}, errors.UpstreamRejected),
    (400, {"message": "x", "code": "context_length_exceeded"}, errors.ContextLengthExceeded),
    (401, {"message": "x", "code": "invalid_api_key"}, errors.UpstreamAuthFailed),
    (404, {"message": "x", "code": "model_not_found"}, errors.UpstreamModelNotFound),
    (413, {"message": "x"}, errors.UpstreamRequestTooLarge),
    (429, {"message": "x", "type": "rate_limit_error"}, errors.UpstreamRateLimited),
    (500, {"message": "x", "type": "server_error"}, errors.UpstreamInternal),
    (502, "Bad gateway", errors.UpstreamBadGateway),
    (503, {"message": "x"}, errors.UpstreamOverloaded),
    (504, {"message": "x"}, errors.UpstreamDeadlineExceeded),
]


@pytest.mark.parametrize(("status", "error", "kind"), FROM_CHAT, ids=lambda value: str(value)[:40])
def test_an_openai_error_is_its_class(status: int, error: Any, kind: type[UpstreamError]) -> None:
    """4, the table from the other side"""
    assert type(CHAT.parse_error(status, json.dumps({"error": error}).encode())) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "x", "type": "rate_limit_error", "code": "rate_limit_exceeded"}, errors.UpstreamRateLimited),
        ({"message": "x", "type": "invalid_request_error", "code": None}, errors.UpstreamRejected),
        ({"message": "x", "type": "invalid_request_error", "code": "model_not_found"}, errors.UpstreamModelNotFound),
        ({"message": "x", "type": "server_error", "code": None}, errors.UpstreamInternal),
        ({"message": "x", "type": "server_error", "code": "overloaded"}, errors.UpstreamOverloaded),
        ({"message": "x", "type": "timeout", "code": "timeout"}, errors.UpstreamDeadlineExceeded),
        ({"message": "x", "code": 429}, errors.UpstreamRateLimited),
        ({"message": "x"}, errors.UpstreamInternal),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_openai_error_without_a_status_is_judged_by_its_words(error: Json, kind: type[UpstreamError]) -> None:
    """4 and 3.6: in a stream, and in `portico translate`, there is no HTTP status"""
    [event] = read([{"error": error}], CHAT)
    assert isinstance(event, Failed)
    assert type(event.error) is kind
    told = Translator(CHAT, GEMINI, CATALOG).response({"error": error}).body["error"]
    assert told["code"] == kind.status
