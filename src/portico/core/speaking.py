"""Raw speech -> the format that a caller wants to hear it in, at once or piece by piece as it is spoken.

WAV is a header in front of the samples; MP3 is LAME's work, which lets other threads run meanwhile. What is not here needs
an encoder that nobody has brought (AAC, Opus, FLAC).
"""

from collections.abc import Mapping
from typing import Final, Protocol

import lameenc

from portico.core.audio import PcmShape, wav_header

FORMATS: Final[Mapping[str, str]] = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
"""What speech can be told in -> the type of it, as OpenAI says them."""
DEFAULT_FORMAT: Final = "mp3"
MP3_KBITS: Final = 96
MP3_QUALITY: Final = 5
"""Of 0 (best, slowest) to 9: a minute of speech takes less than half a second."""


class Speaking(Protocol):
    """Samples in, the bytes of a format out: fed and closed."""

    def feed(self, pcm: bytes) -> bytes: ...

    def close(self) -> bytes: ...


def speaking(format_: str, shape: PcmShape) -> Speaking:
    """A machine for one stream of speech, whose length nobody knows."""
    if format_ == "mp3":
        return _Mp3(shape)
    return _AsItIs(wav_header(None, shape) if format_ == "wav" else b"")


def spoken(format_: str, pcm: bytes, shape: PcmShape) -> bytes:
    """Speech that is complete."""
    if format_ == "wav":
        return wav_header(len(pcm), shape) + pcm
    machine = speaking(format_, shape)
    return machine.feed(pcm) + machine.close()


class _AsItIs:
    """Samples behind a header, if there is one."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def feed(self, pcm: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + pcm

    def close(self) -> bytes:
        return self.feed(b"")


class _Mp3:
    """MP3 at a steady rate."""

    def __init__(self, shape: PcmShape) -> None:
        self._frame_bytes = 2 * shape.channels
        self._rest = b""
        self._encoder = lameenc.Encoder()
        self._encoder.silence()
        self._encoder.set_bit_rate(MP3_KBITS)
        self._encoder.set_in_sample_rate(shape.rate_hz)
        self._encoder.set_channels(shape.channels)
        self._encoder.set_quality(MP3_QUALITY)
        self._begun = False

    def feed(self, pcm: bytes) -> bytes:
        held = self._rest + pcm
        whole = len(held) - len(held) % self._frame_bytes
        self._rest = held[whole:]
        if not whole:
            return b""
        self._begun = True
        return bytes(self._encoder.encode(held[:whole]))

    def close(self) -> bytes:
        return bytes(self._encoder.flush()) if self._begun else b""
