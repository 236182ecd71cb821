"""[server]: how calls are served, and where."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from portico.config.secrets import WEAK
from portico.config.sources import Sources
from portico.config.values import said, wanted
from portico.http.forwarded import TrustedProxies
from portico.providers import Secret
from portico.providers.secret_keys import is_strong
from portico.relay.relay import Settings

MAX_PORT: Final = 65535
MIB: Final = 1024 * 1024


class ServerConfig(Settings, frozen=True):
    """[server]: how calls are served, and where."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    max_body_bytes: int = 64 * MIB
    max_body_bytes_in_flight: int = 512 * MIB
    max_open_calls: int = 4096
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    drain_delay_s: float = 0.0
    grace_s: float = 30.0


SETTINGS: Final[Mapping[str, tuple[type, ...]]] = {
    "host": (str,),
    "port": (int,),
    "workers": (int,),
    "max_body_bytes": (int,),
    "max_body_bytes_in_flight": (int,),
    "max_open_calls": (int,),
    "tls_certificate": (str,),
    "tls_key": (str,),
    "trusted_proxies": (list,),
    "drain_delay_s": (int, float),
    "grace_s": (int, float),
    "commit_after_s": (int, float),
    "keep_alive_s": (int, float),
    "connect_timeout_s": (int, float),
    "first_byte_timeout_s": (int, float),
    "idle_timeout_s": (int, float),
}
"""The keys of [server] and their types; each is also PORTICO_<KEY>."""

KEYS: Final = frozenset(SETTINGS) | {"admin_key"}


def read_server(sources: Sources, table: Mapping[str, Any], overrides: Mapping[str, Any]) -> ServerConfig:
    """`overrides`: what the command line says."""
    values: dict[str, Any] = {}
    for key, types in SETTINGS.items():
        name, source = f"server.{key}", "file"
        value = table.get(key)
        text = sources.environment.get(f"PORTICO_{key.upper()}")
        if text:
            name, source = f"PORTICO_{key.upper()}", "environment"
            value = said(text, types)
        if overrides.get(key) is not None:
            name, source, value = f"--{key}", "command line", overrides[key]
        if value is None:
            continue
        line = sources.line("server", key) if source == "file" else None
        if isinstance(value, bool) or not isinstance(value, types):
            message = f"expected {wanted(types)}, found {text or value!r}"
            sources.problem(name, message, line=line, in_file=source == "file")
        elif (out := _out_of_bounds(key, value)) is not None:
            sources.problem(name, out, line=line, in_file=source == "file")
        else:
            values[key] = value
    together, one = values.get("max_body_bytes_in_flight", 512 * MIB), values.get("max_body_bytes", 64 * MIB)
    if together < one:
        in_file = sources.line("server", "max_body_bytes_in_flight")
        message = f"{together} is less than max_body_bytes, {one}: a body of that size could never be taken"
        sources.problem("server.max_body_bytes_in_flight", message, line=in_file, in_file=in_file is not None)
    return ServerConfig(**_as_kept(sources, values, table))


def _as_kept(sources: Sources, values: dict[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Values of [server] in their own types. A certificate and its key are only worth something together."""
    pair = ("tls_certificate", "tls_key")
    for given, other in (pair, pair[::-1]):
        if given in values and other not in values and not any(p.key.endswith(other) for p in sources.problems):
            line = sources.line("server", given) if given in table else None
            sources.problem(f"server.{given}", f"needs {other} beside it", line=line, in_file=given in table)
    kept = {key: sources.home / value for key, value in values.items() if key in pair}
    return {**values, **kept, "trusted_proxies": tuple(values.get("trusted_proxies", ()))}


def _out_of_bounds(key: str, value: Any) -> str | None:
    if key == "port" and not 0 <= value <= MAX_PORT:
        return f"{value} is not a port (0 to {MAX_PORT}; 0 takes a free one)"
    if key == "workers" and not 1 <= value <= 256:
        return f"{value} is not between 1 and 256"
    if key == "trusted_proxies":
        try:
            TrustedProxies.of(value)
        except (ValueError, TypeError) as error:
            return f"expected addresses and networks: {error}"
    elif key == "drain_delay_s":
        return None if 0 <= value < float("inf") else f"{value} is not from 0 on"
    elif not isinstance(value, str) and key not in ("port", "workers") and not 0 < value < float("inf"):
        return f"{value} is not above 0"
    return None


def read_admin_key(sources: Sources, table: Mapping[str, Any], api_key: Secret | None) -> Secret | None:
    """What opens /metrics and the admin API; never what the callers have (`api_key`). Nobody counts who tries it, so it
    must be one that is not guessed."""
    key = sources.secret_of_environment("PORTICO_ADMIN_KEY")
    if key is None and (named := table.get("admin_key")) is not None:
        found = sources.secret(named)
        if isinstance(found, str):
            sources.at("server", "admin_key", found)
        else:
            key = found
    if key is not None and not is_strong(key):
        sources.problem("server.admin_key", f"{key.source} {WEAK}", in_file=False)
    if key is not None and api_key is not None and key.reveal() == api_key.reveal():
        sources.problem("server.admin_key", "is the key of the callers; it must be another", in_file=False)
    return key
