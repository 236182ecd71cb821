"""A fleet in which one attempt in three fails in a random way: what a call may end with follows from the fleet's own log.

Nobody is answered twice, no stream is begun anew after its first event, and a failure is only told when every try allowed
failed. The same with 2,000 calls and the books on: tests/money/test_chaos_money.py.
"""

import asyncio
from typing import Any

import pytest

from gateway.fleet import EARLY, GOOD, LATE, MODELS, NAMES, RULES, SETTINGS, Tried, check, fleet, join
from gateway.house import chat, open_house, soon

CALLS = 600
AT_A_TIME = 48


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_every_call_ends_as_the_fleets_log_allows(streamed: bool) -> None:
    log: dict[str, list[Tried]] = {}
    members = fleet(log)
    ended: dict[str, Any] = {}
    gate = asyncio.Semaphore(AT_A_TIME)
    async with open_house(
        members["gemini"],
        fleet={name: members[name] for name in NAMES[1:]},
        models=MODELS,
        rules=RULES,
        settings=SETTINGS,
    ) as house:
        join(members, house.upstream)
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
    fates = {one.fate for tries in log.values() for one in tries}
    assert fates == {*GOOD, *EARLY, *(LATE if streamed else ())}
