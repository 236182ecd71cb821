"""Values are counted before they are read: a picture is one, and nothing in a string is any."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.core.errors import RequestTooLarge
from portico.dialects import openai_chat
from portico.relay.prepare import MAX_VALUES, parse_body
from portico.wire.jsonsize import holds_at_most

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a,[{"\\é\n:]}'), max_size=12),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(st.sampled_from('a,[{"\\'), max_size=6), inner),
    max_leaves=40,
)


def count(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count, inner))


@given(VALUES, st.integers(1, 60), st.booleans(), st.sampled_from([None, 1]))
def test_too_many_values_are_never_taken_for_few_nor_half_as_many_for_too_many(
    value: Any, limit: int, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    if count(value) > limit:
        assert not holds_at_most(text, limit)
    if 2 * count(value) <= limit:
        assert holds_at_most(text, limit)


@pytest.mark.parametrize(
    "text",
    [
        "QUJD" * 10_000,
        "1,2,3," * 10_000,
        json.dumps([{"a": [1, 2]}] * 10_000),
        '\\",[{' * 10_000,
        "\\" * 9_999,
        '"' * 10_000,
    ],
    ids=["a picture", "a table", "JSON", "escapes", "backslashes", "quotes"],
)
def test_what_stands_in_a_string_is_one_value(text: str) -> None:
    assert holds_at_most(json.dumps({"content": text, "more": [text, text]}).encode(), 20)


@pytest.mark.parametrize("piece", ["[]", "{}", "1", '""', '"\\\\"', '"a,b"', '{"a":[1]}'])
def test_more_values_than_are_read_are_refused_before_they_are(piece: str) -> None:
    body = '{"model": "m", "x": [' + ",".join([piece] * (MAX_VALUES + 1)) + "]}"
    with pytest.raises(RequestTooLarge):
        parse_body(openai_chat.DIALECT, body.encode())
