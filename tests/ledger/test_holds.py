"""One hold, one end: decided by the database, on both databases."""

import threading
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest

from ledger.calls import KEY, LIMITS, WORKER, checkpoint, hold, release, settle
from ledger.conftest import Books
from portico.accounts.statement import SUMS, UsageQuery, balance, receipt, usage
from portico.core.errors import InvalidRequest, NotFound
from portico.core.storage import Db, Write
from portico.ledger import Admit, Extend, Held, Limits, Outcome, Refused, Release, Replay, Settle
from portico.ledger.pay import Balance, redeem, refund, top_up
from portico.ledger.recover import gone_workers, recover
from portico.ledger.retention import PIECE, Retention, sweep
from portico.ledger.verify import entries, verify


def standing(books: Books, account: str = "alice") -> tuple[int, int]:
    found = books.do(lambda db: balance(db, account))
    return found.posted_nanos, found.held_nanos


def kinds(books: Books, request: str) -> list[str]:
    return [entry.kind for entry in books.do(lambda db: list(entries(db))) if entry.request_id == request]


def adds_up(books: Books) -> None:
    verdict = books.do(verify)
    assert verdict.ok, [str(one) for one in verdict.differences]


def test_a_hold_and_its_settlement_are_one_entry_each(books: Books) -> None:
    books.account("alice", 1000)
    assert books.do(hold("r1", 600).apply) == Held(400, at_us=books.db.now_us)
    assert standing(books) == (1000, 600)
    books.do(settle("r1", 250, input_tokens=10, output_tokens=5).apply)
    assert standing(books) == (750, 0)
    assert kinds(books, "r1") == ["hold", "settle"]
    adds_up(books)


def test_a_release_gives_all_back_and_has_a_receipt(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 600).apply)
    books.do(release("r1").apply)
    assert standing(books) == (1000, 0)
    assert books.do(lambda db: receipt(db, "alice", "r1"))["outcome"] == "failed"
    adds_up(books)


def test_a_balance_that_is_too_small_is_told_apart_from_one_that_is_held(books: Books) -> None:
    books.account("alice", 1000)
    assert books.do(hold("r1", 1001).apply) == Refused("insufficient_funds")
    books.do(hold("r2", 600).apply)
    refused = books.do(hold("r3", 500).apply)
    assert isinstance(refused, Refused)
    assert refused.reason == "funds_held"
    assert refused.retry_after_s > 0
    assert books.do(hold("r5", 1000).apply) == refused, "once all of it is free again"
    assert books.do(hold("r4", 1, account="nobody").apply) == Refused("no_account")
    assert standing(books) == (1000, 600)
    adds_up(books)


def test_complaint_12_a_settlement_above_its_hold_is_booked_in_full_and_the_next_hold_refused(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 1000).apply)
    books.do(settle("r1", 1700).apply)
    assert standing(books) == (-700, 0)
    assert books.do(hold("r2", 1).apply) == Refused("insufficient_funds")
    adds_up(books)


def test_an_account_that_is_closed_bears_nothing_more(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 600).apply)
    books.do(lambda db: db.run("UPDATE accounts SET closed_us = 1"))
    asked: list[Write[Any]] = [
        hold("r2", 0),
        hold("r3", 0, prepaid=False),
        Admit("alice", KEY),
        Extend("r1", "alice", KEY, 1),
    ]
    assert [books.do(one.apply) for one in asked] == [*[Refused("no_account")] * 3, False]
    books.do(settle("r1", 250).apply)
    assert standing(books) == (750, 0)
    adds_up(books)


def test_an_open_account_may_go_below_zero(books: Books) -> None:
    books.account("alice", 0, kind="open")
    assert isinstance(books.do(hold("r1", 500, prepaid=False).apply), Held)
    books.do(settle("r1", 500).apply)
    assert standing(books) == (-500, 0)
    adds_up(books)


@pytest.mark.parametrize("last", [settle("r1", 100), release("r1")])
def test_what_is_sent_twice_counts_once(books: Books, last: Settle | Release) -> None:
    books.account("alice", 600)
    first = books.do(hold("r1", 600).apply)
    again = books.do(hold("r1", 600).apply)
    assert isinstance(first, Held)
    assert isinstance(again, Held)
    assert standing(books) == (600, 600)
    for _ in range(2):
        books.do(last.apply)
    assert len(kinds(books, "r1")) == 2
    adds_up(books)


def test_a_second_end_changes_nothing(books: Books) -> None:
    books.account("alice", 600)
    books.do(hold("r1", 600).apply)
    books.do(settle("r1", 100).apply)
    books.do(release("r1").apply)
    books.do(settle("r1", 300).apply)
    assert standing(books) == (500, 0)
    assert kinds(books, "r1") == ["hold", "settle"]


def test_an_extension_is_refused_like_a_hold(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 600).apply)
    assert books.do(Extend("r1", "alice", KEY, 400).apply) is True
    assert books.do(Extend("r1", "alice", KEY, 1).apply) is False
    assert standing(books) == (1000, 1000)
    books.do(settle("r1", 900).apply)
    assert standing(books) == (100, 0)
    assert books.do(Extend("r1", "alice", KEY, 1).apply) is False, "the call has ended"
    adds_up(books)


def test_money_comes_in_once_per_code(books: Books) -> None:
    books.account("alice", 0)
    books.do(lambda db: top_up(db, "alice", 500, "cash"))
    assert books.do(lambda db: refund(db, "alice", 50)) == Balance(550, 0)
    sql = "INSERT INTO codes (digest, prefix, amount_nanos, created_us) VALUES ('d', 'code-ab', 70, 1)"
    books.do(lambda db: db.run(sql))
    assert books.do(lambda db: redeem(db, "alice", "d")).posted_nanos == 620
    with pytest.raises(InvalidRequest):
        books.do(lambda db: redeem(db, "alice", "d"))
    with pytest.raises(NotFound):
        books.do(lambda db: top_up(db, "nobody", 5))
    for amount in (0, -5, 10**18 + 1):
        with pytest.raises(InvalidRequest):
            books.do(partial(top_up, account_id="alice", amount_nanos=amount))
    adds_up(books)


@pytest.mark.parametrize("pay", [top_up, refund])
def test_a_balance_stays_a_whole_number_however_often_is_paid_in(books: Books, pay: Callable[..., Balance]) -> None:
    """Beyond 64 bits SQLite would go on with a fraction."""
    books.account("alice", 0)
    paid_in = partial(pay, account_id="alice", amount_nanos=10**18)
    assert [books.do(paid_in).posted_nanos for _ in range(5)] == [count * 10**18 for count in range(1, 6)]
    with pytest.raises(InvalidRequest, match="balance"):
        books.do(paid_in)
    assert standing(books) == (5 * 10**18, 0)
    adds_up(books)


# -- limits ------------------------------------------------------------------------------------------------------------


def reason(books: Books, request: str, limits: Limits, amount: int = 1, **more: Any) -> str:
    decision = books.do(hold(request, amount, limits=limits, **more).apply)
    return decision.reason if isinstance(decision, Refused) else "held"


@pytest.mark.parametrize(("limits", "which"), LIMITS)
def test_a_limit_refuses_the_third_of_two_and_leaves_nothing_behind(books: Books, limits: Limits, which: str) -> None:
    books.account("alice", 1000)
    assert [reason(books, f"r{n}", limits, 10, tokens=10) for n in range(3)] == ["held", "held", which]
    assert standing(books) == (1000, 20)
    assert kinds(books, "r2") == []
    adds_up(books)


@pytest.mark.parametrize(("limits", "_"), LIMITS)
def test_a_key_under_its_limits_spends_nothing_that_its_account_has_not(books: Books, limits: Limits, _: str) -> None:
    books.account("alice", 10)
    assert reason(books, "r1", limits, 11, tokens=10) == "insufficient_funds"
    assert counted(books) == {}
    assert reason(books, "r2", limits, 6, tokens=10) == "held"
    taken = counted(books)
    assert reason(books, "r3", limits, 5, tokens=10) == "funds_held"
    assert counted(books) == taken
    assert standing(books) == (10, 6)


def test_what_holds_nothing_is_counted_with_what_holds_something(books: Books) -> None:
    books.account("alice", 0)
    limits = Limits(rpm=3)
    assert reason(books, "r1", limits, 0) == "held"
    assert [books.do(Admit("alice", KEY, 3, counts=counts).apply) for counts in (False, False, True, True)] == [
        None
    ] * 4
    assert reason(books, "r2", limits, 0) == "rpm"
    refused = books.do(Admit("alice", KEY, 3, counts=False).apply)
    assert refused is not None
    assert (refused.reason, refused.limit, refused.used) == ("rpm", 3, 3)
    assert books.do(Admit("alice", "key_2", 3).apply) is None
    assert books.do(Admit("alice", "key_2", funded=True).apply) == Refused("insufficient_funds")
    assert books.do(Admit("nobody", "key_2").apply) == Refused("no_account")
    adds_up(books)


def test_a_refused_limit_gives_back_what_others_had_counted(books: Books) -> None:
    books.account("alice", 1000)
    both = Limits(rpm=5, budget_day_nanos=10)
    assert [reason(books, f"r{n}", both, 10) for n in range(4)] == ["held", *["budget_day"] * 3]
    assert books.do(lambda db: db.rows("SELECT used FROM counters WHERE kind = 'requests'")) == [(1,)]


def test_settlement_corrects_what_was_reserved(books: Books) -> None:
    books.account("alice", 1000)
    limits = Limits(tpm=100, budget_day_nanos=100, budget_month_nanos=500)
    books.do(hold("r1", 90, limits=limits, tokens=90).apply)
    books.do(settle("r1", 30, input_tokens=5, output_tokens=7).apply)
    used: dict[str, int] = dict(books.do(lambda db: db.rows("SELECT kind, used FROM counters")))
    assert used == {"tokens": 12, "budget_day": 30, "budget_month": 30}


@pytest.mark.parametrize("reserved", [0, 90])
def test_a_minute_counts_the_tokens_that_were_used_whatever_was_reserved_of_it(books: Books, reserved: int) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 90, limits=Limits(tpm=100), tokens=reserved).apply)
    books.do(settle("r1", 30, input_tokens=5, output_tokens=7).apply)
    assert books.do(lambda db: db.rows("SELECT kind, used FROM counters")) == [("tokens", 12)]


def test_a_minute_that_is_limited_while_a_call_is_open_counts_nothing_of_it(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 90, tokens=90).apply)
    books.do(hold("r2", 90, tokens=20, limits=Limits(tpm=100)).apply)
    books.do(settle("r1", 30, input_tokens=5, output_tokens=7).apply)
    assert books.do(lambda db: db.rows("SELECT kind, used FROM counters")) == [("tokens", 20)]


def test_an_ended_call_makes_room_for_another(books: Books) -> None:
    books.account("alice", 1000)
    one = Limits(concurrent=1)
    assert [reason(books, "r1", one), reason(books, "r2", one)] == ["held", "concurrent"]
    books.do(release("r1").apply)
    assert reason(books, "r3", one) == "held"


def test_complaint_14_a_budget_counts_what_was_spent_before_it_was_set(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 60).apply)
    books.do(settle("r1", 60).apply)
    assert reason(books, "r2", Limits(budget_month_nanos=100), 50) == "budget_month"
    assert reason(books, "r3", Limits(budget_month_nanos=100), 40) == "held"


@pytest.mark.parametrize(("limits", "fit"), [(Limits(rpm=7), 7), (Limits(concurrent=5), 5), (Limits(), 33)])
def test_complaint_6_a_race_takes_no_more_than_there_is(books: Books, limits: Limits, fit: int) -> None:
    books.account("alice", 339)
    decisions: list[object] = []

    def ask(worker: Books, number: int) -> None:
        decisions.extend([worker.do(hold(f"r{number}-{n}", 10, limits=limits).apply) for n in range(50)])

    threads = [threading.Thread(target=ask, args=(books.another(), number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decisions) == 200
    assert sum(isinstance(one, Held) for one in decisions) == fit
    assert standing(books) == (339, fit * 10)
    adds_up(books)


# -- recovery ----------------------------------------------------------------------------------------------------------


def recovered(books: Books) -> int:
    def each(db: Db) -> int:
        return sum(recover(db, worker) for worker in gone_workers(db))

    return books.do(each)


def test_a_dead_workers_holds_are_booked_from_their_checkpoint_or_released(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(hold("r2", 300).apply)
    books.do(hold("r3", 100).apply)
    books.do(checkpoint("r1", 120).apply)
    books.do(checkpoint("r3", 120).apply)
    assert recovered(books) == 3
    assert recovered(books) == 0
    assert standing(books) == (1000 - 120 - 100, 0), "never more than was held"
    assert [kinds(books, f"r{n}")[1] for n in (1, 2, 3)] == ["settle", "release", "settle"]
    assert books.do(lambda db: receipt(db, "alice", "r2"))["flags"] == ["recovered"]
    adds_up(books)


@pytest.mark.parametrize("ended", [0, -1])
def test_a_worker_with_a_lease_keeps_its_holds(books: Books, ended: int) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    lease = "INSERT INTO leases (worker_id, expires_us) VALUES (?, ?)"
    books.do(lambda db: db.run(lease, WORKER, db.now_us + 1_000_000))
    assert recovered(books) == 0
    books.do(lambda db: db.run("UPDATE leases SET expires_us = ?", db.now_us - 1))
    assert recovered(books) == 0, "it has lapsed, but nobody has ended it"
    books.do(lambda db: db.run("UPDATE leases SET expires_us = ?", ended))
    assert recovered(books) == 1


@pytest.mark.parametrize(("so_far", "difference"), [(None, -250), (120, -130)])
def test_a_settlement_that_comes_after_recovery_is_one_adjustment(
    books: Books, so_far: int | None, difference: int
) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    if so_far is not None:
        books.do(checkpoint("r1", so_far).apply)
    recovered(books)
    for _ in range(2):
        books.do(settle("r1", 250).apply)
    found = [entry for entry in books.do(lambda db: list(entries(db))) if entry.kind == "adjust"]
    assert [entry.posted_nanos for entry in found] == [difference]
    assert standing(books) == (750, 0)
    notes = books.do(lambda db: receipt(db, "alice", "r1"))["notes"]
    assert [note["kind"] for note in notes] == ["adjust"]
    adds_up(books)


# -- idempotency -------------------------------------------------------------------------------------------------------


def test_an_idempotency_key_is_answered_once_and_then_replayed(books: Books) -> None:
    books.account("alice", 1000)
    asked = {"idempotency_key": "k", "fingerprint": "f"}
    assert isinstance(books.do(hold("r1", 10, **asked).apply), Held)
    assert books.do(hold("r2", 10, **asked).apply) == Refused("in_flight", 1.0)
    another = hold("r4", 10, idempotency_key="k", fingerprint="g")
    assert books.do(another.apply) == Refused("fingerprint"), "also while the first is under way"
    books.do(settle("r1", 5, idempotency=Outcome("k", 200, "[]", b"answer")).apply)
    assert books.do(hold("r3", 10, **asked).apply) == Replay("r1", 200, "[]", b"answer")
    assert books.do(another.apply) == Refused("fingerprint")
    assert standing(books) == (995, 0)


def test_a_hold_that_is_sent_twice_has_its_idempotency_key_itself(books: Books) -> None:
    books.account("alice", 1000)
    asked = hold("r1", 10, idempotency_key="k", fingerprint="f")
    assert [type(books.do(asked.apply)) for _ in range(2)] == [Held, Held]
    books.do(settle("r1", 5, idempotency=Outcome("k", 200, "[]", b"answer")).apply)
    assert isinstance(books.do(asked.apply), Held)
    assert standing(books) == (995, 0)


def test_a_call_that_failed_or_was_refused_may_be_tried_again(books: Books) -> None:
    books.account("alice", 20)
    asked = {"idempotency_key": "k", "fingerprint": "f"}
    assert isinstance(books.do(hold("r1", 100, **asked).apply), Refused)
    assert isinstance(books.do(hold("r2", 10, **asked).apply), Held)
    books.do(release("r2", idempotency=Outcome("k")).apply)
    assert isinstance(books.do(hold("r3", 10, **asked).apply), Held)
    recovered(books)
    assert isinstance(books.do(hold("r4", 10, **asked).apply), Held)


# -- looking -----------------------------------------------------------------------------------------------------------


def test_verify_finds_what_does_not_add_up(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(hold("r2", 300).apply)
    books.do(settle("r2", 100).apply)
    adds_up(books)
    books.do(lambda db: db.run("UPDATE accounts SET posted_nanos = posted_nanos + 1"))
    books.do(lambda db: db.run("UPDATE receipts SET charge_nanos = charge_nanos + 1"))
    books.do(lambda db: db.run("DELETE FROM holds"))
    found = {one.what for one in books.do(verify).differences}
    assert found == {"posted", "receipt", "receipt's body", "open holds", "unresolved"}


NEVER_HELD = "INSERT INTO holds (request_id, account_id, key_id, worker_id, amount_nanos, at_us) VALUES"
NEVER_CALLED = (
    "INSERT INTO receipts (request_id, account_id, key_id, at_us, model, outcome, charge_nanos, cost_nanos, body)"
    " VALUES"
)
DAMAGE = {
    "a hold with the amount of another": (
        "UPDATE holds SET amount_nanos = 600 - amount_nanos",
        [("hold", "alice", "r1"), ("hold", "alice", "r2")],
    ),
    "a hold that was never booked": (
        f"{NEVER_HELD} ('r9', 'alice', 'key_1', 'w', 0, 1)",
        [("hold", "alice", "r9")],
    ),
    "a hold of nobody's": (
        f"{NEVER_HELD} ('r9', 'nobody', 'key_1', 'w', 5, 1)",
        [("hold", "nobody", "r9")],
    ),
    "a hold under another account": (
        "UPDATE holds SET account_id = 'bob' WHERE request_id = 'r1'",
        [("hold", "bob", "r1"), ("unresolved", "alice", "r1")],
    ),
    "a receipt of a call that never was": (
        f"{NEVER_CALLED} ('r9', 'bob', '', 1, '', '', 0, 0, '{{\"request_id\":\"r9\",\"account\":\"bob\"}}')",
        [("receipt", "bob", "r9")],
    ),
    "an end of another account's": (
        "UPDATE entries SET account_id = 'bob', held_nanos = 0 WHERE request_id = 'r3' AND kind = 'settle'",
        [("unresolved", "alice", "r3"), ("receipt", "alice", "r3")],
    ),
}


@pytest.mark.parametrize(("damage", "expected"), DAMAGE.values(), ids=DAMAGE)
def test_verify_finds_damage_that_no_balance_shows(
    books: Books, damage: str, expected: list[tuple[str, str, str]]
) -> None:
    """As if somebody had mended the balances by hand."""
    for account in ("alice", "bob"):
        books.account(account, 1000)
    books.do(hold("r1", 200).apply)
    books.do(hold("r2", 300).apply)
    books.do(Extend("r2", "alice", KEY, 100).apply)
    books.do(hold("r3", 300).apply)
    books.do(settle("r3", 100).apply)
    adds_up(books)
    books.do(lambda db: db.run(damage))
    for name in ("posted_nanos", "held_nanos"):
        mend = f"UPDATE accounts SET {name} = (SELECT SUM({name}) FROM entries WHERE account_id = accounts.id)"  # noqa: S608
        books.do(lambda db, mend=mend: db.run(mend))  # type: ignore[misc]
    found = [(one.what, one.account, one.request_id) for one in books.do(verify).differences if one.request_id]
    assert found == expected


def test_verify_finds_a_hold_that_is_open_though_its_call_has_ended(books: Books) -> None:
    """Its end was booked as if there had been none: the money would be held for good."""
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    books.do(hold("r2", 300).apply)
    sql = (
        "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, request_id, at_us) VALUES (?, ?, 0, 0, ?, 1)"
    )
    books.do(lambda db: db.run(sql, "alice", "release", "r1"))
    found = books.do(verify).differences
    assert [(one.what, one.request_id) for one in found] == [("resolved but open", "r1")]


def test_verify_finds_what_is_booked_under_no_account(books: Books) -> None:
    books.do(settle("r1", 70, account="nobody").apply)
    assert [(one.what, one.account, one.expected) for one in books.do(verify).differences] == [
        ("nobody's", "nobody", -70)
    ]


def test_usage_is_told_by_day_model_and_key(books: Books) -> None:
    books.account("alice", 10_000)
    books.account("bob", 10_000)
    for number, model in enumerate(["m1", "m2", "m1"]):
        books.do(hold(f"r{number}", 100).apply)
        books.do(settle(f"r{number}", 10, model=model, input_tokens=5, output_tokens=3).apply)
    books.do(hold("b", 100, account="bob").apply)
    books.do(settle("b", 10, account="bob").apply)

    def told(by: str) -> list[tuple[str, int, int]]:
        asked = UsageQuery((by,), date(2000, 1, 1), date(2999, 12, 31))
        page = books.do(lambda db: usage(db, "alice", asked))
        assert page.columns == (by, *SUMS)
        return [(row[0], row[1], row[-1]) for row in page.rows]

    assert told("model") == [("m1", 2, 20), ("m2", 1, 10)]
    assert told("key") == [(KEY, 3, 30)]
    ((_, calls, charge),) = told("day")
    assert (calls, charge) == (3, 30)


def test_a_receipt_is_only_its_accounts(books: Books) -> None:
    books.account("alice", 1000)
    books.account("bob", 1000)
    books.do(hold("r1", 300).apply)
    books.do(settle("r1", 100).apply)
    with pytest.raises(NotFound):
        books.do(lambda db: receipt(db, "bob", "r1"))


def test_what_is_old_goes_and_entries_stay(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300, limits=Limits(rpm=5)).apply)
    books.do(settle("r1", 100).apply)
    assert books.do(lambda db: sweep(db, Retention())) == 0
    books.do(lambda db: db.run("UPDATE receipts SET at_us = at_us - ?", 500 * 86_400_000_000))
    books.do(lambda db: db.run("UPDATE usage_days SET day = '2001-01-01'"))
    books.do(lambda db: db.run('UPDATE counters SET "window" = 5'))
    assert books.do(lambda db: sweep(db, Retention())) == 3
    with pytest.raises(NotFound):
        books.do(lambda db: receipt(db, "alice", "r1"))
    assert kinds(books, "r1") == ["hold", "settle"]
    adds_up(books)


# -- budgets keep up ---------------------------------------------------------------------------------------------------

BUDGETS = Limits(tpm=100, budget_day_nanos=400, budget_month_nanos=400)


def counted(books: Books) -> dict[str, int]:
    return dict(books.do(lambda db: db.rows("SELECT kind, used FROM counters")))


def test_what_comes_after_recovery_counts_in_the_budgets(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300, limits=BUDGETS, tokens=20).apply)
    recovered(books)
    assert counted(books) == {"tokens": 0, "budget_day": 0, "budget_month": 0}
    books.do(settle("r1", 250).apply)
    assert counted(books) == {"tokens": 0, "budget_day": 250, "budget_month": 250}


def test_a_charge_whose_hold_never_came_counts_in_the_budgets(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 10, limits=BUDGETS).apply)
    books.do(release("r1").apply)
    books.do(settle("r2", 250).apply)
    assert counted(books) == {"tokens": 0, "budget_day": 250, "budget_month": 250}


def test_a_hold_tells_how_much_of_each_limit_is_used_with_it(books: Books) -> None:
    books.account("alice", 1000)
    limits = Limits(rpm=5, tpm=100, concurrent=2, budget_day_nanos=400, budget_month_nanos=500)
    books.do(hold("r1", 30, limits=limits, tokens=10).apply)
    held = books.do(hold("r2", 40, limits=limits, tokens=20).apply)
    assert isinstance(held, Held)
    assert {use.kind: (use.limit, use.used) for use in held.uses} == {
        "rpm": (5, 2),
        "tpm": (100, 30),
        "concurrent": (2, 2),
        "budget_day": (400, 70),
        "budget_month": (500, 70),
    }


def test_a_hold_that_is_too_late_to_be_refused_is_one_call_too_many(books: Books) -> None:
    one = Limits(concurrent=1)
    books.account("alice", 1000)
    assert reason(books, "r1", one) == "held"
    assert isinstance(books.do(hold("r2", 10, limits=one, refusable=False).apply), Held)
    books.do(release("r1").apply)
    assert reason(books, "r3", one) == "concurrent"


@pytest.mark.parametrize("earlier", [0, 390])
def test_a_hold_that_is_too_late_to_be_refused_is_counted_all_the_same(books: Books, earlier: int) -> None:
    books.account("alice", 0, kind="open")
    if earlier:
        books.do(hold("r1", earlier, limits=BUDGETS, prepaid=False).apply)
    late = hold("r2", 90, limits=BUDGETS, tokens=120, prepaid=False, refusable=False)
    assert isinstance(books.do(late.apply), Held)
    assert counted(books) == {"tokens": 120, "budget_day": earlier + 90, "budget_month": earlier + 90}
    books.do(settle("r2", 40, input_tokens=3).apply)
    assert counted(books) == {"tokens": 3, "budget_day": earlier + 40, "budget_month": earlier + 40}
    assert reason(books, "r3", BUDGETS, 361, prepaid=False) == "budget_day"


def test_a_recovered_call_counts_its_tokens(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300, limits=BUDGETS, tokens=90).apply)
    so_far = {"input_uncached": {"text": 5}, "input_cache_read": {"text": 2}, "output_visible": {"text": 4}}
    books.do(checkpoint("r1", 120, usage=so_far).apply)
    recovered(books)
    assert counted(books)["tokens"] == 11
    (row,) = books.do(lambda db: db.rows("SELECT input_tokens, cached_tokens, output_tokens FROM usage_days"))
    assert row == (7, 2, 4)


# -- what is old, in pieces ------------------------------------------------------------------------------------------------


def test_a_note_goes_with_its_receipt_however_late_it_was_written(books: Books) -> None:
    books.account("alice", 1000)
    books.do(hold("r1", 300).apply)
    recovered(books)
    books.do(settle("r1", 100).apply)
    books.do(lambda db: db.run("UPDATE receipts SET at_us = at_us - ?", 500 * 86_400_000_000))
    while books.do(lambda db: sweep(db, Retention())):
        pass
    assert books.do(lambda db: db.rows("SELECT COUNT(*) FROM receipt_notes")) == [(0,)]


def test_what_is_old_goes_in_small_pieces(books: Books) -> None:
    def fill(db: Db) -> None:
        for n in range(PIECE + 1):
            db.run("INSERT INTO usage_days (account_id, day, model, key_id) VALUES ('a', '2001-01-01', ?, '')", f"m{n}")
            db.run("INSERT INTO counters (subject, kind, \"window\") VALUES (?, 'requests', 5)", f"k{n}")

    books.do(fill)
    assert [books.do(lambda db: sweep(db, Retention())) for _ in range(3)] == [2 * PIECE, 2, 0]
