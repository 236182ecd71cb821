"""docs/providers.md says what the code says: its examples load, its tables are whole."""

import re
from pathlib import Path

import pytest

from portico.config.provider import KEYS
from portico.providers import KINDS
from portico.providers.presets import PRESETS
from providers.entries import ENVIRONMENT, configured, service_account

PAGE = (Path(__file__).parent.parent.parent / "docs" / "providers.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_configuration(tmp_path: Path, example: str) -> None:
    (tmp_path / "service-account.json").write_text(service_account())
    (tmp_path / "second-key.txt").write_text("sample")
    config = configured(tmp_path, example, {**ENVIRONMENT, "LAB_TOKEN": "sample"})
    assert config.providers


def rows(heading: str) -> list[list[str]]:
    """The cells of the table that begins so."""
    table = PAGE[PAGE.index(heading) :].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_the_table_of_presets_is_whole() -> None:
    told = {name.strip("`"): (address.strip("`"), key.strip("`")) for name, address, key in rows("| preset | address")}
    assert told == {name: (one.base_url, one.key_env or "none") for name, one in PRESETS.items()}


def test_every_kind_and_every_key_of_an_entry_is_explained() -> None:
    assert {row[0].strip("`") for row in rows("| kind | key by itself")} == set(KINDS)
    assert {row[0].strip("`") for row in rows("| key | for | means")} == KEYS
