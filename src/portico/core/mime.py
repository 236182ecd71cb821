"""What a piece of media is: by what it is declared, else by its name, else by its first bytes (mapping.md 1.4, 1.5).

Inline data stays base64: for its first bytes only its first few characters are decoded.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

GENERIC: Final = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download", "*/*"})
"""Declarations that say nothing."""

ALIASES: Final[Mapping[str, str]] = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
    "image/x-bmp": "image/bmp",
    "image/svg": "image/svg+xml",
    "image/tif": "image/tiff",
    "image/vnd.microsoft.icon": "image/x-icon",
    "image/ico": "image/x-icon",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-pn-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/x-aiff": "audio/aiff",
    "audio/x-aac": "audio/aac",
    "audio/aacp": "audio/aac",
    "audio/x-m4a": "audio/m4a",
    "audio/mp4a-latm": "audio/m4a",
    "audio/x-mp3": "audio/mp3",
    "audio/mpeg3": "audio/mp3",
    "audio/x-mpeg-3": "audio/mp3",
    "audio/x-mpeg": "audio/mpeg",
    "audio/x-ogg": "audio/ogg",
    "audio/x-opus+ogg": "audio/ogg",
    "audio/vorbis": "audio/ogg",
    "application/ogg": "audio/ogg",
    "video/x-msvideo": "video/avi",
    "video/msvideo": "video/avi",
    "video/x-ms-wmv": "video/wmv",
    "video/flv": "video/x-flv",
    "video/x-m4v": "video/mp4",
    "application/mp4": "video/mp4",
    "application/x-pdf": "application/pdf",
    "application/acrobat": "application/pdf",
    "application/xml": "text/xml",
    "application/xhtml+xml": "text/html",
    "application/csv": "text/csv",
    "application/x-csv": "text/csv",
    "text/comma-separated-values": "text/csv",
    "application/rtf": "text/rtf",
    "text/richtext": "text/rtf",
    "application/javascript": "text/javascript",
    "application/x-javascript": "text/javascript",
    "application/ecmascript": "text/javascript",
    "text/ecmascript": "text/javascript",
    "application/x-python": "text/x-python",
    "application/x-python-code": "text/x-python",
    "text/x-script.python": "text/x-python",
    "text/python": "text/x-python",
    "text/x-markdown": "text/markdown",
    "application/markdown": "text/markdown",
}
"""What a type is also called -> the one spelling of it (mapping.md 1.5)."""

EXTENSIONS: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "jfif": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "ico": "image/x-icon",
    "wav": "audio/wav",
    "mp3": "audio/mp3",
    "mpga": "audio/mpga",
    "aiff": "audio/aiff",
    "aif": "audio/aiff",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "flac": "audio/flac",
    "m4a": "audio/m4a",
    "opus": "audio/opus",
    "weba": "audio/webm",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpg",
    "mov": "video/quicktime",
    "avi": "video/avi",
    "flv": "video/x-flv",
    "webm": "video/webm",
    "wmv": "video/wmv",
    "3gp": "video/3gpp",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "csv": "text/csv",
    "xml": "text/xml",
    "rtf": "text/rtf",
    "js": "text/javascript",
    "mjs": "text/javascript",
    "py": "text/x-python",
    "json": "application/json",
}

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"\x00\x00\x01\x00", "image/x-icon"),
    (0, b"%PDF-", "application/pdf"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/avi"),
    (8, b"AIFF", "audio/aiff"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypM4A", "audio/m4a"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"ID3", "audio/mp3"),
    (0, b"\xff\xfb", "audio/mp3"),
    (0, b"\xff\xfa", "audio/mp3"),
    (0, b"\xff\xf3", "audio/mp3"),
    (0, b"\xff\xf2", "audio/mp3"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/wmv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
    (14, b"\x28\x00\x00\x00", "image/bmp"),  # the size of its header: "BM" in front is also how words begin
    (14, b"\x7c\x00\x00\x00", "image/bmp"),
)
_HEAD_BYTES: Final = 24


def settled_mime(
    declared: str | None, *, name: str | None = None, data: str | None = None, head: bytes | None = None
) -> str | None:
    """The type of some media: declared, else by the extension of `name` (a file name or address), else by its first
    bytes (`head`, or the base64 `data`); None when nothing tells."""
    if declared is not None:
        plain = declared.partition(";")[0].strip().lower()
        if plain not in GENERIC:
            return ALIASES.get(plain, plain if ";" not in declared else declared.strip())
    by_name = by_extension(name) if name else None
    if by_name is not None:
        return by_name
    return by_magic(head if head is not None else head_of(data or ""))


def by_extension(name: str) -> str | None:
    """The type that a file name or an address ends in."""
    _, address, rest = name.partition("://")
    path = rest.partition("?")[0].partition("#")[0].partition("/")[2] if address else name
    _, dot, extension = path.rpartition(".")
    return EXTENSIONS.get(extension.lower()) if dot else None


def by_magic(head: bytes) -> str | None:
    """The type that the first bytes show."""
    for offset, magic, mime in _MAGIC:
        if head.startswith(magic, offset):
            return mime
    return None


def plain_base64(data: str) -> str:
    """Base64 in its plain alphabet, padded: that of addresses is Google's alone to take (mapping.md 0, 1.4)."""
    if "-" not in data and "_" not in data:
        return data
    return data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4)


def head_of(data: str) -> bytes:
    """The first bytes of base64 data, in either alphabet; b"" if it is none."""
    text = data[: _HEAD_BYTES * 4 // 3].translate(_STANDARD)
    try:
        return base64.b64decode(text[: len(text) // 4 * 4], validate=True)
    except (binascii.Error, ValueError):
        return b""


_STANDARD: Final = str.maketrans("-_", "+/")
