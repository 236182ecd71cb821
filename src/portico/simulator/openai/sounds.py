"""Sounds that play: a tone at 24 kHz in each format that OpenAI speaks, and how long a recording is that a caller sends.

WAV, PCM, FLAC and MP3 hold the tone. Of AAC and Opus, which nobody here encodes, the frames are of silence, and as many.
"""

import math
import struct
import zlib
from collections.abc import Iterable

import lameenc

RATE = 24_000
TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_MP3_KBITS = 160
_BLOCK = 4096
_SILENT_AAC = bytes([0x00, 0xC8, 0x00, 0x80, 0x23, 0x80])
_SILENT_OPUS = b"\xf8\xff\xfe"


def tone(seconds: float, hertz: int) -> bytes:
    """16-bit samples of one tone."""
    samples = int(seconds * RATE)
    period = [int(8_000 * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE // 20)]
    one = struct.pack(f"<{len(period)}h", *period)
    return (one * (samples // len(period) + 1))[: samples * 2]


def told(pcm: bytes, format_: str) -> bytes:
    """The samples in a format."""
    match format_:
        case "wav":
            return _wav(pcm)
        case "flac":
            return _flac(pcm)
        case "mp3":
            return _mp3(pcm)
        case "aac":
            return b"".join(_adts(_SILENT_AAC) for _ in range(math.ceil(len(pcm) / 2 / 1024)))
        case "opus":
            return _opus(len(pcm) / 2 / RATE)
    return pcm


def _wav(pcm: bytes) -> bytes:
    size = len(pcm)
    head = struct.pack("<4sI4s4sIHHII", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2)
    return head + struct.pack("<HH4sI", 2, 16, b"data", size) + pcm


def _mp3(pcm: bytes) -> bytes:
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_bit_rate(_MP3_KBITS)
    encoder.set_in_sample_rate(RATE)
    encoder.set_channels(1)
    encoder.set_quality(7)
    return bytes(encoder.encode(pcm)) + bytes(encoder.flush())


def _adts(frame: bytes) -> bytes:
    size = len(frame) + 7
    return bytes([0xFF, 0xF1, 0x40 | 6 << 2, 0x40 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC]) + frame


# -- FLAC (RFC 9639), every block as it is ---------------------------------------------------------------------------


def _flac(pcm: bytes) -> bytes:
    samples = len(pcm) // 2
    sizes = struct.pack(">HH", _BLOCK, _BLOCK) + bytes(6)
    rate = (RATE << 44 | 15 << 36 | samples).to_bytes(8)
    info = sizes + rate + bytes(16)
    blocks = [pcm[at : at + _BLOCK * 2] for at in range(0, len(pcm), _BLOCK * 2)]
    frames = b"".join(_flac_frame(number, block) for number, block in enumerate(blocks))
    return b"fLaC" + b"\x80" + len(info).to_bytes(3) + info + frames


def _flac_frame(number: int, block: bytes) -> bytes:
    samples = len(block) // 2
    place = chr(number).encode() if number < 0x80 else bytes([0xC0 | number >> 6, 0x80 | number & 0x3F])
    head = b"\xff\xf8\x77\x08" + place + struct.pack(">H", samples - 1)
    body = (
        head
        + bytes([_crc(head, 0x07, 8)])
        + b"\x02"
        + struct.pack(f">{samples}h", *struct.unpack(f"<{samples}h", block))
    )
    return body + _crc(body, 0x8005, 16).to_bytes(2)


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    table, crc, mask = _table(polynomial, bits), 0, (1 << bits) - 1
    for byte in data:
        crc = (crc << 8 & mask) ^ table[crc >> bits - 8 ^ byte]
    return crc


_TABLES: dict[tuple[int, int], list[int]] = {}


def _table(polynomial: int, bits: int) -> list[int]:
    if (polynomial, bits) not in _TABLES:
        made = []
        for byte in range(256):
            crc = byte << bits - 8
            for _ in range(8):
                crc = (crc << 1 ^ polynomial if crc >> bits - 1 else crc << 1) & (1 << bits) - 1
            made.append(crc)
        _TABLES[polynomial, bits] = made
    return _TABLES[polynomial, bits]


# -- Opus in Ogg (RFC 7845) ------------------------------------------------------------------------------------------


def _opus(seconds: float) -> bytes:
    packets = max(1, math.ceil(seconds / 0.02))
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, 1, 0, 48_000, 0, 0)
    tags = struct.pack("<8sI9sI", b"OpusTags", 9, b"simulated", 0)
    pages = [_page(0, 2, 0, [head]), _page(1, 0, 0, [tags])]
    for first in range(0, packets, 50):
        here = min(50, packets - first)
        last = first + here == packets
        pages.append(_page(len(pages), 4 if last else 0, (first + here) * 960, [_SILENT_OPUS] * here))
    return b"".join(pages)


def _page(number: int, kind: int, position: int, packets: Iterable[bytes]) -> bytes:
    held = list(packets)
    lacing = bytes(len(packet) for packet in held)
    head = struct.pack("<4sBBqII", b"OggS", 0, kind, position, 1, number)
    tail = bytes([len(lacing)]) + lacing + b"".join(held)
    return head + struct.pack("<I", _crc(head + bytes(4) + tail, 0x04C11DB7, 32)) + tail


# -- what callers send -----------------------------------------------------------------------------------------------

_MAGIC = (
    (0, b"RIFF", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (4, b"ftyp", "mp4"),
    (0, b"\x1a\x45\xdf\xa3", "webm"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xf2", "mp3"),
    (0, b"\xff\xe3", "mp3"),
)


def kind_of(data: bytes) -> str:
    """What a recording is by its first bytes; "" for what is none."""
    return next((name for at, magic, name in _MAGIC if data.startswith(magic, at)), "")


def length(data: bytes) -> float:
    """About how many seconds a recording has: exactly of plain WAV, else by its size."""
    if data[:4] == b"RIFF" and len(data) >= 44:
        bytes_a_second, size = int.from_bytes(data[28:32], "little"), int.from_bytes(data[40:44], "little")
        return min(size, len(data) - 44) / max(1, bytes_a_second)
    return len(data) / 8_000


def mark(data: bytes) -> int:
    """A number that is the recording's own."""
    return zlib.crc32(data)
