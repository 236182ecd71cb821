"""Tokens of a request, and which of them a cache already had.

What is read counts as the simulator counts everywhere: four bytes of UTF-8 a token, a flat price for media. A prefix of the
prompt that was marked with `cache_control` is remembered for its time to live, for the key and the model it was asked with.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from portico.simulator import tokens
from portico.simulator.anthropic.conversation import blocks_of
from portico.simulator.anthropic.models import Model
from portico.simulator.refusal import Json
from portico.simulator.signatures import canonical

_IMAGE, _PAGES, _TOOLS_PROMPT, _EACH = 1600, 3000, 346, 3
_REMEMBERED = 10_000
_LIVES_S = {"5m": 300.0, "1h": 3600.0}
_UNREAD = {"type", "cache_control", "id", "tool_use_id", "signature", "data", "encrypted_content", "encrypted_index"}


@dataclass(frozen=True)
class Segment:
    """A piece of the prompt, in the order it is read. `ttl`: a breakpoint stands behind it."""

    told: str
    size: int
    ttl: str = ""


@dataclass(frozen=True)
class Input:
    """The input side of a call; `fresh` neither read from a cache nor written to one."""

    fresh: int
    read: int = 0
    written_5m: int = 0
    written_1h: int = 0

    @property
    def written(self) -> int:
        return self.written_5m + self.written_1h

    @property
    def total(self) -> int:
        return self.fresh + self.read + self.written


def segments(body: Json) -> list[Segment]:
    """The prompt in pieces: tools, system, messages."""
    made: list[Segment] = []
    tools = [tool for tool in body.get("tools") or () if not tool.get("defer_loading")]
    for number, tool in enumerate(tools):
        told = canonical({key: value for key, value in tool.items() if key != "cache_control"})
        made.append(Segment(told, tokens.count(told) + (0 if number else _TOOLS_PROMPT), _ttl(tool)))
    made += [
        Segment(f"system {block['text']}", tokens.count(block["text"]), _ttl(block))
        for block in blocks_of(body.get("system"))
    ]
    for message in body["messages"]:
        for number, block in enumerate(blocks_of(message["content"])):
            told = f"{message['role']} {canonical({key: block[key] for key in block if key != 'cache_control'})}"
            made.append(Segment(told, _size(block) + (0 if number else _EACH), _ttl(block)))
    if body.get("cache_control") and made:
        last = made[-1]
        made[-1] = Segment(last.told, last.size, last.ttl or _ttl(body))
    return made


def _ttl(holder: Json) -> str:
    mark = holder.get("cache_control")
    return (mark.get("ttl") or "5m") if mark else ""


def _size(value: object) -> int:
    match value:
        case str():
            return tokens.count(value)
        case list():
            return sum(_size(one) for one in value)
        case {"type": "image"}:
            return _IMAGE
        case {"type": "document", "source": {"type": "base64" | "url" | "file"}}:
            return _PAGES
        case {"type": "thinking" | "redacted_thinking"}:
            return 0
        case {"type": "text", "data": str(data)}:
            return tokens.count(data)
        case dict():
            return sum(_size(inner) for key, inner in value.items() if key not in _UNREAD)
        case _:
            return 0 if value is None else 1


class Prefixes:
    """Which marked prefixes are remembered, until when."""

    def __init__(self, now: Callable[[], float] | None) -> None:
        self._now = now or (lambda: 0.0)
        self._until: dict[bytes, float] = {}

    def count(self, body: Json, model: Model, key: str) -> Input:
        """What a request reads, writes and costs fresh; its marked prefixes are remembered from now on."""
        pieces, now = segments(body), self._now()
        hashed, total = hashlib.sha256(f"{key}\0{model.name}".encode("utf-8", "surrogatepass")), 0
        marks: list[tuple[bytes, int, str]] = []
        read = 0
        for piece in pieces:
            hashed.update(piece.told.encode("utf-8", "surrogatepass") + b"\0")
            total += piece.size
            mark = hashed.digest()
            if total >= model.cached and self._until.get(mark, -1.0) > now:
                read = total
            if piece.ttl and total >= model.cached:
                marks.append((mark, total, piece.ttl))
        written = {"5m": 0, "1h": 0}
        behind = read
        for mark, size, ttl in marks:
            written[ttl] += max(0, size - behind)
            behind = max(behind, size)
            self._remember(mark, now + _LIVES_S[ttl])
        return Input(total - behind, read, written["5m"], written["1h"])

    def _remember(self, mark: bytes, until: float) -> None:
        self._until.pop(mark, None)
        self._until[mark] = until
        if len(self._until) > _REMEMBERED:
            del self._until[next(iter(self._until))]
