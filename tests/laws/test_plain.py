"""What is read by a short way reads as by the long one: null equals absent, so a null member changes only the way."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laws.corpus import exchanges, files
from portico.core.errors import InvalidRequest
from portico.core.request import Request
from portico.dialects import openai_chat
from properties.chat_requests import AIMS, chat_requests

Json = dict[str, Any]


def with_nulls(body: Json) -> Json:
    """The body with a null member that says nothing in itself, in each message and in each call."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return {**body, "nothing": None}
    return {**body, "messages": [_message(message) for message in messages], "nothing": None}


def _message(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    spelt: Json = {**message, "refusal": message.get("refusal")}
    if isinstance(message.get("tool_calls"), list):
        calls = message["tool_calls"]
        spelt["tool_calls"] = [{**call, "index": 0} if isinstance(call, dict) else call for call in calls]
    return spelt


def outcome(body: Json) -> Request | tuple[str, str | None]:
    """The request, or what is wrong with it and where."""
    try:
        return openai_chat.DIALECT.parse_request(body, model="asked")
    except InvalidRequest as error:
        return error.message, error.param


@pytest.mark.skipif(not files(), reason="no recordings")
def test_every_recorded_request_reads_the_same_by_both_ways() -> None:
    recorded = [one for path in files() for one in exchanges(path) if one.dialect is openai_chat.DIALECT]
    asked = [one for one in recorded if isinstance((one.request or {}).get("messages"), list)]
    assert len(asked) > 500
    for exchange in asked:
        assert outcome(exchange.request) == outcome(with_nulls(exchange.request)), exchange.id


@settings(deadline=None, derandomize=True, max_examples=200, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_request_reads_the_same_by_both_ways(data: st.DataObject) -> None:
    body = data.draw(chat_requests(AIMS[0])).body
    assert outcome(body) == outcome(with_nulls(body))


CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ODD: tuple[Any, ...] = (
    *(None, "", "text", 7, True, [], {}, ["text"], [{"type": "text", "text": "a"}], {"type": "text", "text": "a"}),
    *("call_1", "call1", "call_2", "call_1__thought__abc", "![x](data:image/png;base64,aGk=)", "function", "custom"),
    *([CALL], [CALL, CALL], [{**CALL, "id": ""}], [{**CALL, "id": None}], [{**CALL, "type": "custom"}], [7]),
    *([{**CALL, "id": "call_1__thought__abc"}], [{**CALL, "function": {"name": "f"}}], [{**CALL, "function": 7}]),
    [{**CALL, "function": {"name": None, "arguments": "{}"}}],
    [{**CALL, "function": {"name": "f", "arguments": {"a": 1}}}],
    [{**CALL, "function": {"name": "f", "arguments": "{}", "thought_signature": "c2ln"}}],
)
ROLES: tuple[Any, ...] = ("system", "developer", "user", "assistant", "tool", "function", "nobody", None, 7, [])
MEMBERS = ("content", "tool_calls", "tool_call_id", "name", "thought_signature", "function_call", "reasoning_content")
MESSAGES = st.builds(
    lambda role, members: {"role": role, **members},
    st.sampled_from(ROLES[:6] * 6 + ROLES[6:]),
    st.dictionaries(st.sampled_from(MEMBERS[:3] * 3 + MEMBERS[3:]), st.sampled_from(ODD), max_size=3),
)


@settings(deadline=None, derandomize=True, max_examples=800, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(MESSAGES, max_size=4), st.sampled_from([None, "thinking"]))
def test_any_messages_read_the_same_by_both_ways(messages: list[Json], tag: str | None) -> None:
    """Broken ones too: the short ways decide nothing that they do not fully understand."""
    first = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    body: Json = {"messages": [first, *messages]}
    if tag is not None:
        body["google"] = {"thought_tag_marker": tag}
    assert outcome(body) == outcome(with_nulls(body))


@pytest.mark.parametrize("limit", [None, 5, 0, "x"])
@pytest.mark.parametrize(
    "field", ["max_tokens", "max_completion_tokens", "stream", "temperature", "stop", "n", "tools"]
)
def test_a_field_reads_the_same_beside_one_that_says_nothing(field: str, limit: Any) -> None:
    body: Json = {"messages": [{"role": "user", "content": "hi"}], "max_completion_tokens": 9, field: limit}
    assert outcome(body) == outcome({**body, "nothing": None})
    body = {"messages": [{"role": "user", "content": "hi"}], field: limit, "max_tokens": 7}
    assert outcome(body) == outcome({**body, "nothing": None})
