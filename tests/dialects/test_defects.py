"""mapping.md 8: every peer has a case for everything it is said to do wrong; the cases are in `test_defects_*.py`.

A case is a row of a table, `case("LiteLLM", "what it does", …)`, or a test of its own whose docstring begins `LiteLLM: `.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from dialects.defects import PEERS
from rows.sheet import ROOT, SHEET

FILES = sorted((ROOT / "tests").glob("*/test_defects_*.py"))
SECTION = re.compile(r"^## 8\. .*?(?=^## )", re.MULTILINE | re.DOTALL)
NAMES = {"Vercel AI SDK google": "Vercel", "Envoy AI gateway": "Envoy", "Google's own compat": "Google"}


def cases() -> Iterator[tuple[str, str]]:
    """(peer, defect) of every case."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="case"), args=[ast.Constant(str(peer)), ast.Constant(str(defect)), *_]):
                    yield peer, defect
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    peer, colon, defect = (ast.get_docstring(node) or "").partition(": ")
                    if colon and peer in PEERS:
                        yield peer, defect


def test_no_case_is_told_twice() -> None:
    doubled = [one for one, times in Counter(cases()).items() if times > 1]
    assert not doubled


def test_every_peer_has_a_case_for_each_of_its_defects() -> None:
    if not SHEET.is_file():
        pytest.skip(f"the specification is not at {SHEET}; PORTICO_SPEC names its folder")
    section = SECTION.search(SHEET.read_text(encoding="utf-8"))
    assert section is not None
    rows = [line.strip("| ").split(" | ", 1) for line in section[0].splitlines() if line.startswith("| ")][1:]
    said = {re.sub(r" [\d(].*", "", peer): defects.split(";") for peer, defects in rows}
    listed = {NAMES.get(peer, peer): len(defects) for peer, defects in said.items()}
    assert list(listed) == list(PEERS)
    made = Counter(peer for peer, _ in cases())
    missing = {peer: (made[peer], number) for peer, number in listed.items() if made[peer] < number}
    assert not missing, f"fewer cases than defects: {missing}"
