"""What pages say of traffic: nothing of a few calls, and no worse of many than is so."""

import pytest

from portico.web.house import House
from portico.web.showroom import Traffic
from web.rooms import ask, showroom


def house(calls: int, failed: int) -> House:
    waits = {126: calls - failed}
    return House(showroom(traffic={"gpt-5.5": (Traffic(0, calls, failed, waits),)}))


@pytest.mark.parametrize("path", ["/status", "/status.md"])
async def test_of_a_few_calls_no_share_and_no_time_is_told(path: str) -> None:
    text = (await ask(house(29, 0), path)).text
    assert "gpt-5.5" in text
    assert "Too few calls" in text
    assert " ms" not in text
    assert "%" not in text.partition("gpt-5.5")[2]


async def test_nor_is_it_told_to_programs() -> None:
    [few] = (await ask(house(29, 1), "/status.json")).json["data"]
    assert (few["calls"], few["failed"], few["verdict"]) == (29, 1, "too_few_calls")
    assert few["success_permille"] is few["first_event_p50_ms"] is few["first_event_p95_ms"] is None
    [enough] = (await ask(house(30, 0), "/status.json")).json["data"]
    assert (enough["success_permille"], enough["first_event_p50_ms"], enough["first_event_p95_ms"]) == (1000, 126, 126)


@pytest.mark.parametrize(
    ("failed", "verdict"),
    [(0, "fine"), (10, "fine"), (11, "some_calls_fail"), (50, "some_calls_fail"), (51, "failing")],
)
async def test_a_verdict_is_of_the_share_that_was_answered(failed: int, verdict: str) -> None:
    [told] = (await ask(house(1000, failed), "/status.json")).json["data"]
    assert told["verdict"] == verdict
