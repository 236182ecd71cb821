"""OpenAI's speech and transcripts as the simulator plays them: what is refused, and answers that the SDK's types take."""

import base64
import json
from typing import Any

import pytest
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionTextDoneEvent,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)

from gateway.hearing import BOUNDARY, form, recording, seconds_in, wav
from portico.simulator import Simulator
from simulator.sim_memory import Memory, exchange
from simulator.sim_openai import KEY, error, fits, post

SPEECH, TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations"


def wish(**more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini-tts", "input": "Hello", "voice": "alloy", **more}


async def heard(*fields: tuple[str, Any], path: str = TRANSCRIPTIONS, sim: Simulator | None = None) -> Memory:
    headers = KEY | {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    one = exchange(path, form(*fields), headers=headers)
    await (sim or Simulator())(one)
    return one


# -- speech --------------------------------------------------------------------------------------------------------------

REFUSED = [
    ({"input": None}, "input", "missing_required_parameter"),
    ({"voice": None}, "voice", "missing_required_parameter"),
    ({"model": None}, "model", "missing_required_parameter"),
    ({"input": ""}, "input", "empty_string"),
    ({"input": "x" * 4097}, "input", "string_above_max_length"),
    ({"input": 1}, "input", "invalid_type"),
    ({"voice": "kore"}, "voice", "invalid_value"),
    ({"model": "tts-1", "voice": "marin"}, "voice", "invalid_value"),
    ({"response_format": "ogg"}, "response_format", "invalid_value"),
    ({"speed": 0.2}, "speed", "decimal_below_min_value"),
    ({"speed": 4.1}, "speed", "decimal_above_max_value"),
    ({"stream_format": "json"}, "stream_format", "invalid_value"),
    ({"model": "tts-1", "stream_format": "sse"}, "stream_format", "unsupported_value"),
    ({"model": "gpt-4o"}, "model", "invalid_model"),
    ({"model": "whisper-1"}, "model", "invalid_model"),
    ({"language": "en"}, "language", "unknown_parameter"),
]


@pytest.mark.parametrize(("wrong", "param", "code"), REFUSED, ids=str)
async def test_speech_is_refused_as_openai_refuses_it(wrong: dict[str, Any], param: str, code: str) -> None:
    told = await error(Simulator(), SPEECH, wish(**wrong))
    assert (told["param"], told["code"]) == (param, code)


async def test_a_voice_sounds_as_long_as_its_text_and_speed() -> None:
    sim = Simulator()
    plain = await post(sim, SPEECH, wish(response_format="wav", input="x" * 150))
    faster = await post(sim, SPEECH, wish(response_format="wav", input="x" * 150, speed=2))
    other = await post(sim, SPEECH, wish(response_format="wav", input="x" * 150, voice="cedar"))
    assert plain.headers["content-type"] == "audio/wav"
    assert seconds_in(plain.data) == pytest.approx(10.2, abs=1e-4)
    assert seconds_in(faster.data) == pytest.approx(5.1, abs=1e-4)
    assert other.data != plain.data


async def test_a_stream_of_speech_ends_with_its_counts() -> None:
    one = await post(Simulator(), SPEECH, wish(stream_format="sse", response_format="pcm"))
    events = framed_plain(one.data)
    sound = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    usage = events[-1]["usage"]
    assert usage["output_tokens"] == len(sound) * 20 // 48_000
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def framed_plain(data: bytes) -> list[Any]:
    """Events without names."""
    frames = data.decode().split("\n\n")
    assert frames.pop() == ""
    assert all(one.startswith("data: ") for one in frames)
    return [json.loads(one.removeprefix("data: ")) for one in frames]


@pytest.mark.parametrize(("fault", "status"), [("429", 429), ("500", 500), ("503", 503)])
async def test_speech_fails_on_demand(fault: str, status: int) -> None:
    one = await post(Simulator(), SPEECH, wish(input=f"Hello [[sim:{fault}]]"))
    assert one.status == status
    cut = await post(Simulator(), SPEECH, wish(input="Hello [[sim:cut]]"))
    assert cut.aborted


# -- transcripts ---------------------------------------------------------------------------------------------------------

BAD_FORMS: list[tuple[list[tuple[str, Any]], int, str | None]] = [
    ([("model", "whisper-1")], 400, "missing_required_parameter"),
    ([recording()], 400, "missing_required_parameter"),
    ([recording(), ("model", "gpt-9")], 404, "model_not_found"),
    ([recording(), ("model", "gpt-4o")], 400, "invalid_model"),
    ([recording(), ("model", "tts-1")], 400, "invalid_model"),
    ([recording(name="a.txt"), ("model", "whisper-1")], 400, None),
    ([recording(b"no sound"), ("model", "whisper-1")], 400, "invalid_value"),
    ([recording(wav(0.05)), ("model", "whisper-1")], 400, "audio_too_short"),
    ([recording(wav()[:44] + bytes(26 * 1024 * 1024)), ("model", "whisper-1")], 413, None),
    ([recording(), ("model", "whisper-1"), ("response_format", "xml")], 400, "invalid_value"),
    ([recording(), ("model", "whisper-1"), ("response_format", "diarized_json")], 400, "unsupported_value"),
    ([recording(), ("model", "gpt-4o-transcribe"), ("response_format", "srt")], 400, "unsupported_value"),
    ([recording(), ("model", "whisper-1"), ("temperature", "warm")], 400, "invalid_type"),
    ([recording(), ("model", "whisper-1"), ("temperature", "2")], 400, "decimal_above_max_value"),
    ([recording(), ("model", "whisper-1"), ("stream", "yes")], 400, "invalid_value"),
    ([recording(), ("model", "whisper-1"), ("include[]", "logprobs")], 400, "unsupported_parameter"),
    ([recording(), ("model", "whisper-1"), ("timestamp_granularities[]", "word")], 400, None),
    ([recording(), ("model", "whisper-1"), ("voice", "alloy")], 400, "unknown_parameter"),
]


@pytest.mark.parametrize(("given", "status", "code"), BAD_FORMS)
async def test_a_form_is_refused_as_openai_refuses_it(given: list[tuple[str, Any]], status: int, code: str) -> None:
    one = await heard(*given)
    assert (one.status, one.json()["error"]["code"]) == (status, code), one.data


async def test_only_whisper_translates() -> None:
    one = await heard(recording(), ("model", "gpt-4o-transcribe"), path=TRANSLATIONS)
    assert one.status == 400
    told = await heard(recording(), ("model", "whisper-1"), ("language", "de"), path=TRANSLATIONS)
    assert told.json()["error"]["code"] == "unknown_parameter"


async def test_a_body_that_is_no_form_is_refused() -> None:
    for headers in ({}, {"content-type": "application/json"}, {"content-type": "multipart/form-data"}):
        one = exchange(TRANSCRIPTIONS, form(recording(), ("model", "whisper-1")), headers=KEY | headers)
        await Simulator()(one)
        assert one.status == 400


async def test_words_depend_on_the_recording_and_on_nothing_else() -> None:
    first = (await heard(recording(wav(1, 440)), ("model", "whisper-1"))).json()["text"]
    again = (await heard(recording(wav(1, 440)), ("model", "gpt-4o-transcribe"), ("prompt", "Hi"))).json()["text"]
    other = (await heard(recording(wav(1, 441)), ("model", "whisper-1"))).json()["text"]
    assert first == again != other
    assert "1.0 seconds of wav" in first


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe"])
async def test_a_transcript_fits_the_sdks_type(model: str) -> None:
    fits(Transcription, (await heard(recording(), ("model", model))).json())


async def test_longer_answers_fit_the_sdks_types() -> None:
    verbose = ("response_format", "verbose_json")
    words = [("timestamp_granularities[]", "word"), ("timestamp_granularities[]", "segment")]
    whole = (await heard(recording(), ("model", "whisper-1"), verbose, *words)).json()
    assert whole.pop("task") == "transcribe"
    made = fits(TranscriptionVerbose, whole)
    assert made.words
    assert made.segments
    diarized = [("model", "gpt-4o-transcribe-diarize"), ("response_format", "diarized_json")]
    fits(TranscriptionDiarized, (await heard(recording(), *diarized)).json())
    fits(Translation, (await heard(recording(), ("model", "whisper-1"), path=TRANSLATIONS)).json())
    told = (await heard(recording(), ("model", "whisper-1"), verbose, path=TRANSLATIONS)).json()
    del told["task"], told["usage"]
    fits(TranslationVerbose, told)


async def test_a_stream_of_words_adds_up() -> None:
    one = await heard(recording(), ("model", "gpt-4o-transcribe"), ("stream", "true"))
    events = framed_plain(one.data)
    fits(TranscriptionTextDoneEvent, events[-1])
    assert "".join(event["delta"] for event in events[:-1]) == events[-1]["text"]
    whole = await heard(recording(), ("model", "whisper-1"), ("stream", "true"))
    assert whole.headers["content-type"] == "application/json"


async def test_azure_has_the_model_in_its_address() -> None:
    path = "/openai/deployments/my-whisper-1/audio/transcriptions"
    headers = {"api-key": "a-key", "content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    one = exchange(path, form(recording(), ("model", "whatever")), query="api-version=2025-03-01", headers=headers)
    await Simulator()(one)
    assert one.status == 200
    spoken = exchange("/openai/deployments/tts-1/audio/speech", wish(), query="api-version=2025-03-01", headers=headers)
    await Simulator()(spoken)
    assert spoken.status == 200
