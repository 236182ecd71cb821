"""JSON text <-> plain Python values, with one error for everything that is not JSON.

One codec for the whole house (msgspec): integers of any size survive, `1.0` stays a float, non-ASCII text is written as
UTF-8 and not escaped, and separators are compact.
"""

from typing import Any, Final

import msgspec

_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()

read = _decoder.decode
"""`decode` of a text where many small ones are read: it raises `NOT_DECODED` for what is no JSON."""
NOT_DECODED: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What a decoder of msgspec raises for what is no JSON or, if it is typed, of another shape."""

BOM = b"\xef\xbb\xbf"


class NotJson(ValueError):
    """The text is not JSON."""


def decode(data: bytes | str) -> Any:
    """JSON text as dict, list, str, int, float, bool or None.

    Raises `NotJson` for malformed, truncated, too deeply nested or non-UTF-8 text, for lone surrogates, and for numbers
    that no double holds.
    """
    if isinstance(data, bytes) and data.startswith(BOM):
        data = data[len(BOM) :]
    try:
        return _decoder.decode(data)
    except RecursionError:
        raise NotJson("the JSON is nested too deeply") from None
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise NotJson(fault(data, error)) from None


def fault(data: bytes | str, error: Exception) -> str:
    """What a person is told of one of `NOT_DECODED`: a decoder names no place of its text where it was given none."""
    if not data.strip():
        return "it is empty"
    return "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)


def encode(value: Any) -> bytes:
    """A value as compact JSON in UTF-8. Raises `NotJson` for one that is nested too deeply to be written."""
    try:
        return _encoder.encode(value)
    except RecursionError:
        raise NotJson("the value is nested too deeply") from None


def utf8_bytes(text: str) -> int:
    """How many bytes of UTF-8 a text is; half of a pair, which is none, is three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def size_of_text(raw: bytes) -> int:
    """How many bytes of UTF-8 a text is, by the way it stands in JSON; 0 for what is none."""
    if raw[:1] != b'"':
        return 0
    if b"\\" not in raw:
        return len(raw) - len('""')
    try:
        return utf8_bytes(_decoder.decode(raw))
    except NOT_DECODED:  # half of a pair
        return len(raw) - len('""')


def size_of_member(data: bytes, name: bytes) -> int:
    """How many bytes of UTF-8 the text of a member of an object is; 0 where it is none. Nothing is read where the first of
    that name is written without a space and an escape, as texts of streams nearly all are."""
    before = b'"%s":"' % name  # in no string of JSON, where a quote has a backslash before it
    begins = data.find(before) + len(before)
    ends = data.find(b'"', begins)
    if begins >= len(before) and ends > 0 and b"\\" not in data[begins:ends]:
        return ends - begins
    try:
        value = _decoder.decode(data)
    except NOT_DECODED:
        return 0
    text = value.get(name.decode()) if isinstance(value, dict) else None
    return utf8_bytes(text) if isinstance(text, str) else 0


def dumps(value: Any) -> str:
    """A value as compact JSON text. Raises `NotJson` as `encode` does."""
    return encode(value).decode()
