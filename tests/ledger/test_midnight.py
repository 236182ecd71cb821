"""A call belongs to the day on which it began, whenever it is extended, settled, recovered or told of."""

from datetime import date, timedelta
from typing import Any

from ledger.calls import KEY, WORKER, hold, release, settle
from ledger.conftest import Books
from portico.core.storage import Write
from portico.ledger import Extend, Limits, windows
from portico.ledger.recover import recover
from portico.metering.receipt import RECOVERED

LIMITS = Limits(budget_day_nanos=100)


class Night:
    """The last second of a day, and the first of the next one."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.midnight_us = books.do(lambda db: db.now_us) // windows.DAY_US * windows.DAY_US
        self.evening_us = self.midnight_us - 1_000_000

    def evening(self, write: Write[Any]) -> None:
        self._at(self.evening_us, write)

    def midnight(self, write: Write[Any]) -> None:
        self._at(self.midnight_us, write)

    def morning(self, write: Write[Any]) -> None:
        self._at(self.midnight_us + 1_000_000, write)

    def _at(self, at_us: int, write: Write[Any]) -> None:
        with self.books.transaction() as db:
            self.books.db.now_us = at_us
            write.apply(db)

    def spent(self) -> list[int]:
        """What is counted of the budgets of both days."""
        sql = "SELECT used FROM counters WHERE kind = 'budget_day' ORDER BY \"window\""
        return [used for (used,) in self.books.do(lambda db: db.rows(sql))]


def test_a_call_over_midnight_counts_in_the_budget_of_its_day(books: Books) -> None:
    books.account("alice", 1000)
    night = Night(books)
    night.evening(hold("r1", 60, limits=LIMITS))
    night.morning(hold("r2", 30, limits=LIMITS))
    night.morning(Extend("r1", "alice", KEY, 30))
    assert night.spent() == [90, 30]
    night.morning(settle("r1", 70, at_us=night.evening_us))
    assert night.spent() == [70, 30]
    night.morning(settle("never held", 5, at_us=night.evening_us))
    assert night.spent() == [75, 30]


def test_a_budget_that_is_set_later_counts_what_has_been_held_since_midnight(books: Books) -> None:
    books.account("alice", 1000)
    night = Night(books)
    night.evening(hold("r1", 60))
    night.midnight(hold("r2", 7))
    with books.transaction() as db:
        books.db.now_us = night.midnight_us
        assert windows.so_far(db, "alice", [KEY], "budget_day") == {KEY: 7}
        assert windows.so_far(db, "alice", [], "budget_day") == {}
    night.morning(hold("r3", 30, limits=LIMITS))
    assert night.spent() == [37]


def test_a_receipt_and_the_days_usage_are_of_the_moment_the_call_began(books: Books) -> None:
    books.account("alice", 1000)
    night = Night(books)
    night.evening(hold("r1", 60))
    night.morning(settle("r1", 70, at_us=night.evening_us))
    (day,) = books.do(lambda db: db.rows("SELECT day FROM usage_days"))[0]
    assert date.fromisoformat(day) + timedelta(1) == windows.day_of(night.midnight_us)
    assert books.do(lambda db: db.rows("SELECT at_us FROM receipts")) == [(night.evening_us,)]


def test_what_is_told_after_a_recovery_counts_on_the_day_of_the_call(books: Books) -> None:
    books.account("alice", 1000)
    night = Night(books)
    night.evening(hold("r1", 60, limits=LIMITS))
    with books.transaction() as db:
        books.db.now_us = night.midnight_us
        recover(db, WORKER)
    night.morning(hold("r2", 30, limits=LIMITS))
    assert night.spent() == [0, 30]
    night.morning(settle("r1", 50, at_us=night.evening_us))
    assert night.spent() == [50, 30]


def test_who_recovers_a_call_that_was_recovered_corrects_nothing(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 60).apply)
    for _ in range(2):
        books.do(release("r1", note=RECOVERED).apply)
    kinds = books.do(lambda db: db.rows("SELECT kind FROM entries WHERE request_id = 'r1' ORDER BY id"))
    assert kinds == [("hold",), ("release",)]
