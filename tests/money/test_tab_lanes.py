"""What the lanes of one call have in common: one tab, which each of them may ask for more."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from gateway.house import Script, answers, chat, fails, says, soon, until
from metering.pricing import BOOKS, made, row
from money.acts import usage
from money.paid import USD, paid_house
from portico.accounts import Caller
from portico.core.ask import Ask
from portico.core.errors import FundsHeld, InsufficientFunds, StorageUnavailable
from portico.core.target import Capabilities
from portico.ledger.hold import Extend, Held, Hold, Refused
from portico.relay.tab import Offer, Tab, error_of
from portico.relay.till import Till, TillSettings
from portico.wire.http import Exchange

ABLE = Capabilities(max_output_tokens=100)
ASK = Ask(text_bytes=100, max_output_tokens=100)
CHEAP = Offer(made(row("input", 10**9), row("output", 10**9)), ABLE)
DEARER = Offer(made(row("input", 10**10), row("output", 10**10)), ABLE)


class Desk:
    """A committer whose writes a test decides, one by one."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, asyncio.Future[Any]]] = []
        self.posted: list[Any] = []
        self.away = False

    def submit(self, write: Any, *, hurry: bool = True) -> asyncio.Future[Any]:  # noqa: ARG002
        if self.away:
            raise StorageUnavailable
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.asked.append((write, future))
        return future

    def post(self, write: Any, *, hurry: bool = True) -> None:  # noqa: ARG002
        self.posted.append(write)

    def decide(self, number: int, result: Any) -> None:
        future = self.asked[number][1]
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def tab_at(desk: Desk, *, prepaid: bool = True, **settings: Any) -> Tab:
    loop = asyncio.get_running_loop()
    till = Till(
        desk,
        lambda: BOOKS,
        worker_id=lambda: "worker_1",
        now=lambda: 0.0,
        clock=loop.time,
        rng=Random(3),
        settings=TillSettings(**settings),
    )
    return Tab(till, Caller("alice", "key_1", prepaid=prepaid), "req_1")


async def held_tab(
    desk: Desk, ask: Ask, *, offer: Offer = CHEAP, times: int = 1, prepaid: bool = True, **settings: Any
) -> Tab:
    """One whose first hold is durable."""
    tab = tab_at(desk, prepaid=prepaid, **settings)
    first = asyncio.create_task(tab.hold(ask, [offer], times=times))
    await until(lambda: len(desk.asked) == 1)
    desk.decide(0, Held(10**12))
    await soon(first)
    return tab


async def test_lanes_that_ask_for_the_same_at_once_hold_it_once() -> None:
    desk = Desk()
    tab = await held_tab(desk, ASK)
    lanes = [asyncio.create_task(tab.hold(ASK, [DEARER])) for _ in range(2)]
    await until(lambda: len(desk.asked) == 2)
    held = tab.amount
    await asyncio.sleep(0)
    assert not any(lane.done() for lane in lanes)
    desk.decide(1, True)
    await soon(asyncio.gather(*lanes))
    assert [type(write) for write, _ in desk.asked] == [Hold, Extend]
    assert tab.amount == tab.dearest(ASK, [DEARER], 1)[0].nanos == held + desk.asked[1][0].amount_nanos


async def test_a_lane_that_asks_for_more_than_another_holds_the_rest_once_that_is_decided() -> None:
    desk = Desk()
    tab = await held_tab(desk, ASK)
    longer = Ask(text_bytes=1000, max_output_tokens=100)
    lanes = [asyncio.create_task(tab.hold(ask, [DEARER])) for ask in (ASK, longer)]
    await until(lambda: len(desk.asked) == 2)
    desk.decide(1, True)
    await until(lambda: len(desk.asked) == 3)
    assert lanes[0].done()
    assert not lanes[1].done()
    desk.decide(2, True)
    await soon(lanes[1])
    held = sum(write.amount_nanos for write, _ in desk.asked)
    assert tab.amount == tab.dearest(longer, [DEARER], 1)[0].nanos == held


async def test_a_lane_waits_for_what_is_held_as_the_answer_goes_on() -> None:
    desk = Desk()
    tab = tab_at(desk, default_hold_tokens=10)
    open_end = Ask(text_bytes=100)
    first = asyncio.create_task(tab.hold(open_end, [CHEAP]))
    await until(lambda: len(desk.asked) == 1)
    desk.decide(0, Held(10**12))
    await soon(first)
    tab.checkpoint(b"{}", 9)
    lane = asyncio.create_task(tab.hold(open_end, [DEARER]))
    await asyncio.sleep(0)
    assert len(desk.asked) == 2
    desk.decide(1, True)
    await until(lambda: len(desk.asked) == 3)
    desk.decide(2, True)
    await soon(lane)
    assert tab.amount == sum(write.amount_nanos for write, _ in desk.asked)


async def test_lanes_wait_together_while_only_open_holds_stand_in_the_way() -> None:
    desk = Desk()
    tab = tab_at(desk, funds_wait_s=60.0)
    lanes = [asyncio.create_task(tab.hold(ASK, [CHEAP], times=2)) for _ in range(2)]
    await until(lambda: len(desk.asked) == 1)
    desk.decide(0, Refused("funds_held", 1.0))
    await until(lambda: len(desk.asked) == 2)
    assert not any(lane.done() for lane in lanes)
    desk.decide(1, Held(10**12))
    await soon(asyncio.gather(*lanes))


@pytest.mark.parametrize("prepaid", [True, False])
@pytest.mark.parametrize("decision", [Held(10**12), Refused("no_account")])
async def test_a_call_that_ends_while_its_hold_is_on_its_way_is_written_if_it_was_held(
    prepaid: bool, decision: Held | Refused
) -> None:
    desk = Desk()
    tab = tab_at(desk, prepaid=prepaid)
    asking = asyncio.create_task(tab.hold(ASK, [CHEAP]))
    await until(lambda: len(desk.asked) == 1)
    last = Extend("req_1", "alice", "key_1", 0)
    tab.close(last)
    assert desk.posted == []
    desk.decide(0, decision)
    await soon(asyncio.gather(asking, return_exceptions=True))
    await soon(asyncio.sleep(0))
    assert desk.posted == ([last] if isinstance(decision, Held) else [])
    assert not tab.unfunded


async def test_a_call_that_is_given_up_while_only_open_holds_stand_in_its_way_has_no_end_to_write() -> None:
    desk = Desk()
    tab = tab_at(desk, funds_wait_s=60.0)
    asking = asyncio.create_task(tab.hold(ASK, [CHEAP]))
    await until(lambda: len(desk.asked) == 1)
    desk.decide(0, Refused("funds_held", 1.0))
    for _ in range(5):
        await asyncio.sleep(0)
    asking.cancel()
    await soon(asyncio.gather(asking, return_exceptions=True))
    tab.close(Extend("req_1", "alice", "key_1", 0))
    assert desk.posted == []


async def test_what_was_refused_is_not_paid_for_though_the_database_then_rests() -> None:
    """What of the answer comes before the call is stopped is not shown."""
    desk = Desk()
    tab = tab_at(desk, prepaid=False)
    await tab.hold(ASK, [CHEAP])
    desk.decide(0, Refused("no_account"))
    await asyncio.sleep(0)
    tab._till.storage_failed()
    assert not tab.ready()


async def test_a_call_whose_hold_was_refused_has_no_end_to_write() -> None:
    desk = Desk()
    tab = tab_at(desk)
    asking = asyncio.create_task(tab.hold(ASK, [CHEAP]))
    await until(lambda: len(desk.asked) == 1)
    desk.decide(0, Refused("insufficient_funds"))
    with pytest.raises(InsufficientFunds):
        await soon(asking)
    tab.close(Extend("req_1", "alice", "key_1", 0))
    assert desk.posted == []


@pytest.mark.parametrize("reason", ["funds_held", "budget_day", "budget_month", "rpm", "tpm", "concurrent"])
def test_a_refusal_says_when_it_is_worth_coming_back(reason: str) -> None:
    assert error_of(Refused(reason, 77.0, 5, 5)).retry_after_s == 77.0


@pytest.mark.parametrize(
    ("prepaid", "result", "ran_out"),
    [(True, True, False), (True, False, True), (True, StorageUnavailable(), False), (False, False, False)],
)
async def test_an_answer_runs_out_only_where_it_is_known_that_more_is_not_paid_for(
    prepaid: bool, result: bool | Exception, ran_out: bool
) -> None:
    desk = Desk()
    tab = tab_at(desk, prepaid=prepaid, default_hold_tokens=10)
    asking = asyncio.create_task(tab.hold(Ask(text_bytes=100), [CHEAP]))
    await until(lambda: len(desk.asked) == 1)
    desk.decide(0, Held(10**12))
    await soon(asking)
    tab.checkpoint(b"{}", 9)
    await until(lambda: len(desk.asked) == 2)
    desk.decide(1, result)
    await asyncio.sleep(0)
    assert tab.ran_out is ran_out


async def test_what_is_held_as_an_answer_goes_on_is_shared_by_all_answers_of_all_lanes() -> None:
    """Four of them: each may have ten tokens more than are held for it."""
    desk, ask = Desk(), Ask(text_bytes=100, candidates=2)
    tab = await held_tab(desk, ask, times=2, default_hold_tokens=10)
    tab.checkpoint(b"{}", 29)
    assert len(desk.asked) == 1, "it has less than three quarters of what is held"
    tab.checkpoint(b"{}", 30)
    desk.decide(1, True)
    await asyncio.sleep(0)
    assert tab.amount == tab.dearest(msgspec.structs.replace(ask, max_output_tokens=20), [CHEAP], 2)[0].nanos


async def test_a_lane_that_asks_elsewhere_is_held_for_as_often_as_lanes_of_its_own_size_are_needed() -> None:
    """Nine answers, in a lane of eight and one of one."""
    desk, eight, one = Desk(), Ask(text_bytes=2, candidates=8), Ask(text_bytes=2)
    tab = await held_tab(desk, eight, times=2)
    await soon(tab.hold(one, [CHEAP], times=9))
    again = asyncio.create_task(tab.hold(eight, [CHEAP], times=2))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(desk.asked) == 1
    assert again.done()


async def test_all_lanes_of_a_call_are_held_for_where_the_last_is_smaller(tmp_path: Path) -> None:
    """A model that gives eight answers at once is asked twice for nine."""
    async with paid_house(tmp_path / "books.db", Script(answers(says("Hello", usageMetadata=usage(1, 1))))) as paid:
        for count in (8, 9):
            assert (await paid.house.ask(chat(model="gemini-2.5-pro", n=count, max_tokens=100))).status == 200
        await paid.settled(2)
        eight, nine = [held for _, _, held in paid.entries("hold")]
        assert nine > eight


async def test_more_is_held_for_lanes_of_other_sizes_before_the_answer_is_longer_than_what_is_held() -> None:
    desk, eight, one = Desk(), Ask(text_bytes=2, candidates=8), Ask(text_bytes=2)
    tab = await held_tab(desk, eight, times=2, default_hold_tokens=10)
    await soon(tab.hold(one, [CHEAP], times=9))
    for ask, times in ((one, 9), (eight, 2)):
        tab.answered(ask, times=times)
    tab.checkpoint(b"{}", 16 * 10)
    assert [type(write) for write, _ in desk.asked] == [Hold, Extend]


async def test_nothing_more_is_held_for_an_answer_that_can_be_no_longer() -> None:
    desk = Desk()
    tab = await held_tab(desk, Ask(text_bytes=100), default_hold_tokens=100)
    tab.checkpoint(b"{}", 99)
    assert len(desk.asked) == 1


async def test_more_is_asked_for_again_at_the_next_checkpoint_where_the_database_could_not_be_asked() -> None:
    desk = Desk()
    tab = await held_tab(desk, Ask(text_bytes=100), default_hold_tokens=10)
    desk.away = True
    tab.checkpoint(b"{}", 9)
    assert not tab.ran_out
    desk.away = False
    tab.checkpoint(b"{}", 9)
    assert len(desk.asked) == 2


@pytest.mark.parametrize("prepaid", [True, False])
async def test_where_the_database_cannot_be_asked_a_dearer_candidate_answers_only_an_open_account(
    prepaid: bool,
) -> None:
    desk = Desk()
    tab = await held_tab(desk, ASK, prepaid=prepaid)
    desk.away = True
    if prepaid:
        with pytest.raises(StorageUnavailable):
            await tab.hold(ASK, [DEARER])
    else:
        await tab.hold(ASK, [DEARER])


async def test_more_is_asked_for_only_once_what_is_held_is_durable() -> None:
    desk = Desk()
    tab = tab_at(desk, prepaid=False)
    await tab.hold(ASK, [CHEAP])  # on its way, beside the provider's call
    dearer = asyncio.create_task(tab.hold(ASK, [DEARER]))
    for _ in range(5):
        await asyncio.sleep(0)
    assert [type(write) for write, _ in desk.asked] == [Hold]
    desk.decide(0, Held(0))
    await until(lambda: len(desk.asked) == 2)
    desk.decide(1, True)
    await soon(dearer)


async def test_an_open_end_is_held_for_though_who_was_asked_first_had_a_limit() -> None:
    """What is held for him is enough for a while."""
    desk = Desk()
    limited, open_end = Ask(text_bytes=100, max_output_tokens=20), Ask(text_bytes=100)
    tab = await held_tab(desk, limited, default_hold_tokens=10)
    await tab.hold(open_end, [CHEAP])
    tab.answered(open_end)
    tab.checkpoint(b"{}", 9)
    assert len(desk.asked) == 1
    tab.checkpoint(b"{}", 15)
    desk.decide(1, True)
    await asyncio.sleep(0)
    assert tab.amount == tab.dearest(Ask(text_bytes=100, max_output_tokens=30), [CHEAP], 1)[0].nanos


async def test_of_a_longer_question_more_is_held_by_its_own_length() -> None:
    """The first who was asked needed less of it."""
    desk = Desk()
    short, long = Ask(text_bytes=100), Ask(text_bytes=10_000)
    tab = await held_tab(desk, short, default_hold_tokens=10)
    second = asyncio.create_task(tab.hold(long, [CHEAP]))
    await until(lambda: len(desk.asked) == 2)
    desk.decide(1, True)
    await soon(second)
    tab.answered(long)
    tab.checkpoint(b"{}", 9)
    desk.decide(2, True)
    await asyncio.sleep(0)
    assert tab.amount == tab.dearest(msgspec.structs.replace(long, max_output_tokens=20), [CHEAP], 1)[0].nanos


async def test_a_lane_that_fails_after_another_has_answered_leaves_nothing_to_pay(tmp_path: Path) -> None:
    """The caller is told of the failure, and is given no answer at all."""
    answer = answers(says("Hello there", usageMetadata=usage(1000, 500)))
    bad = fails(400, "INVALID_ARGUMENT")

    async def late(exchange: Exchange) -> None:
        await asyncio.sleep(0.1)  # the other is there by then
        await bad(exchange)

    async with paid_house(tmp_path / "books.db", Script(answer, late, bad, bad)) as paid:
        assert (await paid.house.ask(chat(n=2))).status == 400
        receipt = await paid.settled()
        assert receipt.get("charge_nanos", 0) == 0
        assert paid.account() == (100 * USD, 0)
        assert [kind for kind, _, _ in paid.entries()] == ["hold", "release"]


@pytest.mark.parametrize(
    ("prepaid", "result", "told"),
    [
        (True, False, FundsHeld),
        (True, StorageUnavailable(), StorageUnavailable),
        (False, False, None),
        (False, StorageUnavailable(), None),
    ],
)
async def test_a_dearer_candidate_is_refused_only_to_who_cannot_pay(
    prepaid: bool, result: bool | Exception, told: type[Exception] | None
) -> None:
    desk = Desk()
    tab = await held_tab(desk, ASK, prepaid=prepaid)
    dearer = asyncio.create_task(tab.hold(ASK, [DEARER]))
    await until(lambda: len(desk.asked) == 2)
    desk.decide(1, result)
    if told is None:
        await soon(dearer)
    else:
        with pytest.raises(told):
            await soon(dearer)


async def test_more_is_held_of_a_dearer_candidate_at_its_own_price() -> None:
    """Who was asked first is cheaper by so much that twice its output costs less than what is held."""
    able = Capabilities(max_output_tokens=100_000)
    cheap, dearer = Offer(CHEAP.rates, able), Offer(DEARER.rates, able)
    open_end = Ask(text_bytes=100)
    desk = Desk()
    tab = await held_tab(desk, open_end, offer=cheap, default_hold_tokens=1000)
    second = asyncio.create_task(tab.hold(open_end, [dearer]))
    await until(lambda: len(desk.asked) == 2)
    desk.decide(1, True)
    await soon(second)
    held = tab.amount
    tab.checkpoint(b"{}", 900)
    await until(lambda: len(desk.asked) == 3)
    more = desk.asked[2][0]
    assert isinstance(more, Extend)
    assert held + more.amount_nanos == tab.dearest(Ask(text_bytes=100, max_output_tokens=2000), [dearer], 1)[0].nanos


async def test_more_is_held_at_the_dearest_price_of_all_who_were_asked() -> None:
    desk, open_end = Desk(), Ask(text_bytes=100)
    tab = await held_tab(desk, open_end, offer=DEARER, default_hold_tokens=10)
    await soon(tab.hold(open_end, [CHEAP]))
    tab.checkpoint(b"{}", 9)
    longer = msgspec.structs.replace(open_end, max_output_tokens=20)
    assert sum(write.amount_nanos for write, _ in desk.asked) == tab.dearest(longer, [DEARER], 1)[0].nanos


async def test_an_extension_that_is_refused_lets_no_call_begin_beside_its_hold() -> None:
    desk, open_end = Desk(), Ask(text_bytes=100)
    tab = await held_tab(desk, open_end, default_hold_tokens=10)
    assert tab._till.is_comfortable(tab.caller, 1, 1)
    tab.checkpoint(b"{}", 9)
    desk.decide(1, False)
    await until(lambda: tab.ran_out)
    assert not tab._till.is_comfortable(tab.caller, 1, 1)
