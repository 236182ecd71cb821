"""The form that a recording comes in, read field by field: each once, lists (`include[]`) as often as they like."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from portico.core.errors import InvalidRequest
from portico.dialects.openai.bodies import fields_of

FILE: Final = "file"
LISTS: Final = frozenset(
    {"include", "keywords", "languages", "known_speaker_names", "known_speaker_references", "timestamp_granularities"}
)


class Upload(msgspec.Struct, frozen=True):
    """A file of a form."""

    data: bytes
    name: str | None = None
    content_type: str | None = None


Form: TypeAlias = Mapping[str, "str | list[str] | Upload"]


def read_form(body: bytes) -> Form:
    """The fields of a form by their names, `[]` left out. Raises `InvalidRequest`."""
    form: dict[str, str | list[str] | Upload] = {}
    for field in fields_of(body):
        name = field.name.removesuffix("[]")
        path = f"$.{name}"
        value = field.value(body)
        if name == FILE:
            _once(form, name)
            form[name] = Upload(value, field.filename, field.content_type)
            continue
        try:
            text = value.decode()
        except UnicodeError:
            raise InvalidRequest(f"Invalid '{name}': it is not UTF-8.", param=path) from None
        if name in LISTS:
            listed = form.setdefault(name, [])
            if isinstance(listed, list):
                listed.append(text)
            continue
        _once(form, name)
        form[name] = text
    return form


def _once(form: Form, name: str) -> None:
    if name in form:
        raise InvalidRequest(f"The field '{name}' is given twice.", param=f"$.{name}")
