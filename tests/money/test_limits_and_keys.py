"""Limits of a key and idempotency keys, from a caller's side: over real sockets, decided by the database."""

import asyncio
import time
from pathlib import Path

import pytest

from gateway.house import Script, answers, chat, fails, says, until
from money.acts import Steps, piece, usage
from money.paid import USD, paid_house

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
ONCE = {"idempotency-key": "order-66"}


async def early_in_a_minute() -> None:
    """Windows are of the clock: what is asked now is asked in one of them."""
    left_s = 60 - time.time() % 60
    if left_s < 10:
        await asyncio.sleep(left_s + 0.1)


async def test_the_requests_of_a_minute_are_counted_down_and_then_refused(tmp_path: Path) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script, policy={"rpm": 2}, prepaid=False) as paid:
        await early_in_a_minute()
        left = []
        for _ in range(2):
            answer = await paid.house.ask(chat())
            left.append(answer.headers["x-ratelimit-remaining-requests"])
        assert left == ["1", "0"]
        answer = await paid.house.ask(chat())
        assert (answer.status, answer.error["code"]) == (429, "rate_limit_exceeded")
        assert answer.headers["x-ratelimit-remaining-requests"] == "0"
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert len(script.requests) == 2
        await paid.settled(2)


async def test_calls_at_a_time_are_bounded(tmp_path: Path) -> None:
    act = Steps(ANSWER)
    async with paid_house(tmp_path / "books.db", Script(act), policy={"concurrent": 1}) as paid:
        async with paid.house.open(chat()) as first:
            await until(lambda: act.asked == 1)
            assert (await paid.house.ask(chat())).status == 429
            act.let_go(2)
            await first.rest()
        await paid.settled()
        assert (await paid.house.ask(chat())).status == 200
        await paid.settled(2)


async def test_a_spent_budget_is_a_429_that_is_not_to_be_retried(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), policy={"budget_day_nanos": 1}) as paid:
        answer = await paid.house.ask(chat())
        assert (answer.status, answer.error["code"]) == (429, "budget_exceeded")
        assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answered_key_is_given_the_same_answer_and_charged_once(tmp_path: Path, stream: bool) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        first = await paid.house.ask(chat(stream=stream), headers=ONCE)
        await paid.settled()
        again = await paid.house.ask(chat(stream=stream), headers=ONCE)
        assert again.body == first.body
        assert again.headers["x-portico-replayed"] == first.headers["x-portico-request-id"]
        assert len(script.requests) == 1
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)
        other = await paid.house.ask(chat("Another", stream=stream), headers=ONCE)
        assert other.status == 400


async def test_a_key_in_flight_is_a_409(tmp_path: Path) -> None:
    act = Steps(ANSWER)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        async with paid.house.open(chat(), headers=ONCE) as first:
            await until(lambda: act.asked == 1)
            assert (await paid.house.ask(chat(), headers=ONCE)).status == 409
            act.let_go()
            await first.rest()
        await paid.settled()


async def test_a_key_whose_call_failed_may_be_used_again(tmp_path: Path) -> None:
    script = Script(fails(503, "UNAVAILABLE"), answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        assert (await paid.house.ask(chat(), headers=ONCE)).status == 503
        await paid.settled()
        assert (await paid.house.ask(chat(), headers=ONCE)).status == 200
        await paid.settled(2)


async def test_a_caller_who_left_finds_the_drained_answer_under_its_key(tmp_path: Path) -> None:
    act = Steps(piece("Hello", 50, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        async with paid.house.open(chat(), headers=ONCE) as wire:
            await until(lambda: act.asked == 1)
            wire.reset()
        await until(lambda: paid.till.draining == 1)
        act.let_go()
        await paid.settled()
        again = await paid.house.ask(chat(), headers=ONCE)
        assert again.message["content"] == "Hello"
        assert act.asked == 1


async def test_a_count_of_tokens_takes_no_answer_from_the_tokens_of_a_minute(tmp_path: Path) -> None:
    """The limit is far below what an answer would be held for."""
    async with paid_house(tmp_path / "books.db", policy={"tpm": 500}) as paid:
        body = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
        answer = await paid.house.ask(body, path="/v1beta/models/gemini-3.5-flash:countTokens")
        assert answer.status == 200
        receipt = await paid.settled()
        assert receipt.get("charge_nanos", 0) == 0
        assert "flags" not in receipt
        assert (await paid.house.ask(chat())).status == 429
