"""Bodies of the Images API: JSON, and forms for edits. An edit may come as JSON too, its pictures by address.

A body is read into one object either way: of a form, each field is a text or a `File`, and those named `image`, `image[]`
or `image[0]` are one list.
"""

import re
from typing import Any, Final

import msgspec

from portico.core.errors import BodyNotJson, InvalidRequest
from portico.dialects.openai import bodies
from portico.wire import jsontext, multipart, raw

_LIST: Final = re.compile(r"(?P<name>\w+)\[\d{0,4}\]\Z")

_FILES: Final = ("image", "mask", "markup")


class File(msgspec.Struct, frozen=True):
    """A file of a form."""

    data: bytes
    name: str | None
    mime: str | None


def read_generation(body: bytes) -> Any:
    """Raises `BodyNotJson`, and `InvalidRequest` for a body that names its model twice."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    if isinstance(value, dict) and raw.says_twice(body):
        raise InvalidRequest("The parameter 'model' or 'stream' is given twice.", param="$.model")
    return value


def read_edit(body: bytes) -> Any:
    """A form, or JSON. Raises as `read_generation` does, and `InvalidRequest` for a form that cannot be read."""
    if not multipart.is_multipart(body):
        try:
            return read_generation(body)
        except BodyNotJson as error:
            message = f"The request body is neither multipart/form-data nor valid JSON: {error.message}"
            raise BodyNotJson(message) from None
    fields: dict[str, Any] = {}
    for field in bodies.fields_of(body):
        value = _value(field, body)
        listed = _LIST.match(field.name)
        name = field.name if listed is None else listed["name"]
        if name == "image":
            fields.setdefault("image", []).append(value)
        elif listed is not None:
            fields.setdefault(name, []).append(value)
        elif name in fields:
            raise InvalidRequest(f"The parameter '{name}' is given twice.", param=f"$.{name}")
        else:
            fields[name] = value
        if isinstance(value, File) and name not in _FILES:
            raise InvalidRequest(f"Invalid '{name}': expected a text, got a file.", param=f"$.{name}")
    return fields


def _value(field: multipart.Field, body: bytes) -> Any:
    if field.filename is not None:
        return File(field.value(body), field.filename, field.content_type)
    try:
        return field.value(body).decode()
    except UnicodeError:
        if field.name.partition("[")[0] in _FILES:  # some clients name no file
            return File(field.value(body), None, field.content_type)
        raise InvalidRequest(f"Invalid '{field.name}': it is not UTF-8.", param=f"$.{field.name}") from None


# -- bodies that pass ------------------------------------------------------------------------------------------------


def named(body: bytes) -> raw.Named | None:
    """What a body says of itself; None for one that has to be read to say what is wrong with it."""
    return bodies.named_form(body) if multipart.is_multipart(body) else raw.named(body)


def says_twice(body: bytes) -> bool:
    """Whether a body says twice what decides where it goes."""
    return bodies.says_twice(body) if multipart.is_multipart(body) else raw.says_twice(body)


def renamed(body: bytes, model: str) -> bytes:
    """The body with this model; nothing else of it is changed. Raises `BodyNotJson` and `InvalidRequest`."""
    return bodies.renamed_form(body, model) if multipart.is_multipart(body) else bodies.renamed_json(body, model)
