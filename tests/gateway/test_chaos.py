"""A fleet in which one attempt in three fails in a random way: what a call may end with follows from the fleet's own log.

Nobody is answered twice, no stream is begun anew after its first event, a failure is only told when every try allowed
failed, and nothing but what succeeded is charged.
"""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from gateway.house import Json, as_bytes, chat, open_house, says, soon
from portico.catalog import OperatorModel
from portico.relay.relay import Settings
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules
from portico.wire.http import Exchange

CALLS = 2000
AT_A_TIME = 16
NAMES = ("gemini", "second", "third")
MODELS = [OperatorModel("fleet", f"{name}/gemini-3.5-flash") for name in NAMES]
RULES = RoutingRules(
    retries=1, attempts=4, first_pause_s=0.001, longest_pause_s=0.002, breaker=BreakerRules(failures=0)
)
SETTINGS = Settings(first_byte_timeout_s=1.0, idle_timeout_s=1.0)

# How an attempt may fail before anything of it is shown, and after.
EARLY = ("500", "503", "429", "cut", "garbage", "empty")
LATE = ("late cut", "late garbage")


class Member:
    """One provider of the fleet. It logs how each attempt of each call went, by the word that the call brings."""

    def __init__(self, seed: int, log: dict[str, list[str]]) -> None:
        self._dice = random.Random(seed)
        self._log = log

    async def __call__(self, exchange: Exchange) -> None:
        word = json.loads(exchange.request.body)["contents"][-1]["parts"][0]["text"]
        streamed = "streamGenerateContent" in exchange.request.path
        fault = "good"
        if self._dice.random() < 1 / 3:
            fault = self._dice.choice((*EARLY, *LATE) if streamed else EARLY)
        self._log.setdefault(word, []).append(fault)
        _ACTS[fault](exchange, word, streamed)


def _good(exchange: Exchange, word: str, streamed: bool) -> None:
    if not streamed:
        exchange.send(200, [("content-type", "application/json")], as_bytes(says(f"Answer to {word}")))
        return
    _begin(exchange)
    _event(exchange, says("Answer to ", finish=None))
    _event(exchange, says(word))
    exchange.finish()


def _begin(exchange: Exchange) -> None:
    exchange.start(200, [("content-type", "text/event-stream")])


def _event(exchange: Exchange, body: Json) -> None:
    exchange.write(b"data: " + as_bytes(body) + b"\r\n\r\n")


def _refuses(status: int, word: str) -> Callable[[Exchange, str, bool], None]:
    def act(exchange: Exchange, _: str, streamed: bool) -> None:
        error: Json = {"code": status, "message": "chaos", "status": word}
        exchange.send(status, [("content-type", "application/json")], as_bytes({"error": error}))

    return act


def _cut(exchange: Exchange, word: str, streamed: bool) -> None:
    if streamed:
        _begin(exchange)
    exchange.abort()


def _garbage(exchange: Exchange, word: str, streamed: bool) -> None:
    if not streamed:
        exchange.send(200, [("content-type", "application/json")], b"<html>not an answer")
        return
    _begin(exchange)
    exchange.write(b"data: {not json\r\n\r\n")
    exchange.finish()


def _empty(exchange: Exchange, word: str, streamed: bool) -> None:
    exchange.send(503, [("content-type", "text/plain")], b"")


def _late_cut(exchange: Exchange, word: str, streamed: bool) -> None:
    _begin(exchange)
    _event(exchange, says("Answer to ", finish=None))
    asyncio.get_running_loop().call_later(0.02, exchange.abort)


def _late_garbage(exchange: Exchange, word: str, streamed: bool) -> None:
    _begin(exchange)
    _event(exchange, says("Answer to ", finish=None))
    exchange.write(b"data: {not json\r\n\r\n")
    exchange.finish()


_ACTS: dict[str, Callable[[Exchange, str, bool], None]] = {
    "good": _good,
    "500": _refuses(500, "INTERNAL"),
    "503": _refuses(503, "UNAVAILABLE"),
    "429": _refuses(429, "RESOURCE_EXHAUSTED"),
    "cut": _cut,
    "garbage": _garbage,
    "empty": _empty,
    "late cut": _late_cut,
    "late garbage": _late_garbage,
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_every_call_ends_as_the_fleets_log_allows(streamed: bool) -> None:
    log: dict[str, list[str]] = {}
    fleet = {name: Member(seed, log) for seed, name in enumerate(NAMES)}
    ended: dict[str, Any] = {}
    gate = asyncio.Semaphore(AT_A_TIME)
    async with open_house(
        fleet["gemini"],
        fleet={name: fleet[name] for name in NAMES[1:]},
        models=MODELS,
        rules=RULES,
        settings=SETTINGS,
    ) as house:
        # A 429 of shared capacity lets its provider rest for a second: here nothing rests, so that all are asked.
        house.relay.health.rest = lambda *_: None  # type: ignore[method-assign]

        async def one(number: int) -> None:
            word = f"word{number}"
            async with gate:
                ended[word] = await soon(house.ask(chat(word, model="fleet", stream=streamed)))

        await asyncio.gather(*[one(number) for number in range(CALLS // 2)])
    assert len(ended) == CALLS // 2
    for word, answer in ended.items():
        check(word, log[word], answer, streamed=streamed)


def check(word: str, attempts: list[str], answer: Any, *, streamed: bool) -> None:
    """The only acceptable outcome of one call, given how its attempts went."""
    *before, last = attempts
    assert all(fault in EARLY for fault in before), (word, attempts)  # what was shown or good is the last
    told = [one["provider"] for one in json.loads(answer.headers.get("x-portico-attempts", "[]"))]
    assert len(attempts) == 1 or len(told) == len(attempts)
    text = answer.body.decode()
    if last == "good":
        assert answer.status == 200
        assert said(answer, streamed=streamed) == f"Answer to {word}"
    elif last in LATE:
        assert answer.status == 200
        assert said(answer, streamed=streamed) == "Answer to "
        assert '"error"' in text
    else:
        assert len(attempts) == RULES.attempts, (word, attempts)
        assert answer.status in (429, 500, 502, 503)
        assert "Answer" not in text


def said(answer: Any, *, streamed: bool) -> str:
    """The visible text."""
    if not streamed:
        return str(answer.json()["choices"][0]["message"]["content"])
    frames = [line[6:] for line in answer.body.decode().split("\n\n") if line.startswith("data: {")]
    deltas = [choice["delta"] for frame in frames for choice in json.loads(frame).get("choices", ())]
    return "".join([delta.get("content") or "" for delta in deltas])
