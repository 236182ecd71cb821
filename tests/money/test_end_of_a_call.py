"""Whatever goes wrong in the gateway itself, a call leaves no hold and no idempotency key behind."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.house import Script, answers, chat, fails, says, until
from money.acts import Steps, piece, usage
from money.paid import USD, paid_house
from portico.ledger.settle import Checkpoint
from portico.metering.charge import Charge
from portico.relay.till import TillSettings

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
ONCE = {"idempotency-key": "order-66"}


def torn(*_: Any, **__: Any) -> Charge:
    """In place of `charge`: what cannot be made out."""
    raise RuntimeError("a page is missing")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_charge_that_cannot_be_made_out_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER))) as paid:
        monkeypatch.setattr("portico.relay.paying.charge", torn)
        await paid.house.ask(chat(stream=stream), headers=ONCE)
        receipt = await paid.settled()
        ((_, _, held),) = paid.entries("hold")
        assert [kind for kind, _, _ in paid.entries()] == ["hold", "release"]
        assert (receipt["outcome"], receipt["hold_nanos"], receipt["key_id"]) == ("failed", held, "key_1")
        assert paid.counter.rows("SELECT outcome, key_id FROM receipts") == [("failed", "key_1")]
        assert paid.account() == (100 * USD, 0)
        monkeypatch.undo()
        assert (await paid.house.ask(chat(stream=stream), headers=ONCE)).status == 200
        await paid.settled(2)


@pytest.mark.parametrize("prepaid", [False, True])
async def test_a_hold_that_the_database_cannot_take_refuses_the_call_and_nobody_elses(
    tmp_path: Path, prepaid: bool
) -> None:
    script = Script(answers(ANSWER))
    async with paid_house(tmp_path / "books.db", script, prepaid=prepaid, policy={"rpm": 5}) as paid:
        paid.counter.rows("DROP TABLE counters")
        answer = await paid.house.ask(chat())
        assert answer.status == 500
        assert not script.requests
        assert not paid.till.storage_rests
        assert paid.account() == (100 * USD, 0)


async def test_a_full_queue_is_not_filled_further_with_checkpoints(tmp_path: Path) -> None:
    act = Steps(*[piece("word ", 5 * number) for number in range(1, 6)], piece("end", 30, "STOP"))
    often = TillSettings(checkpoint_s=0.0)
    async with paid_house(tmp_path / "books.db", Script(act), settings=often) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.head()
            await until(lambda: any(isinstance(one, Checkpoint) for one in paid.counter.written))
            before = len(paid.counter.written)
            paid.counter.full = True
            act.let_go(4)
            await asyncio.sleep(0.05)
            assert len(paid.counter.written) == before
            act.let_go()
            assert (await wire.rest()).events.done
        await paid.settled()


async def test_what_is_kept_of_a_day_says_what_the_receipts_do(tmp_path: Path) -> None:
    counts = usage(1000, 40, thoughtsTokenCount=7, toolUsePromptTokenCount=20) | {"cachedContentTokenCount": 300}
    script = Script(answers(says("Hello there", usageMetadata=counts)), fails(400, "INVALID_ARGUMENT"))
    async with paid_house(tmp_path / "books.db", script) as paid:
        began_us = int(time.time() * 1_000_000)
        await paid.house.ask(chat())
        receipt = await paid.settled()
        await paid.house.ask(chat())
        await paid.settled(2)
        assert paid.counter.rows(
            "SELECT model, key_id, calls, input_tokens, cached_tokens, output_tokens, reasoning_tokens,"
            " charge_nanos, cost_nanos, released FROM usage_days"
        ) == [("gemini-3.5-flash", "key_1", 1, 1020, 300, 47, 7, receipt["charge_nanos"], receipt["cost_nanos"], 1)]
        kept = paid.counter.rows("SELECT at_us, model, outcome, charge_nanos, cost_nanos FROM receipts ORDER BY at_us")
        assert kept[0][1:] == ("gemini-3.5-flash", "ok", receipt["charge_nanos"], receipt["cost_nanos"])
        assert began_us <= kept[0][0] == receipt["at_us"] < kept[1][0]


async def test_of_a_call_that_was_refused_there_is_nothing_to_settle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is said of it in the log: it is the caller's matter."""
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), balance=1) as paid:
        assert (await paid.house.ask(chat())).status == 402
        assert (await paid.house.ask(chat(temperature="hot"))).status == 400
        assert (await paid.house.ask(chat(model="no-such-model"))).status == 404
        path = "/v1beta/models/gemini-3.5-flash:generateContent"
        assert (await paid.house.ask({"contents": [], "newThing": 1}, path=path)).status == 400
        assert paid.entries() == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
