"""`portico serve`: config -> objects -> server; one process, or several under a supervisor."""

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from portico import __version__
from portico.accounts.keys import DEFAULT_TENANT, Keyring, new_key
from portico.catalog import Catalog, CatalogError, load_catalog
from portico.cli.loop import listen_for_stop, run, run_until_stopped, settle_memory
from portico.cli.media import fetcher_of
from portico.cli.operations import Shared, Watch
from portico.cli.stored_keys import StoredKeys, start_with
from portico.cli.supervise import CANNOT_START, Supervisor
from portico.cli.tls import server_tls
from portico.config import Config, ConfigError, load_config
from portico.core.ids import PooledRandom
from portico.http.asgi import ASGIApp, AsgiBridge, StartupFailed
from portico.http.budget import Budget
from portico.http.client import HttpUpstream
from portico.http.forwarded import TrustedProxies
from portico.http.front import Front
from portico.http.gateway import Gateway
from portico.http.limits import Limits
from portico.http.operations import Operations
from portico.http.readiness import DRAINING, STARTING, Readiness
from portico.http.server import Server
from portico.http.tls import ServerTls, TlsError
from portico.providers import KINDS, Provider, Secret
from portico.relay.relay import Relay
from portico.vault import MemoryVault

KEY_FILE: Final = "api_key"
HANGUP: Final = getattr(signal, "SIGHUP", None)
"""There is none on Windows."""


def run_serve(
    *, config: Path | None, overrides: Mapping[str, object], simulate: bool, web: ASGIApp | None = None
) -> int:
    """Serves until interrupted; returns the exit code. `overrides`: what the command line says (`config.load_config`).
    `web` is served at every path that is no call's."""
    try:
        settings = load_config(os.environ, file=config, overrides=overrides)
        catalog = load_catalog().with_models(settings.models)
        tls = server_tls(settings)
    except (ConfigError, CatalogError) as error:
        print(f"The configuration cannot be used:\n{_indented(str(error))}", file=sys.stderr)
        return 1
    settings = settings if simulate else start_with(settings)
    if not settings.providers and not simulate:
        print(_NO_PROVIDER, file=sys.stderr)
        return 1
    if tls is not None and (warning := tls.warning()) is not None:
        print(f"Careful: {warning}", file=sys.stderr)
    try:
        key, where = _api_key(settings)
        listener = _listen(settings.server.host, settings.server.port)
    except OSError as error:
        print(_explained(error, settings), file=sys.stderr)
        return 1
    simulator = _listen("127.0.0.1", 0) if simulate else None
    if simulator is not None:
        settings = _with_simulator(settings, simulator)
    try:
        shared = Shared.of(settings, catalog, _listen)
    except OSError as error:
        print(_explained_watch(error, settings), file=sys.stderr)
        return 1
    _greet(settings, listener, key, where, shared, simulated=simulate)
    plan = _Plan(settings, catalog, key, listener, simulator, tls, web, shared)
    return run(lambda: _serve(plan)) if settings.server.workers == 1 else _supervise(plan)


_NO_PROVIDER: Final = """\
No provider is configured, so there is nobody to answer.
  Set GEMINI_API_KEY to a key from Google AI Studio:
      GEMINI_API_KEY=… portico serve
  or name providers in portico.toml:
      [[providers]]
      name = "gemini"
      kind = "gemini"
      keys = ["env:GEMINI_API_KEY"]
  or keep its key in the database, encrypted:
      portico credentials add gemini < key.txt
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


def _explained_watch(error: OSError, settings: Config) -> str:
    if error.filename:
        return f"Cannot write the access log {error.filename}: {error.strerror}"
    if settings.metrics.listen is None:
        return f"Cannot write the access log to {settings.log.access}: {error.strerror or error}"
    host, port = settings.metrics.listen
    return f"Cannot listen on {host}:{port} for metrics: {error.strerror or error}"


# -- one process -----------------------------------------------------------------------------------------------------


class _Plan(msgspec.Struct, frozen=True):
    """What every worker serves with. Made once, before there are any."""

    settings: Config
    catalog: Catalog
    key: str
    listener: socket.socket
    simulator: socket.socket | None
    """Where the simulator listens, if this process is to play it."""
    tls: ServerTls | None
    web: ASGIApp | None
    shared: Shared
    number: int = 0
    """Which worker this is."""

    @property
    def reloads(self) -> bool:
        """Whether SIGHUP means something."""
        return self.tls is not None or self.shared.reopens


async def _serve(plan: _Plan, lifeline: int | None = None) -> int:
    settings, catalog, limits = plan.settings, plan.catalog, plan.settings.server
    stopped, readiness = listen_for_stop(lifeline), Readiness(STARTING)
    watch = Watch(plan.shared, plan.number, readiness)
    budget = Budget(max_body_bytes=limits.max_body_bytes_in_flight, max_calls=limits.max_open_calls)
    vault = MemoryVault(time.monotonic)
    upstream = HttpUpstream(proxies=settings.proxies)
    fetcher = fetcher_of(settings.media)
    rng = PooledRandom()
    relay = Relay(
        catalog=catalog,
        providers=settings.providers,
        upstream=upstream,
        vault=vault,
        rng=rng,
        now=time.time,
        settings=settings.server,
        defaults=settings.defaults,
        fetcher=fetcher,
    )
    stored = StoredKeys(settings, relay)
    gateway = Gateway(
        relay=relay,
        catalog=catalog,
        keyring=Keyring({plan.key: DEFAULT_TENANT}),
        rng=rng,
        simulated=any(provider.name == SIMULATOR_NAME for provider in settings.providers),
        budget=budget,
        observer=watch.observer,
    )
    bridge = AsgiBridge(plan.web) if plan.web is not None else None
    front = Front(gateway, gateway.render_protocol_error, bridge)
    server = Server(
        Operations(front, readiness, metrics=watch.text, admin_key=settings.admin_key),
        limits=Limits(max_body_bytes=limits.max_body_bytes),
        render_error=front.render_protocol_error,
        budget=budget,
        admit=gateway.admit,
        proxies=TrustedProxies.of(limits.trusted_proxies),
    )
    stand_in = None if plan.simulator is None else _stand_in()
    try:
        if bridge is not None:
            await bridge.start()
        if stand_in is not None:
            await stand_in.start(sock=plan.simulator)
        await stored.start()
        await server.start(sock=plan.listener, tls=None if plan.tls is None else plan.tls.context)
        await watch.start(server=server, upstream=upstream, vault=vault, budget=budget)
        if HANGUP is not None and plan.reloads:
            asyncio.get_running_loop().add_signal_handler(HANGUP, _reload, plan, watch)
        readiness.clear(STARTING)
        settle_memory()
        await run_until_stopped(stopped, lifeline)
        readiness.wait_for(DRAINING)
        await asyncio.sleep(limits.drain_delay_s)  # still accepting: who asks /readyz has to notice first
    except StartupFailed as error:
        print(f"The web app could not start:\n{_indented(str(error))}", file=sys.stderr)
        return 1 if lifeline is None else CANNOT_START
    finally:
        readiness.wait_for(DRAINING)
        await server.stop(grace_s=limits.grace_s)
        if bridge is not None:
            await bridge.stop()
        await stored.stop()
        await upstream.aclose()
        await fetcher.aclose()
        if stand_in is not None:
            await stand_in.stop(grace_s=limits.grace_s)  # other workers ask it too
        await watch.stop()
    return 0


def _stand_in() -> Server:
    from portico.simulator import Simulator

    return Server(Simulator(now=time.time))


def _reload(plan: _Plan, watch: Watch) -> None:
    """On SIGHUP: the log was renamed, or there is another certificate."""
    watch.reopen()
    try:
        if plan.tls is not None:
            plan.tls.reload()
    except TlsError as error:
        print(f"The certificate stays as it was: {error}", file=sys.stderr)


SIMULATOR_NAME: Final = "simulator"


def _with_simulator(settings: Config, listener: socket.socket) -> Config:
    """The configuration with the simulator as its only provider."""
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    secret = Secret("simulated", "the simulator")
    provider = Provider.at(SIMULATOR_NAME, KINDS["gemini"], base_url, (secret,))
    return msgspec.structs.replace(settings, providers=(provider,), dormant=())


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


def _greet(settings: Config, listener: socket.socket, key: str, where: str, shared: Shared, *, simulated: bool) -> None:
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    scheme = "http" if settings.server.tls_certificate is None else "https"
    base = f"{scheme}://{shown}:{port}"
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
    if shared.listener is not None:
        metrics_host, metrics_port = shared.listener.getsockname()[:2]
        lines.append(
            f"  Metrics    http://{f'[{metrics_host}]' if ':' in metrics_host else metrics_host}:{metrics_port}/metrics"
        )
    if isinstance(settings.log.access, Path):
        lines.append(f"  Access log {_shown(str(settings.log.access))}")
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


def _supervise(plan: "_Plan") -> int:
    """Workers on one listening socket; the first plays the simulator too."""

    def work(number: int, lifeline: int) -> int:
        simulator = plan.simulator if number == 0 else None
        mine = msgspec.structs.replace(plan, simulator=simulator, number=number)
        return run(lambda: _serve(mine, lifeline))

    return Supervisor(
        plan.settings.server.workers,
        work,
        passed_on=(HANGUP,) if HANGUP is not None and plan.reloads else (),
        ended=plan.shared.metrics.clear_gauges,
        replaced=plan.shared.metrics.replaced,
        # Nobody accepts from the supervisor's own copy of the socket; open, it would keep callers waiting in a queue.
        stopping=plan.listener.close,
    ).run()
