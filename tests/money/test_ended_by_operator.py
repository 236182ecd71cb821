"""A call that an operator ends: what its caller is told, and what is charged, as the disconnect contract has it."""

from pathlib import Path

import pytest

from gateway.house import Script, chat, says, until
from money.acts import Steps, piece, usage
from money.paid import USD, is_marked, paid_house
from money.test_disconnect import DIALECTS, asking

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
CODE = "ended_by_operator"


@pytest.mark.parametrize("policy", [{}, {"on_disconnect": "drain"}], ids=["cancel", "drain"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_of_a_stream_that_an_operator_ends_what_was_shown_is_charged(
    tmp_path: Path, dialect: str, policy: dict[str, str]
) -> None:
    act = Steps(piece("one ", 10), piece("two ", 20), piece("never", 30, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act), policy=policy) as paid:
        path, body = asking(dialect, stream=True)
        async with paid.house.open(body, path=path) as wire:
            act.let_go(2)
            await wire.head()
            seen = b""
            while b"two" not in seen:
                seen += await wire.chunk()
            (request_id,) = paid.till.open
            assert paid.till.end(request_id)
            rest = await wire.rest()
        assert b"Whoever runs this gateway ended the call." in rest.body
        receipt = await paid.settled()
        await until(lambda: act.cut == 1)
        assert receipt["outcome"] == CODE
        assert is_marked(receipt, "partial")
        assert paid.account() == (100 * USD - paid.price(1000, 20), 0)
        assert not paid.till.open


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_call_that_had_not_begun_to_be_answered_is_refused_and_free(
    tmp_path: Path, dialect: str, stream: bool
) -> None:
    act = Steps(piece("never", 5) if stream else ANSWER)
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        path, body = asking(dialect, stream=stream)
        async with paid.house.open(body, path=path) as wire:
            await until(lambda: act.asked == 1)
            (request_id,) = paid.till.open
            paid.till.end(request_id)
            answer = await wire.rest()
        assert answer.status == 503
        assert answer.headers["x-should-retry"] == "false"
        assert b"Whoever runs this gateway ended the call." in answer.body
        receipt = await paid.settled()
        await until(lambda: act.cut == 1)
        assert receipt["outcome"] == CODE
        assert paid.account() == (100 * USD, 0)


async def test_what_is_not_served_here_cannot_be_ended_here(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(Steps(ANSWER, held=False))) as paid:
        assert not paid.till.end("req_elsewhere")
        assert (await paid.house.ask(chat())).status == 200
        await paid.settled()
        assert not paid.till.open  # nothing of a call that is over is kept


async def test_a_caller_who_left_first_is_who_ended_the_call(tmp_path: Path) -> None:
    act = Steps(piece("one ", 10), piece("never", 30, "STOP"))
    async with paid_house(tmp_path / "books.db", Script(act)) as paid:
        async with paid.house.open(chat(stream=True)) as wire:
            act.let_go()
            await wire.head()
            (request_id,) = paid.till.open
            wire.reset()
        await until(lambda: act.cut == 1)
        paid.till.end(request_id)
        receipt = await paid.settled()
        assert receipt["outcome"] == "caller_gone"
