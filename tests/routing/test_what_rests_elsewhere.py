"""What rests after a failure of OpenAI's, of those who imitate it, or of Anthropic's: the table of Google's, for them.

The sentences and headers are theirs: platform.openai.com/docs/guides/rate-limits, docs.claude.com/en/api/rate-limits, and
Azure's quotas page.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from portico.core.dialect import Dialect
from portico.core.errors import UpstreamError, UpstreamRateLimited
from portico.dialects.anthropic_messages import DIALECT as MESSAGES
from portico.dialects.gemini import DIALECT as GEMINI
from portico.dialects.openai_chat import DIALECT as CHAT
from portico.dialects.openai_responses import DIALECT as RESPONSES
from portico.routing import ALL_MODELS, FOREVER, Health, rests_after
from portico.routing.rest import ACCOUNT_S, FIRST_PAUSE_S
from portico.wire import jsontext
from routing.route_cases import candidate

NOON = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC).timestamp()
SAYS_RPM = (
    "Rate limit reached for gpt-5 in organization org-sample12 on requests per min (RPM): Limit 500, Used 500, "
    "Requested 1. Please try again in 120ms. Visit https://platform.openai.com/account/rate-limits to learn more."
)
SAYS_RPD = (
    "Rate limit reached for gpt-5 in organization org-sample12 on requests per day (RPD): Limit 200, Used 200, "
    "Requested 1. Please try again in 7m12s."
)
TOO_LARGE = (
    "Request too large for gpt-5 in organization org-sample12 on tokens per min (TPM): Limit 30000, Requested 90000. The "
    "input or output tokens must be reduced in order to run successfully."
)
AZURE = (
    "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate "
    "limit of your current OpenAI S0 pricing tier. Please retry after 6 seconds."
)
SPENT = "You exceeded your current quota, please check your plan and billing details."
CLAUDE_RPM = "This request would exceed your organization's rate limit of 50 requests per minute."


def openai(
    status: int,
    message: str = "",
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
    dialect: Dialect = CHAT,
) -> UpstreamError:
    body = {"error": {"message": message, "type": "x", "param": None, "code": code}}
    return dialect.parse_error(status, jsontext.encode(body), headers or {})


def claude(status: int, word: str, message: str = "", **headers: str) -> UpstreamError:
    body = {"type": "error", "error": {"type": word, "message": message}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return MESSAGES.parse_error(status, jsontext.encode(body), named)


def used_up(what: str, reset: str) -> dict[str, str]:
    other = {"requests": "tokens", "tokens": "requests"}[what]
    return {
        f"x-ratelimit-remaining-{what}": "0",
        f"x-ratelimit-reset-{what}": reset,
        f"x-ratelimit-remaining-{other}": "7",
        f"x-ratelimit-reset-{other}": "9h",
    }


CASES: dict[str, tuple[UpstreamError, str, float]] = {
    "OpenAI: as long as its sentence says": (openai(429, SAYS_RPM, "rate_limit_exceeded"), "m", NOON + 0.12),
    "OpenAI: a header is more exact than the sentence": (
        openai(429, SAYS_RPM, "rate_limit_exceeded", {"retry-after": "2", **used_up("requests", "9s")}),
        "m",
        NOON + 2,
    ),
    "OpenAI: milliseconds are more exact than seconds": (
        openai(429, SAYS_RPM, "rate_limit_exceeded", {"retry-after": "2", "retry-after-ms": "1400"}),
        "m",
        NOON + 1.4,
    ),
    "OpenAI: a date counts from the answer's own": (
        openai(
            429,
            "slow down",
            None,
            {"retry-after": "Sat, 28 Nov 2026 11:00:09 GMT", "date": "Sat, 28 Nov 2026 11:00:00 GMT"},
        ),
        "m",
        NOON + 9,
    ),
    "OpenAI: without a word of it, when what has nothing left is whole again": (
        openai(429, "Too many.", "rate_limit_exceeded", used_up("tokens", "6m0s")),
        "m",
        NOON + 360,
    ),
    "OpenAI: a minute's quota and no delay: till the next minute": (
        openai(429, "Rate limit reached for gpt-5 on tokens per min (TPM)"),
        "m",
        NOON + 30,
    ),
    "OpenAI: a day is the last 24 hours, not till midnight anywhere": (
        openai(429, SAYS_RPD, "rate_limit_exceeded"),
        "m",
        NOON + 432,
    ),
    "OpenAI: nothing said": (openai(429, "Too many requests"), "m", NOON + FIRST_PAUSE_S),
    "a page instead of an error, with a header": (
        CHAT.parse_error(429, b"<html>slow down</html>", {"retry-after": "5"}),
        "m",
        NOON + 5,
    ),
    "an object with nothing in it, with a header": (CHAT.parse_error(429, b"{}", {"retry-after": "5"}), "m", NOON + 5),
    "Azure: its sentence": (openai(429, AZURE, "429"), "m", NOON + 6),
    "Azure: its header": (
        openai(429, AZURE, "429", {"retry-after": "42", "retry-after-ms": "41500"}),
        "m",
        NOON + 41.5,
    ),
    "Responses say it in the same way": (
        openai(429, SAYS_RPM, "rate_limit_exceeded", {"retry-after": "3"}, RESPONSES),
        "m",
        NOON + 3,
    ),
    "OpenAI: money that is spent": (
        openai(429, SPENT, "insufficient_quota", {"retry-after": "1"}),
        ALL_MODELS,
        NOON + ACCOUNT_S,
    ),
    "OpenAI: a limit of money": (
        openai(400, "Billing hard limit has been reached", "billing_hard_limit_reached"),
        ALL_MODELS,
        NOON + ACCOUNT_S,
    ),
    "OpenAI: a bill that is not paid": (
        openai(429, "Your account is not active, please check your billing details.", "billing_not_active"),
        ALL_MODELS,
        NOON + ACCOUNT_S,
    ),
    "OpenAI: an account that was deactivated, till a person looks": (
        openai(401, "The OpenAI account associated with this API key has been deactivated.", "account_deactivated"),
        ALL_MODELS,
        FOREVER,
    ),
    "OpenAI: a wrong key, till a person looks": (
        openai(401, "Incorrect API key provided: sk-sam***ple.", "invalid_api_key"),
        ALL_MODELS,
        FOREVER,
    ),
    "OpenAI: a key without the right, till a person looks": (
        openai(403, "You have insufficient permissions for this operation. Missing scopes: model.request."),
        ALL_MODELS,
        FOREVER,
    ),
    "a compatible server: a key that was shut, till a person looks": (
        openai(403, "This API key was revoked."),
        ALL_MODELS,
        FOREVER,
    ),
    "OpenAI: a refused country": (
        openai(403, "Country, region, or territory not supported", "unsupported_country_region_territory"),
        ALL_MODELS,
        NOON + ACCOUNT_S,
    ),
    "Claude: as long as it says": (
        claude(429, "rate_limit_error", CLAUDE_RPM, retry_after="17", anthropic_ratelimit_requests_remaining="0"),
        "m",
        NOON + 17,
    ),
    "Claude: without a delay, when what has nothing left is whole again": (
        claude(
            429,
            "rate_limit_error",
            CLAUDE_RPM,
            anthropic_ratelimit_requests_remaining="3",
            anthropic_ratelimit_requests_reset="2026-11-28T12:09:00Z",
            anthropic_ratelimit_input_tokens_remaining="0",
            anthropic_ratelimit_input_tokens_reset="2026-11-28T12:00:50Z",
            anthropic_ratelimit_output_tokens_remaining="0",
            anthropic_ratelimit_output_tokens_reset="2026-11-28T12:01:10Z",
        ),
        "m",
        NOON + 40,
    ),
    "Claude: a minute's quota and no delay: till the next minute": (
        claude(429, "rate_limit_error", CLAUDE_RPM),
        "m",
        NOON + 30,
    ),
    "Claude: nothing said": (claude(429, "rate_limit_error", "Number of concurrent connections"), "m", NOON + 1),
    "Claude: money that is spent": (
        claude(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        ALL_MODELS,
        NOON + ACCOUNT_S,
    ),
    "Claude: a bill": (claude(402, "billing_error", "Payment required"), ALL_MODELS, NOON + ACCOUNT_S),
    "Claude: a wrong key, till a person looks": (
        claude(401, "authentication_error", "invalid x-api-key"),
        ALL_MODELS,
        FOREVER,
    ),
    "Claude: an organization that was shut, till a person looks": (
        claude(400, "invalid_request_error", "This organization has been disabled."),
        ALL_MODELS,
        FOREVER,
    ),
    "Claude: a key that may not use one model rests for that": (
        claude(403, "permission_error", "Your API key does not have permission to use model claude-sample."),
        "m",
        FOREVER,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_rests_at_openai_and_anthropic(name: str) -> None:
    error, model, until = CASES[name]
    [rest] = rests_after(error, "m", NOON)
    assert rest.model == model
    assert rest.until == pytest.approx(until)
    assert rest.why.startswith(str(error.code))


NO_SCOPE = (
    "You have insufficient permissions for this operation. Missing scopes: api.model.images.request. Check that you"
    " have the correct role in your organization, and if you're using a restricted API key, that it has the scopes."
)
NOTHING: dict[str, UpstreamError] = {
    "OpenAI: a request that is larger than the quota": openai(429, TOO_LARGE, "rate_limit_exceeded"),
    "OpenAI: overloaded": openai(503, "The engine is currently overloaded", None, {"retry-after": "5"}),
    "OpenAI: a model that is not for this account": openai(403, "You are not allowed to sample from this model"),
    "OpenAI: a model that makes no embeddings": openai(
        403, "You are not allowed to generate embeddings from this model"
    ),
    "OpenRouter: what was asked was flagged": openai(403, "This model requires moderation, and the input was flagged"),
    "OpenAI: an operation that the key has no right to": openai(403, NO_SCOPE),
    "OpenAI: the same as it mostly says it": openai(401, NO_SCOPE, "missing_scope"),
    "a compatible server: a 403 that says nothing": openai(403, "Forbidden"),
    "a wall in front of OpenAI": CHAT.parse_error(403, b"<html>Sorry, you have been blocked</html>"),
    "a wall in front of Anthropic": MESSAGES.parse_error(403, b"<html>Sorry, you have been blocked</html>"),
    "a wall in front of Google": GEMINI.parse_error(403, b"<html>Sorry, you have been blocked</html>"),
    "Claude: a thing that the key has no right to": claude(
        403, "permission_error", "Your API key does not have permission to use the specified resource."
    ),
    "Claude: overloaded": claude(529, "overloaded_error", "Overloaded", retry_after="5"),
    "Claude: a mistake of the caller's": claude(400, "invalid_request_error", "messages: at least one message"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_lets_nothing_rest_there(name: str) -> None:
    assert rests_after(NOTHING[name], "m", NOON) == []


@pytest.mark.parametrize("name", [name for name in NOTHING if "overloaded" in name])
def test_who_is_overloaded_says_when_to_come_back(name: str) -> None:
    assert NOTHING[name].retry_after_s == 5


@pytest.mark.parametrize(
    "limited",
    [
        openai(429, SAYS_RPM, "rate_limit_exceeded"),
        claude(429, "rate_limit_error", CLAUDE_RPM, anthropic_organization_id="org-sample12", retry_after="9"),
    ],
    ids=["OpenAI", "Claude"],
)
def test_keys_of_one_organization_are_known_by_its_name(limited: UpstreamError) -> None:
    health = Health()
    first, second, new = (candidate(key=key) for key in ("k1", "k2", "k3"))
    for one in (first, second):
        health.failed(one, limited, NOON)
    assert health.group("a", first.credential) == health.group("a", second.credential) == "org-sample12"
    assert health.resting(first, NOON) is not None
    assert health.resting(new, NOON) is None
    assert "sample12" not in limited.message


def test_of_a_workspaces_quota_nobody_knows_whose_it_is() -> None:
    said = "This request would exceed your workspace's rate limit of 50 requests per minute."
    error = claude(429, "rate_limit_error", said, anthropic_organization_id="org-sample12")
    assert isinstance(error, UpstreamRateLimited)
    assert error.consumer is None


ODD: list[Any] = ["", "soon", "-1", "1e9", "NaN", "٣", "1,2", "Sat, 99 Nov 2026 11:00:09 GMT", "9" * 400]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("name", ["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"])
def test_a_header_that_nobody_can_read_says_nothing(name: str, value: str) -> None:
    error = openai(429, "x", None, {"x-ratelimit-remaining-tokens": "0", "date": "today", name: value})
    assert error.retry_after_s is None


@pytest.mark.parametrize("value", ODD)
def test_a_reset_of_claudes_that_nobody_can_read_says_nothing(value: str) -> None:
    headers = {"anthropic_ratelimit_tokens_remaining": "0", "anthropic_ratelimit_tokens_reset": value}
    error = claude(429, "rate_limit_error", "x", **headers)
    assert isinstance(error, UpstreamRateLimited)
    assert [quota.resets_at for quota in error.quotas] == [None]
