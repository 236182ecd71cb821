"""Dollars are exact: what is written is read back as it was, and what is no amount is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.admin import dollars
from portico.core.errors import InvalidRequest


@given(st.integers(min_value=0, max_value=999_999_999_999_999_999))
def test_an_amount_is_read_back_as_it_was_written(amount: int) -> None:
    assert dollars.nanos(dollars.usd(amount), "amount", zero=True) == amount


@pytest.mark.parametrize(
    ("text", "nanos"),
    [("10", 10_000_000_000), ("12.50", 12_500_000_000), ("0.000000001", 1), (" 3 ", 3_000_000_000)],
)
def test_amounts_are_written_as_people_write_them(text: str, nanos: int) -> None:
    assert dollars.nanos(text, "amount") == nanos


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.00", "-1", "+1", "1e3", "$10", "1,000", "1.0000000001", "ten", "1.", ".5", "1_000", "٣", "NaN", "inf"],
)
def test_what_is_no_amount_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        dollars.nanos(text, "amount_usd")
    assert refused.value.param == "amount_usd"


@pytest.mark.parametrize(
    ("text", "zero", "message"),
    [
        ("0", False, "The amount is 0; it has to be more than 0."),
        ("-5", False, "The amount is -5; it has to be more than 0."),
        (" -0.50 ", True, "The amount is -0.50; it has to be 0 or more."),
        ("-x", False, "'-x' is not an amount in dollars, such as 10 or 12.50, with at most nine decimals."),
    ],
)
def test_what_is_too_little_is_told_as_that(text: str, zero: bool, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        dollars.nanos(text, "amount_usd", zero=zero)
    assert refused.value.message == message


@pytest.mark.parametrize("text", ["1000000000", "-1000000000.5"])
def test_what_is_too_long_is_told_as_that(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        dollars.nanos(text, "amount_usd")
    assert refused.value.message.endswith(" It has at most nine digits before the point.")


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "0.00"), (1, "0.000000001"), (-1, "-0.000000001"), (12_500_000_000, "12.50"), (-2_000_000_000, "-2.00")],
)
def test_amounts_are_told_with_every_digit_that_matters(nanos: int, text: str) -> None:
    assert dollars.usd(nanos) == text


@pytest.mark.parametrize(
    ("text", "permille"),
    [
        *(("1", 1000), ("1.2", 1200), ("+20%", 1200), ("-5%", 950), ("+0.5%", 1005), ("0.9", 900), ("-100%", 0)),
        *(("9.999", 9999), ("+900%", 10_000), ("+1900%", 20_000)),
    ],
)
def test_a_markup_is_a_factor_or_a_change(text: str, permille: int) -> None:
    assert dollars.permille(text, "factor") == permille


@pytest.mark.parametrize("text", ["", "20%", "1.2345", "-101%", "x", "-1", "+1.55%"])
def test_what_is_no_markup_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        dollars.permille(text, "factor")


@pytest.mark.parametrize("text", ["10", "20", "20.0", "12.5"])
def test_a_factor_that_looks_like_percent_is_asked_about(text: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        dollars.permille(text, "factor")
    assert f"Write +{text.removesuffix('.0')}% if" in told.value.message


@pytest.mark.parametrize("text", ["0", "0.0", "0.000"])
def test_a_factor_that_looks_like_no_markup_does_not_make_everything_free(text: str) -> None:
    with pytest.raises(InvalidRequest) as told:
        dollars.permille(text, "factor")
    assert "Write 1 for no markup, and -100%" in told.value.message


@pytest.mark.parametrize(
    ("permille", "text"), [(1000, "1.0"), (1200, "1.2"), (950, "0.95"), (1005, "1.005"), (0, "0.0")]
)
def test_a_markup_is_told_as_a_factor(permille: int, text: str) -> None:
    assert dollars.factor(permille) == text


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (100, 120, "+20%"),
        (100, 100, "0%"),
        (3, 4, "+33.3%"),
        (100, 50, "-50%"),
        (100, 0, "-100%"),
        (0, 5, "new"),
        (0, 0, "0%"),
        (10**9, 10**9 + 1, "<+0.1%"),
        (10**9, 10**9 - 1, "<-0.1%"),
    ],
)
def test_a_change_is_told_in_percent_and_never_as_nothing_unless_it_is(old: int, new: int, text: str) -> None:
    assert dollars.percent(old, new) == text
