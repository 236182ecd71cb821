"""A Gemini caller's answer that breaks, and who is asked then: errors first, later, cut anywhere; other keys."""

import asyncio
import json
import random
from typing import Any

import pytest

from gateway.gemini import PIECES, ask, error_of, events, google_error, prompt, streams, text_of, told
from gateway.house import Script, answers, fails, frame, open_house, until
from portico.relay.relay import Settings
from portico.relay.router import RoutingRules
from portico.routing import BreakerRules
from portico.wire.http import Exchange

SSE = [("content-type", "text/event-stream")]
STREAM = "streamGenerateContent"


# -- streams that break ----------------------------------------------------------------------------------------------

ERROR = b'{ "error":{"code":503 ,"message":"The model is overloaded.","status":"UNAVAILABLE","new":[1.0]} }'


@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("keys", [("one",), ("one", "two")])
async def test_an_error_as_the_first_event_is_a_real_one_and_another_key_may_be_tried(
    keys: tuple[str, ...], array: bool
) -> None:
    provider = Script(streams(ERROR, PIECES[0]), streams(*PIECES))
    async with open_house(provider, keys=keys) as house:
        answer = await ask(house, verb=STREAM, query="" if array else "alt=sse")
        assert len(provider.requests) == len(keys)
        if len(keys) == 1:
            error_of(answer, 503, "UNAVAILABLE", array=array)
        else:
            assert len(told(answer, array=array)) == len(PIECES)


@pytest.mark.parametrize("array", [False, True])
async def test_a_later_error_passes_as_google_sent_it_and_is_the_end(array: bool) -> None:
    provider = Script(streams(PIECES[0], ERROR, PIECES[1]))
    async with open_house(provider, keys=("one", "two")) as house:
        answer = await ask(house, verb=STREAM, query="" if array else "alt=sse")
        if array:
            assert answer.body == b"[" + PIECES[0] + b",\r\n" + ERROR + b"]"
        else:
            assert events(answer.body) == [PIECES[0], ERROR]
        assert len(provider.requests) == 1


async def test_a_stream_ends_with_its_error_though_the_provider_goes_on() -> None:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        exchange.write(frame(PIECES[0]) + frame(ERROR))
        await asyncio.Event().wait()

    async with open_house(Script(act)) as house:
        assert events((await ask(house, verb=STREAM, query="alt=sse")).body) == [PIECES[0], ERROR]
        await until(lambda: house.upstream.open_connections == 0)


@pytest.mark.parametrize("array", [False, True])
async def test_wherever_a_stream_is_cut_what_was_told_is_whole_and_the_cut_is_said(array: bool) -> None:
    whole = b"".join(frame(piece) for piece in PIECES)
    firsts = len(frame(PIECES[0]))
    for at in [firsts, *range(firsts + 1, len(whole), 29), len(whole) - 2]:

        async def act(exchange: Exchange, at: int = at) -> None:
            exchange.start(200, SSE)
            exchange.write(whole[:at])
            await exchange.drain()
            exchange.abort()

        async with open_house(Script(act)) as house:
            answer = await ask(house, verb=STREAM, query="" if array else "alt=sse")
            *bodies, last = told(answer, array=array)
            assert bodies == [json.loads(piece) for piece in PIECES[: len(bodies)]]
            assert bodies
            google_error(last, 502, "UNAVAILABLE")


@pytest.mark.parametrize(
    "act",
    [
        streams(PIECES[0], PIECES[1]),
        streams(PIECES[0], b"{oops"),
        streams(PIECES[0], b"7"),
        streams(PIECES[0], b"[7]"),
        streams(PIECES[0], cut=True),
    ],
)
@pytest.mark.parametrize("array", [False, True])
async def test_a_stream_that_is_not_finished_says_so(act: Any, array: bool) -> None:
    provider = Script(act)
    async with open_house(provider, keys=("one", "two")) as house:
        answer = await ask(house, verb=STREAM, query="" if array else "alt=sse")
        *bodies, last = told(answer, array=array)
        assert text_of(bodies).startswith("One é")
        google_error(last, 502, "UNAVAILABLE")
        assert len(provider.requests) == 1


@pytest.mark.parametrize("act", [streams(), streams(cut=True), streams(b"{oops"), streams(b"7")])
@pytest.mark.parametrize("array", [False, True])
async def test_a_stream_that_never_began_is_a_real_error(act: Any, array: bool) -> None:
    async with open_house(Script(act)) as house:
        error_of(await ask(house, verb=STREAM, query="" if array else "alt=sse"), 502, "UNAVAILABLE", array=array)


ODDITIES = [*PIECES, ERROR, b"{}", b"[]", b"null", b"7", b"[{}]", b'{"responseId":null}', b'{"error":null,"x":1}']


def odd_stream(dice: random.Random) -> bytes:
    """Frames that are answers, errors and neither, some with a byte too many, in every framing there is."""
    data = b""
    for _ in range(dice.randrange(5)):
        piece = dice.choice(ODDITIES)
        if dice.random() < 0.15:
            at = dice.randrange(len(piece) + 1)
            piece = piece[:at] + bytes([dice.randrange(256)]) + piece[at:]
        data += dice.choice([b"data: ", b"data:", b"", b": c\n"]) + piece
        data += dice.choice([b"\r\n\r\n", b"\n\n", b"\r\r", b"\r\n"])
    return data


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_a_provider_streams_the_caller_reads_json(seed: int) -> None:
    dice = random.Random(seed)
    data = b""

    async def act(exchange: Exchange) -> None:
        exchange.start(200, SSE)
        for piece in (data[:at], data[at:]):
            exchange.write(piece)
            await exchange.drain()
        exchange.abort() if dice.random() < 0.3 else exchange.finish()

    rules = RoutingRules(breaker=BreakerRules(failures=0))  # every stream is read, however many broke before it
    async with open_house(Script(act), rules=rules) as house:
        for number in range(60):
            data = odd_stream(dice)
            at = dice.randrange(len(data) + 1)
            array = number % 2 == 0
            answer = await ask(house, verb=STREAM, query="" if array else "alt=sse")
            if answer.status == 200:
                bodies = told(answer, array=array)
                failed = [body for body in bodies if body.get("error") is not None]
                assert failed in ([], bodies[-1:])
                assert len({body["responseId"] for body in bodies if body not in failed}) == 1
            else:
                error_of(answer, answer.status, "UNAVAILABLE", array=array)


async def test_a_provider_that_falls_silent_in_a_stream_is_a_timeout_in_the_stream() -> None:
    async with open_house(settings=Settings(idle_timeout_s=0.05)) as house:
        answer = await ask(house, prompt("Hello [[sim:words=200]][[sim:stall-mid=600]]"), STREAM, "")
        *bodies, last = told(answer, array=True)
        assert bodies
        google_error(last, 504, "DEADLINE_EXCEEDED")


# -- other candidates ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["generateContent", STREAM, "countTokens"])
async def test_a_refused_key_falls_over_to_the_next_and_is_not_shown(verb: str) -> None:
    async with open_house(keys=("bad-key-1", "good-key")) as house:
        for _ in range(8):
            assert (await ask(house, verb=verb, query="alt=sse")).status == 200
        assert {seen.key for seen in house.simulator.stats.seen} == {"bad-key-1", "good-key"}
    async with open_house(keys=("bad-key-1", "bad-key-2")) as house:
        answer = await ask(house, verb=verb, query="alt=sse")
        error = error_of(answer, 502, "UNAVAILABLE")
        assert b"bad-key" not in answer.body
        assert "details" not in error


@pytest.mark.parametrize("verb", ["generateContent", STREAM, "countTokens"])
async def test_what_the_provider_rejects_is_tried_nowhere_else(verb: str) -> None:
    provider = Script(fails(400, "INVALID_ARGUMENT", "* contents is not specified"))
    async with open_house(provider, keys=("one", "two")) as house:
        error = error_of(await ask(house, verb=verb, query="alt=sse"), 400, "INVALID_ARGUMENT")
        assert error["message"] == "* contents is not specified"
        assert len(provider.requests) == 1


@pytest.mark.parametrize("verb", ["generateContent", STREAM, "countTokens"])
async def test_a_retired_model_is_answered_by_its_successor_and_that_is_said(verb: str) -> None:
    async with open_house() as house:
        answer = await ask(house, verb=verb, query="alt=sse", model="gemini-3-pro-preview")
        assert answer.status == 200
        assert answer.codes == ["6:successor"]
        assert answer.changes[0]["path"] == "model"
        assert [seen.model for seen in house.simulator.stats.seen] == ["gemini-3.1-pro-preview"]


async def test_a_model_its_provider_no_longer_knows_goes_to_its_successor() -> None:
    gone = fails(404, "NOT_FOUND", "models/gemini-3.1-flash-image-preview is not found for API version v1beta")
    provider = Script(gone, answers({"totalTokens": 7}))
    in_january = 1_767_300_000.0
    inner = {"generateContentRequest": {"model": "models/gemini-3.1-flash-image-preview", **prompt()}}
    async with open_house(provider, now=lambda: in_january) as house:
        answer = await ask(house, inner, "countTokens", model="gemini-3.1-flash-image-preview")
        assert answer.json() == {"totalTokens": 7}
        assert provider.bodies[0] == inner
        assert provider.bodies[1]["generateContentRequest"]["model"] == "models/gemini-3.1-flash-image"
        assert "6:successor" in answer.codes
