"""How settings come into a file that is somebody's own: only what differs is touched, and twice is the same as once.

Whatever was cut and pasted is read again: a file that would not say what was meant is never written.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from portico.clients.merge.envfile import merge_env, read_env
from portico.clients.merge.errors import Unmergeable
from portico.clients.merge.jsonfile import merge_json, read_json
from portico.clients.merge.tomlfile import merge_toml, read_toml
from portico.clients.merge.yamlfile import merge_yaml, read_yaml
from portico.clients.settings import Format, Settings, merged, same

__all__ = ["Unmergeable", "merge", "read"]


class _Kind(NamedTuple):
    merge: Callable[[str, Settings], str]
    read: Callable[[str], Any]


_KINDS: Final[Mapping[Format, _Kind]] = {
    Format.JSON: _Kind(merge_json, read_json),
    Format.TOML: _Kind(merge_toml, read_toml),
    Format.YAML: _Kind(merge_yaml, read_yaml),
    Format.ENV: _Kind(merge_env, read_env),
}


def merge(format_: Format, text: str, settings: Settings) -> str:
    """The text of a file, empty if there is none, with the settings in it. Raises `Unmergeable`."""
    kind = _KINDS[format_]
    meant = merged(kind.read(text), settings)
    result = kind.merge(text, settings)
    if not same(kind.read(result), meant):
        raise Unmergeable("it is written in a way that cannot be changed without rewriting it")
    return result


def read(format_: Format, text: str) -> Any:
    """What the text of a file says; None if it says nothing. Raises `Unmergeable`."""
    return _KINDS[format_].read(text)
