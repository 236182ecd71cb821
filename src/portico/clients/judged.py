"""Differences between files and settings, taken to pieces, and which of them keep a client from asking as it should."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from portico.clients.held import Difference
from portico.clients.settings import same
from portico.clients.told import Told


def pieces(difference: Difference) -> Iterator[Difference]:
    """The same, as the smallest values that differ. An item that is on one side alone is one piece."""
    path, found, wanted = difference
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for name in dict.fromkeys([*wanted, *found]):
            yield from _between(f"{path}.{name}", found.get(name), wanted.get(name))
    elif (key := _key(wanted)) and isinstance(found, list):
        there, meant = (
            {one[key]: one for one in items if isinstance(one, Mapping) and isinstance(one.get(key), str)}
            for items in (found, wanted)
        )
        for name in dict.fromkeys([*meant, *there]):
            yield from _between(f"{path}[{name}]", there.get(name), meant.get(name))
    else:
        yield difference


def _between(path: str, found: Any, wanted: Any) -> Iterator[Difference]:
    if not same(found, wanted):
        yield from pieces(Difference(path, found, wanted))


def _key(items: Any) -> str | None:
    """What the entries of a list are told apart by, which ours begin with."""
    first = items[0] if isinstance(items, list) and items else None
    return next(iter(first), None) if isinstance(first, Mapping) else None


def hinders(piece: Difference, told: Told, listed: AbstractSet[str]) -> bool:
    """Whether a client would not work so, or would ask another place, model or API. What a model can do, costs and is
    called, which others there are, and which of those that are `listed` does the small work is none of that: the client
    works, and shows what was true once."""
    match piece.wanted:
        case None:
            return isinstance(piece.found, str) and "://" in piece.found
        case str():
            titles = {card.title for card in told.models if card.title != card.id}
            return not (piece.wanted in titles or piece.wanted.isdecimal() or _is_small(piece, told, listed))
        case Mapping() | list():
            return _mentions(piece.wanted, told.model.id) or piece.path.endswith(
                (f".{told.model.id}", f"[{told.model.id}]")
            )
    return False


def _is_small(piece: Difference, told: Told, listed: AbstractSet[str]) -> bool:
    """Whether another model that is served stands for the small one."""
    if _mentions(piece.wanted, told.model.id) or not _mentions(piece.wanted, told.small.id):
        return False
    return any(_mentions(piece.found, name) for name in listed)


def _mentions(value: Any, name: str) -> bool:
    match value:
        case str():
            return value == name or value.endswith(f"/{name}")
        case Mapping():
            return any(key == name or _mentions(one, name) for key, one in value.items())
        case list():
            return any(_mentions(one, name) for one in value)
    return False
