"""What speech and transcripts cost: tokens where they are told, else characters, seconds, or an estimate (money.md)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.hearing import (
    HEARS,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    TTS,
    form,
    heard,
    recording,
    send,
    speaks,
    spoken_wish,
    wav,
)
from gateway.hearing import samples as sound
from gateway.house import Answer, Json, Script, answers, candidate, frame, says
from gateway.vendors import streams_named
from money.paid import Paid, is_marked, paid_house
from portico.providers import KINDS
from portico.simulator import Simulator
from portico.wire.http import App, Exchange

BOTH = (KINDS["openai"], KINDS["gemini"])
CHARACTER, CHARACTER_HD, SECOND, SECOND_NEW = 15_000, 30_000, 100_000, 75_000
"""Nano-dollars, from OpenAI's price page."""


def sends(body: Any, content_type: str = "application/json") -> App:
    async def act(exchange: Exchange) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        exchange.send(200, [("content-type", content_type)], data)

    return Script(act)


async def charged(paid: Paid, answer: Answer) -> dict[str, Any]:
    """The receipt of a call: no more than was held, and the ledger says the same."""
    assert answer.status == 200, answer.body
    receipt = await paid.settled()
    assert 0 < receipt["charge_nanos"] <= receipt["hold_nanos"]
    assert paid.entries("settle") == [("settle", -receipt["charge_nanos"], -receipt["hold_nanos"])]
    return receipt


# -- speech --------------------------------------------------------------------------------------------------------------


async def test_googles_speech_is_charged_by_its_tokens(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Script(speaks(sound(0.1)))) as paid:
        receipt = await charged(paid, await paid.house.ask(spoken_wish(), path=SPEECH))
    assert receipt["charge_nanos"] == 5 * 500 + 32 * 9_000
    assert receipt["usage"]["output_visible"] == {"audio": 32}
    assert receipt["dialect"] == "openai_speech"
    assert not receipt.get("flags")


@pytest.mark.parametrize(("model", "rate"), [("tts-1", CHARACTER), ("tts-1-hd", CHARACTER_HD)])
@pytest.mark.parametrize("text", ["Hello", "Grüße, 陳先生 🎧", "x" * 4096])
async def test_a_model_that_is_billed_by_the_character_is(tmp_path: Path, model: str, rate: int, text: str) -> None:
    async with paid_house(tmp_path / "books.db", Simulator(), kinds=BOTH) as paid:
        receipt = await charged(paid, await paid.house.ask(spoken_wish(model=model, input=text), path=SPEECH))
    assert receipt["charge_nanos"] == len(text) * rate == receipt["hold_nanos"]
    assert receipt["uses"] == {"characters": len(text)}
    assert not is_marked(receipt, "estimated")


@pytest.mark.parametrize("format_", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
@pytest.mark.parametrize(("text", "speed"), [("Hello", 1), ("A sentence of some length, read slowly. " * 9, 0.25)])
async def test_speech_without_counts_is_estimated_by_its_seconds(
    tmp_path: Path, format_: str, text: str, speed: float
) -> None:
    """`gpt-4o-mini-tts` tells nothing: 20 tokens a second of what came, and a token in for four characters."""
    seconds = min(30, 0.2 + len(text) / 15) / speed
    wish = spoken_wish(model="gpt-4o-mini-tts", input=text, speed=speed, response_format=format_)
    async with paid_house(tmp_path / "books.db", Simulator(), kinds=BOTH) as paid:
        receipt = await charged(paid, await paid.house.ask(wish, path=SPEECH))
    assert receipt["usage"]["output_visible"]["audio"] == pytest.approx(seconds * 20, abs=3)
    assert receipt["usage"]["input_uncached"] == {"text": len(text) // 4}
    assert receipt["flags"] == ["estimated"]


async def test_an_estimate_is_never_above_the_hold(tmp_path: Path) -> None:
    wish = spoken_wish(model="gpt-4o-mini-tts", response_format="pcm")
    async with paid_house(tmp_path / "books.db", sends(bytes(48_000 * 600), "audio/pcm"), kinds=BOTH) as paid:
        receipt = await charged(paid, await paid.house.ask(wish, path=SPEECH))
    assert receipt["charge_nanos"] == receipt["hold_nanos"]
    assert receipt["flags"] == ["estimated", "capped"]


async def test_counts_of_a_stream_are_believed(tmp_path: Path) -> None:
    done = {"type": "speech.audio.done", "usage": {"input_tokens": 10, "output_tokens": 100, "total_tokens": 110}}
    events: list[Json] = [{"type": "speech.audio.delta", "audio": "AAAA"}, done]
    wish = spoken_wish(model="gpt-4o-mini-tts", stream_format="sse")
    async with paid_house(tmp_path / "books.db", Script(streams_named(*events)), kinds=BOTH) as paid:
        receipt = await charged(paid, await paid.house.ask(wish, path=SPEECH))
    assert receipt["charge_nanos"] == 10 * 600 + 100 * 12_000
    assert receipt["usage"] == {"input_uncached": {"text": 10}, "output_visible": {"audio": 100}}
    assert receipt["raw_usage"] == done["usage"]


@pytest.mark.parametrize("body", [candidate(finish="OTHER"), candidate({"text": "Hello"}), candidate(finish="SAFETY")])
async def test_speech_that_does_not_come_is_free(tmp_path: Path, body: Any) -> None:
    async with paid_house(tmp_path / "books.db", Script(answers(body))) as paid:
        before = paid.account()
        assert (await paid.house.ask(spoken_wish(), path=SPEECH)).status >= 400
        assert (await paid.settled()).get("charge_nanos", 0) == 0
        assert paid.account() == before


@pytest.mark.parametrize("model", [TTS, "tts-1", "gpt-4o-mini-tts"])
async def test_speech_that_breaks_off_is_free(tmp_path: Path, model: str) -> None:
    async def act(exchange: Exchange) -> None:
        google = "stream" in exchange.request.path
        exchange.start(200, [("content-type", "text/event-stream" if google else "audio/mpeg")])
        exchange.write(frame(candidate(heard(sound(0.5)), finish=None)) if google else bytes(4_000))
        await exchange.drain()
        exchange.abort()

    async with paid_house(tmp_path / "books.db", Script(act), kinds=BOTH) as paid:
        before = paid.account()
        async with paid.house.open(spoken_wish(model=model), path=SPEECH) as wire:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await wire.rest()
        receipt = await paid.settled()
        assert (receipt.get("charge_nanos", 0), receipt["outcome"]) == (0, "failed")
        assert paid.account() == before


@pytest.mark.parametrize("model", [TTS, "tts-1"])
async def test_speech_whose_listener_leaves_is_heard_to_its_end_and_charged(tmp_path: Path, model: str) -> None:
    left = asyncio.Event()

    async def act(exchange: Exchange) -> None:
        google = "stream" in exchange.request.path
        exchange.start(200, [("content-type", "text/event-stream" if google else "audio/mpeg")])
        exchange.write(frame(candidate(heard(sound(0.5)), finish=None)) if google else bytes(4_000))
        await exchange.drain()
        await left.wait()
        counts = {"promptTokenCount": 5, "candidatesTokenCount": 32, "totalTokenCount": 37}
        exchange.write(frame(candidate(heard(sound(0.5)), usageMetadata=counts)) if google else bytes(4_000))
        exchange.finish()

    async with paid_house(tmp_path / "books.db", Script(act), kinds=BOTH) as paid:
        async with paid.house.open(spoken_wish(model=model), path=SPEECH) as wire:
            assert await wire.chunk()
        left.set()
        receipt = await paid.settled()
    assert receipt["charge_nanos"] == (5 * CHARACTER if model == "tts-1" else 5 * 500 + 32 * 9_000)


async def test_what_would_be_held_is_told_beforehand(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Simulator(), kinds=BOTH) as paid:
        spoken = await paid.house.ask(spoken_wish(model="tts-1"), path="/v1/estimate")
        google = await paid.house.ask(spoken_wish(), path="/v1/estimate")
        heard_for = await send(paid.house, form(recording(wav(7.3)), ("model", "whisper-1")), "/v1/estimate")
        translated = "/v1/estimate?dialect=openai_translations"
        english = await send(paid.house, form(recording(wav(7.3)), ("model", "whisper-1")), translated)
        none = await send(paid.house, form(recording(), ("model", "whisper-1"))[:-9], "/v1/estimate")
    assert spoken.json()["ceiling_nanos"] == 5 * CHARACTER
    assert spoken.json()["made_up_of"]["metered"] == {"characters": 5}
    assert google.json()["ceiling_nanos"] > 0
    assert heard_for.json()["ceiling_nanos"] == english.json()["ceiling_nanos"] == 8 * SECOND
    assert heard_for.json()["made_up_of"]["metered"] == {"seconds": 8}
    assert none.status == 400


# -- transcripts ---------------------------------------------------------------------------------------------------------


async def test_a_transcript_of_googles_is_charged_by_its_tokens(tmp_path: Path) -> None:
    counts = {
        "promptTokenCount": 70,
        "candidatesTokenCount": 4,
        "totalTokenCount": 74,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 32}, {"modality": "TEXT", "tokenCount": 38}],
    }
    async with paid_house(tmp_path / "books.db", Script(answers(says("Hello", usageMetadata=counts)))) as paid:
        receipt = await charged(paid, await send(paid.house, form(recording(), ("model", "gemini-2.5-flash"))))
    assert receipt["charge_nanos"] == 38 * 300 + 32 * 1_000 + 4 * 2_500
    assert receipt["dialect"] == "openai_transcriptions"


@pytest.mark.parametrize(("model", "rate"), [("whisper-1", SECOND), ("gpt-transcribe", SECOND_NEW)])
@pytest.mark.parametrize("format_", ["json", "text"])
@pytest.mark.parametrize(("length", "seconds"), [(0.5, 1), (2.0, 2), (7.3, 8)])
async def test_a_model_that_is_billed_by_the_second_is(
    tmp_path: Path, model: str, rate: int, format_: str, length: float, seconds: int
) -> None:
    body = form(recording(wav(length)), ("model", model), ("response_format", format_))
    async with paid_house(tmp_path / "books.db", Simulator(), kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body))
    assert receipt["charge_nanos"] == seconds * rate
    assert receipt["uses"] == {"seconds": seconds}
    assert is_marked(receipt, "estimated") == (format_ == "text"), "plain text tells nothing: the file does"


@pytest.mark.parametrize("format_", ["json", "srt", "vtt", "verbose_json"])
async def test_a_translation_is_billed_by_the_second(tmp_path: Path, format_: str) -> None:
    body = form(recording(wav(2.5)), ("model", "whisper-1"), ("response_format", format_))
    async with paid_house(tmp_path / "books.db", Simulator(), kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body, TRANSLATIONS))
    assert receipt["charge_nanos"] == 3 * SECOND
    assert is_marked(receipt, "estimated") == (format_ != "verbose_json")


async def test_tokens_of_a_transcript_are_believed(tmp_path: Path) -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 30,
        "output_tokens": 8,
        "total_tokens": 38,
        "input_token_details": {"audio_tokens": 25, "text_tokens": 5},
    }
    body = form(recording(), ("model", "gpt-4o-transcribe"))
    async with paid_house(tmp_path / "books.db", sends({"text": "Hello", "usage": usage}), kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body))
    assert receipt["usage"] == {"input_uncached": {"audio": 25, "text": 5}, "output_visible": {"text": 8}}
    assert not receipt.get("flags")


async def test_a_transcript_without_counts_is_estimated_by_the_recordings_length(tmp_path: Path) -> None:
    body = form(recording(wav(4)), ("model", "gpt-4o-transcribe"), ("response_format", "text"))
    async with paid_house(tmp_path / "books.db", sends(b"Good morning", "text/plain"), kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body))
    assert receipt["usage"] == {"input_uncached": {"audio": 40}, "output_visible": {"text": 3}}
    assert receipt["flags"] == ["estimated"]


@pytest.mark.parametrize("logprobs", [[], [{"token": "門", "logprob": -0.1, "bytes": [233, 150, 128]}]])
async def test_of_a_transcript_that_breaks_off_its_text_is_paid_for(tmp_path: Path, logprobs: list[Json]) -> None:
    """However the provider spells it, and whatever stands beside it."""
    begun = {"type": "transcript.text.delta", "delta": "門" * 40, "logprobs": logprobs}
    body = form(recording(wav(4)), ("model", "gpt-4o-transcribe"), ("stream", "true"))
    script = Script(streams_named(begun, cut=True))
    async with paid_house(tmp_path / "books.db", script, kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body))
    assert receipt["usage"] == {"input_uncached": {"audio": 40}, "output_visible": {"text": 30}}


async def test_a_transcript_without_counts_is_estimated_by_the_bytes_of_its_text(tmp_path: Path) -> None:
    body = form(recording(wav(4)), ("model", "gpt-4o-transcribe"))
    async with paid_house(tmp_path / "books.db", sends({"text": "門" * 40}), kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body))
    assert receipt["usage"] == {"input_uncached": {"audio": 40}, "output_visible": {"text": 30}}


async def test_a_recording_whose_length_cannot_be_read_is_held_for_by_its_size(tmp_path: Path) -> None:
    data = b"\x1a\x45\xdf\xa3" + bytes(39_996)
    body = form(recording(data, "a.webm", "audio/webm"), ("model", "whisper-1"), ("response_format", "text"))
    async with paid_house(tmp_path / "books.db", sends(b"Good morning", "text/plain"), kinds=BOTH) as paid:
        receipt = await charged(paid, await send(paid.house, body))
    assert (receipt["hold_nanos"], receipt["charge_nanos"]) == (40 * SECOND, 10 * SECOND)


async def test_a_call_that_cannot_be_paid_is_not_made(tmp_path: Path) -> None:
    script = Script(speaks(sound(0.1)))
    async with paid_house(tmp_path / "books.db", script, balance=10, kinds=BOTH) as paid:
        for asked in (spoken_wish(), spoken_wish(model="tts-1"), spoken_wish(model="gpt-4o-mini-tts")):
            assert (await paid.house.ask(asked, path=SPEECH)).status == 402
        for model in (HEARS, "whisper-1"):
            assert (await send(paid.house, form(recording(), ("model", model)), TRANSCRIPTIONS)).status == 402
    assert not script.requests


async def test_what_it_costs_is_told_to_who_asks(tmp_path: Path) -> None:
    async with paid_house(tmp_path / "books.db", Simulator(), kinds=BOTH) as paid:
        answer = await paid.house.ask(spoken_wish(model="tts-1"), path=SPEECH, headers={"x-portico-cost": "1"})
        receipt = await charged(paid, answer)
    assert answer.headers["x-portico-cost"] == "0.000075000"
    assert receipt["charge_nanos"] == 75_000
    assert receipt["model"] != TTS
