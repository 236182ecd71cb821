"""Small real media: a PNG any decoder opens, and PCM any player plays."""

import base64
import hashlib
import math
import struct
import zlib
from collections.abc import Sequence

from portico.simulator.refusal import Json

IMAGE_TOKENS = 1290
_SIDE = 32
_RATE = 24_000
_BAR = b"\x1f\x77\xb4"


def picture(about: str) -> Json:
    """inlineData with a PNG of 32 by 32 pixels, its colours taken from `about`."""
    red, green, blue = hashlib.sha256(about.encode("utf-8", "surrogatepass")).digest()[:3]
    rows = [b"".join(bytes((red ^ x * 4, green ^ y * 4, blue)) for x in range(_SIDE)) for y in range(_SIDE)]
    return _png(rows)


def chart(values: Sequence[float]) -> Json:
    """inlineData with a PNG of one bar for each value, the highest as high as the picture."""
    highest = max((abs(value) for value in values), default=0) or 1
    heights = [round(_SIDE * abs(value) / highest) for value in values]
    bar, gap = _BAR * 6, b"\xff" * 6
    rows = [
        b"".join((bar if height >= _SIDE - y else b"\xff" * len(bar)) + gap for height in heights) for y in range(_SIDE)
    ]
    return _png(rows)


def _png(rows: Sequence[bytes]) -> Json:
    """The rows (three bytes a pixel, from the top) as inlineData."""
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    png = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return {"mimeType": "image/png", "data": base64.b64encode(png).decode()}


def speech(words: str) -> tuple[Json, int]:
    """inlineData with 16-bit mono PCM at 24 kHz, and the tokens it costs (32 a second)."""
    seconds = min(10.0, 0.1 + len(words) * 0.01)
    samples = int(seconds * _RATE)
    tone = [int(8_000 * math.sin(2 * math.pi * 440 * n / _RATE)) for n in range(_RATE // 40)]  # 11 whole periods
    data = struct.pack(f"<{len(tone)}h", *tone) * math.ceil(samples / len(tone))
    blob = {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.b64encode(data[: samples * 2]).decode()}
    return blob, math.ceil(seconds * 32)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
