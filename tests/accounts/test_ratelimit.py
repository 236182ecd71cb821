"""What OpenAI clients read of a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rowbooks import Books
from portico.accounts import rows as accounts
from portico.accounts.keys import DEFAULT_TENANT
from portico.accounts.ratelimit import RateState, duration
from portico.ledger.hold import Held, Hold, Limits, Refused, Use


def test_a_limit_is_told_in_three_headers_and_no_limit_in_none() -> None:
    state = RateState.of([Use("rpm", 60, 59), Use("concurrent", 3, 2)], 90 * 1_000_000)
    assert state.headers() == [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "1"),
        ("x-ratelimit-reset-requests", "30s"),
    ]
    assert RateState.of([Use("budget_day", 5, 5)], 0).headers() == []


def test_both_limits_are_told_and_nothing_is_left_below_nothing() -> None:
    told = dict(RateState.of([Use("rpm", 1, 1), Use("tpm", 1000, 70_000)], 119_999_000).headers())
    assert told["x-ratelimit-remaining-requests"] == "0"
    assert told["x-ratelimit-remaining-tokens"] == "0"
    assert told["x-ratelimit-limit-tokens"] == "1000"
    assert told["x-ratelimit-reset-tokens"] == "1ms"


@pytest.mark.parametrize(
    ("kind", "names"), [("rpm", ["requests"]), ("tpm", ["tokens"]), ("concurrent", []), ("budget_month", [])]
)
def test_a_refusal_tells_of_the_limit_that_refused(kind: str, names: list[str]) -> None:
    told = dict(RateState.reached(kind, 10, 10, 12.5).headers())
    assert set(told) == {f"x-ratelimit-{what}-{name}" for what in ("limit", "remaining", "reset") for name in names}
    for name in names:
        assert told[f"x-ratelimit-remaining-{name}"] == "0"
        assert told[f"x-ratelimit-reset-{name}"] == "13s"


def test_what_the_books_say_of_a_key_is_what_its_caller_reads(books: Books) -> None:
    """Two holds under a limit of one: the first is told that nothing is left, the second what it ran into."""
    books.work(lambda db: accounts.ensure_default(db, "first-secret-of-an-operator"))

    def hold(request_id: str) -> Held | Refused:
        limits = Limits(rpm=1, tpm=1000)
        write = Hold(request_id, DEFAULT_TENANT, "key_1", "worker_1", 5, 30, prepaid=False, limits=limits)
        result = books.work(write.apply)
        assert isinstance(result, Held | Refused)
        return result

    # A minute may end between the two: then the second is the first of another.
    for number in range(3):
        held, refused = hold(f"req_{number}a"), hold(f"req_{number}b")
        if isinstance(held, Held) and isinstance(refused, Refused):
            break
    assert isinstance(held, Held)
    assert isinstance(refused, Refused)
    told = dict(RateState.of(held.uses, held.at_us).headers())
    assert (told["x-ratelimit-remaining-requests"], told["x-ratelimit-limit-requests"]) == ("0", "1")
    assert 0 <= int(told["x-ratelimit-remaining-tokens"]) <= 970
    state = RateState.reached(refused.reason, refused.limit, refused.used, refused.retry_after_s)
    assert dict(state.headers())["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0ms"),
        (0.0001, "1ms"),
        (0.64, "640ms"),
        (1, "1s"),
        (16.2, "17s"),
        (59.2, "1m0s"),
        (60, "1m0s"),
        (3661, "1h1m1s"),
    ],
)
def test_a_time_is_written_as_openai_does(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@given(st.integers(0, 2**60))
def test_a_minute_is_never_longer_than_a_minute(now_us: int) -> None:
    assert 0 < RateState.of([], now_us).reset_s <= 60
