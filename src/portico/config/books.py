"""[books]: how calls are paid for. What the words mean is in docs/money.md."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.config.rules import AMOUNT, COUNT, POSITIVE, Rule, one_of, read_rules
from portico.config.sources import Sources

CANCEL: Final = "cancel"
DRAIN: Final = "drain"


class BooksConfig(msgspec.Struct, frozen=True):
    """[books]"""

    default_hold_tokens: int = 8192
    """Output tokens that are held where neither caller nor model says how many there may be."""
    drain_seconds: float = 120.0
    """How long an answer is read on for a caller who is gone."""
    max_draining: int = 64
    """How many such answers a worker reads on at once."""
    funds_wait_s: float = 2.0
    """How long a call waits for funds that are only held."""
    cancel_policy: str = CANCEL
    """What becomes of an answer whose caller is gone, where the key does not say: `cancel` or `drain`."""


RULES: Final[Mapping[str, Rule]] = {
    "default_hold_tokens": POSITIVE,
    "drain_seconds": AMOUNT,
    "max_draining": COUNT,
    "funds_wait_s": AMOUNT,
    "cancel_policy": one_of(CANCEL, DRAIN),
}
"""The keys of [books]; each is also PORTICO_BOOKS_<KEY>."""

KEYS: Final = frozenset(RULES)


def read_books(sources: Sources, table: Mapping[str, Any]) -> BooksConfig:
    return BooksConfig(**read_rules(sources, "books", table, RULES, prefix="PORTICO_BOOKS_"))
