"""What the relay needs of the outside world, as narrow ports.

`http/client.py` implements `Upstream`; a test may implement it in ten lines.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from portico.wire.http import Headers


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One POST or GET to a provider. `url` is absolute; secrets are in headers only, never in the URL."""

    url: str
    headers: Headers
    body: bytes = b""
    method: str = "POST"
    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 600.0
    """Thinking models are silent for minutes before an unstreamed answer (mapping.md 0, Timeouts)."""
    idle_timeout_s: float = 300.0
    """The longest silence between two pieces of a body."""


class UpstreamResponse(Protocol):
    """A provider's answer, its body not yet read.

    Reading is what lets more arrive: whoever stops iterating stops the provider. `close` is idempotent and must always be
    called; called before the end of the body it drops the connection, which stops generation (mapping.md 3.7).
    """

    status: int
    headers: Mapping[str, str]

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces of the body as they arrive, decoded if it was compressed.

        Raises `UpstreamIncomplete` if the connection dies before the body is complete, `UpstreamTimeout` on silence.
        """

    async def pipe(self, take: Callable[[bytes], bool]) -> bool:
        """Hands every piece of the body to `take` as it arrives, until it returns False: it wants no more for now, the
        provider is slowed, and what follows waits for the next `pipe`. Returns whether the body is complete.

        `take` is called from within the connection and must not block. Raises what it raises, and as iterating does.
        """

    async def read(self, limit_bytes: int = 256 * 1024 * 1024) -> bytes:
        """The whole body. Raises `UpstreamBadGateway` beyond the limit."""

    def close(self) -> None: ...


class Upstream(Protocol):
    """Sends requests to providers."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Returns when the status line and headers have arrived.

        Raises `UpstreamUnreachable` when no connection could be made (nothing was sent), `UpstreamTimeout` when nothing
        came in time, `UpstreamBadGateway` when what came is not HTTP, `GatewayBusy` when the gateway itself has no room for
        another connection. Cancelling the task closes the connection.
        """


class Fetched(msgspec.Struct, frozen=True):
    """A remote file. `mime` is what its server declared, None if nothing."""

    data: bytes
    mime: str | None = None


TakeRoom: TypeAlias = Callable[[int], None]
"""Takes room for so many bytes, for as long as the call lasts. Raises `GatewayBusy` where there is none."""


class MediaFetcher(Protocol):
    """Fetches files that callers name by address."""

    async def fetch(self, url: str, take_room: TakeRoom | None = None) -> Fetched:
        """The file at an http(s) address, redirects followed. Room for it is taken before it is there,
        as much as it will be in base64.

        Raises `InvalidRequest` for an address that may not be fetched from, a file that is too large, and whatever else
        keeps it from being had: it is the caller's address.
        """
