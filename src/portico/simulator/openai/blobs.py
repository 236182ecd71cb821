"""Encrypted reasoning: blobs made for one item, good for that item alone, and told from any other's.

A blob looks like OpenAI's (`gAAAAA…`, base64url) and holds a nonce, a hash of its item's id, and an HMAC over both.
"""

import base64
import binascii
import hashlib
import hmac

from portico.simulator.openai.refusal import Refused

_TAG = b"\x80\x00\x00\x00\x00"
_NONCE, _ITEM, _MAC = 200, 16, 32


class Blobs:
    """Seals and checks. Two of one seed agree."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"portico simulator reasoning {seed}".encode()).digest()

    def seal(self, item: str) -> str:
        """The `encrypted_content` of the reasoning item with this id."""
        nonce = hashlib.shake_256(self._key + item.encode()).digest(_NONCE)
        body = _TAG + nonce + _digest(item)
        return base64.urlsafe_b64encode(body + self._mac(body)).decode()

    def check(self, blob: str, item: str | None) -> None:
        """Raises `Refused` for a blob that was not made here, was altered, or belongs to another item."""
        try:
            data = base64.urlsafe_b64decode(blob)
        except (binascii.Error, ValueError):
            data = b""
        body, mac = data[:-_MAC], data[-_MAC:]
        whole = len(data) == len(_TAG) + _NONCE + _ITEM + _MAC
        if (
            not whole
            or not hmac.compare_digest(mac, self._mac(body))
            or blob != base64.urlsafe_b64encode(data).decode()
        ):
            raise _unverified(blob, item, "Encrypted content could not be decrypted or parsed.")
        if item is not None and body[-_ITEM:] != _digest(item):
            raise _unverified(blob, item, "Encrypted content item_id did not match the target item id.")

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, hashlib.sha256).digest()


def _digest(item: str) -> bytes:
    return hashlib.sha256(item.encode("utf-8", "surrogatepass")).digest()[:_ITEM]


def _unverified(blob: str, item: str | None, why: str) -> Refused:
    shown = f"{blob[:4]}...{blob[-4:]}" if item is None else f"for item {item}"
    said = f"The encrypted content {shown} could not be verified. Reason: {why}"
    return Refused(said, code="invalid_encrypted_content")
