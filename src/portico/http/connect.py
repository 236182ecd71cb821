"""A new connection to an origin: directly or through a proxy, over TLS or not.

The name is looked up, the addresses are tried, a proxy is asked for a tunnel, TLS begins and the certificate is checked
by name; whatever of this fails is an `UpstreamUnreachable` that says where, since nothing of a request was sent. With a
proxy, only the proxy's name is looked up here.
"""

import asyncio
import errno
import logging
import socket
import ssl
import time
from collections.abc import Callable
from math import inf
from typing import Final, TypeVar

from portico.core.errors import GatewayBusy, UpstreamUnreachable
from portico.http.address import Address, Origin
from portico.http.dial import dial
from portico.http.proxy import Proxies, Proxy
from portico.http.resolve import Names, Resolve
from portico.http.sessions import client_context
from portico.http.tunnel import ProxiedConnection, Tunnel, handed_to
from portico.http.upstream import Owner, UpstreamConnection

P = TypeVar("P", bound=asyncio.Protocol)

OWN: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""The system lets nobody here, or nobody at all, have another connection. No provider has failed."""

TOLD_EVERY_S: Final = 60.0

log = logging.getLogger("portico.http")


class Connector:
    """Makes connections for a pool. Belongs to one loop."""

    def __init__(self, *, tls: ssl.SSLContext | None, resolve: Resolve | None, proxies: Proxies) -> None:
        self._tls = tls
        self._names: Names | None = None
        if resolve is None:
            resolve = self._names = Names(time.monotonic)
        self._resolve: Resolve = resolve
        self._proxies = proxies
        self._told_at = -inf

    def as_asked(self, address: Address) -> Address:
        """An address in the form in which it is asked of whoever a connection to its origin leads to."""
        proxy = self._proxies.leading_to(address.origin)
        return handed_to(proxy, address) if proxy is not None and address.origin.scheme == "http" else address

    async def open(
        self, loop: asyncio.AbstractEventLoop, owner: Owner, origin: Origin, timeout_s: float
    ) -> UpstreamConnection:
        """Raises `UpstreamUnreachable`, or `GatewayBusy` where the system has no room for another connection, or what
        `resolve` raises of its own."""
        proxy = self._proxies.leading_to(origin)
        where = origin.host if proxy is None else f"{origin.host} through the proxy"
        try:
            async with asyncio.timeout(timeout_s):
                if proxy is None:
                    return await self._to(origin, origin.host, lambda: UpstreamConnection(owner, origin, loop))
                if origin.scheme == "http":
                    return await self._to(proxy.origin, "the proxy", lambda: ProxiedConnection(owner, origin, loop))
                tunnel = await self._to(proxy.origin, "the proxy", lambda: Tunnel(loop))
                return await self._through(tunnel, proxy, UpstreamConnection(owner, origin, loop))
        except TimeoutError:
            raise UpstreamUnreachable(f"No connection to {where} within {timeout_s:g} s.") from None
        except (OSError, UnicodeError) as error:
            if isinstance(error, OSError) and error.errno in OWN:
                self._tell(error)
                raise GatewayBusy("The gateway can open no more connections. Try again in a moment.") from error
            raise UpstreamUnreachable(f"No connection to {where}: {_why(error)}.") from error

    def _tell(self, error: OSError) -> None:
        """For the operator, now and then: it goes on for as long as calls come."""
        now = time.monotonic()
        if now - self._told_at > TOLD_EVERY_S:
            self._told_at = now
            log.warning("no connection to a provider can be made: %s. Callers are told to come again.", error.strerror)

    def close(self) -> None:
        if self._names is not None:
            self._names.close()

    async def _to(self, origin: Origin, called: str, make: Callable[[], P]) -> P:
        sock = await self._socket(origin)
        tls = self._context() if origin.scheme == "https" else None
        name = origin.host if tls else None
        loop = asyncio.get_running_loop()
        try:
            _, protocol = await loop.create_connection(make, sock=sock, ssl=tls, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            raise _not_trusted(called, error) from error
        return protocol

    async def _socket(self, origin: Origin) -> socket.socket:
        addresses = await self._resolve(origin.host, origin.port)
        names = self._names
        try:
            sock, address = await dial(addresses, origin.port)
        except OSError:
            if names is not None:
                names.unreachable(origin.host)
            raise
        if names is not None:
            names.connected(origin.host, address)
        return sock

    async def _through(self, tunnel: Tunnel, proxy: Proxy, connection: UpstreamConnection) -> UpstreamConnection:
        origin = connection.origin
        connection.transport = tunnel.transport  # Until TLS has begun; who speaks out of turn is cut off.
        try:
            await tunnel.open(proxy, origin)
            transport = await asyncio.get_running_loop().start_tls(
                tunnel.transport, connection, self._context(), server_hostname=origin.host
            )
            if transport is None or transport.is_closing():
                raise OSError("the connection was lost as soon as it was made")
        except ssl.SSLCertVerificationError as error:
            _abort(tunnel.transport)
            raise _not_trusted(origin.host, error) from error
        except TypeError as error:  # asyncio's own TLS, before 3.13, stumbles over a handshake that fails within TLS.
            _abort(tunnel.transport)
            raise OSError("TLS through the proxy failed") from error
        except BaseException:
            _abort(tunnel.transport)
            raise
        connection.connection_made(transport)
        return connection

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = client_context()
        return self._tls


def _abort(transport: asyncio.Transport) -> None:
    """Ends what has not ended: asyncio's own TLS in Python 3.11.2 (Debian's) stumbles over one that has."""
    if not transport.is_closing():
        transport.abort()


def _why(error: Exception) -> str:
    """In the words of the system: whether the name, the network or who is there is to be looked at."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({(error.reason or 'no reason').lower().replace('_', ' ')})"
    return str((isinstance(error, OSError) and error.strerror) or error)


def _not_trusted(called: str, error: ssl.SSLCertVerificationError) -> UpstreamUnreachable:
    return UpstreamUnreachable(f"The certificate of {called} is not valid: {error.verify_message}.")
