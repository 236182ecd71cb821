"""Through a proxy: a tunnel to an https origin (CONNECT, RFC 9110 9.3.6), and requests for http origins handed to it.

What a proxy says for itself is never taken for the provider's answer: a refusal is told as one, with its status. Our
credentials are shown to the proxy only: to https providers inside the tunnel they are not sent.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Final, cast

from portico.core.errors import UpstreamUnreachable
from portico.http.address import Address, Origin
from portico.http.proxy import Proxy
from portico.http.upstream import UpstreamConnection

MAX_HEAD_BYTES: Final = 64 * 1024
_PROXY_AUTHENTICATION_REQUIRED: Final = 407
_HEAD_END: Final = b"\r\n\r\n"
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r\n")


def handed_to(proxy: Proxy, address: Address) -> Address:
    """The address of an http resource as it is asked of a proxy: in absolute form (RFC 9112 3.2.2), credentials shown."""
    return address._replace(target=f"http://{address.authority}{address.target}", fields=proxy.header)


def refusal(host: str, status: int) -> UpstreamUnreachable:
    phrase = f" {HTTPStatus(status).phrase}" if status in HTTPStatus.__members__.values() else ""
    return UpstreamUnreachable(f"The proxy refused a connection to {host}: {status}{phrase}.")


class ProxiedConnection(UpstreamConnection):
    """A connection to a proxy that is handed requests for one http origin."""

    __slots__ = ()

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() == _PROXY_AUTHENTICATION_REQUIRED:  # Only a proxy says this.
            raise refusal(self.origin.host, _PROXY_AUTHENTICATION_REQUIRED)
        super().on_headers_complete()


class Tunnel(asyncio.Protocol):
    """Asks a proxy for a tunnel. Once it is open, the transport is to be given to another protocol."""

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._answer: asyncio.Future[int] = loop.create_future()
        self._head = b""

    async def open(self, proxy: Proxy, origin: Origin) -> None:
        """Raises `UpstreamUnreachable` when the proxy refuses, `OSError` when what it says is no answer."""
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        target = f"{host}:{origin.port}"
        self._ensure_alive()
        lines = f"CONNECT {target} HTTP/1.1\r\nhost: {target}\r\nuser-agent: portico\r\n{proxy.header}\r\n"
        self.transport.write(lines.encode("latin-1"))
        status = await self._answer
        if not 200 <= status < 300:
            raise refusal(origin.host, status)
        self._ensure_alive()  # It may have been closed with the answer.

    def _ensure_alive(self) -> None:
        if self.transport.is_closing():
            raise OSError("the proxy closed the connection")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer.done():  # In a tunnel to a TLS server we speak first.
            self.transport.abort()
            return
        head = self._head + data
        end = head.find(_HEAD_END, max(0, len(self._head) - 3))
        while end >= 0:
            line = _STATUS_LINE.match(head)
            if line is None:
                self._fail("the proxy does not speak HTTP")
                return
            status = int(line[1])
            head = head[end + len(_HEAD_END) :]
            if status >= 200:
                if head and status < 300:
                    self._fail("the proxy says more than it was asked")
                else:
                    self._answer.set_result(status)
                return
            end = head.find(_HEAD_END)  # Only an interim answer so far.
        self._head = head
        if len(head) > MAX_HEAD_BYTES:
            self._fail("the answer of the proxy is too large")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._fail("the proxy closed the connection")

    def _fail(self, why: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(OSError(why))
