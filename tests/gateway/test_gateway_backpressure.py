"""A slow caller slows the provider: nothing piles up in between (issue 2, "What must work" 5).

The gateway is a process of its own, so that its memory can be read; the provider and the caller live in the test's.
"""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest

from gateway.commands import portico, resident_bytes
from gateway.house import PATIENCE_S, Wire, as_bytes, chat, soon, until
from portico.http.server import Server
from portico.simulator import Simulator

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")

SIZE = 50_000_000
MAY_GROW_BYTES = 2 * 1024 * 1024
PAUSE_S = 3.0


async def connect(port: int, key: str, text: str) -> Wire:
    """A streamed call on a socket that takes little ahead of its reader."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    wire = Wire(*await soon(asyncio.open_connection(sock=raw, limit=256 * 1024)))
    body = as_bytes(chat(text, stream=True, stream_options={"include_usage": True}))
    wire.request("POST", "/v1/chat/completions", {"host": "x", "authorization": f"Bearer {key}"}, body)
    assert await wire.head() == 200
    return wire


async def read_all(wire: Wire, rest: bytes = b"") -> tuple[int, bool]:
    """How many characters of text came (after `rest`), and whether [DONE] did; no more than one event is held."""
    size, done = 0, False
    async with asyncio.timeout(3 * PATIENCE_S):
        while piece := await wire.chunk():
            *events, rest = (rest + piece).split(b"\n\n")
            for event in events:
                if event == b"data: [DONE]":
                    done = True
                elif event.startswith(b"data: "):
                    for choice in json.loads(event[6:])["choices"]:
                        size += len(choice["delta"].get("content") or "")
    return size, done


async def test_a_reader_that_stops_stops_the_provider_and_costs_no_memory(tmp_path: Path) -> None:
    simulator = Simulator()
    server = await Server(simulator).start()
    env = {"GEMINI_KEY": "any"}
    config = f'[[providers]]\nname = "gemini"\nbase_url = "http://127.0.0.1:{server.port}"\nkeys = ["env:GEMINI_KEY"]\n'
    (tmp_path / "portico.toml").write_text(config, encoding="utf-8")
    stats = simulator.stats
    async with portico("serve", "--port", "0", folder=tmp_path, env=env) as gateway:
        port = await gateway.port()
        warm = await connect(port, gateway.key, "Hello [[sim:size=1M]]")
        assert await read_all(warm) == (1_000_000, True)
        warm.drop()
        before = resident_bytes(gateway.pid)

        wire = await connect(port, gateway.key, f"Hello [[sim:size={SIZE}]]")
        first = await wire.chunk()
        await until(lambda: stats.waiting == 1)
        await asyncio.sleep(PAUSE_S)
        assert stats.waiting == 1
        assert stats.bytes_written < SIZE // 2
        assert resident_bytes(gateway.pid) - before < MAY_GROW_BYTES

        size, done = await read_all(wire, first)
        wire.drop()
        assert done
        assert size == SIZE
        assert stats.blocked_s > 0
        assert resident_bytes(gateway.pid) - before < MAY_GROW_BYTES
    await server.stop(grace_s=0)
