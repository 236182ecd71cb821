"""A relay that only relays: what uvloop, httptools and the sockets cost in Python before any gateway is written.

    python -m bench.bare PORT UPSTREAM_PORT

A request goes to the provider as it came, on a connection that is kept, and its answer comes back the same way. Both are
parsed only for where they end. Nothing is looked at, counted, limited or written down, and nobody is paid: what Portico
takes beyond this is its own, and what this takes beyond nginx is the language's.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httptools
import uvloop

HOST: Final = "127.0.0.1"


class Relay:
    """What all connections share: where the provider is, and the connections to it that are free."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.free: list[_Provider] = []
        self.open: set[_End] = set()
        self.connecting: set[asyncio.Task[None]] = set()

    def lend(self, caller: "_Caller") -> None:
        """Gives a caller a connection, now or when there is one."""
        if self.free:
            caller.sends_to(self.free.pop())
            return
        task = asyncio.get_running_loop().create_task(self._connect(caller))
        self.connecting.add(task)
        task.add_done_callback(self.connecting.discard)

    async def _connect(self, caller: "_Caller") -> None:
        try:
            _, provider = await asyncio.get_running_loop().create_connection(lambda: _Provider(self), HOST, self.port)
        except OSError:
            caller.transport.close()
        else:
            caller.sends_to(provider)


class _End(asyncio.Protocol):
    """Either end. `transport` is there once it is connected."""

    transport: asyncio.Transport

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no subclass of asyncio's
        self.relay.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.relay.open.discard(self)


class _Caller(_End):
    """One request at a time: the next is read when the last was answered, as callers do it that are measured."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(relay)
        self._parser = httptools.HttpRequestParser(self)
        self._provider: _Provider | None = None
        self._held: list[bytes] = []

    def on_message_begin(self) -> None:
        self.relay.lend(self)

    def data_received(self, data: bytes) -> None:
        if self._provider is None:
            self._held.append(data)
        else:
            self._provider.transport.write(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def sends_to(self, provider: "_Provider") -> None:
        self._provider, provider.caller = provider, self
        held, self._held = self._held, []
        provider.transport.writelines(held)

    def answered(self) -> None:
        self._provider = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._provider is not None:
            self._provider.transport.abort()


class _Provider(_End):
    """A connection to the provider, lent to one caller until the answer is whole."""

    def __init__(self, relay: Relay) -> None:
        super().__init__(relay)
        self._parser = httptools.HttpResponseParser(self)
        self.caller: _Caller | None = None

    def data_received(self, data: bytes) -> None:
        if self.caller is not None:
            self.caller.transport.write(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_message_complete(self) -> None:
        caller, self.caller = self.caller, None
        if caller is not None:
            caller.answered()
        self.relay.free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self in self.relay.free:
            self.relay.free.remove(self)
        if self.caller is not None:
            self.caller.transport.close()


@asynccontextmanager
async def serving(port: int, upstream_port: int) -> AsyncIterator[asyncio.Server]:
    """Listens, and in the end closes what is still open."""
    relay = Relay(upstream_port)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: _Caller(relay), HOST, port, backlog=2048) as server:
        yield server
        for end in relay.open:
            end.transport.close()


async def _forever(port: int, upstream_port: int) -> None:
    async with serving(port, upstream_port) as server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("upstream_port", type=int)
    options = parser.parse_args()
    uvloop.run(_forever(options.port, options.upstream_port))


if __name__ == "__main__":
    main()
