"""`portico serve`: config -> objects -> server; one process, or several under a supervisor."""

import contextlib
import os
import random
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from portico import __version__
from portico.accounts.keys import DEFAULT_TENANT, Keyring, new_key
from portico.catalog import Catalog, CatalogError, load_catalog
from portico.cli.loop import run, run_until_stopped
from portico.cli.media import fetcher_of
from portico.config import Config, ConfigError, load_config
from portico.http.client import HttpUpstream
from portico.http.gateway import Gateway
from portico.http.limits import Limits
from portico.http.server import Server
from portico.providers import KINDS, Provider, Secret
from portico.relay.relay import Relay
from portico.simulator import Simulator
from portico.vault import MemoryVault

GRACE_S: Final = 10.0
KEY_FILE: Final = "api_key"
RESTART_PAUSE_S: Final = 1.0
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run_serve(*, config: Path | None, host: str | None, port: int | None, workers: int | None, simulate: bool) -> int:
    """Serves until interrupted; returns the exit code."""
    overrides = {"host": host, "port": port, "workers": workers}
    try:
        settings = load_config(os.environ, file=config, overrides=overrides)
        catalog = load_catalog().with_models(settings.models)
    except (ConfigError, CatalogError) as error:
        print(f"The configuration cannot be used:\n{_indented(str(error))}", file=sys.stderr)
        return 1
    if not settings.providers and not simulate:
        print(_NO_PROVIDER, file=sys.stderr)
        return 1
    try:
        key, where = _api_key(settings)
        listener = _listen(settings.server.host, settings.server.port)
    except OSError as error:
        print(_explained(error, settings), file=sys.stderr)
        return 1
    simulator = _listen("127.0.0.1", 0) if simulate else None
    if simulator is not None:
        settings = _with_simulator(settings, simulator)
    _greet(settings, listener, key, where, simulated=simulate)
    if settings.server.workers == 1:
        return run(lambda: _serve(settings, catalog, key, listener, simulator))
    return _supervise(settings, catalog, key, listener, simulator)


_NO_PROVIDER: Final = """\
No provider is configured, so there is nobody to answer.
  Set GEMINI_API_KEY to a key from Google AI Studio:
      GEMINI_API_KEY=… portico serve
  or name providers in portico.toml:
      [[providers]]
      name = "gemini"
      kind = "gemini"
      keys = ["env:GEMINI_API_KEY"]
  or try Portico without any provider (answers are simulated and say so):
      portico serve --simulate"""


def _explained(error: OSError, settings: Config) -> str:
    server = settings.server
    if error.filename:
        return f"Cannot write {error.filename}: {error.strerror}"
    return (
        f"Cannot listen on {server.host}:{server.port}: {error.strerror or error}\n"
        f"  Choose another port: portico serve --port {server.port + 1 if server.port < 65535 else 0}"
    )


# -- one process -----------------------------------------------------------------------------------------------------


async def _serve(
    settings: Config, catalog: Catalog, key: str, listener: socket.socket, simulator: socket.socket | None
) -> int:
    upstream = HttpUpstream(proxies=settings.proxies)
    fetcher = fetcher_of(settings.media)
    rng = random.SystemRandom()
    relay = Relay(
        catalog=catalog,
        providers=settings.providers,
        upstream=upstream,
        vault=MemoryVault(time.monotonic),
        rng=rng,
        now=time.time,
        settings=settings.server,
        defaults=settings.defaults,
        fetcher=fetcher,
    )
    gateway = Gateway(
        relay=relay,
        catalog=catalog,
        keyring=Keyring({key: DEFAULT_TENANT}),
        rng=rng,
        simulated=any(provider.name == SIMULATOR_NAME for provider in settings.providers),
    )
    limits = Limits(max_body_bytes=settings.server.max_body_bytes)
    server = Server(gateway, limits=limits, render_error=gateway.render_protocol_error)
    stand_in = Server(Simulator(now=time.time))
    try:
        if simulator is not None:
            await stand_in.start(sock=simulator)
        await server.start(sock=listener)
        await run_until_stopped()
    finally:
        await server.stop(grace_s=GRACE_S)
        await upstream.aclose()
        await fetcher.aclose()
        await stand_in.stop(grace_s=0)
    return 0


SIMULATOR_NAME: Final = "simulator"


def _with_simulator(settings: Config, listener: socket.socket) -> Config:
    """The configuration with the simulator as its only provider."""
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    secret = Secret("simulated", "the simulator")
    provider = Provider.at(SIMULATOR_NAME, KINDS["gemini"], base_url, (secret,))
    return msgspec.structs.replace(settings, providers=(provider,))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def _api_key(settings: Config) -> tuple[str, str]:
    """The key callers use, and where it is from: PORTICO_API_KEY, or one made at the first start and kept with the data."""
    if settings.api_key is not None:
        return settings.api_key.reveal(), settings.api_key.source
    folder = settings.data_folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_text(encoding="ascii").strip()
        if key:
            return key, str(path)
        path.unlink()
        return _api_key(settings)
    key = new_key(random.SystemRandom())
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key, str(path)


def _greet(settings: Config, listener: socket.socket, key: str, where: str, *, simulated: bool) -> None:
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}"
    lines = [f"Portico {__version__}: one door to every model", ""]
    if simulated:
        lines += [
            "  SIMULATED  No provider is asked. Answers are made up by the built-in simulator, marked",
            "             [simulated], and their price is 0. Set GEMINI_API_KEY for real ones.",
            "",
        ]
    lines.append(f"  Address    {base}/v1")
    lines.append(f"  Key        {key}")
    lines.append(f"             (from {_shown(where)})")
    if not simulated:
        sources = [f"{p.name} ({', '.join(secret.source for secret in p.keys)})" for p in settings.providers]
        lines.append(f"  Providers  {', '.join(sources)}")
    if settings.server.workers > 1:
        lines.append(f"  Workers    {settings.server.workers} (thought signatures are kept per worker)")
    lines += [
        "",
        "  Try it:",
        "",
        f"    curl {base}/v1/chat/completions \\",
        f"      -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\",
        """      -d '{"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "Hello"}]}'""",
        "",
        f"  Models: curl {base}/v1/models -H 'Authorization: Bearer {key}', or portico models",
        "  Clients, configuration, more: README.md; portico --help; portico check. Stop with Ctrl-C.",
        "",
    ]
    print("\n".join(lines), flush=True)


def _shown(where: str) -> str:
    """A path as it is seen from here, where that is shorter."""
    path = Path(where)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else where


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


# -- several processes -----------------------------------------------------------------------------------------------


def _supervise(
    settings: Config, catalog: Catalog, key: str, listener: socket.socket, simulator: socket.socket | None
) -> int:
    """Starts workers on one listening socket, replaces one that dies, and ends all when told to stop."""
    children: dict[int, bool] = {}
    """Process id -> whether it plays the simulator too."""
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in children:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, signal.SIGTERM)

    def start(*, simulate: bool) -> None:
        # A signal waits until the child is known to `stop`, or handles it itself.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            if stopping:
                return
            pid = os.fork()
            if pid == 0:
                work(simulator if simulate else None)
            children[pid] = simulate
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def work(simulator: socket.socket | None) -> NoReturn:
        code = 1
        try:
            for stop_signal in STOP_SIGNALS:
                signal.signal(stop_signal, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            code = run(lambda: _serve(settings, catalog, key, listener, simulator))
        except BaseException:  # noqa: BLE001
            sys.excepthook(*sys.exc_info())  # The frames below are the supervisor's: it ends here.
        finally:
            sys.stderr.flush()
            os._exit(code)

    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, stop)
    for number in range(settings.server.workers):
        start(simulate=number == 0 and simulator is not None)
    while children:
        pid, status = os.wait()
        simulate = children.pop(pid)
        if not stopping:
            print(f"Worker {pid} ended ({os.waitstatus_to_exitcode(status)}); starting another.", file=sys.stderr)
            time.sleep(RESTART_PAUSE_S)
            start(simulate=simulate)
    return 0
