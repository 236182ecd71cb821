"""JSON as people write it, with where each value stands: so that one can be exchanged and every other byte stays.

What JSON5 allows is read (comments, trailing commas, loose and single-quoted keys, its numbers), since clients read their
files with parsers of many kinds; nothing is ever written but plain JSON. What is nested deeper than
`DEEPEST` is refused.
"""

import re
from typing import Any, Final

import msgspec

from portico.clients.merge.errors import Unmergeable

DEEPEST: Final = 200

_SPACE: Final = re.compile(r"(?:[\s\ufeff]|//[^\n\r\u2028\u2029]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F]+|Infinity|NaN|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w$.])"
)
_NAME: Final = re.compile(r"(?:[^\W\d]|[$_]|\\u[0-9a-fA-F]{4})(?:[\w$\u200c\u200d]|\\u[0-9a-fA-F]{4})*")
_PLAIN: Final = {
    '"': re.compile(r'[^"\\\n\r]*'),
    "'": re.compile(r"[^'\\\n\r]*"),
}
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_WORDS: Final = {"true": True, "false": False, "null": None}
_HEX: Final = {"x": re.compile("[0-9a-fA-F]{2}"), "u": re.compile("[0-9a-fA-F]{4}")}


class Node(msgspec.Struct, frozen=True):
    """A value and where it stands: `text[start:end]`."""

    start: int
    end: int


class Scalar(Node, frozen=True):
    value: str | int | float | bool | None


class Array(Node, frozen=True):
    items: tuple[Node, ...]
    comma: bool
    """There is a comma behind the last."""


class Member(msgspec.Struct, frozen=True):
    key: str
    start: int
    """Of the key."""
    value: Node


class Object(Node, frozen=True):
    members: tuple[Member, ...]
    comma: bool

    def find(self, key: str) -> Member | None:
        """The member of that name; of several the last, which is the one that counts for whoever reads it."""
        return next((member for member in reversed(self.members) if member.key == key), None)


def read(text: str) -> Node:
    """The value that a text is. Raises `Unmergeable`."""
    reader = _Reader(text)
    node = reader.value(reader.skip(0), 0)
    if (end := reader.skip(node.end)) != len(text):
        raise reader.wrong(end, "expected the end of the file")
    return node


def skipped(text: str, place: int) -> int:
    """The next place that is neither space nor comment. Raises `Unmergeable`."""
    return _Reader(text).skip(place)


def plain(node: Node) -> Any:
    """The value as Python has it."""
    match node:
        case Scalar():
            return node.value
        case Array():
            return [plain(item) for item in node.items]
        case Object():
            return {member.key: plain(member.value) for member in node.members}
    raise TypeError(node)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def wrong(self, place: int, why: str) -> Unmergeable:
        return Unmergeable(why, self._text.count("\n", 0, place) + 1)

    def skip(self, place: int) -> int:
        """The next place that is neither space nor comment."""
        place = _after(_SPACE, self._text, place)
        if self._text.startswith("/*", place):
            raise self.wrong(place, "a comment that does not end")
        return place

    def value(self, place: int, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.wrong(place, f"nested more than {DEEPEST} deep")
        here = self._text[place : place + 1]
        if here == "{":
            return self._object(place, depth)
        if here == "[":
            return self._array(place, depth)
        if here in _PLAIN:
            value, end = self._string(place)
            return Scalar(place, end, value)
        if match := _NUMBER.match(self._text, place):
            return Scalar(place, match.end(), _number(match.group()))
        if (match := _NAME.match(self._text, place)) and match.group() in _WORDS:
            return Scalar(place, match.end(), _WORDS[match.group()])
        raise self.wrong(place, "expected a value" + (f", found {here!r}" if here else ", found the end of the file"))

    def _array(self, start: int, depth: int) -> Array:
        items: list[Node] = []
        comma = False
        place = self.skip(start + 1)
        while not self._text.startswith("]", place):
            if items and not comma:
                raise self.wrong(place, "expected a comma or ]")
            items.append(self.value(place, depth + 1))
            place, comma = self._comma(items[-1].end)
        return Array(start, place + 1, tuple(items), comma)

    def _object(self, start: int, depth: int) -> Object:
        members: list[Member] = []
        comma = False
        place = self.skip(start + 1)
        while not self._text.startswith("}", place):
            if members and not comma:
                raise self.wrong(place, "expected a comma or }")
            key, end = self._key(place)
            colon = self.skip(end)
            if not self._text.startswith(":", colon):
                raise self.wrong(colon, f"expected a colon behind the key {key!r}")
            value = self.value(self.skip(colon + 1), depth + 1)
            members.append(Member(key, place, value))
            place, comma = self._comma(value.end)
        return Object(start, place + 1, tuple(members), comma)

    def _comma(self, place: int) -> tuple[int, bool]:
        place = self.skip(place)
        return (self.skip(place + 1), True) if self._text.startswith(",", place) else (place, False)

    def _key(self, place: int) -> tuple[str, int]:
        if self._text[place : place + 1] in _PLAIN:
            return self._string(place)
        if match := _NAME.match(self._text, place):
            return re.sub(r"\\u(.{4})", lambda found: chr(int(found[1], 16)), match.group()), match.end()
        raise self.wrong(place, "expected a key")

    def _string(self, start: int) -> tuple[str, int]:
        quote = self._text[start]
        pieces: list[str] = []
        place = start + 1
        while True:
            begun, place = place, _after(_PLAIN[quote], self._text, place)
            pieces.append(self._text[begun:place])
            if self._text.startswith(quote, place):
                return _joined("".join(pieces)), place + 1
            if not self._text.startswith("\\", place):
                raise self.wrong(place, "a string that does not end in its line")
            piece, place = self._escape(place + 1)
            pieces.append(piece)

    def _escape(self, place: int) -> tuple[str, int]:
        letter = self._text[place : place + 1]
        if letter in _HEX:
            match = _HEX[letter].match(self._text, place + 1)
            if match is None:
                raise self.wrong(place, "an escape without its digits")
            return chr(int(match.group(), 16)), match.end()
        if self._text.startswith("\r\n", place):
            return "", place + 2
        if letter in ("\n", "\r", "\u2028", "\u2029"):
            return "", place + 1
        if not letter or letter in "123456789":
            raise self.wrong(place, "an escape that nobody knows")
        return _ESCAPES.get(letter, letter), place + 1


def _after(pattern: re.Pattern[str], text: str, place: int) -> int:
    """The place behind what matches there, maybe nothing."""
    match = pattern.match(text, place)
    return place if match is None else match.end()


_HALVES: Final = re.compile("([\ud800-\udbff])([\udc00-\udfff])")


def _joined(text: str) -> str:
    """With the halves of characters, as JSON escapes them, put together."""
    return _HALVES.sub(lambda pair: chr(0x10000 + ((ord(pair[1]) - 0xD800) << 10) + ord(pair[2]) - 0xDC00), text)


def _number(text: str) -> int | float:
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if digits[:2] in ("0x", "0X"):
        return sign * int(digits, 16)
    if digits.isdigit():
        return sign * (int(digits) if len(digits) < 400 else float("inf"))
    return sign * float({"Infinity": "inf", "NaN": "nan"}.get(digits, digits))
