"""`Idempotency-Key`: a request that is sent again under its key is not made again, but given the answer it had.

The hold keeps key and fingerprint (`ledger`): a second request of the key finds the first one in flight (409), finds
another request's (400), or finds its answer. Here is what HTTP has to do with it: reading the header, keeping the answer as
it goes out, and giving it once more. A streamed answer is kept as its bytes.

An answer that is over but cannot be given again, since it was longer than is kept or was never complete, is told as just
that, in a 409 that clients do not repeat: it was charged, and who asks again under the key does not want to pay twice.
"""

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Final

import msgspec

from portico.core.errors import Conflict, InvalidRequest
from portico.ledger.hold import Replay
from portico.ledger.settle import Outcome
from portico.wire import jsontext, multipart
from portico.wire.http import Exchange, Headers, HttpRequest
from portico.wire.wrapped import Wrapped

HEADER: Final = "idempotency-key"
REPLAYED: Final = "x-portico-replayed"
"""On an answer that is given again: the id of the request that it was made for, which has the receipt."""
MAX_KEPT_BYTES: Final = 1024 * 1024
_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
_FINGERPRINT_BYTES: Final = 16
_OF_ITS_MOMENT: Final = ("x-ratelimit-", "retry-after")
_NEVER: Final = ("x-should-retry", "false")


class Keyed(msgspec.Struct, frozen=True):
    """That a request has a key, and what request it is."""

    key: str
    fingerprint: str


def keyed(request: HttpRequest) -> Keyed | None:
    """The key of a request, if it has one, while its body is still there. Raises `InvalidRequest` for what is no key."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if _KEY.fullmatch(key) is None:
        raise InvalidRequest("An idempotency key is 1 to 255 visible characters of ASCII.", param=HEADER)
    return Keyed(key, fingerprint(request))


def fingerprint(request: HttpRequest) -> str:
    """Of method, path, query and body. The caller's key is no longer in the query by the time this is asked.

    The boundary of a form is not of it: clients make up another one when they send a form again.
    """
    digest = blake2b(digest_size=_FINGERPRINT_BYTES)
    boundary = multipart.boundary_of(request.body)
    between = () if boundary is None else request.body.split(boundary)
    for piece in (request.method.encode(), request.path.encode(), request.query.encode(), *between):
        digest.update(b"%d:" % len(piece))
        digest.update(piece)
    if boundary is None:
        digest.update(request.body)
    return digest.hexdigest()


class Recorded(Wrapped):
    """An exchange that keeps the answer that goes through it, up to a size."""

    def __init__(
        self,
        exchange: Exchange,
        keyed: Keyed,
        render_error: Callable[[Conflict], bytes],
        *,
        max_bytes: int = MAX_KEPT_BYTES,
    ) -> None:
        """`render_error` tells an error as the caller of this call reads it."""
        super().__init__(exchange)
        self.keyed = keyed
        self._render_error = render_error
        self._left = max_bytes
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._pieces: list[bytes] = []
        self._complete = False
        self._whole = True
        """Nothing of it was too much."""
        self.finish = self._finish

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        self._begin(status, headers)
        self._keep(body)
        self._complete = True
        self._exchange.send(status, headers, body)

    def start(self, status: int, headers: Headers) -> None:
        self._begin(status, headers)
        self._exchange.start(status, headers)

    def write(self, data: bytes) -> bool:
        self._keep(data)
        return self._exchange.write(data)

    def outcome(self) -> Outcome:
        """What the settlement keeps of a call that is charged, once it is over."""
        key = self.keyed.key
        if self._complete and self._whole:
            return Outcome(key, self._status, jsontext.dumps(self._headers), b"".join(self._pieces))
        reason = "was too long to be kept" if self._complete else "did not come to its end"
        error = Conflict(f"The request of this idempotency key was made, but its answer {reason}. Ask under a new key.")
        fields = (("content-type", "application/json"), _NEVER)
        return Outcome(key, error.http_status, jsontext.dumps(fields), self._render_error(error))

    def _begin(self, status: int, headers: Headers) -> None:
        self._status, self._headers = status, tuple(_lasting(headers))

    def _keep(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left >= 0:
            self._pieces.append(data)
        elif self._whole:
            self._whole = False
            self._pieces.clear()

    def _finish(self) -> None:
        self._complete = True
        self._exchange.finish()


def replay(exchange: Exchange, kept: Replay) -> None:
    """Gives a kept answer once more."""
    headers = msgspec.json.decode(kept.headers, type=list[tuple[str, str]])
    exchange.send(kept.status, [*headers, (REPLAYED, kept.request_id)], kept.body)


def _lasting(headers: Headers) -> Iterable[tuple[str, str]]:
    """The headers that still say something true when the answer is given again."""
    return [(name, value) for name, value in headers if not name.lower().startswith(_OF_ITS_MOMENT)]
