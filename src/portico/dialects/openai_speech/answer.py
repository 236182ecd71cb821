"""An answer that is spoken -> the bytes a caller hears, in the format asked for (mapping.md 5.3)."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Final

from portico.core.audio import PcmShape, decoded, is_raw, shape_of
from portico.core.dialect import RawBody, Rendered, Reply
from portico.core.errors import UpstreamBadGateway, UpstreamContentRefused, UpstreamEmpty, UpstreamError
from portico.core.mime import settled_mime
from portico.core.parts import Media
from portico.core.response import FinishReason, Response
from portico.core.speaking import DEFAULT_FORMAT, FORMATS, spoken

MOST_CHANNELS: Final = 2
_SOUND: Final = re.compile(r"audio/[ -~]+")

NO_SPEECH: Final = "The provider's answer holds no speech."


def holds_speech(response: Response) -> bool:
    """Whether anything is said in an answer."""
    return bool(_pieces(response))


def lacking(response: Response) -> UpstreamError:
    """What is wrong with an answer in which nothing is."""
    for candidate in response.candidates:
        if candidate.finish is not None and candidate.finish.reason is FinishReason.CONTENT_FILTER:
            return UpstreamContentRefused()
    return UpstreamEmpty(NO_SPEECH)


def _pieces(response: Response) -> list[Media]:
    return [part for candidate in response.candidates for part in candidate.parts if isinstance(part, Media)]


def render_response(response: Response, reply: Reply) -> Rendered:
    """The sound. Raises `UpstreamError` for an answer without any."""
    pieces = _pieces(response)
    if not pieces:
        raise lacking(response)
    format_ = format_of(reply)
    mime, sound = pieces[0].mime or "", joined(pieces)
    if not is_raw(mime):
        return Rendered(RawBody(type_of(pieces[0], format_), sound))
    finish = partial(spoken, format_, shape=shape_in(mime))
    if format_ == "mp3":
        return Rendered(RawBody(FORMATS[format_], sound, finish))
    return Rendered(RawBody(FORMATS[format_], finish(sound)))


def format_of(reply: Reply) -> str:
    """What a caller wants to hear it in, where anybody has read that: of a body that passes nobody has."""
    return str(reply.echo.get("format", DEFAULT_FORMAT))


def type_of(part: Media, format_: str) -> str:
    """Of a finished file, which nobody here decodes: what it is, whatever was asked for, if it is a sound."""
    mime = settled_mime(part.mime) or ""
    return mime if _SOUND.fullmatch(mime) else FORMATS[format_]


def shape_in(mime: str) -> PcmShape:
    """How samples are to be read. Raises `UpstreamBadGateway` for what nobody speaks."""
    shape = shape_of(mime)
    if shape.channels > MOST_CHANNELS:
        raise UpstreamBadGateway(f"The provider's speech has {shape.channels} channels.")
    return shape


def joined(pieces: Iterable[Media]) -> bytes:
    """All that was said, one piece after the other. Raises `UpstreamBadGateway` for what is no base64."""
    try:
        return b"".join([decoded(part.data or "") for part in pieces])
    except ValueError as error:
        raise UpstreamBadGateway(f"The provider's speech cannot be read: {error}.") from None
