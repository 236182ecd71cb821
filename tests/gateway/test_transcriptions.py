"""POST /v1/audio/transcriptions and /translations on real sockets: Google's models listen, or OpenAI's (mapping.md 5.4)."""

import base64
import json
import random
from typing import Any

import pytest

from gateway.hearing import (
    BOUNDARY,
    HEARS,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    events_in,
    form,
    recording,
    send,
    transcribe,
    wav,
)
from gateway.house import Json, Script, answers, candidate, error_of, fails, frame, open_house, says
from gateway.vendors import streams_named
from portico.http.limits import Limits
from portico.providers import KINDS
from portico.wire.http import Exchange
from portico.wire.multipart import fields

OPENAI_KIND = (KINDS["openai"],)
COUNTS = {
    "promptTokenCount": 70,
    "candidatesTokenCount": 4,
    "totalTokenCount": 74,
    "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 32}, {"modality": "TEXT", "tokenCount": 38}],
}
USAGE = {
    "type": "tokens",
    "input_tokens": 70,
    "input_token_details": {"audio_tokens": 32, "text_tokens": 38},
    "output_tokens": 4,
    "total_tokens": 74,
}
SEGMENTS = {
    "language": "english",
    "segments": [
        {"start": 0, "end": 0.4, "text": "Good morning."},
        {"start": 0.3, "end": "0.9", "text": " All --> rise.\n\n"},
        {"start": 0.95, "end": 7, "text": "Thanks."},
        {"start": 7, "end": 8, "text": "  "},
    ],
}


def listens(text: str = "Good morning.", **more: Any) -> Script:
    return Script(answers(says(text, usageMetadata=COUNTS, **more)))


# -- what Google is asked ------------------------------------------------------------------------------------------------


async def test_a_recording_is_heard_inline_and_written_down_word_for_word() -> None:
    script = listens()
    async with open_house(script) as house:
        answer = await transcribe(house)
    assert answer.json() == {"text": "Good morning.", "usage": USAGE}
    assert answer.codes == []
    (body,) = script.bodies
    media, words = body["contents"][0]["parts"]
    assert media == {"inlineData": {"mimeType": "audio/wav", "data": base64.b64encode(wav()).decode()}}
    assert "verbatim" in words["text"]
    assert body["generationConfig"]["temperature"] == 0
    assert "responseMimeType" not in body["generationConfig"]


async def test_what_helps_to_hear_is_told_in_words() -> None:
    script = listens()
    lists = [("languages[]", "yue"), ("keywords[]", "Portico"), ("keywords[]", "Kore")]
    async with open_house(script) as house:
        await transcribe(house, ("prompt", "Names: Ümit, 陳."), ("language", "de"), ("temperature", "0.4"), *lists)
    words = script.bodies[0]["contents"][0]["parts"][1]["text"]
    assert "de or yue" in words
    assert "Portico, Kore" in words
    assert words.endswith("Names: Ümit, 陳.")
    assert script.bodies[0]["generationConfig"]["temperature"] == 0.4


async def test_a_translation_is_asked_for_in_english() -> None:
    script = listens()
    async with open_house(script) as house:
        answer = await transcribe(house, path=TRANSLATIONS)
    assert answer.json()["text"] == "Good morning."
    assert "into English" in script.bodies[0]["contents"][0]["parts"][1]["text"]


@pytest.mark.parametrize(
    ("name", "content_type", "head", "mime"),
    [
        ("a.wav", "audio/x-wav", wav()[:64], "audio/wav"),
        ("a.mp3", "", b"\xff\xfb\x90\x64 sound", "audio/mp3"),
        ("a.mpga", "application/octet-stream", b"ID3 sound", "audio/mp3"),
        ("blob", "audio/webm;codecs=opus", b"\x1a\x45\xdf\xa3 sound", "audio/webm"),
        ("a.webm", "", b"\x1a\x45\xdf\xa3 sound", "video/webm"),
        ("a.m4a", "audio/x-m4a", b"\0\0\0\x20ftypM4A sound", "audio/m4a"),
        ("a.mp4", "video/mp4", b"\0\0\0\x20ftypisom sound", "video/mp4"),
        ("a.ogg", "", b"OggS sound", "audio/ogg"),
        ("a.flac", "audio/x-flac", b"fLaC sound", "audio/flac"),
        ("a.txt", "text/plain", b"RIFF....WAVE sound", "audio/wav"),
    ],
)
async def test_a_recording_is_what_its_first_bytes_show(name: str, content_type: str, head: bytes, mime: str) -> None:
    script = listens()
    async with open_house(script) as house:
        answer = await send(house, form(recording(head, name, content_type), ("model", HEARS)))
    assert answer.status == 200, answer.body
    assert script.bodies[0]["contents"][0]["parts"][0]["inlineData"]["mimeType"] == mime


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-3.6-flash", "gemini-2.5-pro", "gemini-2.5-flash", HEARS])
async def test_nobody_has_lost_what_nobody_asked_for(model: str) -> None:
    """No temperature was asked for, nor little thinking: models that take neither are no reason to refuse a strict call."""
    async with open_house(listens()) as house:
        body = form(recording(), ("model", model))
        answer = await send(house, body, **{"x-portico-strict": "true"})
        assert (answer.status, answer.codes) == (200, [])
        asked = await send(house, form(recording(), ("model", "gemini-3.8-flash"), ("temperature", "0.7")))
        assert asked.codes == ["1.1:sampling"]


async def test_what_a_model_that_listens_cannot_do_is_told() -> None:
    async with open_house(Script(answers(says(json.dumps(SEGMENTS))))) as house:
        answer = await transcribe(
            house,
            ("include[]", "logprobs"),
            ("chunking_strategy", "auto"),
            ("response_format", "srt"),
            ("colour", "red"),
        )
    told = {item["code"]: item["path"] for item in answer.changes}
    assert told == {
        "5.4:timestamps": "$.response_format",
        "5.4:include": "$.include",
        "5.4:chunking": "$.chunking_strategy",
        "1.1:unsupported": "$.colour",
    }


# -- formats -------------------------------------------------------------------------------------------------------------


async def test_a_transcript_may_be_plain_text() -> None:
    async with open_house(listens(" Good morning.\n")) as house:
        answer = await transcribe(house, ("response_format", "text"))
    assert (answer.headers["content-type"], answer.body) == ("text/plain; charset=utf-8", b"Good morning.\n")


async def test_subtitles_are_made_of_what_the_model_says_of_times() -> None:
    script = Script(answers(says(json.dumps(SEGMENTS), usageMetadata=COUNTS)))
    async with open_house(script) as house:
        srt = await transcribe(house, ("response_format", "srt"))
        vtt = await transcribe(house, ("response_format", "vtt"))
    assert srt.headers["content-type"] == "text/plain; charset=utf-8"
    assert srt.body.decode() == (
        "1\n00:00:00,000 --> 00:00:00,400\nGood morning.\n\n"
        "2\n00:00:00,400 --> 00:00:00,900\nAll --> rise.\n\n"
        "3\n00:00:00,950 --> 00:00:01,000\nThanks.\n"
    )
    assert vtt.headers["content-type"] == "text/vtt; charset=utf-8"
    assert vtt.body.decode() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.400\nGood morning.\n\n"
        "00:00:00.400 --> 00:00:00.900\nAll -> rise.\n\n"
        "00:00:00.950 --> 00:00:01.000\nThanks.\n"
    )
    schema = script.bodies[0]["generationConfig"]["responseJsonSchema"]
    assert schema["properties"]["segments"]["items"]["required"] == ["start", "end", "text"]


async def test_verbose_json_has_segments_and_the_length_of_the_recording() -> None:
    async with open_house(Script(answers(says(json.dumps(SEGMENTS), usageMetadata=COUNTS)))) as house:
        body = (await transcribe(house, ("response_format", "verbose_json"))).json()
    assert (body["task"], body["language"], body["duration"]) == ("transcribe", "english", 1.0)
    assert body["text"] == "Good morning. All --> rise. Thanks."
    assert [(one["id"], one["start"], one["end"]) for one in body["segments"]] == [
        (0, 0, 0.4),
        (1, 0.4, 0.9),
        (2, 0.95, 1),
    ]
    assert body["usage"] == {**USAGE, "type": "duration", "seconds": 1}


async def test_speakers_are_told_apart_where_they_are_asked_for() -> None:
    told = {"language": "english", "segments": [{"start": 0, "end": 1, "text": "Hello.", "speaker": "A"}]}
    script = Script(answers(says(json.dumps(told), usageMetadata=COUNTS)))
    async with open_house(script) as house:
        body = (await transcribe(house, ("response_format", "diarized_json"))).json()
    segment = {"type": "transcript.text.segment", "id": "seg_0", "start": 0, "end": 1, "text": "Hello.", "speaker": "A"}
    assert body == {"task": "transcribe", "duration": 1, "text": "Hello.", "segments": [segment], "usage": USAGE}
    assert (
        "speaker"
        in script.bodies[0]["generationConfig"]["responseJsonSchema"]["properties"]["segments"]["items"]["required"]
    )


@pytest.mark.parametrize("text", ["Good morning.", "[]", '{"segments": [{"start": 1}]}', '{"segments": {}}', "{"])
async def test_times_that_cannot_be_read_are_an_error(text: str) -> None:
    async with open_house(Script(answers(says(text)))) as house:
        answer = await transcribe(house, ("response_format", "verbose_json"))
    assert (answer.status, answer.error["code"]) == (502, "upstream_malformed_output")


@pytest.mark.parametrize("format_", ["srt", "vtt", "verbose_json"])
@pytest.mark.parametrize("end", ["nan", "inf", "-inf"])
async def test_times_that_are_no_times_are_an_error(end: str, format_: str) -> None:
    told = {"language": "english", "segments": [{"start": 0, "end": end, "text": "Hello."}]}
    async with open_house(Script(answers(says(json.dumps(told))))) as house:
        answer = await transcribe(house, ("response_format", format_))
    assert (answer.status, answer.error["code"]) == (502, "upstream_malformed_output")


@pytest.mark.parametrize("format_", ["srt", "vtt", "verbose_json"])
async def test_so_is_a_time_that_no_recording_has_where_nobody_knows_its_length(format_: str) -> None:
    told = {"language": "english", "segments": [{"start": 0, "end": 1e308, "text": "Hello."}]}
    body = form(recording(b"OggS" + bytes(64)), ("model", HEARS), ("response_format", format_))
    async with open_house(Script(answers(says(json.dumps(told))))) as house:
        answer = await send(house, body)
    assert (answer.status, answer.error["code"]) == (502, "upstream_malformed_output")


async def test_silence_is_a_transcript_too() -> None:
    async with open_house(Script(answers(candidate({"text": ""})))) as house:
        assert (await transcribe(house)).json()["text"] == ""


async def test_what_must_not_be_repeated_is_refused() -> None:
    async with open_house(Script(answers(candidate(finish="RECITATION")))) as house:
        answer = await transcribe(house)
    assert (answer.status, answer.error["code"]) == (400, "content_filter")


# -- as it is written ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 64, 10**6])
async def test_a_transcript_is_told_as_it_is_written(size: int) -> None:
    pieces = [candidate({"text": "Think", "thought": True}, finish=None), says("Gu", None), says("ten 早", None)]
    data = b"".join([*map(frame, pieces), frame(says("!", usageMetadata=COUNTS))])

    async def act(exchange: Exchange) -> None:
        exchange.start(200, [("content-type", "text/event-stream")])
        for at in range(0, len(data), size):
            exchange.write(data[at : at + size])
            await exchange.drain()
        exchange.finish()

    async with open_house(Script(act)) as house:
        told = events_in(await transcribe(house, ("stream", "true")))
    assert told == [
        *[{"type": "transcript.text.delta", "delta": one} for one in ("Gu", "ten 早", "!")],
        {"type": "transcript.text.done", "text": "Guten 早!", "usage": USAGE},
    ]


async def test_a_translation_is_never_a_stream() -> None:
    async with open_house(listens()) as house:
        answer = await transcribe(house, ("stream", "true"), path=TRANSLATIONS)
    assert answer.json()["text"] == "Good morning."


# -- bad input -----------------------------------------------------------------------------------------------------------

BAD: list[tuple[list[tuple[str, Any]], str]] = [
    ([("model", HEARS)], "file"),
    ([recording(b""), ("model", HEARS)], "file"),
    ([("file", ""), ("model", HEARS)], "file"),
    ([recording(b"no sound at all", "a.txt", "text/plain"), ("model", HEARS)], "file"),
    ([recording(b"%PDF-1.7", "a.pdf", ""), ("model", HEARS)], "file"),
    ([recording(), recording(), ("model", HEARS)], "file"),
    ([recording()], "model"),
    ([recording(), ("model", "")], "model"),
    ([recording(), ("model", "gemini-3.8-flash-tts")], "model"),
    ([recording(), ("model", HEARS), ("model", "gemini-2.5-pro")], "model"),
    ([recording(), ("model", HEARS), ("response_format", "xml")], "response_format"),
    ([recording(), ("model", HEARS), ("response_format", "json"), ("response_format", "text")], "response_format"),
    ([recording(), ("model", HEARS), ("response_format", "srt"), ("stream", "true")], "response_format"),
    ([recording(), ("model", HEARS), ("stream", "maybe")], "stream"),
    ([recording(), ("model", HEARS), ("temperature", "warm")], "temperature"),
    ([recording(), ("model", HEARS), ("temperature", "1.5")], "temperature"),
    ([recording(), ("model", HEARS), ("temperature", "nan")], "temperature"),
    ([recording(), ("model", HEARS), ("prompt", b"\xff\xfe")], "prompt"),
    ([recording(), ("model", HEARS), ("timestamp_granularities[]", "hour")], "timestamp_granularities"),
    ([recording(), ("model", HEARS), ("timestamp_granularities[]", "segment")], "timestamp_granularities"),
    (
        [
            recording(),
            ("model", HEARS),
            ("response_format", "verbose_json"),
            ("timestamp_granularities[]", "word"),
        ],
        "timestamp_granularities",
    ),
]


@pytest.mark.parametrize(("given", "param"), BAD, ids=lambda value: value if isinstance(value, str) else None)
async def test_bad_input_is_a_400_that_names_what_is_wrong(given: list[tuple[str, Any]], param: str) -> None:
    script = listens()
    async with open_house(script) as house:
        answer = await send(house, form(*given))
    assert answer.status == 400, answer.body
    assert answer.error["param"] == param
    assert not script.requests


@pytest.mark.parametrize("kinds", [(KINDS["gemini"],), OPENAI_KIND, (KINDS["openai"], KINDS["gemini"])])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"model": "whisper-1", "file": "a.wav"}',
        b"--\r\n",
        form(recording(), ("model", HEARS))[:-6],
        form(recording(), ("model", HEARS))[:-50],
        form(recording(), ("model", "whisper-1"), end=b"\r\n"),
        b"\r\n" + form(recording(), ("model", HEARS)),
        form(recording(), ("model", HEARS)).replace(b'name="model"', b"name"),
        form(*[("model", HEARS)] * 300),
    ],
    ids=range(10),
)
async def test_a_form_that_is_none_or_cut_off_is_a_400(body: bytes, kinds: Any) -> None:
    script = listens()
    async with open_house(script, kinds=kinds) as house:
        answer = await send(house, body)
    assert answer.status == 400, answer.body
    assert error_of(answer.json())
    assert not script.requests


async def test_a_form_that_is_too_large_is_a_413() -> None:
    script = listens()
    async with open_house(script, limits=Limits(max_body_bytes=100_000)) as house:
        answer = await send(house, form(recording(wav(3)), ("model", HEARS)))
    assert answer.status == 413
    assert not script.requests


async def test_a_recording_larger_than_google_takes_is_a_413() -> None:
    script = listens()
    data = wav()[:44] + bytes(80 * 1024 * 1024)
    async with open_house(script, limits=Limits(max_body_bytes=100 * 1024 * 1024)) as house:
        answer = await send(house, form(recording(data), ("model", HEARS)))
    assert answer.status == 413, answer.body[:300]
    assert not script.requests


async def test_random_bytes_in_a_form_never_bring_the_gateway_down() -> None:
    dice = random.Random(7)
    good = form(recording(wav(0.01)), ("model", HEARS), ("prompt", "Hi"))
    async with open_house(listens()) as house:
        for _ in range(60):
            spoiled = bytearray(good)
            for _ in range(dice.randrange(1, 6)):
                spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
            answer = await send(house, bytes(spoiled))
            assert answer.status in (200, 400, 404), answer.body
        assert (await send(house, good)).status == 200


# -- to who speaks it ----------------------------------------------------------------------------------------------------


def sends(data: Any, content_type: str = "application/json") -> Script:
    async def act(exchange: Exchange) -> None:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        exchange.send(200, [("content-type", content_type)], body)

    return Script(act)


async def test_a_form_passes_with_its_boundary_and_only_its_model_is_changed() -> None:
    answer_body = {"text": "Hello", "usage": {"type": "duration", "seconds": 1}}
    script, given = sends(answer_body), form(("model", "openai/whisper-1"), recording(), ("new_field", b"\xff\0"))
    async with open_house(script, kinds=OPENAI_KIND) as house:
        answer = await send(house, given)
    assert answer.json() == answer_body
    (request,) = script.requests
    assert request.path == "/v1/audio/transcriptions"
    assert request.headers["content-type"] == f"multipart/form-data; boundary={BOUNDARY}"
    assert request.body == form(("model", "whisper-1"), recording(), ("new_field", b"\xff\0"))


@pytest.mark.parametrize(
    ("format_", "content_type", "holds"),
    [
        ("json", "application/json", b'"text"'),
        ("text", "text/plain; charset=utf-8", b"[simulated]"),
        ("srt", "text/plain; charset=utf-8", b"00:00:00,000 --> "),
        ("vtt", "text/plain; charset=utf-8", b"WEBVTT"),
        ("verbose_json", "application/json", b'"segments"'),
    ],
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
async def test_openais_transcripts_come_as_openai_sends_them(
    path: str, format_: str, content_type: str, holds: bytes
) -> None:
    async with open_house(kinds=OPENAI_KIND) as house:
        answer = await transcribe(house, ("response_format", format_), path=path, model="whisper-1")
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    assert holds in answer.body


PAGES = ["text/html; charset=utf-8", "Text/HTML", "image/svg+xml", "application/xhtml+xml"]


@pytest.mark.parametrize("content_type", PAGES)
async def test_a_transcript_is_no_page_whatever_its_provider_calls_it(content_type: str) -> None:
    script = sends(b"<script>fetch('/console')</script>", content_type)
    async with open_house(script, kinds=OPENAI_KIND) as house:
        answer = await transcribe(house, ("response_format", "text"), model="whisper-1")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("size", [1, 7, 10**6])
async def test_openais_events_pass(size: int) -> None:
    told: list[Json] = [
        {"type": "transcript.text.delta", "delta": "Hel"},
        {"type": "transcript.text.delta", "delta": "lo"},
        {"type": "transcript.text.done", "text": "Hello", "usage": USAGE},
    ]
    async with open_house(Script(streams_named(*told, size=size)), kinds=OPENAI_KIND) as house:
        answer = await transcribe(house, ("stream", "true"), model="gpt-4o-transcribe")
    blocks = [block for block in answer.body.split(b"\n\n") if block]
    assert [json.loads(block.partition(b"data: ")[2]) for block in blocks] == told


async def test_a_stream_of_openais_that_is_cut_off_says_so() -> None:
    begun = {"type": "transcript.text.delta", "delta": "Hel"}
    async with open_house(Script(streams_named(begun, cut=True)), kinds=OPENAI_KIND) as house:
        answer = await transcribe(house, ("stream", "true"), model="gpt-4o-transcribe")
    assert answer.body.endswith(b"\n\n")
    assert b'"upstream_incomplete"' in answer.body


async def test_whisper_answers_whole_to_who_asks_it_to_stream() -> None:
    async with open_house(kinds=OPENAI_KIND) as house:
        answer = await transcribe(house, ("stream", "true"), model="whisper-1")
    assert answer.headers["content-type"] == "application/json"
    assert "simulated" in answer.json()["text"]


async def test_openais_refusal_is_told() -> None:
    async with open_house(kinds=OPENAI_KIND) as house:
        answer = await transcribe(house, ("response_format", "srt"), model="gpt-4o-transcribe")
    assert (answer.status, answer.error["param"]) == (400, "response_format")
    async with open_house(Script(fails(500, "INTERNAL")), kinds=OPENAI_KIND) as house:
        assert (await transcribe(house, model="whisper-1")).status == 500


@pytest.mark.parametrize("prefix", ["/v1", "", "/v1beta/openai"])
@pytest.mark.parametrize("operation", ["transcriptions", "translations"])
async def test_recordings_are_heard_under_every_prefix_of_chat(prefix: str, operation: str) -> None:
    async with open_house(listens()) as house:
        answer = await transcribe(house, path=f"{prefix}/audio/{operation}")
    assert answer.json()["text"] == "Good morning."


def test_a_form_is_what_the_parser_reads() -> None:
    body = form(recording(b"abc"), ("model", "m"))
    assert [(one.name, one.value(body)) for one in fields(body)] == [("file", b"abc"), ("model", b"m")]
