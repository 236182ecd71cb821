"""Ids that the gateway mints: valid in every dialect, unique in their first 40 letters and digits, nothing hidden in them.

Randomness is an argument, so that a translation can be repeated exactly.
"""

import re
from collections.abc import Callable
from random import Random
from typing import Final, TypeAlias

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CALL_ID_CHARACTERS: Final = 24

Mint: TypeAlias = Callable[[], str]
"""Makes a new tool-call id each time it is called."""

_NOT_ALNUM: Final = re.compile(r"[^A-Za-z0-9]")


def call_ids(rng: Random) -> Mint:
    """A mint of `call_` + 24 letters and digits (mapping.md 2.3)."""

    def mint() -> str:
        return "call_" + "".join(rng.choices(ALPHABET, k=CALL_ID_CHARACTERS))

    return mint


def random_token(rng: Random, length: int = CALL_ID_CHARACTERS) -> str:
    """Letters and digits, for response and request ids."""
    return "".join(rng.choices(ALPHABET, k=length))


def normalised_call_id(call_id: str) -> str:
    """A call id as clients leave it: letters and digits only, cut to 40 (OpenClaw does both, clients.md 1)."""
    return _NOT_ALNUM.sub("", call_id)[:40]
