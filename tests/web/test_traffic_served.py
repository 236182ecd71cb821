"""How models fare, from the call to the page: two workers on real sockets, a restart, and nothing that was not counted."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from books.lines import lines_to
from books.shop import call, wire_to
from gateway.commands import Command, portico
from gateway.house import Wire, chat
from web.serving import KEY

MODEL, OTHER, UNTOUCHED = "gemini-3.8-flash", "gpt-5.5", "claude-haiku-4-5"
FRESH_S = 45.0
SHORT_S = 1.0
"""So often it is written, read and shown here; else it is every quarter of a minute."""
HURRIED = f"""
from portico.cli import main, traffic
from portico.web import house
traffic.TrafficBook.__init__.__kwdefaults__.update(write_every_s={SHORT_S}, read_every_s={SHORT_S})
house._STEP_S = {SHORT_S}
main()
"""


async def look(port: int, path: str) -> Any:
    """What a visitor reads there."""
    wire = await wire_to(port)
    try:
        return await read(wire, path)
    finally:
        wire.drop()


async def read(wire: Wire, path: str) -> Any:
    """The same, over a connection that is kept."""
    wire.status, wire.at_end = 0, False
    wire.request("GET", path, {"host": "x", "accept": "*/*"}, b"")
    answer = await wire.rest()
    assert answer.status == 200, path
    return json.loads(answer.body)


async def once_so(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(FRESH_S):
        while not await is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.5)


def serving(folder: Path) -> Any:
    arguments = ("serve", "--simulate", "--port", "0", "--workers", "2")
    return portico(*arguments, folder=folder, env={"PORTICO_API_KEY": KEY}, program=("-c", HURRIED))


async def stop(command: Command, folder: Path) -> None:
    command.send(signal.SIGTERM)
    code, _, err = await command.end()
    assert code == 0, (folder, err)


async def tells_what_was_called(port: int) -> None:
    """Each worker reads for itself: whoever is asked says the same."""
    for _ in range(6):
        told = await look(port, "/status.json")
        figures = {row["id"]: (row["calls"], row["failed"]) for row in told["data"]}
        assert figures == {MODEL: (38, 5), OTHER: (3, 1)}
        assert told["simulated"] is True
        [row] = [row for row in told["data"] if row["id"] == MODEL]
        assert (row["verdict"], row["success_permille"]) == ("failing", 868)
        assert 10 <= row["first_event_p50_ms"] <= row["first_event_p95_ms"] < 30_000
        [provider] = row["providers"]
        assert provider["provider"] == "simulated-gemini"
        assert provider["calls"] - provider["failed"] == 33
        assert provider["failed"] >= 5, "a call that fails is tried again, and each attempt tells"
        one = await look(port, f"/status/{MODEL}.json")
        assert (one["calls"], sum(slot["calls"] for slot in one["slots"])) == (38, 38)
        one = await look(port, f"/models/{MODEL}.json")
        assert (one["calls_24h"], one["failed_24h"]) == (38, 5)
        assert sum(slot["calls"] for slot in one["slots_24h"]) == 38
        assert sum(slot["failed"] for slot in one["slots_24h"]) == 5
        few = await look(port, f"/models/{OTHER}.json")
        assert (few["calls_24h"], few["failed_24h"], few["success_permille_24h"]) == (3, 1, None)
        assert few["first_event_p50_ms_24h"] is None
        nothing = await look(port, f"/models/{UNTOUCHED}.json")
        assert (nothing["calls_24h"], nothing["failed_24h"], nothing["slots_24h"]) == (0, 0, [])


async def test_the_pages_tell_exactly_what_was_called_and_a_restart_keeps_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as command:
        port = await command.port()
        assert (await look(port, "/status.json"))["data"] == []
        statuses = []
        for number in range(40):
            markers = {4: "500", 9: "503", 14: "cut-before", 19: "504", 24: "500", 30: "400", 31: "context"}.get(number)
            text = f"Hello {number}" + (f" [[sim:{markers}]]" if markers else "")
            statuses.append((await call(port, KEY, chat(text, model=MODEL, stream=number % 2 == 0))).status)
        assert statuses.count(200) == 33
        for text in ("one", "two", "three [[sim:500]]"):
            await call(port, KEY, chat(text, model=OTHER))
        assert (await call(port, KEY, chat("x", model="no-such-model"))).status == 404
        assert (await call(port, "sk-wrong-0123456789", chat("x", model=MODEL))).status == 401

        async with lines_to(command, port, 2) as lines:

            async def all_there() -> bool:
                told = [await read(line.wire, "/status.json") for line in lines]
                return all(sum(row["calls"] for row in one["data"]) == 41 for one in told)

            await once_so(all_there)
        await tells_what_was_called(port)
        await stop(command, tmp_path)
    async with serving(tmp_path) as command:
        port = await command.port()
        await tells_what_was_called(port)
        await call(port, KEY, chat("the last", model=UNTOUCHED))
        await stop(command, tmp_path)  # what was not written yet is
    async with serving(tmp_path) as command:
        port = await command.port()
        told = (await look(port, "/status.json"))["data"]
        assert {row["id"]: row["calls"] for row in told} == {MODEL: 38, OTHER: 3, UNTOUCHED: 1}
        await stop(command, tmp_path)
