"""What rests is kept: by both databases, for every worker, over a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.conftest import Books, postgres_books, sqlite_books
from portico.routing import FOREVER, Rest, rows

GROUP = ("gemini", "project:a")


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    with sqlite_books(tmp_path / "books.db") if request.param == "sqlite" else postgres_books() as made:
        yield made


def test_a_longer_rest_stands_whoever_says_so_last(kept: Books) -> None:
    now = 1_900_000_000.0
    for until, counts in ((now, True), (now + 60, True), (now + 5, False), (FOREVER, True), (now + 90, False)):
        assert kept.do(rows.KeepRest(GROUP, Rest(until, "why", "m")).apply) is counts
    assert kept.do(rows.load) == {(*GROUP, "m"): Rest(FOREVER, "why", "m")}


def test_a_rest_is_told_to_the_other_workers_by_a_revision(kept: Books) -> None:
    number = "SELECT number FROM revisions WHERE name = 'rests'"
    assert kept.do(lambda db: db.rows(number)) == []
    kept.do(rows.KeepRest(GROUP, Rest(1.9e9, "why", "m")).apply)
    assert kept.do(lambda db: db.rows(number)) == [(1,)]
    kept.do(lambda db: rows.clear(db, "gemini"))
    assert kept.do(lambda db: db.rows(number)) == [(2,)]


def test_what_is_cleared_is_that_and_no_more(kept: Books) -> None:
    for provider, group, model in (("a", "g", "m"), ("a", "g", ""), ("a", "h", "m"), ("b", "g", "m")):
        kept.do(rows.KeepRest((provider, group), Rest(1.9e9, "why", model)).apply)
    assert kept.do(lambda db: rows.clear(db, "a", "g", "m")) == 1
    assert sorted(kept.do(rows.load)) == [("a", "g", ""), ("a", "h", "m"), ("b", "g", "m")]
    assert kept.do(lambda db: rows.clear(db, "a", "g")) == 1
    assert kept.do(lambda db: rows.clear(db, "a")) == 1
    assert sorted(kept.do(rows.load)) == [("b", "g", "m")]


def test_what_is_over_is_removed_and_what_waits_for_a_person_is_not(kept: Books) -> None:
    kept.do(rows.KeepRest(GROUP, Rest(1.0, "why", "m")).apply)
    kept.do(rows.KeepRest(GROUP, Rest(FOREVER, "why")).apply)
    kept.do(rows.sweep)
    assert list(kept.do(rows.load)) == [(*GROUP, "")]
