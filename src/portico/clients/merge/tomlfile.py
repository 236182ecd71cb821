"""Settings into a TOML file. No client keeps a list there in which other people's items stand."""

from collections.abc import Mapping, MutableMapping
from typing import Any

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import ParseError, TOMLKitError

from portico.clients.merge.errors import Unmergeable
from portico.clients.settings import Default, Setting, Settings, bare, same


def merge_toml(text: str, settings: Settings) -> str:
    """The text with the settings in it. Raises `Unmergeable`."""
    document = _parsed(text)
    if not isinstance(settings, Mapping):
        raise Unmergeable("the file is not a list", 1)
    return tomlkit.dumps(document) if _into(document, settings) else text


def read_toml(text: str) -> Any:
    """The value that a text is. Raises `Unmergeable`."""
    return _parsed(text).unwrap()


def _parsed(text: str) -> TOMLDocument:
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise Unmergeable(str(error).rsplit(" at line", 1)[0], error.line) from None
    except TOMLKitError as error:
        raise Unmergeable(str(error)) from None


def _into(held: MutableMapping[str, Any], settings: Mapping[str, Setting]) -> bool:
    """Whether anything was changed."""
    changed = False
    for key, setting in settings.items():
        there = held.get(key)
        if isinstance(setting, Mapping) and isinstance(there, MutableMapping):
            changed |= _into(there, setting)
        elif there is None or not (isinstance(setting, Default) or same(_bare(there), bare(setting))):
            held[key] = tomlkit.item(bare(setting))
            changed = True
    return changed


def _bare(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value
