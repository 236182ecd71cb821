"""Raw speech and the container that players want: a model speaks 16-bit little-endian PCM without a header.

Its MIME type says the rate (`audio/L16;codec=pcm;rate=24000`, mapping.md 2.8), and so do files that callers send as
`pcm16`, which no model takes as they are (1.4): both become WAV by 44 bytes in front.
"""

import base64
import binascii
import struct
from typing import Final

import msgspec

from portico.core.digits import whole

RAW_MIME: Final = "audio/L16;codec=pcm;rate=24000"
WAV_MIME: Final = "audio/wav"
WAV_HEADER_BYTES: Final = 44
RATE_HZ: Final = 24_000
"""What OpenAI's `pcm16` means, and what Gemini speaks."""
SAMPLE_BYTES: Final = 2
MAX_RATE_HZ: Final = 384_000
MAX_CHANNELS: Final = 8

_RAW: Final = frozenset({"audio/l16", "audio/pcm16", "audio/pcm"})
_RIFF_HEAD_BYTES: Final = 12
_CHUNK_HEAD_BYTES: Final = 8
_BLOCK_BYTES: Final = 6
"""Whole samples whose base64 needs no padding."""


class PcmShape(msgspec.Struct, frozen=True):
    """How raw samples are to be read: `rate_hz` samples a second for each channel."""

    rate_hz: int = RATE_HZ
    channels: int = 1


def is_raw(mime: str | None) -> bool:
    """Whether a type names PCM without a container."""
    return mime is not None and mime.partition(";")[0].strip().lower() in _RAW


def shape_of(mime: str) -> PcmShape:
    """The shape that the parameters of a type say (`rate`, `channels`); what they do not say is 24 kHz mono."""
    said: dict[str, int] = {}
    for parameter in mime.split(";")[1:]:
        name, _, value = parameter.partition("=")
        number = whole(value.strip().strip('"'), 6)
        if number is not None:
            said[name.strip().lower()] = number
    rate, channels = said.get("rate", RATE_HZ), said.get("channels", 1)
    return PcmShape(
        rate if 0 < rate <= MAX_RATE_HZ else RATE_HZ,
        channels if 0 < channels <= MAX_CHANNELS else 1,
    )


def wav_of(pcm: bytes, shape: PcmShape) -> bytes:
    """Samples with the header of a WAV file in front."""
    return wav_header(len(pcm), shape) + pcm


def wav_header(size_bytes: int | None, shape: PcmShape) -> bytes:
    """The header of a WAV file with so many bytes of samples; None: nobody knows yet, as players take it of a stream."""
    frame = SAMPLE_BYTES * shape.channels
    most = 0xFFFFFFFF - WAV_HEADER_BYTES
    size = most if size_bytes is None else min(size_bytes, most)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        WAV_HEADER_BYTES - _CHUNK_HEAD_BYTES + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        shape.channels,
        shape.rate_hz,
        shape.rate_hz * frame,
        frame,
        SAMPLE_BYTES * 8,
        b"data",
        size,
    )


def pcm_of(wav: bytes) -> bytes:
    """The samples of a WAV file; what is none is taken for samples."""
    if not (wav.startswith(b"RIFF") and wav[8:_RIFF_HEAD_BYTES] == b"WAVE"):
        return wav
    at = _RIFF_HEAD_BYTES
    while at + _CHUNK_HEAD_BYTES <= len(wav):
        (size,) = struct.unpack_from("<I", wav, at + 4)
        start = at + _CHUNK_HEAD_BYTES
        if wav.startswith(b"data", at):
            return wav[start : start + size]
        at = start + size + size % 2
    return b""


def decoded(data: str) -> bytes:
    """The bytes of base64 in either alphabet, padded or not, wrapped or not. Raises `ValueError` for what is none."""
    text = "".join(data.split()).translate(_STANDARD).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"it is not base64: {error}") from None


_STANDARD: Final = str.maketrans("-_", "+/")


class Base64Joiner:
    """Pieces of audio in base64 -> pieces whose base64 may be read one by one or joined as text.

    A piece that ends within three bytes is padded; text joined behind a padding is no base64. So what is over is kept for
    the next piece.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> str:
        """The base64 of what is complete; "" while nothing is."""
        held = self._rest + data
        whole = len(held) - len(held) % _BLOCK_BYTES
        self._rest = held[whole:]
        return base64.b64encode(held[:whole]).decode("ascii")

    def close(self) -> str:
        """The base64 of what is left."""
        rest, self._rest = self._rest, b""
        return base64.b64encode(rest).decode("ascii")
