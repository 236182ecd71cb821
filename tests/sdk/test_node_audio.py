"""Speech and transcripts through OpenAI's npm package, in front of a gateway: a script does what people do."""

import base64
from typing import Any

import pytest

from gateway.hearing import HEARS, TTS, seconds_in, wav
from gateway.house import KEY, house_in_a_thread
from portico.core.recording import seconds_of
from portico.providers import KINDS
from sdk import nodejs

pytestmark = pytest.mark.skipif(nodejs.NODE is None or nodejs.NPM is None, reason="there is no Node.js here")
MODELS = [(TTS, HEARS, HEARS), ("gpt-4o-mini-tts", "gpt-4o-transcribe", "whisper-1")]


@pytest.fixture(scope="module", params=MODELS, ids=["google", "openai"])
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the script reported of one vendor's models."""
    speaker, hearer, translator = request.param
    with house_in_a_thread(kinds=[KINDS["gemini"], KINDS["openai"]]) as house:
        given = {
            "BASE_URL": f"http://127.0.0.1:{house.port}",
            "KEY": KEY,
            "SPEAKER": speaker,
            "HEARER": hearer,
            "TRANSLATOR": translator,
            "WAV": base64.b64encode(wav(1.5)).decode(),
        }
        return nodejs.run("openai_audio", given)


def test_nothing_failed(told: dict[str, Any]) -> None:
    assert {name: step["failed"] for name, step in told.items() if "failed" in step} == {}


def test_speech_comes_in_the_format_asked_for(told: dict[str, Any]) -> None:
    assert told["mp3"]["type"] == "audio/mpeg"
    assert (seconds_of(base64.b64decode(told["mp3"]["sound"])) or 0) > 0.2
    assert told["wav"]["type"] == "audio/wav"
    assert seconds_in(base64.b64decode(told["wav"]["sound"])) > 0.2
    assert told["pieces"]["bytes"] > 4_800


@pytest.mark.parametrize("step", ["json", "text", "from_disk"])
def test_a_recording_is_written_down(told: dict[str, Any], step: str) -> None:
    assert "simulated" in told[step]["text"]


def test_a_transcript_is_streamed(told: dict[str, Any]) -> None:
    assert told["stream"]["last"]["type"] == "transcript.text.done"
    assert told["stream"]["last"]["text"] == told["stream"]["text"]
    assert told["stream"]["last"]["usage"]["total_tokens"] > 0


def test_a_recording_is_translated(told: dict[str, Any]) -> None:
    assert "English" in told["translated"]["text"]


def test_a_voice_that_nobody_has_is_a_bad_request(told: dict[str, Any]) -> None:
    assert (told["bad"]["kind"], told["bad"]["status"]) == ("bad", 400)
