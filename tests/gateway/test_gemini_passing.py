"""A Gemini caller and a Gemini provider: bytes pass both ways, and the stream is framed as the caller asked for it."""

import asyncio
import json
import random
from typing import Any

import pytest

from gateway.gemini import (
    MODEL,
    PIECES,
    address,
    ask,
    error_of,
    events,
    fails_oddly,
    prompt,
    streams,
    text_of,
    told,
)
from gateway.house import KEY, Json, Script, answers, candidate, frame, open_house, says, soon, until
from laws.test_raw import awkward
from portico.catalog import OperatorModel
from portico.core.usage import Usage
from portico.http import connection as connection_module
from portico.http.keepalive import COUNT, IDLE_S, INTERVAL_S
from portico.relay.call import Call
from portico.relay.reception import Reception
from portico.relay.relay import Settings
from portico.wire.http import Exchange

SSE = [("content-type", "text/event-stream")]
STREAM = "streamGenerateContent"
IMPATIENT = Settings(commit_after_s=0.02, keep_alive_s=0.02)
HOUSE_MODEL = OperatorModel("house-model", "gemini/gemini-2.5-flash")
HOUSE_EMBED = OperatorModel("house-embed", "gemini/gemini-embedding-001")

MIXED: Json = {
    "contents": [
        {"role": "user", "parts": [{"text": "é \u2028 😀 \x7f"}, {"inline_data": {"mime_type": "a/b", "data": ""}}]}
    ],
    "system_instruction": {"parts": [{"text": "x"}], "role": "user"},
    "generationConfig": {"max_output_tokens": 7, "thinkingConfig": {"include_thoughts": True}, "topK": 40.0},
    "fieldOfTomorrow": {"deep": [1, 1.0, None, {"snake_and_camelCase": True}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
    "big": 123456789012345678901234567890,
}
BODIES = [
    *[awkward(MIXED, random.Random(seed)).encode("utf-8", "surrogatepass") for seed in range(4)],
    b"  " + json.dumps(MIXED, indent=3).encode() + b"\r\n\n",
    b'{"contents":[],"contents":[1]}',
    b"[]",
    b'"text"',
    b"{oops",
    b"",
    b"\xff\x00",
    b"\xef\xbb\xbf{}",
    b'{"model":"models/another","contents":[]}',
]


# -- requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("verb", ["generateContent", STREAM])
@pytest.mark.parametrize("model", [MODEL, "house-model", "gemini-2-5-flash", "google/gemini-2.5-flash"])
async def test_a_request_goes_upstream_byte_by_byte(body: bytes, verb: str, model: str) -> None:
    provider = Script(answers(says("Hi")))
    async with open_house(provider, models=[HOUSE_MODEL]) as house:
        answer = await ask(house, body, verb, "alt=sse&key=x", model=model)
        assert answer.status == 200
        (request,) = provider.requests
        assert request.body == body
        upstream = MODEL if model == MODEL else "gemini-2.5-flash"
        assert request.path == f"/v1beta/models/{upstream}:{verb}"
        assert request.query == ("alt=sse" if verb == STREAM else "")
        assert request.headers["content-type"] == "application/json"
        assert "x-portico-changes" not in answer.headers


@pytest.mark.parametrize("verb", ["countTokens", "embedContent", "batchEmbedContents"])
@pytest.mark.parametrize("body", BODIES)
async def test_an_operation_goes_upstream_byte_by_byte_if_the_name_is_the_upstreams(body: bytes, verb: str) -> None:
    provider = Script(answers({"totalTokens": 1}))
    async with open_house(provider) as house:
        assert (await ask(house, body, verb)).status == 200
        assert provider.requests[0].body == body
        assert provider.requests[0].path == f"/v1beta/models/{MODEL}:{verb}"


@pytest.mark.parametrize(
    ("verb", "body", "patched"),
    [
        (
            "countTokens",
            b'{ "generateContentRequest" : {"contents":[1.0], "model" : "models/house-embed"} ,"new":1e2}',
            b'{ "generateContentRequest" : {"contents":[1.0], "model" : "models/gemini-embedding-001"} ,"new":1e2}',
        ),
        ("countTokens", b'{ "contents":[ {"model":"x"} ] }', b'{ "contents":[ {"model":"x"} ] }'),
        (
            "embedContent",
            b'{"content":{"parts":[{"text":"\\u0041"}]},\n"model":"models/house-embed"}',
            b'{"content":{"parts":[{"text":"\\u0041"}]},\n"model":"models/gemini-embedding-001"}',
        ),
        (
            "embedContent",
            b'\xef\xbb\xbf{"model":"house-embed"}',
            b'\xef\xbb\xbf{"model":"models/gemini-embedding-001"}',
        ),
        (
            "batchEmbedContents",
            b'{"requests":[{"model":"house-embed","content":1.0} , {"content":{},"model":"models/house-embed"}]}',
            (
                b'{"requests":[{"model":"models/gemini-embedding-001","content":1.0} , {"content":{},'
                b'"model":"models/gemini-embedding-001"}]}'
            ),
        ),
    ],
)
async def test_a_name_inside_an_operation_becomes_the_upstreams(verb: str, body: bytes, patched: bytes) -> None:
    provider = Script(answers({"totalTokens": 1}))
    async with open_house(provider, models=[HOUSE_EMBED]) as house:
        answer = await ask(house, body, verb, model="house-embed")
        assert (answer.status, answer.json()) == (200, {"totalTokens": 1})
        assert provider.requests[0].body == patched
        error_of(await ask(house, b"{oops", verb, model="house-embed"), 400, "INVALID_ARGUMENT")
        assert len(provider.requests) == 1


@pytest.mark.parametrize("name", ["gemini-embedding-001", "house-embed", "google%2Fgemini-embedding-001"])
async def test_the_simulator_takes_what_is_patched(name: str) -> None:
    content = {"parts": [{"text": "One"}]}
    asked = name.replace("%2F", "/")
    one = {"model": f"models/{asked}", "content": content}
    async with open_house(models=[HOUSE_EMBED]) as house:
        assert (await ask(house, one, "embedContent", model=name)).json()["embedding"]["values"]
        batch = await ask(house, {"requests": [one, one]}, "batchEmbedContents", model=name)
        assert len(batch.json()["embeddings"]) == 2


# -- whole answers ---------------------------------------------------------------------------------------------------


async def test_a_whole_answer_comes_back_byte_by_byte() -> None:
    for seed in range(6):
        body = awkward({**says("Hi"), **MIXED, "modelVersion": "gemini-x"}, random.Random(seed)).encode("utf-8")
        async with open_house(Script(answers(body))) as house:
            answer = await ask(house)
            assert (answer.status, answer.body) == (200, body)
            assert answer.headers["x-portico-upstream-model"] == "gemini-x"
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("finish", ["STOP", "MALFORMED_FUNCTION_CALL", "SAFETY", "OTHER", None])
async def test_an_answer_with_nothing_in_it_is_the_callers_to_judge(finish: str | None) -> None:
    provider = Script(answers(candidate(finish=finish)))
    async with open_house(provider) as house:
        assert (await ask(house)).json() == candidate(finish=finish)
        assert len(provider.requests) == 1


@pytest.mark.parametrize("verb", ["generateContent", "countTokens", STREAM])
@pytest.mark.parametrize(
    ("status", "body", "told_status", "word"),
    [
        (200, b"<html>", 502, "UNAVAILABLE"),
        (200, b'{"candidates": [', 502, "UNAVAILABLE"),
        (200, b"7", 502, "UNAVAILABLE"),
        (200, b'{"error":{"code":503,"message":"Overloaded.","status":"UNAVAILABLE"}}', 503, "UNAVAILABLE"),
        (502, b"<html>", 502, "UNAVAILABLE"),
        (404, b"<html>Not here", 502, "UNAVAILABLE"),
        (400, b'[{"error":{"code":400,"message":"No.","status":"FAILED_PRECONDITION"}}]', 400, "FAILED_PRECONDITION"),
        (400, b'{"error":"invalid_grant"}', 502, "UNAVAILABLE"),
        (302, b"", 502, "UNAVAILABLE"),
        (204, b"", 502, "UNAVAILABLE"),
    ],
)
async def test_what_is_no_answer_is_an_error(status: int, body: bytes, told_status: int, word: str, verb: str) -> None:
    async with open_house(Script(fails_oddly(status, body))) as house:
        error_of(await ask(house, verb=verb, query="alt=sse"), told_status, word)


# -- streams ---------------------------------------------------------------------------------------------------------

USAGE = Usage(input_uncached={"text": 3}, output_visible={"text": 4})


def in_pieces(data: bytes, size: int) -> Any:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
            await asyncio.sleep(0)
        exchange.finish()

    return act


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls as the relay knows them: where the books will look when they are over."""
    known: list[Call] = []
    called = Reception.call

    async def remembered(self: Reception, *args: Any) -> Call:
        known.append(await called(self, *args))
        return known[-1]

    monkeypatch.setattr(Reception, "call", remembered)
    return known


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
@pytest.mark.parametrize("array", [False, True])
async def test_a_stream_passes_byte_by_byte_however_it_is_cut(size: int, array: bool, calls: list[Call]) -> None:
    data = b"".join(b"data: " + piece + b"\r\n\r\n" for piece in PIECES)
    async with open_house(Script(in_pieces(data, size))) as house:
        answer = await ask(house, verb=STREAM, query="" if array else "alt=sse")
        if array:
            assert answer.body == b"[" + b",\r\n".join(PIECES) + b"]"
            assert answer.headers["content-type"] == "application/json"
        else:
            assert answer.body == data
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-accel-buffering"] == "no"
        assert [(call.seen.model, call.seen.usage, call.seen.uses) for call in calls] == [("m", USAGE, {})]


async def test_what_a_whole_answer_used_is_known_at_its_end(calls: list[Call]) -> None:
    async with open_house(Script(answers(PIECES[-1]))) as house:
        assert (await ask(house)).body == PIECES[-1]
        assert [(call.seen.model, call.seen.usage, call.seen.uses) for call in calls] == [("m", USAGE, {})]


@pytest.mark.parametrize(
    "data",
    [
        b"data: " + b"\n\ndata: ".join(PIECES) + b"\n\n",
        b"data:" + b"\r\rdata:".join(PIECES) + b"\r\r",
        b": hello\r\n\r\nevent: x\r\nid: 7\r\ndata: " + b"\r\n\r\n: keep-alive\r\n\r\ndata: ".join(PIECES),
        b"[" + b",\r\n".join(PIECES) + b"]",
        b"data: [" + b",".join(PIECES) + b"]\r\n\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 10**6])
async def test_however_the_provider_frames_its_stream_it_is_framed_as_google_does(data: bytes, size: int) -> None:
    async with open_house(Script(in_pieces(data, size))) as house:
        assert events((await ask(house, verb=STREAM, query="alt=sse")).body) == PIECES


@pytest.mark.parametrize(
    ("said", "expected"),
    [([None, None, None], None), (["a", None, "b"], "a"), ([None, "b", "b"], None), (["", "b", 7], None)],
)
@pytest.mark.parametrize("array", [False, True])
async def test_a_stream_has_one_response_id(said: list[Any], expected: str | None, array: bool) -> None:
    bodies = [says("x", responseId=one) for one in said]
    for body in bodies:
        if body["responseId"] is None:
            del body["responseId"]
    async with open_house(Script(streams(*bodies))) as house:
        first, again = [await ask(house, verb=STREAM, query="" if array else "alt=sse") for _ in range(2)]
        ids = {one["responseId"] for one in told(first, array=array)}
        assert len(ids) == 1
        (one,) = ids
        if expected is None:
            assert one not in ("", "b", *{body["responseId"] for body in told(again, array=array)})
        else:
            assert one == expected


@pytest.mark.parametrize("array", [False, True])
async def test_the_simulators_stream_passes(array: bool) -> None:
    async with open_house() as house:
        answer = await ask(house, prompt("Hello " * 50), STREAM, "" if array else "alt=sse")
        bodies = told(answer, array=array)
        assert len(bodies) > 3
        assert text_of(bodies).startswith("[simulated]")
        assert len({body["responseId"] for body in bodies}) == 1
        assert house.simulator.stats.last.query == "alt=sse"


# -- silence ---------------------------------------------------------------------------------------------------------


class Silent:
    """A provider that sends some pieces and then nothing until it is told to, and knows when it was dropped."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.dropped = False

    async def __call__(self, exchange: Exchange) -> None:
        try:
            if self._pieces:
                exchange.start(200, SSE)
                exchange.write(b"".join(frame(piece) for piece in self._pieces))
            self.begun.set()
            await self.go_on.wait()
            await streams(*PIECES[len(self._pieces) :])(Rest(exchange) if self._pieces else exchange)
        except asyncio.CancelledError:
            self.dropped = True
            raise


class Rest:
    """An exchange that has been started."""

    def __init__(self, exchange: Exchange) -> None:
        self.write, self.finish, self.abort, self.drain = (
            exchange.write,
            exchange.finish,
            exchange.abort,
            exchange.drain,
        )
        self.on_gone, self.take_room = exchange.on_gone, exchange.take_room
        self.written_bytes = 0
        self.request, self.started, self.ended, self.send = exchange.request, True, False, exchange.send

    def start(self, status: int, headers: Any) -> None:
        pass


@pytest.mark.parametrize("query", ["alt=sse", ""])
@pytest.mark.parametrize("sent", [0, 1])
async def test_a_silent_stream_says_nothing_at_all(query: str, sent: int) -> None:
    provider = Silent(*PIECES[:sent])
    headers = {"x-goog-api-key": KEY}
    async with (
        open_house(provider, settings=IMPATIENT) as house,
        house.open(prompt(), path=address(STREAM, query), key=None, headers=headers) as wire,
    ):
        await soon(provider.begun.wait())
        body = b""
        if sent:
            body = await wire.chunk()
        assert await wire.is_silent(0.2)
        provider.go_on.set()
        body += (await wire.rest()).body
        assert body == (b"[" + b",\r\n".join(PIECES) + b"]" if not query else b"".join(frame(one) for one in PIECES))


@pytest.mark.parametrize("how", ["leave", "reset"])
@pytest.mark.parametrize("query", ["alt=sse", ""])
@pytest.mark.parametrize("sent", [0, 1])
async def test_a_caller_that_leaves_while_the_stream_is_silent_drops_the_provider(
    how: str, query: str, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No comment can tell: a caller that closed is probed, before the answer and within it."""
    monkeypatch.setattr(connection_module, "PROBE_S", 0.02)
    provider = Silent(*PIECES[:sent])
    headers = {"x-goog-api-key": KEY}
    async with (
        open_house(provider) as house,
        house.open(prompt(), path=address(STREAM, query), key=None, headers=headers) as wire,
    ):
        await soon(provider.begun.wait())
        if sent:
            await wire.chunk()
        getattr(wire, how)()
        await until(lambda: provider.dropped)
        await until(lambda: house.upstream.open_connections == 0)


async def test_a_caller_that_only_ended_its_side_gets_the_whole_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "PROBE_S", 0.005)
    provider = Silent(PIECES[0])
    headers = {"x-goog-api-key": KEY}
    async with (
        open_house(provider) as house,
        house.open(prompt(), path=address(STREAM, "alt=sse"), key=None, headers=headers) as wire,
    ):
        body = await wire.chunk()
        wire.writer.write_eof()
        assert await soon_a_zero(wire.reader)
        provider.go_on.set()
        body += (await wire.rest()).body
        assert body == b"".join(frame(one) for one in PIECES)


async def soon_a_zero(reader: asyncio.StreamReader) -> bool:
    """A zero before the next chunk's size has come: it is left where it is."""
    await until(lambda: bytes(reader._buffer) == b"0" * 3)  # type: ignore[attr-defined]
    return True


def test_a_machine_that_vanished_is_given_up_within_half_a_minute() -> None:
    assert 10 <= IDLE_S + INTERVAL_S * COUNT <= 30
