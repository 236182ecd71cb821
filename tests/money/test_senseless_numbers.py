"""Numbers that make no sense, of a caller's or a provider's: the books stay whole, and no hold stays open."""

from pathlib import Path
from typing import Any

import pytest

from gateway.house import Json, Script, answers, chat, says
from money.acts import usage
from money.paid import USD, paid_house
from portico.dialects.gemini import DIALECT as GEMINI
from portico.wire import jsontext

ANSWER = says("Hello there", usageMetadata=usage(1000, 500))
COUNTS: list[Any] = [10**30, "9" * 30, 1e300, "many", "9" * 5000, {}, [7], True]


@pytest.mark.parametrize("count", COUNTS, ids=lambda count: str(count)[:12])
@pytest.mark.parametrize("stream", [False, True])
async def test_counts_that_no_answer_has_are_booked_as_far_as_they_can_be(
    tmp_path: Path, stream: bool, count: Any
) -> None:
    counts = usage(1000, 500) | {"candidatesTokenCount": count}
    script = Script(answers(says("Hello there", usageMetadata=counts)))
    async with paid_house(tmp_path / "books.db", script) as paid:
        assert (await paid.house.ask(chat(stream=stream))).status == 200
        receipt = await paid.settled()
        posted, _ = paid.account()
        assert 100 * USD - posted == receipt["charge_nanos"]
        assert len(paid.entries("settle")) == 1


def passing(**config: Any) -> Json:
    return {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": config}


@pytest.mark.parametrize("wanted", [10**12, 2**62, 10**40, "9" * 18])
@pytest.mark.parametrize("prepaid", [False, True])
async def test_more_answers_than_anybody_gives_never_reach_the_books(
    tmp_path: Path, wanted: int | str, prepaid: bool
) -> None:
    path = "/v1beta/models/gemini-3.5-flash:generateContent"
    async with paid_house(tmp_path / "books.db", Script(answers(ANSWER)), prepaid=prepaid) as paid:
        assert (await paid.house.ask(passing(candidateCount=wanted), path=path)).status in (200, 402)
        for kind, _, held in paid.entries():
            assert kind == "settle" or held < 10_000 * USD


@pytest.mark.parametrize("bound", [0, "0", -5, 0.0])
def test_a_bound_that_bounds_nothing_is_none(bound: object) -> None:
    assert GEMINI.passing is not None
    assert GEMINI.passing.ask(jsontext.encode(passing(maxOutputTokens=bound))).max_output_tokens is None
