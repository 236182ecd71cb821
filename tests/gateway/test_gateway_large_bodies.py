"""Large requests: inline base64 is carried and not looked into, is held as seldom as can be, and holds nobody up.

Complaint 15 (a proxy becomes the bottleneck with base64 images). What it costs in time is in `bench/`, rows `image` and
`beside`; here stands why: steps, copies and bytes are counted, which are the same on every machine.
"""

import asyncio
import contextlib
import gc
import json
import socket
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import cast

import pytest
import uvloop

from gateway.house import (
    KEY,
    PATIENCE_S,
    House,
    Json,
    Script,
    answers,
    as_bytes,
    chat,
    frame,
    open_house,
    says,
    soon,
    until,
)
from portico.catalog import load_catalog
from portico.core.target import Target
from portico.dialects import gemini, openai_chat
from portico.http.server import Server
from portico.providers import KINDS
from portico.relay.convert import converted, takes_time
from portico.relay.media import intakes_of
from portico.relay.prepare import parse_body
from portico.wire import jsontext
from portico.wire.http import Exchange

PNG_HEAD = "iVBORw0KGgoAAAANSUhEUgAA"
NO_BASE64 = "****"
"""Whoever decodes data with this in it fails, or changes it."""
GEMINI_PATH = "/v1beta/models/gemini-3.5-flash:generateContent"


def png(size: int) -> str:
    """So much of what begins as the base64 of a PNG, and is none further on."""
    return (PNG_HEAD + NO_BASE64 * (size // 4))[:size]


def picture(data: str) -> Json:
    url = {"url": f"data:image/png;base64,{data}"}
    return chat() | {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]}


def gemini_picture(data: str) -> Json:
    return {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": data}}]}]}


GEMINI_STREAM = GEMINI_PATH.replace("generate", "streamGenerate")


class Provider:
    """Keeps the size of the last body it was sent, and its part; of a stream it tells the second half when it may."""

    def __init__(self) -> None:
        self.part: Json = {}
        self.go_on = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        body = exchange.request.take_body()
        if "alt=sse" not in exchange.request.query:
            (self.part,) = json.loads(body)["contents"][0]["parts"]
            del body
            await answers(says("Seen."))(exchange)
            return
        del body
        exchange.start(200, [("content-type", "text/event-stream")])
        exchange.write(frame(says("I see", finish=None)))
        await self.go_on.wait()
        exchange.write(frame(says("you.")))
        exchange.finish()


# -- base64 is carried, not looked into ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "made"), [("/v1/chat/completions", picture), (GEMINI_PATH, gemini_picture)], ids=["translated", "passed"]
)
async def test_inline_data_arrives_as_it_was_sent_even_if_it_is_no_base64(
    path: str, made: Callable[[str], Json]
) -> None:
    provider, data = Provider(), png(1_000_000)
    async with open_house(provider) as house:
        answer = await house.ask(made(data), path=path)
    assert answer.status == 200, answer.body
    assert provider.part["inlineData"] == {"mimeType": "image/png", "data": data}


def steps(act: Callable[[], object]) -> int:
    """How many functions are called, in Python and in C: a walk through data takes more of them the longer it is."""
    count = 0

    def note(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def translated(body: bytes) -> bytes:
    """What the relay does to a request with media, in this order."""
    request = parse_body(openai_chat.DIALECT, body)
    intakes = intakes_of(openai_chat.DIALECT, [KINDS["gemini"]])
    assert not takes_time(request, intakes)
    capabilities = load_catalog().capabilities_for(request.model, "gemini")
    target = Target("gemini-3.5-flash", "gemini", capabilities)
    rendered = gemini.DIALECT.render_request(converted(request, intakes).request, target)
    return jsontext.encode(rendered.body)


def test_a_large_picture_is_translated_in_as_many_steps_as_a_small_one() -> None:
    small, large = as_bytes(picture(png(1_000_000))), as_bytes(picture(png(4_000_000)))
    translated(small)  # What is imported or remembered at the first time is not counted.
    assert steps(lambda: translated(large)) == steps(lambda: translated(small)) > 0


# -- what is held ----------------------------------------------------------------------------------------------------


class Discarding:
    """A provider on a socket of its own that keeps nothing of what it is sent."""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = json.dumps(says("Seen."))
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                left = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
                while left:
                    left -= len(await reader.read(min(left, 65536)))
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode())
        writer.close()

    async def stop(self, **_: float) -> None:
        self._server.close()


def exchanged(port: int, head: bytes, body: bytes) -> bytes:
    """The first line of the answer. To be run in a thread: nothing of the body is copied."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as raw:
        raw.sendall(head)
        raw.sendall(body)
        return raw.recv(65536).partition(b"\r\n")[0]


async def _peak(body: bytes) -> int:
    """The most that a gateway held of a request, beside what it holds anyway."""
    fields = f"host: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}"
    head = f"POST /v1/chat/completions HTTP/1.1\r\n{fields}\r\n\r\n".encode()
    house = House(Script())
    house._provider_server = cast("Server", Discarding())
    await house.start()
    try:
        assert (await house.ask(chat())).status == 200
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        assert await asyncio.to_thread(exchanged, house.port, head, body) == b"HTTP/1.1 200 OK"
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        await house.stop()


def test_a_request_is_held_twice_at_most_while_it_is_translated() -> None:
    """The data as it is known, and the body that it came in or the one that it leaves in, which has room to grow by half.

    On uvloop, as it is served: the transports of asyncio itself copy what they cannot send at once.
    """
    body = as_bytes(picture(png(6_000_000)))
    assert len(body) < uvloop.run(_peak(body)) < 2.75 * len(body)


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", f"{GEMINI_STREAM}?alt=sse", f"{GEMINI_STREAM}?alt=sse&key=another"]
)
async def test_what_was_asked_is_not_held_while_the_answer_streams(path: str) -> None:
    long = "word " * 200_000
    own = {"contents": [{"role": "user", "parts": [{"text": long}]}]}
    body = as_bytes(own if "models/" in path else chat(long, stream=True))
    provider = Provider()
    async with open_house(provider) as house:
        await house.ask(chat())
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            async with house.open(body, path=path) as wire:
                assert b"I see" in await wire.chunk()
                assert tracemalloc.get_traced_memory()[1] - before > len(body)  # else nothing was seen
                await until(lambda: tracemalloc.get_traced_memory()[0] - before < len(body) / 4)
                provider.go_on.set()
                assert b"you." in (await wire.rest()).body
        finally:
            tracemalloc.stop()


# -- who else is held up ---------------------------------------------------------------------------------------------


async def test_a_picture_that_is_still_arriving_holds_nobody_up() -> None:
    body = as_bytes(picture(png(3_000_000)))
    async with open_house(Provider()) as house, house.connect() as wire:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        wire.writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
        await soon(wire.writer.drain())
        for _ in range(3):
            assert (await house.ask(chat())).status == 200
        wire.writer.write(body[len(body) // 2 :])
        assert (await wire.rest()).status == 200
