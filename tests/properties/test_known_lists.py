"""A memory for lists that come with every turn changes nothing but what a turn costs."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import agent_bodies
from laws.corpus import exchanges, files
from portico.core.dialect import Dialect, Rendered
from portico.core.errors import CallerError
from portico.core.known import ROOM_BYTES, Known, KnownTools
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.relay.known import MAX_BODY_BYTES, KnownLists
from portico.relay.prepare import parse_body
from portico.wire import jsontext
from properties.asking import target
from properties.chat_requests import AIMS, Aim, chat_requests

Json = dict[str, Any]
CHAT, GEMINI = openai_chat.DIALECT, gemini.DIALECT
MESSAGES_API, RESPONSES = anthropic_messages.DIALECT, openai_responses.DIALECT
TOKEN = "a text that stands in"
TOOLS = b'[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]'
MESSAGES = b'"messages":[{"role":"user","content":"hi"}]'


def memory(**bounds: int) -> KnownLists:
    return KnownLists("tools", TOKEN, **bounds)


def body(tools: bytes = TOOLS) -> bytes:
    return b'{"model":"m",%s,"tools":%s}' % (MESSAGES, tools)


def is_known(value: Any) -> bool:
    return type(value["tools"]) is Known


def test_a_list_is_known_when_it_comes_again_wherever_it_stands() -> None:
    known = memory()
    first = known.decode(body())
    again = known.decode(b'{"tools" :\n%s, "model": "other", "n": 1}' % TOOLS)
    assert first["tools"] is again["tools"]
    assert is_known(again)
    assert again == {"tools": jsontext.decode(TOOLS), "model": "other", "n": 1}
    assert list(again) == ["tools", "model", "n"]
    assert len(known) == 1


BODIES = (
    body(),
    body(b" \r\n\t[ ] "),
    jsontext.BOM + body(),
    b'{"tools":%s,"tools":[1]}' % TOOLS,
    b'{"tools":[1],"tools":%s}' % TOOLS,
    b'{"tools":%s,"tools":null}' % TOOLS,
    b'{"tools":%s,"t\\u006fols":[2]}' % TOOLS,
    b'{"t\\u006fols":%s}' % TOOLS,
    b'{"x\\"tools":%s}' % TOOLS,
    b'{"x\\"tools":%s,"tools":[3]}' % TOOLS,
    b'{"tools":[3],"x\\"tools":%s}' % TOOLS,
    b'{"tool_choice":{"tools":%s}}' % TOOLS,
    b'{"tools":%s,"tool_choice":{"allowed_tools":{"tools":%s}}}' % (TOOLS, TOOLS),
    b'{"tools":[{"tools":%s}]}' % TOOLS,
    b'{"tools":{"tools":%s}}' % TOOLS,
    b'{"messages":"\\"tools\\":%s"}' % TOOLS.replace(b'"', b'\\"'),
    b'{"tools":"a text that stands in"}',
    b'{"tools":"a text that was guessed wrong","x":{"tools":%s}}' % TOOLS,
    b'[{"tools":%s}]' % TOOLS,
    b'"tools"',
    b'{"tools":null}',
    b"{}",
)
BROKEN = (
    b"",
    body()[:-1],
    body(TOOLS + b"x"),
    body(TOOLS + b" 1"),
    body(TOOLS[:-1]),
    b'{"tools":%s' % TOOLS,
    b'{"tools":%s,}' % TOOLS,
    b'{"messages":nope,"tools":%s}' % TOOLS,
    b'{"messages":"\xff","tools":%s}' % TOOLS,
    b'{"tools":%s}{"tools":%s}' % (TOOLS, TOOLS),
    b'"tools":%s' % TOOLS,
)


@pytest.mark.parametrize("data", BODIES, ids=lambda data: data[:60].decode(errors="replace"))
def test_a_body_is_what_it_is_at_every_sight(data: bytes) -> None:
    known = memory()
    for _ in range(3):
        value = known.decode(data)
        assert value == jsontext.decode(data)
        assert jsontext.encode(value) == jsontext.encode(jsontext.decode(data))
        known.decode(body())


@pytest.mark.parametrize("data", BROKEN, ids=lambda data: data[:60].decode(errors="replace"))
def test_what_is_wrong_is_said_in_the_same_words(data: bytes) -> None:
    known = memory()
    known.decode(body())
    with pytest.raises(jsontext.NotJson) as plain:
        jsontext.decode(data)
    for _ in range(2):
        with pytest.raises(jsontext.NotJson) as told:
            known.decode(data)
        assert str(told.value) == str(plain.value)


@settings(deadline=None, derandomize=True, max_examples=300, database=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [b'"tools"', b":", TOOLS, b"[", b"]", b"{", b"}", b",", b'"', b"\\", b" ", b"1", b'"a"', b"null"]
        ),
        max_size=12,
    )
)
def test_any_bytes_are_read_as_without_a_memory(pieces: list[bytes]) -> None:
    known = memory()
    known.decode(body())
    for data in (b"".join(pieces), b"{" + b"".join(pieces) + b"}", b'{"tools":%s,%s}' % (TOOLS, b"".join(pieces))):
        assert decoded(known.decode, data) == decoded(jsontext.decode, data)


def decoded(decode: Any, data: bytes) -> Any:
    try:
        return decode(data)
    except jsontext.NotJson as error:
        return str(error)


def test_a_memory_forgets_what_was_not_met_for_the_longest() -> None:
    known = memory(max_lists=2)
    for tools in (b"[1]", b"[2]", b"[1]", b"[3]"):
        known.decode(body(tools))
    assert len(known) == 2
    assert known.size_bytes == 6
    kept = known.decode(body(b"[1]"))["tools"]
    assert kept is known.decode(body(b"[1]"))["tools"]


def test_a_memory_is_bounded_in_bytes() -> None:
    known = memory(max_bytes=100)
    for number in range(50):
        known.decode(body(b'[%d,"%s"]' % (number, b"x" * 30)))
        assert known.size_bytes <= 100
    assert 0 < len(known) <= 3
    assert not is_known(known.decode(body(b'["%s"]' % (b"x" * 100))))


def test_a_large_body_is_read_as_it_is() -> None:
    known = memory()
    large = b'{"messages":"%s","tools":%s}' % (b"x" * MAX_BODY_BYTES, TOOLS)
    assert known.decode(large) == jsontext.decode(large)
    assert len(known) == 0
    known.decode(body())
    assert not is_known(known.decode(large))


def test_little_is_kept_with_a_list() -> None:
    known = Known([])
    known.keep("all", "x", ROOM_BYTES)
    known.keep("more", "x", 1)
    assert known.made("all") == "x"
    assert known.made("more") is None


# -- what dialects make of it


def outcome(data: bytes, aim: Aim, known: KnownLists | None, dialect: Dialect = CHAT) -> Any:
    """The request and what is rendered of it, or what is wrong with it."""
    try:
        request = parse_body(dialect, data, known=known)
        rendered = GEMINI.render_request(request, target(aim))
        again = CHAT.render_request(request, target(aim))
    except CallerError as error:
        return type(error), error.message, error.param
    return request, sent(rendered), sent(again)


def sent(rendered: Rendered) -> Any:
    return jsontext.encode(rendered.body), rendered.losses, dict(rendered.tool_names)


@settings(deadline=None, derandomize=True, max_examples=200, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_request_becomes_the_same_with_a_memory(data: st.DataObject) -> None:
    """At first sight, at later ones, and for a model that takes schemas in another form."""
    known = memory()
    asked = jsontext.encode(data.draw(chat_requests(AIMS[0])).body)
    for aim in (AIMS[0], AIMS[-1], AIMS[1], AIMS[0], AIMS[4]):
        assert outcome(asked, aim, known) == outcome(asked, aim, None)


LOSSY = (
    {"type": "function", "function": {"name": "bad name", "strict": True, "parameters": {"const": 1}}},
    {"type": "custom", "custom": {"name": "free", "format": {"type": "grammar", "grammar": {"definition": "a"}}}},
    {"type": "web_search"},
)


@pytest.mark.parametrize("aim", AIMS[:6], ids=lambda aim: f"{aim.model} at {aim.kind}")
@pytest.mark.parametrize(
    "more",
    [{}, {"functions": [{"name": "older"}]}, {"parallel_tool_calls": False}, {"tool_choice": "required"}],
    ids=lambda more: next(iter(more), "nothing"),
)
def test_losses_are_told_at_every_sight_with_their_paths(aim: Aim, more: Json) -> None:
    known = memory()
    for tools in (LOSSY[:1], LOSSY, LOSSY[:2], LOSSY[1:], LOSSY):
        asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": list(tools), **more}
        for _ in range(2):
            assert outcome(jsontext.encode(asked), aim, known) == outcome(jsontext.encode(asked), aim, None)


AGENT_BODIES = (
    (MESSAGES_API, agent_bodies.claude_code("m")),
    (MESSAGES_API, agent_bodies.claude_code_known("m")),
    (MESSAGES_API, agent_bodies.openclaw_messages("m")),
    (RESPONSES, agent_bodies.codex("m")),
    (RESPONSES, agent_bodies.codex_long("m")),
    (RESPONSES, agent_bodies.openclaw_responses("m")),
    (CHAT, agent_bodies.openclaw_chat("m")),
)


@pytest.mark.parametrize(("dialect", "asked"), AGENT_BODIES, ids=lambda one: getattr(one, "name", ""))
def test_an_agents_request_becomes_the_same_with_a_memory(dialect: Dialect, asked: Json) -> None:
    """Its tools are met in bodies of other dialects before, whose readers see something else in them."""
    known = memory()
    for other in (CHAT, RESPONSES, MESSAGES_API, dialect, dialect):
        for aim in (AIMS[0], AIMS[-1], AIMS[4]):
            for body_ in (asked, {**asked, "tool_choice": None}, {**asked, "parallel_tool_calls": False}):
                data = jsontext.encode(body_)
                assert outcome(data, aim, known, other) == outcome(data, aim, None, other)


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_recorded_request_becomes_the_same_with_a_memory(path: Path) -> None:
    known = memory()
    for exchange in exchanges(path):
        if not (isinstance(exchange.request, dict) and exchange.request.get("tools")):
            continue
        data = jsontext.encode({"model": "m", **exchange.request})
        for _ in range(2):
            assert outcome(data, AIMS[0], known, exchange.dialect) == outcome(data, AIMS[0], None, exchange.dialect)


CLAUDES = b'[{"name":"f","input_schema":{"type":"object"}}]'
FLAT = b'[{"type":"function","name":"f","parameters":{"type":"object"}}]'


@pytest.mark.parametrize(
    ("dialect", "tools"),
    [(CHAT, TOOLS), (MESSAGES_API, CLAUDES), (RESPONSES, FLAT)],
    ids=["chat", "messages", "responses"],
)
def test_what_was_made_is_used_again(dialect: Dialect, tools: bytes) -> None:
    known = memory()
    asked = body(tools) if dialect is not RESPONSES else b'{"model":"m","input":"hi","tools":%s}' % tools
    first, again = (parse_body(dialect, asked, known=known) for _ in range(2))
    assert isinstance(again.tools, KnownTools)
    assert again.tools is first.tools
    declared = [GEMINI.render_request(one, target(AIMS[0])).body["tools"][0] for one in (first, again)]
    assert declared[0]["functionDeclarations"] is declared[1]["functionDeclarations"]
