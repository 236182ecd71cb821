"""A budget is what was spent and what is held, whenever it was set, and a refusal says how much that is."""

import threading
from datetime import UTC, datetime
from functools import partial

import pytest

from ledger.calls import KEY, hold, release, settle
from ledger.conftest import Books
from portico.core.storage import Db
from portico.ledger import Extend, Held, Limits, Refused, windows
from portico.ledger.hold import Use

BUDGETS = [("budget_day", Limits(budget_day_nanos=100)), ("budget_month", Limits(budget_month_nanos=100))]
each_budget = pytest.mark.parametrize(("kind", "limits"), BUDGETS)


def refused(books: Books, request: str, amount: int, limits: Limits) -> Refused:
    decision = books.do(hold(request, amount, limits=limits).apply)
    assert isinstance(decision, Refused)
    return decision


@pytest.mark.parametrize(
    ("kind", "at", "left_s"),
    [
        ("requests", "2026-12-31T23:59:59.5", 0.5),
        ("budget_day", "2026-02-28T23:00:00", 3600),
        ("budget_month", "2026-11-30T00:00:00", 86_400),
        ("budget_month", "2026-12-01T00:00:00", 31 * 86_400),
        ("budget_month", "2028-02-01T00:00:00", 29 * 86_400),
    ],
)
def test_a_window_ends_where_the_next_one_begins(kind: str, at: str, left_s: float) -> None:
    at_us = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() * 1_000_000)
    assert windows.seconds_left(kind, at_us) == left_s
    end_us = at_us + int(left_s * 1_000_000)
    assert windows.window_of(kind, end_us) == windows.window_of(kind, end_us - 1) + 1


@each_budget
@pytest.mark.parametrize("amount", [50, 101])
def test_complaint_13_a_refusal_says_what_is_used_and_no_more(
    books: Books, kind: str, limits: Limits, amount: int
) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 60, limits=limits).apply)
    told = refused(books, "r2", amount, limits)
    assert (told.reason, told.limit, told.used) == (kind, 100, 60)


@each_budget
def test_complaint_13_what_is_given_back_can_be_used_at_once(books: Books, kind: str, limits: Limits) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 100, limits=limits).apply)
    assert refused(books, "r2", 1, limits).reason == kind
    books.do(release("r1").apply)
    decision = books.do(hold("r3", 100, limits=limits).apply)
    assert isinstance(decision, Held)
    assert decision.uses == (Use(kind, 100, 100),)


@each_budget
def test_complaint_14_a_budget_counts_the_calls_that_were_open_when_it_was_set(
    books: Books, kind: str, limits: Limits
) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 60).apply)
    books.do(hold("other", 60, key_id="key_2").apply)
    assert refused(books, "r2", 50, limits).used == 60
    books.do(Extend("r1", "alice", KEY, 30).apply)
    assert refused(books, "r3", 20, limits).used == 90
    books.do(settle("r1", 70).apply)
    assert refused(books, "r4", 40, limits).used == 70
    assert isinstance(books.do(hold("r5", 30, limits=limits).apply), Held)


@each_budget
def test_complaint_14_a_budget_that_is_set_again_counts_what_was_spent_between(
    books: Books, kind: str, limits: Limits
) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 10, limits=limits).apply)
    books.do(lambda db: windows.begin_budgets_anew(db, KEY))
    books.do(hold("r2", 50).apply)
    books.do(settle("r2", 50).apply)
    books.do(hold("r3", 25).apply)
    books.do(lambda db: windows.begin_budgets_anew(db, KEY))
    assert refused(books, "r4", 16, limits).used == 85
    for request in ("r1", "r3"):
        books.do(release(request).apply)
    assert refused(books, "r5", 51, limits).used == 50


RACES = [
    (Limits(rpm=7), 7),
    (Limits(tpm=75), 7),
    (Limits(concurrent=7), 7),
    (Limits(budget_day_nanos=79), 7),
    (Limits(budget_month_nanos=79), 7),
    (Limits(rpm=20, tpm=200, concurrent=11, budget_day_nanos=79, budget_month_nanos=90), 7),
]


@pytest.mark.parametrize(("limits", "fit"), RACES)
def test_complaint_14_workers_that_race_do_not_leak_past_a_limit(books: Books, limits: Limits, fit: int) -> None:
    books.account("alice", 10_000)
    at = books.do(lambda db: db.now_us)
    decisions: list[object] = []

    def ask(worker: Books, number: int) -> None:
        def held(db: Db, request: str) -> object:
            worker.db.now_us = at  # all of them in one minute, whenever that ends meanwhile
            return hold(request, 10, tokens=10, limits=limits).apply(db)

        decisions.extend([worker.do(partial(held, request=f"r{number}-{n}")) for n in range(10)])

    threads = [threading.Thread(target=ask, args=(books.another(), number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions) == 40
    assert sum(isinstance(one, Held) for one in decisions) == fit
