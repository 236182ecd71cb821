"""A request of the Images API as a neutral request (mapping.md 5.2): the prompt is a user's text, pictures stand before it.

What is wrong in any provider's eyes is refused here; what only some models cannot do is left to who renders. A form says
numbers and truths as text.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

from portico.core.digits import whole
from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Where
from portico.core.mime import by_magic, settled_mime
from portico.core.parts import Media, Part, Text
from portico.core.request import Message, Picture, Request, Role, Sampling
from portico.dialects.openai.checks import object_at, string_at, take_bool, take_int, take_string, take_word, wrong_type
from portico.dialects.openai_images.bodies import File

MOST_CHARACTERS: Final = 32_000
MOST_PICTURES: Final = 10
MOST_IMAGES: Final = 16
"""Pictures that an edit may bring."""
MOST_PIXELS_A_SIDE: Final = 16_384
FORMATS: Final = ("png", "jpeg", "webp")
QUALITIES: Final = ("auto", "low", "medium", "high", "xhigh", "max", "standard", "hd")
_QUALITY: Final[Mapping[str, str | None]] = {"auto": None, "standard": None, "hd": "high"}
"""DALL-E's words, and the one that says nothing -> the neutral one."""
_SIZE: Final = re.compile(r"([1-9]\d{0,4})x([1-9]\d{0,4})")
_FIELDS: Final = {"modalities": "$.model", "messages": "$.prompt", "picture.size": "$.size"}
WHERE: Final = Where(fields=_FIELDS, message="$.prompt")
EDIT_WHERE: Final = Where(fields={**_FIELDS, "messages": "$.image"}, message="$.image")
ORIGIN: Final = "openai_images"


def parse_generation(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A body as a request. Raises `InvalidRequest`."""
    fields = dict(object_at(body, "$"))
    return _parsed(fields, (), WHERE, model, stream)


def parse_edit(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """An edit, as `read_edit` gives it. Raises `InvalidRequest`."""
    fields = dict(object_at(body, "$"))
    for name in ("n", "output_compression", "partial_images", "stream"):
        fields[name] = _of_text(fields.get(name))
    for name in ("mask", "markup"):
        if fields.pop(name, None) is not None:
            message = f"This model paints on whole pictures and takes no {name}: say in the prompt what shall change."
            raise UnsupportedParameter(message, param=f"$.{name}")
    return _parsed(fields, _images(fields), EDIT_WHERE, model, stream)


def _parsed(
    fields: dict[str, Any], images: tuple[Part, ...], where: Where, model: str | None, stream: bool | None
) -> Request:
    model = model or take_string(fields, "model")
    if not model:
        raise InvalidRequest("Missing required parameter: 'model'.", param="$.model")
    fields.pop("model", None)
    prompt = take_string(fields, "prompt")
    if not prompt:
        raise InvalidRequest("Missing required parameter: 'prompt'.", param="$.prompt")
    if len(prompt) > MOST_CHARACTERS:
        message = f"Invalid 'prompt': {len(prompt)} characters are more than {MOST_CHARACTERS}."
        raise InvalidRequest(message, param="$.prompt")
    streams = take_bool(fields, "stream")
    n = take_int(fields, "n", 1, MOST_PICTURES)
    form = take_word(fields, "response_format", ("b64_json", "url")) or "b64_json"
    partial = take_int(fields, "partial_images", 0, 3)
    quality = take_word(fields, "quality", QUALITIES)
    background = take_word(fields, "background", ("auto", "opaque", "transparent"))
    picture = Picture(
        size=_size(take_string(fields, "size")),
        quality=_QUALITY.get(quality, quality) if quality else None,
        format=_format(take_string(fields, "output_format")),
        compression=take_int(fields, "output_compression", 0, 100),
        transparent=background == "transparent",
    )
    if partial:
        fields["partial_images"] = partial
    rest = {name: value for name, value in fields.items() if value is not None}
    return Request(
        model,
        (Message(Role.USER, (*images, Text(prompt)), at=0),),
        sampling=Sampling(n=n),
        modalities=("image",),
        picture=picture,
        stream=bool(streams) if stream is None else stream,
        include_usage=True,
        echo={"response_format": form, "quality": quality or "auto"},
        ext={ORIGIN: rest} if rest else None,
        where=where,
    )


def _size(said: str | None) -> tuple[int, int] | None:
    if said is None or said == "auto":
        return None
    match = _SIZE.fullmatch(said)
    if match is None or max(int(match[1]), int(match[2])) > MOST_PIXELS_A_SIDE:
        message = f"Invalid 'size': {said[:40]!r} is not 'auto' or a width and a height such as '1536x1024'."
        raise InvalidRequest(message, param="$.size")
    return int(match[1]), int(match[2])


def _format(said: str | None) -> str | None:
    if said is None or said in FORMATS:
        return said
    if said in ("gif", "svg"):
        raise UnsupportedParameter(f"This model does not make {said}.", param="$.output_format")
    message = f"Invalid 'output_format': {said[:40]!r} is not one of {', '.join(FORMATS)}."
    raise InvalidRequest(message, param="$.output_format")


def _of_text(value: Any) -> Any:
    """A number or a truth that a form told as text; what is neither is left to be refused."""
    if not isinstance(value, str):
        return value
    number = whole(value, 9)
    if number is not None:
        return number
    return {"true": True, "false": False}.get(value.lower(), value)


# -- the pictures of an edit -----------------------------------------------------------------------------------------


def _images(fields: dict[str, Any]) -> tuple[Part, ...]:
    given = fields.pop("image", None)
    name = "image"
    if given is None and (given := fields.pop("images", None)) is not None:
        name = "images"
    if given is None or given == []:
        raise InvalidRequest("Missing required parameter: 'image'.", param="$.image")
    listed = given if isinstance(given, list) else [given]
    if len(listed) > MOST_IMAGES:
        raise InvalidRequest(
            f"Invalid '{name}': {len(listed)} pictures are more than {MOST_IMAGES}.", param=f"$.{name}"
        )
    return tuple([_image(one, f"$.{name}" if len(listed) == 1 else f"$.{name}[{at}]") for at, one in enumerate(listed)])


def _image(given: Any, path: str) -> Media:
    """A picture of a form, or one that JSON names: `{image_url}`."""
    if isinstance(given, File):
        return _of_file(given, path)
    if isinstance(given, str):
        raise InvalidRequest("Expected a file: a picture as PNG, JPEG or WebP.", param=path)
    fields = object_at(given, path)
    if fields.get("file_id") is not None:
        message = "A file of OpenAI's cannot be read by this model's provider: send the picture, or its address."
        raise UnsupportedParameter(message, param=f"{path}.file_id")
    url = fields.get("image_url")
    if url is None:
        raise wrong_type(path, "an object with 'image_url'", given)
    return _of_address(string_at(url, f"{path}.image_url"), f"{path}.image_url")


def _of_file(file: File, path: str) -> Media:
    if not file.data:
        raise InvalidRequest("The file is empty.", param=path)
    mime = by_magic(file.data[:64]) or settled_mime(file.mime, name=file.name, head=file.data[:64])
    if mime is None or not mime.startswith("image/"):
        raise InvalidRequest(f"The file is no picture{f' but {mime}' if mime else ''}.", param=path)
    return Media(mime, data=base64.b64encode(file.data).decode("ascii"), name=file.name)


def _of_address(url: str, path: str) -> Media:
    if url[:8].lower().startswith(("http://", "https://")):
        return Media(None, uri=url)
    head, comma, data = url.partition(",")
    if not (comma and head.lower().startswith("data:image/") and head.lower().endswith(";base64") and data):
        raise InvalidRequest("Expected an http(s) address, or a picture as a data URI in base64.", param=path)
    return Media(head[5:].partition(";")[0].lower(), data=data)
