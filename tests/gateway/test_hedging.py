"""Two candidates beside each other: when, who answers, what becomes of the other (`[routing] hedge_after_s`)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Answer, Json, Script, answers, as_bytes, chat, fails, open_house, says, soon, until
from gateway.vendors import CLAUDE, claude_events, streams_named
from money.acts import Steps, piece, usage
from money.paid import USD, paid_house, price_of
from portico.catalog import OperatorModel
from portico.core.errors import InsufficientFunds, UpstreamRejected
from portico.providers import KINDS, Provider, Secret
from portico.relay.hedge import Budget, Runner, hedged
from portico.relay.report import ANSWERING, CANCELLED, Try
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules, Policy
from portico.wire.http import Exchange

FLASH = "gemini-3.5-flash"
NAMES = ("gemini", "second", "third")
MODELS = [OperatorModel("trio", f"{name}/{FLASH}", priority=rank) for rank, name in enumerate(NAMES)]
AT_ONCE = RoutingRules(hedge_after_s=0.001, breaker=BreakerRules(failures=0))
NEVER = RoutingRules(hedge_after_s=60)
BODY = chat(model="trio", stream=True)
NATIVE = "/v1beta/models/trio:streamGenerateContent?alt=sse"
NATIVE_BODY: Json = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


def waits(word: str, output: int = 40) -> Steps:
    return Steps(piece(f"{word} ", output // 2), piece("there", output, "STOP"))


def fails_late(status: int, word: str) -> tuple[Callable[[Any], Awaitable[None]], asyncio.Event]:
    let_go = asyncio.Event()

    async def act(exchange: Any) -> None:
        await let_go.wait()
        await fails(status, word)(exchange)

    return act, let_go


def attempts(answer: Answer) -> list[tuple[str, str, bool]]:
    told = json.loads(answer.headers["x-portico-attempts"])
    return [(one["provider"], one["outcome"], one.get("beside", False)) for one in told]


def fleet(first: Any, second: Any, third: Any = None, **options: Any) -> Any:
    others = {"second": Script(second), "third": Script(third or answers(says("Third")))}
    return open_house(Script(first), **{"fleet": others, "models": MODELS, "rules": AT_ONCE, **options})


async def test_nobody_is_asked_beside_another_unless_that_is_wanted() -> None:
    first, second = waits("First"), waits("Second")
    async with fleet(first, second, rules=None) as house:
        call = asyncio.create_task(house.ask(BODY))
        await until(lambda: first.asked)
        await asyncio.sleep(0.05)
        first.let_go(2)
        assert (await soon(call)).events.text == "First there"
        assert second.asked == 0


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/chat/completions", BODY), (NATIVE, NATIVE_BODY)], ids=["told", "passed"]
)
async def test_who_is_asked_beside_a_silent_one_may_answer_and_the_silent_one_is_cut_off(path: str, body: Json) -> None:
    first, second = waits("First"), waits("Second")
    async with fleet(first, second) as house:
        call = asyncio.create_task(house.ask(body, path=path))
        await until(lambda: first.asked and second.asked)
        second.let_go()
        await until(lambda: first.cut)  # with the first event, not with the last
        second.let_go()
        answer = await soon(call)
        assert b"Second" in answer.body
        assert b"there" in answer.body
        assert b"First" not in answer.body
        assert attempts(answer)[:2] == [("gemini", "cancelled", False), ("second", "answering", True)]


async def test_who_was_asked_first_may_still_answer_first() -> None:
    first, second = waits("First"), waits("Second")
    async with fleet(first, second) as house:
        call = asyncio.create_task(house.ask(BODY))
        await until(lambda: first.asked and second.asked)
        first.let_go(2)
        answer = await soon(call)
        assert answer.events.text == "First there"
        assert attempts(answer) == [("gemini", "answering", False), ("second", "cancelled", True)]
        await until(lambda: second.cut)


async def test_who_shows_something_in_time_has_nobody_beside_it() -> None:
    first, second = Steps(piece("First ", 20), piece("there", 40, "STOP"), held=False), waits("Second")
    async with fleet(first, second, rules=NEVER) as house:
        assert (await house.ask(BODY)).events.text == "First there"
        assert second.asked == 0


async def test_if_the_first_fails_the_other_goes_on_alone() -> None:
    first, let_go = fails_late(503, "UNAVAILABLE")
    second, third = waits("Second"), waits("Third")
    async with fleet(first, second, third) as house:
        call = asyncio.create_task(house.ask(BODY))
        await until(lambda: second.asked)
        let_go.set()
        await until(lambda: house.upstream.idle_connections)  # its refusal was read
        await asyncio.sleep(0.05)
        second.let_go(2)
        answer = await soon(call)
        assert answer.events.text == "Second there"
        assert attempts(answer) == [("gemini", "overloaded", False), ("second", "answering", True)]
        assert third.asked == 0


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_if_the_other_fails_the_first_goes_on_as_if_it_had_been_alone(status: int) -> None:
    first, asked = waits("First"), list[int]()

    async def second(exchange: Exchange) -> None:
        asked.append(status)
        await fails(status, "WORD")(exchange)

    async with fleet(first, second) as house:
        call = asyncio.create_task(house.ask(BODY))
        await until(lambda: asked)
        await asyncio.sleep(0.05)
        first.let_go(2)
        answer = await soon(call)
        assert answer.events.text == "First there"
        assert [beside for _, _, beside in attempts(answer)] == [False, True]


async def test_if_the_first_is_rejected_so_is_the_call_and_the_other_is_cut_off() -> None:
    first, let_go = fails_late(400, "INVALID_ARGUMENT")
    second = waits("Second")
    async with fleet(first, second) as house:
        call = asyncio.create_task(house.ask(BODY))
        await until(lambda: second.asked)
        let_go.set()
        assert (await soon(call)).status == 400
        await until(lambda: second.cut)


async def test_if_both_fail_the_next_is_asked() -> None:
    first, let_go = fails_late(503, "UNAVAILABLE")
    async with fleet(first, fails(500, "INTERNAL")) as house:
        call = asyncio.create_task(house.ask(BODY))
        await asyncio.sleep(0.05)
        let_go.set()
        answer = await soon(call)
        assert answer.events.text == "Third"
        assert [provider for provider, _, _ in attempts(answer)] == ["gemini", "second", "third"]


async def test_a_whole_answer_is_asked_for_once() -> None:
    first, second = Steps(says("First")), waits("Second")
    async with fleet(first, second) as house:
        call = asyncio.create_task(house.ask(chat(model="trio")))
        await until(lambda: first.asked)
        await asyncio.sleep(0.05)
        first.let_go()
        assert (await soon(call)).status == 200
        assert second.asked == 0


async def test_pictures_are_painted_once_though_their_caller_wants_a_stream() -> None:
    first, second = Steps(says("First")), waits("Second")
    models = [
        OperatorModel("duo", f"{name}/gemini-3-pro-image-preview", priority=n) for n, name in enumerate(NAMES[:2])
    ]
    async with fleet(first, second, models=models) as house:
        body = {"model": "duo", "prompt": "a fox", "stream": True}
        call = asyncio.create_task(house.ask(body, path="/v1/images/generations"))
        await until(lambda: first.asked)
        await asyncio.sleep(0.05)
        assert second.asked == 0
        call.cancel()


def two_vendors(address: str) -> list[Provider]:
    """OpenAI before Gemini, at one address."""
    return [Provider.at(name, KINDS[name], address, (Secret("sample", "env:KEY"),)) for name in ("openai", "gemini")]


VENDORS = [OperatorModel("duo", "openai/gpt-5.5", priority=0), OperatorModel("duo", f"gemini/{FLASH}", priority=1)]


def by_path(openai: Any, gemini: Any) -> Any:
    async def app(exchange: Exchange) -> None:
        await (gemini if "Generate" in exchange.request.path else openai)(exchange)

    return app


def chat_steps() -> Steps:
    def chunk(content: str, finish: str | None) -> bytes:
        choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": finish}
        return as_bytes(
            {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5.5", "choices": [choice]}
        )

    return Steps(chunk("Passed ", None), chunk("there", "stop"), b"[DONE]")


@pytest.mark.parametrize("winner", ["openai", "gemini"])
async def test_a_body_that_passes_is_read_for_who_is_asked_beside_and_speaks_another_dialect(winner: str) -> None:
    passed, told = chat_steps(), waits("Translated")
    options: Any = {"configure": two_vendors, "models": VENDORS, "rules": AT_ONCE}
    async with open_house(by_path(passed, told), **options) as house:
        call = asyncio.create_task(house.ask(chat(model="duo", stream=True, seed=7, logit_bias={"50256": -100})))
        await until(lambda: passed.asked and told.asked)
        (passed if winner == "openai" else told).let_go(3)
        answer = await soon(call)
        assert answer.events.text == ("Passed there" if winner == "openai" else "Translated there")
        assert bool(answer.codes) == (winner == "gemini")  # what passes loses nothing
        await until(lambda: (told if winner == "openai" else passed).cut)


async def test_several_answers_are_not_asked_for_where_they_would_not_be_the_same_ones() -> None:
    passed, told = chat_steps(), waits("Translated")
    options: Any = {"configure": two_vendors, "models": VENDORS, "rules": AT_ONCE}
    async with open_house(by_path(passed, told), **options) as house:
        call = asyncio.create_task(house.ask(chat(model="duo", stream=True, n=2)))
        await until(lambda: passed.asked)
        await asyncio.sleep(0.05)
        assert told.asked == 0
        passed.let_go(3)
        assert (await soon(call)).events.text == "Passed there"


async def test_each_lane_of_a_call_has_a_race_of_its_own() -> None:
    """Claude gives one answer at a time: of two, the first is silent at the first provider alone."""
    silent, counted = asyncio.Event(), list[str]()

    async def first(exchange: Exchange) -> None:
        counted.append("first")
        if len(counted) == 1:
            await silent.wait()
        await streams_named(*claude_events("First"))(exchange)

    models = [OperatorModel("duo", f"{name}/{CLAUDE}", priority=n) for n, name in enumerate(("anthropic", "second"))]
    second = Script(streams_named(*claude_events("Second")))
    options: Any = {"kinds": (KINDS["anthropic"],), "models": models, "rules": RoutingRules(hedge_after_s=2)}
    async with open_house(first, fleet={"second": second}, **options) as house:
        answer = await house.ask(chat(model="duo", stream=True, n=2, max_tokens=50))
        texts = {0: "", 1: ""}
        for chunk in answer.events.chunks:
            for choice in chunk["choices"]:
                texts[choice["index"]] += choice["delta"].get("content") or ""
        assert sorted(texts.values()) == ["First", "Second"]
        assert answer.events.finishes == ["stop", "stop"]
        assert len(second.requests) == 1


async def test_a_call_that_nobody_can_be_asked_beside_costs_no_hedge() -> None:
    first = waits("First")
    async with open_house(Script(first), rules=AT_ONCE) as house:
        call = asyncio.create_task(house.ask(chat(stream=True)))
        await until(lambda: first.asked)
        await asyncio.sleep(0.05)
        first.let_go(2)
        assert (await soon(call)).status == 200
        assert [house.relay._router.hedges.spend() for _ in range(11)] == [True] * 10 + [False]


async def test_another_key_will_do_where_there_is_no_other_provider() -> None:
    first = waits("First")
    script = Script(first, answers(says("Second")))
    async with open_house(script, keys=("one", "two"), rules=AT_ONCE) as house:
        answer = await house.ask(chat(stream=True))
        assert answer.events.text == "Second"
        assert len({request.headers["x-goog-api-key"] for request in script.requests}) == 2
        await until(lambda: first.cut)


async def test_another_provider_is_asked_rather_than_another_key_of_the_silent_one() -> None:
    first, second = waits("First"), waits("Second")
    async with fleet(first, second, keys=("one", "two")) as house:
        call = asyncio.create_task(house.ask(BODY))
        await until(lambda: first.asked and second.asked)
        second.let_go(2)
        assert (await soon(call)).events.text == "Second there"
        assert first.asked == 1


async def test_a_slow_one_is_known_to_be_slow_though_it_never_answers() -> None:
    rules = RoutingRules(policy=Policy.LATENCY, hedge_after_s=1)
    models = [OperatorModel("duo", f"{name}/{FLASH}") for name in NAMES[:2]]
    slow, fast = waits("Slow"), answers(says("Fast"))
    async with fleet(slow, fast, rules=rules, models=models) as house:
        for _ in range(6):
            assert (await house.ask(chat(model="duo", stream=True))).events.text == "Fast"
        assert slow.asked == 1


async def test_a_caller_who_leaves_leaves_neither_behind() -> None:
    first, second = waits("First"), waits("Second")
    async with fleet(first, second) as house:
        async with house.open(BODY) as wire:
            await until(lambda: first.asked and second.asked)
            wire.reset()
        await until(lambda: first.cut and second.cut)


# -- money


@pytest.mark.parametrize("winner", [0, 1])
async def test_the_caller_pays_for_who_answers_and_the_receipt_tells_of_both(tmp_path: Path, winner: int) -> None:
    cheap, dear = "gemini-2.5-flash-lite", "gemini-2.5-pro"
    names = (cheap, dear)
    models = [OperatorModel("duo", f"{NAMES[n]}/{names[n]}", priority=n) for n in (0, 1)]
    acts = waits("First"), waits("Second")
    options: Any = {"fleet": {"second": Script(acts[1])}, "models": models, "rules": AT_ONCE}
    async with paid_house(tmp_path / "books.db", Script(acts[0]), **options) as paid:
        call = asyncio.create_task(paid.house.ask(chat(model="duo", stream=True)))
        await until(lambda: acts[0].asked and acts[1].asked)
        acts[winner].let_go(2)
        assert (await soon(call)).status == 200
        receipt = await paid.settled()
        assert receipt["charge_nanos"] == price_of(1000, 40, names[winner])
        assert receipt["hold_nanos"] >= price_of(1000, 40, dear)
        assert (receipt["provider"], receipt["upstream_model"]) == (NAMES[winner], FLASH)
        outcomes = [(one["provider"], one["outcome"], one.get("beside", False)) for one in receipt["tries"]]
        ends = ["cancelled", "cancelled"]
        ends[winner] = "ok"
        assert outcomes == [("gemini", ends[0], False), ("second", ends[1], True)]
        assert paid.account() == (100 * USD - receipt["charge_nanos"], 0)


async def test_a_caller_who_leaves_both_pays_nothing(tmp_path: Path) -> None:
    first, second = waits("First"), waits("Second")
    options: Any = {"fleet": {"second": Script(second), "third": Script(second)}, "models": MODELS, "rules": AT_ONCE}
    async with paid_house(tmp_path / "books.db", Script(first), **options) as paid:
        async with paid.house.open(BODY) as wire:
            await until(lambda: first.asked and second.asked)
            wire.reset()
        receipt = await paid.settled()
        assert "charge_nanos" not in receipt
        assert [one["outcome"] for one in receipt["tries"]] == ["cancelled", "cancelled"]
        assert paid.account() == (100 * USD, 0)


async def test_usage_that_the_loser_reported_is_nobodys(tmp_path: Path) -> None:
    """The loser counts before it shows anything; who answers does not count at all, and is estimated."""
    counted: Json = {"candidates": [], "usageMetadata": usage(99_999, 99_999)}
    first, second = Steps(counted, piece("First", 1, "STOP")), Steps(says("Second"))
    options: Any = {"fleet": {"second": Script(second), "third": Script(second)}, "models": MODELS, "rules": AT_ONCE}
    async with paid_house(tmp_path / "books.db", Script(first), **options) as paid:
        call = asyncio.create_task(paid.house.ask(BODY))
        await until(lambda: first.asked and second.asked)
        first.let_go()
        await asyncio.sleep(0.05)
        second.let_go()
        assert (await soon(call)).events.text == "Second"
        receipt = await paid.settled()
        assert "estimated" in receipt["flags"]
        assert receipt["charge_nanos"] < price_of(1000, 1000)


async def test_who_cannot_be_paid_for_beside_the_first_ends_nothing(tmp_path: Path) -> None:
    models = [OperatorModel("duo", f"gemini/{name}", priority=n) for n, name in enumerate((FLASH, "gemini-2.5-pro"))]
    first = waits("First")
    options: Any = {"models": models, "rules": RoutingRules(hedge_after_s=2)}
    async with paid_house(tmp_path / "books.db", Script(first), **options) as paid:
        call = asyncio.create_task(paid.house.ask(chat(model="duo", stream=True, max_tokens=50)))
        await until(lambda: first.asked)
        paid.set_balance(paid.account()[1])
        await until(lambda: False in paid.counter.results)
        first.let_go(2)
        answer = await soon(call)
        assert answer.events.text == "First there"
        assert (await paid.settled())["charge_nanos"] == price_of(1000, 40, FLASH)


# -- who is first


async def test_only_the_first_to_show_something_wins_though_the_other_is_ready_too() -> None:
    ready, told = asyncio.Event(), list[str]()

    def ask(name: str) -> Callable[[Runner | None], Awaitable[bool]]:
        async def run(runner: Runner | None) -> bool:
            assert runner is not None
            runner.tries.append(Try(name))
            await ready.wait()
            if runner.wins():
                told.append(name)
            return True

        return run

    asyncio.get_running_loop().call_later(0.02, ready.set)
    assert await soon(hedged(ask("first"), lambda: ask("other"), 0.001))
    assert told == ["first"]


async def test_who_has_lost_tells_nothing_even_before_it_is_cancelled() -> None:
    async def run(_: Runner | None) -> bool:
        await asyncio.sleep(60)
        return True

    runners: list[Runner] = []
    first, second = Runner(runners, run), Runner(runners, run)
    first.tries.append(Try("first"))
    second.tries.append(Try("second", outcome="overloaded"))
    second.tries.append(Try("second"))
    assert first.wins()
    assert not second.wins()
    assert first.wins()
    assert [one.outcome for one in first.tries] == [ANSWERING]
    assert [one.outcome for one in second.tries] == ["overloaded", CANCELLED]
    assert (first.beside, second.beside) == (False, True)
    first.task.cancel()
    await asyncio.gather(first.task, second.task, return_exceptions=True)
    assert second.task.cancelled()


@pytest.mark.parametrize("error", [InsufficientFunds(), UpstreamRejected()])
async def test_what_keeps_the_other_from_being_asked_is_no_failure_of_the_call(error: Exception) -> None:
    async def first(_: Runner | None) -> bool:
        await asyncio.sleep(0.05)
        return True

    async def other(_: Runner | None) -> bool:
        raise error

    assert await soon(hedged(first, lambda: other, 0.001))


async def test_a_fault_of_the_gateways_own_is_never_hidden() -> None:
    async def first(_: Runner | None) -> bool:
        await asyncio.sleep(60)
        return True

    async def other(_: Runner | None) -> bool:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        await soon(hedged(first, lambda: other, 0.001))


def test_of_many_calls_a_few_are_hedged() -> None:
    budget = Budget(every=10, saved=3)
    assert [budget.spend() for _ in range(5)] == [True] * 3 + [False] * 2
    spent = 0
    for _ in range(1000):
        budget.earn()
        spent += budget.spend()
    assert spent == pytest.approx(100, abs=1)
    for _ in range(1000):
        budget.earn()
    assert [budget.spend() for _ in range(4)] == [True] * 3 + [False]
