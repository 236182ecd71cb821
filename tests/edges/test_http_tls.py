"""TLS at both edges, with certificates made for the test."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edges.certificates import make_pair
from edges.sockets import soon, until
from portico.core.errors import UpstreamUnreachable
from portico.http.client import HttpUpstream
from portico.http.server import Server
from portico.relay.ports import UpstreamRequest
from portico.wire.http import Exchange


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_pair(tmp_path_factory.mktemp("tls"))


async def app(exchange: Exchange) -> None:
    exchange.start(200, [])
    exchange.write(b"secret ")
    exchange.write(exchange.request.body)
    exchange.finish()


@pytest.fixture
async def server(certificate: tuple[Path, Path]) -> AsyncIterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = await Server(app).start(tls=context)
    yield server
    await server.stop(grace_s=0)


async def test_a_trusted_certificate_is_spoken_to(server: Server, certificate: tuple[Path, Path]) -> None:
    client = HttpUpstream(tls=ssl.create_default_context(cafile=certificate[0]))
    request = UpstreamRequest(url=f"https://localhost:{server.port}/", headers=[], body=b"a" * 300_000)
    for _ in range(3):
        response = await soon(client.send(request))
        assert await soon(response.read()) == b"secret " + b"a" * 300_000
    assert client.open_connections == server.open_connections == 1
    await client.aclose()
    assert client.open_connections == 0
    await until(lambda: server.open_connections == 0)


async def test_an_unknown_certificate_is_not_spoken_to(server: Server, upstream: HttpUpstream) -> None:
    with pytest.raises(UpstreamUnreachable, match="certificate"):
        await soon(upstream.send(UpstreamRequest(url=f"https://localhost:{server.port}/", headers=[])))
    assert upstream.open_connections == 0


async def test_a_certificate_for_another_name_is_not_spoken_to(server: Server, certificate: tuple[Path, Path]) -> None:
    client = HttpUpstream(tls=ssl.create_default_context(cafile=certificate[0]))
    with pytest.raises(UpstreamUnreachable, match="certificate"):
        await soon(client.send(UpstreamRequest(url=f"https://127.0.0.1:{server.port}/", headers=[])))
    await client.aclose()


async def test_plain_http_on_a_tls_port_is_no_connection(server: Server, upstream: HttpUpstream) -> None:
    from portico.core.errors import UpstreamError

    with pytest.raises(UpstreamError):
        await soon(upstream.send(UpstreamRequest(url=f"http://localhost:{server.port}/", headers=[])))
