"""What only Anthropic can make and read: signatures of thinking, redacted thinking, encrypted search results.

A seal holds a tag, a nonce, a hash of what it belongs to, and an HMAC over all of it and the kind; so one that was altered,
made elsewhere, or moved to another text or kind is told from a good one. Nothing random is in it.
"""

import base64
import binascii
import hashlib
import hmac

_TAG = b"\x12portico-sim-a\x01"
_NONCE, _DIGEST, _MAC = 96, 16, 32

THINKING, REDACTED, RESULT, INDEX = "thinking", "redacted", "result", "index"


class Seals:
    """Makes and judges seals. Two of one seed agree."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"portico simulator anthropic {seed}".encode()).digest()

    def make(self, kind: str, covered: str, salt: str) -> str:
        """The seal of this kind over what it covers, in standard base64; `salt` tells seals of the same text apart."""
        nonce = hashlib.shake_256(self._key + salt.encode()).digest(_NONCE)
        body = _TAG + nonce + _digest(covered)
        return base64.b64encode(body + self._mac(kind, body)).decode()

    def holds(self, kind: str, seal: str, covered: str) -> bool:
        """Whether the seal was made here, as this kind, over exactly this."""
        try:
            data = base64.b64decode(seal, validate=True)
        except (binascii.Error, ValueError):
            return False
        body, mac = data[:-_MAC], data[-_MAC:]
        whole = len(data) == len(_TAG) + _NONCE + _DIGEST + _MAC and seal == base64.b64encode(data).decode()
        return whole and hmac.compare_digest(mac, self._mac(kind, body)) and body[-_DIGEST:] == _digest(covered)

    def _mac(self, kind: str, body: bytes) -> bytes:
        return hmac.new(self._key, kind.encode() + b"\0" + body, hashlib.sha256).digest()


def _digest(covered: str) -> bytes:
    return hashlib.sha256(covered.encode("utf-8", "surrogatepass")).digest()[:_DIGEST]
