"""Real sockets on loopback, on both event loops. Nothing here waits longer than it must, and nothing waits for ever."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from edges.certificates import make_pair
from edges.sockets import Caller, Provider, Script
from portico.http.client import HttpUpstream
from portico.http.limits import Limits
from portico.http.server import RenderError, Server, render_error
from portico.wire.http import App

Serve = Callable[..., Awaitable[Server]]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers = []

    async def start(app: App, limits: Limits | None = None, on_error: RenderError = render_error) -> Server:
        server = await Server(app, limits=limits, render_error=on_error).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop(grace_s=0)


@pytest.fixture
async def call() -> AsyncIterator[Callable[[Server], Awaitable[Caller]]]:
    callers = []

    async def connect(server: Server) -> Caller:
        caller = await Caller.connect(server.port)
        callers.append(caller)
        return caller

    yield connect
    for caller in callers:
        caller.drop()


@pytest.fixture
async def provide() -> AsyncIterator[Callable[[Script], Awaitable[Provider]]]:
    providers = []

    async def start(script: Script) -> Provider:
        provider = await Provider(script).start()
        providers.append(provider)
        return provider

    yield start
    for provider in providers:
        await provider.stop()


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    client = HttpUpstream()
    yield client
    await client.aclose()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and provider.test, and its key."""
    return make_pair(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """TLS as providers and proxies speak it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
