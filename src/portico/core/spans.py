"""Places in a growing text: UTF-8 bytes <-> code points (mapping.md 2.7).

Google counts bytes, everybody else characters. Only pieces that are not ASCII are held, and only so many of them, so that
a long stream costs no memory for the sake of a citation at its end.
"""

from bisect import bisect_right
from typing import Final

MAX_HELD: Final = 1 << 20
"""Characters of pieces that are not ASCII; no model writes as many. A place inside a piece beyond them is its start."""


class TextSpans:
    """The text so far, as far as its places are concerned."""

    __slots__ = ("_byte_starts", "_bytes", "_char_starts", "_chars", "_held", "_pieces")

    def __init__(self, text: str = "") -> None:
        self._chars = 0
        self._bytes = 0
        self._held = 0
        self._char_starts: list[int] = [0]
        self._byte_starts: list[int] = [0]
        self._pieces: list[str | None] = [None]
        """Runs of text: None for one that is ASCII."""
        if text:
            self.add(text)

    def add(self, text: str) -> None:
        """More text at the end."""
        if text.isascii():
            if self._pieces[-1] is not None:
                self._begin(None)
            self._chars += len(text)
            self._bytes += len(text)
            return
        self._begin(text if self._held < MAX_HELD else "")
        self._held += len(text)
        self._chars += len(text)
        self._bytes += len(text.encode("utf-8", "surrogatepass"))

    def _begin(self, piece: str | None) -> None:
        self._char_starts.append(self._chars)
        self._byte_starts.append(self._bytes)
        self._pieces.append(piece)

    def characters(self, byte: int) -> int:
        """The number of whole characters before a byte; a place inside a character is its start."""
        byte = max(0, min(byte, self._bytes))
        run = bisect_right(self._byte_starts, byte) - 1
        inside = byte - self._byte_starts[run]
        piece = self._pieces[run]
        if piece is not None:
            inside = len(piece.encode("utf-8", "surrogatepass")[:inside].decode("utf-8", "ignore"))
        return self._char_starts[run] + inside

    def bytes(self, character: int) -> int:
        """The number of bytes before a character."""
        character = max(0, min(character, self._chars))
        run = bisect_right(self._char_starts, character) - 1
        inside = character - self._char_starts[run]
        piece = self._pieces[run]
        if piece is not None:
            inside = len(piece[:inside].encode("utf-8", "surrogatepass"))
        return self._byte_starts[run] + inside
