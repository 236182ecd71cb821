"""Anthropic's errors, read and told (mapping.md 4)."""

from typing import Any

import pytest

from portico.core import errors
from portico.dialects.anthropic_messages import DIALECT
from portico.wire import jsontext

READ: list[tuple[int, str, str, type[errors.UpstreamError]]] = [
    (400, "invalid_request_error", "messages: odd", errors.UpstreamRejected),
    (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", errors.ContextLengthExceeded),
    (400, "invalid_request_error", "Invalid `signature` in `thinking` block", errors.UpstreamSignatureRejected),
    (400, "invalid_request_error", "Your credit balance is too low", errors.UpstreamRefusedAccount),
    (401, "authentication_error", "invalid x-api-key", errors.UpstreamAuthFailed),
    (404, "not_found_error", "model: claude-0", errors.UpstreamModelNotFound),
    (413, "request_too_large", "too large", errors.UpstreamRequestTooLarge),
    (429, "rate_limit_error", "slow down", errors.UpstreamRateLimited),
    (500, "api_error", "oops", errors.UpstreamInternal),
    (529, "overloaded_error", "Overloaded", errors.UpstreamOverloaded),
]


@pytest.mark.parametrize(("status", "word", "said", "kind"), READ, ids=[f"{row[0]}-{row[3].__name__}" for row in READ])
def test_an_error_is_known_by_its_type_and_words(
    status: int, word: str, said: str, kind: type[errors.UpstreamError]
) -> None:
    body = jsontext.encode({"type": "error", "error": {"type": word, "message": said}})
    assert type(DIALECT.parse_error(status, body)) is kind


TOLD = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    418: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
    599: "api_error",
}
"""docs.claude.com, API errors; of a status that is not in there, who is at fault."""


@pytest.mark.parametrize(("status", "word"), TOLD.items())
def test_an_error_is_told_by_the_word_for_its_status(status: int, word: str) -> None:
    odd = type("Odd", (errors.PorticoError,), {"status": status})
    assert DIALECT.render_error(odd("odd")) == {"type": "error", "error": {"type": word, "message": "odd"}}


WORDLESS = {
    400: errors.UpstreamBadGateway,
    401: errors.UpstreamAuthFailed,
    402: errors.UpstreamRefusedAccount,
    403: errors.UpstreamAuthFailed,
    404: errors.UpstreamBadGateway,
    409: errors.UpstreamConflict,
    413: errors.UpstreamRequestTooLarge,
    418: errors.UpstreamBadGateway,
    429: errors.UpstreamRateLimited,
    500: errors.UpstreamInternal,
    502: errors.UpstreamBadGateway,
    503: errors.UpstreamOverloaded,
    504: errors.UpstreamTimeout,
    529: errors.UpstreamOverloaded,
    599: errors.UpstreamInternal,
}
"""A page of a proxy's: it knows nothing of requests and models."""


@pytest.mark.parametrize(("status", "kind"), WORDLESS.items())
def test_a_page_that_is_no_error_of_anthropics_is_known_by_its_status(
    status: int, kind: type[errors.UpstreamError]
) -> None:
    assert type(DIALECT.parse_error(status, b"<html>")) is kind


@pytest.mark.parametrize("status", [400, 401, 404, 418, 429, 500, 502, 529])
@pytest.mark.parametrize("error", [None, 5, [], "x", {}, {"type": [], "message": {}}, {"type": 5, "message": ["x"]}])
def test_any_body_is_an_error_of_the_providers(status: int, error: Any) -> None:
    assert isinstance(DIALECT.parse_error(status, jsontext.encode({"error": error})), errors.UpstreamError)
    assert isinstance(DIALECT.parse_error(status, b"<html>"), errors.UpstreamError)


def test_a_message_without_end_is_cut() -> None:
    body = jsontext.encode({"error": {"type": "invalid_request_error", "message": "thinking " * 100_000}})
    assert len(DIALECT.parse_error(400, body).message) < 10_000


def test_no_key_of_the_operators_is_told() -> None:
    body = jsontext.encode({"error": {"type": "api_error", "message": "key sk-ant-sample-0000000000 failed"}})
    assert "sk-ant" not in DIALECT.parse_error(500, body).message


def test_what_is_said_of_a_thread_reaches_a_client_that_goes_on_by_it() -> None:
    details = {"error_code": "thread_not_found", "unsupported": ["x"], "else": "y"}
    error = {"type": "not_found_error", "message": "No such thread", "details": details}
    made = DIALECT.parse_error(404, jsontext.encode({"type": "error", "error": error}))
    assert type(made) is errors.UpstreamRejected
    assert DIALECT.render_error(made)["error"]["details"] == {"error_code": "thread_not_found", "unsupported": ["x"]}
    other = {"type": "invalid_request_error", "message": "x", "details": {"error_code": "y"}}
    told = DIALECT.render_error(DIALECT.parse_error(400, jsontext.encode({"error": other})))
    assert "details" not in told["error"]


def test_a_thread_is_refused_in_the_words_by_which_a_client_goes_on_without_it() -> None:
    with pytest.raises(errors.InvalidRequest) as refused:
        DIALECT.parse_request({"model": "m", "messages": [], "thread": {"type": "create"}})
    told = DIALECT.render_error(refused.value)["error"]
    assert told["details"] == {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
    assert "without `thread`" in told["message"]
