"""Transcripts with times: the JSON that a model is asked for, and what is made of it (JSON, SRT, WebVTT)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.errors import UpstreamMalformedOutput
from portico.core.usage import MOST
from portico.wire import jsontext

DIARIZED: Final = "diarized_json"
TIMED: Final = frozenset({"verbose_json", "srt", "vtt", DIARIZED})
"""Formats that tell when something is said."""


NO_TIMES: Final = "The model's transcript has no times that can be read."


class Segment(msgspec.Struct, frozen=True):
    """What is said from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str
    speaker: str = ""


class Segments(msgspec.Struct, frozen=True):
    segments: list[Segment]
    language: str = ""


def schema_of(format_: str) -> Mapping[str, Any]:
    """The JSON that a model is to answer."""
    number, text = {"type": "number"}, {"type": "string"}
    properties = {"start": number, "end": number, "text": text}
    if format_ == DIARIZED:
        properties["speaker"] = text
    segment = {"type": "object", "properties": properties, "required": list(properties)}
    language = {"type": "string", "description": "The language that is spoken, its English name in lower case"}
    return {
        "type": "object",
        "properties": {"language": language, "segments": {"type": "array", "items": segment}},
        "required": ["language", "segments"],
    }


def segments_of(text: str, seconds: float | None) -> Segments:
    """A model's answer, its times put in order and held to the length of the recording, where that is known.

    Raises `UpstreamMalformedOutput`.
    """
    try:
        told = msgspec.convert(jsontext.decode(text), Segments, strict=False)
    except (jsontext.NotJson, msgspec.ValidationError):
        raise UpstreamMalformedOutput(NO_TIMES) from None
    if not all(abs(time) <= MOST for one in told.segments for time in (one.start, one.end)):
        raise UpstreamMalformedOutput(NO_TIMES)
    most = seconds if seconds is not None else max([0.0, *[one.end for one in told.segments]])
    found, at = [], 0.0
    for one in told.segments:
        start = min(max(one.start, at), most)
        end = at = min(max(one.end, start), most)
        if one.text.strip():
            found.append(Segment(round(start, 3), round(end, 3), one.text.strip(), one.speaker))
    return Segments(found, told.language)


def text_of_segments(segments: Sequence[Segment]) -> str:
    return " ".join([one.text for one in segments])


def verbose_segments(segments: Sequence[Segment], temperature: float) -> list[dict[str, Any]]:
    """As Whisper tells them. What it measures and a model that listens does not is told as nothing."""
    unmeasured = {"avg_logprob": 0.0, "compression_ratio": 0.0, "no_speech_prob": 0.0}
    return [
        {
            "id": number,
            "seek": 0,
            "start": one.start,
            "end": one.end,
            "text": one.text,
            "tokens": [],
            "temperature": temperature,
            **unmeasured,
        }
        for number, one in enumerate(segments)
    ]


def diarized_segments(segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """Who says what."""
    kind = "transcript.text.segment"
    return [
        {
            "type": kind,
            "id": f"seg_{number}",
            "start": one.start,
            "end": one.end,
            "text": one.text,
            "speaker": one.speaker,
        }
        for number, one in enumerate(segments)
    ]


def srt_of(segments: Sequence[Segment]) -> str:
    """SubRip."""
    cues = [
        f"{number}\n{_clock(one.start, ',')} --> {_clock(one.end, ',')}\n{_line(one.text)}\n"
        for number, one in enumerate(segments, 1)
    ]
    return "\n".join(cues)


def vtt_of(segments: Sequence[Segment]) -> str:
    """WebVTT, in which `-->` must not stand in a text."""
    cues = [
        f"{_clock(one.start, '.')} --> {_clock(one.end, '.')}\n{_line(one.text).replace('-->', '->')}\n"
        for one in segments
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _line(text: str) -> str:
    """A text without lines that are empty: these end a cue."""
    return "\n".join([line for line in text.splitlines() if line.strip()])


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    rest, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds_left = divmod(rest, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds_left:02}{point}{milliseconds:03}"
