"""Pictures of kinds that no provider takes, as PNG; pictures that a provider made, in the format that its caller wants.

The one module that needs the imaging library, which a process loads when it sees the first such picture, and not before.
"""

import struct
from io import BytesIO
from typing import Final

from PIL import BmpImagePlugin, GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from portico.core.errors import InvalidRequest

MAX_PIXELS: Final = 40_000_000
"""The largest picture that is unpacked: some hundred bytes can stand for gigabytes."""

Image.MAX_IMAGE_PIXELS = None  # its own guard warns first and fails late; `as_png` refuses before a pixel is unpacked

_FORMATS: Final = {
    "image/gif": GifImagePlugin.GifImageFile.format,
    "image/bmp": BmpImagePlugin.BmpImageFile.format,
}
"""The one format that is looked for in a file of a type."""
_BROKEN: Final = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    struct.error,
)
"""What a decoder of pictures raises for files that are cut short or made to confuse it."""


def as_png(raw: bytes, mime: str, called: str) -> tuple[bytes, bool]:
    """The first frame, and whether there are more. `called` names the picture in errors. Raises `InvalidRequest`."""
    out = BytesIO()
    try:
        with Image.open(BytesIO(raw), formats=[_FORMATS[mime]]) as image:
            if image.width * image.height > MAX_PIXELS:
                message = f"{called} has {image.width} x {image.height} pixels; {MAX_PIXELS} are the most."
                raise InvalidRequest(message)
            image.load()
            image.save(out, "PNG")
            return out.getvalue(), getattr(image, "is_animated", False)
    except InvalidRequest:
        raise
    except _BROKEN:
        raise InvalidRequest(f"{called} cannot be read: it is broken or cut short.") from None


_MADE: Final = (
    PngImagePlugin.PngImageFile.format,
    JpegImagePlugin.JpegImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
)
"""Formats that models paint in."""
BEST: Final = 100
_WHITE: Final = (255, 255, 255)


def recoded(raw: bytes, to: str, quality: int | None) -> bytes:
    """A picture as `png`, `jpeg` or `webp`; `quality` from 0 to 100, for the latter two. Raises ValueError for what is no
    picture, or a larger one than is unpacked here."""
    out = BytesIO()
    try:
        with Image.open(BytesIO(raw), formats=_MADE) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError("too large")
            image.load()
            made = _opaque(image) if to == "jpeg" else image
            if to == "png":
                made.save(out, "PNG")
            else:
                made.save(out, to.upper(), quality=BEST if quality is None else max(1, quality))
            return out.getvalue()
    except _BROKEN as error:
        raise ValueError(f"cannot be read: {error}") from None


def _opaque(image: Image.Image) -> Image.Image:
    """On white, where it is transparent: JPEG knows no transparency."""
    if image.mode in ("RGB", "L"):
        return image
    seen = image.convert("RGBA")
    ground = Image.new("RGB", seen.size, _WHITE)
    ground.paste(seen, mask=seen.getchannel("A"))
    return ground
