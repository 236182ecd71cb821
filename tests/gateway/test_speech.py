"""POST /v1/audio/speech on real sockets: Google's voices for OpenAI's callers, and OpenAI's own (mapping.md 5.3)."""

import asyncio
import base64
import json
from typing import Any

import pytest

from gateway.hearing import RATE, SPEECH, TTS, events_in, heard, samples, seconds_in, speak, speaks, spoken_wish, wav
from gateway.house import Act, House, Json, Script, answers, candidate, error_of, fails, frame, open_house
from gateway.vendors import streams_named
from portico.core.recording import seconds_of
from portico.core.voices import GOOGLE, OPENAI
from portico.providers import KINDS
from portico.wire.http import Exchange

OPENAI_KIND = (KINDS["openai"],)
ONE_SECOND = samples(1.0)
JUNE_2026 = 1_780_272_000.0


def sound_of(told: list[Any]) -> bytes:
    return b"".join(base64.b64decode(one["audio"]) for one in told if one["type"] == "speech.audio.delta")


# -- what Google is asked ------------------------------------------------------------------------------------------------


async def test_a_text_is_read_in_a_voice_of_googles() -> None:
    script = Script(speaks(ONE_SECOND))
    async with open_house(script) as house:
        assert (await speak(house)).status == 200
    (body,) = script.bodies
    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    }
    assert script.requests[0].path.endswith(f"/models/{TTS}:streamGenerateContent")


@pytest.mark.parametrize(
    ("model", "more", "verb"),
    [
        (TTS, {}, "streamGenerateContent"),
        (TTS, {"response_format": "pcm"}, "streamGenerateContent"),
        (TTS, {"response_format": "wav"}, "generateContent"),
        (TTS, {"response_format": "wav", "stream_format": "sse"}, "streamGenerateContent"),
        ("gemini-2.5-flash-preview-tts", {}, "generateContent"),
    ],
)
async def test_a_provider_is_asked_for_a_stream_unless_the_sound_must_be_whole(
    model: str, more: dict[str, Any], verb: str
) -> None:
    """A WAV says how long it is; older voices do not stream."""
    script = Script(speaks(ONE_SECOND))
    async with open_house(script, now=lambda: JUNE_2026) as house:
        assert (await speak(house, model=model, **more)).status == 200
    assert script.requests[0].path.endswith(f"/{model}:{verb}")


async def test_instructions_stand_before_the_text() -> None:
    script = Script(speaks(ONE_SECOND))
    async with open_house(script) as house:
        await speak(house, instructions="Speak slowly")
    assert script.bodies[0]["contents"][0]["parts"] == [{"text": "Speak slowly: Hello"}]
    assert "systemInstruction" not in script.bodies[0]


@pytest.mark.parametrize(
    ("asked", "voice"),
    [*OPENAI.items(), *[(name.lower(), name) for name in GOOGLE], ({"id": "Puck"}, "Puck")],
    ids=str,
)
async def test_a_voice_is_known_by_openais_name_and_by_googles(asked: Any, voice: str) -> None:
    script = Script(speaks(ONE_SECOND))
    async with open_house(script) as house:
        assert (await speak(house, voice=asked)).status == 200
    config = script.bodies[0]["generationConfig"]["speechConfig"]
    assert config["voiceConfig"]["prebuiltVoiceConfig"]["voiceName"] == voice


# -- formats -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "content_type"),
    [
        ({}, "audio/mpeg"),
        ({"response_format": "mp3"}, "audio/mpeg"),
        ({"response_format": None}, "audio/mpeg"),
        ({"response_format": "wav"}, "audio/wav"),
        ({"response_format": "pcm"}, "audio/pcm"),
    ],
)
async def test_speech_comes_in_the_format_asked_for(more: dict[str, Any], content_type: str) -> None:
    async with open_house(Script(speaks(samples(1.5), samples(0.5)))) as house:
        answer = await speak(house, **more)
    assert answer.headers["content-type"] == content_type
    if content_type == "audio/wav":
        assert seconds_in(answer.body) == 2.0
        assert answer.body[44:] == samples(1.5) + samples(0.5)
    elif content_type == "audio/pcm":
        assert answer.body == samples(1.5) + samples(0.5)
    else:
        assert seconds_of(answer.body) == pytest.approx(2.0, abs=0.12)  # LAME adds silence at both ends


async def test_a_wav_says_the_rate_that_the_model_spoke_at() -> None:
    part = heard(samples(1.0), "audio/L16;codec=pcm;rate=16000")
    async with open_house(Script(answers(candidate(part)))) as house:
        answer = await speak(house, response_format="wav")
    assert int.from_bytes(answer.body[24:28], "little") == 16_000
    assert int.from_bytes(answer.body[28:32], "little") == 32_000
    assert int.from_bytes(answer.body[4:8], "little") == len(answer.body) - 8


async def test_a_sound_that_is_finished_keeps_its_own_type() -> None:
    async with open_house(Script(answers(candidate(heard(wav(0.5), "audio/x-wav"))))) as house:
        answer = await speak(house)
    assert answer.headers["content-type"] == "audio/wav"
    assert seconds_in(answer.body) == 0.5


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "audio/mpeg\0", "audio/mpeg\r\nset-cookie: a=b", "é"])
async def test_what_is_told_to_be_no_sound_is_not_told_on(mime: str) -> None:
    """Nor is a page shown in this house, nor a header written, by who answers."""
    async with open_house(Script(answers(candidate(heard(wav(0.5), mime))))) as house:
        answer = await speak(house, response_format="wav")
    assert answer.status == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("format_", ["opus", "aac", "flac"])
async def test_a_format_that_nobody_encodes_is_refused_with_those_there_are(format_: str) -> None:
    script = Script(speaks(ONE_SECOND))
    async with open_house(script) as house:
        answer = await speak(house, response_format=format_)
    assert answer.status == 400
    assert answer.error["code"] == "unsupported_parameter"
    assert answer.error["param"] == "response_format"
    assert "mp3, wav, pcm" in answer.error["message"]
    assert not script.requests


# -- bad input -----------------------------------------------------------------------------------------------------------

BAD = [
    ({"input": None}, "input"),
    ({"input": ""}, "input"),
    ({"input": "  \n"}, "input"),
    ({"input": 7}, "input"),
    ({"input": ["Hello"]}, "input"),
    ({"input": "x" * 4097}, "input"),
    ({"voice": None}, "voice"),
    ({"voice": "nobody"}, "voice"),
    ({"voice": ""}, "voice"),
    ({"voice": 3}, "voice"),
    ({"voice": {}}, "voice"),
    ({"voice": {"id": "voice_1234"}}, "voice"),
    ({"voice": {"id": ["Kore"]}}, "voice"),
    ({"response_format": "midi"}, "response_format"),
    ({"response_format": 1}, "response_format"),
    ({"speed": 0.1}, "speed"),
    ({"speed": 4.5}, "speed"),
    ({"speed": "fast"}, "speed"),
    ({"speed": True}, "speed"),
    ({"instructions": 1}, "instructions"),
    ({"stream_format": "chunks"}, "stream_format"),
    ({"model": None}, "model"),
    ({"model": 3}, "model"),
    ({"model": "gemini-3.5-flash"}, "model"),
    ({"model": "gpt-5.5"}, "model"),
]


@pytest.mark.parametrize(("wrong", "param"), BAD, ids=str)
async def test_bad_input_is_a_400_that_names_what_is_wrong(wrong: dict[str, Any], param: str) -> None:
    script = Script(speaks(ONE_SECOND))
    async with open_house(script) as house:
        answer = await house.ask(spoken_wish(**wrong), path=SPEECH)
        assert answer.status == 400, answer.body
        assert answer.error["param"] == param
        assert (await house.ask(spoken_wish(), path=SPEECH)).status == 200
    assert len(script.requests) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"text"', b"--x\r\n", b"\xff\xfe"])
async def test_a_body_that_is_none_is_a_400(body: bytes) -> None:
    async with open_house() as house:
        answer = await house.ask(body, path=SPEECH)
    assert answer.status == 400
    assert error_of(answer.json())


async def test_a_model_that_does_not_speak_is_refused_with_those_that_do() -> None:
    async with open_house() as house:
        answer = await speak(house, model="gemini-3.5-flash")
    assert answer.status == 400
    assert TTS in answer.error["message"]


async def test_a_model_that_answers_is_not_asked_to_read() -> None:
    script = Script(speaks(ONE_SECOND))
    async with open_house(script, kinds=(KINDS["openai"], KINDS["gemini"])) as house:
        answer = await speak(house, model="gpt-audio")
    assert (answer.status, answer.error["param"]) == (400, "model")
    assert "does not read" in answer.error["message"]
    assert TTS in answer.error["message"]
    assert not script.requests


async def test_a_speed_is_told_as_lost() -> None:
    async with open_house(Script(speaks(ONE_SECOND))) as house:
        assert (await speak(house, speed=1.5)).codes == ["5.3:speed"]
        assert (await speak(house, speed=1)).codes == []
        assert (await speak(house, frequency=3)).status == 200
        strict = await house.ask(spoken_wish(speed=1.5), path=SPEECH, headers={"x-portico-strict": "true"})
    assert (strict.status, strict.error["param"]) == (400, "speed")


# -- what can go wrong at the provider -----------------------------------------------------------------------------------


async def test_an_answer_without_sound_is_asked_for_once_more() -> None:
    script = Script(answers(candidate(finish="OTHER")), speaks(ONE_SECOND))
    async with open_house(script) as house:
        answer = await speak(house, response_format="pcm")
    assert (answer.status, answer.body) == (200, ONE_SECOND)
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (candidate(finish="OTHER"), 502, "upstream_empty"),
        (candidate(), 502, "upstream_empty"),
        (candidate({"text": "Hello"}), 502, "upstream_empty"),
        (candidate(finish="SAFETY"), 400, "content_filter"),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, 400, "content_filter"),
        (candidate({"inlineData": {"mimeType": "audio/L16;rate=24000", "data": "%%%"}}), 502, "bad_gateway"),
        (candidate(heard(b"1234", "audio/L16;rate=24000;channels=7")), 502, "bad_gateway"),
    ],
)
async def test_an_answer_without_sound_is_an_error(body: Any, status: int, code: str) -> None:
    async with open_house(Script(answers(body))) as house:
        answer = await speak(house)
    assert (answer.status, answer.error["code"]) == (status, code)


async def test_the_providers_refusal_is_told() -> None:
    async with open_house(Script(fails(400, "INVALID_ARGUMENT", "Too long for this voice"))) as house:
        answer = await speak(house)
    assert answer.status == 400
    assert "Too long for this voice" in answer.error["message"]


# -- as it is spoken -----------------------------------------------------------------------------------------------------


def streams(*pieces: bytes, size: int) -> Any:
    """Pieces of sound as Google streams them, so many bytes at a time."""
    counts = {"promptTokenCount": 5, "candidatesTokenCount": 32, "totalTokenCount": 37}
    frames = [frame(candidate(heard(pcm), finish=None)) for pcm in pieces]
    data = b"".join([*frames, frame(candidate(usageMetadata=counts))])

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        exchange.finish()

    return act


@pytest.mark.parametrize("size", [7, 64, 10**6])
@pytest.mark.parametrize("format_", ["pcm", "wav", "mp3"])
async def test_speech_is_told_as_it_is_spoken(format_: str, size: int) -> None:
    pieces = [samples(0.1)[:-1], samples(0.2) + b"\0", samples(0.05)]  # a sample may be cut in two
    async with open_house(Script(streams(*pieces, size=size))) as house:
        told = events_in(await speak(house, stream_format="sse", response_format=format_))
    assert told[-1] == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 5, "output_tokens": 32, "total_tokens": 37},
    }
    assert {one["type"] for one in told[:-1]} == {"speech.audio.delta"}
    sound = sound_of(told)
    if format_ == "mp3":
        assert seconds_of(sound) == pytest.approx(0.35, abs=0.12)
    else:
        assert sound[44 * (format_ == "wav") :] == b"".join(pieces)
    if format_ == "wav":
        assert sound[:4] == b"RIFF"
        assert seconds_of(sound) == pytest.approx(0.35)


async def test_a_stream_without_sound_is_an_error_before_anything_is_told() -> None:
    script = Script(answers(candidate(finish="OTHER")))
    async with open_house(script) as house:
        answer = await speak(house, stream_format="sse")
    assert (answer.status, answer.error["code"]) == (502, "upstream_empty")
    assert len(script.requests) == 2


async def test_a_stream_that_breaks_off_says_so() -> None:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        exchange.write(frame(candidate(heard(ONE_SECOND), finish=None)))
        await exchange.drain()
        exchange.abort()

    async with open_house(Script(act)) as house:
        told = events_in(await speak(house, stream_format="sse"))
    assert [one["type"] for one in told] == ["speech.audio.delta", "error"]
    assert told[-1]["error"]["code"] == "upstream_incomplete"


# -- one sound, in pieces ------------------------------------------------------------------------------------------------


def speaks_until(told: asyncio.Event, *, kind: str) -> Act:
    """A second of sound, and another one only after an event, of Google's or as OpenAI sends it."""
    pieces = [frame(candidate(heard(ONE_SECOND), finish=None)), frame(candidate(heard(ONE_SECOND)))]

    async def act(exchange: Exchange) -> None:
        google = kind == "gemini"
        first, second = pieces if google else [ONE_SECOND, ONE_SECOND]
        exchange.start(200, [("content-type", "text/event-stream" if google else "audio/pcm")])
        exchange.write(first)
        await exchange.drain()
        await told.wait()
        exchange.write(second)
        exchange.finish()

    return act


@pytest.mark.parametrize(("kind", "model"), [("gemini", TTS), ("openai", "tts-1")])
async def test_sound_is_heard_before_its_end(kind: str, model: str) -> None:
    told = asyncio.Event()
    wish = spoken_wish(model=model, response_format="pcm")
    script = Script(speaks_until(told, kind=kind))
    async with open_house(script, kinds=(KINDS[kind],)) as house, house.open(wish, path=SPEECH) as wire:
        sound = b""
        while len(sound) < len(ONE_SECOND):
            sound += await wire.chunk()
        assert wire.headers["content-type"] == "audio/pcm"
        told.set()
        sound += (await wire.rest()).body
    assert sound == ONE_SECOND * 2


def breaks_off(kind: str, after: bytes) -> Act:
    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream" if kind == "gemini" else "audio/pcm")])
        if after:
            exchange.write(frame(candidate(heard(after), finish=None)) if kind == "gemini" else after)
            await exchange.drain()
        exchange.abort()

    return act


@pytest.mark.parametrize("format_", ["mp3", "pcm"])
async def test_a_long_piece_is_made_sound_like_many_short_ones(format_: str) -> None:
    whole, cut = samples(6.0), [samples(6.0)[at : at + 9_600] for at in range(0, 288_000, 9_600)]
    async with open_house(Script(speaks(whole), speaks(*cut))) as house:
        told = [await speak(house, response_format=format_) for _ in range(2)]
    assert told[0].body == told[1].body
    assert told[0].headers["content-type"] == told[1].headers["content-type"]


@pytest.mark.parametrize(("kind", "model"), [("gemini", TTS), ("openai", "tts-1")])
async def test_sound_that_breaks_off_is_a_cut_and_is_not_begun_again(kind: str, model: str) -> None:
    script = Script(breaks_off(kind, ONE_SECOND))
    async with open_house(script, kinds=(KINDS[kind],), keys=("one", "two")) as house:
        async with house.open(spoken_wish(model=model, response_format="pcm"), path=SPEECH) as wire:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await wire.rest()
        assert wire.status == 200
    assert len(script.requests) == 1


@pytest.mark.parametrize(("kind", "model"), [("gemini", TTS), ("openai", "tts-1")])
async def test_before_its_first_piece_another_key_is_tried(kind: str, model: str) -> None:
    sound = speaks(ONE_SECOND) if kind == "gemini" else sends(ONE_SECOND, "audio/pcm")
    script = Script(breaks_off(kind, b""), sound)
    async with open_house(script, kinds=(KINDS[kind],), keys=("one", "two")) as house:
        answer = await speak(house, model=model, response_format="pcm")
    assert (answer.status, answer.body) == (200, ONE_SECOND)
    assert len(script.requests) == 2


# -- to who speaks it ----------------------------------------------------------------------------------------------------


async def test_a_body_passes_but_for_its_model() -> None:
    script = Script(sends(b"ID3 sound", "audio/mpeg"))
    body = b'{ "model" :"tts-1", "input":"H\\u0069 \xc3\xa9",\n"voice": "alloy", "new_field": 1.0 }'
    async with open_house(script, kinds=OPENAI_KIND) as house:
        answer = await house.ask(body, path=SPEECH)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"ID3 sound", "audio/mpeg")
    (request,) = script.requests
    assert (request.path, request.body) == ("/v1/audio/speech", body)


def sends(data: bytes, content_type: str) -> Any:
    async def act(exchange: Exchange) -> None:
        exchange.send(200, [("content-type", content_type)], data)

    return act


@pytest.mark.parametrize("format_", ["mp3", "wav", "pcm", "opus", "aac", "flac"])
async def test_openais_speech_comes_as_openai_sends_it(format_: str) -> None:
    async with open_house(kinds=OPENAI_KIND) as house:
        answer = await speak(house, model="gpt-4o-mini-tts", response_format=format_, voice="marin")
    assert answer.status == 200
    assert answer.headers["content-type"] == f"audio/{'mpeg' if format_ == 'mp3' else format_}"
    if format_ == "wav":
        assert seconds_in(answer.body) == pytest.approx(0.2 + 5 / 15, abs=1 / RATE)


@pytest.mark.parametrize("size", [1, 7, 10**6])
async def test_openais_events_pass(size: int) -> None:
    told: list[Json] = [
        {"type": "speech.audio.delta", "audio": base64.b64encode(b"sound" * 20).decode()},
        {"type": "speech.audio.done", "usage": {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12}},
    ]
    async with open_house(Script(streams_named(*told, size=size)), kinds=OPENAI_KIND) as house:
        answer = await speak(house, model="gpt-4o-mini-tts", stream_format="sse")
    blocks = [block for block in answer.body.split(b"\n\n") if block]
    assert [json.loads(block.partition(b"data: ")[2]) for block in blocks] == told


async def test_a_stream_of_openais_that_is_cut_off_says_so() -> None:
    begun = {"type": "speech.audio.delta", "audio": base64.b64encode(b"sound").decode()}
    async with open_house(Script(streams_named(begun, cut=True)), kinds=OPENAI_KIND) as house:
        answer = await speak(house, model="gpt-4o-mini-tts", stream_format="sse")
    assert answer.body.endswith(b"\n\n")
    assert b'"upstream_incomplete"' in answer.body


@pytest.mark.parametrize(
    ("act", "status", "code"),
    [
        (sends(b"", "audio/mpeg"), 502, "upstream_empty"),
        (sends(b'{"error": {"message": "no", "type": "server_error"}}', "application/json"), 500, "internal_error"),
        (sends(b'{"ok": true}', "application/json"), 502, "bad_gateway"),
    ],
)
async def test_what_is_no_sound_is_an_error(act: Any, status: int, code: str) -> None:
    async with open_house(Script(act), kinds=OPENAI_KIND) as house:
        answer = await speak(house, model="tts-1")
    assert (answer.status, answer.error["code"]) == (status, code)


@pytest.mark.parametrize(
    ("model", "kinds", "says"),
    [
        ("tts-1", OPENAI_KIND, "tts-1 answers no chats. Ask it by POST /v1/audio/speech."),
        ("whisper-1", OPENAI_KIND, "whisper-1 answers no chats. Ask it by POST /v1/audio/transcriptions."),
        (
            "text-embedding-3-small",
            OPENAI_KIND,
            "text-embedding-3-small answers no chats. Ask it by POST /v1/embeddings.",
        ),
        ("gpt-image-2", OPENAI_KIND, "gpt-image-2 answers no chats. Ask it by POST /v1/images/generations."),
        ("tts-1", (KINDS["gemini"],), "No configured provider serves tts-1."),
    ],
)
async def test_a_model_of_speech_is_no_model_of_chat(model: str, kinds: Any, says: str) -> None:
    async with open_house(kinds=kinds) as house:
        answer = await house.ask({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
    assert (answer.status, answer.error["code"], answer.error["message"]) == (404, "model_not_found", says)


@pytest.mark.parametrize("prefix", ["/v1", "", "/v1beta/openai"])
async def test_speech_is_served_under_every_prefix_of_chat(prefix: str) -> None:
    async with open_house() as house:
        answer = await house.ask(spoken_wish(), path=f"{prefix}/audio/speech")
        wrong = await house.ask(None, path=f"{prefix}/audio/speech", method="GET")
    assert answer.status == 200
    assert wrong.status == 405
    assert error_of(wrong.json())


async def test_many_are_read_to_at_once() -> None:
    async def one(house: House, format_: str) -> bytes:
        answer = await speak(house, input="A longer text. " * 40, response_format=format_)
        assert answer.status == 200
        return answer.body

    async with open_house() as house:
        told = await asyncio.gather(*[one(house, "mp3") for _ in range(6)], one(house, "wav"))
    assert len(set(told[:-1])) == 1
    assert seconds_of(told[0]) == pytest.approx(seconds_in(told[-1]), abs=0.12)
