"""The receipt of a call that fell back: the way it went, and the price of the model that answered."""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.house import Json, Script, answers, chat, fails, frame, says, until
from money.acts import SSE, Steps, piece, seen, usage
from money.paid import USD, Paid, paid_house, price_of
from portico.catalog import OperatorModel, PriceBooks, load_catalog
from portico.catalog.books import Markup
from portico.providers import KINDS, Provider, Secret
from portico.relay.router import RoutingRules
from portico.relay.till import TillSettings
from portico.wire.http import App, Exchange

BUSY = fails(503, "UNAVAILABLE")
OPENAI_BUSY = answers({"error": {"message": "busy", "type": "server_error", "code": None}}, 503)
HELLO = answers(says("Hello", usageMetadata=usage(1000, 40)))
STREAMED = pytest.mark.parametrize("stream", [False, True])
FLASH, LITE, PRO = "gemini-3.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro"


def way(receipt: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["model"], one["outcome"]) for one in receipt["tries"]]


@STREAMED
async def test_a_cheaper_models_answer_costs_what_that_model_costs(tmp_path: Path, stream: bool) -> None:
    script = Script(BUSY, HELLO)
    models = [OperatorModel(FLASH, fallbacks=(LITE,))]
    async with paid_house(tmp_path / "books.db", script, models=models) as paid:
        answer = await paid.house.ask(chat(stream=stream))
        assert answer.status == 200
        receipt = await paid.settled()
        assert way(receipt) == [(FLASH, "overloaded"), (LITE, "ok")]
        assert (receipt["asked"], receipt["model"]) == (FLASH, LITE)
        assert receipt["charge_nanos"] == price_of(1000, 40, LITE) < price_of(1000, 40, FLASH)
        assert paid.account() == (100 * USD - receipt["charge_nanos"], 0)


@STREAMED
async def test_a_dearer_models_answer_costs_more_where_that_is_allowed(tmp_path: Path, stream: bool) -> None:
    script = Script(BUSY, HELLO)
    models, rules = [OperatorModel(LITE, fallbacks=(PRO,))], RoutingRules(allow_dearer=True)
    async with paid_house(tmp_path / "books.db", script, models=models, rules=rules) as paid:
        assert (await paid.house.ask(chat(model=LITE, stream=stream))).status == 200
        receipt = await paid.settled()
        assert way(receipt) == [(LITE, "overloaded"), (PRO, "ok")]
        assert (receipt["asked"], receipt["model"]) == (LITE, PRO)
        assert receipt["charge_nanos"] == price_of(1000, 40, PRO) > price_of(1000, 40, LITE)
        assert receipt["hold_nanos"] >= receipt["charge_nanos"]  # who was held for from the start
        assert paid.account() == (100 * USD - receipt["charge_nanos"], 0)


@STREAMED
async def test_a_dearer_model_is_not_asked_where_it_is_not_allowed_and_nothing_is_charged(
    tmp_path: Path, stream: bool
) -> None:
    script = Script(BUSY, HELLO)
    models = [OperatorModel(LITE, fallbacks=(PRO,))]
    async with paid_house(tmp_path / "books.db", script, models=models) as paid:
        assert (await paid.house.ask(chat(model=LITE, stream=stream))).status == 503
        receipt = await paid.settled()
        assert way(receipt) == [(LITE, "overloaded")]
        assert "charge_nanos" not in receipt
        assert paid.account() == (100 * USD, 0)


def two_vendors(address: str) -> list[Provider]:
    return [Provider.at(name, KINDS[name], address, (Secret("sample", "env:KEY"),)) for name in ("openai", "gemini")]


@STREAMED
async def test_what_it_cost_is_told_though_the_body_was_to_pass_to_who_failed(tmp_path: Path, stream: bool) -> None:
    script = Script(OPENAI_BUSY, HELLO)
    models = [OperatorModel("duo", "openai/gpt-5.5"), OperatorModel("duo", f"gemini/{FLASH}", priority=1)]
    more: Json = {"stream_options": {"include_usage": True}} if stream else {}
    async with paid_house(tmp_path / "books.db", script, models=models, configure=two_vendors) as paid:
        body = chat(model="duo", stream=stream, usage={"include": True}, **more)
        answer = await paid.house.ask(body, headers={"x-portico-cost": "1"})
        assert answer.status == 200
        usage_told = answer.events.chunks[-1]["usage"] if stream else answer.json()["usage"]
        assert round(usage_told["cost"] * 10**9) == price_of(1000, 40, FLASH)


async def test_an_empty_answer_is_neither_given_nor_charged_in_place_of_a_good_one(tmp_path: Path) -> None:
    """It would have passed; asked once more, its provider was busy, and another answered."""
    nothing = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    counts = {"prompt_tokens": 7, "completion_tokens": 90, "total_tokens": 97}
    empty = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5.5",
        "choices": [nothing],
        "usage": counts,
    }
    script = Script(answers(empty), OPENAI_BUSY, HELLO)
    models = [OperatorModel("duo", "openai/gpt-5.5"), OperatorModel("duo", f"gemini/{FLASH}", priority=1)]
    async with paid_house(tmp_path / "books.db", script, models=models, configure=two_vendors) as paid:
        answer = await paid.house.ask(chat(model="duo"))
        assert answer.json()["choices"][0]["message"]["content"] == "Hello"
        receipt = await paid.settled()
        assert [(one["provider"], one["outcome"]) for one in receipt["tries"]] == [
            ("openai", "upstream_empty"),
            ("openai", "overloaded"),
            ("gemini", "ok"),
        ]
        assert receipt["charge_nanos"] == price_of(1000, 40, FLASH)


async def test_more_is_held_for_an_answer_without_a_limit_though_who_was_asked_first_wanted_one(tmp_path: Path) -> None:
    """Claude models are always given a limit; the Gemini that answers in its place has none."""
    models = [OperatorModel("duo", "anthropic/claude-haiku-5-5"), OperatorModel("duo", f"gemini/{FLASH}", priority=1)]
    act = Steps(piece("one ", 40), piece("two ", 40_000), piece("three", 40_100, "STOP"))
    script = Script(answers({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, 529), act)
    often = TillSettings(checkpoint_s=0.0)
    async with paid_house(
        tmp_path / "books.db", script, models=models, configure=claude_and_gemini, settings=often
    ) as paid:
        async with paid.house.open(chat(model="duo", stream=True)) as wire:
            act.let_go()
            await wire.chunk()
            act.let_go()
            await until(lambda: paid.entries("extend"))
            act.let_go()
            assert (await wire.rest()).events.done
        receipt = await paid.settled()
        assert receipt["hold_nanos"] >= receipt["charge_nanos"] == price_of(1000, 40_100, FLASH)


def claude_and_gemini(address: str) -> list[Provider]:
    return [Provider.at(name, KINDS[name], address, (Secret("sample", "env:KEY"),)) for name in ("anthropic", "gemini")]


async def test_of_two_answers_one_is_charged_by_who_gave_it_where_the_other_failed_at_somebody_dearer(
    tmp_path: Path,
) -> None:
    shown, asked = asyncio.Event(), list[str]()

    async def act(exchange: Exchange) -> None:
        asked.append(exchange.request.path)
        if len(asked) > 1:
            await shown.wait()
            await BUSY(exchange)
        else:
            exchange.start(200, SSE)
            exchange.write(frame(piece("one ", 40)))
            await asyncio.Event().wait()

    dearer = "gemini-3.1-pro-preview"
    models, rules = [OperatorModel(FLASH, fallbacks=(dearer,))], RoutingRules(allow_dearer=True)
    async with paid_house(tmp_path / "books.db", Script(act), models=models, rules=rules) as paid:
        async with paid.house.open(chat(stream=True, n=2)) as wire:
            await wire.chunk()
            shown.set()
            assert (await wire.rest()).events.errors
        receipt = await paid.settled()
        assert dearer in asked[-1]
        assert (receipt["model"], receipt["charge_nanos"]) == (FLASH, price_of(1000, 40, FLASH))


async def test_a_call_is_charged_by_the_prices_of_the_day_on_which_it_began(tmp_path: Path) -> None:
    """Who answers is asked after midnight, when prices double."""
    tomorrow = time.time() + 24 * 3600
    doubled = PriceBooks(load_catalog(), [], [Markup(2000, datetime.fromtimestamp(tomorrow, UTC).date())])

    async def act(exchange: Exchange) -> None:
        if LITE in exchange.request.path:
            await HELLO(exchange)
        else:
            paid.till.now = lambda: tomorrow
            await BUSY(exchange)

    models = [OperatorModel(FLASH, fallbacks=(LITE,))]
    async with paid_house(tmp_path / "books.db", Script(act), models=models) as paid:
        paid.till.books = lambda: doubled
        assert (await paid.house.ask(chat())).status == 200
        assert (await paid.settled())["charge_nanos"] == price_of(1000, 40, LITE)
        assert (await paid.house.ask(chat())).status == 200
        await paid.settled(2)
        assert sorted(one["charge_nanos"] for one in paid.receipts()) == [
            price_of(1000, 40, LITE),
            2 * price_of(1000, 40, LITE),
        ]


async def test_what_rests_is_not_in_the_way_and_costs_nothing(tmp_path: Path) -> None:
    """A model whose quota is used up is left out of the next call's way, which the receipt of that shows."""
    limited, good = Script(fails(429, "RESOURCE_EXHAUSTED", "limit: 0")), Script(HELLO)
    models = [OperatorModel("duo", f"gemini/{FLASH}"), OperatorModel("duo", f"second/{FLASH}", priority=1)]
    async with paid_house(tmp_path / "books.db", limited, fleet={"second": good}, models=models) as paid:
        for _ in range(2):
            assert (await paid.house.ask(chat(model="duo"))).status == 200
        await paid.settled(2)
        ways = [[(one["provider"], one["outcome"]) for one in receipt["tries"]] for receipt in paid.receipts()]
        assert sorted(ways, key=len) == [
            [("second", "ok")],
            [("gemini", "rate_limit_exceeded"), ("second", "ok")],
        ]
        assert [receipt["charge_nanos"] for receipt in paid.receipts()] == [price_of(1000, 40, FLASH)] * 2


def sums_of(receipt: dict[str, Any]) -> tuple[int, int]:
    """The charge and the cost that the lines add up to, each rounded once."""
    sold = sum(
        line["amount_femtos"] * line.get("markup_permille", receipt.get("markup_permille", 1000))
        for line in receipt["lines"]
    )
    return -(-sold // 10**9), -(-sum(line["cost_femtos"] for line in receipt["lines"]) // 10**6)


class BusyOnce:
    """Of the lanes of one call the first to ask is told that the model is busy, and falls back."""

    def __init__(self, *, usage_of_lite: Json | None = None, others: App = HELLO) -> None:
        self.asked: list[str] = []
        more: Json = {} if usage_of_lite is None else {"usageMetadata": usage_of_lite}
        self._lite = answers(says("word " * 40, **more))
        self._others = others

    async def __call__(self, exchange: Exchange) -> None:
        self.asked.append(exchange.request.path)
        if LITE in exchange.request.path:
            await self._lite(exchange)
        elif len(self.asked) == 1:
            await BUSY(exchange)
        else:
            await self._others(exchange)


@STREAMED
async def test_each_of_several_answers_is_charged_at_the_price_of_the_model_that_gave_it(
    tmp_path: Path, stream: bool
) -> None:
    models = [OperatorModel(FLASH, fallbacks=(LITE,))]
    more: Json = {"stream_options": {"include_usage": True}} if stream else {}
    act = BusyOnce(usage_of_lite=usage(900, 70))
    async with paid_house(tmp_path / "books.db", Script(act), models=models) as paid:
        body = chat(stream=stream, n=3, usage={"include": True}, **more)
        answer = await paid.house.ask(body)
        assert answer.status == 200
        receipt = await paid.settled()
        assert sorted(way(receipt)) == [(LITE, "ok"), (FLASH, "ok"), (FLASH, "ok"), (FLASH, "overloaded")]
        charged = {(line["model"], line["item"]): line["count"] for line in receipt["lines"]}
        assert charged == {(LITE, "input"): 900, (LITE, "output"): 70, (FLASH, "input"): 2000, (FLASH, "output"): 80}
        assert receipt["charge_nanos"] == price_of(900, 70, LITE) + price_of(2000, 80, FLASH)
        assert sums_of(receipt) == (receipt["charge_nanos"], receipt["cost_nanos"])
        assert (receipt["model"], receipt["upstream_model"]) == (LITE, LITE)  # who has the first of them
        assert paid.account() == (100 * USD - receipt["charge_nanos"], 0)
        told = answer.events.chunks[-1]["usage"] if stream else answer.json()["usage"]
        assert round(told["cost"] * 10**9) == receipt["charge_nanos"]


@STREAMED
async def test_an_answer_of_which_nothing_is_reported_is_estimated_at_the_price_of_its_own_model(
    tmp_path: Path, stream: bool
) -> None:
    models = [OperatorModel(FLASH, fallbacks=(LITE,))]
    async with paid_house(tmp_path / "books.db", Script(BusyOnce()), models=models) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=2))).status == 200
        receipt = await paid.settled()
        assert receipt["charge_nanos"] == price_of(0, 50, LITE) + price_of(1000, 40, FLASH)
        assert sums_of(receipt) == (receipt["charge_nanos"], receipt["cost_nanos"])
        assert "estimated" in receipt["flags"]


@STREAMED
async def test_each_of_several_answers_is_charged_at_the_tier_that_served_it(tmp_path: Path, stream: bool) -> None:
    """Neither asked for one."""
    flex = answers(says("Hello", usageMetadata={**usage(1000, 40), "serviceTier": "flex"}))
    async with paid_house(tmp_path / "books.db", Script(flex, HELLO)) as paid:
        assert (await paid.house.ask(chat(stream=stream, n=2))).status == 200
        receipt = await paid.settled()
        charged = {(line.get("tier", "standard"), line["item"]): line["count"] for line in receipt["lines"]}
        assert charged == {
            ("flex", "input"): 1000,
            ("flex", "output"): 40,
            ("standard", "input"): 1000,
            ("standard", "output"): 40,
        }
        assert receipt["charge_nanos"] == price_of(1000, 40) + price_of(500, 20)


@STREAMED
async def test_how_long_prompts_are_is_told_of_each_of_several_answers_by_its_own(tmp_path: Path, stream: bool) -> None:
    """Two prompts of 150,000 tokens are none of 300,000, which would be dearer."""
    pro = "gemini-3.1-pro-preview"
    models = [OperatorModel(pro, fallbacks=(LITE,))]
    act = BusyOnce(usage_of_lite=usage(900, 70), others=answers(says("Hello", usageMetadata=usage(150_000, 40))))
    async with paid_house(tmp_path / "books.db", Script(act), models=models) as paid:
        assert (await paid.house.ask(chat(model=pro, stream=stream, n=3))).status == 200
        receipt = await paid.settled()
        assert {line.get("above_tokens", 0) for line in receipt["lines"]} == {0}
        assert receipt["charge_nanos"] == price_of(900, 70, LITE) + price_of(300_000, 80, pro)


def checkpoint(paid: Paid) -> dict[str, Any]:
    """What a recovery would book."""
    ((body,),) = paid.counter.rows("SELECT checkpoint FROM holds")
    return cast("dict[str, Any]", json.loads(body))


async def test_who_leaves_pays_for_each_answer_at_the_price_of_the_model_that_gives_it(tmp_path: Path) -> None:
    """One has reported all, of the other there is a text; and what a crash would book says as much of the first."""
    act = Steps(piece("one ", 40, "STOP"))
    lite = Steps(piece("word " * 40), piece("more", 80, "STOP"))
    asked: list[str] = []

    async def lanes(exchange: Exchange) -> None:
        asked.append(exchange.request.path)
        if LITE in exchange.request.path:
            await lite(exchange)
        elif len(asked) == 1:
            await BUSY(exchange)
        else:
            await act(exchange)

    models, often = [OperatorModel(FLASH, fallbacks=(LITE,))], TillSettings(checkpoint_s=0.0)
    async with paid_house(tmp_path / "books.db", Script(lanes), models=models, settings=often) as paid:
        async with paid.house.open(chat(stream=True, n=2)) as wire:
            act.let_go()
            await until(lambda: act.done == 1 and lite.asked == 1)
            await wire.chunk()
            lite.let_go()
            await seen(wire, b"word")
            await until(lambda: checkpoint(paid)["model"] == LITE)
            so_far = checkpoint(paid)
            wire.reset()
        receipt = await paid.settled()
        assert receipt["charge_nanos"] == price_of(1000, 40, FLASH) + price_of(0, 50, LITE)
        assert so_far["charge_nanos"] == price_of(1000, 40, FLASH)
        assert "estimated" in receipt["flags"]
