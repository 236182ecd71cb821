"""Signatures as text of ours, for callers whose dialect has a slot for a blob and no word for whose it is (mapping.md 7.4).

    base64 of {"portico":1,"origin":…,"signer":…,"call":…,"data":…}

A Claude client echoes the `signature` of a thinking block, a Responses client the `encrypted_content` of a reasoning item,
without looking at them. Inside stands whose blob it is and which part it belongs to, so that it finds its way back, and
never to a vendor that did not make it. A blob that goes back to its own vendor's clients needs no envelope.
"""

import base64
import binascii
from typing import Final

import msgspec

from portico.core.parts import Signature

MARK: Final = base64.b64encode(b'{"portico":1,')[:16].decode()
"""How each of them begins: nobody else's blob does."""


class Enclosed(msgspec.Struct, frozen=True):
    """What an envelope holds. `call`: the id of the tool call that the signature belongs to; "" for text or thoughts."""

    signature: Signature
    call: str = ""


class _Paper(msgspec.Struct, frozen=True, omit_defaults=True):
    portico: int
    origin: str
    data: str
    signer: str | None = None
    call: str = ""


def wrapped(signature: Signature, call: str = "") -> str:
    """The signature in an envelope: letters, digits, `+`, `/` and `=`."""
    paper = _Paper(1, signature.origin, signature.data, signature.signer, call)
    return base64.b64encode(msgspec.json.encode(paper)).decode()


def unwrapped(text: str) -> Enclosed | None:
    """What an envelope holds; None for a blob that is no envelope, or a broken one."""
    if not text.startswith(MARK):
        return None
    try:
        paper = msgspec.json.decode(base64.b64decode(text, validate=True), type=_Paper)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return None
    return Enclosed(Signature(paper.origin, paper.data, paper.signer), paper.call)
