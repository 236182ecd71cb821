"""Settings come into JSON as people write it, and nothing else of the file changes."""

import json
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from connect.trees import TABLES, TREES, merged
from portico.clients import Format
from portico.clients.merge import merge
from portico.clients.merge.spans import plain, read
from portico.clients.settings import same

SPACES = st.sampled_from(["", " ", "\n", "\n  ", "\t", "\r\n", ' /* {no: ["thing"} */ ', " // , }\n", "\ufeff"])


class Written(NamedTuple):
    text: str
    value: Any


@st.composite
def documents(draw: st.DrawFn) -> Written:
    """An object in one of the many ways in which people write it."""
    value = draw(TABLES)
    return Written(draw(SPACES) + _written(draw, value) + draw(SPACES), value)


def _written(draw: st.DrawFn, value: Any) -> str:
    def space() -> str:
        return draw(SPACES)

    if isinstance(value, dict):
        parts = [f"{space()}{_key(draw, key)}{space()}:{space()}{_written(draw, one)}" for key, one in value.items()]
        return "{" + ",".join(part + space() for part in parts) + _tail(draw, parts) + "}"
    if isinstance(value, list):
        parts = [f"{space()}{_written(draw, one)}" for one in value]
        return "[" + ",".join(part + space() for part in parts) + _tail(draw, parts) + "]"
    if isinstance(value, str) and draw(st.booleans()):
        return (
            "'"
            + json.dumps(value, ensure_ascii=draw(st.booleans()))[1:-1].replace("'", "\\'").replace('\\"', '"')
            + "'"
        )
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def _key(draw: st.DrawFn, key: str) -> str:
    return key if key.isidentifier() and draw(st.booleans()) else json.dumps(key, ensure_ascii=draw(st.booleans()))


def _tail(draw: st.DrawFn, parts: list[str]) -> str:
    return draw(st.sampled_from(["", ","])) + draw(SPACES) if parts else draw(SPACES)


@given(documents())
def test_what_people_write_is_read(document: Written) -> None:
    assert same(plain(read(document.text)), document.value)


@given(documents(), TREES)
def test_what_is_merged_is_the_deep_merge_of_the_values(document: Written, settings: dict[str, Any]) -> None:
    text = merge(Format.JSON, document.text, settings)
    assert same(plain(read(text)), merged(document.value, settings))


@given(documents(), TREES)
def test_twice_is_once(document: Written, settings: dict[str, Any]) -> None:
    once = merge(Format.JSON, document.text, settings)
    assert merge(Format.JSON, once, settings) == once


@given(TABLES, TREES, st.sampled_from([None, 2, 4, "\t"]))
def test_plain_json_stays_plain_json(value: dict[str, Any], settings: dict[str, Any], indent: Any) -> None:
    text = merge(Format.JSON, json.dumps(value, indent=indent), settings)
    assert same(json.loads(text), merged(value, settings))


@given(documents())
def test_what_says_the_same_changes_no_byte(document: Written) -> None:
    assert merge(Format.JSON, document.text, _as_settings(document.value)) == document.text


def _as_settings(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_settings(one) for key, one in value.items()}
    return tuple(_as_settings(one) for one in value) if isinstance(value, list) else value


@given(documents(), TREES)
def test_what_is_added_can_be_cut_out_again(document: Written, settings: dict[str, Any]) -> None:
    """Of settings that nobody had, only they are added: what was there stands in the new text, in its order."""
    fresh = {f"new-{key}": value for key, value in settings.items()}
    text = merge(Format.JSON, document.text, fresh)
    rest = iter(text)
    assert all(letter in rest for letter in document.text if not letter.isspace())
