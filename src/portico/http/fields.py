"""Header fields, from values to the text of a message head.

Both edges write their heads through `render_fields`, so that no value from a caller, a provider or a configuration can
end a header early (CR, LF, NUL), and nobody but the edge itself decides how a message is framed.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from portico.wire.http import Headers

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

FRAMING: Final = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive", "upgrade"})
"""Left out of the text: the edge writes these itself."""
NOTED: Final = frozenset({"host", "accept-encoding", "user-agent", "expect"})
"""Written, and reported to the edge."""

_NOTHING: Final[Mapping[str, str]] = {}
_LEARNED_LIMIT = 1024
_special: dict[str, str | None] = {}
"""Header names already checked: the lower-case name if it is FRAMING or NOTED, else None."""


def render_fields(headers: Headers) -> tuple[str, Mapping[str, str]]:
    """The header lines as text, each ended by CRLF; and the fields the edge has to know of, by lower-case name.

    Raises `ValueError` (naming the field, never its value) for a name or a value that cannot stand in a header.
    """
    lines = []
    noted = _NOTHING
    for name, value in headers:
        try:
            special = _special[name]
        except KeyError:
            special = _learn(name)
        if special is not None:
            if noted is _NOTHING:
                noted = {}
            noted[special] = value  # type: ignore[index]
            if special in FRAMING:
                continue
        lines.append(f"{name}: {value}\r\n")
    text = "".join(lines)
    if text.count("\r") != len(lines) or text.count("\n") != len(lines) or "\0" in text or not text.isascii():
        _blame(headers)
    return text, noted


def _learn(name: str) -> str | None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"not a header name: {name!r}")
    lowered = name.lower()
    special = lowered if lowered in FRAMING or lowered in NOTED else None
    if len(_special) < _LEARNED_LIMIT:
        _special[name] = special
    return special


def _blame(headers: Headers) -> None:
    for name, value in headers:
        if any(character in value for character in "\r\n\0") or any(ord(character) > 255 for character in value):
            raise ValueError(f"the value of header {name!r} cannot stand in a header")


_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def status_line(status: int) -> str:
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"


_names: dict[bytes, str] = {}


def lower_name(raw: bytes) -> str:
    """A received header name in lower case; the common ones are remembered."""
    name = _names.get(raw)
    if name is None:
        name = raw.decode("latin-1").lower()
        if len(_names) < _LEARNED_LIMIT and len(raw) <= 64:
            _names[raw] = name
    return name


def add_field(headers: dict[str, str], raw_name: bytes, raw_value: bytes) -> str:
    """Puts a received field into `headers`, joined to an earlier one of its name; returns the lower-case name."""
    name = lower_name(raw_name)
    value = raw_value.decode("latin-1")
    if value and value[-1] in " \t":
        value = value.rstrip(" \t")
    if name in headers:
        value = headers[name] + ("; " if name == "cookie" else ", ") + value
    headers[name] = value
    return name
