"""Settings as data: a tree that is merged into a file which is somebody's own."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
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


def _text(item: Any, key: str) -> str | None:
    """The text that a member of an item is; without a key, that the item is."""
    if key:
        item = item.get(key) if isinstance(item, Mapping) else None
    return item if isinstance(item, str) else None


class Owned(msgspec.Struct, frozen=True, kw_only=True):
    """Items of a list in which others' items stand too. Those that are ours are replaced, those of ours that are gone go,
    and whatever else is in the list stays where it is."""

    items: tuple["Setting", ...]
    ours: Callable[[Any], bool]
    """Whether a bare item was written by us."""
    key: str = ""
    """The member by which items are told apart; empty: they are texts, and one that stands alone is a list of one."""
    first: bool = False
    """What is new stands before the items of others; where the first of ours stands already, it comes to the end."""
    yields: bool = False
    """An item of others' that is named like one of ours stands for it."""

    def name(self, item: Any) -> str | None:
        """What a bare item is told apart by, whoever wrote it."""
        return _text(item, self.key)

    def wanted(self) -> dict[str, Any]:
        """The items as bare values, by name."""
        values = [bare(item) for item in self.items]
        return {value[self.key] if self.key else value: value for value in values}

    def listed(self, held: Any) -> list[Any] | None:
        """What is there as a list, None where something else is."""
        if held is None:
            return []
        if not self.key and isinstance(held, str | int | float):
            return [held]
        return held if isinstance(held, list) else None


class Begins(msgspec.Struct, frozen=True):
    """Ours are the items whose member begins with a mark; without a key, the texts that do."""

    key: str
    mark: str

    def __call__(self, item: Any) -> bool:
        text = _text(item, self.key)
        return text is not None and text.startswith(self.mark)


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping in which others' members stand too. Those of ours that are gone go, and those that are not ours stay, even
    under the name of one of these."""

    members: Mapping[str, "Setting"]
    ours: Callable[[Mapping[str, Any]], AbstractSet[str]]
    """The names of ours, of the members that are there."""

    def meant(self, held: Mapping[str, Any]) -> dict[str, "Setting"]:
        """Those that are written, beside the members that are there."""
        ours = self.ours(held)
        return {name: one for name, one in self.members.items() if name in ours or name not in held}

    def gone(self, held: Mapping[str, Any]) -> list[str]:
        """The names of ours that are no longer wanted."""
        ours = self.ours(held)
        return [name for name in held if name in ours and name not in self.members]


class Whole(msgspec.Struct, frozen=True):
    """A mapping that is all ours: it stands in the place of what was there, so that models which are gone go."""

    members: Mapping[str, "Setting"]


class Default(msgspec.Struct, frozen=True):
    """What is written only where nothing is: a file that lacks it would not be read."""

    value: "Setting"


Setting: TypeAlias = Union[  # noqa: UP007
    str, int, float, bool, tuple["Setting", ...], Mapping[str, "Setting"], Owned, Members, Whole, Default, None
]
"""A mapping is merged, member by member; anything else stands in the place of what was there."""
Settings: TypeAlias = Mapping[str, Setting] | Owned | Members
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
        case Whole(members=members) | Members(members=members):
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
