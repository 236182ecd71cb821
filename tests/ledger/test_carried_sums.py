"""What a batch carries and writes at its end is what each write would have written for itself."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.calls import KEY, LIMITS, WORKER, Together, checkpoint, hold, release, settle
from ledger.conftest import Books, sqlite_books
from portico.core.storage import Db, Write
from portico.ledger import Admit, Extend, Held, Limits, Outcome, Refused, windows
from portico.ledger.pay import top_up
from portico.ledger.recover import recover
from portico.ledger.rows import Apart
from portico.ledger.verify import verify
from portico.store.batch import Batch, Item
from portico.store.engine import Fault, Session

NOW_US = 1_790_000_000_000_000
ACCOUNTS = ("alice", "bob")
WORKERS = ("worker_1", "worker_2")
TABLES = ("accounts", "entries", "holds", "counters", "usage_days", "receipts", "receipt_notes", "idempotency")

limits = st.builds(
    Limits,
    rpm=st.none() | st.integers(0, 4),
    tpm=st.none() | st.integers(0, 60),
    concurrent=st.none() | st.integers(0, 3),
    budget_day_nanos=st.none() | st.integers(0, 300),
    budget_month_nanos=st.none() | st.integers(0, 300),
)
places = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from("112")).map(
    lambda place: {"account": place[0], "key_id": f"key_{place[0]}{place[1]}"}
)
ends = st.sampled_from([None, None, None, Outcome("k"), Outcome("k", 200, "[]", b"said")])


class Broken(msgspec.Struct, frozen=True):
    """A write that is made half, and raises."""

    account: str

    @property
    def keys(self) -> Sequence[str]:
        return (f"account:{self.account}",)

    def apply(self, db: Db) -> None:
        db.run("UPDATE accounts SET held_nanos = held_nanos + 1 WHERE id = ?", self.account)
        raise KeyError(self.account)


@st.composite
def writes(draw: st.DrawFn) -> Write[Any]:
    place, amount = draw(places), draw(st.integers(0, 120))
    request = f"req_{place['key_id']}_{draw(st.integers(0, 2))}"  # all that is written of a call is one key's
    began: dict[str, Any] = {
        "at_us": draw(st.sampled_from([0, NOW_US, NOW_US - windows.DAY_US])),
        "idempotency": draw(ends),
    }
    match draw(
        st.sampled_from(["hold", "hold", "hold", "settle", "settle", "release", "extend", "checkpoint", "admit"])
    ):
        case "hold":
            return hold(
                request,
                amount,
                **place,
                worker_id=draw(st.sampled_from(WORKERS)),
                tokens=draw(st.integers(0, 30)),
                prepaid=draw(st.booleans()),
                limits=draw(limits),
                refusable=draw(st.booleans()),
                idempotency_key=draw(st.sampled_from(["", "", "k"])),
                fingerprint=draw(st.sampled_from("ff1")),
            )
        case "settle":
            return settle(request, amount, **place, **began, input_tokens=draw(st.integers(0, 30)), output_tokens=5)
        case "release":
            return release(request, **place, **began)
        case "checkpoint":
            return checkpoint(request, amount, **place)
        case "admit":
            rpm = draw(st.none() | st.integers(1, 4))
            return Admit(place["account"], place["key_id"], rpm, draw(st.booleans()), draw(st.booleans()))
    return Extend(request, place["account"], place["key_id"], amount, draw(st.booleans()))


class Between(msgspec.Struct, frozen=True):
    """What others do between two batches, each in a transaction of its own, and how much later the next batch is."""

    recovered: str | None = None
    """A worker."""
    paid_in: int = 0
    closed: bool | None = None
    limited_anew: str | None = None
    """A key."""
    later_us: int = 1

    def apply(self, db: Db) -> None:
        if self.closed is not None:
            db.run("UPDATE accounts SET closed_us = ? WHERE id = 'bob'", 1 if self.closed else None)
        if self.paid_in:
            top_up(db, "alice", self.paid_in)
        if self.limited_anew is not None:
            windows.begin_budgets_anew(db, self.limited_anew)
        if self.recovered is not None:
            recover(db, self.recovered, 3)


betweens = st.builds(
    Between,
    recovered=st.sampled_from([None, None, *WORKERS]),
    paid_in=st.sampled_from([0, 0, 100]),
    closed=st.sampled_from([None, None, True, False]),
    limited_anew=st.sampled_from([None, None, "key_alice1"]),
    later_us=st.sampled_from([1, 1, windows.MINUTE_US, windows.DAY_US, 31 * windows.DAY_US]),
)
some_writes = st.integers(1, 8).flatmap(lambda count: st.lists(writes(), min_size=count, max_size=count))
batches = st.one_of(
    some_writes, some_writes, some_writes, st.builds(lambda some: [*some, Broken("alice")], some_writes)
)
plans = st.integers(1, 5).flatmap(lambda count: st.lists(st.tuples(batches, betweens), min_size=count, max_size=count))


class _Session:
    """A transaction that is begun and ended by the test, and whose time stands still."""

    def __init__(self, books: Books) -> None:
        self.db = books.db

    def begin(self) -> None:
        self.db.run("BEGIN IMMEDIATE")

    def begin_reading(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None:
        self.db.run("ROLLBACK")

    def fault(self, error: Exception) -> Fault:  # noqa: ARG002
        return Fault.OWN

    def interrupt(self) -> None: ...
    def close(self) -> None: ...


ENDED_AFTER_A_LATE_END = [
    (
        [
            hold("req_alice_0", 1, account="alice", key_id="key_alice1"),
            settle("req_alice_1", 0, account="alice", key_id="key_alice1", at_us=NOW_US),  # never held: all is written
            release("req_alice_0", account="alice", key_id="key_alice1", at_us=NOW_US),
        ],
        Between(),
    )
]


@settings(max_examples=100, deadline=None)
@example(ENDED_AFTER_A_LATE_END)
@given(plans)
def test_a_batch_is_its_writes_one_after_the_other(plan: list[tuple[list[Write[Any]], Between]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        sqlite_books(Path(folder) / "one.db") as one,
        sqlite_books(Path(folder) / "other.db") as other,
    ):
        for books in (one, other):
            books.account("alice", 400)
            books.account("bob", 90)
        now_us = NOW_US
        for number, (group, between) in enumerate(plan):
            results = [
                made(books, Batch([Item(write, None, 0.0) for write in group], "w", number), now_us, how)
                for books, how in ((one, together), (other, Batch._apply_each))
            ]
            assert results[0] == results[1]
            now_us += between.later_us
            for books in (one, other):
                with books.transaction() as db:
                    books.db.now_us = now_us
                    between.apply(db)
            assert changed(one) == changed(other)
            add_up(one)


def together(batch: Batch, session: Session, items: list[Item]) -> None:
    """As a committer makes a batch."""
    if not batch._apply(session, items):
        session.rollback()
        session.begin()
        batch._apply_each(session, items)


def made(books: Books, batch: Batch, now_us: int, how: Callable[[Batch, Session, list[Item]], None]) -> list[object]:
    """A batch in a transaction, made as `how` does: what became of each write."""
    with books.transaction():
        books.db.now_us = now_us
        how(batch, _Session(books), batch.items)
    return [repr(item.error) if item.error is not None else item.result for item in batch.items]


def add_up(books: Books) -> None:
    """What the books say adds up, and what was used in all days is what was charged."""
    with books.transaction() as db:
        verdict = verify(db)
        used = db.rows("SELECT account_id, SUM(charge_nanos) FROM usage_days GROUP BY account_id ORDER BY account_id")
        charged = "SELECT account_id, -SUM(posted_nanos) FROM entries WHERE kind IN ('settle', 'release', 'adjust')"
        assert used == db.rows(f"{charged} GROUP BY account_id ORDER BY account_id")
    assert verdict.ok, [str(one) for one in verdict.differences]


def carried(books: Books, *writes: Write[Any]) -> list[Any]:
    """What becomes of each write of a batch."""
    return books.do(Together(writes).apply)


def test_a_checkpoint_that_waited_with_its_hold_is_found_by_a_recovery(books: Books) -> None:
    books.account("alice", 400)
    carried(books, hold("r1", 100), checkpoint("r1", 30), hold("r2", 50))
    assert books.do(lambda db: recover(db, WORKER)) == 2
    assert books.do(lambda db: db.rows("SELECT posted_nanos, held_nanos FROM accounts")) == [(370, 0)]


@pytest.mark.parametrize(("limits", "which"), LIMITS)
def test_a_limit_refuses_the_third_of_two_in_one_batch_and_knows_of_the_end_of_one(
    books: Books, limits: Limits, which: str
) -> None:
    books.account("alice", 400)
    asked = [hold(f"r{number}", 10, limits=limits, tokens=10) for number in range(4)]
    *decisions, last = carried(books, *asked[:3], settle("r0", 0), asked[3])
    assert [type(one) for one in decisions] == [Held, Held, Refused, NoneType]
    assert decisions[2].reason == which
    assert isinstance(last, Refused if which == "rpm" else Held)


@pytest.mark.parametrize(("limits", "which"), LIMITS)
def test_a_limit_knows_of_a_call_that_ended_in_its_batch_before(books: Books, limits: Limits, which: str) -> None:
    books.account("alice", 400)
    asked = [hold(f"r{number}", 10, limits=limits, tokens=10) for number in range(4)]
    for one in asked[:2]:
        books.do(one.apply)
    _, first, second = carried(books, settle("r0", 0), *asked[2:])
    assert isinstance(first, Refused if which == "rpm" else Held)
    assert isinstance(second, Refused)
    counted = {"rpm": 2, "concurrent": 0}.get(which, 20)
    assert books.do(lambda db: db.rows("SELECT used FROM counters")) == [(counted,)]


def test_a_budget_that_begins_in_a_batch_counts_what_the_batch_held_and_spent_before(books: Books) -> None:
    books.account("alice", 400)
    books.do(hold("r0", 90).apply)
    asked = hold("r2", 41, limits=Limits(budget_day_nanos=100))
    *_, decision = carried(books, settle("r0", 40), hold("r1", 20), asked)
    assert isinstance(decision, Refused)
    assert decision.used == 60


def test_a_budget_that_begins_in_a_batch_counts_a_call_whose_end_is_still_to_come(books: Books) -> None:
    books.account("alice", 400)
    for request in ("r0", "r1"):
        books.do(hold(request, 60).apply)
    asked = hold("r2", 41, limits=Limits(budget_day_nanos=100))
    batch = (settle("r0", 0), asked, settle("r1", 0))
    with pytest.raises(Apart):
        carried(books, *batch)
    _, decision, _ = [books.do(write.apply) for write in batch]
    assert isinstance(decision, Refused)
    assert decision.used == 60


@pytest.mark.parametrize("amount", [100, 400])
def test_a_hold_that_is_twice_in_a_batch_is_held_once(books: Books, amount: int) -> None:
    books.account("alice", 400)
    asked = hold("r1", amount)
    assert [type(one) for one in carried(books, asked, asked)] == [Held, Held]
    assert books.do(lambda db: db.rows("SELECT held_nanos FROM accounts")) == [(amount,)]
    assert len(books.do(lambda db: db.rows("SELECT request_id FROM holds"))) == 1


def test_a_hold_may_be_extended_in_the_batch_that_made_it(books: Books) -> None:
    books.account("alice", 400)
    limits = Limits(budget_day_nanos=400)
    decisions = carried(books, hold("r1", 100, limits=limits), Extend("r1", "alice", KEY, 50), settle("r1", 120))
    assert decisions[1:] == [True, None]
    assert books.do(lambda db: db.rows("SELECT posted_nanos, held_nanos FROM accounts")) == [(280, 0)]
    assert books.do(lambda db: db.rows("SELECT used FROM counters")) == [(120,)]


@pytest.mark.parametrize(
    ("most", "ended", "fits"),
    [(1, 0, False), (1, 1, False), (1, 2, True), (2, 0, False), (2, 1, True), (3, 0, True)],
)
def test_a_call_is_open_until_its_end_has_its_turn_in_the_batch(
    books: Books, most: int, ended: int, fits: bool
) -> None:
    """The holds of all ends are taken with the first of them, those of other keys too."""
    books.account("alice", 400)
    for request in ("r1", "r2"):
        books.do(hold(request, 10).apply)
    books.do(hold("other", 10, key_id="key_2").apply)
    asked = hold("r3", 10, limits=Limits(concurrent=most))
    ends: list[Write[Any]] = [settle("r1", 5), release("r2")]
    begun, after = hold("r4", 10, key_id="key_0"), release("other", key_id="key_2")
    decision = carried(books, begun, *ends[:ended], asked, *ends[ended:], after)[1 + ended]
    assert isinstance(decision, Held) == fits


def test_a_call_that_ends_after_the_open_ones_were_counted_makes_room(books: Books) -> None:
    books.account("alice", 400)
    two = Limits(concurrent=2)
    books.do(hold("r1", 10).apply)
    *decisions, _ = carried(
        books,
        hold("r2", 10, limits=two),
        hold("r3", 10, limits=two),
        settle("r1", 5),
        hold("r4", 10, limits=two),
        release("r2"),
    )
    assert [type(one) for one in decisions] == [Held, Refused, NoneType, Held]


def changed(books: Books) -> dict[str, list[Any]]:
    """Every row of the books, but for when accounts were made."""
    with books.transaction() as db:
        rows = {table: sorted(db.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES[1:]}  # noqa: S608
        rows["accounts"] = db.rows("SELECT id, posted_nanos, held_nanos FROM accounts ORDER BY id")
    rows["entries"] = [row for row in rows["entries"] if row[2] != "top_up"]
    return rows
