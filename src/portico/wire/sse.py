"""Server-sent events: bytes <-> frames.

The decoder is fed bytes cut anywhere and yields whole frames; only CR, LF and CRLF end a line (JSON may hold U+2028).
Google ends events with CRLF CRLF and sometimes answers a stream with bare JSON that has no `data:` at all (an error,
often pretty-printed over several lines): such lines are kept and offered as a frame of their own at the end.
"""

from typing import Final

import msgspec


class Frame(msgspec.Struct, frozen=True):
    """One wire message of a stream: its data, and its event name where the dialect has names."""

    data: bytes
    event: str | None = None


class Around(msgspec.Struct, frozen=True):
    """Frames that differ in one JSON string only: what stands before and behind it in their data, and their event name."""

    before: bytes
    after: bytes
    event: str | None = None


DONE: Final = Frame(b"[DONE]")

_DATA: Final = b"data: "
_EVENT: Final = b"event: "
_SPACE: Final = 32


def lone(data: bytes) -> Frame | None:
    """The frame of a piece that is one event and nothing else, spelt as Google, OpenAI and Anthropic spell theirs: what
    nearly every piece of a stream is, where nothing of another was held before. None: it has to be decoded."""
    ends = data.count(b"\n")
    if ends == 2 and data[:6] == _DATA and data[6] > _SPACE:
        if data[-4:] == b"\r\n\r\n" and data.count(b"\r") == 2:
            return Frame(data[6:-4])
        if data[-2:] == b"\n\n" and b"\r" not in data:
            return Frame(data[6:-2])
    elif ends == 3 and data[:7] == _EVENT and data[-2:] == b"\n\n" and b"\r" not in data:
        name, _, line = data[7:-2].partition(b"\n")
        if line[:6] == _DATA and line[6:7] > b" ":
            return Frame(line[6:], name.strip().decode("utf-8", "replace"))
    return None


MAX_EVENT_BYTES: Final = 256 * 1024 * 1024
"""As much as a whole answer may have: an event may hold pictures and sound."""
MAX_STRAY_BYTES: Final = 1024 * 1024
"""Of text that is no event: as much as is read of an error."""


class EventTooLong(ValueError):
    """An event of a stream does not end."""


class SseDecoder:
    """Bytes of an event stream -> frames. `feed` raises `EventTooLong`."""

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = max_event_bytes
        self._held_bytes = 0
        """About how much came since the last frame."""
        self._stray_bytes = 0
        self._rest = bytearray()
        self._data: bytes | bytearray | None = None
        """Of an event that is not complete; bytes while that is one line."""
        self._event: str | None = None
        self._stray: list[bytes] = []
        self._after_cr = False

    @property
    def between(self) -> bool:
        """Whether nothing of an event that is not complete is held."""
        return not (self._rest or self._data is not None or self._after_cr or self._event)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames completed by this piece."""
        if self.between and (frame := lone(data)) is not None:
            return [frame]
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if b"\r" in data:
            self._after_cr = data[-1:] == b"\r"
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        frames: list[Frame] = []
        if len(lines) == 1:
            self._rest += data
        else:
            if self._rest:
                self._rest += lines[0]
                lines[0] = bytes(self._rest)
            self._rest = bytearray(lines.pop())
            for line in lines:
                self._line(line, frames)
        self._held_bytes = 0 if frames or self.between else self._held_bytes + len(data)
        if self._held_bytes > self._max_event_bytes:
            raise EventTooLong("The provider sent an event that does not end.")
        return frames

    def close(self) -> list[Frame]:
        """What is left when the stream ends: an event without its blank line, or stray text that was no event."""
        frames: list[Frame] = []
        rest = bytes(self._rest)
        self._rest.clear()
        if rest:
            self._line(rest, frames)
        self._dispatch(frames)
        stray = b"\n".join(self._stray).strip()
        self._stray = []
        if stray:
            frames.append(Frame(stray))
        return frames

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if not line:
            self._dispatch(frames)
        elif line.startswith(b"data:"):
            self._more(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b":"):
            return
        elif line.startswith(b"event:"):
            self._event = line[6:].strip().decode("utf-8", "replace")
        elif not line.startswith((b"id:", b"retry:")) and self._stray_bytes < MAX_STRAY_BYTES:
            self._stray_bytes += len(line) + 1
            self._stray.append(line)

    def _more(self, line: bytes) -> None:
        """One more line of an event's data."""
        if self._data is None:
            self._data = line
            return
        if isinstance(self._data, bytes):
            self._data = bytearray(self._data)
        self._data += b"\n"
        self._data += line

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._data is not None:
            data = bytes(self._data)
            if data.strip():
                frames.append(Frame(data, self._event))
            self._data = None
        self._event = None


def encode(frame: Frame) -> bytes:
    """A frame as an event that ends with a blank line (LF, as OpenAI and Anthropic send it)."""
    if frame.event is not None:
        return b"event: " + frame.event.encode() + b"\ndata: " + frame.data + b"\n\n"
    return b"data: " + frame.data + b"\n\n"


def encode_crlf(frame: Frame) -> bytes:
    """A frame as Google sends it (mapping.md 3.1)."""
    return b"data: " + frame.data + b"\r\n\r\n"


KEEP_ALIVE: Final = b": keep-alive\n\n"
