"""How a picture that was asked for in pixels is asked of a model that knows shapes and classes of size (mapping.md 5.2).

The shape is the nearest by the ratio of the sides, the class by the area. What is then not as it was asked is told as a
loss: pictures come in the model's own pixels.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from portico.core.errors import UnsupportedParameter
from portico.core.loss import Loss, Where
from portico.core.request import Picture
from portico.core.target import Target

_CLASSES: Final = ((768, "512"), (1536, "1K"), (3072, "2K"), (math.inf, "4K"))
"""Below this root of the area -> the class."""
_SIDES: Final = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
_FINER: Final = "2K"
"""What a high quality is where there are classes of size (5.2)."""
_FINE: Final = ("high", "xhigh", "max")
_VERTEX_MAKES: Final = ("png", "jpeg")


def settle_picture(picture: Picture, where: Where, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    """imageConfig for a picture. Raises `UnsupportedParameter` for a background that no model of Google's leaves out."""
    if picture.transparent:
        message = f"{target.model} paints no transparent background."
        raise UnsupportedParameter(message, param=where.field("background"))
    able = target.capabilities
    wanted: dict[str, Any] = {}
    if picture.size is not None:
        if able.aspect_ratios:
            wanted["aspectRatio"] = nearest(picture.size, able.aspect_ratios)
        if able.image_sizes:
            wanted["imageSize"] = _class_of(picture.size, able.image_sizes)
        if not _is_exact(picture.size, wanted.get("imageSize", "1K")):
            said = " at ".join([str(word) for word in wanted.values()]) or "a size of its own"
            message = f"{target.model} paints {said}, the nearest to {picture.size[0]}x{picture.size[1]} pixels"
            losses.append(Loss("5.2:size", where.field("size"), message))
    if picture.quality in _FINE and picture.size is None and _FINER in able.image_sizes:
        wanted["imageSize"] = _FINER
    elif picture.quality is not None:
        stands = picture.quality in _FINE and picture.size is not None and _FINER in able.image_sizes
        message = f"{target.model} has no setting for quality" + (" but a larger size" if stands else "")
        losses.append(Loss("5.2:quality", where.field("quality"), message))
    if target.provider_kind == "vertex" and picture.format in _VERTEX_MAKES:
        wanted["imageOutputOptions"] = _output(picture)
    if picture.compression not in (None, 100) and picture.format not in ("jpeg", "webp"):
        message = "only jpeg and webp are compressed further"
        losses.append(Loss("5.2:compression", where.field("output_compression"), message))
    if wanted:
        config["imageConfig"] = {**config.get("imageConfig", {}), **wanted}


def nearest(size: tuple[int, int], ratios: Sequence[str]) -> str:
    """The ratio whose logarithm is nearest to that of a size: 2:1 is as far from 1:1 as 1:2."""
    wanted = math.log(size[0] / size[1])
    return min(ratios, key=lambda ratio: abs(math.log(_ratio(ratio)) - wanted))


def _ratio(said: str) -> float:
    width, _, height = said.partition(":")
    return int(width) / int(height)


def _class_of(size: tuple[int, int], classes: Sequence[str]) -> str:
    """The class of a size; the nearest of those there are."""
    side = math.sqrt(size[0] * size[1])
    wanted = next(name for below, name in _CLASSES if side < below)
    return min(classes, key=lambda one: abs(math.log2(_SIDES.get(one, 1024) / _SIDES[wanted])))


def _is_exact(size: tuple[int, int], of_class: str) -> bool:
    return size[0] == size[1] == _SIDES.get(of_class)


def _output(picture: Picture) -> dict[str, Any]:
    options: dict[str, Any] = {"mimeType": f"image/{picture.format}"}
    if picture.format == "jpeg" and picture.compression is not None:
        options["compressionQuality"] = picture.compression
    return options
