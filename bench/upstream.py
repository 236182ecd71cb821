"""The stand-in for a provider: canned answers at once or after a while, or streams of events at a set pace.

    python -m bench.upstream PORT

Cheap, so that it is not the bottleneck. Google's API is told from OpenAI's by the path. How it answers is set while it
runs, by a `Manner` sent to /bench. What it sends late or in pieces carries the times of the monotonic clock, which all
processes of a machine share: whoever reads an answer knows how long it was under way, whatever the timers here did.
"""

import argparse
import asyncio
import time
from typing import Final

import msgspec
import uvloop

from bench.workloads import LARGE_TEXT, TEXT, gemini_answer, openai_answer, openai_event

STAMP: Final = "000000000%d.000000"
"""Stands for a time in a template: as wide as the time that takes its place, so that lengths can be known beforehand."""
_TIME: Final = b"%017.6f"
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_BROKEN: Final = b"HTTP/1.1 503 Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_STREAM_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_LAST: Final = b"0\r\n\r\n"


class Manner(msgspec.Struct, frozen=True):
    """How answers are given from now on.

    `delay_ms` before an answer or a stream; a stream is `events`, one every `pace_ms`; `large` answers 200 KB. `mixed` is
    for soaking: by turns an answer is large, a 503, or cut off half way.
    """

    delay_ms: float = 0.0
    events: int = 50
    pace_ms: float = 20.0
    large: bool = False
    mixed: bool = False


class _Dialect(msgspec.Struct, frozen=True):
    """What one of the two APIs says: whole answers ready to send, and templates of what carries times."""

    answer: bytes
    large: bytes
    stamped: bytes
    event: bytes
    last_event: bytes


def _whole(body: bytes) -> bytes:
    return _HEAD % len(body) + body


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _template(data: bytes) -> bytes:
    for number in (0, 1):
        data = data.replace((STAMP % number).encode(), _TIME)
    return data


_STAMPED_TEXT: Final = f"r={STAMP % 0} s={STAMP % 1} {TEXT}"
EVENT_TEXT: Final = f"t={STAMP % 0} each colour bends by its own angle as it leaves the drop, "

GEMINI: Final = _Dialect(
    _whole(gemini_answer(TEXT)),
    _whole(gemini_answer(LARGE_TEXT)),
    _template(_whole(gemini_answer(_STAMPED_TEXT))),
    _template(_chunk(b"data: %b\r\n\r\n" % gemini_answer(EVENT_TEXT, finish=None))),
    _template(_chunk(b"data: %b\r\n\r\n" % gemini_answer(EVENT_TEXT)) + _LAST),
)
OPENAI: Final = _Dialect(
    _whole(openai_answer(TEXT)),
    _whole(openai_answer(LARGE_TEXT)),
    _template(_whole(openai_answer(_STAMPED_TEXT))),
    _template(_chunk(b"data: %b\n\n" % openai_event(EVENT_TEXT, finish=None))),
    _template(_chunk(b"data: %b\n\ndata: [DONE]\n\n" % openai_event(EVENT_TEXT, finish="stop")) + _LAST),
)


class Provider:
    """What all connections share: the manner, and how many answers were given (for `mixed`)."""

    def __init__(self) -> None:
        self.manner = Manner()
        self.answered = 0


class Wire(asyncio.Protocol):
    """One connection: waits for a whole request, answers, and is ready for the next."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._held = bytearray()
        self._needed = 0
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # uvloop's are no subclass of asyncio's

    def data_received(self, data: bytes) -> None:
        held = self._held
        held += data
        while held and len(held) >= self._needed:
            end = held.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            head = bytes(held[:end]).lower()
            if b"transfer-encoding: chunked" in head:
                if not held.endswith(_LAST):
                    return
                self._needed = len(held)
            elif (at := head.find(b"\r\ncontent-length:")) >= 0:
                self._needed = end + int(head[at + 17 : head.index(b"\r\n", at + 2)])
            else:
                self._needed = end
            if len(held) < self._needed:
                return
            self._answer(head, end)
            del held[: self._needed]
            self._needed = 0

    def _answer(self, head: bytes, end: int) -> None:
        """Answers the request held: its head, where that ends."""
        line = head[: head.index(b"\r\n")]
        if b"generatecontent" in line:
            self._say(GEMINI, streamed=b":streamgeneratecontent" in line)
        elif b" /bench " in line:
            self._provider.manner = msgspec.json.decode(self._held[end : self._needed], type=Manner)
            self._transport.write(_whole(b"{}"))
        else:
            body = self._held[end : self._needed]
            self._say(OPENAI, streamed=b'"stream":true' in body or b'"stream": true' in body)

    def _say(self, dialect: _Dialect, *, streamed: bool) -> None:
        provider, manner = self._provider, self._provider.manner
        provider.answered += 1
        if manner.mixed and provider.answered % 19 == 0:
            self._fail(provider.answered // 19)
        elif streamed:
            self._loop.call_later(manner.delay_ms / 1000, self._begin, dialect, manner)
        elif manner.delay_ms:
            self._loop.call_later(manner.delay_ms / 1000, self._stamped, dialect, time.monotonic())
        else:
            large = manner.large or (manner.mixed and provider.answered % 20 == 0)
            self._transport.write(dialect.large if large else dialect.answer)

    def _fail(self, number: int) -> None:
        if number % 2:
            self._transport.write(_BROKEN)
        else:
            self._transport.write(GEMINI.answer[:-20])
            self._transport.close()

    def _stamped(self, dialect: _Dialect, received: float) -> None:
        if not self._transport.is_closing():
            self._transport.write(dialect.stamped % (received, time.monotonic()))

    def _begin(self, dialect: _Dialect, manner: Manner) -> None:
        self._transport.write(_STREAM_HEAD)
        self._event(dialect, manner.events, self._loop.time(), manner.pace_ms / 1000)

    def _event(self, dialect: _Dialect, left: int, due: float, pace_s: float) -> None:
        """Sends an event that was due now, or earlier: a stand-in that is behind catches up, so that the pace holds."""
        if self._transport.is_closing():
            return
        if left == 1:
            self._transport.write(dialect.last_event % time.monotonic())
        else:
            self._transport.write(dialect.event % time.monotonic())
            due += pace_s
            self._loop.call_at(due, self._event, dialect, left - 1, due, pace_s)


async def _serve(port: int) -> None:
    provider = Provider()
    server = await asyncio.get_running_loop().create_server(lambda: Wire(provider), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    uvloop.run(_serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
