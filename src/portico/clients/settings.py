"""Settings as data: a tree that is merged into a file which is somebody's own."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias, Union

import msgspec


class Format(StrEnum):
    """How a file is written."""

    JSON = "json"
    """With the comments, trailing commas and loose keys of JSON5 where they stand already; what is added is plain JSON."""
    TOML = "toml"
    YAML = "yaml"
    ENV = "env"
    """Lines of NAME=value."""


class Owned(msgspec.Struct, frozen=True):
    """Items of a list in which others' items stand too. Those of which the member `key` begins with `mark` are ours: they
    are replaced as a whole, and whatever else is in the list stays."""

    key: str
    mark: str
    items: tuple[Mapping[str, "Setting"], ...]


class Whole(msgspec.Struct, frozen=True):
    """A mapping that is all ours: it stands in the place of what was there, so that models which are gone go."""

    members: Mapping[str, "Setting"]


Setting: TypeAlias = Union[str, int, float, bool, tuple["Setting", ...], Mapping[str, "Setting"], Owned, Whole, None]  # noqa: UP007
"""A mapping is merged, member by member; anything else stands in the place of what was there."""
Settings: TypeAlias = Mapping[str, Setting] | Owned
"""The tree of a whole file."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a client's, and what is merged into it."""

    path: str
    """Below the home folder, with slashes: `.openclaw/openclaw.json`."""
    format: Format
    settings: Settings
    secret: bool = False
    """It holds the key: nobody else may read it."""


def bare(setting: "Setting | Settings") -> Any:
    """A setting as it reads in a file where nothing was: dicts, lists and scalars."""
    match setting:
        case Whole(members=members):
            return bare(members)
        case Owned(items=items):
            return [bare(item) for item in items]
        case Mapping():
            return {key: bare(value) for key, value in setting.items()}
        case tuple():
            return [bare(item) for item in setting]
    return setting


def same(left: Any, right: Any) -> bool:
    """Whether two bare values say the same; what is true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    numbers = type(left) in (int, float) and type(right) in (int, float)
    return bool(left == right) and (numbers or type(left) is type(right))


def merged(held: Any, setting: "Setting | Settings") -> Any:
    """What a bare value becomes by a setting."""
    match setting:
        case Owned():
            return _merged_list(held if isinstance(held, list) else [], setting)
        case Mapping():
            base = held if isinstance(held, dict) else {}
            return base | {key: merged(base.get(key), value) for key, value in setting.items()}
    return bare(setting)


def is_owned(item: Any, owned: Owned) -> bool:
    """Whether a bare item of a list is one of ours."""
    return isinstance(item, dict) and str(item.get(owned.key, "")).startswith(owned.mark)


def _merged_list(held: list[Any], owned: Owned) -> list[Any]:
    wanted = {item[owned.key]: bare(item) for item in owned.items}
    kept = [wanted.pop(item[owned.key], None) if is_owned(item, owned) else item for item in held]
    return [*(item for item in kept if item is not None), *wanted.values()]
