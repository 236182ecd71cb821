"""Settings as data: a tree that is merged into a file which is somebody's own."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias, Union

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


Setting: TypeAlias = Union[str, int, float, bool, tuple["Setting", ...], Mapping[str, "Setting"], Owned, None]  # noqa: UP007
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
