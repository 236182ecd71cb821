"""What is kept for a time only goes when that is over, and not before."""

import pytest

from ledger.calls import hold, settle
from ledger.conftest import Books
from portico.ledger import Limits, Outcome, windows
from portico.ledger.paid import GUESS, guess, hour_of
from portico.ledger.retention import Retention, sweep

HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("age_hours", "left"),
    [(23, {"answered", "in flight"}), (25, {"in flight"}), (47, {"in flight"}), (49, set())],
)
def test_an_idempotency_key_is_kept_a_day_and_that_of_a_call_in_flight_another(
    books: Books, age_hours: int, left: set[str]
) -> None:
    books.account("alice", 1000)
    for request, key in (("r1", "answered"), ("r2", "in flight")):
        books.do(hold(request, 10, idempotency_key=key, fingerprint="f").apply)
    books.do(settle("r1", 5, idempotency=Outcome("answered", 200, "[]", b"said")).apply)
    books.do(lambda db: db.run("UPDATE idempotency SET at_us = at_us - ?", age_hours * HOUR_US))
    books.do(lambda db: sweep(db, Retention()))
    assert {key for (key,) in books.do(lambda db: db.rows("SELECT key FROM idempotency"))} == left


def test_windows_that_still_count_are_kept(books: Books) -> None:
    books.account("alice", 1000)
    limits = Limits(rpm=5, tpm=500, concurrent=5, budget_day_nanos=500, budget_month_nanos=500)
    books.do(hold("r1", 300, limits=limits, tokens=20).apply)
    books.do(lambda db: guess(db, "alice"))
    counted = books.do(lambda db: db.rows("SELECT kind, used FROM counters ORDER BY kind"))
    assert {kind for kind, _ in counted} >= {*windows.BUDGETS, windows.TOKENS, GUESS}
    assert books.do(lambda db: sweep(db, Retention())) == 0
    assert books.do(lambda db: db.rows("SELECT kind, used FROM counters ORDER BY kind")) == counted


@pytest.mark.parametrize(
    ("kind", "kept"),
    [(windows.REQUESTS, 5), (windows.TOKENS, 24 * 60), (windows.BUDGET_DAY, 3), (windows.BUDGET_MONTH, 3), (GUESS, 24)],
)
def test_windows_that_are_over_are_kept_for_those_who_come_late(books: Books, kind: str, kept: int) -> None:
    """A settlement corrects the window in which its call was held."""
    now_us = books.do(lambda db: db.now_us)
    now = hour_of(now_us) if kind == GUESS else windows.window_of(kind, now_us)
    for age in (0, kept - 1, kept + 2):
        row = f"INSERT INTO counters (subject, kind, \"window\", used) VALUES ('k', ?, {now - age}, 1)"  # noqa: S608
        books.do(lambda db, row=row: db.run(row, kind))  # type: ignore[misc]
    assert books.do(lambda db: sweep(db, Retention())) == 1
    left = books.do(lambda db: db.rows('SELECT "window" FROM counters ORDER BY "window"'))
    assert left == [(now - kept + 1,), (now,)]
