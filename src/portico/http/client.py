"""The client: sends requests to providers over kept-alive connections.

A request is sent a second time only when the first connection had been kept from an earlier answer and the provider is
known not to have taken any of it: a generation is never started twice. No header of a request appears in an exception
or a log.
"""

import asyncio
import ssl
from typing import Final

from portico.core.errors import UpstreamUnreachable
from portico.http.address import Address, Origin, parse_address
from portico.http.answer import Answer
from portico.http.connect import Connector
from portico.http.deadlines import Deadlines
from portico.http.fields import render_fields
from portico.http.outbox import Outbox
from portico.http.proxy import NONE, Proxies
from portico.http.resolve import Resolve
from portico.http.upstream import NothingTaken, UpstreamConnection
from portico.relay.ports import UpstreamRequest

_ADDRESSES_REMEMBERED: Final = 1024
_BODILESS_METHODS: Final = frozenset({"GET", "HEAD"})


class HttpUpstream:
    """`relay.ports.Upstream` over a pool of connections per origin. Belongs to the loop it is first used in."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        idle_limit_s: float = 60.0,
        max_idle_per_origin: int = 256,
        max_idle: int = 1024,
        max_head_bytes: int = 64 * 1024,
        resolve: Resolve | None = None,
        proxies: Proxies = NONE,
    ) -> None:
        """`tls` is for providers with a private authority; by default the system's authorities are trusted. `resolve`
        turns a host into the addresses that may be connected to, and no other is; by default the system's does."""
        self._connector = Connector(tls=tls, resolve=resolve, proxies=proxies)
        self.idle_limit_s = idle_limit_s
        self.max_head_bytes = max_head_bytes
        self.deadlines: Deadlines
        self.outbox: Outbox
        self._max_idle_per_origin = max_idle_per_origin
        self._max_idle = max_idle
        self._loop: asyncio.AbstractEventLoop | None = None
        self._addresses: dict[str, Address] = {}
        self._heads: dict[tuple[str, str, tuple[tuple[str, str], ...]], bytes] = {}
        self._idle: dict[Origin, list[UpstreamConnection]] = {}
        self._open: set[UpstreamConnection] = set()
        self._closed = False
        self._emptied = asyncio.Event()

    async def send(self, request: UpstreamRequest) -> Answer:
        """See `relay.ports.Upstream`. Raises `ValueError` for a header that cannot stand in a request."""
        address = self._addresses.get(request.url) or self._address(request.url)
        head = self._head(request, address)
        connection = self._take(address.origin)
        if connection is not None:
            try:
                answer = connection.ask(request, head)
                await answer.wait_for_head()
            except NothingTaken:
                pass
            else:
                return answer
        connection = await self._connect(address.origin, request.connect_timeout_s)
        answer = connection.ask(request, head)
        await answer.wait_for_head()
        return answer

    async def aclose(self) -> None:
        """Closes every connection; answers still being read fail."""
        self._closed = True
        self._connector.close()
        self._idle.clear()
        for connection in list(self._open):
            if connection.usable:
                connection.close()
            else:
                connection.shut()
        if self._open:
            try:
                async with asyncio.timeout(1.0):  # A TLS connection says goodbye first.
                    await self._emptied.wait()
            except TimeoutError:
                for connection in list(self._open):
                    connection.drop()
        if self._loop is not None:
            self.deadlines.close()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    @property
    def idle_connections(self) -> int:
        return sum(len(idle) for idle in self._idle.values())

    def _head(self, request: UpstreamRequest, address: Address) -> bytes:
        """The head of a request. All but its length is the same for each call of one credential to one model."""
        key = (request.method, request.url, tuple(request.headers))
        fixed = self._heads.get(key)
        if fixed is None:
            if len(self._heads) >= _ADDRESSES_REMEMBERED:
                self._heads.clear()
            fixed = self._heads[key] = _fixed_head(request, address)
        length = len(request.body)
        if length or request.method not in _BODILESS_METHODS:
            return b"%bcontent-length: %d\r\n\r\n" % (fixed, length)
        return fixed + b"\r\n"

    def _address(self, url: str) -> Address:
        """An address that is asked for the first time."""
        try:
            address = self._connector.as_asked(parse_address(url))
        except ValueError as error:
            raise UpstreamUnreachable(f"The provider's address is not usable: {error}.") from None
        if len(self._addresses) >= _ADDRESSES_REMEMBERED:
            self._addresses.clear()
        self._addresses[url] = address
        return address

    def _take(self, origin: Origin) -> UpstreamConnection | None:
        """The connection used last, for it is the likeliest to be alive."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self, origin: Origin, timeout_s: float) -> UpstreamConnection:
        loop = self._loop
        if self._closed:
            raise UpstreamUnreachable("The gateway is shutting down.")
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
            self.deadlines = Deadlines(loop)
            self.outbox = Outbox(loop)
        return await self._connector.open(loop, self, origin, timeout_s)

    # A connection speaks.

    def opened(self, connection: UpstreamConnection) -> None:
        self._open.add(connection)
        self._emptied.clear()
        self.deadlines.watch(connection)

    def free(self, connection: UpstreamConnection) -> None:
        idle = self._idle.get(connection.origin)
        if idle is None:
            idle = self._idle[connection.origin] = []
        if self._closed or len(idle) >= self._max_idle_per_origin:
            connection.close()
            return
        idle.append(connection)
        if len(self._open) > self._max_idle and self.idle_connections > self._max_idle:
            oldest = min((idle for idle in self._idle.values() if idle), key=lambda idle: idle[0].deadline)
            oldest.pop(0).close()

    def lost(self, connection: UpstreamConnection) -> None:
        self._open.discard(connection)
        self.deadlines.forget(connection)
        idle = self._idle.get(connection.origin)
        if idle is not None:
            if connection in idle:
                idle.remove(connection)
            if not idle:
                del self._idle[connection.origin]
        if not self._open:
            self._emptied.set()


def _fixed_head(request: UpstreamRequest, address: Address) -> bytes:
    """A head without its length and its end. Raises `ValueError` for what cannot stand in one."""
    if not request.method.isalpha():
        raise ValueError("not a method")
    fields, noted = render_fields(request.headers)
    lines = [f"{request.method} {address.target} HTTP/1.1\r\n{address.fields}"]
    if "host" not in noted:
        lines.append(f"host: {address.authority}\r\n")
    if "accept-encoding" not in noted:
        lines.append("accept-encoding: gzip, br\r\n")
    if "user-agent" not in noted:
        lines.append("user-agent: portico\r\n")
    lines.append(fields)
    return "".join(lines).encode("latin-1")
