"""A fleet of providers in which one attempt in three fails in a random way, and the log by which a call is judged.

Each attempt counts other tokens than any other, so that a charge says whose answer it is for. Nothing hangs on the clock:
the gateway's patience ends with an attempt that is silent, and with no other, however busy the machine is.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from gateway.house import Json, as_bytes, says
from portico.catalog import OperatorModel
from portico.http.client import HttpUpstream
from portico.http.exchange import HttpExchange
from portico.relay.relay import Settings
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules
from portico.wire.http import Exchange

NAMES = ("gemini", "second", "third")
SERVED = {"gemini": "gemini-3.5-flash", "second": "gemini-2.5-flash-lite", "third": "gemini-2.5-pro"}
"""What each of them answers with: models of different prices."""
MODELS = [OperatorModel("fleet", f"{name}/{model}") for name, model in SERVED.items()]
RULES = RoutingRules(
    retries=1, attempts=4, first_pause_s=0.001, longest_pause_s=0.002, breaker=BreakerRules(failures=0)
)
SETTINGS = Settings(first_byte_timeout_s=600.0, idle_timeout_s=600.0, commit_after_s=600.0)

# How an attempt may fail before anything of it is shown, and after; and how it may be good.
EARLY = ("500", "503", "429", "cut", "garbage", "empty", "stall", "loris")
LATE = ("late cut", "late garbage")
GOOD = ("good", "dribble", "slow")
OUTCOMES = {
    "500": "internal_error",
    "503": "overloaded",
    "429": "rate_limit_exceeded",
    "cut": "upstream_incomplete",
    "garbage": "bad_gateway",
    "empty": "overloaded",
    "stall": "upstream_timeout",
    "loris": "upstream_timeout",
    "late cut": "upstream_incomplete",
    "late garbage": "bad_gateway",
    "good": "ok",
    "dribble": "ok",
    "slow": "ok",
}
"""What a receipt says of each."""
STATUSES = {
    "rate_limit_exceeded": 429,
    "overloaded": 503,
    "upstream_timeout": 504,
    "internal_error": 500,
    "upstream_incomplete": 502,
    "bad_gateway": 502,
}
"""What a caller is told when all have failed: of the failures' codes the first of these, with this status."""
SILENT = ("stall", "loris")
SSE = [("content-type", "text/event-stream")]
JSON = [("content-type", "application/json")]


class Tried(NamedTuple):
    """One attempt as the fleet saw it, and what the answer reported: at its first event, and at its end."""

    provider: str
    fate: str
    prompt: int
    begun: int
    output: int

    @property
    def early(self) -> bool:
        return self.fate in EARLY


class Member:
    """One provider of the fleet. It logs how each attempt of each call went, by the word that the call brings."""

    def __init__(self, name: str, seed: int, log: dict[str, list[Tried]]) -> None:
        self._name = name
        self._dice = random.Random(seed)
        self._log = log
        self.upstream: HttpUpstream
        """By which the gateway asks."""

    async def __call__(self, exchange: Exchange) -> None:
        word = json.loads(exchange.request.body)["contents"][-1]["parts"][0]["text"]
        streamed = "streamGenerateContent" in exchange.request.path
        dice = self._dice
        fate = dice.choice((*EARLY, *LATE) if streamed else EARLY) if dice.random() < 1 / 3 else ""
        begun = dice.randrange(1, 500)
        fate = fate or dice.choices(GOOD, (90, 5, 5))[0]
        tried = Tried(self._name, fate, dice.randrange(1, 5000), begun, begun + dice.randrange(1, 500))
        self._log.setdefault(word, []).append(tried)
        await _ACTS[fate](exchange, Answered(word, tried, streamed=streamed))
        if fate in SILENT:
            await self._tire(exchange)

    async def _tire(self, exchange: Exchange) -> None:
        """Says nothing until the gateway's patience is at its end, which is soon."""
        assert isinstance(exchange, HttpExchange)
        await asyncio.sleep(0.2)
        there, here = exchange.ends()
        for connection in list(self.upstream._open):
            # Both ends: connections to two members may have one port on the gateway's side.
            told = [connection.transport.get_extra_info(end)[:2] for end in ("sockname", "peername")]
            if told == [there, here]:
                connection.expired()
        await asyncio.sleep(3600)


class Answered:
    """What a good answer to a call is."""

    def __init__(self, word: str, tried: Tried, *, streamed: bool) -> None:
        self.streamed = streamed
        self.first = b"data: " + as_bytes(_says("Answer to ", None, tried.prompt, tried.begun)) + b"\r\n\r\n"
        self.second = b"data: " + as_bytes(_says(word, "STOP", tried.prompt, tried.output)) + b"\r\n\r\n"
        self.whole = as_bytes(_says(f"Answer to {word}", "STOP", tried.prompt, tried.output))


def _says(text: str, finish: str | None, prompt: int, output: int) -> Json:
    counts = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    return says(text, finish=finish, usageMetadata=counts)


async def _good(exchange: Exchange, answer: Answered) -> None:
    if not answer.streamed:
        exchange.send(200, JSON, answer.whole)
        return
    exchange.start(200, SSE)
    exchange.write(answer.first)
    exchange.write(answer.second)
    exchange.finish()


async def _slow(exchange: Exchange, answer: Answered) -> None:
    """A good answer, after others would have been asked."""
    await asyncio.sleep(0.05)
    await _good(exchange, answer)


async def _dribble(exchange: Exchange, answer: Answered) -> None:
    """A good answer, a few bytes at a time."""
    data = answer.first + answer.second if answer.streamed else answer.whole
    exchange.start(200, SSE if answer.streamed else JSON)
    for at in range(0, len(data), 16):
        exchange.write(data[at : at + 16])
        await asyncio.sleep(0.001)
    exchange.finish()


async def _loris(exchange: Exchange, answer: Answered) -> None:
    """The same, until it falls silent before anything of it can be shown."""
    exchange.start(200, SSE if answer.streamed else JSON)
    for at in range(0, 32, 4):
        exchange.write((answer.first if answer.streamed else answer.whole)[at : at + 4])
        await asyncio.sleep(0.001)


async def _stall(exchange: Exchange, answer: Answered) -> None:
    """Nothing at all."""


def _refuses(status: int, word: str) -> Callable[[Exchange, Answered], Awaitable[None]]:
    async def act(exchange: Exchange, _: Answered) -> None:
        error: Json = {"code": status, "message": "chaos", "status": word}
        exchange.send(status, JSON, as_bytes({"error": error}))

    return act


async def _cut(exchange: Exchange, answer: Answered) -> None:
    exchange.start(200, SSE if answer.streamed else JSON)
    exchange.write(answer.whole[:20] if not answer.streamed else b": here\r\n\r\n")
    await asyncio.sleep(0.01)
    exchange.abort()


async def _garbage(exchange: Exchange, answer: Answered) -> None:
    if not answer.streamed:
        exchange.send(200, JSON, b"<html>not an answer")
        return
    exchange.start(200, SSE)
    exchange.write(b"data: {not json\r\n\r\n")
    exchange.finish()


async def _empty(exchange: Exchange, answer: Answered) -> None:
    exchange.send(503, [("content-type", "text/plain")], b"")


async def _late_cut(exchange: Exchange, answer: Answered) -> None:
    exchange.start(200, SSE)
    exchange.write(answer.first)
    await asyncio.sleep(0.02)
    exchange.abort()


async def _late_garbage(exchange: Exchange, answer: Answered) -> None:
    exchange.start(200, SSE)
    exchange.write(answer.first)
    exchange.write(b"data: {not json\r\n\r\n")
    exchange.finish()


_ACTS: dict[str, Callable[[Exchange, Answered], Awaitable[None]]] = {
    "good": _good,
    "dribble": _dribble,
    "slow": _slow,
    "loris": _loris,
    "stall": _stall,
    "500": _refuses(500, "INTERNAL"),
    "503": _refuses(503, "UNAVAILABLE"),
    "429": _refuses(429, "RESOURCE_EXHAUSTED"),
    "cut": _cut,
    "garbage": _garbage,
    "empty": _empty,
    "late cut": _late_cut,
    "late garbage": _late_garbage,
}


def fleet(log: dict[str, list[Tried]]) -> dict[str, Member]:
    """All of them, by name."""
    return {name: Member(name, seed, log) for seed, name in enumerate(NAMES)}


def join(members: Mapping[str, Member], upstream: HttpUpstream) -> None:
    """Once the gateway has been started that asks by it."""
    for member in members.values():
        member.upstream = upstream


def check(word: str, attempts: list[Tried], answer: Any, *, streamed: bool) -> None:
    """The only acceptable outcome of one call, given how its attempts went."""
    *before, last = attempts
    assert all(one.early for one in before), (word, attempts)  # what was shown or good is the last
    told = json.loads(answer.headers.get("x-portico-attempts", "[]"))
    if len(attempts) > 1:
        assert [one["provider"] for one in told] == [one.provider for one in attempts]
        # A head is written before an answer is over, so that of the last of a stream nothing is known yet.
        known = attempts if not streamed or last.early else before
        assert [one["outcome"] for one in told[: len(known)]] == [OUTCOMES[one.fate] for one in known]
    text = answer.body.decode()
    if last.fate in GOOD:
        assert answer.status == 200
        assert said(answer, streamed=streamed) == f"Answer to {word}"
    elif last.fate in LATE:
        assert answer.status == 200
        assert said(answer, streamed=streamed) == "Answer to "
        assert '"error"' in text
    else:
        check_failed(attempts, answer)
        assert "Answer" not in text


def check_failed(attempts: list[Tried], answer: Any) -> None:
    """The only acceptable outcome of a call that everybody failed."""
    first, again = attempts[: len(NAMES)], attempts[len(NAMES) :]
    assert sorted([one.provider for one in first]) == sorted(NAMES)
    silent = {one.provider for one in first if one.fate in SILENT}  # they are not asked a second time
    assert len(again) == (RULES.attempts - len(NAMES) if len(silent) < len(NAMES) else 0), attempts
    assert not silent & {one.provider for one in again}, attempts
    codes = [OUTCOMES[one.fate] for one in attempts]
    code = next(code for code in STATUSES if code in codes)
    assert (answer.status, answer.json()["error"]["code"]) == (STATUSES[code], code), attempts


def said(answer: Any, *, streamed: bool) -> str:
    """The visible text."""
    if not streamed:
        return str(answer.json()["choices"][0]["message"]["content"])
    frames = [line[6:] for line in answer.body.decode().split("\n\n") if line.startswith("data: {")]
    deltas = [choice["delta"] for frame in frames for choice in json.loads(frame).get("choices", ())]
    return "".join([delta.get("content") or "" for delta in deltas])
