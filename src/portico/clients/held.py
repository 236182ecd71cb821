"""What a client's files say now: what a setting is there, and where they differ from what Portico would tell."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from portico.clients.settings import Default, Owned, Setting, Settings, Whole, bare, same


class Difference(NamedTuple):
    """A setting that is not as Portico would tell it. `found` is None where there is none."""

    path: str
    found: Any
    wanted: Any


def found_at(setting: "Setting | Settings", held: Any, sentinel: str) -> str | None:
    """What stands in a file where the sentinel stands in settings, without what is written around it. Entries of others in
    a list of ours are passed over: what is found may be sent the key."""
    match setting:
        case str() if sentinel in setting:
            before, _, behind = setting.partition(sentinel)
            if isinstance(held, str) and held.startswith(before) and held.endswith(behind):
                return held[len(before) : len(held) - len(behind)] or None
        case Whole(members=members):
            return found_at(members, held, sentinel)
        case Mapping():
            return next(_inside(setting, held, sentinel), None)
        case Owned():
            ours = [item for item in _listed(held) if setting.name(item) is not None]
            return _first(setting.items, ours, sentinel)
        case tuple():
            return _first(setting, _listed(held), sentinel)
    return None


def _first(items: "Iterable[Setting]", there: list[Any], sentinel: str) -> str | None:
    return next((one for item in items for other in there if (one := found_at(item, other, sentinel))), None)


def _listed(held: Any) -> list[Any]:
    return held if isinstance(held, list) else []


def _inside(settings: Mapping[str, Setting], held: Any, sentinel: str) -> Iterator[str]:
    if isinstance(held, Mapping):
        for key, value in settings.items():
            if key in held and (found := found_at(value, held[key], sentinel)):
                yield found


def differences(setting: "Setting | Settings", held: Any, path: str = "") -> Iterator[Difference]:
    """Where a file would be changed by these settings."""
    match setting:
        case Default():
            if held is None:
                yield Difference(path, None, bare(setting))
        case Owned():
            items = _listed(held)
            there = {setting.name(item): item for item in items}
            for name, wanted in setting.wanted().items():
                if not same(there.get(name), wanted):
                    yield Difference(f"{path}[{name}]", there.get(name), wanted)
            for item, gone in zip(items, setting.gone(items), strict=True):
                if gone:
                    yield Difference(f"{path}[{setting.name(item)}]", item, None)
        case Mapping():
            for key, value in setting.items():
                inner = held.get(key) if isinstance(held, Mapping) else None
                yield from differences(value, inner, f"{path}.{key}" if path else key)
        case _:
            if not same(held, bare(setting)):
                yield Difference(path, held, bare(setting))
