"""A receipt says by itself how its charge came about, and an estimate is what the published rule says."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.pricing import made, rates_of, row
from portico.catalog import Rates, usd_of_nanos
from portico.core.usage import Usage
from portico.metering.charge import FEMTOS, NOTHING, Charge, charge
from portico.metering.estimate import PICTURE_TOKENS, Delivered, estimate
from portico.metering.receipt import (
    ESTIMATED,
    UNPRICED,
    Receipt,
    Tried,
    buckets,
    decode,
    encode,
    explained,
    with_unpriced,
)

USAGE = Usage(
    input_uncached={"text": 12},
    input_cache_read={"text": 100},
    output_visible={"text": 40},
    output_reasoning={"text": 9},
)
PRO = rates_of("gemini-2.5-pro")
PAGE = "Google's price page, as of 2026-10-01, by way of LiteLLM 1.109.1"
TOOLS = "Google's price page, tools, as of 2026-10-01, by way of LiteLLM 1.109.1"


def receipt(paid: Charge, usage: Usage | None = USAGE, flags: tuple[str, ...] = ()) -> Receipt:
    return Receipt(
        request_id="req_1",
        account="acc_1",
        model="gemini-2.5-pro",
        usage=buckets(usage),
        raw_usage={"promptTokenCount": 112},
        uses={"web_search": 1},
        tries=(Tried("google", "gemini-2.5-pro", "ok"),),
        losses=("1.1:seed",),
        lines=paid.lines,
        markup_permille=paid.markup_permille,
        charge_nanos=paid.nanos,
        cost_nanos=paid.cost_nanos,
        cost_unknown=paid.cost_unknown,
        flags=with_unpriced(flags, paid),
    )


def test_a_receipt_comes_back_from_its_json() -> None:
    made_out = receipt(charge(USAGE, {"web_search": 1}, PRO))
    assert decode(encode(made_out)) == made_out
    assert decode(encode(made_out).decode()) == made_out


def test_what_is_empty_is_left_out_of_the_json() -> None:
    assert msgspec.json.decode(encode(Receipt(request_id="req_1", account="acc_1"))) == {
        "request_id": "req_1",
        "account": "acc_1",
    }


def test_a_receipt_can_be_added_up_by_hand() -> None:
    paid = charge(USAGE, {"web_search": 1}, msgspec.structs.replace(PRO, markup_permille=1_100))
    shown = decode(encode(receipt(paid)))
    femtos = sum(line.amount_femtos for line in shown.lines) * shown.markup_permille
    assert shown.charge_nanos == -(-femtos // (FEMTOS * 1000)) == paid.nanos
    assert shown.cost_nanos == -(-sum(line.cost_femtos for line in shown.lines) // FEMTOS)


def test_a_receipt_counts_for_the_day() -> None:
    made_out = receipt(charge(USAGE, {}, PRO))
    assert (made_out.input_tokens, made_out.cached_tokens) == (112, 100)
    assert (made_out.output_tokens, made_out.reasoning_tokens) == (49, 9)
    nothing = receipt(NOTHING, None)
    assert (nothing.input_tokens, nothing.output_tokens, nothing.usage) == (0, 0, None)


def test_a_receipt_says_once_what_it_could_not_price() -> None:
    paid = charge(USAGE, {}, Rates((), (), known=False, cost_known=False))
    assert receipt(paid).flags == (UNPRICED,)
    assert with_unpriced((UNPRICED,), paid) == (UNPRICED,)
    assert receipt(paid, flags=(ESTIMATED,)).flags == (ESTIMATED, UNPRICED)
    assert receipt(paid).cost_unknown


def test_a_receipt_explains_every_line() -> None:
    rates = msgspec.structs.replace(PRO, markup_permille=1_500)
    assert explained(receipt(charge(USAGE, {"web_search": 2}, rates), flags=(ESTIMATED,))) == [
        f"12 input (text) x $1.25/mtok = $0.000015 [since 2024-01-01; {PAGE}]",
        f"100 input_cached (text) x $0.125/mtok = $0.0000125 [since 2024-01-01; {PAGE}]",
        f"40 output (text) x $10.00/mtok = $0.0004 [since 2024-01-01; {PAGE}]",
        f"9 output_reasoning (text) x $10.00/mtok = $0.00009 [since 2024-01-01; {PAGE}]",
        f"1 web_search x $0.035/prompt = $0.035 [since 2024-01-01; {TOOLS}]",
        "sum: $0.0355175",
        "x 1.50 markup",
        "charged: $0.05327625, rounded up to whole nano-dollars",
        "estimated",
    ]


def test_a_receipt_explains_what_is_unusual() -> None:
    usage = Usage(input_uncached={"text": 200_001})
    assert explained(receipt(charge(usage, {}, PRO)))[0] == (
        f"200001 input (text) x $2.50/mtok = $0.5000025 [prompts over 200000 tokens; since 2024-01-01; {PAGE}]"
    )
    assert explained(receipt(charge(usage, {}, Rates((), (), known=False))))[0] == (
        "200001 x input (text): no price is known"
    )


# -- estimates ---------------------------------------------------------------------------------------------------------


def test_an_estimate_is_a_token_for_four_bytes_that_were_delivered() -> None:
    made_up = estimate(Delivered(text_bytes=403, thought_bytes=41), PRO, hold_nanos=10**9)
    assert made_up.usage == Usage(output_visible={"text": 100}, output_reasoning={"text": 10})
    assert made_up.charge == charge(made_up.usage, {}, PRO)
    assert not made_up.capped
    assert not estimate(Delivered(403, 41), PRO, hold_nanos=made_up.charge.nanos).capped, "it is just what was held"


def test_an_estimate_counts_pictures_as_the_least_they_are() -> None:
    made_up = estimate(Delivered(pictures=2), rates_of("gemini-3-pro-image"), hold_nanos=None)
    assert made_up.charge.nanos == 2 * PICTURE_TOKENS * 120_000


def test_an_embedding_of_which_nothing_was_reported_is_a_token_for_four_characters() -> None:
    made_up = estimate(Delivered(embedded_characters=43), rates_of("gemini-embedding-001"), hold_nanos=None)
    assert made_up.usage == Usage(input_uncached={"text": 10})
    assert made_up.charge.nanos == 10 * 150


def test_sound_is_counted_by_its_seconds() -> None:
    spoken = estimate(Delivered(spoken_s=2.53, read_characters=41), rates_of("gpt-4o-mini-tts"), hold_nanos=None)
    assert spoken.usage == Usage(input_uncached={"text": 10}, output_visible={"audio": 50})
    assert spoken.charge.nanos == 10 * 600 + 50 * 12_000
    heard = estimate(Delivered(text_bytes=9, heard_s=4.19), rates_of("gpt-4o-transcribe"), hold_nanos=None)
    assert heard.usage == Usage(input_uncached={"audio": 41}, output_visible={"text": 2})
    assert not heard.charge.unpriced


def test_complaint_8_where_nothing_was_delivered_nothing_is_paid_not_even_the_prompt() -> None:
    assert estimate(Delivered(text_bytes=3), PRO, hold_nanos=10**9).charge == NOTHING


def test_complaint_8_an_estimate_is_capped_by_the_hold() -> None:
    made_up = estimate(Delivered(text_bytes=4 * 10**6), PRO, hold_nanos=7)
    assert (made_up.charge.nanos, made_up.capped) == (7, True)
    assert estimate(Delivered(text_bytes=4 * 10**6), PRO, hold_nanos=None).charge.nanos == 10 * 10**9


@settings(deadline=None, derandomize=True, max_examples=200, database=None)
@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 99), st.integers(0, 10**12), st.integers(0, 10**12))
def test_an_estimate_is_never_more_than_the_hold_and_grows_with_what_was_delivered(
    text: int, thoughts: int, pictures: int, hold: int, rate: int
) -> None:
    rates = made(row("input", 0), row("output", rate))
    some = estimate(Delivered(text, thoughts, pictures), rates, hold_nanos=hold).charge.nanos
    more = estimate(Delivered(text + 5, thoughts + 5, pictures + 1), rates, hold_nanos=hold).charge.nanos
    assert 0 <= some <= more <= hold


@pytest.mark.parametrize(("femtos", "usd"), [(1, "0.000000000000001"), (15 * 10**9, "0.000015"), (10**15, "1.00")])
def test_amounts_of_lines_are_written_to_the_last_digit(femtos: int, usd: str) -> None:
    assert usd_of_nanos(femtos, 15) == usd
