"""What a call was charged is given back: never more of it, however often, in whatever order, and by whoever at once."""

import concurrent.futures
from typing import Any

import msgspec
import pytest

from ledger.calls import hold, release, settle
from ledger.conftest import Books
from portico.core.errors import Conflict, InvalidRequest, NotFound
from portico.ledger import pay
from portico.ledger.verify import verify
from portico.metering.receipt import RECOVERED


def charged(books: Books, request: str = "r1", charge: int = 60) -> None:
    books.do(hold(request, 100).apply)
    books.do(settle(request, charge).apply)


def refund(books: Books, amount: int | None = None, request: str = "r1", note: str = "") -> tuple[str, int]:
    return books.do(lambda db: pay.refund_call(db, request, amount, note))


def posted(books: Books, account: str = "alice") -> int:
    return int(books.db.rows("SELECT posted_nanos FROM accounts WHERE id = ?", account)[0][0])


def adds_up(books: Books) -> bool:
    return books.do(lambda db: verify(db)).ok


def test_all_of_a_charge_is_given_back_once(books: Books) -> None:
    books.account("alice", 1000)
    charged(books)
    assert refund(books, note="it broke off") == ("alice", 60)
    assert posted(books) == 1000
    with pytest.raises(Conflict, match="already"):
        refund(books)
    assert posted(books) == 1000
    notes = books.db.rows("SELECT request_id, kind, body FROM receipt_notes")
    assert [(request, kind, msgspec.json.decode(body)) for request, kind, body in notes] == [
        ("r1", "refund", {"refunded_nanos": 60, "note": "it broke off"})
    ]
    entry = books.db.rows(
        "SELECT account_id, posted_nanos, held_nanos, request_id, note FROM entries WHERE kind = 'refund'"
    )
    assert entry == [("alice", 60, 0, "r1", "r1: it broke off")]
    assert adds_up(books)


def test_a_charge_is_given_back_in_parts_and_no_further(books: Books) -> None:
    books.account("alice", 1000)
    charged(books)
    charged(books, "r2", 7)
    assert refund(books, 25) == ("alice", 25)
    with pytest.raises(pay.MoreThanCharged) as told:
        refund(books, 36)
    assert told.value.left_nanos == 35
    assert refund(books) == ("alice", 35)
    assert posted(books) == 993, "the other call's charge stays"
    assert adds_up(books)


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_that_is_none_is_refused(books: Books, amount: int) -> None:
    books.account("alice", 1000)
    charged(books)
    with pytest.raises(InvalidRequest):
        refund(books, amount)
    assert posted(books) == 940


def test_what_was_not_charged_or_is_not_over_is_not_given_back(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("open", 10).apply)
    books.do(hold("free", 10).apply)
    books.do(release("free").apply)
    with pytest.raises(Conflict, match="not charged"):
        refund(books, request="free")
    for request in ("open", "never"):
        with pytest.raises(NotFound):
            refund(books, request=request)
    assert posted(books) == 1000
    assert adds_up(books)


def test_what_a_late_word_changed_of_a_charge_counts(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 100).apply)
    books.do(release("r1", note=RECOVERED).apply)
    books.do(settle("r1", 60).apply)
    assert refund(books) == ("alice", 60)
    assert posted(books) == 1000
    assert adds_up(books)


def test_a_closed_account_gets_nothing_back(books: Books) -> None:
    books.account("alice", 1000)
    charged(books)
    books.do(lambda db: db.run("UPDATE accounts SET closed_us = 1 WHERE id = 'alice'"))
    with pytest.raises(NotFound):
        refund(books)
    assert posted(books) == 940


def test_of_many_at_once_one_gives_it_back(books: Books) -> None:
    books.account("alice", 1000)
    charged(books)

    def one(_: int) -> Any:
        another = books.another()
        try:
            return refund(another)
        except Conflict as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(8)))
    assert [one for one in told if not isinstance(one, Conflict)] == [("alice", 60)]
    assert posted(books) == 1000
    assert adds_up(books)
