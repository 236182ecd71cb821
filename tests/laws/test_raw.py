"""The same dialect at both ends: bytes out are bytes in, but for the declared patch.

Recordings hold parsed JSON, so each body is spelt anew as awkwardly as JSON allows: odd spacing, keys out of order, escapes
where none are needed, `1.0` for 1, integers beyond a double.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laws.corpus import Exchange, files
from laws.judge import NotThisShape, hold
from portico.wire import raw

SPACES = ["", " ", "\n", "\t ", "  \r\n"]


def awkward(value: Any, dice: random.Random) -> str:
    """A value as JSON text that means the same and looks as nobody would write it."""
    space = dice.choice(SPACES)
    if isinstance(value, dict):
        items = list(value.items())
        dice.shuffle(items)
        inside = f"{space},{space}".join(f"{awkward(k, dice)}{space}:{space}{awkward(v, dice)}" for k, v in items)
        return "{" + space + inside + space + "}"
    if isinstance(value, list):
        return "[" + space + f"{space},".join(awkward(item, dice) for item in value) + space + "]"
    if isinstance(value, str):
        return '"' + "".join(_character(character, dice) for character in value) + '"'
    if isinstance(value, int) and not isinstance(value, bool) and dice.random() < 0.3:
        return f"{value}.0" if dice.random() < 0.5 else f"{value}E0"
    return json.dumps(value)


def _character(character: str, dice: random.Random) -> str:
    if character in '"\\' or character < " " or (ord(character) <= 0xFFFF and dice.random() < 0.02):
        return f"\\u{ord(character):04x}" if dice.random() < 0.5 else json.dumps(character)[1:-1]
    return character


def spelt_awkwardly(exchange: Exchange) -> Iterator[bytes]:
    body = exchange.request
    if not isinstance(body, dict):
        raise NotThisShape
    dice = random.Random(exchange.id)
    text = awkward({**body, "big": 123456789012345678901234567890}, dice)
    yield text.encode("utf-8", "surrogatepass")
    yield ("\n  " + text + "\n").encode("utf-8", "surrogatepass")


def only_the_patch_changes(exchange: Exchange) -> None:
    for body in spelt_awkwardly(exchange):
        spans = raw.members(body)
        expected = json.loads(body)
        assert spans.keys() == expected.keys()
        for name, span in spans.items():
            assert json.loads(body[span.start : span.end]) == expected[name]
        assert raw.patch(body, {}) == body
        patched = raw.patch(body, {"model": "new-name", "stream_options": {"include_usage": True}})
        changed = {"model": "new-name", "stream_options": {"include_usage": True}}
        assert json.loads(patched) == {**expected, **changed}
        for name in expected.keys() - changed.keys():
            span, after = spans[name], raw.members(patched)[name]
            assert patched[after.start : after.end] == body[span.start : span.end]


@pytest.mark.parametrize("path", files(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_only_the_declared_patch_changes_the_bytes(path: Path) -> None:
    hold(only_the_patch_changes, path)


@pytest.mark.parametrize(
    ("body", "changes", "patched"),
    [
        (b'{"model":"a"}', {"model": "b"}, b'{"model":"b"}'),
        (
            b' { "a" : [1.0, {"model":"x"}] , "model" : "a" }\n',
            {"model": "b"},
            b' { "a" : [1.0, {"model":"x"}] , "model" : "b" }\n',
        ),
        (b"{}", {"model": "b"}, b'{"model":"b"}'),
        (b"{}", {"a": 1, "b": 2}, b'{"a":1,"b":2}'),
        (b'{"a":1}', {"model": "b"}, b'{"model":"b","a":1}'),
        (b'{"mod\\u0065l":"a"}', {"model": "b"}, b'{"mod\\u0065l":"b"}'),
        (b'{"a":"}{,:\\"","model":"a"}', {"model": "b"}, b'{"a":"}{,:\\"","model":"b"}'),
        (b'\xef\xbb\xbf {"model":"a"}', {"model": "b", "x": 1}, b'\xef\xbb\xbf {"x":1,"model":"b"}'),
    ],
)
def test_a_patch_sets_members_and_touches_nothing_else(body: bytes, changes: dict[str, Any], patched: bytes) -> None:
    assert raw.patch(body, changes) == patched
