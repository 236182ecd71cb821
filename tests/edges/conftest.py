"""Real sockets on loopback, on both event loops. Nothing here waits longer than it must, and nothing waits for ever."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

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
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,DNS:provider.test"]
    command = [openssl, *options.split(), *names, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return certificate, key


@pytest.fixture(scope="session")
def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """TLS as providers and proxies speak it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
