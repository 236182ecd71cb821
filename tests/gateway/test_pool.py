"""The pool of credentials at a whole gateway: how a provider says no, what rests, for how long, what is tried next.

The clock is the test's: nobody waits. What a body means is proved in tests/routing, and that a rest outlives its worker in
tests/books/test_rests_outlive.py.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from gateway.house import Act, House, Json, Script, answers, as_bytes, chat, fails, open_house, says
from gateway.vendors import CLAUDE, GPT, claude_says, claude_text
from portico.catalog import OperatorModel
from portico.core.errors import UpstreamRateLimited
from portico.providers import KINDS
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules
from portico.wire.http import Exchange, HttpRequest

NOON = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC).timestamp()
MIDNIGHT_S = 20 * 3600 - 30
"""To the next one in Los Angeles."""
FOREVER = None
RULES = RoutingRules(breaker=BreakerRules(failures=0))
TYPE = "type.googleapis.com/google.rpc."


class Says(NamedTuple):
    """A way of saying no, and what it means: for how many seconds, and for whom."""

    act: Act
    rests_s: float | None
    """None: till a person looks."""
    all_models: bool = False
    status: int = 429
    """What the caller is told while everything rests."""
    vendor: str = "gemini"


def google(*details: Json, status: int = 429, word: str = "RESOURCE_EXHAUSTED", message: str = "quota") -> Act:
    return fails(status, word, message, [{**one, "@type": TYPE + one["@type"]} for one in details])


def quota(quota_id: str, **more: Any) -> Json:
    return {"@type": "QuotaFailure", "violations": [{"quotaId": quota_id, **more}]}


def delay(told: str) -> Json:
    return {"@type": "RetryInfo", "retryDelay": told}


def reason(word: str) -> Json:
    return {"@type": "ErrorInfo", "reason": word}


def refuses(status: int, body: Json, **headers: str) -> Act:
    async def act(exchange: Exchange) -> None:
        named = [(name.replace("_", "-"), value) for name, value in headers.items()]
        exchange.send(status, [("content-type", "application/json"), *named], as_bytes(body))

    return act


def openai(status: int, message: str, code: str, **headers: str) -> Act:
    return refuses(status, {"error": {"message": message, "type": "x", "param": None, "code": code}}, **headers)


def claude(status: int, word: str, message: str = "", **headers: str) -> Act:
    return refuses(status, {"type": "error", "error": {"type": word, "message": message}}, **headers)


PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
TABLE: dict[str, Says] = {
    "per minute": Says(google(quota(PER_MINUTE), delay("34.2s")), 34.2),
    "per minute, no delay": Says(google(quota(PER_MINUTE)), 30),
    "per minute, for all models": Says(google(quota("RequestsPerMinutePerProject"), delay("12s")), 12, True),
    "per day": Says(google(quota(PER_DAY, quotaValue="50"), delay("12s")), MIDNIGHT_S),
    "per day, for all models": Says(google(quota("RequestsPerDayPerProject")), MIDNIGHT_S, True),
    "limit 0": Says(google(quota(PER_MINUTE, quotaValue="0"), delay("12s")), MIDNIGHT_S),
    "shared capacity": Says(google(message="Resource exhausted. Please try again later."), 1),
    "spent balance": Says(google(message="Your prepayment credits are depleted."), 600, True),
    "suspended key": Says(
        google(reason("CONSUMER_SUSPENDED"), status=403, word="PERMISSION_DENIED"), FOREVER, True, 502
    ),
    "leaked key": Says(
        google(status=403, word="PERMISSION_DENIED", message="Your API key was reported as leaked."), FOREVER, True, 502
    ),
    "wrong key": Says(
        google(reason("API_KEY_INVALID"), status=400, word="INVALID_ARGUMENT", message="API key not valid."),
        FOREVER,
        True,
        502,
    ),
    "refused region": Says(
        google(status=400, word="FAILED_PRECONDITION", message="User location is not supported for the API use."),
        600,
        True,
        503,
    ),
    "OpenAI, per minute": Says(
        openai(429, "Rate limit reached on requests per min (RPM)", "rate_limit_exceeded", retry_after_ms="2500"),
        2.5,
        vendor="openai",
    ),
    "OpenAI, per day": Says(
        openai(429, "Rate limit on requests per day (RPD). Please try again in 7m12s.", "rate_limit_exceeded"),
        432,
        vendor="openai",
    ),
    "OpenAI, spent": Says(
        openai(429, "You exceeded your current quota", "insufficient_quota"), 600, True, 429, "openai"
    ),
    "OpenAI, deactivated": Says(openai(401, "Deactivated.", "account_deactivated"), FOREVER, True, 502, "openai"),
    "Claude, per minute": Says(
        claude(429, "rate_limit_error", "rate limit of 50 requests per minute", retry_after="17"),
        17,
        vendor="anthropic",
    ),
    "Claude, spent": Says(
        claude(400, "invalid_request_error", "Your credit balance is too low."), 600, True, 503, "anthropic"
    ),
    "Claude, wrong key": Says(claude(401, "authentication_error"), FOREVER, True, 502, "anthropic"),
}
MODELS = {"gemini": "gemini-3.5-flash", "openai": GPT, "anthropic": CLAUDE}
OTHERS = {"gemini": "gemini-2.5-flash", "openai": "gpt-5.5-pro", "anthropic": "claude-haiku-4-5"}
GOOD: Mapping[str, Json] = {
    "gemini": says("Hello"),
    "anthropic": claude_says(claude_text("Hello")),
    "openai": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": GPT,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    },
}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Pool:
    """A provider that refuses some keys, for some models, and answers all else."""

    def __init__(self, case: Says, refused: frozenset[str] = frozenset({"first"})) -> None:
        self._case = case
        self._refused = refused
        self.asked: list[str] = []
        """Keys, in their order."""

    async def __call__(self, exchange: Exchange) -> None:
        key = key_of(exchange.request)
        self.asked.append(key)
        await (self._case.act if key in self._refused else answers(GOOD[self._case.vendor]))(exchange)


def key_of(request: HttpRequest) -> str:
    headers = request.headers
    return headers.get("x-goog-api-key") or headers.get("x-api-key") or headers["authorization"].removeprefix("Bearer ")


def pool_house(pool: Any, case: Says, *, keys: tuple[str, ...], clock: Clock, **more: Any) -> Any:
    return open_house(pool, kinds=(KINDS[case.vendor],), keys=keys, now=clock, rules=RULES, **more)


async def ask(house: House, model: str) -> Any:
    return await house.ask(chat(model=model))


@pytest.mark.parametrize("name", TABLE)
async def test_how_long_it_rests_what_rests_with_it_and_what_the_caller_is_told(name: str) -> None:
    case, clock = TABLE[name], Clock()
    pool, model = Pool(case), MODELS[case.vendor]
    async with pool_house(pool, case, keys=("first",), clock=clock) as house:
        await ask(house, model)
        again = await ask(house, model)
        assert again.status == case.status
        assert len(pool.asked) == 1  # nobody is asked while all rest
        if case.rests_s is None:
            assert "retry-after" not in again.headers
            clock.now += 365 * 86_400
            assert (await ask(house, model)).status == case.status
            assert len(pool.asked) == 1
            house.relay.health.replace_rests({})  # a person has looked
        else:
            assert case.rests_s <= int(again.headers["retry-after"]) <= case.rests_s + 1
            clock.now = NOON + case.rests_s - 0.01
            await ask(house, model)
            assert len(pool.asked) == 1
            clock.now = NOON + case.rests_s + 0.01
        await ask(house, model)
        assert len(pool.asked) == 2


@pytest.mark.parametrize("name", TABLE)
async def test_whether_another_model_rests_too(name: str) -> None:
    case, clock = TABLE[name], Clock()
    pool = Pool(case)
    async with pool_house(pool, case, keys=("first",), clock=clock) as house:
        await ask(house, MODELS[case.vendor])
        await ask(house, OTHERS[case.vendor])
        assert len(pool.asked) == (1 if case.all_models else 2)


@pytest.mark.parametrize("name", TABLE)
async def test_the_next_key_is_tried_at_once_and_alone_while_the_first_rests(name: str) -> None:
    case, clock = TABLE[name], Clock()
    pool, model = Pool(case), MODELS[case.vendor]
    async with pool_house(pool, case, keys=("first", "second"), clock=clock) as house:
        for _ in range(12):  # who is first is chance, until the refused one was asked
            assert (await ask(house, model)).status == 200
        assert pool.asked.count("first") <= 1
        assert pool.asked.count("second") == 12
        if "first" in pool.asked and case.rests_s is not None:
            clock.now += case.rests_s + 0.01
            for _ in range(40):
                assert (await ask(house, model)).status == 200
                clock.now += 0.01
            assert pool.asked.count("first") == 2


@pytest.mark.parametrize("name", [name for name, case in TABLE.items() if case.vendor == "gemini"])
async def test_with_all_keys_resting_the_next_provider_is_tried(name: str) -> None:
    case, clock = TABLE[name], Clock()
    pool, other = Pool(case, frozenset({"first", "second"})), Script(answers(says("Hello")))
    models = [OperatorModel("duo", f"{at}/gemini-3.5-flash", priority=n) for n, at in enumerate(("gemini", "second"))]
    more = {"fleet": {"second": other}, "models": models}
    async with pool_house(pool, case, keys=("first", "second"), clock=clock, **more) as house:
        for _ in range(5):
            assert (await ask(house, "duo")).status == 200
        assert sorted(pool.asked) == ["first", "second"]
        assert len(other.requests) == 5


async def test_keys_of_one_project_rest_together_and_another_projects_key_is_next() -> None:
    projects = {"a1": "a", "a2": "a", "b1": "b"}
    case, clock = TABLE["per day"], Clock()
    pool = Pool(case, frozenset({"a1", "a2"}))
    async with pool_house(pool, case, keys=tuple(projects), clock=clock) as house:
        house.relay.health._group_of = lambda _, secret: projects[secret.reveal()]
        for _ in range(20):
            assert (await ask(house, MODELS["gemini"])).status == 200
        assert len([key for key in pool.asked if projects[key] == "a"]) == 1
        assert pool.asked.count("b1") == 20


async def test_what_a_suspended_key_is_refused_for_is_not_held_against_the_keys_of_its_project() -> None:
    case, clock = TABLE["suspended key"], Clock()
    pool = Pool(case, frozenset({"first"}))
    async with pool_house(pool, case, keys=("first", "second"), clock=clock) as house:
        house.relay.health._group_of = lambda *_: "one"
        for _ in range(12):
            assert (await ask(house, MODELS["gemini"])).status == 200
        assert pool.asked.count("first") <= 1


async def test_of_keys_that_rest_the_one_that_is_back_first_is_what_the_caller_waits_for() -> None:
    day, minute = TABLE["per day"], TABLE["per minute"]
    clock, asked = Clock(), list[str]()

    async def provider(exchange: Exchange) -> None:
        key = key_of(exchange.request)
        asked.append(key)
        await (day if key == "first" else minute).act(exchange)

    async with pool_house(provider, day, keys=("first", "second"), clock=clock) as house:
        first = await ask(house, MODELS["gemini"])
        assert sorted(asked) == ["first", "second"]
        assert (first.status, first.headers["retry-after"]) == (429, "35")
        assert first.error["code"] == UpstreamRateLimited.code
        clock.now += 35
        await ask(house, MODELS["gemini"])
        assert asked[2:] == ["second"]


async def test_what_answers_for_a_retired_model_rests_under_that_models_name_too() -> None:
    case, clock = TABLE["per day"], Clock()
    pool = Pool(case)
    async with pool_house(pool, case, keys=("first",), clock=clock) as house:
        for _ in range(3):
            assert (await ask(house, "gemini-3-pro-preview")).status == 429
        assert len(pool.asked) == 1


@pytest.mark.parametrize(
    ("vendor", "marker", "rests_s"),
    [
        ("gemini", "429", None),
        ("gemini", "429-day", MIDNIGHT_S),
        ("openai", "429", 2),
        ("openai", "429-day", 600),
        ("anthropic", "429", 2),
        ("anthropic", "429-day", 46_800),
    ],
)
async def test_what_the_simulator_provokes_rests_like_what_was_recorded(
    vendor: str, marker: str, rests_s: float | None
) -> None:
    clock = Clock()
    async with open_house(kinds=(KINDS[vendor],), keys=("good-key",), now=clock, rules=RULES) as house:
        first = await house.ask(chat(f"[[sim:{marker}]]", model=MODELS[vendor]))
        again = await house.ask(chat("Hello", model=MODELS[vendor]))
        assert (first.status, again.status) == (429, 429)
        assert first.headers["retry-after"] == again.headers["retry-after"]
        wait_s = int(again.headers["retry-after"])
        assert wait_s == pytest.approx(rests_s, abs=1) if rests_s else 1 <= wait_s <= 60
        clock.now += wait_s + 1
        assert (await house.ask(chat("Hello", model=MODELS[vendor]))).status == 200
