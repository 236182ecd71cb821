"""A hundred slow readers at once: each pauses its own provider, and the gateway's memory stays bounded.

The gateway is a process of its own, so that its memory can be read; provider and callers live in the test's.
"""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest

from gateway.commands import portico, resident_bytes
from gateway.house import Wire, as_bytes, chat, soon
from portico.http.server import Server
from portico.simulator import Simulator

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")

STREAMS = 100
SIZE = 12_000_000
"""Of each stream: more than kernels and gateway take ahead of a reader who has stopped."""
EACH_MAY_HOLD_BYTES = 1536 * 1024
"""One read of a socket brings up to 256 KiB. One may wait as it came while one waits for the caller, with the framing of
its events half as large again, and a third is in the hands of the parser."""


async def connect(port: int, key: str) -> Wire:
    """A streamed call on a socket that takes little ahead of its reader, who has read the head and stopped."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    wire = Wire(*await soon(asyncio.open_connection(sock=raw, limit=64 * 1024)))
    body = as_bytes(chat(f"Hello [[sim:size={SIZE}]]", stream=True))
    wire.request("POST", "/v1/chat/completions", {"host": "x", "authorization": f"Bearer {key}"}, body)
    assert await wire.head() == 200
    return wire


async def stopped(simulator: Simulator) -> int:
    """What the provider has written, once it writes no more."""
    written = -1
    async with asyncio.timeout(60):
        while written != simulator.stats.bytes_written:
            written = simulator.stats.bytes_written
            await asyncio.sleep(0.4)
    return written


async def test_a_hundred_readers_that_stop_cost_little_each(tmp_path: Path) -> None:
    simulator = Simulator()
    listener = socket.create_server(("127.0.0.1", 0), backlog=STREAMS)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    listener.setblocking(False)
    server = await Server(simulator).start(sock=listener)
    config = f'[[providers]]\nname = "gemini"\nbase_url = "http://127.0.0.1:{server.port}"\nkeys = ["env:K"]\n'
    (tmp_path / "portico.toml").write_text(config, encoding="utf-8")
    async with portico("serve", "--port", "0", folder=tmp_path, env={"K": "any"}) as gateway:
        port = await gateway.port()
        first = await connect(port, gateway.key)
        await stopped(simulator)
        before = resident_bytes(gateway.pid)
        wires = [first]
        while len(wires) < STREAMS:
            wires += await asyncio.gather(*[connect(port, gateway.key) for _ in range(11)])
        assert await stopped(simulator) < STREAMS * SIZE
        assert resident_bytes(gateway.pid) - before < STREAMS * EACH_MAY_HOLD_BYTES
        for wire in wires[1:]:
            wire.drop()
        size, rest = 0, b""
        async with asyncio.timeout(60):
            while piece := await first.chunk():
                *events, rest = (rest + piece).split(b"\n\n")
                for event in events:
                    if event.startswith(b"data: {"):
                        choices = json.loads(event[6:])["choices"]
                        size += sum(len(choice["delta"].get("content") or "") for choice in choices)
        assert size == SIZE  # who reads on gets it all
        first.drop()
    await server.stop(grace_s=0)
