"""Holds: no answer without one, beside the provider's call or before it (money.md, A call)."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Answer, Json, Script, answers, chat, says, soon, until
from gateway.test_reports import Told
from money.acts import Steps, piece, usage
from money.paid import USD, Paid, is_marked, paid_house
from portico.ledger.hold import Extend, Held, Refused
from portico.ledger.settle import Settle
from portico.relay.relay import Settings
from portico.relay.till import TillSettings

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
NEVER_COMFORTABLE = TillSettings(fresh_s=-1)
SMALL: Json = {"max_tokens": 10}
STREAMS = [False, True]


async def test_an_answer_is_charged_once_and_its_hold_is_gone(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        answer = await paid.house.ask(chat())
        assert answer.status == 200
        receipt = await paid.settled()
        assert [kind for kind, _, _ in paid.entries()] == ["hold", "settle"]
        assert paid.account() == (100 * USD - paid.price(1000, 500), 0)
        assert receipt["request_id"] == answer.headers["x-portico-request-id"]


async def test_nothing_is_created_twice_for_a_call(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        await paid.house.ask(chat())
        await paid.settled()
        assert [type(write).__name__ for write in paid.counter.written] == ["Hold", "Settle"]


@pytest.mark.parametrize("stream", STREAMS)
async def test_no_byte_leaves_before_the_hold_is_durable(tmp_path: Path, stream: bool) -> None:
    act = Steps(ANSWER, held=False)
    settings = Settings(commit_after_s=0.05, keep_alive_s=0.05)
    async with paid_house(tmp_path / "books.db", Script(act), settings=None, relay_settings=settings) as paid:
        await paid.house.ask(chat())  # the account is known, and comfortable
        paid.counter.close()
        async with paid.house.open(chat(stream=stream)) as wire:
            await until(lambda: act.done == 2)
            assert await wire.is_silent(0.4)
            paid.counter.open()
            assert (await wire.rest()).status == 200
        await paid.settled(2)


async def test_a_comfortable_account_is_served_beside_its_hold_and_a_tight_one_after_it(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            assert await wire.is_silent(0.1)
            assert act.asked == 0, "nothing is known of the account yet"
            paid.counter.open()
            await wire.rest()
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            await until(lambda: act.asked == 2)
            paid.counter.open()
            await wire.rest()
        await paid.settled(2)


async def test_an_account_that_could_not_pay_for_many_such_calls_waits_for_its_hold(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act), balance=USD // 10) as paid:
        await paid.house.ask(chat())
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            assert await wire.is_silent(0.1)
            assert act.asked == 1
            paid.counter.open()
            assert (await wire.rest()).status == 200
        await paid.settled(2)


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_hold_refused_late_cancels_the_upstream_call_and_nothing_is_charged(
    tmp_path: Path, stream: bool
) -> None:
    act, told = Steps(ANSWER), Told()
    async with paid_house(tmp_path / "books.db", Script(act), observer=told) as paid:
        act.let_go()
        await paid.house.ask(chat())
        await paid.settled()
        spent = paid.account()
        paid.counter.close()
        async with paid.house.open(chat(stream=stream)) as wire:
            await until(lambda: act.asked == 2)
            paid.set_balance(0)
            paid.counter.open()
            answer = await wire.rest()
        assert (answer.status, answer.error["code"]) == (402, "insufficient_funds")
        await until(lambda: act.cut == 1)
        assert [report.unfunded for report in told.finished_] == [False, True]
        assert paid.account() == (0, 0)
        assert spent != (0, 0)
        assert len(paid.receipts()) == 1


async def test_after_a_late_refusal_no_provider_is_asked_before_a_hold_is_durable(tmp_path: Path) -> None:
    """What was known of the balance a moment ago has been used by somebody else."""
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        await paid.house.ask(chat())
        await paid.settled()
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            await until(lambda: act.asked == 2)
            paid.set_balance(0)
            paid.counter.open()
            assert (await wire.rest()).status == 402
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            assert await wire.is_silent(0.1)
            assert act.asked == 2
            paid.counter.open()
            assert (await wire.rest()).status == 402


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_late_refusal_that_meets_a_ready_answer_is_a_402_too(tmp_path: Path, stream: bool) -> None:
    act, told = Steps(ANSWER, held=False), Told()
    async with paid_house(tmp_path / "books.db", Script(act), observer=told) as paid:
        await paid.house.ask(chat())
        await paid.settled()
        paid.counter.close()
        async with paid.house.open(chat(stream=stream)) as wire:
            await until(lambda: act.done == 2)
            paid.set_balance(0)
            paid.counter.open()
            answer = await wire.rest()
        assert (answer.status, answer.error["code"]) == (402, "insufficient_funds")
        assert paid.account() == (0, 0)
        await until(lambda: len(told.finished_) == 2)
        assert [report.charge_nanos for report in told.finished_] == [paid.price(1000, 500), 0]
        (tried,) = told.finished_[-1].tries
        assert tried.outcome == ("cancelled" if stream else "ok"), "it was no failure of the provider's"


async def test_who_cannot_pay_is_told_so_before_any_provider_is_asked(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act), balance=0) as paid:
        answer = await paid.house.ask(chat())
        assert (answer.status, answer.error["code"]) == (402, "insufficient_funds")
        assert act.asked == 0
        assert paid.entries() == []


async def test_funds_that_are_only_held_are_waited_for(tmp_path: Path) -> None:
    act = Steps(ANSWER)
    async with paid_house(tmp_path / "books.db", Script(act), settings=NEVER_COMFORTABLE) as paid:
        async with paid.house.open(chat(**SMALL)) as first:
            await until(lambda: act.asked == 1)
            ((_, _, held),) = paid.entries("hold")
            paid.set_balance(held + held // 2)
            async with paid.house.open(chat(**SMALL)) as second:
                await until(lambda: any(isinstance(one, Refused) for one in paid.counter.results))
                assert act.asked == 1
                paid.set_balance(USD)
                act.let_go(2)
                assert (await first.rest()).status == 200
                assert (await second.rest()).status == 200
        await paid.settled(2)


async def test_funds_that_stay_held_are_a_429_after_two_seconds(tmp_path: Path) -> None:
    act = Steps(ANSWER)
    quick = TillSettings(funds_wait_s=1.0, fresh_s=-1)
    async with paid_house(tmp_path / "books.db", Script(act), settings=quick) as paid:
        async with paid.house.open(chat(**SMALL)) as first:
            await until(lambda: act.asked == 1)
            ((_, _, held),) = paid.entries("hold")
            paid.set_balance(held + held // 2)
            answer = await paid.house.ask(chat(**SMALL))
            assert (answer.status, answer.error["code"]) == (429, "funds_held")
            assert int(answer.headers["retry-after"]) >= 1
            assert sum(isinstance(one, Refused) for one in paid.counter.results) > 1
            assert act.asked == 1
            act.let_go()
            await first.rest()
        await paid.settled()
    assert TillSettings().funds_wait_s == 2.0


async def test_many_at_once_never_hold_more_than_there_is(tmp_path: Path) -> None:
    act = Steps(ANSWER)
    quick = TillSettings(funds_wait_s=0.3)
    async with paid_house(tmp_path / "books.db", Script(act), settings=quick) as paid:
        act.let_go()
        await paid.house.ask(chat(**SMALL))
        await paid.settled()
        ceiling = paid.entries("hold")[0][2]
        paid.set_balance(7 * ceiling + ceiling // 2)
        await asyncio.sleep(0)
        calls = [asyncio.create_task(paid.house.ask(chat(**SMALL))) for _ in range(30)]
        await until(lambda: sum(call.done() for call in calls) == 23)
        assert paid.account()[1] == 7 * ceiling
        act.let_go(30)
        told: list[Answer] = [await soon(call) for call in calls]
        assert sorted(answer.status for answer in told).count(200) == 7
        assert {answer.status for answer in told} <= {200, 402, 429}
        await paid.settled(8)
        assert paid.account() == (7 * ceiling + ceiling // 2 - 7 * paid.price(1000, 500), 0)


# -- extensions ------------------------------------------------------------------------------------------------------

OFTEN = TillSettings(default_hold_tokens=100, checkpoint_s=0.0)


def growing(count: int) -> list[Any]:
    """A stream that reports fifty tokens more with each piece."""
    return [piece("word ", 50 * number) for number in range(1, count)] + [piece("end", 50 * count, "STOP")]


async def test_an_answer_that_nears_what_is_held_holds_more(tmp_path: Path) -> None:
    act = Steps(*growing(12))
    async with paid_house(tmp_path / "books.db", Script(act), settings=OFTEN) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            for _ in range(12):
                act.let_go()
                await wire.chunk()
            answer = await wire.rest()
        assert answer.events.done
        await paid.settled()
        assert paid.entries("extend")
        assert paid.account() == (100 * USD - paid.price(1000, 600), 0)


NATIVE: Json = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", chat(stream=True)),
        ("/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse", NATIVE),
    ],
    ids=["told", "passed"],
)
async def test_an_answer_that_is_counted_at_its_end_holds_more_by_what_was_delivered(
    tmp_path: Path, path: str, body: Json
) -> None:
    """As OpenAI's are: four bytes are a token."""
    words: Json = {"candidates": [{"content": {"role": "model", "parts": [{"text": "word " * 40}]}}]}
    act = Steps(*[words] * 8, piece("end", 400, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act), settings=OFTEN) as paid:
        call = asyncio.create_task(paid.house.ask(body, path=path))
        act.let_go(8)
        await until(lambda: paid.entries("extend"))
        act.let_go()
        assert (await soon(call)).status == 200
        await paid.settled()
        assert paid.account() == (100 * USD - paid.price(1000, 400), 0)


async def test_an_answer_whose_extension_is_refused_ends_and_says_so(tmp_path: Path) -> None:
    act = Steps(*growing(12))
    async with paid_house(tmp_path / "books.db", Script(act), settings=OFTEN) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.head()
            paid.set_balance(paid.account()[1])
            for _ in range(10):
                act.let_go()
                await asyncio.sleep(0.02)
            await until(lambda: False in paid.counter.results)
            act.let_go()
            told = (await wire.rest()).events
        assert [error["code"] for error in told.errors] == ["insufficient_funds"]
        assert not told.done
        await until(lambda: act.cut == 1 or act.done == 1)
        receipt = await paid.settled()
        assert is_marked(receipt, "partial")
        assert any(isinstance(one, Extend) for one in paid.counter.written)
        assert paid.entries("settle")[0][1] < 0


async def test_what_the_caller_bounded_is_never_extended(tmp_path: Path) -> None:
    act = Steps(*growing(12), held=False)
    async with paid_house(tmp_path / "books.db", Script(act), settings=OFTEN) as paid:
        await paid.house.ask(chat(stream=True, max_tokens=600))
        await paid.settled()
        assert not paid.entries("extend")


async def test_while_more_is_asked_for_it_is_not_asked_for_again(tmp_path: Path) -> None:
    act = Steps(*growing(12))
    async with paid_house(tmp_path / "books.db", Script(act), settings=OFTEN) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.chunk()
            paid.counter.close()
            submitted = paid.counter.submitted
            for _ in range(9):
                act.let_go()
                await wire.chunk()
            assert paid.counter.submitted == submitted + 1
            paid.counter.open()
            act.let_go(2)
            await wire.rest()
        await paid.settled()


# -- the database is away --------------------------------------------------------------------------------------------


async def test_a_prepaid_call_is_a_503_while_the_database_is_away(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        paid.counter.broken = True
        answer = await paid.house.ask(chat())
        assert (answer.status, answer.error["code"]) == (503, "storage_unavailable")
        assert "retry-after" in answer.headers
        assert act.asked == 0
        paid.counter.open()
        assert (await paid.house.ask(chat())).status == 200
        await paid.settled()


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("stream", STREAMS)
async def test_an_open_account_is_served_while_the_database_is_away_and_booked_later(
    tmp_path: Path, stream: bool, at_once: bool
) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act), balance=0, prepaid=False) as paid:
        paid.counter.broken, paid.counter.away = True, at_once
        for _ in range(3):
            assert (await paid.house.ask(chat(stream=stream))).status == 200
        assert paid.entries() == []
        paid.counter.open()
        await paid.settled(3)
        assert paid.account() == (-3 * paid.price(1000, 500), 0)
        assert sum(isinstance(write, Settle) for write in paid.counter.written) == 3


async def test_what_was_served_while_the_database_was_away_counts_in_the_budget(tmp_path: Path) -> None:
    act, policy = Steps(ANSWER, held=False), {"budget_day_nanos": USD}
    async with paid_house(tmp_path / "books.db", Script(act), prepaid=False, policy=policy) as paid:
        paid.counter.broken = True
        assert (await paid.house.ask(chat())).status == 200
        paid.counter.open()
        await paid.settled()
        assert paid.counter.rows("SELECT kind, used FROM counters") == [("budget_day", paid.price(1000, 500))]


RESTS = {"rpm": 5}


@pytest.mark.parametrize("comfortable", [False, True])
@pytest.mark.parametrize("stream", STREAMS)
async def test_what_was_answered_while_the_database_rested_is_paid_though_its_hold_would_be_refused(
    tmp_path: Path, stream: bool, comfortable: bool
) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act), prepaid=False, policy=RESTS) as paid:
        if comfortable:
            await paid.house.ask(chat())
            await paid.settled()
        before = len(paid.receipts())
        paid.counter.close()
        paid.till.storage_failed()
        assert (await paid.house.ask(chat(stream=stream))).status == 200
        exhaust(paid)
        paid.counter.open()
        await paid.settled(before + 1)
        assert paid.account() == (100 * USD - (before + 1) * paid.price(1000, 500), 0)


async def test_an_answer_that_was_begun_while_the_database_rested_is_given_to_its_end(tmp_path: Path) -> None:
    act = Steps(piece("one ", 40), piece("two", 80, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act), prepaid=False, policy=RESTS) as paid:
        act.let_go(2)
        await paid.house.ask(chat(stream=True))
        await paid.settled()
        paid.counter.close()
        paid.till.storage_failed()
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.chunk()
            exhaust(paid)
            paid.counter.open()
            await until(lambda: any(isinstance(one, Refused) for one in paid.counter.results))
            act.let_go()
            assert (await wire.rest()).events.done
        await paid.settled(2)
        assert paid.account() == (100 * USD - 2 * paid.price(1000, 80), 0)


async def test_a_refusal_holds_though_the_database_rests_again(tmp_path: Path) -> None:
    act = Steps(ANSWER)
    async with paid_house(tmp_path / "books.db", Script(act), prepaid=False, policy=RESTS) as paid:
        act.let_go()
        await paid.house.ask(chat())
        await paid.settled()
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            await until(lambda: act.asked == 2)
            exhaust(paid)
            paid.counter.open()
            paid.till.storage_failed()
            act.let_go()
            answer = await wire.rest()
        assert answer.status == 429
        assert len(paid.receipts()) == 1


def exhaust(paid: Paid) -> None:
    """The minute's calls are used up, in this one and in the next."""
    minute = int(time.time()) // 60
    for window in (minute, minute + 1):
        paid.counter.rows("INSERT OR REPLACE INTO counters VALUES ('key_1', 'requests', ?, 5)", window)


async def test_an_open_account_never_runs_out(tmp_path: Path) -> None:
    """Its hold may be gone when more is asked for: another worker resolved it while this one was frozen."""
    act = Steps(*growing(12))
    async with paid_house(tmp_path / "books.db", Script(act), settings=OFTEN, prepaid=False) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.head()
            paid.counter.rows("DELETE FROM holds")
            for _ in range(11):
                act.let_go()
                await asyncio.sleep(0.02)
            told = (await wire.rest()).events
        assert told.done
        assert any(isinstance(one, Extend) for one in paid.counter.written)


async def test_a_full_queue_refuses_open_accounts_too(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act), prepaid=False) as paid:
        paid.counter.full = True
        assert (await paid.house.ask(chat())).status == 503
        assert act.asked == 0


async def test_a_worker_without_a_lease_begins_nothing_for_prepaid_accounts(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        paid.till.admits = lambda: False
        assert (await paid.house.ask(chat())).status == 503
        assert act.asked == 0


async def test_a_caller_who_leaves_while_the_hold_is_on_its_way_pays_nothing(tmp_path: Path) -> None:
    act = Steps(ANSWER, held=False)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        paid.counter.close()
        async with paid.house.open(chat()) as wire:
            await until(lambda: paid.counter.submitted == 1)
            wire.reset()
        await until(lambda: paid.house.budget.calls == 0)
        paid.counter.open()
        await paid.settled()
        assert [type(write).__name__ for write in paid.counter.written] == ["Hold", "Release"]
        assert isinstance(paid.counter.results[0], Held)
        assert paid.account() == (100 * USD, 0)
        assert act.asked == 0
