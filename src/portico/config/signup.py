"""[signup]: who may make an account of their own."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.config.rules import Rule, one_of, read_rules
from portico.config.sources import Sources


class SignupConfig(msgspec.Struct, frozen=True):
    """[signup]."""

    mode: str = "closed"
    """`closed`: only those whom an operator adds; `invite`: also whom an owner or admin of an account invites; `open`:
    everybody."""


RULES: Final[Mapping[str, Rule]] = {"mode": one_of("closed", "invite", "open")}
"""The keys of [signup]; each is also PORTICO_SIGNUP_<KEY>."""
KEYS: Final = frozenset(RULES)


def read_signup(sources: Sources, table: Mapping[str, Any]) -> SignupConfig:
    return SignupConfig(**read_rules(sources, "signup", table, RULES, prefix="PORTICO_SIGNUP_"))
