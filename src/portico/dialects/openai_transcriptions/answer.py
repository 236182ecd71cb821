"""A model's transcript -> the answer to a caller, in the format asked for (mapping.md 5.4)."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import RawBody, Rendered, Reply
from portico.core.errors import UpstreamContentRefused
from portico.core.parts import text_of
from portico.core.recording import whole_seconds
from portico.core.response import FinishReason, Response
from portico.core.usage import Usage
from portico.dialects.openai.audio_usage import render_tokens
from portico.dialects.openai_transcriptions.segments import (
    DIARIZED,
    TIMED,
    Segments,
    diarized_segments,
    segments_of,
    srt_of,
    text_of_segments,
    verbose_segments,
    vtt_of,
)

PLAIN: Final = "text/plain; charset=utf-8"
VTT: Final = "text/vtt; charset=utf-8"


def render_response(response: Response, reply: Reply) -> Rendered:
    """The transcript. Raises `UpstreamContentRefused`, and `UpstreamMalformedOutput` for times that cannot be read."""
    text = _said(response)
    format_ = reply.echo["format"]
    if format_ in TIMED:
        return _timed(format_, segments_of(text, reply.echo["seconds"]), response.usage, reply.echo)
    if format_ == "text":
        return Rendered(RawBody(PLAIN, f"{text}\n".encode()))
    return Rendered({"text": text, "usage": render_tokens(response.usage)})


def _said(response: Response) -> str:
    for candidate in response.candidates:
        text = text_of(candidate.parts).strip()
        refused = candidate.finish is not None and candidate.finish.reason is FinishReason.CONTENT_FILTER
        if refused and not text:
            raise UpstreamContentRefused
        return text
    return ""


def _timed(format_: str, told: Segments, usage: Usage | None, echo: Mapping[str, Any]) -> Rendered:
    segments = told.segments
    if format_ == "srt":
        return Rendered(RawBody(PLAIN, srt_of(segments).encode()))
    if format_ == "vtt":
        return Rendered(RawBody(VTT, vtt_of(segments).encode()))
    seconds = echo["seconds"]
    duration = round(seconds if seconds is not None else max([0.0, *[one.end for one in segments]]), 3)
    body = {"task": echo["task"], "duration": duration, "text": text_of_segments(segments)}
    if format_ == DIARIZED:
        return Rendered({**body, "segments": diarized_segments(segments), "usage": render_tokens(usage)})
    counted = {**render_tokens(usage), "type": "duration", "seconds": whole_seconds(duration)}
    return Rendered({**body, "language": told.language, "segments": verbose_segments(segments, 0.0), "usage": counted})
