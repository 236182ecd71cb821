"""Records as bytes, and back: what stands in the database.

The first byte says which form follows. What is written by one release is read by the next: fields are only ever added at
the end, with a default, and another form gets another number. What is of a number that nobody here knows was written by a
newer worker, and is as good as not there.

A value that a provider made up is kept as JSON: numbers of any size survive that. `CallKept.spelt` is not kept, for it
means nothing in another process; the digest beside it decides there.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from portico.core.parts import Signature
from portico.vault.record import CallKept, Kept, MediaKept, OpaqueKept, ReasoningKept, TextKept, TurnRecord
from portico.wire import jsontext

RECORD: Final = b"\x01"
"""A record follows, in MessagePack."""
ELSEWHERE: Final = b"\x02"
"""The key follows under which the record is kept: what is long is kept once, however many keys lead to it."""


class Unwritable(ValueError):
    """A record that has no place in the database."""


_Signed: TypeAlias = tuple[str, str, str | None]


class _Text(msgspec.Struct, frozen=True, array_like=True, tag=0):
    length: int
    signature: _Signed | None = None


class _Call(msgspec.Struct, frozen=True, array_like=True, tag=1):
    id: str
    upstream_id: str | None = None
    signature: _Signed | None = None
    said: str = ""


class _Opaque(msgspec.Struct, frozen=True, array_like=True, tag=2):
    origin: str
    json: str


class _Media(msgspec.Struct, frozen=True, array_like=True, tag=3):
    digest: str
    signature: _Signed | None = None


class _Reasoning(msgspec.Struct, frozen=True, array_like=True, tag=4):
    text: str
    signature: _Signed | None
    redacted: bool = False
    ext: str = ""
    """As JSON."""


_Part: TypeAlias = _Text | _Call | _Opaque | _Media | _Reasoning


class _Turn(msgspec.Struct, frozen=True, array_like=True):
    signer: str
    parts: list[_Part]
    before: str = ""
    after: str = ""
    text: str = ""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Turn).decode
_FAULTS: Final = (ValueError, TypeError, OverflowError, RecursionError)


def encode(record: TurnRecord) -> bytes:
    """A record as bytes. Raises `Unwritable` for text that UTF-8 cannot hold, and for values nested too deeply."""
    try:
        turn = _Turn(record.signer, [_written(part) for part in record.parts], record.before, record.after, record.text)
        return RECORD + _encode(turn)
    except _FAULTS as error:
        raise Unwritable(str(error)) from None


def decode(data: bytes) -> TurnRecord | None:
    """The record; None for bytes that hold none that is known here."""
    if not data.startswith(RECORD):
        return None
    try:
        turn = _decode(memoryview(data)[1:])
        return TurnRecord(turn.signer, tuple([_read(part) for part in turn.parts]), turn.before, turn.after, turn.text)
    except (msgspec.MsgspecError, *_FAULTS):
        return None


def elsewhere(key: str) -> bytes:
    """What stands for a record that is kept under another key. Raises `Unwritable`."""
    try:
        return ELSEWHERE + key.encode()
    except UnicodeError as error:
        raise Unwritable(str(error)) from None


def where(data: bytes) -> str | None:
    """The other key, if that is what it says."""
    return data[1:].decode("utf-8", "replace") if data.startswith(ELSEWHERE) else None


def _written(part: Kept) -> _Part:
    match part:
        case CallKept():
            return _Call(part.id, part.upstream_id, _signed(part.signature), part.said)
        case TextKept():
            return _Text(part.length, _signed(part.signature))
        case MediaKept():
            return _Media(part.digest, _signed(part.signature))
        case OpaqueKept():
            return _Opaque(part.origin, jsontext.dumps(part.value))
        case ReasoningKept(text, signature, redacted, ext):
            return _Reasoning(text, _signed(signature), redacted, jsontext.dumps(ext) if ext else "")


def _read(part: _Part) -> Kept:
    match part:
        case _Call():
            return CallKept(part.id, part.upstream_id, _signature(part.signature), part.said)
        case _Text():
            return TextKept(part.length, _signature(part.signature))
        case _Media():
            return MediaKept(part.digest, _signature(part.signature))
        case _Opaque():
            return OpaqueKept(part.origin, _object(part.json))
        case _Reasoning(text, signed, redacted, ext):
            return ReasoningKept(text, _signature(signed), redacted, _object(ext) if ext else None)


def _object(text: str) -> Mapping[str, Any]:
    value = jsontext.decode(text)
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _signed(signature: Signature | None) -> _Signed | None:
    return None if signature is None else (signature.origin, signature.data, signature.signer)


def _signature(signed: _Signed | None) -> Signature | None:
    return None if signed is None else Signature(*signed)
