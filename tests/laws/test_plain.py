"""What is read by a short way reads as by the long one: null equals absent, so a null member changes only the way."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laws.corpus import exchanges, files
from portico.core.errors import InvalidRequest
from portico.core.request import PlainMessages, Request
from portico.dialects import openai_chat
from portico.relay.convert import holds_media
from portico.relay.owned import named_in
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
    """The request, or what is wrong with it and where. Messages that are said to be plain hold nothing to be looked for."""
    try:
        request = openai_chat.DIALECT.parse_request(body, model="asked")
    except InvalidRequest as error:
        return error.message, error.param
    if type(request.messages) is PlainMessages:
        careful = msgspec.structs.replace(request, messages=tuple(request.messages))
        assert not holds_media(careful)
        assert list(named_in(careful)) == list(named_in(request))
    return request


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


TEXTS = st.sampled_from(["", "hi", " ", '{"a":1}', "see ![x](data:image/png;base64,aGk=)", "<thinking>so</thinking>ha"])
IDS = st.sampled_from(["call_1", "call_1", "call1", "call_2", "call_1__thought__c2ln", ""])
NAMES = st.sampled_from(["f", "g"])
PIECES = st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXTS), max_size=2)
CALLS = st.builds(
    lambda call_id, name, text: {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}},
    *(IDS, NAMES, TEXTS),
)


def said(role: str, **members: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"role": st.just(role), **members})


SHAPES = st.one_of(
    *(said(role, content=TEXTS) for role in ("system", "developer", "user", "assistant")),
    said("user", content=PIECES),
    said("assistant", content=PIECES),
    said("assistant", content=st.none() | TEXTS, tool_calls=st.lists(CALLS, max_size=2)),
    said("assistant", tool_calls=st.lists(CALLS, min_size=1, max_size=2)),
    said("tool", content=TEXTS, tool_call_id=IDS),
    said("tool", content=TEXTS, tool_call_id=IDS),
    said("tool", content=TEXTS, name=NAMES),
    said("tool", content=PIECES, tool_call_id=IDS),
)
SIGNED: Json = {"google": {"thought_signature": "c2ln", "thought": True}}
ELSE: st.SearchStrategy[tuple[str, Any]] = st.sampled_from(
    [("extra_content", SIGNED), ("extra_content", SIGNED), ("thought_signature", "c2ln")]
) | st.tuples(
    st.sampled_from(
        [
            *("role", "content", "tool_calls", "tool_call_id", "name", "type", "text", "id", "function", "arguments"),
            *("function_call", "reasoning_content", "custom"),
        ]
    ),
    st.sampled_from([None, "", "hi", "custom", "input_text", 7, True, [], ["hi"], {}]),
)
"""What else may stand in a message, a part, a call or its function."""


@st.composite
def bent(draw: st.DrawFn, shapes: st.SearchStrategy[Json]) -> Json:
    """A message of one of the shapes, half of them with something else somewhere in it."""
    message = draw(shapes)
    if draw(st.booleans()):
        return message
    places = [message]
    for place in places:
        for value in place.values():
            places += [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
    place, (member, value) = draw(st.sampled_from(places)), draw(ELSE)
    if draw(st.integers(0, 2)):
        place[member] = value
    else:
        place.pop(member, None)
    return message


@settings(deadline=None, derandomize=True, max_examples=2000, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(bent(SHAPES), min_size=1, max_size=5), st.sampled_from([None, "thinking"]))
def test_any_messages_read_the_same_by_both_ways(messages: list[Json], tag: str | None) -> None:
    """Broken ones too: a short way decides nothing that it does not fully understand."""
    body: Json = {"messages": messages}
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
