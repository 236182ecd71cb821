"""How settings come into a file that is somebody's own: only what differs is touched, and twice is the same as once.

Whatever was cut and pasted is read again: a file that would not say what was meant is never written.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from portico.clients.merge.envfile import merge_env, read_env
from portico.clients.merge.errors import Unmergeable
from portico.clients.merge.jsonfile import merge_json, read_json
from portico.clients.merge.plan import Each, Fate, Into, Plan, after, planned
from portico.clients.merge.tomlfile import merge_toml, read_toml
from portico.clients.merge.yamlfile import merge_yaml, read_yaml
from portico.clients.settings import Format, Settings, same

__all__ = ["Unmergeable", "merge", "merged", "read"]


class _Kind(NamedTuple):
    merge: Callable[[str, Plan], str]
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
    held = kind.read(text)
    plan = planned(settings, held)
    if held is not None and not isinstance(plan, Into | Each | Fate):
        raise Unmergeable("the file is not of names and values", 1)
    result = kind.merge(text, plan)
    if not _says(kind, result, after(plan, held)):
        raise Unmergeable("it is written in a way that cannot be changed without rewriting it")
    return result


def _says(kind: _Kind, text: str, meant: Any) -> bool:
    try:
        return same(kind.read(text), meant)
    except Unmergeable:
        return False


def merged(held: Any, settings: Settings) -> Any:
    """What the value of a file becomes by settings. Raises `Unmergeable`."""
    return after(planned(settings, held), held)


def read(format_: Format, text: str) -> Any:
    """What the text of a file says; None if it says nothing. Raises `Unmergeable`."""
    return _KINDS[format_].read(text)
