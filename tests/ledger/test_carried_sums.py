"""What a batch carries and writes at its end is what each write would have written for itself."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.calls import hold, release, settle
from ledger.conftest import Books, sqlite_books
from portico.core.storage import Write
from portico.ledger import Extend, Limits
from portico.store.batch import Batch, Item
from portico.store.engine import Fault

NOW_US = 1_790_000_000_000_000
ACCOUNTS = ("alice", "bob")
TABLES = ("accounts", "entries", "holds", "counters", "usage_days", "receipts", "idempotency")

limits = st.builds(
    Limits,
    rpm=st.none() | st.integers(0, 4),
    tpm=st.none() | st.integers(0, 60),
    concurrent=st.none() | st.integers(0, 3),
    budget_day_nanos=st.none() | st.integers(0, 300),
    budget_month_nanos=st.none() | st.integers(0, 300),
)
places = st.sampled_from(ACCOUNTS).map(lambda account: {"account": account, "key_id": f"key_{account}"})


@st.composite
def writes(draw: st.DrawFn) -> Write[Any]:
    place, amount = draw(places), draw(st.integers(0, 120))
    request = f"req_{place['account']}_{draw(st.integers(0, 5))}"
    match draw(st.sampled_from(["hold", "hold", "settle", "release", "extend"])):
        case "hold":
            return hold(
                request,
                amount,
                **place,
                tokens=draw(st.integers(0, 30)),
                prepaid=draw(st.booleans()),
                limits=draw(limits),
                refusable=draw(st.booleans()),
                idempotency_key=draw(st.sampled_from(["", "", "k"])),
            )
        case "settle":
            return settle(
                request, amount, **place, at_us=NOW_US, input_tokens=draw(st.integers(0, 30)), output_tokens=5
            )
        case "release":
            return release(request, **place, at_us=NOW_US)
    return Extend(request, place["account"], place["key_id"], amount)


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
    [
        hold("req_alice_0", 1, account="alice", key_id="key_alice"),
        settle("req_alice_1", 0, account="alice", key_id="key_alice", at_us=NOW_US),  # never held: all before is written
        release("req_alice_0", account="alice", key_id="key_alice", at_us=NOW_US),
    ]
]


@settings(max_examples=100, deadline=None)
@example(ENDED_AFTER_A_LATE_END)
@given(st.lists(st.lists(writes(), min_size=1, max_size=8), min_size=1, max_size=4))
def test_a_batch_is_its_writes_one_after_the_other(batches: list[list[Write[Any]]]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        sqlite_books(Path(folder) / "one.db") as one,
        sqlite_books(Path(folder) / "other.db") as other,
    ):
        for books in (one, other):
            books.account("alice", 400)
            books.account("bob", 90)
        for number, group in enumerate(batches):
            items = [Item(write, None, 0.0) for write in group]
            with one.transaction():
                one.db.now_us = NOW_US + number
                batch = Batch(items, "w", number)
                if not batch._apply(session := _Session(one), batch.items):  # they cannot be made together
                    session.rollback()
                    session.begin()
                    batch._apply_each(session, batch.items)
                    assert [item.error for item in batch.items] == [None] * len(batch.items)
            told = [item.result for item in batch.items]
            with other.transaction() as db:
                other.db.now_us = NOW_US + number
                assert [item.write.apply(db) for item in batch.items] == told
        assert changed(one) == changed(other)


def changed(books: Books) -> dict[str, list[Any]]:
    """Every row of the books, but for when accounts were made."""
    with books.transaction() as db:
        rows = {table: sorted(db.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES[1:]}  # noqa: S608
        rows["accounts"] = db.rows("SELECT id, posted_nanos, held_nanos FROM accounts ORDER BY id")
    top_ups = [row for row in rows["entries"] if "top_up" in row]
    rows["entries"] = [row for row in rows["entries"] if row not in top_ups]
    return rows
