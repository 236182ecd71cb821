"""How the frames of a streamed answer are set side by side in one body: as server-sent events, or as one JSON array.

Google answers a stream either way (mapping.md 0, 3.5): events where the caller asked `alt=sse`, else an array that grows.
A frame's data is passed as it is. Whatever is cut off, an array that was ended is valid JSON.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from portico.wire.sse import Around, Frame

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
JSON: Final = "application/json"


_HERE: Final = b"\0"
"""Where the string goes: JSON never has this byte."""


class Framing(Protocol):
    """The body of one streamed answer. `keep_alive` is what may be written between frames without meaning anything."""

    content_type: str
    keep_alive: bytes | None

    def frames(self, frames: Sequence[Frame]) -> bytes:
        """Some frames as they are written."""

    def around(self, around: Around) -> tuple[bytes, bytes]:
        """What is written before and behind the string of frames that differ in it alone, while nothing else is told."""

    def end(self) -> bytes:
        """What ends the body after its last frame."""


class EventFraming:
    """Server-sent events, each spelt as `encode` spells it; the end of the body is their end."""

    content_type: str = EVENT_STREAM

    def __init__(self, encode: Callable[[Frame], bytes], keep_alive: bytes | None = None) -> None:
        self._encode = encode
        self.keep_alive = keep_alive

    def frames(self, frames: Sequence[Frame]) -> bytes:
        return self._encode(frames[0]) if len(frames) == 1 else b"".join([self._encode(frame) for frame in frames])

    def around(self, around: Around) -> tuple[bytes, bytes]:
        before, _, after = self._encode(Frame(around.before + _HERE + around.after, around.event)).partition(_HERE)
        return before, after

    def end(self) -> bytes:
        return b""


class ArrayFraming:
    """`[` … `,` CRLF … `]`, as Google answers a stream without `alt=sse`."""

    content_type: str = JSON
    keep_alive: bytes | None = None

    def __init__(self) -> None:
        self._before = b"["

    def frames(self, frames: Sequence[Frame]) -> bytes:
        pieces: list[bytes] = []
        for frame in frames:
            pieces += (self._before, frame.data)
            self._before = b",\r\n"
        return b"".join(pieces)

    def around(self, around: Around) -> tuple[bytes, bytes]:
        """To be asked when a frame has been told."""
        return self._before + around.before, around.after

    def end(self) -> bytes:
        return b"[]" if self._before == b"[" else b"]"
