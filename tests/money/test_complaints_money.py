"""Complaints 7 to 13 at a whole gateway, over real sockets: what the balance says after an answer, to the nano-dollar.

What a charge is made of is proved in tests/metering, and what the database decides in tests/ledger.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Json, Script, answers, candidate, chat, fails, says, until
from money.acts import Steps, piece, usage
from money.paid import USD, is_marked, paid_house
from portico.catalog import load_catalog
from portico.catalog.price import PriceKind

STREAMED = pytest.mark.parametrize("stream", [False, True])
PASSED = pytest.mark.parametrize("passes", [False, True])
NATIVE = "/v1beta/models/{model}:{verb}"


def rate(model: str, kind: PriceKind, modality: str, *, cached: bool = False) -> int:
    """A published rate, in nano-dollars for a million tokens."""
    prices = load_catalog().resolve(model).model.prices.in_force(datetime.now(UTC).date(), backend="gemini")
    fits = [row for row in prices if row.kind is kind and row.cached == cached and row.above_tokens == 0]
    found = {row.modality: row.rate_nanos for row in fits}
    return found.get(modality) or found["any"]


def nanos(*counted: tuple[int, int]) -> int:
    """Tokens at rates, rounded up once."""
    return -(-sum(tokens * rate for tokens, rate in counted) // 1_000_000)


@STREAMED
@pytest.mark.parametrize("policy", ["cancel", "drain"])
async def test_complaint_7_who_hangs_up_pays_what_the_provider_counted(
    tmp_path: Path, policy: str, stream: bool
) -> None:
    act = Steps(piece("one ", 40), piece("two", 80, "STOP")) if stream else Steps(piece("two", 80, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act), policy={"on_disconnect": policy}) as paid:
        async with paid.house.open(chat(stream=stream)) as wire:
            if stream:
                act.let_go()
                await wire.chunk()
            else:
                await until(lambda: act.asked == 1)
            wire.reset()
        cancelled = stream and policy == "cancel"
        if not cancelled:
            await until(lambda: paid.till.draining == 1)
            act.let_go()
        receipt = await paid.settled()
        assert 100 * USD - paid.account()[0] == paid.price(1000, 40 if cancelled else 80)
        assert not is_marked(receipt, "estimated")


@STREAMED
async def test_complaint_8_an_error_of_the_provider_is_no_output_that_is_paid(tmp_path: Path, stream: bool) -> None:
    script = Script(fails(500, "INTERNAL", "a long text of an error " * 100))
    async with paid_house(tmp_path / "books.db", script) as paid:
        assert (await paid.house.ask(chat("long " * 1000, stream=stream))).status >= 500
        receipt = await paid.settled()
        assert (paid.account(), receipt.get("charge_nanos", 0)) == ((100 * USD, 0), 0)


MODEL, PAINTER = "gemini-3.5-flash", "gemini-3-pro-image-preview"
IN, OUT = PriceKind.INPUT, PriceKind.OUTPUT
COUNTED: list[tuple[str, str, Json, list[tuple[int, int]]]] = [
    # the complaint, the model, what the provider counted, tokens at rates
    (
        "9",
        MODEL,
        usage(262_000, 100, cachedContentTokenCount=200_000) | {"totalTokenCount": 262_100},
        [
            (62_000, rate(MODEL, IN, "text")),
            (200_000, rate(MODEL, IN, "text", cached=True)),
            (100, rate(MODEL, OUT, "text")),
        ],
    ),
    (
        "10",
        MODEL,
        usage(1000, 10, thoughtsTokenCount=5000),
        [(1000, rate(MODEL, IN, "text")), (5010, rate(MODEL, OUT, "text"))],
    ),
    (
        "11",
        PAINTER,
        usage(1000, 1130, thoughtsTokenCount=300)
        | {"candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}]},
        [(1000, rate(PAINTER, IN, "text")), (1120, rate(PAINTER, OUT, "image")), (310, rate(PAINTER, OUT, "text"))],
    ),
]  # fmt: skip


async def charged(tmp_path: Path, number: str, *, passes: bool, stream: bool) -> tuple[int, int]:
    """What the answer cost its caller, and what it should."""
    ((_, model, counts, expected),) = [row for row in COUNTED if row[0] == number]
    answer = candidate({"text": "Hello"}, usageMetadata=counts, modelVersion=model)
    async with paid_house(tmp_path / "books.db", Script(answers(answer))) as paid:
        body: Any = chat(model=model, stream=stream)
        path = "/v1/chat/completions"
        if passes:
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path, body = NATIVE.format(model=model, verb=verb), {"contents": [{"parts": [{"text": "Hello"}]}]}
        told = await paid.house.ask(body, path=path)
        assert told.status == 200, told.body
        await paid.settled()
        return 100 * USD - paid.account()[0], nanos(*expected)


@STREAMED
@PASSED
async def test_complaint_9_a_prompt_out_of_the_cache_is_paid_once(tmp_path: Path, passes: bool, stream: bool) -> None:
    paid, expected = await charged(tmp_path, "9", passes=passes, stream=stream)
    assert paid == expected


@STREAMED
@PASSED
async def test_complaint_10_thoughts_are_paid_as_output(tmp_path: Path, passes: bool, stream: bool) -> None:
    paid, expected = await charged(tmp_path, "10", passes=passes, stream=stream)
    assert paid == expected


@STREAMED
@PASSED
async def test_complaint_11_a_picture_and_the_thoughts_before_it_have_their_own_rates(
    tmp_path: Path, passes: bool, stream: bool
) -> None:
    paid, expected = await charged(tmp_path, "11", passes=passes, stream=stream)
    assert paid == expected


@STREAMED
async def test_complaint_12_a_charge_above_its_hold_is_paid_in_full_and_the_next_call_refused(
    tmp_path: Path, stream: bool
) -> None:
    script = Script(answers(says("Hello", usageMetadata=usage(900_000, 60_000))))
    body = chat(stream=stream, max_tokens=10)
    async with paid_house(tmp_path / "books.db", script) as paid:
        ceiling = (await paid.house.ask(body, path="/v1/estimate")).json()["ceiling_nanos"]
        paid.set_balance(ceiling)
        assert (await paid.house.ask(body)).status == 200
        await paid.settled()
        charge = paid.price(900_000, 60_000)
        assert charge > ceiling
        assert paid.account() == (ceiling - charge, 0)
        refused = await paid.house.ask(body)
        assert (refused.status, refused.error["code"]) == (402, "insufficient_funds")


async def test_complaint_13_what_was_just_spent_is_counted_once_against_a_budget(tmp_path: Path) -> None:
    """Each call is served while the budget covers what was spent and one ceiling, however fast they follow."""
    charge, calls = 0, 5
    script = Script(answers(says("Hello", usageMetadata=usage(1000, 500))))
    body = chat(max_tokens=600)
    async with paid_house(tmp_path / "first.db", script) as paid:
        ceiling = (await paid.house.ask(body, path="/v1/estimate")).json()["ceiling_nanos"]
        charge = paid.price(1000, 500)
    budget = (calls - 1) * charge + ceiling
    async with paid_house(tmp_path / "books.db", script, policy={"budget_day_nanos": budget}) as paid:
        for number in range(1, calls + 1):
            assert (await paid.house.ask(body)).status == 200
            await paid.settled(number)
        refused = await paid.house.ask(body)
        spent = calls * charge
        assert (refused.status, spent + ceiling > budget) == (429, True)
        assert (await paid.house.ask(body)).error["code"] == "budget_exceeded"
        assert paid.account() == (100 * USD - spent, 0)
