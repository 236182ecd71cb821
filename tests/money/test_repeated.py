"""A request that is sent again under its idempotency key: one answer, one charge, whatever happened in between."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Act, Answer, Script, answers, chat, fails, open_house, says, until
from money.acts import Steps, piece, usage
from money.paid import USD, Paid, paid_house
from portico.http.idempotency import MAX_KEPT_BYTES
from portico.simulator import Simulator

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
ONCE = {"idempotency-key": "order-66"}
OF_THE_REQUEST = ("x-portico-request-id", "x-request-id", "request-id", "x-portico-replayed", "date")
NATIVE = "/v1beta/models/gemini-3.5-flash:"
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
CALLS: dict[str, tuple[str, Any]] = {
    "whole": ("/v1/chat/completions", chat()),
    "streamed": ("/v1/chat/completions", chat(stream=True)),
    "gemini": (NATIVE + "generateContent", GEMINI),
    "gemini streamed": (NATIVE + "streamGenerateContent?alt=sse", GEMINI),
    "gemini array": (NATIVE + "streamGenerateContent", GEMINI),
}
AT_ONCE = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0s"}]
"""The key does not rest after it."""
ALL = pytest.mark.parametrize("call", list(CALLS))


async def ask(paid: Paid, call: str, **headers: str) -> Answer:
    path, body = CALLS[call]
    return await paid.house.ask(body, path=path, headers=headers or ONCE)


def is_replay_of(again: Answer, first: Answer) -> bool:
    """Whether it says the same, under a request id of its own, and which request it was made for."""
    said = [
        (one.status, {name: value for name, value in one.headers.items() if name not in OF_THE_REQUEST}, one.body)
        for one in (first, again)
    ]
    for _, headers, _ in said:  # how the body ends is the connection's business
        headers.pop("transfer-encoding", None)
        headers.pop("content-length", None)
    first_id, id_ = first.headers["x-portico-request-id"], again.headers["x-portico-request-id"]
    return said[0] == said[1] and again.headers["x-portico-replayed"] == first_id != id_


@ALL
async def test_the_answer_is_given_again_in_every_way_it_can_be_asked_for(tmp_path: Path, call: str) -> None:
    async with paid_house(tmp_path / "books.db", Simulator()) as paid:
        first = await ask(paid, call)
        assert first.status == 200
        assert "x-portico-replayed" not in first.headers
        await paid.settled()
        balance = paid.account()
        for _ in range(2):
            assert is_replay_of(await ask(paid, call), first)
        assert paid.account() == balance
        assert len(paid.receipts()) == 1


@ALL
async def test_the_answer_outlives_the_gateway(tmp_path: Path, call: str) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        first = await ask(paid, call)
        await paid.settled()
        await paid.house.restart()
        assert is_replay_of(await ask(paid, call), first)
        assert len(script.requests) == 1
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_of_many_at_once_one_is_made(tmp_path: Path, stream: bool) -> None:
    act = Steps(piece("Hello", 500, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        asked = [asyncio.create_task(paid.house.ask(chat(stream=stream), headers=ONCE)) for _ in range(8)]
        await until(lambda: sum(task.done() for task in asked) == 7)
        act.let_go()
        found = [await task for task in asked]
        assert sorted(answer.status for answer in found) == [200] + 7 * [409]
        refused = [answer for answer in found if answer.status == 409]
        assert {answer.error["code"] for answer in refused} == {"request_in_flight"}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert all("x-should-retry" not in answer.headers for answer in refused)
        await paid.settled()
        (first,) = [answer for answer in found if answer.status == 200]
        assert is_replay_of(await paid.house.ask(chat(stream=stream), headers=ONCE), first)
        assert act.asked == 1


@pytest.mark.parametrize(
    "act", [fails(503, "UNAVAILABLE"), fails(400, "INVALID_ARGUMENT"), fails(429, "X", details=AT_ONCE)]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_failed_may_be_tried_again_under_its_key(tmp_path: Path, act: Act, stream: bool) -> None:
    script = Script(act, answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        failed = await paid.house.ask(chat(stream=stream), headers=ONCE)
        assert failed.status >= 400
        await paid.settled()
        again = await paid.house.ask(chat(stream=stream), headers=ONCE)
        assert again.status == 200
        assert "x-portico-replayed" not in again.headers
        await paid.settled(2)
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)


async def test_what_was_refused_for_want_of_money_may_be_tried_again_with_some(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), balance=1) as paid:
        assert (await ask(paid, "whole")).status == 402
        paid.set_balance(USD)
        assert (await ask(paid, "whole")).status == 200
        await paid.settled()


async def test_another_request_under_the_key_is_refused_and_not_made(tmp_path: Path) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        await ask(paid, "whole")
        await paid.settled()
        other = await paid.house.ask(chat("Another"), headers=ONCE)
        assert (other.status, other.error["code"]) == (400, "idempotency_key_reused")
        assert other.error["param"] == "idempotency-key"
        native = await ask(paid, "gemini")
        assert native.json()["error"]["status"] == "INVALID_ARGUMENT"
        assert len(script.requests) == 1


async def test_another_key_is_another_request(tmp_path: Path) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script) as paid:
        for number in range(2):
            assert (await ask(paid, "whole", **{"idempotency-key": f"order-{number}"})).status == 200
        await paid.settled(2)
        assert len(script.requests) == 2


@pytest.mark.parametrize("call", ["streamed", "gemini array"])
async def test_an_answer_too_long_to_keep_is_charged_once_and_told_as_that(tmp_path: Path, call: str) -> None:
    script = Script(answers(says("x" * (MAX_KEPT_BYTES + 1), usageMetadata=usage(1000, 500))))
    async with paid_house(tmp_path / "books.db", script) as paid:
        assert (await ask(paid, call)).status == 200
        await paid.settled()
        again = await ask(paid, call)
        assert (again.status, again.headers["x-should-retry"]) == (409, "false")
        told = again.json()
        error = told[0]["error"] if call == "gemini array" else told["error"]
        assert "too long" in error["message"]
        assert len(script.requests) == 1


async def test_the_caller_who_left_a_stream_finds_that_it_did_not_end(tmp_path: Path) -> None:
    act = Steps(piece("Hello", 50), piece(" there", 100, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        async with paid.house.open(chat(stream=True), headers=ONCE) as wire:
            act.let_go()
            await wire.chunk()
            wire.reset()
        await paid.settled()
        again = await ask(paid, "streamed")
        assert (again.status, again.headers["x-should-retry"]) == (409, "false")
        assert act.asked == 1


@pytest.mark.parametrize("policy", [{}, {"rpm": 5}])
async def test_a_replay_takes_nothing_of_a_limit(tmp_path: Path, policy: dict[str, Any]) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), policy=policy) as paid:
        first = await ask(paid, "whole")
        assert ("x-ratelimit-remaining-requests" in first.headers) == bool(policy)
        await paid.settled()
        again = await ask(paid, "whole")
        assert "x-ratelimit-remaining-requests" not in again.headers
        other = await ask(paid, "whole", **{"idempotency-key": "order-67"})
        if policy:
            left = [int(one.headers["x-ratelimit-remaining-requests"]) for one in (first, other)]
            assert left == [4, 3]
        await paid.settled(2)


async def test_without_books_there_is_nothing_to_repeat() -> None:
    """A key is no more than a header then, and each request is made."""
    script = Script(answers(ANSWER))
    async with open_house(script) as house:
        for _ in range(2):
            assert (await house.ask(chat(), headers=ONCE)).status == 200
    assert len(script.requests) == 2


async def test_while_the_books_are_away_only_what_may_be_made_twice_is_made(tmp_path: Path) -> None:
    """An open account is served meanwhile, and nobody can tell what was answered before under the same key."""
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), prepaid=False) as paid:
        paid.counter.broken = True
        told = [await paid.house.ask(chat(), headers=headers) for headers in ({}, ONCE, {}, ONCE)]
        assert [answer.status for answer in told] == [200, 503, 200, 503]
        paid.counter.open()
        await paid.settled(2)
        assert paid.account() == (100 * USD - 2 * paid.price(1000, 500), 0)
        first = await paid.house.ask(chat(), headers=ONCE)
        await paid.settled(3)
        again = await paid.house.ask(chat(), headers=ONCE)
        assert again.headers["x-portico-replayed"] == first.headers["x-portico-request-id"]
