"""[media]: files that callers name by address."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.config.sources import Sources
from portico.config.values import number, words
from portico.core.address import AllowList

KEYS: Final = frozenset({"allow", "max_bytes", "timeout_s"})


class MediaConfig(msgspec.Struct, frozen=True):
    """[media]: files that callers name by address. `allow` are hosts and networks beside the public ones."""

    allow: tuple[str, ...] = ()
    max_bytes: int = 20 * 1024 * 1024
    timeout_s: float = 30.0


def read_media(sources: Sources, table: Mapping[str, Any]) -> MediaConfig:
    values: dict[str, Any] = {}
    for key, types in (("max_bytes", (int,)), ("timeout_s", (int, float))):
        text = sources.environment.get(f"PORTICO_MEDIA_{key.upper()}")
        value = number(text) if text else table.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, types) or not 0 < value < float("inf"):
            wanted = "a number" if float in types else "a whole number"
            _say(sources, key, f"expected {wanted} above 0, found {text or value!r}", given=text)
        else:
            values[key] = value
    text = sources.environment.get("PORTICO_MEDIA_ALLOW")
    allow = words(text) if text else table.get("allow", [])
    wanted = 'expected a list of hosts and networks such as ["10.1.0.0/16"]'
    if not isinstance(allow, list) or not all(isinstance(entry, str) for entry in allow):
        _say(sources, "allow", f"{wanted}, found {allow!r}", given=text)
        return MediaConfig(**values)
    try:
        AllowList.of(allow)
        values["allow"] = tuple(allow)
    except ValueError as error:
        _say(sources, "allow", f"{wanted}: {error}", given=text)
    return MediaConfig(**values)


def _say(sources: Sources, key: str, message: str, *, given: str | None) -> None:
    """`given`: by the environment."""
    if given:
        sources.problem(f"PORTICO_MEDIA_{key.upper()}", message, in_file=False)
    else:
        sources.at("media", key, message)
