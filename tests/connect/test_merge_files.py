"""Examples of files that people have, and of those that cannot be changed."""

import json

import pytest

from portico.clients import Default, Format, Owned
from portico.clients.merge import Unmergeable, merge
from portico.clients.merge.envfile import read_env
from portico.clients.settings import Begins

COMMENTED = """// my settings
{
    // the agents
    agents: {defaults: {"workspace": "~/w", }, }, // yes
    'theme': "dark" /* really */
    // the end
}
"""


def test_comments_and_loose_keys_stay() -> None:
    text = merge(Format.JSON, COMMENTED, {"agents": {"defaults": {"model": "m"}}, "new": {"a": 1}})
    for kept in ("// my settings", "// the agents", "// yes", "'theme': \"dark\"", "/* really */", "// the end"):
        assert kept in text
    assert text.endswith('    // the end\n    "new": {"a": 1}\n}\n')


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_end_as_they_do(newline: str) -> None:
    text = merge(Format.JSON, newline.join(["{", '\t"a": 1', "}", ""]), {"b": {"c": {"d": True}}})
    assert text == newline.join(["{", '\t"a": 1,', '\t"b": {', '\t\t"c": {"d": true}', "\t}", "}", ""])


def test_a_value_that_is_there_is_exchanged_in_its_place() -> None:
    text = merge(Format.JSON, '{"env": {"A": "1", "B": "2"}, "x": 1}', {"env": {"A": "3"}})
    assert text == '{"env": {"A": "3", "B": "2"}, "x": 1}'


def test_of_two_members_of_one_name_the_last_counts() -> None:
    assert json.loads(merge(Format.JSON, '{"a": 1, "a": 2}', {"a": 3})) == {"a": 3}


def test_a_file_of_comments_alone_keeps_them() -> None:
    assert merge(Format.JSON, "// nothing yet\n", {"a": 1}) == '// nothing yet\n{\n  "a": 1\n}\n'
    assert merge(Format.YAML, "# nothing yet\n", {"a": 1}) == "# nothing yet\na: 1\n"
    assert merge(Format.TOML, "# nothing yet\n", {"a": 1}) == "# nothing yet\na = 1\n"
    assert merge(Format.ENV, "# nothing yet", {"A": "1"}) == "# nothing yet\nA=1\n"


def test_defaults_are_written_only_where_nothing_is() -> None:
    for format_, held in ((Format.JSON, '{"v": "mine"}'), (Format.YAML, "v: mine\n"), (Format.TOML, 'v = "mine"\n')):
        assert merge(format_, held, {"v": Default("ours")}) == held
        assert "ours" in merge(format_, "", {"v": Default("ours")})


@pytest.mark.parametrize(
    ("format_", "text", "line"),
    [
        (Format.JSON, '{\n  "a": 1\n  "b": 2\n}', 3),
        (Format.JSON, '{"a": "x\n"}', 1),
        (Format.JSON, '{"a": 1', 1),
        (Format.JSON, "{\n/* never\n", 2),
        (Format.JSON, "[1]", 1),
        (Format.JSON, "[" * 300, 1),
        (Format.TOML, 'a = 1\nb = "x', 2),
        (Format.TOML, "a = 1\na = 2\n", 2),
        (Format.YAML, "a: 1\n b: 2\n", 2),
        (Format.YAML, "- 1\n", 1),
        (Format.YAML, "a: 1\n---\na: 2\n", 2),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(format_: Format, text: str, line: int | None) -> None:
    with pytest.raises(Unmergeable) as caught:
        merge(format_, text, {"x": 1})
    assert caught.value.line == line
    assert caught.value.why


def test_anchors_that_others_use_are_not_written_over() -> None:
    held = "base: &base\n  model: a\nmine:\n  <<: *base\n"
    text = merge(Format.YAML, held, {"other": "b"})
    assert text == held + "other: b\n"
    shared = "base: &base {model: a}\nmine: *base\n"
    with pytest.raises(Unmergeable):
        merge(Format.YAML, shared, {"mine": {"model": "b"}})


def test_yaml_lists_keep_how_they_are_set() -> None:
    held = "models:\n- name: A  # mine\n  roles: [chat,  edit]\n\n- name: ours/old\nrules:\n    - x\n"
    text = merge(
        Format.YAML,
        held,
        {"models": Owned(key="name", ours=Begins("name", "ours/"), items=({"name": "ours/new", "roles": ("chat",)},))},
    )
    assert text == (
        "models:\n- name: A  # mine\n  roles: [chat,  edit]\n\n- name: ours/new\n  roles: [chat]\nrules:\n    - x\n"
    )


def test_a_comment_above_an_item_stays_where_the_one_before_it_goes() -> None:
    held = """{
  "models": [
    // of ours, by now old
    {"id": "ours/old"}, // goes
    // why I have this one
    {"id": "mine"}, // and this
    {"id": "ours/older"}
  ]
}
"""
    text = merge(Format.JSON, held, {"models": Owned(key="id", ours=Begins("id", "ours/"), items=())})
    assert (
        text
        == """{
  "models": [
    // of ours, by now old
    // why I have this one
    {"id": "mine"} // and this
  ]
}
"""
    )


def test_variables_are_set_line_by_line() -> None:
    held = "# keys\nexport OTHER='a b' # yes\nKEY=old # ours\nLONG=\"one\nKEY=inside\n\"\n"
    text = merge(Format.ENV, held, {"KEY": "new", "MORE": "a b"})
    assert text == held.replace("KEY=old", "KEY=new") + "MORE='a b'\n"
    assert read_env(text)["KEY"] == "new"
    assert merge(Format.ENV, text, {"KEY": "new", "MORE": "a b"}) == text


@pytest.mark.parametrize("value", ["a\nb", "'\"", "it's $x"])
def test_a_value_that_readers_take_differently_is_refused(value: str) -> None:
    with pytest.raises(Unmergeable):
        merge(Format.ENV, "", {"KEY": value})
