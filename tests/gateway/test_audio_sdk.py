"""OpenAI's own SDK on a running gateway: speech, transcriptions, translations, on Google's models and on OpenAI's."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.audio import Transcription, TranscriptionVerbose, Translation, TranslationVerbose

from gateway.hearing import HEARS, TTS, seconds_in, wav
from gateway.house import KEY, House, open_house
from portico.core.recording import seconds_of
from portico.providers import KINDS

SPEAKERS = [TTS, "gpt-4o-mini-tts", "tts-1"]
HEARERS = [HEARS, "gpt-4o-transcribe", "gpt-transcribe", "whisper-1"]
FILE = ("hello.wav", wav(1.5))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(kinds=(KINDS["gemini"], KINDS["openai"])) as house:
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", SPEAKERS)
async def test_a_default_call_speaks_mp3(client: AsyncOpenAI, model: str) -> None:
    spoken = await client.audio.speech.create(model=model, voice="alloy", input="Good morning, everybody.")
    assert spoken.response.headers["content-type"] == "audio/mpeg"
    length = seconds_of(spoken.content)
    assert length is not None
    assert length > 0.2


@pytest.mark.parametrize("model", SPEAKERS)
async def test_a_file_is_written_that_plays(client: AsyncOpenAI, tmp_path: Path, model: str) -> None:
    path = tmp_path / "speech.wav"
    made = client.audio.speech.with_streaming_response.create(
        model=model, voice="nova", input="Good morning.", instructions="Be kind", response_format="wav"
    )
    async with made as spoken:
        await spoken.stream_to_file(path)
    assert seconds_in(path.read_bytes()) > 0.2
    if (sox := shutil.which("sox")) is not None:  # where it is installed it has a say, too
        command = [sox, str(path), "-n", "stat"]
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)


@pytest.mark.parametrize("model", SPEAKERS[:2])
async def test_speech_is_heard_as_it_comes(client: AsyncOpenAI, model: str) -> None:
    made = client.audio.speech.with_streaming_response.create(
        model=model, voice="alloy", input="Good morning.", stream_format="sse"
    )
    async with made as spoken:
        lines = [line async for line in spoken.iter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    assert [("speech.audio.done" in line) for line in lines] == [False] * (len(lines) - 1) + [True]


@pytest.mark.parametrize("model", HEARERS)
async def test_a_recording_is_written_down(client: AsyncOpenAI, model: str) -> None:
    told = await client.audio.transcriptions.create(model=model, file=FILE, prompt="Portico", language="en")
    assert isinstance(told, Transcription)
    assert "simulated" in told.text
    assert told.usage is not None
    if told.usage.type == "tokens":
        assert told.usage.total_tokens == told.usage.input_tokens + told.usage.output_tokens
        assert told.usage.input_token_details is not None
        assert told.usage.input_token_details.audio_tokens
    else:
        assert told.usage.seconds == 2


@pytest.mark.parametrize("model", [HEARS, "whisper-1"])
@pytest.mark.parametrize("format_", ["text", "srt", "vtt", "verbose_json"])
async def test_every_format_is_what_the_sdk_expects(client: AsyncOpenAI, model: str, format_: Any) -> None:
    told: Any = await client.audio.transcriptions.create(model=model, file=FILE, response_format=format_)
    if format_ == "verbose_json":
        assert isinstance(told, TranscriptionVerbose)
        TranscriptionVerbose.model_validate(told.model_dump(), strict=True)
        assert told.duration == 1.5
        assert told.segments
        assert all(one.start <= one.end <= 1.5 for one in told.segments)
    else:
        assert isinstance(told, str)
        assert told.startswith({"text": "[simulated]", "srt": "1\n00:00:0", "vtt": "WEBVTT\n"}[format_])


@pytest.mark.parametrize("model", [HEARS, "gpt-4o-transcribe"])
async def test_a_transcript_is_read_as_it_is_written(client: AsyncOpenAI, model: str) -> None:
    stream = await client.audio.transcriptions.create(model=model, file=FILE, stream=True)
    events = [event async for event in stream]
    last = events[-1]
    assert last.type == "transcript.text.done"
    assert last.text == "".join([event.delta for event in events if event.type == "transcript.text.delta"])
    assert last.usage is not None
    assert len(events) > 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK warns of OpenAI's plans for this operation
@pytest.mark.parametrize("model", [HEARS, "whisper-1"])
async def test_a_recording_is_translated(client: AsyncOpenAI, model: str) -> None:
    told = await client.audio.translations.create(model=model, file=FILE)
    assert isinstance(told, Translation)
    assert "English" in told.text
    verbose: Any = await client.audio.translations.create(model=model, file=FILE, response_format="verbose_json")
    assert isinstance(verbose, TranslationVerbose)
    assert verbose.segments
    text: Any = await client.audio.translations.create(model=model, file=FILE, response_format="text")
    assert isinstance(text, str)


async def test_what_is_wrong_is_an_error_of_the_sdk(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.speech.create(model=TTS, voice="nobody", input="Hello")
    assert refused.value.param == "voice"
    with pytest.raises(openai.BadRequestError):
        await client.audio.transcriptions.create(model=HEARS, file=("a.txt", b"no sound"))
    with pytest.raises(openai.NotFoundError):
        await client.audio.speech.create(model="no-such-voice", voice="alloy", input="Hello")
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="sk-wrong").audio.speech.create(model=TTS, voice="alloy", input="Hello")


async def test_the_sync_client_does_the_same(house: House, tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    path.write_bytes(wav(0.5))

    def use() -> tuple[bytes, str]:
        with OpenAI(api_key=KEY, base_url=house.url, max_retries=0) as client:
            spoken = client.audio.speech.create(model=TTS, voice="alloy", input="Hello", response_format="wav").content
            with path.open("rb") as file:
                return spoken, client.audio.transcriptions.create(model=HEARS, file=file).text

    spoken, text = await asyncio.to_thread(use)
    assert seconds_in(spoken) > 0
    assert "simulated" in text
