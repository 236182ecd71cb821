"""An answer that is spoken -> the bytes a caller hears, in the format asked for (mapping.md 5.3)."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from portico.core.audio import PcmShape, decoded, is_raw, shape_of
from portico.core.dialect import RawBody, Rendered, Reply
from portico.core.errors import UpstreamBadGateway, UpstreamContentRefused, UpstreamEmpty
from portico.core.mime import settled_mime
from portico.core.parts import Media
from portico.core.response import FinishReason, Response
from portico.core.speaking import FORMATS, spoken

MOST_CHANNELS: Final = 2


def render_response(response: Response, reply: Reply) -> Rendered:
    """The sound. Raises `UpstreamError` for an answer without any."""
    pieces = [part for candidate in response.candidates for part in candidate.parts if isinstance(part, Media)]
    if not pieces:
        for candidate in response.candidates:
            if candidate.finish is not None and candidate.finish.reason is FinishReason.CONTENT_FILTER:
                raise UpstreamContentRefused
        raise UpstreamEmpty("The provider's answer holds no speech.")
    format_ = format_of(reply)
    mime, sound = pieces[0].mime or "", joined(pieces)
    if not is_raw(mime):  # a finished file, which nobody here decodes
        return Rendered(RawBody(settled_mime(mime) or FORMATS[format_], sound))
    finish = partial(spoken, format_, shape=shape_in(mime))
    if format_ == "mp3":
        return Rendered(RawBody(FORMATS[format_], sound, finish))
    return Rendered(RawBody(FORMATS[format_], finish(sound)))


def format_of(reply: Reply) -> str:
    """What a caller wants to hear it in."""
    return str(reply.echo["format"])


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
