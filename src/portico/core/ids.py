"""Ids that the gateway mints: valid in every dialect, unique in their first 40 letters and digits, nothing hidden in them.

Randomness is an argument, so that a translation can be repeated exactly.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Final, TypeAlias

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CALL_ID_CHARACTERS: Final = 24

Mint: TypeAlias = Callable[[], str]
"""Makes a new tool-call id each time it is called."""

_NOT_ALNUM: Final = re.compile(r"[^A-Za-z0-9]")
_SECRET: Final = re.compile(r"[A-Za-z0-9]{40,}")


_FAIR: Final = len(ALPHABET) * (256 // len(ALPHABET))
_TABLE: Final = bytes([ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256)])
_UNFAIR: Final = bytes(range(_FAIR, 256))
"""Bytes that would favour some characters: they are thrown away."""


def call_ids(rng: Random) -> Mint:
    """A mint of `call_` + 24 letters and digits (mapping.md 2.3)."""

    def mint() -> str:
        return "call_" + random_token(rng)

    return mint


def counted_call_id(number: int) -> str:
    """The id of a call that came without one in a request: counted, so that reading a body twice gives the same."""
    return f"call_{number:0{CALL_ID_CHARACTERS}d}"


def random_token(rng: Random, length: int = CALL_ID_CHARACTERS) -> str:
    """Letters and digits, for response and request ids. One draw of the dice, since the system's are dear."""
    token = rng.randbytes(length + 8).translate(_TABLE, _UNFAIR)
    while len(token) < length:  # one in some thousands
        token += rng.randbytes(length + 8).translate(_TABLE, _UNFAIR)
    return token[:length].decode("ascii")


_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In the order of their code points: what sorts as text sorts as a number."""
_TIME_CHARACTERS: Final = 8


def timed_id(prefix: str, rng: Random, now: float) -> str:
    """`prefix`, the time (seconds since 1970) to the millisecond, 16 letters and digits of chance: newer ids sort behind
    older ones, so that a database puts them at the end of its index (money.md measured twice the CPU for random keys)."""
    return from_time(prefix, now) + random_token(rng, 16)


def from_time(prefix: str, now: float) -> str:
    """How ids of a time begin: those of earlier ones sort before it."""
    left, last = divmod(int(now * 1000), 62)
    left, last_but_one = divmod(left, 62)
    return f"{prefix}{_leading(left)}{_DIGITS[last_but_one]}{_DIGITS[last]}"


@lru_cache(maxsize=256)
def _leading(left: int) -> str:
    """All digits of a time but the last two, which are the same for almost four seconds."""
    digits = ""
    for _ in range(_TIME_CHARACTERS - 2):
        left, digit = divmod(left, 62)
        digits = _DIGITS[digit] + digits
    return digits


def without_secrets(path: str) -> str:
    """A path as a log may tell it: what a link of the door opens with is left out."""
    return _SECRET.sub("…", path)


def normalised_call_id(call_id: str) -> str:
    """A call id as clients leave it: letters and digits only, cut to 40 (OpenClaw does both, clients.md 1)."""
    plain = call_id.replace("_", "").replace("-", "")
    if plain.isascii() and plain.isalnum():  # as nearly all are
        return plain[:40]
    return _NOT_ALNUM.sub("", call_id)[:40]
