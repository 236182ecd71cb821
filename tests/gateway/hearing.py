"""Recordings and forms as callers send them, written plainly, so that they share no code with what they test."""

import base64
import io
import json
import math
import struct
import wave
from typing import Any

from gateway.house import Act, Answer, House, Json, answers, candidate

TTS = "gemini-3.8-flash-tts"
HEARS = "gemini-3.5-flash"
SPEECH, TRANSCRIPTIONS, TRANSLATIONS = "/v1/audio/speech", "/v1/audio/transcriptions", "/v1/audio/translations"
BOUNDARY = "----portico-form"
RATE = 24_000


def samples(seconds: float, hertz: int = 440) -> bytes:
    """16-bit samples at 24 kHz."""
    count = round(seconds * RATE)
    return struct.pack(f"<{count}h", *[int(9_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(count)])


def wav(seconds: float = 1.0, hertz: int = 440) -> bytes:
    """A WAV file of that many seconds, as Python writes it."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples(seconds, hertz))
    return held.getvalue()


def seconds_in(data: bytes) -> float:
    """How long a WAV file is, as Python reads it."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        assert len(file.readframes(10**9)) == file.getnframes() * 2
        return float(file.getnframes() / RATE)


def form(*fields: tuple[str, Any], end: bytes = b"--\r\n") -> bytes:
    """A form; a file is (name, (file name, type, bytes))."""
    out = b""
    for name, value in fields:
        head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"'
        if isinstance(value, tuple):
            filename, content_type, data = value
            head += f'; filename="{filename}"' + (f"\r\ncontent-type: {content_type}" if content_type else "")
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
        out += f"{head}\r\n\r\n".encode() + data + b"\r\n"
    return out + f"--{BOUNDARY}".encode() + end


def recording(data: bytes | None = None, name: str = "a.wav", content_type: str = "audio/wav") -> tuple[str, Any]:
    return "file", (name, content_type, wav() if data is None else data)


async def send(house: House, body: bytes, path: str = TRANSCRIPTIONS, **more: str) -> Answer:
    """A form as clients send it."""
    return await house.ask(
        body, path=path, headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}", **more}
    )


async def transcribe(house: House, *fields: tuple[str, Any], path: str = TRANSCRIPTIONS, model: str = HEARS) -> Answer:
    return await send(house, form(recording(), ("model", model), *fields), path)


def spoken_wish(**more: Any) -> Json:
    """The smallest request for speech, and what a test adds to it."""
    return {"model": TTS, "input": "Hello", "voice": "alloy", **more}


def events_in(answer: Answer) -> list[Json]:
    """What a stream tells; comments are passed over. An error has a name, and nothing else has."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("text/event-stream")
    told: list[Json] = []
    for block in answer.body.decode().split("\n\n"):
        name, _, data = block.rpartition("data: ")
        if data and not block.startswith(":"):
            told.append(json.loads(data))
            assert name == ("event: error\n" if told[-1]["type"] == "error" else "")
    return told


async def speak(house: House, **more: Any) -> Answer:
    return await house.ask(spoken_wish(**more), path=SPEECH)


def heard(pcm: bytes, mime: str = "audio/L16;codec=pcm;rate=24000") -> Json:
    """A part of Google's that holds sound."""
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(pcm).decode()}}


def speaks(*pieces: bytes, **more: Any) -> Act:
    """An answer of Google's that is spoken, and what it is counted as."""
    counts = {
        "promptTokenCount": 5,
        "candidatesTokenCount": 32,
        "totalTokenCount": 37,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 5}],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 32}],
    }
    return answers(candidate(*[heard(pcm) for pcm in pieces], usageMetadata=counts, **more))
