"""A head that was parsed before: a client that keeps its connection sends the same one each time, but for the length.

Parsing is the same function of the same bytes, so comparing them with the last ones is enough; only heads are remembered
that went through the parser, in the one framing (Content-Length) that a comparison can follow.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,10})[ \t]*(?=\r\n)", re.IGNORECASE)
_NEVER: Final = frozenset({"transfer-encoding", "expect", "upgrade", "trailer", "te"})
"""Fields of heads that ask for more than a body of a length."""
MAX_HEAD_BYTES: Final = 8192


class KnownHead(msgspec.Struct, frozen=True):
    """The bytes of a head before and after the digits of its length, and what they mean."""

    before: bytes
    after: bytes
    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    def body_of(self, data: bytes, max_body_bytes: int) -> bytes | None:
        """The body of a message that is this head with some length and exactly as much body; None for anything else."""
        start = len(self.before)
        if not data.startswith(self.before):
            return None
        end = data.find(b"\r", start, start + 12)
        digits = data[start:end] if end > start else b""
        if not digits.isdigit() or (digits[0] == 48 and len(digits) > 1) or not data.startswith(self.after, end):
            return None
        length, start = int(digits), end + len(self.after)
        return data[start:] if length == len(data) - start and length <= max_body_bytes else None


def known_head(data: bytes, method: str, path: str, query: str, headers: Mapping[str, str]) -> KnownHead | None:
    """The head of a message that was parsed, if `data` is that message whole and nothing else, and its head is one to be
    expected again."""
    end = data.find(_END, 0, MAX_HEAD_BYTES) + len(_END)
    if end < len(_END) or not headers.keys().isdisjoint(_NEVER):
        return None
    found = list(_LENGTH.finditer(data, 0, end))
    if len(found) != 1 or int(found[0][1]) != len(data) - end:
        return None
    start, stop = found[0].span(1)
    return KnownHead(data[:start], data[stop:end], method, path, query, headers)
