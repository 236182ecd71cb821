"""Complaint 16 of complaints.md: memory grows until it is out.

What a finished call leaves behind, what is remembered of what callers make up, and what piles up before a slow reader:
nothing, a bounded amount, a bounded amount. (`make soak` watches the whole for longer.)
"""

import asyncio
import gc
import sys
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import portico
from gateway import commands
from gateway.commands import resident_bytes
from gateway.house import KEY, House, chat, open_house, until
from gateway.test_gateway_backpressure import connect
from money.paid import paid_house
from portico.catalog import load_catalog
from portico.http.routes import ROUTE_NAMES
from portico.http.server import Server
from portico.simulator import Simulator
from portico.telemetry import AccessLog, LineWriter, Metrics, Observing
from portico.telemetry.lines import appending

MODEL = "gemini-2.5-flash"
"""It signs nothing, so the vault (which has bounds of its own) keeps nothing."""
GEMINI = f"/v1beta/models/{MODEL}"
HELLO = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
CALLS = 1000
SOURCE = Path(portico.__file__).parent
KINDS: dict[str, dict[str, Any]] = {
    "whole": {"body": chat(model=MODEL)},
    "streamed": {"body": chat(model=MODEL, stream=True)},
    "several": {"body": chat(model=MODEL, n=2)},
    "passed": {"body": HELLO, "path": f"{GEMINI}:streamGenerateContent"},
    "refused": {"body": chat(model="no-such-model")},
    "failed": {"body": chat("[[sim:500]]", model=MODEL)},
    "cut": {"body": chat("[[sim:words=50]][[sim:cut=1]]", model=MODEL, stream=True)},
    "not JSON": {"body": b"{"},
    "no key": {"body": chat(model=MODEL), "key": None},
}


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[LineWriter]:
    writer = LineWriter(appending(tmp_path / "access.log"))
    yield writer
    writer.close()


@pytest.fixture
async def watched(writer: LineWriter) -> AsyncIterator[House]:
    """A gateway with its log and its metrics."""
    metrics = Metrics(
        workers=1,
        version="1",
        routes=ROUTE_NAMES,
        providers=["gemini"],
        models=list(load_catalog().models),
        errors=[],
    )
    async with open_house(observer=Observing(metrics.tally(0), AccessLog(writer.write))) as house:
        yield house


@pytest.fixture
async def charging(tmp_path: Path) -> AsyncIterator[House]:
    """A gateway that keeps books."""
    async with paid_house(tmp_path / "portico.db") as paid:
        yield paid.house


def ours() -> Counter[str]:
    """Live objects of Portico's classes (the provider's aside), tasks, futures and armed timers, by class."""
    gc.collect()
    return Counter(str(type(one)) for one in gc.get_objects() if _counts(one))


def _counts(one: object) -> bool:
    if isinstance(one, asyncio.TimerHandle):  # a loop keeps cancelled ones for a while
        return not one.cancelled()
    module = str(type(one).__module__)
    ours = module.startswith("portico.") and not module.startswith("portico.simulator")
    return ours or isinstance(one, asyncio.Future)


def frames_in_cycles() -> Counter[str]:
    """Frames of Portico's functions (the provider's aside) that only a search for cycles would have freed."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
    finally:
        gc.set_debug(0)
    frames = [one for one in gc.garbage if isinstance(one, FrameType)]
    found = Counter(one.f_code.co_qualname for one in frames if _is_ours(one.f_code.co_filename))
    gc.garbage.clear()
    return found


def _is_ours(file: str) -> bool:
    return file.startswith(f"{SOURCE}/") and not file.startswith(f"{SOURCE}/simulator/")


async def at_rest(house: House) -> None:
    await until(lambda: house._server.open_calls == house._server.open_connections == house.budget.body_bytes == 0)


@pytest.mark.parametrize("kind", KINDS)
async def test_complaint_16_a_thousand_calls_leave_nothing_behind(watched: House, kind: str) -> None:
    asked = KINDS[kind]
    for _ in range(20):
        await watched.ask(**asked)
    await at_rest(watched)
    before = ours()
    for _ in range(CALLS // len(KINDS)):
        await watched.ask(**asked)
    await at_rest(watched)
    left = ours() - before
    assert sum(left.values()) < 20, left


async def test_complaint_16_callers_who_leave_leave_nothing_behind(watched: House) -> None:
    for _ in range(10):
        await leave(watched)
    await at_rest(watched)
    before = ours()
    for _ in range(100):
        await leave(watched)
    await at_rest(watched)
    left = ours() - before
    assert sum(left.values()) < 20, left


async def leave(house: House) -> None:
    async with house.open(chat("[[sim:stall-mid=60]][[sim:words=50]]", model=MODEL, stream=True)) as wire:
        await wire.chunk()
        wire.reset()


@pytest.mark.parametrize("kind", [*KINDS, "left"])
async def test_complaint_16_a_call_is_freed_without_a_search_for_cycles(charging: House, kind: str) -> None:
    """Searches are rare in a gateway that is busy, and what waits for one is memory."""
    for _ in range(3):
        await charging.ask(**KINDS["whole"])
    await at_rest(charging)
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            await (leave(charging) if kind == "left" else charging.ask(**KINDS[kind]))
        await at_rest(charging)
        found = frames_in_cycles()
    finally:
        gc.enable()
    assert not found


async def test_complaint_16_what_is_remembered_of_what_callers_make_up_is_bounded(
    watched: House, writer: LineWriter
) -> None:
    """Paths, names, headers, models, fields: caches fill, and then grow no more."""
    made = 0

    async def make_up(count: int) -> None:
        nonlocal made
        async with watched.connect() as wire:
            for _ in range(count):
                made += 1
                headers = {
                    "host": "x",
                    "authorization": f"Bearer {KEY}",
                    f"x-{made}": "1",
                    "user-agent": f"Client/{made}",
                }
                wire.status = 0
                wire.request("POST", f"/v1/{made}/chat/completions", headers, b"{}")
                assert (await wire.rest()).status == 404
                wire.status = 0
                wire.request("POST", f"/v1beta/models/made-up-{made}:generateContent", headers, b"{}")
                assert (await wire.rest()).status == 404

    tracemalloc.start()
    try:
        # The largest caches hold 1,024 paths, one the first and one the last: the same strings, as long as some are both.
        await make_up(2200)
        await until(lambda: writer.waiting_bytes == 0)
        gc.collect()
        first = tracemalloc.take_snapshot()
        await make_up(800)
        await until(lambda: writer.waiting_bytes == 0)
        gc.collect()
        second = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()
    only = [tracemalloc.Filter(True, "*/portico/*")]
    compared = second.filter_traces(only).compare_to(first.filter_traces(only), "lineno")
    grown = sum(line.size_diff for line in compared)
    assert grown < 80_000, compared[:5]  # 100 bytes for each name would be more


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
async def test_complaint_16_many_slow_readers_of_long_streams_stay_bounded(tmp_path: Path) -> None:
    readers, each, size = 20, 2 * 1024 * 1024, 50_000_000
    simulator = Simulator()
    server = await Server(simulator).start()
    config = f'[[providers]]\nname = "gemini"\nbase_url = "http://127.0.0.1:{server.port}"\nkeys = ["env:GEMINI_KEY"]\n'
    (tmp_path / "portico.toml").write_text(config, encoding="utf-8")
    arguments = ("serve", "--port", "0", "--access-log", "off")
    async with commands.portico(*arguments, folder=tmp_path, env={"GEMINI_KEY": "any"}) as gateway:
        port = await gateway.port()
        warm = await connect(port, gateway.key, "Hello [[sim:size=1M]]")
        while await warm.chunk():
            pass
        warm.drop()
        before = resident_bytes(gateway.pid)
        wires = [await connect(port, gateway.key, f"Hello [[sim:size={size}]]") for _ in range(readers)]
        for wire in wires:
            await wire.chunk()
        await until(lambda: simulator.stats.waiting == readers)
        await asyncio.sleep(1.0)
        grown = resident_bytes(gateway.pid) - before
        assert grown < readers * each
        for _ in range(5):  # each takes a little more, and what is held does not grow with it
            for wire in wires:
                for _ in range(20):
                    await wire.chunk()
        assert resident_bytes(gateway.pid) - before < readers * each
        for wire in wires:
            wire.drop()
    await server.stop(grace_s=0)
