"""mapping.md 4: rows of errors that no other file has a table for."""

import json
from typing import Any

import pytest

from dialects.dialect_rows import CHAT, GEMINI
from gateway.house import Script, chat, fails, open_house
from portico.core import errors

RPC = "type.googleapis.com/google.rpc."


@pytest.mark.parametrize(("delay", "header"), [("34.4s", "35"), ("34s", "34"), ("0.2s", "1"), ("0s", "0")])
async def test_the_time_to_come_back_is_rounded_up(delay: str, header: str) -> None:
    """4, 429: Retry-After is ceil(retryDelay)"""
    details = [{"@type": f"{RPC}RetryInfo", "retryDelay": delay}]
    async with open_house(Script(fails(429, "RESOURCE_EXHAUSTED", details=details))) as house:
        answer = await house.ask(chat())
        assert (answer.status, answer.headers["retry-after"]) == (429, header)


DETAILS: list[Any] = [
    {"@type": f"{RPC}ErrorInfo", "reason": "X", "domain": "googleapis.com", "metadata": {"a": "b"}},
    {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": "q", "quotaValue": "10"}]},
    {"@type": f"{RPC}RetryInfo", "retryDelay": "7s"},
    {"@type": f"{RPC}Help", "links": [{"description": "d", "url": "https://x.example"}]},
    {"@type": f"{RPC}LocalizedMessage", "locale": "en-US", "message": "m"},
    {"@type": f"{RPC}DebugInfo", "stackEntries": ["x"]},
    {"@type": f"{RPC}ResourceInfo", "resourceName": "n"},
    {"@type": f"{RPC}PreconditionFailure", "violations": []},
    {"@type": f"{RPC}OfTheFuture"},
    {},
    "x",
    None,
]


@pytest.mark.parametrize("before", range(len(DETAILS)))
def test_every_kind_of_detail_may_stand_before_the_one_that_tells(before: int) -> None:
    """4, detail types"""
    details = DETAILS[before:] + DETAILS[:before]
    body = {"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED", "details": details}}
    error = GEMINI.parse_error(429, json.dumps(body).encode())
    assert (type(error), error.reason, error.retry_after_s) == (errors.UpstreamRateLimited, "X", 7)


@pytest.mark.parametrize(
    ("field", "param"),
    [
        ("contents[0].parts[0]", "messages"),
        ("generation_config.temperature", "temperature"),
        ("generationConfig.maxOutputTokens", "max_completion_tokens"),
        ("generation_config.response_mime_type", "response_format"),
        ("tools[0].function_declarations[0].name", "tools"),
        ("system_instruction", "messages"),
        ("something.else", None),
    ],
)
async def test_the_field_google_blames_is_told_by_the_callers_name(field: str, param: str | None) -> None:
    """4, first row: fieldViolations.field mapped back"""
    details = [{"@type": f"{RPC}BadRequest", "fieldViolations": [{"field": field, "description": "bad"}]}]
    async with open_house(Script(fails(400, "INVALID_ARGUMENT", details=details))) as house:
        error = (await house.ask(chat())).error
        assert (error["param"], error["code"]) == (param, "invalid_value")


def test_a_provider_that_gave_up_waiting_is_a_timeout() -> None:
    """4, retryable statuses: 408"""
    error = GEMINI.parse_error(408, b'{"error":{"code":408,"message":"x","status":"UNKNOWN"}}')
    assert (type(error), error.fails_over) == (errors.UpstreamTimeout, True)
    assert CHAT.render_error(error)["error"]["type"] == "timeout"
