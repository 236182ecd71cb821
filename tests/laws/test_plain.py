"""What is read by a short way reads as by the long one: null equals absent, so a null member changes only the way."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laws.corpus import exchanges, files
from portico.core.dialect import Dialect
from portico.core.envelope import wrapped
from portico.core.errors import InvalidRequest
from portico.core.parts import Signature
from portico.core.request import PlainMessages, Request
from portico.dialects import anthropic_messages, openai_chat
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


def outcome(body: Json, dialect: Dialect = openai_chat.DIALECT) -> Request | tuple[str, str | None]:
    """The request, or what is wrong with it and where. Messages that are said to be plain hold nothing to be looked for."""
    try:
        request = dialect.parse_request(body, model="asked")
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


# -- Messages ----------------------------------------------------------------------------------------------------------


def with_null_marks(body: Json) -> Json:
    """A body of Messages with a null member in each message and in each block, inside results too."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    return {**body, "messages": [_marked_message(message) for message in messages]}


def _marked_message(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    return {**message, **_marked_content(message), "output_config": message.get("output_config")}


def _marked_content(holder: Json) -> Json:
    content = holder.get("content")
    if not isinstance(content, list):
        return {}
    return {"content": [_marked_block(block) if isinstance(block, dict) else block for block in content]}


def _marked_block(block: Json) -> Json:
    if block.get("type") not in ("text", "tool_use", "tool_result"):
        return block  # a block that nobody here knows keeps what it has
    inside = _marked_content(block) if block.get("type") == "tool_result" else {}
    return {**block, **inside, "cache_control": block.get("cache_control")}


def same_both_ways(body: Json, told: str = "") -> None:
    messages = anthropic_messages.DIALECT
    assert outcome(body, messages) == outcome(with_null_marks(body), messages), told


@pytest.mark.skipif(not files(), reason="no recordings")
def test_every_recorded_request_of_messages_reads_the_same_by_both_ways() -> None:
    recorded = [one for path in files() for one in exchanges(path) if one.dialect is anthropic_messages.DIALECT]
    asked = [one for one in recorded if isinstance((one.request or {}).get("messages"), list)]
    assert len(asked) > 100
    for exchange in asked:
        same_both_ways(exchange.request, exchange.id)


WORDS: st.SearchStrategy[Any] = st.sampled_from(["", "hi", '{"a":1}', None, 7, ["x"]])
SEALED = wrapped(Signature("google", "c2ln"), call="toolu_1")
THOUGHTS: st.SearchStrategy[Json] = st.builds(
    lambda blob: {"type": "thinking", "thinking": "so", "signature": blob},
    st.sampled_from(["", "c2ln", SEALED, wrapped(Signature("google", "c2ln"))]),
)
SAID: st.SearchStrategy[Json] = st.builds(lambda text: {"type": "text", "text": text}, WORDS)
USES: st.SearchStrategy[Json] = st.builds(
    lambda id_, given: {"type": "tool_use", "id": id_, "name": "f", "input": given},
    st.sampled_from(["toolu_1", "toolu_1", "toolu_2", "", None]),
    st.sampled_from([{}, {"a": 1.0}, {"arguments": "not json"}, {"arguments": "{}"}, None, []]),
)
RESULTS: st.SearchStrategy[Json] = st.builds(
    lambda id_, content, more: {"type": "tool_result", "tool_use_id": id_, "content": content, **more},
    st.sampled_from(["toolu_1", "toolu_2", None]),
    WORDS | st.lists(SAID, max_size=2),
    st.sampled_from([{}, {"is_error": True}, {"is_error": False}, {"is_error": None}, {"is_error": "x"}]),
)
BLOCKS = st.one_of(SAID, USES, RESULTS, THOUGHTS, st.just({"type": "new", "x": 1}), st.just({"type": None}))
TURNS = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["user", "assistant", "assistant", "system", "x"]),
    WORDS | st.lists(bent(BLOCKS.map(copy.deepcopy)), max_size=3),
)


CALL: Json = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
THOUGHT_OF_TEXT: Json = {"type": "thinking", "thinking": "so", "signature": wrapped(Signature("google", "c2ln"))}
THOUGHT_OF_CALL: Json = {"type": "thinking", "thinking": "so", "signature": SEALED}


@pytest.mark.parametrize("thought", [THOUGHT_OF_TEXT, THOUGHT_OF_CALL], ids=["of a text", "of a call"])
@pytest.mark.parametrize("before", [[], [{"type": "text", "text": "hi"}]], ids=["at once", "after a text"])
def test_what_was_sealed_finds_its_part_by_both_ways(thought: Json, before: list[Json]) -> None:
    texts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    for blocks in ([thought, CALL], [thought, *texts], [thought, *texts, CALL], [CALL, thought], [thought]):
        said: Json = {"role": "assistant", "content": [*before, *blocks]}
        body = {"messages": [said, {"role": "user", "content": texts}, {"role": "assistant", "content": [CALL]}]}
        same_both_ways(body)
        assert isinstance(outcome(body, anthropic_messages.DIALECT), Request)


@settings(deadline=None, derandomize=True, max_examples=2000, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TURNS, min_size=1, max_size=4))
def test_any_blocks_read_the_same_by_both_ways(messages: list[Json]) -> None:
    same_both_ways({"messages": messages})
