"""Errors of OpenAI and of servers that imitate it, in the shapes they come in (mapping.md 4)."""

import json
from typing import Any

import pytest

from portico.core.errors import (
    ContextLengthExceeded,
    PorticoError,
    UpstreamAuthFailed,
    UpstreamBadGateway,
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
    UpstreamUnsupported,
)
from portico.dialects import gemini
from portico.dialects.openai_chat import DIALECT


def openai(
    message: str = "x", *, code: Any = None, param: str | None = None, kind: str = "invalid_request_error"
) -> Any:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def read(status: int, body: Any) -> UpstreamError:
    return DIALECT.parse_error(status, body if isinstance(body, bytes) else json.dumps(body).encode())


AZURES = {"code": "content_filter", "message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}

# -- which error it is -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, openai("Incorrect API key provided: sk-abc.", code="invalid_api_key"), UpstreamAuthFailed),
        (400, openai("Invalid API Key"), UpstreamAuthFailed),
        (403, openai("Forbidden"), UpstreamAuthFailed),
        (403, openai("Country not supported", code="unsupported_country_region_territory"), UpstreamRefusedAccount),
        (403, openai("You are not allowed to sample from this model"), UpstreamModelNotFound),
        (403, openai("This model requires moderation, and the input was flagged", code="403"), UpstreamContentRefused),
        (403, openai("You are not allowed to generate embeddings from this model"), UpstreamModelNotFound),
        (402, {"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}, UpstreamRefusedAccount),
        (404, openai("The model `x` does not exist.", code="model_not_found"), UpstreamModelNotFound),
        (404, {"error": 'model "x" not found, try pulling it first'}, UpstreamModelNotFound),
        (404, {"error": {"code": "DeploymentNotFound", "message": "No deployment."}}, UpstreamModelNotFound),
        (400, {"error": {"message": "x is not a valid model ID", "code": 400}}, UpstreamModelNotFound),
        (400, openai("Model Not Exist"), UpstreamModelNotFound),
        (404, openai("This is not a chat model and thus not supported", param="model"), UpstreamModelNotFound),
        (404, openai("tools is not supported in this model."), UpstreamRejected),
        (404, openai("No such File object: file-abc"), UpstreamFileNotFound),
        (413, openai(), UpstreamRequestTooLarge),
        (429, openai("Rate limit reached", code="rate_limit_exceeded", kind="tokens"), UpstreamRateLimited),
        (429, openai("You exceeded your current quota", code="insufficient_quota"), UpstreamRateLimited),
        (400, openai("Too long.", code="context_length_exceeded", param="messages"), ContextLengthExceeded),
        (400, openai("This model's maximum context length is 8192 tokens. You asked for 9."), ContextLengthExceeded),
        (400, {"error": "the request exceeds the available context size, try increasing it"}, ContextLengthExceeded),
        (400, openai("Refused", code="content_policy_violation"), UpstreamContentRefused),
        (400, {"error": AZURES}, UpstreamContentRefused),
        (400, openai("Invalid 'messages': empty array.", code="empty_array", param="messages"), UpstreamRejected),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, UpstreamRejected),
        (498, openai("Flex tier capacity exceeded"), UpstreamOverloaded),
        (500, openai(kind="server_error"), UpstreamInternal),
        (501, openai(), UpstreamUnsupported),
        (502, openai(), UpstreamBadGateway),
        (503, openai("The engine is currently overloaded"), UpstreamOverloaded),
        (404, openai("Item with id 'rs_1' not found. Items are not persisted when `store` is false."), UpstreamRejected),
        (404, openai("Conversation with id 'conv_1' not found."), UpstreamRejected),
        (404, openai("Vector store vs_1 not found."), UpstreamRejected),
        (404, openai("The model `item` does not exist or you do not have access to it."), UpstreamModelNotFound),
        (404, openai("Not found"), UpstreamModelNotFound),
        (529, openai(), UpstreamOverloaded),
        (504, openai(), UpstreamDeadlineExceeded),
        (520, openai(), UpstreamInternal),
    ],
)  # fmt: skip
def test_an_error_is_what_its_status_code_and_words_say(status: int, body: Any, kind: type[UpstreamError]) -> None:
    error = read(status, body)
    assert type(error) is kind
    assert error.upstream_status == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "No."}}, "No."),
        ({"error": "No."}, "No."),
        ({"error": "No.", "code": "Client specified an invalid argument"}, "No."),
        ({"object": "error", "message": "No.", "type": "BadRequestError", "param": None, "code": 400}, "No."),
        ({"message": "No.", "request_id": "r"}, "No."),
        ({"detail": "No."}, "No."),
        ({"msg": "No.", "code": 7}, "No."),
        ({"detail": [{"loc": ["body", "n"], "msg": "No."}, {"msg": "Nor this."}, "x"]}, "n: No.; Nor this.; x"),
        ({"object": "error", "message": {"detail": [{"loc": ["body", "x", 0], "msg": "No."}]}}, "x.0: No."),
        ({"errors": [{"message": "No."}]}, "No."),
        ([{"error": {"message": "No."}}], "No."),
        ("No.", "No."),
        (b"No.", "No."),
        (b"  No.\n", "No."),
        ({"error": {"message": None}}, UpstreamRejected.__doc__),
        ({"error": {"message": ["No."], "param": 7, "code": {}}}, "No."),
    ],
)
def test_its_words_are_found_wherever_they_stand(body: Any, message: str) -> None:
    error = read(400, body)
    assert (type(error), error.message) == (UpstreamRejected, message)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html><h1>502 Bad Gateway</h1></html>", UpstreamBadGateway),
        (404, b"<!doctype html>", UpstreamBadGateway),
        (400, b"<html>", UpstreamBadGateway),
        (429, b"<html>", UpstreamRateLimited),
        (401, b"<html>", UpstreamAuthFailed),
        (503, b"", UpstreamOverloaded),
        (503, b"upstream connect error", UpstreamOverloaded),
        (400, b"x" * 1000, UpstreamBadGateway),
        (200, b"hello", UpstreamBadGateway),
        (500, b"\xff\xfe", UpstreamInternal),
        (400, {}, UpstreamBadGateway),
        (400, 7, UpstreamBadGateway),
        (400, [], UpstreamBadGateway),
        (400, None, UpstreamBadGateway),
        (400, {"error": []}, UpstreamBadGateway),
    ],
)
def test_a_page_and_a_body_that_says_nothing_are_what_their_status_is(
    status: int, body: Any, kind: type[UpstreamError]
) -> None:
    error = read(status, body)
    assert type(error) is kind
    assert "html" not in error.message


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "x"}, UpstreamRateLimited),
        ({"code": "429", "message": "x"}, UpstreamRateLimited),
        ({"status": 503, "message": "x"}, UpstreamOverloaded),
        ({"type": "overloaded_error", "message": "x"}, UpstreamOverloaded),
        ({"code": "rate_limit_exceeded", "message": "x"}, UpstreamRateLimited),
        ({"code": "context_length_exceeded", "message": "x"}, ContextLengthExceeded),
        ({"code": "invalid_value", "message": "x"}, UpstreamRejected),
        (
            {"type": "service_unavailable_error", "code": "server_is_overloaded", "message": "x"},
            UpstreamOverloaded,
        ),
        ({"code": "slow_down", "message": "x"}, UpstreamOverloaded),
        ({"code": "invalid_prompt", "message": "x"}, UpstreamRejected),
        ({"code": "image_parse_error", "message": "x"}, UpstreamRejected),
        ({"code": "bio_policy", "message": "x"}, UpstreamContentRefused),
        ({"code": "image_content_policy_violation", "message": "x"}, UpstreamContentRefused),
        ({"message": "x"}, UpstreamInternal),
    ],
)
def test_without_a_status_its_own_words_say_what_it_is(error: Any, kind: type[UpstreamError]) -> None:
    assert type(read(0, {"error": error})) is kind


@pytest.mark.parametrize(
    ("message", "delay_s"),
    [
        ("Rate limit reached for gpt-x on requests per min. Please try again in 20s.", 20),
        ("Please try again in 1m12.5s. Visit us.", 72.5),
        ("Please try again in 120ms.", 0.12),
        ("please retry after 7 s", 7),
        ("Try again in 2h3m.", 7380),
        ("Slow down.", None),
    ],
)
def test_when_to_come_back_is_read_from_its_words(message: str, delay_s: float | None) -> None:
    assert read(429, openai(message)).retry_after_s == pytest.approx(delay_s)


# -- what was refused ------------------------------------------------------------------------------------------------


def unsupported(words: str, param: str, code: str = "unsupported_parameter") -> Any:
    return openai(words, code=code, param=param)


EXTRA = {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
ONLY_DEFAULT = "'temperature' does not support 0.2 with this model. Only the default (1) value is supported."


@pytest.mark.parametrize(
    ("body", "field", "only_value"),
    [
        (unsupported("'stop' is not supported with this model.", "stop"), "stop", False),
        (unsupported("Use 'max_completion_tokens' instead.", "max_tokens"), "max_tokens_field", False),
        (unsupported("role does not support 'system'", "messages[0].role", "unsupported_value"), "system_role", False),
        (unsupported(ONLY_DEFAULT, "temperature", "unsupported_value"), "sampling", False),
        (unsupported("does not support 'minimal'.", "reasoning_effort", "unsupported_value"), "thinking", True),
        (unsupported("Unknown parameter: 'verbosity'.", "verbosity", "unknown_parameter"), "verbosity", False),
        (unsupported("Unknown parameter.", "tools[0].function.strict", "unknown_parameter"), "strict", False),
        (openai("`logprobs` is not supported with this model"), "logprobs", False),
        (openai("This model does not support the parameter parallel_tool_calls."), "parallel_tool_calls", False),
        (openai("Unrecognized request argument supplied: reasoning_effort"), "thinking", False),
        ({"detail": [EXTRA]}, "stream_options", False),
        ({"error": "presence_penalty is not supported by this backend"}, "penalties", False),
        (openai("The seed parameter is not supported"), "seed", False),
    ],
)
def test_an_optional_field_that_is_refused_is_named(body: Any, field: str, only_value: bool) -> None:
    error = read(400, body)
    assert isinstance(error, UpstreamRejected)
    assert (error.refused, error.only_value) == (field, only_value)


@pytest.mark.parametrize(
    "body",
    [
        unsupported("'x' is not supported.", "tools[0].function.parameters", "invalid_function_parameters"),
        unsupported("Web search options not supported with this model.", "web_search_options", ""),
        unsupported("decimal above maximum value.", "temperature", "decimal_above_max_value"),
        unsupported("Content blocks are expected to be either text or image_url type.", "messages[3]", "invalid_value"),
        unsupported("Unknown parameter: 'new_thing'.", "new_thing", "unknown_parameter"),
        openai("Please stop. It is wrong."),
        openai("tools is not supported in this model."),
    ],
)
def test_nothing_that_an_answer_would_lack_is_left_out(body: Any) -> None:
    error = read(400, body)
    assert isinstance(error, UpstreamRejected)
    assert error.refused is None


# -- how it is told --------------------------------------------------------------------------------------------------


def test_the_provider_is_quoted_to_callers_of_its_dialect() -> None:
    told = openai("Unknown parameter: 'new'.", code="unknown_parameter", param="messages[1].new")
    error = read(400, told)
    assert DIALECT.render_error(error) == told
    assert error.param == "messages"  # to callers of other dialects, whose messages stand elsewhere
    other = gemini.DIALECT.render_error(error)["error"]
    assert (other["status"], other["message"]) == ("INVALID_ARGUMENT", "Unknown parameter: 'new'.")


@pytest.mark.parametrize(
    ("param", "neutral"),
    [
        ("max_completion_tokens", "max_tokens"),
        ("reasoning_effort", "thinking"),
        ("messages[3].content[0]", "messages"),
        ("tools[0].function.parameters", "tools"),
        ("response_format.json_schema", "response_format"),
        (None, None),
    ],
)
def test_the_field_to_blame_has_its_neutral_name(param: str | None, neutral: str | None) -> None:
    assert read(400, openai("No.", param=param)).param == neutral


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, openai("Incorrect API key provided: abcd-secret.", code="invalid_api_key")),
        (429, openai("You exceeded your current quota, abcd-secret.", code="insufficient_quota")),
        (402, openai("Pay up, abcd-secret.")),
        (429, openai("Rate limit reached in organization org-abcdsecret1 on tokens per min.")),
        (400, openai("Key sk-abcd-secret of proj_abcdsecret is wrong here.", param="user")),
    ],
)
def test_what_it_says_of_the_operators_account_stays_here(status: int, body: Any) -> None:
    error: PorticoError = read(status, body)
    assert "secret" not in json.dumps(DIALECT.render_error(error))
    assert "secret" not in json.dumps(gemini.DIALECT.render_error(error))
