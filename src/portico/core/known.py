"""A value that comes again with every turn of a conversation, and what was made of it the last time.

An agent declares the same tools in every request, and to read, check and write them again costs more than all it has to
say. Whoever decodes bodies may keep such a list (`relay/known.py`) and hand out the same one for the same bytes; a dialect
keeps with it what it makes of it. What is made must follow from the list and the key alone, and is never changed. Where
nobody keeps lists nothing is kept: a plain list is read anew each time.
"""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final, TypeAlias

from portico.core.request import Builtin, Tool

Declared: TypeAlias = tuple[tuple[Tool, ...], tuple[Builtin, ...]]
"""What a list of tools declares: the caller's own, and the provider's."""

ROOM_BYTES: Final = 256 * 1024
"""What may be kept with one list: little of it can become much."""


class Known(list[Any]):
    """A decoded list that will be met again. It is nobody's to change."""

    __slots__ = ("_made", "_room_bytes")

    def __init__(self, items: Iterable[Any], room_bytes: int = ROOM_BYTES) -> None:
        super().__init__(items)
        self._made: dict[Hashable, Any] = {}
        self._room_bytes = room_bytes

    def made(self, key: Hashable) -> Any:
        """What was kept under a key; None where nothing was."""
        return self._made.get(key)

    def keep(self, key: Hashable, value: Any, size_bytes: int = 0) -> None:
        """Keeps what was made, if there is room for it: `size_bytes` is what it takes beyond the list itself."""
        if size_bytes <= self._room_bytes:
            self._room_bytes -= size_bytes
            self._made[key] = value


class KnownTools(tuple[Tool, ...]):  # noqa: SLOT001 (a tuple cannot have any)
    """The tools that a known list declares, as a dialect reads it. What is made of them is kept with the list."""

    known: Known
    origin: str
    """The dialect: another may read the same bytes in another way."""

    @classmethod
    def of(cls, tools: Iterable[Tool], known: Known, origin: str) -> "KnownTools":
        made = cls(tools)
        made.known, made.origin = known, origin
        return made

    def made(self, key: Hashable) -> Any:
        """What was kept of these tools under a key; None where nothing was."""
        return self.known.made((self.origin, key))

    def keep(self, key: Hashable, value: Any, size_bytes: int = 0) -> None:
        """Keeps what was made of these tools, as `Known.keep` does."""
        self.known.keep((self.origin, key), value, size_bytes)


def declared(value: Any, origin: str, read: Callable[[Any], Declared]) -> Declared:
    """What `tools` declares, as a dialect reads it; of a list that is known this is known too."""
    if type(value) is not Known:
        return read(value)
    found: Declared | None = value.made(origin)
    if found is None:
        tools, builtins = read(value)
        found = KnownTools.of(tools, value, origin), builtins
        value.keep(origin, found)
    return found
