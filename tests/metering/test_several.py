"""A call that several models answered is charged for each at its own price, and by the lines of its receipt."""

from hypothesis import given, settings
from hypothesis import strategies as st

from metering.pricing import DOLLAR, made, rates_of, row
from portico.catalog import Rates
from portico.core.usage import Usage
from portico.metering.charge import FEMTOS, charge
from portico.metering.estimate import Delivered, estimate
from portico.metering.receipt import Receipt, explained
from portico.metering.several import Share, charged

PLAIN = made(row("input", 7), row("output", 11))
MARKED = made(row("input", 13), row("output", 17), markup_permille=1250)
UNKNOWN = Rates((), (), known=False, cost_known=False)


def share(
    name: str, rates: Rates, usage: Usage | None = None, *, prompts: int = 1, delivered: Delivered | None = None
) -> Share:
    return Share(name, f"{name}-1", f"{name}.example", rates, usage or Usage(), {}, prompts, delivered or Delivered())


def used(given: int, taken: int) -> Usage:
    return Usage(
        input_uncached={"text": given} if given else {},
        output_visible={"text": taken} if taken else {},
    )


counts = st.integers(0, 10**6)
shares_st = st.lists(
    st.builds(
        lambda rates, given, taken, shown: share("m", rates, used(given, taken), delivered=Delivered(shown)),
        st.sampled_from([PLAIN, MARKED]),
        counts,
        counts,
        counts,
    ),
    min_size=1,
    max_size=5,
)


@given(shares_st, st.integers(0, 10**4))
@settings(deadline=None)
def test_the_lines_add_up_to_the_charge_and_to_the_cost_each_rounded_once(shares: list[Share], held: int) -> None:
    guess = charged(shares, hold_nanos=held)
    paid = guess.charge
    sold = sum(line.amount_femtos * (line.markup_permille or paid.markup_permille) for line in paid.lines)
    assert guess.capped or paid.nanos == -(-sold // (FEMTOS * 1000))
    assert paid.cost_nanos == -(-sum(line.cost_femtos for line in paid.lines) // FEMTOS)
    alone = [charge(one.usage, {}, one.rates).nanos for one in shares]
    assert paid.nanos >= sum(alone) - len(alone) + 1  # what was reported is charged in full
    if guess.capped:
        assert paid.nanos == max(held, charged([unshown(one) for one in shares], hold_nanos=0).charge.nanos)


def unshown(one: Share) -> Share:
    return share(one.model, one.rates, one.usage)


@given(counts, counts, counts, st.integers(0, 10**4))
def test_one_alone_is_charged_as_any_call(given: int, taken: int, shown: int, held: int) -> None:
    usage, delivered = used(given, taken), Delivered(shown)
    most = max(held, charge(usage, {}, MARKED).nanos)
    alone = estimate(delivered, MARKED, hold_nanos=most, beside=usage)
    several = charged([share("m", MARKED, usage, delivered=delivered)], hold_nanos=held)
    assert (several.usage, several.charge.nanos, several.capped) == (alone.usage, alone.charge.nanos, alone.capped)


def test_what_is_alike_stands_once_and_what_differs_with_its_lines() -> None:
    same = charged([share("a", MARKED, used(1, 0)), share("b", MARKED, used(2, 0))], hold_nanos=0).charge
    assert (same.markup_permille, [line.markup_permille for line in same.lines]) == (1250, [0, 0])
    mixed = charged([share("a", PLAIN, used(1, 0)), share("b", MARKED, used(2, 0))], hold_nanos=0).charge
    assert (mixed.markup_permille, [line.markup_permille for line in mixed.lines]) == (1000, [1000, 1250])
    assert [(line.model, line.upstream_model, line.provider) for line in mixed.lines] == [
        ("a", "a-1", "a.example"),
        ("b", "b-1", "b.example"),
    ]


def test_a_prompt_is_long_by_the_lanes_of_its_own_model() -> None:
    """Two prompts of 150,000 tokens at one model are not beyond 200,000; one at the other is."""
    pro, dearer = rates_of("gemini-2.5-pro"), rates_of("gemini-3.1-pro-preview")
    shares = [share("a", pro, used(300_000, 0), prompts=2), share("b", dearer, used(250_000, 0))]
    assert [line.above_tokens for line in charged(shares, hold_nanos=0).charge.lines] == [0, 200_000]


def test_what_one_of_them_has_no_price_for_is_told_of_all() -> None:
    paid = charged([share("a", PLAIN, used(1, 1)), share("b", UNKNOWN, used(1, 1))], hold_nanos=0).charge
    assert (paid.unpriced, paid.cost_unknown) == (True, True)


def test_a_receipt_is_explained_by_who_answered() -> None:
    rates = made(row("output", 10 * DOLLAR), markup_permille=1200)
    paid = charged([share("a", rates, used(0, 1)), share("b", PLAIN, used(0, 1))], hold_nanos=0).charge
    told = explained(Receipt(request_id="r", account="a", lines=paid.lines, charge_nanos=paid.nanos))
    assert "[a-1 at a.example; x 1.20 markup; since 2024-01-01; a test]" in told[0]
    assert "b-1 at b.example; x 1.00 markup" in told[1]
