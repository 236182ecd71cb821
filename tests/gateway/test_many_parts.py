"""An answer of very many parts: each costs what one costs, however many there were before."""

import tracemalloc
from itertools import count
from typing import Final

import pytest

from gateway.house import Json, as_bytes, candidate
from portico.core.dialect import Dialect, Reading, Reply
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.relay.fanout import Lane
from portico.relay.pump import Pump, Teller
from portico.wire.sse import Frame

BEFORE: Final = 4_000
MOST_BYTES: Final = 32 * 1024
THOUGHT: Final[Json] = {"text": "a", "thought": True}
CALL: Final[Json] = {"functionCall": {"name": "f", "args": {}}}
CALLERS: Final = [one.DIALECT for one in (openai_chat, openai_responses, anthropic_messages, gemini)]


@pytest.mark.parametrize("parts", [[THOUGHT, CALL], [THOUGHT, {"text": "b"}]], ids=["calls", "texts"])
@pytest.mark.parametrize("to", CALLERS, ids=lambda one: one.name)
def test_what_is_noted_of_a_part_is_not_written_anew_for_the_next(to: Dialect, parts: list[Json]) -> None:
    """Who was to see what was copied for each: a provider could keep a worker busy with one answer of some megabytes."""
    ids = count()
    reader = gemini.DIALECT.reader(Reading(mint=lambda: f"call_{next(ids)}"))
    pump = Pump(Teller(to, Reply("id", 0, "m"), 1), Lane(0, 1), reader, "signer", last=True)
    frame = Frame(as_bytes(candidate(*parts, finish=None)))
    for _ in range(BEFORE):
        pump.feed([frame])
    taken: list[int] = []
    tracemalloc.start()
    try:
        for _ in range(10):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            pump.feed([frame])
            taken.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert min(taken) < MOST_BYTES
