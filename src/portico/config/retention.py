"""[retention]: how long things are kept, and how much of them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.config.rules import POSITIVE, Rule, read_rules
from portico.config.sources import Sources


class RetentionConfig(msgspec.Struct, frozen=True):
    """[retention]. What is older is deleted; the ledger's entries never are."""

    receipts_days: int = 400
    usage_days: int = 800
    idempotency_hours: int = 24
    vault_hours: int = 24
    vault_max_bytes: int = 256 * 1024 * 1024
    """Of each account; the oldest goes first."""
    responses_days: int = 30
    """Answers of the Responses API that callers may go on from."""
    responses_max_bytes: int = 1024 * 1024 * 1024
    """Of each account; the oldest goes first."""


LONGEST_DAYS: Final = 36_500
DAYS: Final = Rule(
    f"a whole number of days, 1 to {LONGEST_DAYS}", lambda value: type(value) is int and 1 <= value <= LONGEST_DAYS
)
HOURS: Final = Rule(
    f"a whole number of hours, 1 to {24 * LONGEST_DAYS}",
    lambda value: type(value) is int and 1 <= value <= 24 * LONGEST_DAYS,
)

RULES: Final[Mapping[str, Rule]] = {
    "receipts_days": DAYS,
    "usage_days": DAYS,
    "idempotency_hours": HOURS,
    "vault_hours": HOURS,
    "vault_max_bytes": POSITIVE,
    "responses_days": DAYS,
    "responses_max_bytes": POSITIVE,
}
"""The keys of [retention]; each is also PORTICO_RETENTION_<KEY>."""

KEYS: Final = frozenset(RULES)


def read_retention(sources: Sources, table: Mapping[str, Any]) -> RetentionConfig:
    return RetentionConfig(**read_rules(sources, "retention", table, RULES, prefix="PORTICO_RETENTION_"))
