"""What is kept beside the entries agrees with them, or `verify` says what does not, and what is to be done about it."""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest

from ledger.calls import KEY, WORKER, checkpoint, hold, lines, release, settle
from ledger.conftest import Books
from portico.core.ids import timed_id
from portico.core.storage import Db
from portico.ledger import agree
from portico.ledger.differences import ADVICE
from portico.ledger.pay import refund_call
from portico.ledger.recover import recover
from portico.ledger.retention import Retention, sweep
from portico.ledger.verify import verify
from portico.ledger.windows import DAY_US, day_of
from portico.metering.receipt import CAPPED, Receipt, encode


def found(books: Books) -> list[str]:
    told = books.do(verify).differences
    assert all(one.what in ADVICE for one in told)
    return [str(one) for one in told]


def calls_of_every_kind(books: Books) -> None:
    """One that was charged, one that came to nothing, one recovered, two whose words came after that, an open one; and
    something of two of them was given back."""
    books.account("alice", 10_000)
    for name in ("r1", "r2", "r3", "r4", "r5", "r6"):
        books.do(hold(name, 300).apply)
    books.do(settle("r1", 100, input_tokens=7).apply)
    books.do(release("r2").apply)
    for name in ("r3", "r4"):
        books.do(checkpoint(name, 40).apply)
    books.do(lambda db: db.run("UPDATE holds SET worker_id = 'w2' WHERE request_id = 'r6'"))
    assert books.do(lambda db: recover(db, WORKER)) == 3
    books.do(settle("r4", 70, model="another").apply)
    books.do(settle("r5", 60, model="late").apply)
    for name in ("r1", "r4"):
        books.do(lambda db, name=name: refund_call(db, name, 30))  # type: ignore[misc]
    assert found(books) == []


DAMAGE = {
    "the text of a receipt says another charge": (
        """UPDATE receipts SET body = REPLACE(body, '"charge_nanos":100', '"charge_nanos":99') WHERE request_id = 'r1'""",
        ["receipt's body, charge_nanos of r1 of alice: 99 is booked, 100 expected"],
    ),
    "another cost": (
        """UPDATE receipts SET body = REPLACE(body, '"cost_nanos":100', '"cost_nanos":99') WHERE request_id = 'r1'""",
        ["receipt's body, cost_nanos of r1 of alice: 99 is booked, 100 expected"],
    ),
    "its lines come to another sum": (
        "UPDATE receipts SET body = REPLACE(body, 'amount_femtos\":100', 'amount_femtos\":101') WHERE request_id = 'r1'",
        ["receipt's body, lines of charge_nanos of r1 of alice: 100 is booked, 101 expected"],
    ),
    "its lines come to another cost": (
        """UPDATE receipts SET body = REPLACE(body, '"cost_femtos":100', '"cost_femtos":101') WHERE request_id = 'r1'""",
        ["receipt's body, lines of cost_nanos of r1 of alice: 100 is booked, 101 expected"],
    ),
    "it is another account's": (
        """UPDATE receipts SET body = REPLACE(body, '"account":"alice"', '"account":"bob"') WHERE request_id = 'r1'""",
        ["receipt's body, account of r1 of alice"],
    ),
    "it is another call's": (
        """UPDATE receipts SET body = REPLACE(body, '"request_id":"r1"', '"request_id":"r2"') WHERE request_id = 'r1'""",
        ["receipt's body, request_id of r1 of alice"],
    ),
    "it cannot be read": (
        "UPDATE receipts SET body = '{' WHERE request_id = 'r1'",
        ["receipt's body, text of r1 of alice"],
    ),
    "the word that came late cannot be read": (
        "UPDATE receipt_notes SET body = '{' WHERE request_id = 'r4' AND kind = 'adjust'",
        ["receipt's body, text of r4 of alice"],
    ),
    "it ended in another way": (
        "UPDATE receipts SET outcome = 'failed' WHERE request_id = 'r1'",
        ["receipt's body, outcome of r1 of alice"],
    ),
    "the model of a word that came late": (
        "UPDATE receipts SET model = 'm' WHERE request_id = 'r4'",
        [
            "usage, calls of {today}, another, key_1 of alice: 1 is booked, 0 expected",
            "usage, charge_nanos of {today}, another, key_1 of alice: 70 is booked, 0 expected",
            "usage, cost_nanos of {today}, another, key_1 of alice: 70 is booked, 0 expected",
            "usage, calls and released of {today}, m, key_1 of alice: 2 is booked, 3 expected",
            "usage, charge_nanos of {today}, m, key_1 of alice: 140 is booked, 210 expected",
            "receipt's body, model of r4 of alice",
        ],
    ),
    "a receipt that is gone": (
        "DELETE FROM receipts WHERE request_id = 'r2'",
        [
            "no receipt, r2 of alice",
            "usage, released of {today}, no model, key_1 of alice: 1 is booked, 0 expected",
        ],
    ),
    "a day that was charged more": (
        "UPDATE usage_days SET charge_nanos = charge_nanos + 5 WHERE model = 'm'",
        ["usage, charge_nanos of {today}, m, key_1 of alice: 145 is booked, 140 expected"],
    ),
    "a day that cost more": (
        "UPDATE usage_days SET cost_nanos = cost_nanos + 5 WHERE model = 'm'",
        ["usage, cost_nanos of {today}, m, key_1 of alice: 145 is booked, 140 expected"],
    ),
    "a day with a call more": (
        "UPDATE usage_days SET calls = calls + 1 WHERE model = 'm'",
        ["usage, calls of {today}, m, key_1 of alice: 3 is booked, 2 expected"],
    ),
    "a day on which another call came to nothing": (
        "UPDATE usage_days SET released = released + 1 WHERE model = ''",
        ["usage, released of {today}, no model, key_1 of alice: 2 is booked, 1 expected"],
    ),
    "what a word that came late was charged": (
        "UPDATE usage_days SET charge_nanos = charge_nanos + 5 WHERE model = 'late'",
        ["usage, charge_nanos of {today}, late, key_1 of alice: 65 is booked, 60 expected"],
    ),
    "a day that is gone": (
        "DELETE FROM usage_days WHERE model = 'm'",
        [
            "usage, calls of {today}, m, key_1 of alice: 0 is booked, 2 expected",
            "usage, charge_nanos of {today}, m, key_1 of alice: 0 is booked, 140 expected",
            "usage, cost_nanos of {today}, m, key_1 of alice: 0 is booked, 140 expected",
        ],
    ),
    "a day nobody called": (
        "INSERT INTO usage_days (account_id, day, model, key_id, calls) VALUES ('bob', '2031-01-01', 'm', 'k', 1)",
        ["usage, calls of 2031-01-01, m, k of bob: 1 is booked, 0 expected"],
    ),
    "a day that is none": (
        "INSERT INTO usage_days (account_id, day, model, key_id, calls) VALUES ('bob', '2031-02-30', 'm', 'k', 1)",
        ["usage, a day that is none: '2031-02-30' of bob"],
    ),
}


@pytest.mark.parametrize(("damage", "expected"), DAMAGE.values(), ids=DAMAGE)
def test_damage_beside_the_entries_is_told(books: Books, damage: str, expected: list[str]) -> None:
    calls_of_every_kind(books)
    assert books.do(lambda db: db.run(damage)) == 1
    today = day_of(books.db.now_us).isoformat()
    assert found(books) == [one.format(today=today) for one in expected]


def test_a_receipt_that_is_of_another_time_is_told(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(settle("r1", 100, at_us=books.db.now_us).apply)
    assert found(books) == []
    books.do(lambda db: db.run("UPDATE receipts SET at_us = at_us + 1"))
    assert found(books) == ["receipt's body, at_us of r1 of alice"]


@pytest.mark.parametrize(
    ("charge", "told"), [(100, []), (110, ["receipt's body, lines of charge_nanos of r1 of alice: "])]
)
def test_what_was_capped_may_be_less_than_its_lines_and_never_more(books: Books, charge: int, told: list[str]) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    text = encode(
        Receipt(
            request_id="r1",
            account="alice",
            key_id="key_1",
            model="m",
            outcome="ok",
            lines=lines(105),
            charge_nanos=charge,
            cost_nanos=105,
            flags=(CAPPED,),
        )
    )
    books.do(settle("r1", charge, receipt=text).apply)
    books.do(lambda db: db.run("UPDATE receipts SET cost_nanos = 105"))
    books.do(lambda db: db.run("UPDATE usage_days SET cost_nanos = 105"))
    assert [one.partition(" is")[0] for one in found(books)] == [f"{one}110" for one in told]


def test_a_call_that_was_recovered_has_the_time_of_its_hold_and_says_when_it_began(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(checkpoint("r1", 100, at_us=books.db.now_us - 1000).apply)
    books.do(lambda db: recover(db, WORKER))
    assert found(books) == []


@pytest.mark.parametrize(("markup", "ok"), [(0, True), (2000, True), (1000, False)])
def test_a_line_may_have_a_markup_of_its_own(books: Books, markup: int, ok: bool) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    line = msgspec.structs.replace(lines(50)[0], markup_permille=markup)
    said: dict[str, Any] = {"account": "alice", "key_id": KEY, "model": "m", "outcome": "ok"}
    charged: dict[str, Any] = {"charge_nanos": 100, "cost_nanos": 50, "lines": (line,), "markup_permille": 2000}
    books.do(settle("r1", 100, receipt=encode(Receipt(request_id="r1", **said, **charged))).apply)
    for table in ("receipts", "usage_days"):
        books.do(lambda db, table=table: db.run(f"UPDATE {table} SET cost_nanos = 50"))  # type: ignore[misc] # noqa: S608
    assert (found(books) == []) is ok


# -- what is old goes --------------------------------------------------------------------------------------------------


def kept_for(books: Books, days: int, *, since_us: int) -> None:
    """Two calls of each of two accounts on each of so many days, by ids as a gateway makes them."""
    for account in ("alice", "bob"):
        books.account(account, 10**6)
    rng = Random(5)

    def called(db: Db) -> None:
        for number in range(days * 4):
            at_us = since_us + number * DAY_US // 4
            request, account = timed_id("req_", rng, at_us / 1_000_000), "alice" if number % 4 < 2 else "bob"
            of: dict[str, Any] = {"account": account, "at_us": at_us}
            db.now_us = at_us  # type: ignore[misc]
            hold(request, 300, account=account).apply(db)
            (settle(request, 100, **of) if number % 2 else release(request, **of)).apply(db)

    books.do(called)


def swept(books: Books, retention: Retention) -> Iterator[int]:
    """Piece by piece."""
    while removed := books.do(lambda db: sweep(db, retention)):
        yield removed


@pytest.mark.parametrize(
    "retention",
    [
        Retention(),
        Retention(receipts_days=7),
        Retention(usage_days=7),
        Retention(receipts_days=7, usage_days=12),
        Retention(receipts_days=12, usage_days=7),
        Retention(receipts_days=1, usage_days=1),
    ],
)
def test_what_was_swept_is_missed_by_nobody_and_the_rest_is_compared(
    books: Books, retention: Retention, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portico.ledger.retention.PIECE", 3)
    kept_for(books, 20, since_us=books.do(lambda db: db.now_us) - 20 * DAY_US)
    assert found(books) == []
    for _ in swept(books, retention):
        assert found(books) == []
    yesterday = day_of(books.do(lambda db: db.now_us) - DAY_US).isoformat()
    more = "UPDATE usage_days SET calls = calls + 1 WHERE day = ? AND model = 'm' AND account_id = 'bob'"
    books.do(lambda db: db.run(more, yesterday))
    is_seen = min(retention.receipts_days, retention.usage_days) > 1
    assert len(found(books)) == is_seen
    books.do(lambda db: db.run("DELETE FROM receipts WHERE request_id = (SELECT MAX(request_id) FROM receipts)"))
    assert any(one.startswith("no receipt") for one in found(books)) == is_seen


def test_books_of_many_receipts_are_read_a_page_at_a_time(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agree, "PAGE", 3)
    kept_for(books, 10, since_us=books.do(lambda db: db.now_us) - 10 * DAY_US)
    longest = 0

    class Counting:
        """The database, whose answers are measured."""

        def rows(self, sql: str, *values: Any) -> list[Any]:
            nonlocal longest
            rows = books.db.rows(sql, *values)
            longest = max(longest, len(rows))
            return rows

    assert list(agree.receipts(Counting())) == []  # type: ignore[arg-type]
    assert longest == 3
