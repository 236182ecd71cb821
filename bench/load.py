"""Loads: wrk for whole answers, readers of many streams, and one asker that takes turns between addresses.

All of it runs on the core that the gateways do not have. An answer that is not a 200, or does not come to its end, has
failed.
"""

import asyncio
import re
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import uvloop

from bench.machine import LOAD_CORE

_SENT: Final = b"t=0"
"""Before the time in an event, which is as wide as `STAMP` in upstream.py."""
_SENT_BYTES: Final = 2 + 17
_HELD: Final = re.compile(rb"r=(\d+\.\d+) s=(\d+\.\d+) ")
_END: Final = b"0\r\n\r\n"
PATIENCE_S: Final = 60.0


class Ask(msgspec.Struct, frozen=True):
    """What to send, where."""

    port: int
    path: str
    headers: Mapping[str, str]
    body: bytes

    def wire(self) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class Loaded(msgspec.Struct, frozen=True):
    """What a load did: answers (or streams) that came whole, events in them, and what failed."""

    answers: int
    failed: int
    events: int = 0
    late_ms: tuple[float, ...] = ()
    """How late each event of a stream came, sorted."""
    why: str = ""
    """How the first one failed, where that is known."""


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of values in order; 0 when there are none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


# -- whole answers, as fast as they come -----------------------------------------------------------------------------

_SCRIPT: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%s
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary)
  local e = summary.errors
  io.write(string.format('{"requests":%%d,"status":%%d,"broken":%%d}\\n', summary.requests, e.status,
    e.connect + e.read + e.write + e.timeout))
end
"""


class _Said(msgspec.Struct):
    requests: int
    status: int
    broken: int


def whole(ask: Ask, *, seconds: float, connections: int, folder: Path) -> Loaded:
    """Asks over some connections for a while, each time as soon as the last answer is there. Raises `RuntimeError`."""
    payload, script = folder / "body.json", folder / "load.lua"
    payload.write_bytes(ask.body)
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in ask.headers.items())
    script.write_text(_SCRIPT % (headers, payload))
    command = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["--timeout", f"{PATIENCE_S:.0f}s", "-s", str(script), f"http://127.0.0.1:{ask.port}{ask.path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 2 * PATIENCE_S, check=False)
    if done.returncode:
        raise RuntimeError(f"wrk failed: {done.stderr.strip()}")
    said = msgspec.json.decode(done.stdout.strip().splitlines()[-1], type=_Said)
    # What was refused is among the requests; what broke never became one.
    return Loaded(said.requests - said.status, said.status + said.broken)


# -- streams ---------------------------------------------------------------------------------------------------------


class _Streams:
    """What the readers of a load have seen together."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.answers = 0
        self.failed = 0
        self.why = ""
        self.late: list[float] = []


class _Reader(asyncio.Protocol):
    """Reads one stream after another on one connection, to the end of the one under way when time is up."""

    def __init__(self, request: bytes, shared: _Streams, done: "asyncio.Future[None]") -> None:
        self._request, self._shared, self.done = request, shared, done
        self._tail = b""
        self._fresh = True
        self._events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # uvloop's are no subclass of asyncio's
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if self._fresh:
            self._fresh = False
            if b" 200 " not in data[:16]:
                self._shared.why = self._shared.why or data[:300].decode("utf-8", "replace")
                self._transport.abort()
                return
        data = self._tail + data
        last = 0
        while (at := data.find(_SENT, last)) >= 0 and len(data) >= at + _SENT_BYTES:
            last = at + _SENT_BYTES
            self._shared.late.append(now - float(data[at + 2 : last]))
            self._events += 1
        self._tail = data[max(last, len(data) - 64) :]
        if data.endswith(_END):
            self._shared.answers += 1
            self._tail, self._fresh, self._events = b"", True, 0
            if now < self._shared.until:
                self._transport.write(self._request)
            else:
                self._request = b""
                self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if self._request:
            self._shared.failed += 1
            self._shared.why = self._shared.why or f"no end after {self._events} events"
        if not self.done.done():
            self.done.set_result(None)

    def give_up(self) -> None:
        self._transport.abort()


async def read_streams(ask: Ask, *, count: int, seconds: float, stagger_s: float, patience_s: float) -> Loaded:
    """`count` streams at a time, each followed by another until `seconds` are over; what has not ended after `patience_s`
    more is given up and has failed. They start spread over `stagger_s`."""
    loop = asyncio.get_running_loop()
    begin = time.monotonic()
    shared = _Streams(begin + seconds)
    request = ask.wire()
    readers = [_Reader(request, shared, loop.create_future()) for _ in range(count)]
    opening = []
    for number, reader in enumerate(readers):
        # By the clock, and none waits for the one before it: a slow gateway is not spared.
        await asyncio.sleep(begin + stagger_s * number / count - time.monotonic())
        connecting = loop.create_connection(lambda reader=reader: reader, "127.0.0.1", ask.port)  # type: ignore[misc]
        opening.append(loop.create_task(connecting))
    ends = [reader.done for reader in readers]
    await asyncio.gather(*opening)
    await asyncio.wait(ends, timeout=max(0.0, shared.until - time.monotonic()) + patience_s)
    for reader in readers:
        if not reader.done.done():
            reader.give_up()
    await asyncio.wait(ends)
    late = tuple(sorted(1000 * seconds for seconds in shared.late))
    return Loaded(shared.answers, shared.failed, len(late), late, shared.why)


def streams(ask: Ask, *, count: int, seconds: float, stagger_s: float = 1.0, patience_s: float = PATIENCE_S) -> Loaded:
    """`read_streams` in a loop of its own."""
    return uvloop.run(read_streams(ask, count=count, seconds=seconds, stagger_s=stagger_s, patience_s=patience_s))


# -- one at a time ---------------------------------------------------------------------------------------------------


class Line:
    """A connection on which one question is asked at a time; opened again when the other side has closed it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._wire = ask.wire()
        self._socket: socket.socket | None = None

    def answer(self) -> bytes:
        """The whole answer, head and all. Raises `OSError`, `RuntimeError` when it is not a 200."""
        try:
            answer = self._exchange()
        except ConnectionError:
            self.close()
            answer = self._exchange()
        if b" 200 " not in answer[:16]:
            raise RuntimeError(f"answered {answer[:600].decode('utf-8', 'replace')}")
        return answer

    def _exchange(self) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._ask.port), timeout=PATIENCE_S)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._wire)
        answer = b""
        while not is_whole(answer):
            data = self._socket.recv(1 << 18)
            if not data:
                raise ConnectionResetError("closed before its answer was whole")
            answer += data
        return answer

    def added_ms(self) -> float:
        """How long a question took beyond what the provider held it."""
        begin = time.monotonic()
        answer = self.answer()
        took = time.monotonic() - begin
        found = _HELD.search(answer)
        if found is None:
            raise RuntimeError("the answer does not say how long the provider held it")
        return 1000 * (took - (float(found.group(2)) - float(found.group(1))))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def body_of(answer: bytes) -> bytes:
    """The body of a whole answer, its chunks joined."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    pieces: list[bytes] = []
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        pieces.append(body[:length])
        body = body[length + 2 :]
    return b"".join(pieces)


def is_whole(answer: bytes | bytearray) -> bool:
    """Whether an answer, head and all, has come to its end."""
    end = answer.find(b"\r\n\r\n") + 4
    if end < 4:
        return False
    found = re.search(rb"\r\ncontent-length: *(\d+)", answer[:end], re.IGNORECASE)
    return answer.endswith(_END) if found is None else len(answer) >= end + int(found.group(1))
