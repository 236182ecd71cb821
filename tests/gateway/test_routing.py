"""Who is asked for a call, and what its caller is told of it, before scripted providers (complaints 18 and 19)."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest

from gateway.house import KEY, Json, Script, answers, as_bytes, chat, fails, open_house, says
from gateway.vendors import GPT, claude_says, claude_text, gpt_message, gpt_says, message, response
from portico.accounts import Keyring, KeyRow, Policy
from portico.accounts.keys import digest_of
from portico.accounts.policy import encode_policy
from portico.catalog import OperatorModel
from portico.http import encodings
from portico.providers import KINDS
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules
from portico.wire.http import Exchange, HttpRequest

PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
TYPE = "type.googleapis.com/google.rpc."
TWO = [OperatorModel("duo", "gemini/gemini-3.5-flash"), OperatorModel("duo", "second/gemini-3.5-flash", priority=1)]


def limited(quota_id: str = PER_MINUTE, delay: str = "30s") -> Any:
    violations = [{"quotaId": quota_id}]
    details: list[Json] = [
        {"@type": TYPE + "QuotaFailure", "violations": violations},
        {"@type": TYPE + "RetryInfo", "retryDelay": delay},
    ]
    return fails(429, "RESOURCE_EXHAUSTED", "quota", details)


BUSY = fails(503, "UNAVAILABLE")
GOOD = answers(says("Hello"))
CHAT_SAYS = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": GPT,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}


def attempts(headers: dict[str, str]) -> list[tuple[str, str]]:
    told = json.loads(headers["x-portico-attempts"])
    return [(one["provider"], one["outcome"]) for one in told]


async def test_complaint_18_a_key_whose_quota_is_used_up_is_not_asked_again_and_another_is() -> None:
    provider = Script(limited(), GOOD)
    async with open_house(provider, keys=("first", "second")) as house:
        assert (await house.ask(chat())).status == 200
        used = [request.headers["x-goog-api-key"] for request in provider.requests]
        assert len(set(used)) == 2
        for _ in range(5):
            assert (await house.ask(chat())).status == 200
        assert {request.headers["x-goog-api-key"] for request in provider.requests[2:]} == {used[1]}


async def test_complaint_18_when_all_keys_rest_nobody_is_asked_and_the_caller_hears_when_to_come_back() -> None:
    provider = Script(limited(PER_MINUTE, "40s"))
    async with open_house(provider, keys=("first", "second")) as house:
        first = await house.ask(chat())
        again = await house.ask(chat())
        assert (first.status, again.status) == (429, 429)
        assert len(provider.requests) == 2
        assert 30 <= int(again.headers["retry-after"]) <= 40
        assert again.json()["error"]["code"] == "rate_limit_exceeded"


async def test_complaint_18_a_suspended_key_is_out_for_good() -> None:
    details: list[Json] = [{"@type": TYPE + "ErrorInfo", "reason": "CONSUMER_SUSPENDED"}]
    provider = Script(fails(403, "PERMISSION_DENIED", "suspended", details), GOOD)
    async with open_house(provider, keys=("first", "second")) as house:
        for _ in range(6):
            assert (await house.ask(chat())).status == 200
        assert len({request.headers["x-goog-api-key"] for request in provider.requests[1:]}) == 1


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (fails(401, "UNAUTHENTICATED", "no such key"), 502, "upstream_auth"),
        (fails(400, "FAILED_PRECONDITION", "User location is not supported."), 503, "upstream_unavailable"),
    ],
)
async def test_complaint_18_when_no_key_may_be_used_that_is_what_is_told_and_not_that_nobody_serves_the_model(
    failure: Any, status: int, code: str
) -> None:
    provider = Script(failure)
    async with open_house(provider, keys=("first", "second")) as house:
        first, again = await house.ask(chat()), await house.ask(chat())
        assert (first.status, again.status) == (status, status)
        assert [answer.json()["error"]["code"] for answer in (first, again)] == [code, code]
        assert len(provider.requests) == 2


STREAMS: dict[str, Json] = {
    "/v1/chat/completions": chat(model="duo", stream=True),
    "/v1/messages": message(model="duo", stream=True),
    "/v1/responses": response(model="duo", stream=True),
    "/v1beta/models/duo:streamGenerateContent?alt=sse": {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]},
}


@pytest.mark.parametrize("failure", [limited(), BUSY, fails(500, "INTERNAL"), answers(b"<html>", 502)])
@pytest.mark.parametrize("path", STREAMS)
async def test_complaint_19_a_stream_that_fails_before_its_first_event_is_asked_for_elsewhere(
    path: str, failure: Any
) -> None:
    first, second = Script(failure), Script(GOOD)
    async with open_house(first, fleet={"second": second}, models=TWO, keys=("sample-secret",)) as house:
        answer = await house.ask(STREAMS[path], path=path)
        assert answer.status == 200
        assert b"Hello" in answer.body
        assert b"error" not in answer.body.replace(b'"error":null', b"")
        assert [provider for provider, _ in attempts(answer.headers)] == ["gemini", "second"]
        assert len(first.requests) == len(second.requests) == 1
        for request in (first.requests[0], second.requests[0]):  # the reporter's traceback showed its key in an address
            assert "sample-secret" not in request.path + request.query
            assert request.headers["x-goog-api-key"] == "sample-secret"


async def test_nobody_waits_for_keys_that_stay_away_until_a_person_has_looked() -> None:
    rules = RoutingRules(retries=3, first_pause_s=1_000, longest_pause_s=1_000, deadline_s=10_000)
    async with open_house(Script(fails(401, "UNAUTHENTICATED")), rules=rules) as house:
        for _ in range(3):
            assert (await house.ask(chat())).status == 502  # at once: `ask` has no patience for a pause


async def test_what_may_pass_is_tried_again_after_a_pause() -> None:
    provider = Script(BUSY, BUSY, GOOD)
    rules = RoutingRules(retries=2, first_pause_s=0.01)
    async with open_house(provider, rules=rules) as house:
        answer = await house.ask(chat())
        assert answer.status == 200
        assert attempts(answer.headers) == [("gemini", "overloaded")] * 2 + [("gemini", "ok")]


async def test_a_call_is_not_tried_more_often_than_is_allowed() -> None:
    provider = Script(BUSY)
    rules = RoutingRules(retries=9, attempts=3, first_pause_s=0.001, breaker=BreakerRules(failures=0))
    async with open_house(provider, rules=rules) as house:
        answer = await house.ask(chat())
        assert answer.status == 503
        assert len(provider.requests) == 3
        assert attempts(answer.headers) == [("gemini", "overloaded")] * 3


async def test_nothing_is_told_of_attempts_when_the_first_succeeds() -> None:
    async with open_house(Script(GOOD)) as house:
        assert "x-portico-attempts" not in (await house.ask(chat())).headers


def too_large(status: int) -> Any:
    """What decodes to more than is read of an answer, or of an error."""

    async def act(exchange: Exchange) -> None:
        headers = [("content-type", "application/json"), ("content-encoding", "gzip")]
        exchange.send(status, headers, gzip.compress(as_bytes(says("a" * 3_000_000))))

    return act


@pytest.mark.parametrize(("status", "asked", "told"), [(200, 1, 502), (503, 2, 200)])
async def test_an_answer_that_is_too_large_is_not_made_and_paid_for_again(
    status: int, asked: int, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encodings, "DECODED_BYTES", 2_000_000)
    first, second = Script(too_large(status)), Script(GOOD)
    async with open_house(first, fleet={"second": second}, models=TWO) as house:
        answer = await house.ask(chat(model="duo"))
        assert (answer.status, len(first.requests) + len(second.requests)) == (told, asked)
        assert told == 200 or "too large" in answer.error["message"]


async def test_an_answer_that_is_too_large_opens_no_circuit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for it again and again keeps nobody else from the model."""
    monkeypatch.setattr(encodings, "DECODED_BYTES", 2_000_000)
    rules = RoutingRules(breaker=BreakerRules(failures=2, pause_s=60))
    provider = Script(fails(500, "INTERNAL"), too_large(200), too_large(200), fails(500, "INTERNAL"), GOOD)
    async with open_house(provider, rules=rules) as house:
        assert [(await house.ask(chat())).status for _ in range(5)] == [500, 502, 502, 500, 200]


async def test_a_rejected_request_is_not_tried_again() -> None:
    provider = Script(fails(400, "INVALID_ARGUMENT", "no"))
    async with open_house(provider, rules=RoutingRules(retries=3)) as house:
        assert (await house.ask(chat())).status == 400
        assert len(provider.requests) == 1


async def test_of_several_failures_the_most_useful_is_told() -> None:
    unusable = fails(403, "PERMISSION_DENIED", "no", [{"@type": TYPE + "ErrorInfo", "reason": "SERVICE_DISABLED"}])
    async with open_house(Script(limited(delay="7s")), fleet={"second": Script(unusable)}, models=TWO) as house:
        answer = await house.ask(chat(model="duo"))
        assert answer.status == 429
        assert answer.headers["retry-after"] == "7"


async def test_a_caller_may_pin_and_exclude_providers() -> None:
    first, second = Script(GOOD), Script(GOOD)
    async with open_house(first, fleet={"second": second}, models=TWO) as house:
        assert (await house.ask(chat(model="duo"), headers={"x-portico-providers": "second"})).status == 200
        assert (await house.ask(chat(model="duo"), headers={"x-portico-exclude": "gemini"})).status == 200
        assert (len(first.requests), len(second.requests)) == (0, 2)
        odd = await house.ask(chat(model="duo"), headers={"x-portico-providers": "nobody"})
        assert odd.status == 400
        assert "gemini, gemini/gemini-3.5-flash, second" in odd.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "blamed"),
    [
        ({"x-portico-exclude": "gemini, second"}, "x-portico-exclude"),
        ({"x-portico-exclude": "gemini/gemini-3.5-flash,second"}, "x-portico-exclude"),
        ({"x-portico-providers": "second", "x-portico-exclude": "second"}, "x-portico-exclude"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_whose_headers_leave_nobody_is_its_callers_mistake(
    headers: dict[str, str], blamed: str, stream: bool
) -> None:
    provider = Script(GOOD)
    async with open_house(provider, fleet={"second": provider}, models=TWO) as house:
        answer = await house.ask(chat(model="duo", stream=stream), headers=headers)
        assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "invalid_value", blamed)
        assert "leaves nobody" in answer.error["message"]
        assert not provider.requests


async def test_who_is_left_for_other_operations_alone_is_nobody_either() -> None:
    """Anthropic embeds nothing."""
    models = [OperatorModel("duo", "gemini/gemini-embedding-001"), OperatorModel("duo", "anthropic/claude-sonnet-5")]
    async with open_house(Script(GOOD), kinds=(KINDS["gemini"], KINDS["anthropic"]), models=models) as house:
        for header, name in (("x-portico-exclude", "gemini"), ("x-portico-providers", "anthropic")):
            body = {"model": "duo", "input": "Hello"}
            answer = await house.ask(body, path="/v1/embeddings", headers={header: name})
            assert (answer.status, answer.error["param"]) == (400, header)


async def test_a_call_falls_back_to_another_model_that_is_not_dearer() -> None:
    provider = Script(BUSY, GOOD)
    models = [OperatorModel("gemini-3.5-flash", fallbacks=("gemini-2.5-flash-lite",))]
    async with open_house(provider, models=models) as house:
        answer = await house.ask(chat())
        assert answer.status == 200
        assert "gemini-2.5-flash-lite" in provider.requests[1].path


async def test_a_caller_is_told_that_another_model_has_answered() -> None:
    models = [OperatorModel("gemini-3.5-flash", fallbacks=("gemini-2.5-flash-lite",))]
    async with open_house(Script(BUSY, GOOD), models=models) as house:
        told = (await house.ask(chat())).headers["x-portico-changes"]
        assert "gemini-3.5-flash did not answer; gemini-2.5-flash-lite answers in its place, at its own price" in told


async def test_what_follows_a_retired_fallback_answers_for_a_model_that_did_not_and_is_not_gone() -> None:
    models = [OperatorModel("gemini-3.5-flash", fallbacks=("gemini-3-pro-preview",))]
    async with open_house(Script(BUSY, GOOD), models=models, rules=RoutingRules(allow_dearer=True)) as house:
        told = (await house.ask(chat())).headers["x-portico-changes"]
        assert "gemini-3.5-flash did not answer; gemini-3.1-pro-preview answers in its place" in told


async def test_a_retired_model_is_said_to_be_gone_though_it_may_fall_back_to_its_successor() -> None:
    models = [OperatorModel("gemini-3-pro-preview", fallbacks=("gemini-3.1-pro-preview",))]
    async with open_house(Script(GOOD), models=models) as house:
        told = (await house.ask(chat(model="gemini-3-pro-preview"))).headers["x-portico-changes"]
        assert "gemini-3-pro-preview is no longer served by its provider; gemini-3.1-pro-preview answers" in told


LITE, PRO = "gemini-2.5-flash-lite", "gemini-2.5-pro"


@pytest.mark.parametrize(
    ("globs", "asked"),
    [
        ((), [LITE]),
        (("gemini-3.5-flash", "*-lite"), [LITE]),
        (("gemini-3.5-flash", PRO), [PRO]),
        (("gemini-3.5-flash",), []),
    ],
)
async def test_a_key_falls_back_to_models_that_it_may_ask_and_to_no_others(
    globs: tuple[str, ...], asked: list[str]
) -> None:
    provider = Script(BUSY, GOOD)
    models = [OperatorModel("gemini-3.5-flash", fallbacks=(LITE, PRO))]
    keyring = Keyring.of([KeyRow("key_1", "alice", digest_of(KEY), policy=encode_policy(Policy(models=globs)))])
    rules = RoutingRules(retries=0, allow_dearer=True)
    async with open_house(provider, models=models, keyring=keyring, rules=rules) as house:
        answer = await house.ask(chat())
        assert answer.status == (200 if asked else 503)
        assert [one.path.split("/")[-1].split(":")[0] for one in provider.requests[1:]] == asked


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_dearer_model_is_fallen_back_on_only_where_the_operator_allows_it(allowed: bool) -> None:
    provider = Script(BUSY, GOOD)
    models = [OperatorModel("gemini-2.5-flash-lite", fallbacks=("gemini-2.5-pro",))]
    async with open_house(provider, models=models, rules=RoutingRules(allow_dearer=allowed)) as house:
        answer = await house.ask(chat(model="gemini-2.5-flash-lite"))
        assert answer.status == (200 if allowed else 503)
        assert len(provider.requests) == (2 if allowed else 1)


BEFORE_ITS_SHUTDOWN = 1_793_500_000.0
"""November 1, 2026: GPT-5 mini is served until December 11."""
MISSING: Json = {
    "error": {"message": "The model does not exist", "type": "invalid_request_error", "code": "model_not_found"}
}


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_dearer_successor_of_a_missing_model_is_asked_only_where_the_operator_allows_it(allowed: bool) -> None:
    """GPT-5.6 Terra follows GPT-5 mini at six to eight times its price."""
    provider, rules = Script(answers(MISSING, 404), answers(CHAT_SAYS)), RoutingRules(allow_dearer=allowed)
    async with open_house(provider, kinds=(KINDS["openai"],), rules=rules, now=lambda: BEFORE_ITS_SHUTDOWN) as house:
        answer = await house.ask(chat(model="gpt-5-mini"))
        assert [body["model"] for body in provider.bodies] == ["gpt-5-mini", "gpt-5.6-terra"][: 1 + allowed]
        if allowed:
            assert (answer.status, answer.codes) == (200, ["6:successor"])
        else:
            assert (answer.status, answer.error["code"]) == (404, "model_not_found")


async def test_a_successor_that_is_not_dearer_is_asked_in_a_missing_models_place() -> None:
    provider = Script(answers(MISSING, 404), answers(CHAT_SAYS))
    async with open_house(provider, kinds=(KINDS["openai"],), now=lambda: BEFORE_ITS_SHUTDOWN) as house:
        answer = await house.ask(chat(model="gpt-4o"))
        assert answer.status == 200
        assert "gpt-4o is no longer served by its provider; gpt-6-luna" in answer.headers["x-portico-changes"]
        assert [body["model"] for body in provider.bodies] == ["gpt-4o", "gpt-6-luna"]


async def test_the_successor_of_a_fallback_is_held_to_the_price_of_the_model_that_was_asked_for() -> None:
    """It costs no more than the fallback, which costs no more than what was asked: nor does what follows it."""
    provider = Script(fails(503, "UNAVAILABLE"), answers(MISSING, 404), answers(CHAT_SAYS))
    models = [OperatorModel("gpt-5.4-mini", fallbacks=("gpt-5-mini",))]
    async with open_house(provider, kinds=(KINDS["openai"],), models=models, now=lambda: BEFORE_ITS_SHUTDOWN) as house:
        assert (await house.ask(chat(model="gpt-5.4-mini"))).status == 503
        assert [body["model"] for body in provider.bodies] == ["gpt-5.4-mini", "gpt-5-mini"]


@pytest.mark.parametrize("model", ["gpt-5-mini", "o1-mini"])
async def test_a_model_that_its_provider_has_retired_goes_to_its_successor_whatever_that_costs(model: str) -> None:
    """Decision 24. Nobody knows what o1-mini cost."""
    provider, after_it = Script(answers(CHAT_SAYS)), BEFORE_ITS_SHUTDOWN + 86_400 * 60
    async with open_house(provider, kinds=(KINDS["openai"],), now=lambda: after_it) as house:
        answer = await house.ask(chat(model=model))
        assert (answer.status, answer.codes) == (200, ["6:successor"])
        assert [body["model"] for body in provider.bodies] == ["gpt-5.6-terra"]


@pytest.mark.parametrize("served", [True, False])
async def test_a_retired_fallback_is_as_dear_as_who_answers_in_its_place(served: bool) -> None:
    provider = Script(BUSY, answers(CHAT_SAYS))
    models = [OperatorModel("gpt-5.4-mini", fallbacks=("gpt-5-mini",))]
    clock = BEFORE_ITS_SHUTDOWN + (0 if served else 86_400 * 60)
    async with open_house(provider, kinds=(KINDS["openai"],), models=models, now=lambda: clock) as house:
        assert (await house.ask(chat(model="gpt-5.4-mini"))).status == (200 if served else 503)
        assert len(provider.requests) == (2 if served else 1)


@pytest.mark.parametrize("allowed", [False, True])
async def test_from_a_model_of_unknown_price_a_call_falls_back_only_where_dearer_models_are_allowed(
    allowed: bool,
) -> None:
    provider = Script(BUSY, GOOD)
    models = [OperatorModel("own", "gemini/something-tuned", fallbacks=("gemini-2.5-flash-lite",))]
    async with open_house(provider, models=models, rules=RoutingRules(allow_dearer=allowed)) as house:
        assert (await house.ask(chat(model="own"))).status == (200 if allowed else 503)
        assert len(provider.requests) == (2 if allowed else 1)


@pytest.mark.parametrize(("fallback", "status"), [("gemini-2.5-flash-lite", 200), ("gemini-3.5-flash", 404)])
async def test_a_model_that_nobody_serves_has_fallbacks_within_its_listed_price(fallback: str, status: int) -> None:
    models = [OperatorModel("gpt-4o-mini", fallbacks=(fallback,))]
    async with open_house(Script(GOOD), models=models) as house:
        assert (await house.ask(chat(model="gpt-4o-mini"))).status == status


async def test_an_open_circuit_is_not_tried_while_another_provider_answers() -> None:
    first, second = Script(BUSY), Script(GOOD)
    rules = RoutingRules(breaker=BreakerRules(failures=2, pause_s=60))
    async with open_house(first, fleet={"second": second}, models=TWO, rules=rules) as house:
        for _ in range(6):
            assert (await house.ask(chat(model="duo"))).status == 200
        assert len(first.requests) == 2


async def test_when_every_circuit_is_open_that_is_told_and_no_quota_is_blamed() -> None:
    provider = Script(BUSY)
    async with open_house(provider, rules=RoutingRules(breaker=BreakerRules(failures=1, pause_s=30))) as house:
        await house.ask(chat())
        answer = await house.ask(chat())
        assert answer.status == 503
        assert 20 <= int(answer.headers["retry-after"]) <= 30
        assert len(provider.requests) == 1


MANY = tuple([f"key-{n}" for n in range(8)])


class Way(NamedTuple):
    """A caller's dialect, and the kind of provider that is asked."""

    path: str
    ask: Callable[..., Json]
    """Its smallest body."""
    kind: str
    answer: Any
    word: Callable[[str], Json]
    """How a caller says what its calls have in common."""


def by_cache_key(word: str) -> Json:
    return {"prompt_cache_key": word}


def by_metadata(word: str) -> Json:
    return {"metadata": {"user_id": word}}


WAYS = {
    "chat to gemini": Way("/v1/chat/completions", chat, "gemini", says("Hello"), by_cache_key),
    "chat to openai": Way("/v1/chat/completions", partial(chat, model=GPT), "openai", CHAT_SAYS, by_cache_key),
    "chat by user": Way("/v1/chat/completions", partial(chat, model=GPT), "openai", CHAT_SAYS, lambda w: {"user": w}),
    "responses to openai": Way("/v1/responses", response, "openai", gpt_says(gpt_message("Hello")), by_cache_key),
    "responses by safety": Way(
        "/v1/responses",
        response,
        "openai",
        gpt_says(gpt_message("Hello")),
        lambda word: {"safety_identifier": word},
    ),
    "messages to anthropic": Way("/v1/messages", message, "anthropic", claude_says(claude_text("Hello")), by_metadata),
    "messages to gemini": Way(
        "/v1/messages", partial(message, model="gemini-3.5-flash"), "gemini", says("Hello"), by_metadata
    ),
}


def key_of(request: HttpRequest) -> str:
    """The provider's key that a request came with."""
    headers = request.headers
    return str(headers.get("x-goog-api-key") or headers.get("x-api-key") or headers.get("authorization"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_calls_with_one_cache_key_go_the_same_way(way: Way) -> None:
    provider = Script(answers(way.answer))
    async with open_house(provider, kinds=(KINDS[way.kind],), keys=MANY) as house:
        for _ in range(8):
            answer = await house.ask(way.ask(**way.word("conversation-1")), path=way.path)
            assert answer.status == 200, answer.body
        assert len({key_of(request) for request in provider.requests}) == 1
        for number in range(30):
            await house.ask(way.ask(**way.word(f"conversation-{number}")), path=way.path)
        assert len({key_of(request) for request in provider.requests}) > 4


@pytest.mark.parametrize("passes", [False, True])
async def test_calls_with_one_cache_key_go_to_one_deployment(passes: bool) -> None:
    kind, model, body = ("openai", GPT, CHAT_SAYS) if passes else ("gemini", "gemini-3.5-flash", says("Hello"))
    first, second = Script(answers(body)), Script(answers(body))
    models = [OperatorModel("duo", f"{kind}/{model}"), OperatorModel("duo", f"second/{model}")]
    async with open_house(first, kinds=(KINDS[kind],), fleet={"second": second}, models=models) as house:
        for _ in range(10):
            assert (await house.ask(chat(model="duo", prompt_cache_key="conversation-1"))).status == 200
        assert {len(first.requests), len(second.requests)} == {0, 10}
        for number in range(20):
            await house.ask(chat(model="duo", prompt_cache_key=f"conversation-{number}"))
        assert min(len(first.requests), len(second.requests)) > 2


@pytest.mark.parametrize("word", [7, None, "", {"a": []}, ["x"]])
async def test_a_cache_key_that_is_no_word_says_nothing_and_is_left_to_the_provider(word: Any) -> None:
    provider = Script(answers(CHAT_SAYS))
    async with open_house(provider, kinds=(KINDS["openai"],), keys=MANY) as house:
        for _ in range(12):
            body = chat(model=GPT, prompt_cache_key=word, user=word, metadata=word, safety_identifier={"user_id": word})
            assert (await house.ask(body)).status == 200
        assert len({key_of(request) for request in provider.requests}) > 2
        assert provider.bodies[0]["prompt_cache_key"] == word


@pytest.mark.parametrize(
    ("sticky", "said", "ways"),
    [
        ("account", {}, 1),
        ("account", {"prompt_cache_key": "conversation"}, 1),
        ("user", {}, 8),
        ("none", {"prompt_cache_key": "conversation"}, 8),
    ],
)
@pytest.mark.parametrize("passes", [False, True])
async def test_the_operator_says_whose_calls_go_the_same_way(sticky: str, said: Json, ways: int, passes: bool) -> None:
    kind, model, body = ("openai", GPT, CHAT_SAYS) if passes else ("gemini", "gemini-3.5-flash", says("Hello"))
    provider, rules = Script(answers(body)), RoutingRules(sticky=sticky)
    async with open_house(provider, kinds=(KINDS[kind],), keys=MANY, rules=rules) as house:
        for _ in range(16):
            assert (await house.ask(chat(model=model, **said))).status == 200
        used = {key_of(request) for request in provider.requests}
        assert len(used) == 1 if ways == 1 else len(used) > 2


async def test_where_the_account_is_the_word_each_account_goes_its_own_way() -> None:
    keyring = Keyring({f"sk-portico-{n}": f"account-{n}" for n in range(20)})
    provider, rules = Script(GOOD), RoutingRules(sticky="account")
    async with open_house(provider, keys=MANY, rules=rules, keyring=keyring) as house:
        used: dict[str, set[str]] = {}
        for number in [*range(20), *range(20)]:
            assert (await house.ask(chat(), key=f"sk-portico-{number}")).status == 200
            used.setdefault(f"sk-portico-{number}", set()).add(key_of(provider.requests[-1]))
        assert all(len(keys) == 1 for keys in used.values())
        assert len(set.union(*used.values())) > 4
