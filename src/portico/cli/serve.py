"""`portico serve`: config -> objects -> server; one process, or several under a supervisor."""

import contextlib
import errno
import os
import random
import socket
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from portico import __version__
from portico.accounts.keys import new_key, visible_prefix
from portico.catalog import Catalog, CatalogError, load_catalog
from portico.cli.bookkeeper import first_start, prepare
from portico.cli.listen import listen
from portico.cli.loop import run
from portico.cli.operations import Shared
from portico.cli.stored_keys import may_be_kept, start_with
from portico.cli.supervise import Supervisor
from portico.cli.tls import server_tls
from portico.cli.worker import HANGUP, Plan, serve
from portico.config import Config, ConfigError, load_config
from portico.core.errors import StorageUnavailable
from portico.http.asgi import ASGIApp
from portico.http.tls import ServerTls
from portico.providers import KINDS, Provider, Secret
from portico.store.engine import reason
from portico.store.version import Unusable

KEY_FILE: Final = "api_key"
SIMULATED: Final = ("gemini", "openai", "anthropic")
"""The kinds of provider that the simulator plays for `--simulate`."""


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
    if tls is not None and (warning := tls.warning()) is not None:
        print(f"Careful: {warning}", file=sys.stderr)
    with contextlib.ExitStack() as ends:
        try:
            plan = _planned(settings, catalog, tls, web, ends, simulate=simulate)
        except _CannotStart as error:
            print(error, file=sys.stderr)
            return 1
        return run(lambda: serve(plan)) if settings.server.workers == 1 else _supervise(plan)


class _CannotStart(Exception):
    """The message says why, and what helps."""


def _planned(
    settings: Config,
    catalog: Catalog,
    tls: ServerTls | None,
    web: ASGIApp | None,
    ends: contextlib.ExitStack,
    *,
    simulate: bool,
) -> Plan:
    """Everything that workers share, made in an order that leaves nothing behind where nobody could be served; the
    operator is greeted. `ends` closes what listens. Raises `_CannotStart`."""
    if not (simulate or settings.providers or may_be_kept(settings)):
        raise _CannotStart(_NO_PROVIDER)
    try:
        key = _api_key(settings)
        prepare(settings, key.value)
    except OSError as error:
        raise _CannotStart(
            f"Cannot write {error.filename or settings.data_folder}: {error.strerror or error}"
        ) from None
    except (Unusable, StorageUnavailable) as error:
        raise _without_database(error) from None
    named = [provider.name for provider in settings.providers]
    settings = settings if simulate else start_with(settings)
    if not settings.providers and not simulate:
        raise _CannotStart(_no_key_of(named) if named else _NO_PROVIDER)
    try:
        listener = ends.enter_context(listen(settings.server.host, settings.server.port))
    except OSError as error:
        raise _CannotStart(_explained(error, settings)) from None
    simulator = ends.enter_context(listen("127.0.0.1", 0)) if simulate else None
    if simulator is not None:
        settings = _with_simulator(settings, simulator)
    try:
        shared = Shared.of(settings, catalog, listen)
    except OSError as error:
        raise _CannotStart(_explained_watch(error, settings)) from None
    if shared.listener is not None:
        ends.enter_context(shared.listener)
    first = _first(settings, _base_url(settings, listener), web)
    _greet(settings, listener, key, shared, first, simulated=simulate)
    return Plan(settings, catalog, listener, simulator, tls, web, shared, simulated=simulate)


def _without_database(error: Unusable | StorageUnavailable) -> _CannotStart:
    why = str(error) if isinstance(error, Unusable) else reason(error)
    return _CannotStart(f"The database cannot be used:\n{_indented(why)}")


def _no_key_of(providers: Sequence[str]) -> str:
    """Providers whose keys are to be in the database, and none is."""
    names = ", ".join(providers)
    return f"""\
No key of {names} is kept in the database, so there is nobody to answer.
  Keep one, encrypted:
      portico credentials add {providers[0]} < key.txt
  or name one in portico.toml, beside those of the database:
      keys = ["database", "env:NAME"]
  or try Portico without any provider (answers are simulated and say so):
      portico serve --simulate"""


_NO_PROVIDER: Final = """\
No provider is configured, so there is nobody to answer.
  Set the key of a provider, or of several (also OPENAI_API_KEY, ANTHROPIC_API_KEY, VERTEX_API_KEY):
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
    told = f"Cannot listen on {server.host}:{server.port}: {error.strerror or error}"
    if error.errno not in (errno.EADDRINUSE, errno.EACCES):
        return f"{told}\n  Choose an address of this machine: add --host 127.0.0.1, or --host 0.0.0.0 for all of them"
    other = server.port + 1 if server.port < 65535 else 0
    return f"{told}\n  Choose another port: add --port {other}, or with make: make run PORT={other}"


def _explained_watch(error: OSError, settings: Config) -> str:
    if error.filename:
        return f"Cannot write the access log {error.filename}: {error.strerror}"
    if settings.metrics.listen is None:
        return f"Cannot write the access log to {settings.log.access}: {error.strerror or error}"
    host, port = settings.metrics.listen
    return f"Cannot listen on {host}:{port} for metrics: {error.strerror or error}"


def _with_simulator(settings: Config, listener: socket.socket) -> Config:
    """The configuration with the simulator as its only providers, one of each kind that it plays. Their names say so in
    receipts and metrics, where a simulated call stands among others."""
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    secret = Secret("simulated", "the simulator")
    providers = tuple([Provider.at(f"simulated-{kind}", KINDS[kind], base_url, (secret,)) for kind in SIMULATED])
    return msgspec.structs.replace(settings, providers=providers, dormant=())


class _ApiKey(NamedTuple):
    """The key callers use."""

    value: str
    where: str
    """It is from there."""
    is_new: bool = False

    @property
    def shown(self) -> str:
        """As it is told: whole to a terminal, and by the start that made it; else what it begins with, since what a service
        says is kept in logs, and read by others."""
        if self.is_new or sys.stdout.isatty():
            return self.value
        return f"{visible_prefix(self.value)}…"

    @property
    def header(self) -> str:
        """As a shell is told to send it."""
        whole = self.shown == self.value
        return f"'Authorization: Bearer {self.value}'" if whole else '"Authorization: Bearer $PORTICO_API_KEY"'


def _api_key(settings: Config) -> _ApiKey:
    """PORTICO_API_KEY, or one made at the first start and kept with the data. Raises `_CannotStart`, `OSError`."""
    if settings.api_key is not None:
        return _ApiKey(settings.api_key.reveal(), settings.api_key.source)
    folder = settings.data_folder
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        try:
            key = path.read_text(encoding="ascii").strip()
        except UnicodeDecodeError:
            raise _CannotStart(f"{path} holds no key. Remove it, and another is made.") from None
        if key:
            return _ApiKey(key, str(path))
        path.unlink()
        return _api_key(settings)
    key = new_key(random.SystemRandom())
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return _ApiKey(key, str(path), is_new=True)


def _greet(
    settings: Config,
    listener: socket.socket,
    key: _ApiKey,
    shared: Shared,
    first: Sequence[str],
    *,
    simulated: bool,
) -> None:
    base = _base_url(settings, listener)
    lines = [f"Portico {__version__}: one door to every model", ""]
    if simulated:
        lines += [
            "  SIMULATED  No provider is asked. Gemini, GPT and Claude are played by the built-in simulator: answers",
            "             are made up, marked [simulated], and booked at real prices, though nobody is paid. Set",
            "             GEMINI_API_KEY, OPENAI_API_KEY or ANTHROPIC_API_KEY for real ones.",
            "",
        ]
    lines.append(f"  Address    {base}/v1")
    lines.append(f"  Key        {key.shown}")
    lines.append(f"             (from {_shown(key.where)})")
    lines += first
    if not simulated:
        sources = [f"{p.name} ({', '.join(secret.source for secret in p.keys)})" for p in settings.providers]
        lines.append(f"  Providers  {', '.join(sources)}")
    if settings.server.workers > 1:
        lines.append(f"  Workers    {settings.server.workers}")
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
        f"      -H {key.header} -H 'Content-Type: application/json' \\",
        """      -d '{"model": "gemini-3.5-flash", "messages": [{"role": "user", "content": "Hello"}]}'""",
        "",
        f"  Models: curl {base}/v1/models -H {key.header}, or portico models",
        "  Clients, configuration, more: README.md; portico --help; portico check. Stop with Ctrl-C.",
        "",
    ]
    try:
        print("\n".join(lines), flush=True)
    except OSError as error:  # a full disk, a pipe that nobody reads: calls are served all the same
        sys.stdout = StringIO()  # what could not be written is not tried again, at the end of each worker
        why = error.strerror or error
        print(f"Careful: the greeting could not be written: {why}. Calls are served at {base}", file=sys.stderr)


def _first(settings: Config, base: str, web: ASGIApp | None) -> list[str]:
    """Where nobody runs this Portico yet, the link by which somebody begins. It is told here and nowhere else: whoever sees
    what this command says is the operator. Raises `_CannotStart`."""
    if web is not None or not settings.web.pages:
        return []
    try:
        path = first_start(settings)
    except StorageUnavailable as error:
        raise _without_database(error) from None
    if path is None:
        return []
    return [
        f"  Begin at   {settings.web.public_url or base}{path}",
        "             (nobody runs this Portico yet: who opens it will; it works once, for a day or until the next start)",
    ]


def _base_url(settings: Config, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    scheme = "http" if settings.server.tls_certificate is None else "https"
    return f"{scheme}://{shown}:{port}"


def _shown(where: str) -> str:
    """A path as it is seen from here, where that is shorter."""
    path = Path(where)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else where


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


# -- several processes -----------------------------------------------------------------------------------------------


def _supervise(plan: Plan) -> int:
    """Workers on one listening socket; the first plays the simulator too."""

    def work(number: int, lifeline: int) -> int:
        simulator = plan.simulator if number == 0 else None
        mine = msgspec.structs.replace(plan, simulator=simulator, number=number)
        return run(lambda: serve(mine, lifeline))

    return Supervisor(
        plan.settings.server.workers,
        work,
        passed_on=() if HANGUP is None else (HANGUP,),
        ended=plan.shared.metrics.clear_gauges,
        replaced=plan.shared.metrics.replaced,
        # Nobody accepts from the supervisor's own copy of the socket; open, it would keep callers waiting in a queue.
        stopping=plan.listener.close,
    ).run()
