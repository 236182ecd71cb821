"""Accounts: who may call. For now one key, the operator's own; every call names the tenant it belongs to."""

from portico.accounts.keys import Caller, Keyring, presented_key

__all__ = ["Caller", "Keyring", "presented_key"]
