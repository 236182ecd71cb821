"""What one whole call costs without sockets: from the bytes of a request to the bytes of its answer, in one process.

    python -m bench.call [small|agent|answer|event] [--books] [--calls 2000] [--profile]
    python -m bench.call event --caller messages --provider openai

Everything between the two is what `portico serve` makes of it: connection, gateway, relay, pool, limits, metering,
metrics, access log. Two transports stand in for the sockets, and the provider's answer is there in the loop's next turn.
Without `--books` holds are decided at once and nothing is written, so that what is left is the loop's own share of a
call; with it the committer's thread writes to SQLite as it would. `event` is a stream of 50, told by the event. It can be
had in other pairs of dialects too: `--caller` is the one that is asked in, `--provider` who is asked.

CPU microseconds, the least of several rounds and the one in the middle, and how many functions of Python ran. Without
sockets everything is warm, so that a call is cheaper here than behind one: it is for before and after, and for finding
out where. `--profile` counts each function instead, which makes short ones look dear.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import Any, Final
from unittest.mock import patch

import uvloop

from bench import ours, workloads
from bench.contenders import MODEL, ROOT
from bench.upstream import EVENT_TEXT
from portico.catalog import load_catalog
from portico.cli.operations import Shared
from portico.cli.worker import Plan, Worker
from portico.config import TABLES, load_config
from portico.core.storage import Write
from portico.http.connect import Connector
from portico.http.connection import Connection
from portico.http.upstream import UpstreamConnection
from portico.ledger.hold import Held, Hold, Use

EVENTS: Final = 50
ROUNDS: Final = 9
_PORT: Final = 9
"""Of the provider that is never connected to."""


class _Transport(asyncio.Transport):
    """Takes what is written, and says that somebody is there."""

    def __init__(self, wrote: Callable[[bytes], None]) -> None:
        super().__init__()
        self.wrote = wrote

    def write(self, data: Any) -> None:
        self.wrote(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever buffered here."""

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """Whoever is behind here is behind in the same thread."""

    def resume_reading(self) -> None: ...

    def abort(self) -> None: ...

    def close(self) -> None: ...


class _Decided:
    """A `core.storage.Committer` that writes nothing: what a hold tells is what SQLite would, far from every limit."""

    full = False

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def submit(self, write: Write[Any], *, hurry: bool = True) -> "asyncio.Future[Any]":  # noqa: ARG002
        future = self._loop.create_future()
        limits = write.limits if isinstance(write, Hold) else None
        named = () if limits is None else (("rpm", limits.rpm), ("tpm", limits.tpm), ("concurrent", limits.concurrent))
        uses = tuple([Use(name, limit, 1) for name, limit in named if limit is not None])
        self._loop.call_soon(future.set_result, Held(10**17, uses, time.time_ns() // 1000))
        return future

    def post(self, write: Write[Any], *, hurry: bool = True) -> None:
        """Nobody waits for it."""


_MODELS: Final = {"gemini": MODEL, "openai": "gpt-4.1-mini", "anthropic": "claude-haiku-4-5"}
_PROVIDERS: Final = {
    "gemini": '"gemini"',
    "openai": '"openai"\nkind = "openai"\ndialects = ["openai_chat"]',
    "anthropic": '"anthropic"\nkind = "anthropic"',
}
_CHAT: Final = "/v1/chat/completions"
_CALLERS: Final = {
    "chat": (_CHAT, b"data: [DONE]"),
    "messages": ("/v1/messages", b"event: message_stop"),
    "gemini": (f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse", b'"finishReason"'),
}
"""Path, and what the last event of a stream has."""


def _events(provider: str) -> list[bytes]:
    """A stream of a provider's, event by event."""
    if provider == "gemini":
        last = workloads.gemini_answer(EVENT_TEXT)
        events = [workloads.gemini_answer(EVENT_TEXT, finish=None)] * (EVENTS - 1) + [last]
        return [b"data: %b\r\n\r\n" % event for event in events]
    if provider == "openai":
        more = workloads.openai_event(EVENT_TEXT, finish=None)
        events = [more] * (EVENTS - 1) + [workloads.openai_event(EVENT_TEXT, finish="stop")]
        return [*[b"data: %b\n\n" % event for event in events], b"data: [DONE]\n\n"]
    return workloads.anthropic_events(EVENT_TEXT, EVENTS)


def _answer(workload: str, provider: str) -> list[bytes]:
    """What the provider sends, in its pieces."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%b\r\n\r\n"
    if workload != "event":
        body = workloads.gemini_answer(workloads.LARGE_TEXT if workload == "answer" else workloads.TEXT)
        return [head % (b"application/json", b"Content-Length: %d" % len(body)) + body]
    chunks = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in _events(provider)]
    return [head % (b"text/event-stream", b"Transfer-Encoding: chunked"), *chunks[:-1], chunks[-1] + b"0\r\n\r\n"]


def _request(workload: str, caller: str, provider: str) -> bytes:
    body = (workloads.agent if workload == "agent" else workloads.small)(_MODELS[provider])
    if workload == "event":
        body["stream"] = True
    if caller == "messages":
        body["system"] = body["messages"].pop(0)["content"]
    data = workloads.encoded(workloads.small_to_gemini() if caller == "gemini" else body)
    head = (
        f"POST {_CALLERS[caller][0]} HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {ours.KEY}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


class InProcess:
    """A worker between two transports. To be made on its loop."""

    def __init__(self, folder: Path, workload: str, caller: str, provider: str, *, books: bool) -> None:
        ours.books(ROOT, folder)
        config = folder / "portico.toml"
        known = {name: sorted(keys) for name, keys in TABLES.items()}
        written = ours.config_for(known, folder, _PORT).replace('"gemini"', _PROVIDERS[provider])
        config.write_text(written, encoding="utf-8")
        key = f"{provider.upper()}_API_KEY"
        environment = {key: "bench-upstream-key", "PORTICO_API_KEY": "sk-bench-owner-0123456789"}
        settings = load_config(environment, file=config, folder=folder)
        catalog = load_catalog()
        self._loop = asyncio.get_running_loop()
        shared = Shared.of(settings, catalog, lambda host, _port: socket.create_server((host, 0)))
        plan = Plan(settings, catalog, socket.create_server(("127.0.0.1", 0)), None, None, None, shared)
        self.worker = Worker(plan)
        if not books:
            self.worker.books.till.committer = _Decided(self._loop)
        self._pieces, self._request = _answer(workload, provider), _request(workload, caller, provider)
        self._ends = _CALLERS[caller][1] if workload == "event" else b"\r\n\r\n"
        self._answered: asyncio.Future[None] | None = None
        self.told = b""

    async def start(self, ends: AsyncExitStack) -> None:
        """Everything is ready for the first call."""
        await self.worker.start(ends)
        ends.enter_context(patch.object(Connector, "open", self._connect))
        self._connection = Connection(self.worker.server, self._loop)
        self._connection.connection_made(_Transport(self._heard))

    async def _connect(self, loop: asyncio.AbstractEventLoop, owner: Any, origin: Any, _timeout_s: float) -> Any:
        connection = UpstreamConnection(owner, origin, loop)

        def asked(_request: bytes) -> None:
            self._loop.call_soon(self._tell, connection, 0)

        connection.connection_made(_Transport(asked))
        return connection

    def _tell(self, connection: UpstreamConnection, at: int) -> None:
        connection.data_received(self._pieces[at])
        if at + 1 < len(self._pieces):
            self._loop.call_soon(self._tell, connection, at + 1)

    def _heard(self, data: bytes) -> None:
        self.told = data
        if self._ends in data and self._answered is not None:
            self._answered.set_result(None)
            self._answered = None

    async def call(self) -> None:
        """One call, to its end."""
        self._answered = answered = self._loop.create_future()
        self._connection.data_received(self._request)
        await answered


async def _functions(process: InProcess) -> int:
    """How many functions of Python one call runs."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    for _ in range(20):
        await process.call()
    sys.setprofile(None)
    return count // 20


async def main() -> None:
    """Prints what a call costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="?", default="small", choices=["small", "agent", "answer", "event"])
    parser.add_argument(
        "--caller", choices=list(_CALLERS), default="chat", help="of a stream: the dialect it is asked in"
    )
    parser.add_argument("--provider", choices=list(_MODELS), default="gemini", help="of a stream: who is asked")
    parser.add_argument("--books", action="store_true", help="with the committer and its thread")
    parser.add_argument("--calls", type=int, default=2000, help="in a round")
    parser.add_argument("--profile", action="store_true", help="every function counted, instead")
    options = parser.parse_args()
    per = EVENTS if options.workload == "event" else 1
    calls = max(1, options.calls // per)
    with tempfile.TemporaryDirectory() as name:
        async with AsyncExitStack() as ends:
            asked = options.caller, options.provider
            process = InProcess(Path(name), options.workload, *asked, books=options.books)
            await process.start(ends)
            for _ in range(200):
                await process.call()
            if b"200 OK" not in process.told and _CALLERS[options.caller][1] not in process.told:
                raise RuntimeError(process.told[:500])
            if options.profile:
                await _profile(process, calls)
                return
            rounds = []
            for _ in range(ROUNDS):
                began = time.process_time_ns()
                for _ in range(calls):
                    await process.call()
                rounds.append((time.process_time_ns() - began) / calls / per / 1000)
            functions = await _functions(process) / per
    middle = statistics.median(rounds)
    pair = f" {options.provider} -> {options.caller}" if options.workload == "event" else ""
    print(f"{options.workload}{pair}: least {min(rounds):.1f} us, middle {middle:.1f} us, {functions:.0f} functions")


async def _profile(process: InProcess, calls: int) -> None:
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(calls):
        await process.call()
    profile.disable()
    stats: Any = pstats.Stats(profile)
    for (path, line, function), (_, count, own, within, _) in sorted(stats.stats.items(), key=lambda one: -one[1][2]):
        if count >= calls * 0.9:
            place = f"{path.rpartition('/src/portico/')[2]}:{line}({function})"
            print(
                f"{count / calls:7.2f} x  own {own / calls * 1e6:6.2f} us  all {within / calls * 1e6:7.2f} us  {place}"
            )


if __name__ == "__main__":
    uvloop.install()
    os.chdir(tempfile.gettempdir())
    asyncio.run(main())
