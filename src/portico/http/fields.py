"""Header fields, from values to the text of a message head.

Both edges write their heads through `render_fields`, so that no value from a caller, a provider or a configuration can
end a header early (CR, LF, NUL), and nobody but the edge itself decides how a message is framed.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from portico.wire.http import Headers

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "upgrade"})
"""Left out of the text: the edge writes these itself."""
NOTED: Final = frozenset({"host", "accept-encoding", "user-agent", "expect"})
"""Written, and reported to the edge."""

_NOTHING: Final[Mapping[str, str]] = {}
_LEARNED_LIMIT = 1024


class _Shape(msgspec.Struct, frozen=True):
    """What follows from the names of the headers of a head, in their order."""

    lines: str
    """With a place for each value that is written."""
    written: tuple[int, ...]
    """Which values are."""
    noted: tuple[tuple[str, int], ...]
    """Lower-case name and value of what the edge has to know of."""


_shapes: dict[tuple[str, ...], _Shape] = {}


def render_fields(headers: Headers) -> tuple[str, Mapping[str, str]]:
    """The header lines as text, each ended by CRLF; and the fields the edge has to know of, by lower-case name.

    Raises `ValueError` (naming the field, never its value) for a name or a value that cannot stand in a header.
    """
    if not headers:
        return "", _NOTHING
    names, values = zip(*headers, strict=True)
    shape = _shapes.get(names)
    if shape is None:
        shape = _learn(names)
    written = shape.written
    text = shape.lines % (values if len(written) == len(values) else tuple([values[number] for number in written]))
    lines = len(written)
    if text.count("\r") != lines or text.count("\n") != lines or "\0" in text or not text.isascii():
        _blame(headers)
    return text, {name: values[number] for name, number in shape.noted} if shape.noted else _NOTHING


def _learn(names: tuple[str, ...]) -> _Shape:
    lines, written, noted = [], [], []
    for number, name in enumerate(names):
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"not a header name: {name!r}")
        lowered = name.lower()
        if lowered in FRAMING or lowered in NOTED:
            noted.append((lowered, number))
        if lowered not in FRAMING:
            lines.append(name.replace("%", "%%") + ": %s\r\n")
            written.append(number)
    shape = _Shape("".join(lines), tuple(written), tuple(noted))
    if len(_shapes) < _LEARNED_LIMIT:
        _shapes[names] = shape
    return shape


def _blame(headers: Headers) -> None:
    for name, value in headers:
        if any(character in value for character in "\r\n\0") or any(ord(character) > 255 for character in value):
            raise ValueError(f"the value of header {name!r} cannot stand in a header")


class _StatusLines(dict[int, str]):
    """Of every status, also of those that have no phrase."""

    def __missing__(self, status: int) -> str:
        return f"HTTP/1.1 {status} \r\n"


STATUS_LINES: Final = _StatusLines({one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n" for one in HTTPStatus})


KNOWN_NAMES: Final[dict[bytes, str]] = {}
"""Names of received headers, as they came -> in lower case; the common ones."""


def _lower(raw: bytes) -> str:
    name = raw.decode("latin-1").lower()
    if len(KNOWN_NAMES) < _LEARNED_LIMIT and len(raw) <= 64:
        KNOWN_NAMES[raw] = name
    return name


def add_field(headers: dict[str, str], raw_name: bytes, raw_value: bytes) -> str:
    """Puts a received field into `headers`, joined to an earlier one of its name; returns the lower-case name."""
    name = KNOWN_NAMES.get(raw_name) or _lower(raw_name)
    value = raw_value.decode("latin-1")
    if value and value[-1] in " \t":
        value = value.rstrip(" \t")
    if name in headers:
        value = headers[name] + ("; " if name == "cookie" else ", ") + value
    headers[name] = value
    return name
