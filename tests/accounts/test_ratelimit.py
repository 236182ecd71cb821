"""What OpenAI clients read of a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.accounts.ratelimit import RateState, duration


def test_a_limit_is_told_in_three_headers_and_no_limit_in_none() -> None:
    state = RateState.at(90 * 1_000_000, rpm=60, requests=59)
    assert state.headers() == [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "1"),
        ("x-ratelimit-reset-requests", "30s"),
    ]
    assert RateState.at(0).headers() == []


def test_both_limits_are_told_and_nothing_is_left_below_nothing() -> None:
    told = dict(RateState.at(119_999_000, rpm=1, requests=1, tpm=1000, tokens=70_000).headers())
    assert told["x-ratelimit-remaining-requests"] == "0"
    assert told["x-ratelimit-remaining-tokens"] == "0"
    assert told["x-ratelimit-limit-tokens"] == "1000"
    assert told["x-ratelimit-reset-tokens"] == "1ms"


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
    assert 0 < RateState.at(now_us).reset_s <= 60
