"""Content codings of an answer, undone piece by piece.

`feed` gives what is known so far and never more than a bounded piece: a kilobyte may decode to a megabyte. And an answer
never decodes to more than DECODED_BYTES, for whoever takes it piece by piece may take it for ever.
"""

import importlib
import zlib
from typing import Any, Final, Protocol

from portico.core.errors import UpstreamAnswerTooLarge, UpstreamBadGateway, UpstreamIncomplete

PIECE_BYTES: Final = 256 * 1024
"""The most that one call gives."""
DECODED_BYTES: Final = 1024 * 1024 * 1024
"""The most that one answer gives."""
_INPUT_BYTES: Final = 64 * 1024
"""The most that is decoded in one step, since what a step leaves over is copied."""

_MEMBERS: Final = 1000


class Decoder(Protocol):
    @property
    def more(self) -> bool:
        """Whether `feed(b"")` may give more. While it may, nothing else is to be fed."""

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> None:
        """Raises `UpstreamIncomplete` when the coded data stopped early."""


class _Bound:
    """Counts what was decoded of one answer."""

    __slots__ = ("_given",)

    def __init__(self) -> None:
        self._given = 0

    def count(self, out: bytes) -> bytes:
        self._given += len(out)
        if self._given > DECODED_BYTES:
            raise UpstreamAnswerTooLarge("The provider's answer is too large once it is decoded.")
        return out


class _Zlib:
    """gzip (members one after the other are one body) and deflate (with or without its zlib wrapper)."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._machine = zlib.decompressobj(window_bits)
        self._members = 1
        self._begun = False
        self._undecided = window_bits == zlib.MAX_WBITS
        self._early = b""
        self._input = memoryview(b"")
        self._left = b""
        """What the last step did not use; comes before the input."""
        self._full = False
        self._bound = _Bound()

    @property
    def more(self) -> bool:
        return self._full or len(self._left) > 0 or len(self._input) > 0

    def feed(self, data: bytes) -> bytes:
        if data:
            self._input = memoryview(data)
        coded: bytes | memoryview = self._left
        if not coded:
            coded, self._input = self._input[:_INPUT_BYTES], self._input[_INPUT_BYTES:]
        self._left = b""
        self._full = False
        if self._undecided:
            self._early += coded
            if len(self._early) < 2:
                return b""
            coded = self._early
            self._decide(coded)
        if self._machine.eof:  # Another member follows, or padding.
            coded = bytes(coded).lstrip(b"\0")
            if not coded:
                return b""
            self._begin_member()
        try:
            out = self._machine.decompress(coded, PIECE_BYTES)
        except zlib.error as error:
            raise UpstreamBadGateway("The provider's answer is not in the encoding it claims.") from error
        self._begun = True
        machine = self._machine
        self._left = machine.unused_data if machine.eof else machine.unconsumed_tail
        self._full = not machine.eof and len(out) >= PIECE_BYTES
        return self._bound.count(out)

    def _begin_member(self) -> None:
        self._members += 1
        if self._members > _MEMBERS:
            raise UpstreamBadGateway("The provider's answer is compressed in too many parts.")
        self._machine = zlib.decompressobj(self._window_bits)

    def _decide(self, coded: bytes) -> None:
        """ "deflate" means with a zlib wrapper, and some servers have always sent it without: its two bytes tell."""
        self._undecided = False
        if coded[0] & 0x0F != 8 or (coded[0] << 8 | coded[1]) % 31:
            self._window_bits = -zlib.MAX_WBITS
            self._machine = zlib.decompressobj(self._window_bits)

    def end(self) -> None:
        if (self._begun or self._early) and not self._machine.eof:
            raise UpstreamIncomplete


_BROTLI_BYTES: Final = 64 * 1024
"""Where brotli stops giving more in one step; its last buffer may lie beyond that, yet within PIECE_BYTES."""


class _Brotli:
    """br (RFC 7932). Its window is at most 16 MiB, whatever the answer says."""

    def __init__(self) -> None:
        brotli: Any = importlib.import_module("brotli")  # A shared library: loaded by the first answer that needs it.
        self._machine = brotli.Decompressor()
        self._failure: type[Exception] = brotli.error
        self._begun = False
        self._bound = _Bound()
        self.more = False

    def feed(self, data: bytes) -> bytes:
        machine = self._machine
        if data:
            if self._begun and machine.is_finished():
                raise UpstreamBadGateway("The provider's answer goes on after its compressed end.")
            self._begun = True
        try:
            out: bytes = machine.process(data, output_buffer_limit=_BROTLI_BYTES)
        except self._failure as error:
            raise UpstreamBadGateway("The provider's answer is not in the encoding it claims.") from error
        self.more = len(out) >= _BROTLI_BYTES
        return self._bound.count(out)

    def end(self) -> None:
        if self._begun and not self._machine.is_finished():
            raise UpstreamIncomplete


def decoder_for(coding: str) -> Decoder | None:
    """None when nothing has to be undone. Raises `UpstreamBadGateway` for a coding nobody here asked for."""
    match coding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Zlib(16 + zlib.MAX_WBITS)
        case "deflate":
            return _Zlib(zlib.MAX_WBITS)
        case "br":
            return _Brotli()
        case _:
            raise UpstreamBadGateway("The provider's answer is in an encoding that was not asked for.")
