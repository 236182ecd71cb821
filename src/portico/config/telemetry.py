"""[log] and [metrics]: what an operator sees. What may stand there is said in `telemetry/settings.py`."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from portico.config.sources import Sources
from portico.telemetry.settings import LogConfig, MetricsConfig, access_of, listen_of

T = TypeVar("T")

LOG_KEYS: Final = frozenset({"access"})
METRICS_KEYS: Final = frozenset({"listen"})


def read_log(sources: Sources, table: Mapping[str, Any], override: Any) -> LogConfig:
    """`override`: what the command line says; then a file is below the working directory."""
    beside = sources.home if override is None else sources.folder
    access = _told(sources, "log", "access", table, lambda value: access_of(value, beside), override)
    return LogConfig() if access is None else LogConfig(access)


def read_metrics(sources: Sources, table: Mapping[str, Any]) -> MetricsConfig:
    return MetricsConfig(_told(sources, "metrics", "listen", table, listen_of))


def _told(
    sources: Sources, name: str, key: str, table: Mapping[str, Any], read: Callable[[Any], T], override: Any = None
) -> T | None:
    """The only setting of a table, as `read` understands it (it raises `ValueError`); None if it is not given."""
    variable = f"PORTICO_{name}_{key}".upper()
    text = sources.environment.get(variable)
    value = override if override is not None else text or table.get(key)
    if value is None:
        return None
    try:
        return read(value)
    except ValueError as error:
        message = f"{error}, found {value!r}"
        if override is not None:
            sources.problem(f"--{key}-{name}", message, in_file=False)
        elif text:
            sources.problem(variable, message, in_file=False)
        else:
            sources.at(name, key, message)
        return None
