"""Patching a JSON body without rewriting it.

Between two ends of one dialect the bytes pass untouched but for a declared patch (the model's name, `stream_options`).
So the body is scanned, not parsed: spacing, key order, escapes, `1.0` and big integers outside the patch stay as they
are, and inline base64 is stepped over at the speed of a regular expression.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from portico.wire import jsontext

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)
_SPACE: Final = b" \t\r\n"
_T = TypeVar("_T")


class Named(msgspec.Struct):
    """What a body says of itself at its top, where its dialect puts that into the body."""

    model: str
    stream: bool | None = None


_named: Final = msgspec.json.Decoder(Named)


def named(body: bytes) -> Named | None:
    """What a body that is one JSON object says of itself; the rest of it is only checked to be JSON. None for a body that
    says it otherwise, or is none: whoever reads all of it says what is wrong."""
    try:
        return _named.decode(body.removeprefix(jsontext.BOM))
    except jsontext.NOT_DECODED:
        return None


COMMON_WORDS: Final = ("prompt_cache_key", "user", "safety_identifier")
"""Members in which a caller says what its calls have in common, the first of them that says something counts."""


class _InCommon(msgspec.Struct):
    """Those members, and Anthropic's `metadata.user_id`: whatever they hold, which is looked at only afterwards."""

    prompt_cache_key: msgspec.Raw = msgspec.Raw()
    user: msgspec.Raw = msgspec.Raw()
    safety_identifier: msgspec.Raw = msgspec.Raw()
    metadata: msgspec.Raw = msgspec.Raw()


class _Metadata(msgspec.Struct):
    user_id: str = ""


_in_common: Final = msgspec.json.Decoder(_InCommon)
_word: Final = msgspec.json.Decoder(str)
_metadata: Final = msgspec.json.Decoder(_Metadata)


def word_in_common(body: bytes) -> str:
    """What the caller of a body that nobody has read says its calls have in common; "" for nothing, for what is no word,
    and for a body that is broken: neither is anybody's fault yet."""
    try:
        said = _in_common.decode(body.removeprefix(jsontext.BOM))
    except jsontext.NOT_DECODED:
        return ""
    for name in COMMON_WORDS:
        if word := _decoded(_word, getattr(said, name)):
            return word
    metadata = _decoded(_metadata, said.metadata)
    return "" if metadata is None else metadata.user_id


def _decoded(decoder: msgspec.json.Decoder[_T], value: msgspec.Raw) -> _T | None:
    if not value:
        return None
    try:
        return decoder.decode(value)
    except jsontext.NOT_DECODED:
        return None


_DECIDING: Final = ("model", "stream")
_QUOTED: Final = tuple([f'"{name}"'.encode() for name in _DECIDING])
_SPELT_OUT: Final = re.compile(rb"\\u00[2-7]")
"""A character of a name written as an escape: a name could be hidden by it."""


def says_twice(body: bytes) -> bool:
    """Whether what decides where a call goes comes twice in a body: who reads it next might believe the other one. The body
    must be one JSON object already."""
    once = all(body.count(name) <= 1 for name in _QUOTED)
    if once and not (b"\\u00" in body and _SPELT_OUT.search(body)):
        return False
    names = [name for name, _ in each_member(body) if name in _DECIDING]
    return len(names) > len(set(names))


class Span:
    """Where a member of an object stands: `start` to `end` is its value; `member_start` its name's quote."""

    __slots__ = ("end", "member_start", "start")

    def __init__(self, member_start: int, start: int, end: int) -> None:
        self.member_start = member_start
        self.start = start
        self.end = end


def members(body: bytes) -> dict[str, Span]:
    """The members of a body that is one JSON object; of a name that comes twice the last, as parsers have it.

    Only the structure is read: the body must be valid JSON already. Raises `NotJson` if it is no object.
    """
    return dict(each_member(body))


def each_member(body: bytes) -> Iterator[tuple[str, Span]]:
    """The same in the order they stand, a name that comes twice twice."""
    stripped = body.removeprefix(jsontext.BOM).lstrip(_SPACE)
    if not stripped.startswith(b"{"):
        raise jsontext.NotJson("the body is not a JSON object")
    depth = 0
    name: tuple[str, int] | None = None
    value_from: int | None = None
    for token in _TOKEN.finditer(body, len(body) - len(stripped)):
        first = body[token.start()]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
            if depth == 0:
                if name is not None and value_from is not None:
                    yield name[0], _span(body, name[1], value_from, token.start())
                return
        elif depth == 1:
            if first == 0x22 and value_from is None:
                name = (str(jsontext.decode(token.group())), token.start())
            elif first == 0x3A and value_from is None:
                value_from = token.end()
            elif first == 0x2C:
                if name is not None and value_from is not None:
                    yield name[0], _span(body, name[1], value_from, token.start())
                name, value_from = None, None
    raise jsontext.NotJson("the body is cut off")


def _span(body: bytes, member_start: int, value_from: int, stop: int) -> Span:
    value = body[value_from:stop]
    start = value_from + len(value) - len(value.lstrip(_SPACE))
    end = stop - (len(value) - len(value.rstrip(_SPACE)))
    return Span(member_start, start, end)


def items(body: bytes) -> list[tuple[int, int]]:
    """Where the items of a body that is one JSON array stand, as (start, end).

    Only the structure is read: the body must be valid JSON already. Raises `NotJson` if it is no array.
    """
    stripped = body.lstrip(_SPACE)
    if not stripped.startswith(b"["):
        raise jsontext.NotJson("the body is not a JSON array")
    found: list[tuple[int, int]] = []
    depth = 0
    start = 0
    for token in _TOKEN.finditer(body, len(body) - len(stripped)):
        first = body[token.start()]
        if first in b"{[":
            depth += 1
            if depth == 1:
                start = token.end()
        elif first in b"}]":
            depth -= 1
        if depth == 0 or (depth == 1 and first == 0x2C):
            item = body[start : token.start()]
            if item.strip(_SPACE):
                found.append((token.start() - len(item.lstrip(_SPACE)), start + len(item.rstrip(_SPACE))))
            start = token.end()
            if depth == 0:
                return found
    raise jsontext.NotJson("the body is cut off")


_BEGINS: Final = re.compile(rb"[ \t\r\n]*\{")
_ENDS: Final = re.compile(rb"[ \t\r\n]*\}")


def _holds_none_of(body: bytes, names: Iterable[str]) -> bool:
    """Whether an object has none of these members, nor anything below it: that is seen without a look at its structure."""
    if _BEGINS.match(body) is None or (b"\\u00" in body and _SPELT_OUT.search(body)):
        return False
    return not any(f'"{name}"'.encode() in body for name in names)


def patch(body: bytes, changes: Mapping[str, object]) -> bytes:
    """The body with top-level members set to new values; what is not there is added at its head.

    Everything else keeps its bytes. Raises `NotJson` if the body is no object.
    """
    spans = {} if _holds_none_of(body, changes) else members(body)
    edits = [
        (spans[name].start, spans[name].end, jsontext.encode(value)) for name, value in changes.items() if name in spans
    ]
    added = [
        jsontext.encode(name) + b":" + jsontext.encode(value) for name, value in changes.items() if name not in spans
    ]
    if added:
        head = body.index(b"{") + 1
        edits.append((head, head, b",".join(added) + (b"" if _ENDS.match(body, head) else b",")))
    for start, end, encoded in sorted(edits, reverse=True):
        body = body[:start] + encoded + body[end:]
    return body
