"""Settings as data: a tree that is merged into a file which is somebody's own."""

from collections.abc import Iterable, Mapping
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
    """Items of a list in which others' items stand too. Those that are ours are replaced, those of ours that are gone go,
    and whatever else is in the list stays where it is."""

    key: str
    """The member by which items are told apart; empty: they are texts."""
    mark: str | None
    """Ours are those in which the member `marked` begins with it; None: those that are named like one of `items`."""
    items: tuple["Setting", ...]
    marked: str = ""
    """Empty: `key`."""

    def name(self, item: Any) -> str | None:
        """What a bare item is called, if it is ours."""
        if not self.key:
            ours = isinstance(item, str) and self.mark is not None and item.startswith(self.mark)
            return item if ours else None
        if not isinstance(item, Mapping) or not isinstance(item.get(self.key), str):
            return None
        if self.mark is None:
            return item[self.key] if item[self.key] in self.wanted() else None
        return item[self.key] if str(item.get(self.marked or self.key, "")).startswith(self.mark) else None

    def wanted(self) -> dict[str, Any]:
        """The items as bare values, by name."""
        values = [bare(item) for item in self.items]
        return {value[self.key] if self.key else value: value for value in values}

    def gone(self, items: Iterable[Any]) -> list[bool]:
        """Which of a list's bare items are ours and no longer wanted, or there twice."""
        left = set(self.wanted())
        verdicts = []
        for item in items:
            name = self.name(item)
            verdicts.append(name is not None and name not in left)
            left.discard(name or "")
        return verdicts


class Whole(msgspec.Struct, frozen=True):
    """A mapping that is all ours: it stands in the place of what was there, so that models which are gone go."""

    members: Mapping[str, "Setting"]


class Default(msgspec.Struct, frozen=True):
    """What is written only where nothing is: a file that lacks it would not be read."""

    value: "Setting"


Setting: TypeAlias = Union[  # noqa: UP007
    str, int, float, bool, tuple["Setting", ...], Mapping[str, "Setting"], Owned, Whole, Default, None
]
"""A mapping is merged, member by member; anything else stands in the place of what was there."""
Settings: TypeAlias = Mapping[str, Setting] | Owned
"""The tree of a whole file."""


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a client's, and what is merged into it."""

    path: str
    """Below the home folder, with slashes: `.openclaw/openclaw.json`."""
    others: tuple[str, ...] = ()
    """Names under which the client reads the same; one that is there already is taken."""
    format: Format
    settings: Settings
    secret: bool = False
    """It holds the key: nobody else may read it."""


def bare(setting: "Setting | Settings") -> Any:
    """A setting as it reads in a file where nothing was: dicts, lists and scalars."""
    match setting:
        case Whole(members=members):
            return bare(members)
        case Default(value=value):
            return bare(value)
        case Owned():
            return list(setting.wanted().values())
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
            items = held if isinstance(held, list) else []
            wanted = setting.wanted()
            kept = [item for item, gone in zip(items, setting.gone(items), strict=True) if not gone]
            return [*(wanted.pop(setting.name(item) or "", item) for item in kept), *wanted.values()]
        case Mapping():
            base = held if isinstance(held, dict) else {}
            return base | {
                key: merged(base.get(key), value)
                for key, value in setting.items()
                if not (isinstance(value, Default) and key in base)
            }
    return bare(setting)
