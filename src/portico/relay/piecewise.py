"""Sound goes on to its caller as it comes, though it is a whole answer: whoever listens need not wait for its end.

What a provider of the caller's dialect sends passes piece by piece. Another one is asked for a stream, of which the
dialect's `RawWriter` makes the sound. Nothing can be told in the middle of a sound: once a piece is sent nobody else is
asked, and an answer that breaks off is a connection that does, so that nobody takes it for the whole. It is free then.
"""

import asyncio
from typing import Final

from portico.core.assembly import assemble
from portico.core.dialect import RawWriter
from portico.core.errors import UpstreamBadGateway, UpstreamError
from portico.core.events import Event, Failed, PartDelta, PartStarted
from portico.core.parts import Media
from portico.core.response import Response
from portico.providers import Verb
from portico.relay.attempts import note_failure
from portico.relay.call import Aim, Attempt, BrokenOff, Call
from portico.relay.downstream import UNBUFFERED
from portico.relay.piping import frames_of
from portico.relay.ports import UpstreamResponse
from portico.wire.sse import Frame, SseDecoder

MAX_BYTES: Final = 256 * 1024 * 1024
LONG: Final = 128 * 1024
"""Characters of base64 (two seconds of samples) that are made sound beside everything else."""
_TEXT: Final = ("application/json", "text/")
_PLAIN: Final = "text/plain; charset=utf-8"
_PAGES: Final = ("text/html", "text/xml", "application/xml", "application/xhtml", "image/svg")
"""Types that a browser shows as a page. whisper.cpp calls its plain transcripts HTML: whoever leads a browser here, with a
recording of theirs and a key in the address, is to show no page of theirs in this house."""


def is_asked_in_pieces(call: Call, aim: Aim) -> bool:
    """Whether a provider is asked for a stream though its caller wants one sound."""
    if call.dialect.raw_writer is None or call.verb is not Verb.GENERATE or _waits(call):
        return False
    able = aim.target.capabilities.streaming and Verb.STREAM in aim.spoken.paths
    return able and _writer(call) is not None


def _writer(call: Call) -> RawWriter | None:
    return None if call.dialect.raw_writer is None else call.dialect.raw_writer(call.reply)


def _waits(call: Call) -> bool:
    """Whether something is told in front of the answer that is only known at its end."""
    return call.paying is not None and call.paying.tells_cost


def never_twice(call: Call, error: UpstreamError) -> None:
    """What goes wrong once something was sent is an end, and no reason to ask anybody else: raises `BrokenOff` then."""
    if call.exchange.started:
        note_failure(call, error)
        raise BrokenOff from None


async def passed(call: Call, attempt: Attempt, upstream: UpstreamResponse) -> bytes:
    """The body of an answer. If it is sound of the caller's own dialect, each piece has been sent as it came."""
    if not call.dialect.raw_answers or attempt.passing is None:
        return await upstream.read()
    content_type = upstream.headers.get("content-type", "")
    if content_type.lower().startswith(_PAGES):
        content_type = _PLAIN
    if content_type:
        call.content_type = content_type
    if not content_type or content_type.startswith(_TEXT) or _waits(call):
        return await upstream.read()
    pieces: list[bytes] = []
    size = 0
    async for piece in upstream:
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            raise UpstreamBadGateway(f"The provider's answer is longer than {MAX_BYTES} bytes.")
        await _sent(call, piece)
    return b"".join(pieces)


async def told(call: Call, attempt: Attempt, upstream: UpstreamResponse) -> Response:
    """The answer that a provider streamed, its sound sent as it came. Raises `UpstreamError`."""
    writer = _writer(call)
    if writer is None:
        raise RuntimeError("only what can be written in pieces is asked for in pieces")
    decoder, reader = SseDecoder(), attempt.dialect.reader(attempt.reading)
    events: list[Event] = []

    async def take(more: list[Event]) -> None:
        for event in more:
            if isinstance(event, Failed):
                raise event.error
            events.append(event)
            long = _characters(event) > LONG
            made = await asyncio.to_thread(writer.feed, event) if long else writer.feed(event)
            await _sent(call, made, writer)

    async def read(frames: list[Frame]) -> None:
        for frame in frames:
            await take(reader.feed(frame))

    async for piece in upstream:
        await read(frames_of(decoder, piece))
    await read(decoder.close())
    await take(reader.close())
    await _sent(call, writer.close(), writer)
    return assemble(events)


def _characters(event: Event) -> int:
    match event:
        case PartDelta(_, _, text):
            return len(text)
        case PartStarted(_, _, Media(data=str(data))):
            return len(data)
    return 0


async def _sent(call: Call, data: bytes, writer: RawWriter | None = None) -> None:
    """Sends a piece, the first of them once it is paid for."""
    if not data:
        return
    exchange = call.exchange
    if not exchange.started:
        if call.paying is not None:
            await call.paying.tab.durable()
        if writer is not None:
            call.content_type = writer.content_type
        exchange.start(200, [("content-type", call.content_type), *UNBUFFERED, *call.answer_headers()])
    exchange.write(data)
    await exchange.drain()
