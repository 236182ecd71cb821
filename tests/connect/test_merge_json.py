"""Settings come into JSON as people write it, and nothing else of the file changes."""

import json
import re
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from connect.trees import MARKED, TABLES, TREES, is_ours, refused_where_misplaced
from portico.clients import Format, Members, Owned, Setting
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
    with refused_where_misplaced(document.value, settings) as meant:
        text = merge(Format.JSON, document.text, settings)
        assert same(plain(read(text)), meant)
        assert merge(Format.JSON, text, settings) == text


@given(TABLES, TREES, st.sampled_from([None, 2, 4, "\t"]))
def test_plain_json_stays_plain_json(value: dict[str, Any], settings: dict[str, Any], indent: Any) -> None:
    with refused_where_misplaced(value, settings) as meant:
        text = merge(Format.JSON, json.dumps(value, indent=indent), settings)
        assert same(json.loads(text), meant)


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


@st.composite
def told_of(draw: st.DrawFn) -> tuple[str, list[bool]]:
    """Entries, each with what is told of it above or beside it, and which of them are ours. NAME: the place of a name."""
    ours = draw(st.lists(st.booleans(), min_size=1, max_size=5))
    opened, between = draw(st.sampled_from(["\n  ", " "])), draw(st.sampled_from(["\n  ", " "]))
    text = ""
    for number, mine in enumerate(ours):
        space = between if number else opened
        on_own_line = [f"// above {number}\n  "] if space.startswith("\n") else []
        above = draw(st.sampled_from(["", f"/* above {number} */ ", *on_own_line]))
        comma = "," if number + 1 < len(ours) else draw(st.sampled_from(["", ","]))
        beside = draw(st.sampled_from(["", f" // beside {number}"])) if between.startswith("\n") else ""
        entry = json.dumps({"id": f"entry {number}", **(MARKED if mine else {})})
        text += f"{space}{above}NAME{entry}{comma}{beside}"
    return text + "\n", ours


@given(told_of(), st.booleans())
def test_what_is_told_of_entries_of_others_stays_with_them(told: tuple[str, list[bool]], as_list: bool) -> None:
    entries, ours = told
    if as_list:
        text = '{"all": [' + entries.replace("NAME", "") + "]}"
        setting: Setting = Owned(key="id", ours=is_ours, items=())
    else:
        text = '{"all": {' + re.sub(r'NAME(.*?"entry (\d))', r'"\2": \1', entries) + "}}"
        setting = Members(members={}, ours=lambda held: {name for name, one in held.items() if is_ours(one)})
    others = [str(number) for number, mine in enumerate(ours) if not mine]

    def said(text: str) -> list[str]:
        return [f"{word} {number}" for word, number in re.findall(r"(\w+) (\d)\b", text) if number in others]

    after = merge(Format.JSON, text, {"all": setting})
    assert said(after) == said(text)
    for number in set("01234"[: len(ours)]) - set(others):
        assert f"entry {number}" not in after
        assert f"beside {number}" not in after
