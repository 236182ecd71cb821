"""HTTP messages as plain values, and the port between a server and an app.

A server hands an app one `Exchange`: the request, and the one answer it gets. The app answers whole (`send`) or in
pieces (`start`, `write`…, `finish`). Both sides of every server and app in the house speak through this page, so that
either can be replaced without the other noticing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

Headers = Sequence[tuple[str, str]]


class HttpRequest(msgspec.Struct):
    """One inbound request, its body read to the end. Nothing of it changes, but that its body can be taken away.

    `path` is the raw (still percent-encoded) path without the query; `query` the raw query without `?`. Header names are
    lower case; a header that came several times is joined with ", ". `peer` is the caller's address and `scheme` what it
    spoke: as the connection shows them, or as a trusted proxy tells (`http/forwarded.py`).
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: str = ""
    scheme: str = "http"
    unread: bool = False
    """The body was thrown away: there was no room for it. The server answers, and no app sees the request."""
    body_bytes: int = 0
    """How long the body was when it came, whatever becomes of it."""

    def __post_init__(self) -> None:
        self.body_bytes = len(self.body)

    def take_body(self) -> bytes:
        """The body, for the last who reads it: it is not kept here any longer, since of a large request it is the most."""
        body, self.body = self.body, b""
        return body


class Exchange(Protocol):
    """One request and the one answer it gets.

    The server cancels the app's task when the caller goes away, unless the app asked to be told instead (`on_gone`);
    `finish` is idempotent; after `abort` nothing more is written and the connection is dropped without ending the body (so
    the caller sees a cut, never a short success).
    """

    @property
    def request(self) -> HttpRequest: ...

    @property
    def started(self) -> bool:
        """Whether a status line has gone out."""

    @property
    def ended(self) -> bool:
        """Whether nothing more can reach the caller: the answer is complete, or the caller has gone."""

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole answer at once, with Content-Length."""

    def start(self, status: int, headers: Headers) -> None:
        """The status line and headers of an answer that comes in pieces (chunked)."""

    def write(self, data: bytes) -> bool:
        """A piece of the body. Never blocks. Returns whether the caller keeps up: else there is much to take still, and
        `drain` would wait."""

    @property
    def written_bytes(self) -> int:
        """How much of the body was written, as it was given."""

    async def drain(self) -> None:
        """Returns when the caller has taken enough that more may be written."""

    def finish(self) -> None:
        """The body is complete."""

    def abort(self) -> None:
        """Drop the connection with the body unfinished."""

    def take_room(self, size: int) -> None:
        """Counts so many bytes, which the request brings with it beside its body, among those that are held, until it is
        over. Raises `GatewayBusy` where there is no room for them."""

    def on_gone(self, tell: Callable[[], None] | None) -> None:
        """From now on `tell` is called when the caller goes away, and the app's task is not cancelled; None: it is."""


App = Callable[[Exchange], Awaitable[None]]
