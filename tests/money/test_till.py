"""What a worker knows of those who call, and when a call may run beside its hold by that."""

from random import Random
from typing import Any

import pytest

from metering.pricing import BOOKS
from money.test_tab_lanes import Desk
from portico.accounts import Caller
from portico.accounts.policy import Policy
from portico.ledger.hold import UNLIMITED, Held, Use
from portico.relay.till import MAX_KNOWN, Till, TillSettings

PREPAID = Caller("alice", "key_1", prepaid=True)
OPEN = Caller("alice", "key_1")
LIMITED = Caller("alice", "key_1", Policy(rpm=5))
PREPAID_LIMITED = Caller("alice", "key_1", Policy(rpm=5), prepaid=True)
SETTINGS = TillSettings(comfort=20, fresh_s=1.0, drains=2, storage_rest_s=1.0)


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def till_at(watch: Watch) -> Till:
    return Till(
        Desk(),
        lambda: BOOKS,
        worker_id=lambda: "worker_1",
        now=watch,
        clock=watch,
        rng=Random(3),
        settings=SETTINGS,
    )


@pytest.mark.parametrize(
    ("caller", "known", "comfortable"),
    [
        (PREPAID, None, False),
        (PREPAID, Held(200), True),
        (PREPAID, Held(199), False),
        (PREPAID_LIMITED, Held(200, (Use("rpm", 5, 3),)), True),
        (PREPAID_LIMITED, Held(199, (Use("rpm", 5, 3),)), False),
        (PREPAID_LIMITED, Held(200, (Use("rpm", 5, 4),)), False),
        (PREPAID_LIMITED, Held(200, (Use("rpm", 5, 4), Use("tpm", 100, 1))), False),
        (OPEN, None, True),
        (LIMITED, None, False),
        (LIMITED, Held(-5, (Use("rpm", 5, 3),)), True),
        (LIMITED, Held(-5, (Use("rpm", 5, 4),)), False),
        (LIMITED, Held(-5, (Use("concurrent", 5, 3),)), True),
        (LIMITED, Held(-5, (Use("concurrent", 5, 4),)), False),
        (LIMITED, Held(-5, (Use("tpm", 100, 50),)), True),
        (LIMITED, Held(-5, (Use("tpm", 100, 51),)), False),
        (LIMITED, Held(-5, (Use("budget_day", 100, 70),)), True),
        (LIMITED, Held(-5, (Use("budget_month", 100, 71),)), False),
    ],
)
def test_an_account_is_comfortable_by_what_its_last_hold_told(
    caller: Caller, known: Held | None, comfortable: bool
) -> None:
    """It could pay for twenty such calls, and this one comes near to no limit."""
    till = till_at(Watch())
    if known is not None:
        till.note(caller, known)
    assert till.is_comfortable(caller, 10, 30) is comfortable


@pytest.mark.parametrize(("age_s", "comfortable"), [(1.0, True), (1.25, False)])
def test_what_is_known_of_an_account_is_soon_too_old(age_s: float, comfortable: bool) -> None:
    watch = Watch()
    till = till_at(watch)
    till.note(PREPAID, Held(1000))
    watch.s += age_s
    assert till.is_comfortable(PREPAID, 10, 30) is comfortable


def test_holds_that_are_on_their_way_are_reckoned_with_until_they_are_decided() -> None:
    till = till_at(Watch())
    till.note(PREPAID, Held(200))
    for amount in (1, 2):
        till.begun(PREPAID, amount, 30)
    till.begun(Caller("bob", "key_2", prepaid=True), 50, 30)
    told = []
    for amount in (1, 2):
        told.append([till.is_comfortable(PREPAID, asked, 30) for asked in (7, 8, 9, 10)])
        till.decided(PREPAID, amount, 30)
    assert told == [[True, False, False, False], [True, True, False, False]]
    assert till.is_comfortable(PREPAID, 10, 30)


@pytest.mark.parametrize(
    ("use", "comfortable"),
    [
        (Use("rpm", 10, 6), [True, True, False]),
        (Use("concurrent", 10, 6), [True, True, False]),
        (Use("tpm", 100, 10), [True, False, False]),
        (Use("tpm", 1000, 690), [True, True, False]),
        (Use("budget_day", 100, 60), [True, True, False]),
    ],
)
def test_of_many_calls_at_once_no_more_run_beside_their_holds_than_a_limit_lets_through(
    use: Use, comfortable: list[bool]
) -> None:
    """Each of ten nano-dollars and forty tokens."""
    till = till_at(Watch())
    till.note(LIMITED, Held(0, (use,)))
    told = []
    for _ in comfortable:
        told.append(till.is_comfortable(LIMITED, 10, 40))
        till.begun(LIMITED, 10, 40)
    assert told == comfortable
    for before in reversed(comfortable):
        till.decided(LIMITED, 10, 40)
        assert till.is_comfortable(LIMITED, 10, 40) is before


def test_after_a_refusal_nothing_is_known_of_the_account_until_its_next_hold() -> None:
    till = till_at(Watch())
    other = Caller("alice", "key_2", prepaid=True)
    for caller in (PREPAID_LIMITED, other):
        till.note(caller, Held(1000, (Use("rpm", 5, 1),)))
    till.forget(PREPAID_LIMITED)
    assert not till.is_comfortable(PREPAID_LIMITED, 10, 30)
    assert not till.is_comfortable(other, 10, 30), "its account is the same"
    till.note(other, Held(1000))
    assert till.is_comfortable(other, 10, 30)
    assert not till.is_comfortable(PREPAID_LIMITED, 10, 30), "how it stands with its limits nobody said"


def test_a_database_that_failed_rests_until_its_time_is_over_or_it_answers() -> None:
    watch = Watch()
    till = till_at(watch)

    def rests() -> bool:
        return till.storage_rests

    assert not rests()
    till.storage_failed()
    assert rests()
    watch.s += 1.0
    assert not rests()
    till.storage_failed()
    till.note(OPEN, Held(0))
    assert not rests()


def test_the_limits_of_a_key_are_those_of_its_policy_as_it_is_now() -> None:
    till = till_at(Watch())
    assert till.limits_of(OPEN) is UNLIMITED
    assert till.limits_of(LIMITED).rpm == 5
    assert till.limits_of(LIMITED) is till.limits_of(LIMITED)
    assert till.limits_of(OPEN) is UNLIMITED
    values: dict[str, Any] = {"tpm": 1, "concurrent": 2, "budget_day_nanos": 3, "budget_month_nanos": 4}
    limits = till.limits_of(Caller("alice", "key_1", Policy(**values)))
    assert {name: getattr(limits, name) for name in values} == values


def test_of_limits_that_were_just_set_nothing_is_known_before_the_next_hold() -> None:
    """What the last hold told was of those there were: of a budget that is new it says nothing."""
    till = till_at(Watch())
    till.is_comfortable(LIMITED, 10, 0)
    till.note(LIMITED, Held(0, (Use("rpm", 5, 1),)))
    assert till.is_comfortable(LIMITED, 10, 0)
    assert not till.is_comfortable(Caller("alice", "key_1", Policy(rpm=5, budget_day_nanos=1)), 10, 0)


def test_of_too_many_accounts_and_keys_all_is_forgotten_and_learned_again() -> None:
    till = till_at(Watch())
    held = Held(1000, (Use("rpm", 5, 1),))

    def one(name: str) -> Caller:
        return Caller(f"of_{name}", name, Policy(rpm=5), prepaid=True)

    for number in range(MAX_KNOWN):
        till.note(one(f"key_{number}"), held)
    assert till.is_comfortable(one("key_0"), 10, 30)
    till.note(one("another"), held)
    assert not till.is_comfortable(one("key_0"), 10, 30)
    assert till.is_comfortable(one("another"), 10, 30)


def test_so_many_answers_are_read_for_nobody_and_no_more() -> None:
    till = till_at(Watch())
    assert [till.begin_drain() for _ in range(3)] == [True, True, False]
    till.end_drain()
    assert [till.begin_drain() for _ in range(2)] == [True, False]
