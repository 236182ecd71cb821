"""Accounts: who may call, and what. Keys, their policies and limits; the people whose accounts they are of."""

from portico.accounts.keys import Caller, Keyring, KeyRow, NoKey, UnknownKey, presented_key
from portico.accounts.policy import Policy
from portico.accounts.scope import is_in_scope, require_in_scope

__all__ = [
    "Caller",
    "KeyRow",
    "Keyring",
    "NoKey",
    "Policy",
    "UnknownKey",
    "is_in_scope",
    "presented_key",
    "require_in_scope",
]
