"""Pictures as they are asked for: of that size, in that format, with the words of the prompt on them.

The only module of the simulator that needs the imaging library; it is loaded when the first picture is painted.
"""

import hashlib
from functools import cache
from io import BytesIO
from textwrap import wrap

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

_LINE = 24
"""Characters of the prompt on a line."""
_LINES = 4


def size_of(raw: bytes) -> tuple[str, int, int, bool] | None:
    """Format, width, height, and whether there is an alpha channel; None for what no decoder opens."""
    try:
        with Image.open(BytesIO(raw)) as image:
            image.load()
            return (image.format or "").lower(), image.width, image.height, image.mode in ("RGBA", "LA", "PA")
    except (OSError, ValueError, SyntaxError):
        return None


def painted(
    words: str,
    width: int,
    height: int,
    *,
    form: str = "png",
    compression: int = 100,
    transparent: bool = False,
    under: bytes | None = None,
    blur: int = 0,
) -> bytes:
    """A picture of these words. `under` is one that it is painted over; `blur`: how far from done it is."""
    image = _ground(words, width, height) if under is None else _tinted(under, words, width, height)
    _write(image, words, above=under is None)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur * max(width, height) / 200))
    if transparent:
        image.putalpha(_disc(width, height))
    out = BytesIO()
    if form == "png":
        image.save(out, "PNG", compress_level=1)
    else:
        image.save(out, form.upper(), quality=max(1, compression))
    return out.getvalue()


def _colours(words: str) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    dice = hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()
    return (dice[0], dice[1], dice[2]), (255 - dice[0], 255 - dice[1], dice[3])


def _ground(words: str, width: int, height: int) -> Image.Image:
    """From one colour to another, and a disc."""
    first, second = _colours(words)
    ramp = Image.linear_gradient("L").resize((width, height))
    image = Image.composite(Image.new("RGB", (width, height), second), Image.new("RGB", (width, height), first), ramp)
    side = min(width, height) // 3
    at = (width // 2 - side, height // 2 - side, width // 2 + side, height // 2 + side)
    ImageDraw.Draw(image).ellipse(at, fill=tuple([(a + b) // 2 for a, b in zip(first, second, strict=True)]))
    return image


def _tinted(under: bytes, words: str, width: int, height: int) -> Image.Image:
    with Image.open(BytesIO(under)) as given:
        image = given.convert("RGB").resize((width, height))
    return ImageChops.blend(image, Image.new("RGB", (width, height), _colours(words)[0]), 0.3)


def _write(image: Image.Image, words: str, *, above: bool) -> None:
    """The words at the head of a picture, or at its foot, so that those of one that was painted over can be read."""
    lines = ["[simulated]", *wrap(words[: _LINE * _LINES], _LINE)[:_LINES]]
    size = max(8, min(image.width // 18, image.height // (3 * _LINES)))
    top = image.height // 16 if above else image.height - size * (len(lines) + 1) * 5 // 4
    at, draw = (image.width // 16, top), ImageDraw.Draw(image)
    draw.multiline_text(at, "\n".join(lines), fill="white", font=_font(size), stroke_width=1)


@cache
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _disc(width: int, height: int) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    ImageDraw.Draw(mask).ellipse((0, 0, width, height), fill=255)
    return mask
