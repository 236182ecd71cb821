"""TLS for callers: what is spoken, what is refused at the start, certificates exchanged, and the ends of connections."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from edges.certificates import Kind, lock, make_pair
from edges.sockets import Caller, settle, soon, until
from portico.http import connection as connection_module
from portico.http.connection import WRITE_HIGH_WATER_BYTES
from portico.http.limits import Limits
from portico.http.server import Server
from portico.http.tls import ServerTls, TlsError
from portico.wire.http import App, Exchange

Start = Callable[..., Awaitable[Server]]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_pair(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def start(pair: tuple[Path, Path]) -> AsyncIterator[Start]:
    servers = []

    async def begin(app: App, limits: Limits | None = None, tls: ServerTls | None = None) -> Server:
        server = await Server(app, limits=limits).start(tls=(tls or ServerTls(*pair)).context)
        servers.append(server)
        return server

    yield begin
    for server in servers:
        await server.stop(grace_s=0)
    await settle()


async def echo(exchange: Exchange) -> None:
    exchange.send(200, [], exchange.request.body or exchange.request.scheme.encode())


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


async def connect(server: Server, certificate: Path) -> Caller:
    options = {"ssl": trusting(certificate), "server_hostname": "localhost"}
    return Caller(*await soon(asyncio.open_connection("127.0.0.1", server.port, **options)))  # type: ignore[arg-type]


class Wire:
    """TLS by hand over a plain socket, so that a test decides which of its bytes are sent, and when."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, certificate: Path) -> None:
        self.reader = reader
        self.writer = writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trusting(certificate).wrap_bio(self._in, self._out, server_hostname="localhost")

    @classmethod
    async def connect(cls, server: Server, certificate: Path) -> "Wire":
        wire = cls(*await soon(asyncio.open_connection("127.0.0.1", server.port)), certificate)
        while True:
            try:
                wire._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                wire.writer.write(wire._out.read())
                wire._in.write(await soon(wire.reader.read(65536)))
        wire.writer.write(wire._out.read())
        return wire

    def sealed(self, data: bytes) -> bytes:
        self._tls.write(data)
        return self._out.read()

    def farewell(self) -> bytes:
        """The end of this side: close_notify."""
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.unwrap()
        return self._out.read()

    async def read_until(self, mark: bytes) -> bytes:
        data = b""
        while mark not in data:
            try:
                data += self._tls.read(65536)
            except ssl.SSLWantReadError:
                piece = await soon(self.reader.read(65536))
                assert piece, data
                self._in.write(piece)
        return data

    async def gone(self) -> None:
        """Returns when the server has closed the connection."""
        try:
            while await soon(self.reader.read(65536)):
                pass
        except ConnectionError:
            pass
        self.writer.transport.abort()


# -- requests --------------------------------------------------------------------------------------------------------


async def test_requests_are_answered_and_know_their_scheme(start: Start, pair: tuple[Path, Path]) -> None:
    caller = await connect(await start(echo), pair[0])
    assert [(await caller.ask(GET)).body for _ in range(3)] == [b"https"] * 3
    caller.send(GET + CHUNKED + GET)
    assert [(await caller.reply()).body for _ in range(3)] == [b"https", b"hello", b"https"]
    caller.drop()


async def test_a_request_cut_at_any_byte_is_answered_the_same(start: Start, pair: tuple[Path, Path]) -> None:
    wire = await Wire.connect(await start(echo), pair[0])
    for at in range(len(CHUNKED)):  # a record for each byte
        wire.writer.write(wire.sealed(CHUNKED[at : at + 1]))
    assert (await wire.read_until(b"hello")).startswith(b"HTTP/1.1 200 ")
    record = wire.sealed(CHUNKED)
    for at in range(len(record)):  # a packet for each byte of a record
        wire.writer.write(record[at : at + 1])
        await settle()
    assert (await wire.read_until(b"hello")).startswith(b"HTTP/1.1 200 ")
    wire.writer.transport.abort()


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "http/1.1"), (["h2"], None), ([], None)])
async def test_the_protocol_agreed_on_is_http_1_1(
    start: Start, pair: tuple[Path, Path], offered: list[str], chosen: str | None
) -> None:
    server = await start(echo)
    context = trusting(pair[0])
    if offered:
        context.set_alpn_protocols(offered)
    reader, writer = await soon(
        asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="localhost")
    )
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
    caller = Caller(reader, writer)
    assert (await caller.ask(GET)).status == 200
    caller.drop()


async def test_nothing_older_than_tls_1_2_is_spoken(pair: tuple[Path, Path]) -> None:
    assert ServerTls(*pair).context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_plain_http_on_a_tls_port_is_no_connection(start: Start) -> None:
    server = await start(echo)
    caller = await Caller.connect(server.port)
    caller.send(GET)
    assert not (await caller.rest()).startswith(b"HTTP/")
    caller.drop()
    assert not server.open_connections


async def test_a_handshake_that_does_not_get_on_is_left(start: Start) -> None:
    server = await start(echo, Limits(header_timeout_s=0.1))
    caller = await Caller.connect(server.port)
    caller.send(b"\x16\x03\x01")
    assert await caller.rest() == b""
    caller.drop()


# -- flow, and the ends of connections -------------------------------------------------------------------------------


class Waiting:
    """An app that waits to be released, and remembers how each call ended."""

    def __init__(self) -> None:
        self.begun = 0
        self.ends: list[str] = []
        self.release = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self.begun += 1
        try:
            await self.release.wait()
            exchange.send(200, [], b"answer")
            self.ends.append("answered")
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise


async def test_a_caller_that_ends_its_side_has_left(start: Start, pair: tuple[Path, Path]) -> None:
    """asyncio has no half-closed TLS: the answer could not be sent, so the call is not paid for either."""
    app = Waiting()
    server = await start(app)
    wire = await Wire.connect(server, pair[0])
    wire.writer.write(wire.sealed(GET) + wire.farewell())
    await until(lambda: app.ends == ["cancelled"])
    await wire.gone()
    await until(lambda: not server.open_calls and not server.open_connections)


async def test_the_loop_is_not_asked_to_keep_a_side_open_that_cannot_be(
    start: Start, pair: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """It would write a warning into the log, for each caller that leaves."""
    app = Waiting()
    wire = await Wire.connect(await start(app), pair[0])
    wire.writer.write(wire.sealed(GET))
    await until(lambda: app.begun)
    wire.writer.write(wire.farewell())
    await until(lambda: app.ends)
    await wire.gone()
    assert not caplog.records


@pytest.mark.parametrize("end", ["farewell", "end of file", "reset"])
@pytest.mark.parametrize("said", [b"", GET[:9], CHUNKED[:-9], GET])
async def test_a_connection_may_end_at_any_stage(start: Start, pair: tuple[Path, Path], said: bytes, end: str) -> None:
    app = Waiting()
    server = await start(app)
    wire = await Wire.connect(server, pair[0])
    await until(lambda: server.open_connections)
    wire.writer.write(wire.sealed(said) if said else b"")
    await until(lambda: app.begun == (said == GET))
    await settle()
    match end:
        case "farewell":
            wire.writer.write(wire.farewell())
        case "end of file":
            wire.writer.write_eof()
        case _:
            Caller(wire.reader, wire.writer).reset()
    await until(lambda: not server.open_calls and not server.open_connections)
    assert app.ends == (["cancelled"] if said == GET else [])
    await wire.gone()


def large(pieces: int) -> tuple[list[int], App]:
    """An app that writes a stream, and how much of it was written so far."""
    written = [0]

    async def talk(exchange: Exchange) -> None:
        exchange.start(200, [])
        for _ in range(pieces):
            exchange.write(b"a" * 32_768)
            written[0] += 32_768
            await exchange.drain()
        exchange.finish()

    return written, talk


async def test_a_slow_reader_pauses_the_app(start: Start, pair: tuple[Path, Path]) -> None:
    written, app = large(600)
    server = await start(app)
    caller = await connect(server, pair[0])
    caller.writer.transport.pause_reading()  # type: ignore[attr-defined]
    caller.send(GET)
    await until(lambda: server.open_connections)
    (connection,) = server._connections
    await until(lambda: connection.write_paused)
    for _ in range(50):
        await settle()
    assert connection.transport.get_write_buffer_size() <= WRITE_HIGH_WATER_BYTES + 80_000
    assert written[0] < 600 * 32_768
    caller.writer.transport.resume_reading()  # type: ignore[attr-defined]
    assert len((await caller.reply()).body) == 600 * 32_768
    caller.drop()


async def test_a_slow_reader_gets_the_end_of_an_answer_that_closes(
    start: Start, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "FAREWELL_S", 0.02)
    written, app = large(100)
    server = await start(app)
    caller = await connect(server, pair[0])
    caller.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    await until(lambda: written[0] > 5 * 32_768)
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert len((await caller.reply()).body) == 100 * 32_768
    await until(lambda: not server.open_connections)
    caller.drop()


async def test_a_caller_that_takes_nothing_is_left(start: Start, pair: tuple[Path, Path]) -> None:
    written, app = large(600)
    server = await start(app, Limits(stall_timeout_s=0.1))
    caller = await connect(server, pair[0])
    caller.writer.transport.pause_reading()  # type: ignore[attr-defined]
    caller.send(GET)
    await until(lambda: written[0])
    await until(lambda: not server.open_calls and not server.open_connections)
    caller.drop()


async def test_a_refused_caller_that_goes_on_sending_still_gets_the_answer(
    start: Start, pair: tuple[Path, Path]
) -> None:
    caller = await connect(await start(echo, Limits(max_body_bytes=10)), pair[0])
    size = 8 * 1024 * 1024
    caller.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
    await soon(caller.writer.drain())
    assert (await caller.reply()).status == 413
    caller.drop()


async def test_a_malformed_request_is_refused_and_the_connection_closed(start: Start, pair: tuple[Path, Path]) -> None:
    caller = await connect(await start(echo), pair[0])
    caller.send(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + GET)
    assert (await caller.rest()).count(b"HTTP/1.1 ") == 1
    caller.drop()


async def test_stopping_does_not_wait_for_farewells(
    start: Start, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "FAREWELL_S", 0.02)
    server = await start(echo)
    wires = [await Wire.connect(server, pair[0]) for _ in range(3)]
    for wire in wires:
        wire.writer.write(wire.sealed(GET))
        await wire.read_until(b"https")
    assert server.open_connections == 3
    await soon(server.stop(grace_s=60))
    assert not server.open_connections
    for wire in wires:
        await wire.gone()


# -- certificates ----------------------------------------------------------------------------------------------------


async def shown(server: Server) -> str:
    """The name on the certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    _, writer = await soon(asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="localhost"))
    raw = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    await settle()
    return next(name for name in ("first", "second") if name.encode() in raw)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
async def test_a_new_certificate_is_for_new_connections_and_drops_none(
    start: Start, tmp_path: Path, kind: Kind
) -> None:
    certificate, key = make_pair(tmp_path, "first")
    old = make_pair(tmp_path, "second", kind=kind)
    tls = ServerTls(certificate, key)
    server = await start(echo, tls=tls)
    caller = await connect(server, certificate)
    assert (await caller.ask(GET)).status == 200
    assert await shown(server) == "first"
    shutil.copy(old[0], certificate)
    shutil.copy(old[1], key)
    tls.reload()
    assert await shown(server) == "second"
    assert (await caller.ask(GET)).status == 200
    caller.drop()


async def test_a_certificate_that_cannot_be_used_changes_nothing(start: Start, tmp_path: Path) -> None:
    certificate, key = make_pair(tmp_path, "first")
    tls = ServerTls(certificate, key)
    server = await start(echo, tls=tls)
    shutil.copy(make_pair(tmp_path, "second")[0], certificate)
    with pytest.raises(TlsError):
        tls.reload()
    key.unlink()
    with pytest.raises(TlsError):
        tls.reload()
    assert await shown(server) == "first"


def pairs(folder: Path) -> dict[str, tuple[Path, Path, str, str]]:
    """What cannot be used: certificate, key, the setting to mend, and what is said."""
    certificate, key = make_pair(folder)
    other_key, rsa_key = make_pair(folder, "other")[1], make_pair(folder, "rsa", kind="rsa")[1]
    expired = make_pair(folder, "expired", days=-1)
    locked, garbled, nowhere = folder / "locked.key", folder / "garbled.pem", folder / "nowhere"
    lock(key, locked, b"sample")
    garbled.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="ascii")
    return {
        "no certificate there": (nowhere, key, "tls_certificate", f"{nowhere} cannot be read: No such file"),
        "no key there": (certificate, nowhere, "tls_key", f"{nowhere} cannot be read: No such file"),
        "a folder": (folder, key, "tls_certificate", "cannot be read: Is a directory"),
        "a key for a certificate": (key, key, "tls_certificate", "holds no certificate"),
        "a certificate for a key": (certificate, certificate, "tls_key", "holds no private key"),
        "another's key": (certificate, other_key, "tls_key", f"{other_key} is not the key of {certificate}"),
        "another kind of key": (certificate, rsa_key, "tls_key", "is not the key of"),
        "a key with a password": (certificate, locked, "tls_key", "is encrypted"),
        "garbled": (garbled, key, "tls_certificate", f"{garbled} with {key} cannot be used"),
        "expired": (*expired, "tls_certificate", f"{expired[0]} has expired"),
    }


def test_what_cannot_be_used_is_said_at_the_start(tmp_path: Path) -> None:
    for name, (certificate, key, setting, message) in pairs(tmp_path).items():
        with pytest.raises(TlsError) as refused:
            ServerTls(certificate, key)
        assert refused.value.setting == setting, name
        assert message in str(refused.value), name


def test_a_key_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    certificate, key = make_pair(tmp_path)
    assert ServerTls(certificate, key).warning() is None
    key.chmod(0o644)
    assert str(key) in (ServerTls(certificate, key).warning() or "")
