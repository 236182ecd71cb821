"""Settings come into JSON as people write it, and nothing else of the file changes."""

import json
import re
from typing import Any, NamedTuple

from hypothesis import example, given
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


class Entries(NamedTuple):
    """Entries, each with what is told of it above or beside it. NAME: the place of a name."""

    text: str
    ours: list[bool]
    in_line_of_others: list[bool]
    """Whether one of another's stands before it in its line, of which is told, too, what stands behind both."""


@st.composite
def entries(draw: st.DrawFn) -> Entries:
    ours = draw(st.lists(st.booleans(), min_size=1, max_size=5))
    fresh = [draw(st.booleans()) for _ in ours] + [True]
    shared: list[bool] = []
    text = ""
    for number, mine in enumerate(ours):
        on_new_line = fresh[number]
        comma_first = bool(number) and on_new_line and draw(st.booleans())
        above = [f"// above {number}\n  "] if on_new_line else []
        told = draw(st.sampled_from(["", f"/* above {number} */ ", *above]))
        comma = "," if number and not comma_first else ""
        beside = draw(st.sampled_from(["", f" // beside {number - 1}"])) if number and on_new_line else ""
        text += f"{comma}{beside}" + ("\n  " if on_new_line else " ")
        text += f"{told}, " if comma_first else told
        text += "NAME" + json.dumps({"id": f"entry {number}", **(MARKED if mine else {})})
        shared.append(not on_new_line and bool(number) and (shared[-1] or not ours[number - 1]))
    text += draw(st.sampled_from(["", ","])) + draw(st.sampled_from(["", f" // beside {len(ours) - 1}"])) + "\n"
    return Entries(text, ours, shared)


def ours_in(told: Entries, *, as_list: bool) -> tuple[str, Setting]:
    """A file with the entries, and the setting by which none of them is ours any longer."""
    if as_list:
        return '{"all": [' + told.text.replace("NAME", "") + "]}", Owned(key="id", ours=is_ours, items=())
    text = '{"all": {' + re.sub(r'NAME(.*?"entry (\d))', r'"\2": \1', told.text) + "}}"
    return text, Members(members={}, ours=lambda held: {name for name, one in held.items() if is_ours(one)})


BEFORE_A_COMMA = Entries(
    'NAME{"id": "entry 0", "by": "portico"}\n  // above 1\n  , NAME{"id": "entry 1"}', [True, False], [False, False]
)
BEHIND_BOTH = Entries(
    ' NAME{"id": "entry 0"}, NAME{"id": "entry 1", "by": "portico"}, // beside 1\n', [False, True], [False, True]
)


@given(entries(), st.booleans())
@example(BEFORE_A_COMMA, True)
@example(BEHIND_BOTH, True)
def test_what_is_told_of_entries_of_others_stays_with_them(told: Entries, as_list: bool) -> None:
    text, setting = ours_in(told, as_list=as_list)
    others = [str(number) for number, mine in enumerate(told.ours) if not mine]

    def said(text: str) -> list[str]:
        return [f"{word} {number}" for word, number in re.findall(r"(\w+) (\d)\b", text) if number in others]

    after = merge(Format.JSON, text, {"all": setting})
    assert said(after) == said(text)
    for number, mine in enumerate(told.ours):
        if mine:
            assert f"entry {number}" not in after
            assert (f"beside {number}" in after) == (told.in_line_of_others[number] and f"beside {number}" in text)
