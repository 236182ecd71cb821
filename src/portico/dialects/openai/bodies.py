"""Bodies of OpenAI's operations that pass: JSON or forms, of which only the model's name is changed.

A form names each of its fields once, but for lists (`include[]`); what decides where a call goes must not come twice, for
who reads it next might believe the other one.
"""

from collections.abc import Sequence
from typing import Final

from portico.core.errors import BodyNotJson, InvalidRequest
from portico.wire import jsontext, multipart, raw

_TRUE: Final = frozenset({b"true", b"True", b"1"})


def renamed_json(body: bytes, model: str) -> bytes:
    """A JSON body with this model at its top. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
        if isinstance(value, dict) and value.get("model") == model:
            return body
        return raw.patch(body, {"model": model})
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None


def fields_of(body: bytes) -> list[multipart.Field]:
    """The fields of a form. Raises `InvalidRequest` for a body that is none."""
    try:
        return multipart.fields(body)
    except multipart.NotMultipart as error:
        raise InvalidRequest(f"The request body is not multipart/form-data: {error}.") from None


def renamed_form(body: bytes, model: str) -> bytes:
    """A form with this model. Raises `InvalidRequest`."""
    return multipart.patched(body, {"model": model.encode()}, fields_of(body))


def named_form(body: bytes) -> raw.Named | None:
    """What a form says of itself; None for one that has to be read to say what is wrong with it."""
    try:
        found = multipart.fields(body)
    except multipart.NotMultipart:
        return None
    model = text_of(found, body, "model")
    if not model:
        return None
    return raw.Named(model, asks_to_stream(found, body))


def says_twice(body: bytes) -> bool:
    """Whether a form names its model twice, or says twice whether it is a stream."""
    names = [field.name for field in fields_of(body) if field.name in ("model", "stream")]
    return len(names) > len(set(names))


def text_of(found: Sequence[multipart.Field], body: bytes, name: str) -> str | None:
    """The value of a field as text, the first of its name; None if it is not there, or no UTF-8."""
    for field in found:
        if field.name == name:
            try:
                return field.value(body).decode()
            except UnicodeError:
                return None
    return None


def asks_to_stream(found: Sequence[multipart.Field], body: bytes) -> bool:
    return any(field.name == "stream" and field.value(body) in _TRUE for field in found)
