"""What is kept of one answer, and the port a vault implements.

A record holds the layout of the answer's parts and everything hidden in it, but no text: of a text only its length, so that
a record is small however long the answer was.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

import msgspec

from portico.core.ids import normalised_call_id
from portico.core.parts import Part, Signature, ToolCall, text_of
from portico.wire import jsontext


class TextKept(msgspec.Struct, frozen=True):
    """A text part: how many characters of the answer's text it holds."""

    length: int
    signature: Signature | None = None


class CallKept(msgspec.Struct, frozen=True):
    """A call: the id the caller was told, and the one the provider knows (None if it gave none)."""

    id: str
    upstream_id: str | None = None
    signature: Signature | None = None
    said: str = ""
    """A digest of the call's name and arguments: a signature holds for these only. "" where they were not seen whole."""


class OpaqueKept(msgspec.Struct, frozen=True):
    """A part that the caller never saw."""

    origin: str
    value: Mapping[str, Any]


Kept: TypeAlias = TextKept | CallKept | OpaqueKept


class TurnRecord(msgspec.Struct, frozen=True):
    """One answer's layout. `signer` is who can read its signatures (`Target.signer`)."""

    signer: str
    parts: tuple[Kept, ...]

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        size = 200
        for part in self.parts:
            if isinstance(part, OpaqueKept):
                size += 200 + len(str(part.value))
            else:
                size += 200 + (len(part.signature.data) if part.signature else 0)
        return size


class Vault(Protocol):
    """Keeps records by tenant and key."""

    async def find(self, tenant: str, keys: Iterable[str]) -> Mapping[str, TurnRecord]:
        """The records there are for these keys."""

    def keep(self, tenant: str, keys: Iterable[str], record: TurnRecord) -> None:
        """Keeps a record under each key; it is found by the time the answer's last byte leaves."""


def call_key(call_id: str) -> str:
    """The key of a call id, as sent or as clients shorten it."""
    return f"call:{normalised_call_id(call_id)}"


def call_digest(call: ToolCall) -> str:
    """What a call says, whatever way its arguments are spelt."""
    try:
        arguments = msgspec.json.encode(jsontext.decode(call.arguments or "{}"), order="deterministic")
    except (jsontext.NotJson, RecursionError):
        arguments = call.arguments.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(call.name.encode() + b"\0" + arguments, digest_size=16).hexdigest()


def text_key(digest: hashlib.blake2b) -> str:
    return f"text:{digest.hexdigest()}"


def text_digest(text: str = "") -> hashlib.blake2b:
    """The digest by which an answer without calls is known again: of its whole visible text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16)


def keys_of_message(parts: Iterable[Part]) -> list[str]:
    """The keys under which an assistant message's record may be kept: its calls, else its text."""
    calls = [call_key(part.id) for part in parts if isinstance(part, ToolCall) and not part.minted]
    if calls:
        return calls
    text = text_of(parts)
    return [text_key(text_digest(text))] if text else []
