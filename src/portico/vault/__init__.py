"""The vault keeps what clients lose: thought signatures and the thoughts they belong to, the provider's own call ids, and
parts that no client sees.

Most clients drop fields they do not know, and some shorten ids (clients.md 1). So an answer's hidden state is kept on
the server, found again by tool-call id, by the answer's pictures or by its text, and put back into the next request
exactly where it was (mapping.md 2.4, channel D). Records are kept per tenant: nobody can fetch another's by guessing.

What tenants made at a provider, files and cached contents, is theirs in the same way: `Resources` knows whose it is.
"""

from portico.vault.memory import MemoryVault
from portico.vault.record import (
    CallKept,
    MediaKept,
    OpaqueKept,
    ReasoningKept,
    TextKept,
    TurnRecord,
    Vault,
    keys_of_message,
)
from portico.vault.recorder import TurnRecorder, hides_something
from portico.vault.resources import Resource, Resources
from portico.vault.restore import (
    holds_signatures_of_others,
    keys_of_request,
    restore,
    without_signatures,
    without_unknown_signatures,
)
from portico.vault.stored import StoredVault, VaultSettings

__all__ = [
    "CallKept",
    "MediaKept",
    "MemoryVault",
    "OpaqueKept",
    "ReasoningKept",
    "Resource",
    "Resources",
    "StoredVault",
    "TextKept",
    "TurnRecord",
    "TurnRecorder",
    "Vault",
    "VaultSettings",
    "hides_something",
    "holds_signatures_of_others",
    "keys_of_message",
    "keys_of_request",
    "restore",
    "without_signatures",
    "without_unknown_signatures",
]
