"""How long a recording is, read from its container: what is billed by the second of sound, and told of it.

Of WAV, AIFF, FLAC, MP3, AAC (ADTS), Ogg (Opus, Vorbis) and MP4 the length stands in headers, or is the sum of frames.
Nothing is decoded. What cannot be read has no length (None); nor has a stream, whose header says 0. A header may lie: the
provider's own count goes before it.
"""

import math
import struct
from typing import Final

from portico.core.audio import RATE_HZ, SAMPLE_BYTES

MAX_SECONDS: Final = 7 * 24 * 3600.0
"""A header that says more is not believed."""
_ID3_BYTES: Final = 10
_SEARCHED_BYTES: Final = 65_536
"""So far it is looked for the first frame."""
_MOST_FRAMES: Final = 20_000
"""Some minutes: looking at them all would keep everybody waiting."""
_TAIL_BYTES: Final = 128
"""What a tag behind the last frame takes."""
_MP3_RATES: Final = (44_100, 48_000, 32_000)
_MP3_KBITS: Final = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""(version 1, or 2 for 2 and 2.5; layer) -> kbit/s of the indices 1 to 14 (ISO 11172-3, 13818-3)."""
_AAC_RATES: Final = (
    96_000,
    88_200,
    64_000,
    48_000,
    44_100,
    32_000,
    24_000,
    22_050,
    16_000,
    12_000,
    11_025,
    8_000,
    7_350,
)


def seconds_of(data: bytes) -> float | None:
    """The length of a recording in seconds; None if it cannot be read."""
    try:
        found = _seconds(data)
    except (struct.error, IndexError, ZeroDivisionError, OverflowError, ValueError):
        return None
    return found if found is not None and 0 < found <= MAX_SECONDS else None


def seconds_of_samples(data: bytes) -> float:
    """The length of raw 16-bit samples, 24,000 a second: what OpenAI's `pcm` is."""
    return len(data) / (RATE_HZ * SAMPLE_BYTES)


def whole_seconds(seconds: float) -> int:
    """As they are counted: every second that was begun."""
    return math.ceil(seconds - 1e-6)


def _int(form: str, data: bytes, at: int) -> int:
    """A number in a header. Raises `struct.error` where the data ends."""
    return int(struct.unpack_from(form, data, at)[0])


def _seconds(data: bytes) -> float | None:
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return _of_wav(data)
    if data[:4] == b"FORM" and data[8:12] in (b"AIFF", b"AIFC"):
        return _of_aiff(data)
    if data[:4] == b"fLaC":
        rate = int.from_bytes(data[18:21]) >> 4
        return (int.from_bytes(data[21:26]) & 0xFFFFFFFFF) / rate
    if data[:4] == b"OggS":
        return _of_ogg(data)
    if data[4:8] == b"ftyp":
        return _of_mp4(data, 0, len(data))
    at = 0
    if data[:3] == b"ID3":
        at = _ID3_BYTES + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9])
    return _of_frames(data, at)


def _of_wav(data: bytes) -> float | None:
    at, rate = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], _int("<I", data, at + 4)
        if name == b"fmt ":
            rate = _int("<I", data, at + 16)
        elif name == b"data":
            return min(size, len(data) - at - 8) / rate  # of a stream the header says more than there is
        at += 8 + size + size % 2
    return None


def _of_aiff(data: bytes) -> float | None:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], _int(">I", data, at + 4)
        if name == b"COMM":
            frames = _int(">I", data, at + 10)
            exponent, mantissa = _int(">H", data, at + 16), _int(">Q", data, at + 18)  # a float of 80 bits
            return frames / math.ldexp(mantissa, (exponent & 0x7FFF) - 16_383 - 63)
        at += 8 + size + size % 2
    return None


def _of_ogg(data: bytes) -> float | None:
    """The position that the last page tells: Opus counts 48,000 a second, Vorbis says how many."""
    last = data.rfind(b"OggS")
    position = _int("<q", data, last + 6)
    if (head := data.find(b"OpusHead", 0, 128)) >= 0:
        skipped = _int("<H", data, head + 10)
        return max(0, position - skipped) / 48_000
    if (head := data.find(b"\x01vorbis", 0, 128)) >= 0:
        rate = _int("<I", data, head + 12)
        return position / rate
    return None


def _of_mp4(data: bytes, at: int, end: int) -> float | None:
    while at + 8 <= end:
        size, name, head = _int(">I", data, at), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = _int(">Q", data, at + 8), 16
        size = size or end - at
        if size < head:
            return None
        if name == b"moov":
            return _of_mp4(data, at + head, min(end, at + size))
        if name == b"mvhd":
            at += head
            if data[at]:  # version 1 has longer numbers
                return _int(">Q", data, at + 24) / _int(">I", data, at + 20)
            return _int(">I", data, at + 16) / _int(">I", data, at + 12)
        at += size
    return None


def _of_frames(data: bytes, at: int) -> float | None:
    """MP3 or AAC: the sum of its frames, each of which says how long it is. What stands before the first is no frame, nor
    is one that no other follows. Of very many the rest is taken to be like those that were looked at."""
    stop = min(len(data), at + _SEARCHED_BYTES)
    while (at := data.find(b"\xff", at, stop)) >= 0:
        if (first := _frame(data, at)) is not None:
            after = at + first[0]
            if len(data) - _TAIL_BYTES <= after <= len(data) or _frame(data, after) is not None:
                break
        at += 1
    else:
        return None
    begin, seconds = at, 0.0
    for _ in range(_MOST_FRAMES):
        if (step := _frame(data, at)) is None:
            return seconds
        seconds, at = seconds + step[1], at + step[0]
    return seconds * max(1.0, (len(data) - begin) / (at - begin))


def _frame(data: bytes, at: int) -> tuple[int, float] | None:
    """Bytes and seconds of the frame at a place; None if there is none."""
    if at + 7 > len(data) or data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
        return None
    return _aac_frame(data, at) if data[at + 1] & 0xF6 == 0xF0 else _mp3_frame(data, at)


def _mp3_frame(data: bytes, at: int) -> tuple[int, float] | None:
    second, third = data[at + 1], data[at + 2]
    version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
    rate, kbits = third >> 2 & 3, third >> 4
    if version == 1 or layer == 4 or rate == 3 or kbits in (0, 15):
        return None
    hertz = _MP3_RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    first = version == 3
    samples = 384 if layer == 1 else 1152 if layer == 2 or first else 576
    bits = _MP3_KBITS[1 if first else 2, layer][kbits - 1] * 1000
    padding = third >> 1 & 1
    size = (12 * bits // hertz + padding) * 4 if layer == 1 else samples // 8 * bits // hertz + padding
    return size, samples / hertz


def _aac_frame(data: bytes, at: int) -> tuple[int, float] | None:
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    rate = data[at + 2] >> 2 & 15
    if size < 7 or rate >= len(_AAC_RATES):
        return None
    return size, 1024 * ((data[at + 6] & 3) + 1) / _AAC_RATES[rate]
