"""What a recovery and the word that comes after it tell: receipts, usage and budgets are as if nobody had died."""

import threading
import time
from typing import Any

import pytest

from ledger.calls import KEY, WORKER, checkpoint, hold, release, settle
from ledger.conftest import Books
from portico.accounts import calls
from portico.accounts.statement import balance, receipt
from portico.core.ids import from_time
from portico.core.storage import Db
from portico.ledger import Checkpoint, Extend, Limits
from portico.ledger.margins import Margin, margins
from portico.ledger.recover import gone_workers, recover
from portico.ledger.verify import verify
from portico.ledger.windows import DAY_US, day_of
from portico.metering.receipt import CAPPED, ESTIMATED, RECOVERED, Receipt, encode
from portico.store.postgres import PostgresDb

TOKENS = {"input_uncached": {"text": 7}, "input_cache_read": {"text": 2}, "output_visible": {"text": 4}}
REAL: dict[str, Any] = {"input_tokens": 9, "cached_tokens": 2, "output_tokens": 20, "reasoning_tokens": 3}
"""What the call had used in the end."""


def recovered(books: Books) -> int:
    def each(db: Db) -> int:
        return sum(recover(db, worker) for worker in gone_workers(db))

    return books.do(each)


def used(books: Books) -> tuple[int, ...]:
    """Calls, tokens by kind, charge and cost of all days."""
    sums = ["calls", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "charge_nanos", "cost_nanos"]
    told = ", ".join(f"CAST(SUM({name}) AS BIGINT)" for name in sums)
    return tuple(books.do(lambda db: db.rows(f"SELECT {told} FROM usage_days"))[0])  # noqa: S608


def test_what_a_checkpoint_counted_is_in_the_usage(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(checkpoint("r1", 120, usage=TOKENS).apply)
    recovered(books)
    assert used(books) == (1, 9, 2, 4, 0, 120, 120)


@pytest.mark.parametrize(
    ("held", "so_far", "charged", "flags"),
    [
        (300, {"charge": 120}, 120, [RECOVERED]),
        (120, {"charge": 120}, 120, [RECOVERED]),
        (100, {"charge": 120}, 100, [RECOVERED, CAPPED]),
        (300, {"charge": 120, "flags": (ESTIMATED, CAPPED, RECOVERED)}, 120, [ESTIMATED, RECOVERED, CAPPED]),
        (50, None, 0, [RECOVERED]),
    ],
)
def test_a_recovered_receipt_says_so_and_what_was_charged(
    books: Books, held: int, so_far: dict[str, Any] | None, charged: int, flags: list[str]
) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", held).apply)
    if so_far is not None:
        books.do(checkpoint("r1", **so_far).apply)
    recovered(books)
    told = books.do(lambda db: receipt(db, "alice", "r1"))
    assert (told["charge_nanos"], told["flags"]) == (charged, flags)
    assert told["outcome"] == RECOVERED


@pytest.mark.parametrize("body", ["", "{", "{}", '{"charge_nanos": "many"}'])
def test_a_checkpoint_that_nobody_can_read_charges_nothing(books: Books, body: str) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(Checkpoint("r1", "alice", KEY, body.encode()).apply)
    assert recovered(books) == 1
    assert books.do(lambda db: balance(db, "alice")).posted_nanos == 1000
    assert books.do(verify).ok


@pytest.mark.parametrize("charge", [None, 0, 120, 600])
@pytest.mark.parametrize("end", ["settle", "release"])
def test_usage_and_budgets_are_as_if_nobody_had_died(books: Books, charge: int | None, end: str) -> None:
    books.account("alice", 1000)
    limits = Limits(budget_day_nanos=1000, budget_month_nanos=1000)
    books.do(hold("r1", 300, limits=limits).apply)
    if charge is not None:
        books.do(checkpoint("r1", charge, usage=TOKENS).apply)
    recovered(books)
    last = settle("r1", 250, model="m", **REAL) if end == "settle" else release("r1", model="m")
    for _ in range(2):
        books.do(last.apply)
    charged = 250 if end == "settle" else 0
    assert books.do(lambda db: balance(db, "alice")).posted_nanos == 1000 - charged
    counters: dict[str, int] = dict(books.do(lambda db: db.rows("SELECT kind, used FROM counters")))
    assert counters == {"budget_day": charged, "budget_month": charged}
    if end == "settle":
        assert used(books) == (1, 9, 2, 20, 3, 250, 250)
    elif charge is not None:
        assert used(books) == (0, 0, 0, 0, 0, 0, 0)
    assert books.do(verify).ok


@pytest.mark.parametrize("charge", [None, 120])
@pytest.mark.parametrize("end", ["settle", "release"])
def test_what_began_the_day_before_counts_on_the_day_of_its_receipt(books: Books, charge: int | None, end: str) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    if charge is not None:
        books.do(checkpoint("r1", charge).apply)
    recovered(books)
    began: dict[str, Any] = {"at_us": books.db.now_us - DAY_US, "model": "m"}
    books.do((settle("r1", 250, **began) if end == "settle" else release("r1", **began)).apply)
    today = day_of(books.do(lambda db: db.rows("SELECT at_us FROM receipts"))[0][0]).isoformat()
    days = books.do(lambda db: db.rows("SELECT DISTINCT day FROM usage_days WHERE calls + released > 0"))
    assert days == [(today,)]
    assert books.do(verify).ok


@pytest.mark.parametrize("charge", [None, 120])
def test_a_call_and_its_margin_go_by_the_word_that_came_late(books: Books, charge: int | None) -> None:
    books.account("alice", 1000)
    request = from_time("req_", time.time())
    books.do(hold(request, 300).apply)
    if charge is not None:
        books.do(checkpoint(request, charge, provider="gemini").apply)
    recovered(books)
    told = Receipt(request_id=request, account="alice", provider="gemini", charge_nanos=250, cost_nanos=200)
    books.do(settle(request, 250, receipt=encode(told)).apply)
    today = books.do(lambda db: day_of(db.now_us))
    assert books.do(lambda db: margins(db, today, today)).providers == [Margin("gemini", 1, 250, 200)]
    (listed,) = books.do(lambda db: calls.page(db, calls.Filter(account="alice"), limit=9))
    assert (listed.charge_nanos, listed.cost_nanos) == (250, 200)


@pytest.mark.parametrize("end", ["settle", "release"])
def test_a_call_is_found_by_the_model_that_the_word_names_that_came_late(books: Books, end: str) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    recovered(books)
    last = settle("r1", 250, model="m", **REAL) if end == "settle" else release("r1", model="m")
    books.do(last.apply)
    of_model = calls.Filter(account="alice", model="m")
    (listed,) = books.do(lambda db: calls.page(db, of_model, limit=9))
    assert (listed.request_id, listed.model, listed.charge_nanos) == ("r1", "m", 250 if end == "settle" else 0)
    summed = books.do(lambda db: calls.sums(db, of_model))
    assert summed is not None
    assert (summed.calls, summed.charge_nanos) == (1, listed.charge_nanos)


def test_of_a_recovered_receipt_that_nobody_can_read_no_tokens_are_taken_back(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(checkpoint("r1", 120, usage=TOKENS).apply)
    recovered(books)
    books.do(lambda db: db.run("UPDATE receipts SET body = '{'"))
    books.do(settle("r1", 250, model="m", **REAL).apply)
    assert used(books) == (1, 9 + 9, 2 + 2, 4 + 20, 0 + 3, 250, 250)
    assert [one.what for one in books.do(verify).differences] == ["receipt's body"]


def waits(books: Books) -> bool:
    """Whether a transaction of this PostgreSQL waits for another's lock."""
    sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(books.do(lambda db: db.rows(sql))[0][0])


def until_it_waits(watcher: Books) -> None:
    for _ in range(4000):
        if waits(watcher):
            return
        time.sleep(0.01)
    pytest.fail("nobody waited for anybody")


def test_of_two_who_recover_at_once_one_says_that_it_did(books: Books) -> None:
    """Every worker of every machine logged each call as resolved by itself."""
    if not isinstance(books.db, PostgresDb):
        pytest.skip("on SQLite one transaction at a time writes")
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(lambda db: db.run("INSERT INTO leases (worker_id, expires_us) VALUES (?, -1)", WORKER))
    first, second, watcher = books.another(), books.another(), books.another()
    told: list[int] = []
    resolving = threading.Thread(target=lambda: told.append(second.do(lambda db: recover(db, WORKER))))
    with first.transaction() as db:
        assert recover(db, WORKER) == 1
        resolving.start()
        until_it_waits(watcher)
    resolving.join()
    assert told == [0]


def test_a_hold_that_grows_while_it_is_recovered_is_given_back_whole(books: Books) -> None:
    """A worker that was frozen goes on in the moment in which another resolves what it left open."""
    if not isinstance(books.db, PostgresDb):
        pytest.skip("on SQLite one transaction at a time writes")
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    frozen, other, watcher = books.another(), books.another(), books.another()
    resolving = threading.Thread(target=recovered, args=(other,))
    with frozen.transaction() as db:
        assert Extend("r1", "alice", KEY, 100).apply(db)
        resolving.start()
        until_it_waits(watcher)
    resolving.join()
    assert books.do(lambda db: balance(db, "alice")).held_nanos == 0
    verdict = books.do(verify)
    assert verdict.ok, [str(one) for one in verdict.differences]
