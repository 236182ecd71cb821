"""Thought signatures: made over a part, good for that part and that family only.

A signature is base64 of a format tag, the number of server-side tool parts the part came with, and an HMAC over the model
family, the kind of the part and the part's own content. Nothing random is in it, so the same answer carries the same
signature. Google's documented skip values pass unread.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

from portico.simulator.grammar import decode_bytes
from portico.simulator.refusal import Json

_TAG = b"\x12portico-sim\x02"
_BULKY = {"toolResponse": 31_500}
"""Bytes of the signature by kind of part. Recorded: what a search brought back is inside it, 42 to 61 kB of base64."""
_SKIP = {b"skip_thought_signature_validator", b"context_engineering_is_the_way_to_go"}
_SKIP_RAW = {value.decode() for value in _SKIP}

DATA = (
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)


def kind_of(part: Json) -> str:
    """The name of the part's data member, or "" if it has none."""
    return next((name for name in DATA if name in part), "")


class Signer:
    """Signs parts and judges signatures. Two signers of one seed agree."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"portico simulator {seed}".encode()).digest()

    def sign(self, family: str, part: Json, beside: int = 0) -> str:
        """The signature of `part` for models of `family`, in standard base64; `beside`: the tool parts it came with."""
        kind = kind_of(part)
        message = "\0".join((family, kind, str(beside), _content(kind, part)))
        digest = hmac.new(self._key, message.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        if kind in _BULKY:
            digest = hashlib.shake_256(digest).digest(_BULKY[kind])
        return base64.b64encode(_TAG + bytes([beside]) + digest).decode()

    def verifies(self, family: str, part: Json) -> bool:
        """Whether the part's `thoughtSignature` was made for exactly this part and family."""
        given = decode_bytes(part["thoughtSignature"])
        return hmac.compare_digest(given, decode_bytes(self.sign(family, part, beside(part["thoughtSignature"]))))


def beside(signature: str) -> int:
    """How many toolCall and toolResponse parts the signed part came with; 0 if the signature does not say."""
    given = decode_bytes(signature)
    return given[len(_TAG)] if given.startswith(_TAG) and len(given) > len(_TAG) else 0


def skips(signature: str) -> bool:
    """Whether this is one of the values Google documents for history it did not write."""
    return signature in _SKIP_RAW or decode_bytes(signature) in _SKIP


def _content(kind: str, part: Json) -> str:
    """What the signature covers. A call's id is not in it: clients rename ids."""
    value = part.get(kind)
    match kind:
        case "text":
            return str(value)
        case "functionCall":
            return canonical([value.get("name"), value.get("args") or {}]) if isinstance(value, dict) else ""
        case "inlineData":
            data = decode_bytes(value.get("data", "")) if isinstance(value, dict) else b""
            return hashlib.sha256(data).hexdigest()
        case _:
            return canonical(value)


def canonical(value: Any) -> str:
    """JSON text that does not depend on key order or on 1 against 1.0 (a Struct knows only doubles)."""
    return json.dumps(_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _numbers(value: Any) -> Any:
    match value:
        case dict():
            return {key: _numbers(inner) for key, inner in value.items()}
        case list():
            return [_numbers(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
