"""The ledger of the specification: every row has an entry, every entry a row, and every test it names exists."""

import pytest

from rows.ledger import ENTRIES, TABLE, BadEntry, Entry, existing_tests, read_entries, table
from rows.sheet import SHEET, Row, rows

SAMPLE = """\
# Sheet
## 1. First
- outside of every list → a bullet
### 1.2 Tables, with words
Before the table:

| Case | Rule |
|---|---|
| role `user` | said |
| empty string, user | `""` |
| – | dash | more |
| role user | twice |

A paragraph. It is one row here.
### 1.3 Words only
One sentence. → Another one here.
## 5. Others
### 5.1 Not asked for
| a | b |
|---|---|
| c | d |
### 5.5 Asked for
Yes.
"""


def entries() -> list[Entry]:
    return read_entries(ENTRIES.read_text(encoding="utf-8"))


@pytest.fixture
def sheet() -> list[Row]:
    if not SHEET.is_file():
        pytest.skip(f"the specification is not at {SHEET}; PORTICO_SPEC names its folder")
    return rows(SHEET.read_text(encoding="utf-8"))


def test_a_sheet_is_cut_into_rows() -> None:
    assert [row.key for row in rows(SAMPLE)] == [
        "1:outside-of-every-list-a",
        "1.2:role-user",
        "1.2:empty-string-user",
        "1.2:dash",
        "1.2:role-user-2",
        "1.2:a-paragraph-it-is-one",
        "1.3:one-sentence",
        "1.3:another-one-here",
        "5.5:yes",
    ]


@pytest.mark.parametrize(
    "text", ["'a:b' = 5", "'a:b'.tests = 'x'", "'a:b'.tests = []", "'a:b'.why = 'x'", "'a:b' = {fact = 'x', not = 'y'}"]
)
def test_an_entry_that_says_nothing_is_none(text: str) -> None:
    with pytest.raises(BadEntry):
        read_entries(text)


def test_every_row_has_an_entry_and_every_entry_a_row(sheet: list[Row]) -> None:
    known = {entry.key for entry in entries()}
    missing = [f"line {row.line}: {row.key}: {row.text[:100]}" for row in sheet if row.key not in known]
    assert not missing, "rows without an entry:\n" + "\n".join(missing)
    strangers = sorted(known - {row.key for row in sheet})
    assert not strangers, f"entries without a row: {strangers}"


def test_entries_stand_in_the_order_of_the_sheet(sheet: list[Row]) -> None:
    assert [entry.key for entry in entries()] == [row.key for row in sheet]


def test_every_test_that_an_entry_names_exists() -> None:
    existing = existing_tests()
    gone = [f"{entry.key}: {name}" for entry in entries() for name in entry.tests if name not in existing]
    assert not gone, "tests that do not exist:\n" + "\n".join(gone)


def test_the_page_is_what_the_ledger_says() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(entries()), "run `make rows`"


def test_no_row_is_in_the_making() -> None:
    pending = [f"{entry.key}: {entry.pending}" for entry in entries() if entry.kind == "pending"]
    assert not pending, "rows in the making:\n" + "\n".join(pending)
