"""What a picture's first bytes say of it: its size in pixels, without decoding it.

PNG (ISO/IEC 15948), JPEG (ITU-T T.81), WebP (RFC 9649) and GIF.
"""

import base64
import binascii
import struct
from typing import Final

_HEAD_CHARACTERS: Final = 4 * 64 * 1024
"""Of base64: before its size a JPEG may have a profile and a thumbnail."""
_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})
"""JPEG's markers among those of frames that begin none."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG's markers that nothing follows."""


def size_of_base64(data: str) -> tuple[int, int] | None:
    """Width and height of an inline picture; None for what is none, or hides its size."""
    head = data[:_HEAD_CHARACTERS]
    try:
        return size_of(base64.b64decode(head[: len(head) // 4 * 4]))
    except (binascii.Error, ValueError):
        return None


def size_of(raw: bytes) -> tuple[int, int] | None:
    """The same of its bytes, of which the first some ten thousand will do."""
    try:
        if raw.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack_from(">II", raw, 16)
        if raw.startswith(b"GIF8"):
            return struct.unpack_from("<HH", raw, 6)
        if raw.startswith(b"\xff\xd8"):
            return _jpeg(raw)
        if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
            return _webp(raw)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg(raw: bytes) -> tuple[int, int] | None:
    at = 2
    while raw[at] == 0xFF:
        marker = raw[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _ALONE:
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack_from(">HH", raw, at + 5)
            return width, height
        else:
            at += 2 + struct.unpack_from(">H", raw, at + 2)[0]
    return None


def _webp(raw: bytes) -> tuple[int, int] | None:
    kind = raw[12:16]
    if kind == b"VP8X":
        return int.from_bytes(raw[24:27], "little") + 1, int.from_bytes(raw[27:30], "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", raw, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", raw, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
