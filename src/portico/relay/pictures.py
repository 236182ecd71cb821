"""Pictures of kinds that no provider takes, as PNG.

The one module that needs the imaging library, which a process loads when it sees the first such picture, and not before.
"""

import struct
from io import BytesIO
from typing import Final

from PIL import BmpImagePlugin, GifImagePlugin, Image

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
