"""The list of loss codes and the code that declares them say the same."""

import re
from pathlib import Path

import pytest

from laws.loss_table import ALLOWED, HELD_TO_ITS_MODEL
from portico.core.loss import CODES

SOURCE = Path(__file__).parents[2] / "src" / "portico"
DECLARED = {
    code
    for path in SOURCE.rglob("*.py")
    if path.name != "loss.py"
    for code in re.findall(r'"(\d[\d.]*:[a-z_]+)"', path.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_list_is_declared_somewhere(code: str) -> None:
    assert code in DECLARED


@pytest.mark.parametrize("code", sorted(DECLARED))
def test_every_declared_code_is_in_the_list(code: str) -> None:
    assert code in CODES


def test_the_laws_allow_only_codes_of_the_list() -> None:
    assert set().union(HELD_TO_ITS_MODEL, *ALLOWED.values()) <= set(CODES)
