"""multipart/form-data (RFC 7578): the fields of a body, and where in it their values stand, so that one can be patched.

The boundary is read from the body itself: it begins with it.
"""

import logging
from collections.abc import Sequence
from email.message import Message as MimeHeader
from typing import TYPE_CHECKING, Final

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # what callers send wrong is told to them alone
MAX_FIELDS: Final = 256
MAX_BOUNDARY_BYTES: Final = 70
"""RFC 2046, 5.1.1."""


class NotMultipart(ValueError):
    """A body is no multipart/form-data, or is cut off."""


class Field(msgspec.Struct, frozen=True):
    """One field. `start` to `end` is its value in the body."""

    name: str
    start: int
    end: int
    filename: str | None = None
    content_type: str | None = None

    def value(self, body: bytes) -> bytes:
        return body[self.start : self.end]


def is_multipart(body: bytes) -> bool:
    """Whether a body may be one: no JSON begins so."""
    return body[:2] == b"--"


def boundary_of(body: bytes) -> bytes | None:
    """What stands before each field of a body, its two dashes included; None if the body does not begin with it."""
    first, newline, _ = body[: MAX_BOUNDARY_BYTES + 4].partition(b"\r\n")
    return first if newline and first.startswith(b"--") and len(first) > 2 else None


def fields(body: bytes) -> list[Field]:
    """The fields of a body, in order. Raises `NotMultipart`."""
    boundary = boundary_of(body)
    if boundary is None:
        raise NotMultipart("it does not begin with a boundary")
    reader = _Reader(body)
    try:
        parser = MultipartParser(boundary[2:], reader.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise NotMultipart(str(error)) from None
    if not reader.ended:
        raise NotMultipart("it is cut off")
    return reader.found


def patched(body: bytes, changes: dict[str, bytes], found: Sequence[Field]) -> bytes:
    """The body with the values of some of its fields set anew; everything else keeps its bytes."""
    for field in sorted(found, key=lambda one: -one.start):
        if field.name in changes:
            body = body[: field.start] + changes[field.name] + body[field.end :]
    return body


class _Reader:
    """Collects fields from the parser's callbacks, whose places are those of the whole body: it is fed in one piece."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.found: list[Field] = []
        self.ended = False
        self._name = b""
        self._value = b""
        self._headers: dict[str, str] = {}
        self._start: int | None = None
        self._end = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._all,
        }

    def _begin(self) -> None:
        self._headers, self._start, self._end = {}, None, 0

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name = self._name.decode("latin-1").lower()
        self._headers[name] = self._value.decode("utf-8", "replace")
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        del data
        if self._start is None:
            self._start = start
        self._end = end

    def _end_part(self) -> None:
        if len(self.found) >= MAX_FIELDS:
            raise FormParserError(f"it has more than {MAX_FIELDS} fields")
        said = MimeHeader()
        said["content-disposition"] = self._headers.get("content-disposition", "")
        name = said.get_param("name", header="content-disposition")
        if not isinstance(name, str) or not name:
            raise FormParserError("a field has no name")
        filename = said.get_filename()
        start = self._start if self._start is not None else self._empty_at()
        end = self._end if self._start is not None else start
        self.found.append(Field(name, start, end, filename, self._headers.get("content-type")))

    def _empty_at(self) -> int:
        """Where a value would stand that has no byte: behind the headers, found from the last place that is known."""
        after = self.found[-1].end if self.found else 0
        return self._body.index(b"\r\n\r\n", after) + 4

    def _all(self) -> None:
        self.ended = True
