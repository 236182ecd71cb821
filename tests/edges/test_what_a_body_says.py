"""What a body says of itself at its top: looked at without being read (`wire/raw.py`)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.wire import jsontext, raw

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=6), st.text(min_size=1), st.none() | st.booleans())
def test_it_is_what_the_whole_body_says(rest: dict[str, Any], model: str, stream: bool | None) -> None:
    value = {**rest, "model": model, "stream": stream}
    body = json.dumps(value).encode()
    said = raw.named(body)
    assert said is not None
    assert (said.model, said.stream) == (model, stream)
    assert raw.named(jsontext.BOM + body) == said


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b'{"stream":true}',
        b'{"model":7}',
        b'{"model":null}',
        b'{"model":"m","stream":"yes"}',
        b'{"model":"m","messages":[}',
        b'{"model":"m"} x',
        b"[" * 5000,
        b'{"model":"m","messages":' + b"[" * 300_000 + b"]" * 300_000 + b"}",  # newer Pythons go further than 5,000
    ],
)
def test_a_body_that_says_it_otherwise_is_left_to_who_reads_it(body: bytes) -> None:
    assert raw.named(body) is None


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'{"prompt_cache_key":"a","user":"b","safety_identifier":"c","metadata":{"user_id":"d"}}', "a"),
        (b'{"metadata":{"user_id":"d"},"safety_identifier":"c","user":"b"}', "b"),
        (b'{"safety_identifier":"c"}', "c"),
        (b'{"metadata":{"user_id":"d","more":[{}]}}', "d"),
        (b'\xef\xbb\xbf{"user":"b"}', "b"),
        (b'{"user":"\\u4f60"}', "\u4f60"),
        (b'{"prompt_cache_key":7,"user":"b"}', "b"),
        (b'{"prompt_cache_key":"","user":null,"safety_identifier":{"a":[]},"metadata":{"user_id":7}}', ""),
        (b'{"metadata":"d","user":["b"]}', ""),
        (b'{"messages":[{"user":"b"}]}', ""),
        (b'{"user":"\\ud800"}', ""),
        (b'{"user":"b"', ""),
        (b"[]", ""),
        (b"", ""),
        (b"\xff", ""),
        (b'{"metadata":' + b"[" * 5000 + b"]" * 5000 + b"}", ""),
        (b"--form\r\ncontent-disposition: form-data; name=user\r\n\r\nb\r\n--form--", ""),
    ],
)
def test_a_word_in_common_is_found_and_nothing_else_is_anybodys_fault(body: bytes, word: str) -> None:
    assert raw.word_in_common(body) == word


@pytest.mark.parametrize(
    ("body", "twice"),
    [
        (b'{"model":"a","stream":true}', False),
        (b'{"model":"a","model":"b"}', True),
        (b'{"model":"a","mod\\u0065l":"b"}', True),
        (b'{"stream":true,"model":"a","stream" : false}', True),
        (b'{"model":"a","tools":[{"model":"b","stream":1}],"x":"\\"model\\":"}', False),
        (b'{"model":"a","x":"mod\\u0065l"}', False),
        (b'\xef\xbb\xbf{"model":"a","x":{"model":"b"},"model":"c"}', True),
    ],
)
def test_a_body_that_says_twice_where_it_goes(body: bytes, twice: bool) -> None:
    assert raw.says_twice(body) is twice


def test_of_a_name_that_comes_twice_the_last_counts_as_for_who_reads_it() -> None:
    body = b'{"model":"a","model":"b"}'
    said = raw.named(body)
    assert said is not None
    assert said.model == jsontext.decode(body)["model"] == "b"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b" { } ",
        b'{"a":1.0}',
        b'{ "b" : {"store":1} }',
        b'{"st\\u006fre":1,"a":2}',
        b'{"store":1}',
        b'{"\\u005ftore":1}',
    ],
)
def test_what_is_not_there_is_added_and_the_rest_keeps_its_bytes(body: bytes) -> None:
    patched = raw.patch(body, {"store": False, "include": ["x"]})
    assert jsontext.decode(patched) == {**jsontext.decode(body), "store": False, "include": ["x"]}
    if b"re" not in body:
        assert body.strip()[1:].strip() in patched


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'"{}"', b"null"])
def test_what_is_no_object_is_not_patched(body: bytes) -> None:
    with pytest.raises(jsontext.NotJson):
        raw.patch(body, {"store": False})
