"""How a model fares is counted from calls as they are: what a caller got, and what the gateway told an observer of it."""

import asyncio

import pytest

import portico
from gateway.gemini import streams
from gateway.house import Script, answers, chat, fails, open_house, says, until
from portico.catalog import OperatorModel
from portico.routing.traffic import BOUNDS_MS, Counts, TrafficTally
from portico.telemetry import Metrics, Observing

MODEL = "gemini-3.5-flash"
GEMINI = f"/v1beta/models/{MODEL}"


class Watched:
    """An observer, and what it counts."""

    def __init__(self) -> None:
        self.tally = TrafficTally(lambda: 1.9e9)
        metrics = Metrics(workers=1, version=portico.__version__, routes=[], providers=[], models=[], errors=[])
        self.observer = Observing(metrics.tally(0), None, self.tally)
        self._told = Counts()

    @property
    def told(self) -> tuple[int, int, int]:
        """(calls, failed, those whose wait is known); nothing of another model."""
        for (_, model), counts in self.tally.take().items():
            assert model == MODEL
            self._told.add(counts)
        return self._told.calls, self._told.failed, sum(self._told.waits.values())

    @property
    def waits(self) -> list[int]:
        assert self.told
        return list(self._told.waits)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("markers", "counted"),
    [
        ("", (1, 0, 1)),
        ("once:malformed", (1, 0, 1)),
        ("429", (1, 1, 0)),
        ("500", (1, 1, 0)),
        ("503", (1, 1, 0)),
        ("cut-before", (1, 1, 0)),
        ("garbage", (1, 1, 0)),
        ("404", (1, 1, 0)),
        ("400", (0, 0, 0)),
        ("context", (0, 0, 0)),
        ("block", (1, 0, 1)),
    ],
)
async def test_what_its_caller_got_is_counted(markers: str, stream: bool, counted: tuple[int, int, int]) -> None:
    watched = Watched()
    async with open_house(observer=watched.observer) as house:
        await house.ask(chat(f"Hello [[sim:{markers}]]" if markers else "Hello", stream=stream))
        assert watched.told == counted


async def test_a_stream_that_breaks_off_is_a_failure() -> None:
    watched = Watched()
    act = streams(says("a", None), cut=True)
    async with open_house(Script(act), observer=watched.observer) as house:
        await house.ask(chat(stream=True))
        assert watched.told == (1, 1, 0)


async def test_what_a_fallback_saved_is_an_answer_of_the_model_that_was_asked_for() -> None:
    watched = Watched()
    models = [OperatorModel(MODEL, fallbacks=("gemini-2.5-flash-lite",))]
    script = Script(fails(503, "UNAVAILABLE"), answers(says("fine")))
    async with open_house(script, models=models, observer=watched.observer) as house:
        assert (await house.ask(chat())).status == 200
        assert "gemini-2.5-flash-lite" in script.requests[1].path
        assert watched.told == (1, 0, 1)


async def test_what_reaches_no_provider_is_not_counted() -> None:
    watched = Watched()
    async with open_house(observer=watched.observer) as house:
        assert (await house.ask(chat(), key="sk-portico-wrong")).status == 401
        assert (await house.ask(chat(model="no-such-model"))).status == 404
        assert (await house.ask(b"{")).status == 400
        assert (await house.ask({"contents": [{"parts": [{"text": "a"}]}]}, path=f"{GEMINI}:countTokens")).status == 200
        assert watched.told == (0, 0, 0)


async def test_the_wait_is_that_of_the_first_event() -> None:
    watched = Watched()
    async with open_house(observer=watched.observer) as house:
        await house.ask(chat("Hello [[sim:stall=0.3]]", stream=True))
        (bound,) = watched.waits
        assert bound >= 300
        assert bound in BOUNDS_MS


async def test_a_caller_who_leaves_in_the_middle_was_answered_and_one_who_leaves_before_was_not() -> None:
    watched = Watched()
    async with open_house(observer=watched.observer) as house:
        async with house.open(chat("Hello [[sim:stall=30]]", stream=True)) as wire:
            await until(lambda: house.simulator.stats.requests == 1)
            wire.reset()
            await until(lambda: not watched.observer.open_calls)
        await asyncio.sleep(0)
        assert watched.told == (0, 0, 0)
        async with house.open(chat("Hello [[sim:words=50]][[sim:stall-mid=30]]", stream=True)) as wire:
            await wire.chunk()
            wire.reset()
            await until(lambda: watched.told == (1, 0, 1))
