"""Whether a call is tried again, by whom, and until when, before scripted providers. The decision alone, whatever happens:
tests/routing/test_again_laws.py.
"""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from gateway.house import Answer, Script, answers, chat, fails, open_house, says
from portico.catalog import OperatorModel
from portico.relay.relay import Settings
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules
from portico.wire.http import Exchange

FLASH = "gemini-3.5-flash"
TWO = [OperatorModel("duo", f"{name}/{FLASH}", priority=rank) for rank, name in enumerate(("gemini", "second"))]
RULES = RoutingRules(retries=2, first_pause_s=0.001, breaker=BreakerRules(failures=0))
BUSY, GOOD = fails(503, "UNAVAILABLE"), answers(says("Hello"))
IMPATIENT = Settings(first_byte_timeout_s=0.6)


async def stalls(_: Exchange) -> None:
    await asyncio.sleep(3600)


def after(pause_s: float, act: Any) -> Any:
    async def late(exchange: Exchange) -> None:
        await asyncio.sleep(pause_s)
        await act(exchange)

    return late


def duo(first: Any, second: Any, **options: Any) -> Any:
    return open_house(first, **{"fleet": {"second": second}, "models": TWO, "rules": RULES, **options})


def attempts(answer: Answer) -> list[tuple[str, str]]:
    return [(one["provider"], one["outcome"]) for one in json.loads(answer.headers["x-portico-attempts"])]


# -- the deadline


LATE = {"503": after(0.2, BUSY), "404": after(0.2, fails(404, "NOT_FOUND"))}


@pytest.mark.parametrize("first", LATE.values(), ids=LATE)
async def test_a_call_whose_time_is_up_asks_no_other_provider(first: Any) -> None:
    second = Script(GOOD)
    rules = msgspec.structs.replace(RULES, deadline_s=0.1)
    async with duo(Script(first), second, rules=rules) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status in (503, 404)
        assert not second.requests


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("act", LATE.values(), ids=LATE)
async def test_a_call_whose_time_is_up_asks_with_no_other_key(act: Any, stream: bool) -> None:
    provider = Script(act)
    rules = msgspec.structs.replace(RULES, deadline_s=0.1)
    async with open_house(provider, rules=rules, keys=("a", "b")) as house:
        assert (await house.ask(chat(stream=stream))).status in (503, 404)
        assert len(provider.requests) == 1


async def test_after_a_stall_another_provider_is_asked_before_another_key_of_the_silent_one() -> None:
    first, second = Script(stalls), Script(GOOD)
    rules = msgspec.structs.replace(RULES, deadline_s=10)
    keys = tuple([f"key-{n}" for n in range(6)])
    async with duo(first, second, rules=rules, settings=IMPATIENT, keys=keys) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status == 200
        assert attempts(answer) == [("gemini", "upstream_timeout"), ("second", "ok")]


async def test_where_all_are_silent_the_keys_of_the_first_come_last_and_none_after_the_deadline() -> None:
    first, second, slower = Script(stalls), Script(stalls), Settings(first_byte_timeout_s=0.3)
    rules = msgspec.structs.replace(RULES, deadline_s=1)
    async with duo(first, second, rules=rules, settings=slower, keys=("a", "b", "c")) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status == 504
        asked = [provider for provider, _ in attempts(answer)]
        assert asked == ["gemini", "second", "gemini", "second"][: len(asked)]
        assert 2 <= len(asked) <= 4


async def test_a_stream_that_is_not_begun_leaves_time_to_ask_another_provider() -> None:
    first, second = Script(stalls), Script(GOOD)
    rules = msgspec.structs.replace(RULES, deadline_s=2)
    async with duo(first, second, rules=rules) as house:  # whose patience with one provider is ten minutes
        answer = await house.ask(chat(model="duo", stream=True))
        assert answer.status == 200
        assert answer.events.text == "Hello"
        assert attempts(answer)[0] == ("gemini", "upstream_timeout")


async def test_the_only_provider_of_a_stream_may_take_its_time_whatever_the_deadline_and_its_other_keys() -> None:
    rules = msgspec.structs.replace(RULES, deadline_s=0.05)
    async with open_house(Script(after(0.3, GOOD)), rules=rules, keys=("a", "b")) as house:
        answer = await house.ask(chat(stream=True))
        assert answer.events.text == "Hello"


async def test_a_whole_answer_may_take_its_time_whoever_else_there_is() -> None:
    second = Script(GOOD)
    rules = msgspec.structs.replace(RULES, deadline_s=0.05)
    async with duo(Script(after(0.3, answers(says("Long thought")))), second, rules=rules) as house:
        assert (await house.ask(chat(model="duo"))).message["content"] == "Long thought"
        assert not second.requests


# -- who is tried again


OTHERS = {
    "the model is not there": fails(404, "NOT_FOUND"),
    "the key may not": fails(403, "PERMISSION_DENIED"),
    "the key is wrong": fails(401, "UNAUTHENTICATED"),
    "it is silent": stalls,
}


@pytest.mark.parametrize("order", [1, -1], ids=["first", "last"])
@pytest.mark.parametrize("other", OTHERS)
async def test_who_was_busy_is_asked_again_whatever_the_others_failed_with(other: str, order: int) -> None:
    busy, never = Script(BUSY, GOOD), Script(OTHERS[other])
    first, second = (busy, never)[::order]
    async with duo(first, second, settings=IMPATIENT) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status == 200
        assert (len(busy.requests), len(never.requests)) == (2, 1)


@pytest.mark.parametrize("other", OTHERS)
async def test_who_refused_or_was_silent_is_asked_once_in_a_call(other: str) -> None:
    busy, never = Script(BUSY), Script(OTHERS[other])
    async with duo(busy, never, settings=IMPATIENT) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status == 503
        assert (len(busy.requests), len(never.requests)) == (3, 1)


@pytest.mark.parametrize("other", OTHERS)
async def test_where_nothing_may_pass_nobody_is_tried_again(other: str) -> None:
    first, second = Script(OTHERS[other]), Script(OTHERS[other])
    async with duo(first, second, settings=IMPATIENT) as house:
        assert (await house.ask(chat(model="duo"))).status >= 400
        assert (len(first.requests), len(second.requests)) == (1, 1)


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_the_words_of_an_error_are_not_waited_for_longer_than_its_status_is_worth(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("portico.relay.verdict.WORDS_S", 0.1)

    async def trickles(exchange: Exchange) -> None:
        exchange.start(status, [("content-type", "application/json")])
        while True:
            exchange.write(b" ")
            await asyncio.sleep(0.02)

    async with duo(Script(trickles), Script(GOOD)) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status == 200
        assert attempts(answer)[-1] == ("second", "ok")


async def test_a_redirection_is_told_as_one_and_another_is_asked() -> None:
    async def elsewhere(exchange: Exchange) -> None:
        exchange.send(308, [("location", "https://elsewhere.test/")], b"")

    async with open_house(Script(elsewhere), rules=RULES) as house:
        answer = await house.ask(chat())
        assert (answer.status, answer.error["code"]) == (502, "bad_gateway")
        assert answer.error["message"].startswith(
            "The provider answers with a redirection (308), which is not followed"
        )
    async with duo(Script(elsewhere), Script(GOOD)) as house:
        assert (await house.ask(chat(model="duo"))).status == 200


async def test_a_refusal_too_long_to_be_read_is_the_callers_own_and_rests_nobody() -> None:
    """Google names each unknown field of a body, and a body may have any number of them."""
    long = fails(400, "INVALID_ARGUMENT", "Unknown name. " * 200_000)
    script = Script(*[long] * 10, answers(says("Hi")))
    async with open_house(script) as house:
        for _ in range(10):
            assert (await house.ask(chat())).status == 400
        assert (await house.ask(chat())).status == 200
        assert len(script.requests) == 11
