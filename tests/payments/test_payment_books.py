"""What is paid by card, in the ledger: each event once, in any order; the balance is what was paid less what went back."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portico.accounts.rows import create_account, show_account
from portico.core.errors import Conflict, InvalidRequest
from portico.core.storage import Db
from portico.ledger import pay, payments, verify
from portico.ledger.pay import MAX_NANOS
from portico.ledger.payments import (
    BOUNCED,
    CENT,
    DISPUTED,
    FAILED,
    LOST,
    PAID,
    REFUNDED,
    WON,
    AlreadyBooked,
    Due,
    Fee,
    Told,
    due,
)
from portico.store.database import Database

AMOUNT, FEE = 1000 * CENT, 59 * CENT


def told(number: int | str, kind: str, cents: int = 1059, subject: str = "", **more: str) -> Told:
    named = {"payment_id": "cs_1"} if kind in (PAID, FAILED) else {}
    return Told(
        id=f"evt_{number}",
        kind=kind,
        subject=subject,
        amount_nanos=cents * CENT,
        **{"reference": "pi_1", **named, **more},
    )


def account(database: Database) -> str:
    return database.change(lambda db: create_account(db, Random(1), name="acme")).id


def begun(database: Database) -> str:
    """An account with a payment that waits."""
    made = account(database)
    database.change(
        lambda db: payments.begin(
            db, payment_id="cs_1", account_id=made, user_id=None, amount_nanos=AMOUNT, fee_nanos=FEE
        )
    )
    return made


def cents(database: Database, made: str) -> int:
    return database.ask(lambda db: show_account(db, made)).posted_nanos // CENT


def book(database: Database, *events: Told) -> None:
    for one in events:
        database.change(lambda db, one=one: payments.book(db, one))  # type: ignore[misc]


def adds_up(database: Database) -> bool:
    return database.ask(verify.verify).ok


def test_a_fee_is_whole_cents_rounded_up() -> None:
    fee = Fee(2900, 30 * CENT)
    assert [fee.of(dollars * 100 * CENT) // CENT for dollars in (1, 10, 50, 100)] == [33, 59, 175, 320]
    assert Fee().of(AMOUNT) == 0
    assert Fee(1, 0).of(CENT) == CENT


def test_what_was_paid_is_credited_once_whoever_says_so_how_often(database: Database) -> None:
    made = begun(database)
    book(database, told(1, PAID))
    assert cents(database, made) == 1000
    with pytest.raises(AlreadyBooked):
        book(database, told(1, PAID))
    book(database, told(2, PAID))  # async_payment_succeeded, after completed
    assert cents(database, made) == 1000
    assert adds_up(database)


def test_two_workers_that_are_told_the_same_at_once_book_it_once(database: Database) -> None:
    made = begun(database)
    for kind, back, left in ((PAID, 1059, 1000), (REFUNDED, 400, 600)):
        together = Barrier(4)

        def deliver(_: int, kind: str = kind, back: int = back, together: Barrier = together) -> bool:
            together.wait()
            try:
                book(database, told(kind, kind, back))
            except AlreadyBooked:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            assert sorted(threads.map(deliver, range(4))) == [False, False, False, True]
        assert cents(database, made) == left
    assert adds_up(database)


def test_payment_and_refund_that_arrive_at_once_do_not_miss_each_other(database: Database) -> None:
    made = account(database)
    with ThreadPoolExecutor(2) as threads:
        for number in range(12):

            def wanted(db: Db, number: int = number) -> object:
                return payments.begin(
                    db, payment_id=f"cs_{number}", account_id=made, user_id=None, amount_nanos=AMOUNT, fee_nanos=FEE
                )

            database.change(wanted)
            events = [_of(number, PAID, 1059), _of(number, REFUNDED, 1059)]
            together = Barrier(2)

            def deliver(one: Told, together: Barrier = together) -> None:
                together.wait()
                book(database, one)

            list(threads.map(deliver, events))
    assert cents(database, made) == 0
    assert adds_up(database)


def _of(number: int, kind: str, amount: int) -> Told:
    return Told(
        id=f"evt_{number}_{kind}",
        kind=kind,
        payment_id=f"cs_{number}" if kind == PAID else "",
        reference=f"pi_{number}",
        amount_nanos=amount * CENT,
    )


STORY = (
    told(1, PAID),
    told(2, REFUNDED, 200),
    told(3, REFUNDED, 350),
    told(4, DISPUTED, 500, "dp_1"),
    told(5, WON, 500, "dp_1"),
)
REFUNDS = (
    told(1, PAID),
    told(2, REFUNDED, 200),
    told(3, REFUNDED, 150, "re_2"),
    told(4, BOUNCED, 200, "re_1"),
    told(5, REFUNDED, 350),
)


@pytest.mark.parametrize(
    ("story", "left"), [(STORY, 650), (REFUNDS, 850)], ids=["disputed and won", "one of two failed"]
)
def test_every_order_ends_in_the_same_balance(database: Database, story: tuple[Told, ...], left: int) -> None:
    """All 120 of them: paid, given back twice (in all $3.50), and what became of it."""
    made = account(database)
    expected = 0
    for number, order in enumerate(itertools.permutations(story)):
        name = f"cs_{number}"
        database.change(
            lambda db, name=name: payments.begin(  # type: ignore[misc]
                db, payment_id=name, account_id=made, user_id=None, amount_nanos=AMOUNT, fee_nanos=FEE
            )
        )
        events = [
            Told(
                id=f"{one.id}_{number}",
                kind=one.kind,
                payment_id=name if one.kind == PAID else "",
                reference=f"pi_{number}",
                subject=one.subject,
                amount_nanos=one.amount_nanos,
            )
            for one in order
        ]
        book(database, *events)
        expected += left
        assert cents(database, made) == expected, order
    assert adds_up(database)


DUE: dict[str, tuple[list[Told], Due]] = {
    "some given back": ([told(1, PAID), told(2, REFUNDED, 350)], Due("paid", AMOUNT, 350 * CENT)),
    "all given back": ([told(1, PAID), told(2, REFUNDED, 1000)], Due("refunded", AMOUNT, AMOUNT)),
    "all and the fee": ([told(1, PAID), told(2, REFUNDED, 1059)], Due("refunded", AMOUNT, AMOUNT)),
    "told lost alone": ([told(1, PAID), told(2, LOST, 500, "dp_1")], Due("disputed", AMOUNT, 500 * CENT)),
    "more and then less": (
        [told(1, PAID), told(2, DISPUTED, 500, "dp_1"), told(3, LOST, 300, "dp_1")],
        Due("disputed", AMOUNT, 500 * CENT),
    ),
}


@pytest.mark.parametrize(("events", "expected"), DUE.values(), ids=DUE)
def test_what_is_due(events: list[Told], expected: Due) -> None:
    assert due(AMOUNT, events) == expected


BOOKED: dict[str, tuple[list[Told], list[tuple[str, int, str]]]] = {
    "not paid": ([told(1, FAILED)], []),
    "paid": ([told(1, PAID), told(2, PAID)], [("top_up", 1000, "card")]),
    "given back": (
        [told(1, PAID), told(2, REFUNDED, 350), told(3, REFUNDED, 350)],
        [("top_up", 1000, "card"), ("adjust", -350, "card refund")],
    ),
    "given back before it was told paid": (
        [told(1, REFUNDED, 350), told(2, PAID)],
        [("top_up", 1000, "card"), ("adjust", -350, "card return")],
    ),
    "given back, which failed": (
        [told(1, PAID), told(2, REFUNDED, 350), told(3, BOUNCED, 350, "re_1")],
        [("top_up", 1000, "card"), ("adjust", -350, "card refund"), ("adjust", 350, "card refund failed")],
    ),
    "disputed and won": (
        [told(1, PAID), told(2, DISPUTED, 500, "dp_1"), told(3, WON, 500, "dp_1")],
        [("top_up", 1000, "card"), ("adjust", -500, "card dispute"), ("adjust", 500, "card dispute won")],
    ),
    "disputed and lost": (
        [told(1, PAID), told(2, DISPUTED, 500, "dp_1"), told(3, LOST, 600, "dp_1")],
        [("top_up", 1000, "card"), ("adjust", -500, "card dispute"), ("adjust", -100, "card dispute")],
    ),
}


@pytest.mark.parametrize(("events", "entries"), BOOKED.values(), ids=BOOKED)
def test_what_moves_is_an_entry_that_says_what_for(
    database: Database, events: list[Told], entries: list[tuple[str, int, str]]
) -> None:
    begun(database)
    book(database, *events)
    found = database.ask(lambda db: db.rows("SELECT kind, posted_nanos, note FROM entries ORDER BY id"))
    assert found == [(kind, moved * CENT, f"{what} cs_1") for kind, moved, what in entries]


CENTS = st.integers(0, 1500)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just(PAID), st.just(1059), st.just("")),
        st.tuples(st.just(FAILED), st.just(1059), st.just("")),
        st.tuples(st.just(REFUNDED), CENTS, st.sampled_from(["", "re_1", "re_2"])),
        st.tuples(st.just(BOUNCED), CENTS, st.sampled_from(["re_1", "re_2"])),
        st.tuples(st.sampled_from([DISPUTED, LOST, WON]), CENTS, st.sampled_from(["dp_1", "dp_2"])),
    ),
    max_size=7,
)


@settings(max_examples=300)
@given(EVENTS, st.randoms(use_true_random=False))
def test_law_what_is_due_depends_on_no_order_and_never_exceeds_what_was_paid(
    events: list[tuple[str, int, str]], shuffle: Random
) -> None:
    listed = [told(number, kind, amount, subject) for number, (kind, amount, subject) in enumerate(events)]
    found = due(AMOUNT, listed)
    other = list(listed)
    shuffle.shuffle(other)
    assert due(AMOUNT, [*other, *other]) == found
    assert 0 <= found.returned_nanos <= found.credited_nanos <= AMOUNT
    assert (found.credited_nanos == AMOUNT) == any(kind == PAID for kind, _, _ in events)


_NUMBER = itertools.count()


def test_law_the_balance_is_what_was_paid_less_what_was_returned(database: Database) -> None:
    made = account(database)

    @settings(max_examples=40)
    @given(EVENTS)
    def law(events: list[tuple[str, int, str]]) -> None:
        number = next(_NUMBER)
        before = cents(database, made)
        database.change(
            lambda db: payments.begin(
                db, payment_id=f"cs_{number}", account_id=made, user_id=None, amount_nanos=AMOUNT, fee_nanos=FEE
            )
        )
        listed = [
            Told(
                id=f"evt_{number}_{at}",
                kind=what,
                payment_id=f"cs_{number}" if what in (PAID, FAILED) else "",
                reference=f"pi_{number}",
                subject=subject,
                amount_nanos=amount * CENT,
            )
            for at, (what, amount, subject) in enumerate(events)
        ]
        book(database, *listed)
        expected = due(AMOUNT, listed)
        assert (cents(database, made) - before) * CENT == expected.credited_nanos - expected.returned_nanos
        found = database.ask(lambda db: payments.payment_of(db, made, f"cs_{number}"))
        assert found is not None
        assert (found.state, found.returned_nanos) == (expected.state, expected.returned_nanos)

    law()
    assert adds_up(database)


def test_the_credit_goes_back_first_and_never_more_than_it(database: Database) -> None:
    made = begun(database)
    book(database, told(1, PAID), told(2, REFUNDED, 1059))
    assert cents(database, made) == 0  # and not -59: the fee was never credited
    book(database, told(3, DISPUTED, 1059, "dp_1"))
    assert cents(database, made) == 0
    assert adds_up(database)


def test_what_goes_back_may_take_the_balance_below_zero_even_of_an_account_that_was_closed(database: Database) -> None:
    made = begun(database)
    book(database, told(1, PAID))
    database.change(lambda db: db.run("UPDATE accounts SET closed_us = 1 WHERE id = ?", made))
    database.change(
        lambda db: (
            db.run("UPDATE accounts SET posted_nanos = posted_nanos - ? WHERE id = ?", 900 * CENT, made),
            db.run(
                "INSERT INTO entries (account_id, kind, posted_nanos, held_nanos, at_us) VALUES (?, 'adjust', ?, 0, 1)",
                made,
                -900 * CENT,
            ),
        )
    )
    book(database, told(2, DISPUTED, 1059, "dp_1"))
    assert cents(database, made) == -900
    book(database, told(3, WON, 1059, "dp_1"))
    assert cents(database, made) == 100
    assert adds_up(database)


@pytest.mark.parametrize(
    "wrong",
    [
        told(1, PAID, currency="eur"),
        told(1, PAID, 1058),
        told(1, PAID, 999_999),
    ],
    ids=["another currency", "a cent less", "more"],
)
def test_what_does_not_fit_the_payment_is_kept_and_credits_nothing(database: Database, wrong: Told) -> None:
    made = begun(database)
    booked = database.change(lambda db: payments.book(db, wrong))
    assert (booked.fits, booked.posted_nanos) == (False, 0)
    assert cents(database, made) == 0
    (kept,) = database.ask(lambda db: payments.strays(db, limit=5))
    assert (kept.id, kept.payment_id, kept.fits) == ("evt_1", "cs_1", 0)
    book(database, told(2, PAID))  # and then the right one
    assert cents(database, made) == 1000


def test_a_reference_is_of_one_payment(database: Database) -> None:
    made = begun(database)
    book(database, told(1, PAID))
    database.change(
        lambda db: payments.begin(
            db, payment_id="cs_2", account_id=made, user_id=None, amount_nanos=AMOUNT, fee_nanos=FEE
        )
    )
    booked = database.change(lambda db: payments.book(db, told(2, PAID, payment_id="cs_2")))
    assert not booked.fits
    assert cents(database, made) == 1000
    book(database, told(3, REFUNDED, 350))
    assert cents(database, made) == 650
    (kept,) = database.ask(lambda db: payments.strays(db, limit=5))
    assert (kept.id, kept.payment_id) == ("evt_2", "cs_2")


def test_what_nobody_knows_is_kept(database: Database) -> None:
    made = account(database)
    booked = database.change(lambda db: payments.book(db, told(1, PAID)))
    assert booked.payment is None
    assert [one.id for one in database.ask(lambda db: payments.strays(db, limit=5))] == ["evt_1"]
    assert cents(database, made) == 0


def test_what_waits_in_another_currency_is_not_credited_when_its_payment_is_known(database: Database) -> None:
    made = begun(database)
    early = database.change(lambda db: payments.book(db, told(1, REFUNDED, 350, currency="eur")))
    assert (early.payment, early.fits) == (None, False)
    book(database, told(2, PAID))
    assert cents(database, made) == 1000
    assert [one.id for one in database.ask(lambda db: payments.strays(db, limit=5))] == ["evt_1"]


def test_what_is_told_of_a_payment_may_name_no_reference(database: Database) -> None:
    made = begun(database)
    book(database, told(1, PAID, reference=""))
    assert cents(database, made) == 1000
    early = database.change(lambda db: payments.book(db, told(2, REFUNDED, 350, reference="")))
    assert early.payment is None
    book(database, told(3, PAID))
    assert database.change(lambda db: payments.book(db, told(4, PAID, reference=""))).fits


def test_what_names_another_reference_than_its_payment_does_not_fit(database: Database) -> None:
    made = begun(database)
    book(database, told(1, PAID))
    booked = database.change(lambda db: payments.book(db, told(2, REFUNDED, 350, payment_id="cs_1", reference="pi_2")))
    assert not booked.fits
    assert cents(database, made) == 1000


BEGUN: dict[str, Any] = {"payment_id": "cs_1", "user_id": None, "amount_nanos": AMOUNT, "fee_nanos": FEE}


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ({"amount_nanos": 0}, InvalidRequest),
        ({"amount_nanos": -AMOUNT}, InvalidRequest),
        ({"amount_nanos": AMOUNT + 1}, InvalidRequest),
        ({"amount_nanos": MAX_NANOS + CENT}, InvalidRequest),
        ({"fee_nanos": FEE + 1}, InvalidRequest),
        ({"fee_nanos": -CENT}, InvalidRequest),
        ({"amount_nanos": 2 * AMOUNT}, Conflict),
        ({"fee_nanos": 0}, Conflict),
        ({"account_id": "another"}, Conflict),
    ],
)
def test_a_checkout_is_begun_once_and_for_whole_cents(
    database: Database, other: dict[str, Any], error: type[Exception]
) -> None:
    made = begun(database)
    again = {"account_id": made, **BEGUN}
    assert database.change(lambda db: payments.begin(db, **again)).created_us
    with pytest.raises(error):
        database.change(lambda db: payments.begin(db, **{**again, **other}))


def test_the_largest_checkout_is_the_most_that_can_be_paid_in(database: Database) -> None:
    made = account(database)
    most = {"account_id": made, **BEGUN, "amount_nanos": MAX_NANOS}
    assert database.change(lambda db: payments.begin(db, **most)).amount_nanos == MAX_NANOS


# -- looking -----------------------------------------------------------------------------------------------------------

DAMAGE = {
    "a payment that was credited more": (
        "UPDATE payments SET amount_nanos = amount_nanos + 1 WHERE id = 'cs_1'",
        [
            "payment, credit of cs_1 of {}: 10000000000 is booked, 10000000001 expected",
            "payment's events, what was moved by cs_1 of {}: 4000000000 is booked, 4000000001 expected",
        ],
    ),
    "a payment that waits, and was credited": (
        "UPDATE payments SET state = 'waiting' WHERE id = 'cs_1'",
        [
            "payment, credit of cs_1 of {}: 10000000000 is booked, 0 expected",
            "payment's events, waiting instead of disputed: cs_1 of {}",
        ],
    ),
    "a payment of which more was given back": (
        "UPDATE payments SET returned_nanos = returned_nanos + 1 WHERE id = 'cs_1'",
        [
            "payment, return of cs_1 of {}: -6000000000 is booked, -6000000001 expected",
            "payment's events, return of cs_1 of {}: 6000000001 is booked, 6000000000 expected",
        ],
    ),
    "a credit that is gone": (
        "DELETE FROM entries WHERE note = 'card cs_1'",
        ["payment, credit of cs_1 of {}: 0 is booked, 10000000000 expected"],
    ),
    "a refund of another sum": (
        "UPDATE entries SET posted_nanos = posted_nanos + 1 WHERE note = 'card dispute cs_1' AND posted_nanos > -2e9",
        ["payment, return of cs_1 of {}: -5999999999 is booked, -6000000000 expected"],
    ),
    "an event that is gone": (
        "DELETE FROM payment_events WHERE kind = 'paid'",
        [
            "payment's events, disputed instead of waiting: cs_1 of {}",
            "payment's events, return of cs_1 of {}: 6000000000 is booked, 0 expected",
            "payment's events, what was moved by cs_1 of {}: -6000000000 is booked, 0 expected",
        ],
    ),
    "an event that moved something else": (
        "UPDATE payment_events SET posted_nanos = posted_nanos - 1 WHERE id = 'evt_4'",
        ["payment's events, what was moved by cs_1 of {}: 3999999999 is booked, 4000000000 expected"],
    ),
}


@pytest.mark.parametrize(("damage", "expected"), DAMAGE.values(), ids=DAMAGE)
def test_a_payment_that_is_not_what_was_booked_is_told(database: Database, damage: str, expected: list[str]) -> None:
    made = begun(database)
    book(
        database,
        told(1, PAID),
        told(2, DISPUTED, 300, "dp_1"),
        told(3, WON, 300, "dp_1"),
        told(4, REFUNDED, 500, "re_1"),
        told(5, REFUNDED, 200, "re_2"),
        told(6, BOUNCED, 200, "re_2"),
        told(7, DISPUTED, 100, "dp_2"),
    )
    waits = {"payment_id": "cs_2", "user_id": None, "amount_nanos": AMOUNT, "fee_nanos": FEE}
    database.change(lambda db: payments.begin(db, account_id=made, **waits))  # type: ignore[arg-type]
    by_hand = "card payment by phone", "card cs_9"
    for note in by_hand:
        database.change(lambda db, note=note: pay.top_up(db, made, CENT, note))  # type: ignore[misc]
    assert adds_up(database)
    database.change(lambda db: db.run(damage))
    wrong = [one for one in database.ask(verify.verify).differences if one.what not in ("posted", "open holds")]
    assert [str(one) for one in wrong] == [one.format(made) for one in expected]
