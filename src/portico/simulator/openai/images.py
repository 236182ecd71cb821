"""OpenAI's pictures: what is asked for at /images/generations and /images/edits, what of it is refused, and the answer.

Fields that only DALL-E had are unknown here: its models are retired. Output tokens go by quality and area, as OpenAI's
guide has them for GPT Image 1.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from portico.simulator import tokens
from portico.simulator.openai import form_data, painting
from portico.simulator.openai.common import check_picture, data_url
from portico.simulator.openai.forms import array, flag, form_of, integer, text, word
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused, invalid, missing, unknown, unsupported
from portico.simulator.refusal import Json

_QUALITIES = ("auto", "low", "medium", "high")
_FINER = ("xhigh", "max")
_FIELDS = {
    "model": text(),
    "prompt": text(least=1, most=32_000),
    "n": integer(1, 10),
    "size": text(),
    "quality": word(*_QUALITIES, *_FINER),
    "output_format": word("png", "webp", "jpeg", "gif", "svg"),
    "output_compression": integer(0, 100),
    "background": word("transparent", "opaque", "auto"),
    "stream": flag,
    "partial_images": integer(0, 3),
    "moderation": word("low", "auto"),
    "user": text(),
    "safety_identifier": text(),
}
GENERATION = form_of(_FIELDS, "prompt")
_NAMED = form_of({"image_url": text(), "file_id": text()})
EDIT = form_of(
    {
        **_FIELDS,
        "input_fidelity": word("high", "low"),
        "images": array(_NAMED, least=1, most=16),
        "mask": _NAMED,
    },
    "prompt",
)
_FIXED = ("1024x1024", "1024x1536", "1536x1024")
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
_LONGEST, _MOST_PIXELS = 3840, 3840 * 2160
_NUMBERS = ("n", "output_compression", "partial_images")
_MIMES = {"image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp"}
_PER_MEGAPIXEL = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 6240, "max": 8320}
_MEGAPIXEL = 1024 * 1024
_IMAGE_TOKENS = 323
"""What a picture of an edit is counted as, with low fidelity."""


@dataclass(frozen=True)
class Paint:
    """What is asked for, understood."""

    model: Model
    prompt: str
    width: int
    height: int
    quality: str
    form: str
    compression: int
    transparent: bool
    n: int = 1
    partial: int = 0
    images: tuple[bytes, ...] = ()
    edit: bool = False

    @property
    def each(self) -> int:
        """Output tokens of one picture."""
        return -(-_PER_MEGAPIXEL[self.quality] * self.width * self.height // _MEGAPIXEL)


# -- reading -----------------------------------------------------------------------------------------------------------


def of_form(parts: "list[form_data.Part]") -> tuple[Json, tuple[form_data.Part, ...], form_data.Part | None]:
    """The fields of a form with their types, its pictures, and its mask. Raises `Refused`."""
    body: Json = {}
    images: list[form_data.Part] = []
    mask: form_data.Part | None = None
    for part in parts:
        if part.name in ("image", "image[]"):
            images.append(_picture(part, "image"))
        elif part.name == "mask":
            mask = _picture(part, "mask")
        elif part.filename is not None:
            raise unknown(part.name)
        elif part.name in body:
            raise Refused(f"Duplicate parameter: '{part.name}'.", param=part.name, code="duplicate_parameter")
        else:
            body[part.name] = _value(part.name, part.text)
    if not images:
        raise missing("image")
    if len(images) > 16:
        raise invalid("image", f"array too long. Expected at most 16, but got {len(images)}.", "array_above_max_length")
    return body, tuple(images), mask


def _value(name: str, said: str) -> Any:
    if name in _NUMBERS and said.isdecimal():
        return int(said)
    return {"true": True, "false": False}.get(said, said) if name == "stream" else said


def _picture(part: form_data.Part, name: str) -> form_data.Part:
    """A file that is declared to be what it is: by its header, and by its bytes."""
    supported = "Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'."
    if part.content_type not in _MIMES:
        said = f"Invalid file '{name}': unsupported mimetype ('{part.content_type}'). {supported}"
        raise Refused(said, param=name, code="unsupported_file_mimetype")
    found = painting.size_of(part.data)
    if found is None or found[0] not in _MIMES.values():
        raise Refused(
            "Invalid image file or mode for image 1, please check your image file.", code="invalid_image_file"
        )
    return part


def of_names(body: Json) -> tuple[bytes, ...]:
    """The pictures of an edit in JSON. What lies behind an address is not looked at."""
    found: list[bytes] = []
    for at, one in enumerate(body.get("images") or ()):
        if (one.get("image_url") is None) is (one.get("file_id") is None):
            raise Refused("Exactly one of 'image_url' and 'file_id' must be given.", param=f"images[{at}]")
        if one.get("file_id") is not None:
            raise Refused(f"No such file object: {one['file_id']}", param=f"images[{at}].file_id", status=404)
        check_picture(one["image_url"], f"images[{at}].image_url")
        decoded = data_url(one["image_url"])
        if decoded is not None:
            found.append(decoded[1])
    if not body.get("images"):
        raise missing("images")
    return tuple(found)


# -- judging -----------------------------------------------------------------------------------------------------------


def check(body: Json, model: Model, images: tuple[bytes, ...] = (), mask: bytes | None = None, *, edit: bool) -> Paint:
    """What is to be painted. Raises `Refused` for what this model does not."""
    if not model.paints:
        said = f"The model '{model.name}' does not support image generation."
        raise Refused(said, param="model", code="invalid_value")
    quality, form = body.get("quality") or "auto", body.get("output_format") or "png"
    finer = _FINER if model.finest else ()
    if quality in _FINER and not finer:
        word(*_QUALITIES)(quality, "quality")
    if form in ("gif", "svg"):
        raise Refused(f"output_format '{form}' requires access to the preview.", param="output_format", status=403)
    compression = body.get("output_compression")
    compression = 100 if compression is None else compression
    if form == "png" and compression < 100:
        said = "Compression less than 100 is not supported for PNG output format"
        raise Refused(said, param="output_compression", code="invalid_png_output_compression")
    transparent = body.get("background") == "transparent"
    if transparent and form == "jpeg":
        said = "Transparent background is not supported for JPEG output format"
        raise Refused(said, param="background", code="invalid_value")
    fidelity = body.get("input_fidelity")
    if fidelity is not None and (model.sizes or (fidelity == "high" and "mini" in model.name)):
        raise unsupported("input_fidelity")
    if mask is not None:
        _check_mask(mask, images[0])
    width, height = _size(body.get("size") or "auto", model)
    return Paint(
        model,
        body["prompt"],
        width,
        height,
        "medium" if quality == "auto" else quality,
        form,
        compression,
        transparent,
        body.get("n") or 1,
        body.get("partial_images") or 0,
        images,
        edit,
    )


def _size(said: str, model: Model) -> tuple[int, int]:
    if said == "auto":
        return 1024, 1024
    match = _SIZE.fullmatch(said)
    if not model.sizes or match is None:
        word(*_FIXED, "auto")(said, "size")
    if match is None:
        raise ValueError(said)
    width, height = int(match[1]), int(match[2])
    if not model.sizes:
        return width, height
    if not width or not height or width % 16 or height % 16:
        raise invalid("size", f"'{said}'. Width and height must be divisible by 16.")
    if max(width, height) > 3 * min(width, height):
        raise invalid("size", f"'{said}'. The aspect ratio must be between 1:3 and 3:1.")
    if max(width, height) > _LONGEST or width * height > _MOST_PIXELS:
        raise invalid("size", f"'{said}'. The maximum supported resolution is 3840x2160.")
    return width, height


def _check_mask(mask: bytes, image: bytes) -> None:
    over, under = painting.size_of(mask), painting.size_of(image)
    if over is None or under is None or over[0] != "png" or not over[3]:
        said = "Invalid mask image format - mask must be a PNG with an alpha channel."
        raise Refused(said, param="mask", code="invalid_mask_image_format")
    if over[1:3] != under[1:3]:
        said = "Invalid mask image format - mask size does not match image size."
        raise Refused(said, param="mask", code="invalid_mask_image_format")


# -- answering ---------------------------------------------------------------------------------------------------------


def blocked() -> Refused:
    """A prompt that nothing is painted for."""
    text_ = (
        "Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com "
        "and include the request ID."
    )
    return Refused(text_, code="moderation_blocked", kind="image_generation_user_error")


def whole(paint: Paint, created: int) -> Json:
    """The answer, all pictures in it."""
    data = [{"b64_json": _base64(paint, number)} for number in range(paint.n)]
    return {"created": created, "data": data, **_as_made(paint), "usage": _usage(paint, paint.n)}


def events(paint: Paint, created: int) -> Iterator[Json]:
    """The same as a stream: pictures on the way, then the one that is done."""
    name = "image_edit" if paint.edit else "image_generation"
    for number in range(paint.n):
        for at in range(paint.partial):
            blurred = _base64(paint, number, blur=paint.partial - at)
            common = {"b64_json": blurred, "created_at": created, **_as_made(paint)}
            yield {"type": f"{name}.partial_image", **common, "partial_image_index": at}
        common = {"b64_json": _base64(paint, number), "created_at": created, **_as_made(paint)}
        yield {"type": f"{name}.completed", **common, "usage": _usage(paint, 1)}


def _as_made(paint: Paint) -> Json:
    return {
        "background": "transparent" if paint.transparent else "opaque",
        "output_format": paint.form,
        "quality": paint.quality,
        "size": f"{paint.width}x{paint.height}",
    }


def _base64(paint: Paint, number: int, *, blur: int = 0) -> str:
    words = paint.prompt if paint.n == 1 else f"{number + 1} of {paint.n}: {paint.prompt}"
    raw = painting.painted(
        words,
        paint.width,
        paint.height,
        form=paint.form,
        compression=paint.compression,
        transparent=paint.transparent,
        under=paint.images[0] if paint.images else None,
        blur=blur,
    )
    return base64.b64encode(raw).decode()


def _usage(paint: Paint, pictures: int) -> Json:
    said, seen = tokens.count(paint.prompt), len(paint.images) * _IMAGE_TOKENS
    made = pictures * (paint.each + 100 * paint.partial)
    return {
        "input_tokens": said + seen,
        "input_tokens_details": {"image_tokens": seen, "text_tokens": said},
        "output_tokens": made,
        "output_tokens_details": {"image_tokens": made, "text_tokens": 0},
        "total_tokens": said + seen + made,
    }


def without_marks(paint: Paint, words: str) -> Paint:
    """The same with a prompt that asks for no fault any more."""
    return replace(paint, prompt=words or "nothing")
