"""What callers got is kept: by both databases, of all workers together, and apart from what the simulator answered."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ledger.conftest import Books, postgres_books, sqlite_books
from portico.routing.traffic import KEPT_S, SLOT_S, Counts, Key, TryKey, slot_of
from portico.routing.traffic_rows import AddTraffic, since, sweep, tries_since
from portico.store.sqlite import SqliteDb


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Books]:
    with sqlite_books(tmp_path / "books.db") if request.param == "sqlite" else postgres_books() as made:
        yield made


def add(books: Books, counted: dict[Key, Counts], *, simulated: bool = False) -> None:
    books.do(AddTraffic(counted, simulated).apply)


def test_what_workers_counted_is_added_up(kept: Books) -> None:
    add(kept, {(7, "a"): Counts(3, 1, {100: 1, 630: 1}), (7, "b"): Counts(1, 1)})
    add(kept, {(7, "a"): Counts(2, 0, {80: 1, 630: 1}), (8, "a"): Counts(1, 0, {10: 1})})
    assert kept.do(since(0, simulated=False)) == {
        "a": {7: Counts(5, 1, {80: 1, 100: 1, 630: 2}), 8: Counts(1, 0, {10: 1})},
        "b": {7: Counts(1, 1)},
    }
    assert kept.do(since(8, simulated=False)) == {"a": {8: Counts(1, 0, {10: 1})}}


def test_what_the_simulator_answered_is_no_providers(kept: Books) -> None:
    add(kept, {(7, "a"): Counts(3, 3)}, simulated=True)
    assert kept.do(since(0, simulated=False)) == {}
    add(kept, {(7, "a"): Counts(1, 0, {10: 1})})
    assert kept.do(since(0, simulated=False)) == {"a": {7: Counts(1, 0, {10: 1})}}
    assert kept.do(since(0, simulated=True)) == {"a": {7: Counts(3, 3)}}


def test_nothing_is_lost_among_workers_who_write_at_once(kept: Books) -> None:
    """Each in transactions of its own, with its rows in whatever order they were counted in."""
    one: dict[Key, Counts] = {(7, "a"): Counts(1, 0, {10: 1}), (7, "b"): Counts(1, 1)}
    other: dict[Key, Counts] = dict(reversed(one.items()))
    # SQLite's writers take turns, and each of its connections belongs to one thread.
    workers = [kept] if isinstance(kept.db, SqliteDb) else [kept.another() for _ in range(4)]

    def work(number: int) -> None:
        for _ in range(25):
            add(workers[number], other if number % 2 else one)

    if len(workers) == 1:
        work(0)
    else:
        with ThreadPoolExecutor(len(workers)) as threads:
            list(threads.map(work, range(len(workers))))
    calls = 25 * len(workers)
    assert kept.do(since(0, simulated=False)) == {
        "a": {7: Counts(calls, 0, {10: calls})},
        "b": {7: Counts(calls, calls)},
    }


def test_more_cannot_have_failed_than_were_called(kept: Books) -> None:
    with pytest.raises(Exception, match=r"CHECK|check"):
        add(kept, {(7, "a"): Counts(1, 2)})


def test_rows_are_written_in_their_order_whoever_counted_in_which() -> None:
    write = AddTraffic({(8, "a"): Counts(), (7, "b"): Counts(), (7, "a"): Counts()}, simulated=False)
    assert write.keys == ["traffic:7:a", "traffic:7:b", "traffic:8:a"]


def test_what_is_older_than_a_day_and_an_hour_is_removed(kept: Books) -> None:
    now = slot_of(kept.do(lambda db: db.now_us) / 1e6)
    old, young = now - KEPT_S // SLOT_S - 2, now - KEPT_S // SLOT_S
    add(kept, {(old, "a"): Counts(1, 1), (young, "a"): Counts(1, 1), (now, "a"): Counts(1, 1)})
    assert kept.do(sweep) == 1
    assert sorted(kept.do(since(0, simulated=False))["a"]) == [young, now]


def test_attempts_are_kept_by_provider_and_beside_the_calls(kept: Books) -> None:
    tries: dict[TryKey, Counts] = {
        (7, ("a", "one")): Counts(2, 2),
        (7, ("a", "two")): Counts(2, 0, {100: 2}),
        (8, ("b", "one")): Counts(1, 0, {10: 1}),
    }
    for _ in range(2):
        kept.do(AddTraffic({(7, "a"): Counts(2, 0, {160: 2})}, simulated=False, tries=tries).apply)
    assert kept.do(since(0, simulated=False)) == {"a": {7: Counts(4, 0, {160: 4})}}
    assert kept.do(tries_since(0, simulated=False)) == {
        ("a", "one"): {7: Counts(4, 4)},
        ("a", "two"): {7: Counts(4, 0, {100: 4})},
        ("b", "one"): {8: Counts(2, 0, {10: 2})},
    }
    assert kept.do(tries_since(8, simulated=False)) == {("b", "one"): {8: Counts(2, 0, {10: 2})}}
    assert kept.do(tries_since(0, simulated=True)) == {}
    assert kept.do(sweep) == 4, "one row of calls and three of attempts are older than a day"
    assert kept.do(tries_since(0, simulated=False)) == {}


def test_more_attempts_cannot_have_failed_than_were_made(kept: Books) -> None:
    with pytest.raises(Exception, match=r"CHECK|check"):
        kept.do(AddTraffic({}, simulated=False, tries={(7, ("a", "one")): Counts(1, 2)}).apply)


def test_attempts_are_written_in_their_order_behind_the_calls() -> None:
    tries: dict[TryKey, Counts] = {(8, ("a", "x")): Counts(), (7, ("b", "y")): Counts(), (7, ("b", "x")): Counts()}
    write = AddTraffic({(9, "a"): Counts()}, simulated=False, tries=tries)
    assert write.keys == ["traffic:9:a", "tries:7:b:x", "tries:7:b:y", "tries:8:a:x"]
