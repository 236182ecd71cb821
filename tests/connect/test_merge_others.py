"""Settings come into TOML, YAML and lists of variables; comments and whatever is somebody's own stay."""

import io
import tomllib
from typing import Any

import tomlkit
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connect.trees import TABLES, TREES_IN_YAML, WITHOUT_LISTS, WITHOUT_NULLS, refused_where_misplaced
from portico.clients import Format
from portico.clients.merge import Unmergeable, merge
from portico.clients.settings import same


@st.composite
def toml_documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    value = draw(WITHOUT_NULLS)
    remarks = draw(st.lists(st.just("# a remark\n"), max_size=2))
    return "".join(remarks) + tomlkit.dumps(value), value


@given(toml_documents(), WITHOUT_LISTS)
def test_toml_is_merged_as_the_values_are(document: tuple[str, dict[str, Any]], settings: dict[str, Any]) -> None:
    text, value = document
    with refused_where_misplaced(value, settings) as meant:
        once = merge(Format.TOML, text, settings)
        assert same(tomllib.loads(once), meant)
        assert merge(Format.TOML, once, settings) == once


@st.composite
def yaml_documents(draw: st.DrawFn) -> tuple[str, Any]:
    value = draw(TABLES)
    out = io.StringIO()
    yaml.safe_dump(
        value,
        out,
        default_flow_style=draw(st.sampled_from([True, False, None])),
        indent=draw(st.sampled_from([2, 4])),
        allow_unicode=draw(st.booleans()),
        width=draw(st.sampled_from([40, 1000])),
        sort_keys=False,
    )
    before = draw(st.sampled_from(["", "# a remark\n", "---\n", "\n"]))
    text = out.getvalue().replace(": null\n", draw(st.sampled_from([": null\n", ":\n", ": # nothing\n"])))
    return before + text + draw(st.sampled_from(["", "# the end\n", "\n"])), value


@given(yaml_documents(), TREES_IN_YAML)
def test_yaml_is_merged_as_the_values_are_or_left_alone(document: tuple[str, Any], settings: dict[str, Any]) -> None:
    text, value = document
    with refused_where_misplaced(value, settings) as meant:
        try:
            once = merge(Format.YAML, text, settings)
        except Unmergeable:
            if meant is None:
                raise
            return
        assert same(yaml.safe_load(once), meant)
        assert merge(Format.YAML, once, settings) == once
