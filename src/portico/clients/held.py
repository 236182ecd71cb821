"""What a client's files say now: what a setting is there, and where they differ from what Portico would tell."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from portico.clients.merge.plan import GONE, KEPT, each_of
from portico.clients.settings import Default, Members, Owned, Setting, Settings, Whole, bare, same


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
            if isinstance(held, str) and held.startswith(before):
                return held[len(before) :].removesuffix(behind) or None
        case Whole(members=members) | Members(members=members):
            return found_at(members, held, sentinel)
        case Mapping():
            return next(_inside(setting, held, sentinel), None)
        case Owned():
            ours = [item for item in setting.listed(held) or () if setting.ours(item)]
            return _first(setting.items, ours, sentinel)
        case tuple():
            return _first(setting, held if isinstance(held, list) else [], sentinel)
    return None


def _first(items: "Iterable[Setting]", there: list[Any], sentinel: str) -> str | None:
    return next((one for item in items for other in there if (one := found_at(item, other, sentinel))), None)


def _inside(settings: Mapping[str, Setting], held: Any, sentinel: str) -> Iterator[str]:
    if isinstance(held, Mapping):
        for key, value in settings.items():
            if key in held and (found := found_at(value, held[key], sentinel)):
                yield found


def differences(setting: "Setting | Settings", held: Any, path: str = "") -> Iterator[Difference]:
    """Where a file would be changed by these settings. `wanted` is None of what would go."""
    match setting:
        case Default():
            if held is None:
                yield Difference(path, None, bare(setting))
        case Owned():
            yield from _of_items(setting, held, path)
        case Members():
            there = held if isinstance(held, Mapping) else {}
            yield from _of_members(setting.meant(there), there, path)
            for name in setting.gone(there):
                yield Difference(_inner(path, name), there[name], None)
        case Mapping():
            yield from _of_members(setting, held if isinstance(held, Mapping) else {}, path)
        case _:
            if not same(held, bare(setting)):
                yield Difference(path, held, bare(setting))


def in_front(setting: "Setting | Settings", held: Any) -> Iterator[str]:
    """What others have put before ours where the first of a list counts."""
    match setting:
        case Owned(first=True):
            items = setting.listed(held)
            if items and not setting.ours(items[0]):
                yield setting.name(items[0]) or "one without a name"
        case Mapping():
            for name, one in setting.items():
                yield from in_front(one, held.get(name) if isinstance(held, Mapping) else None)


def _of_members(settings: Mapping[str, Setting], held: Mapping[str, Any], path: str) -> Iterator[Difference]:
    for name, one in settings.items():
        yield from differences(one, held.get(name), _inner(path, name))


def _of_items(owned: Owned, held: Any, path: str) -> Iterator[Difference]:
    items = owned.listed(held)
    if items is None:
        yield Difference(path, held, bare(owned))
        return
    each = each_of(owned, items)
    for item, one in zip(items, each.there, strict=True):
        if one is not KEPT:
            yield Difference(_item(owned, item, path), item, None if one is GONE else one)
    for new in each.new:
        yield Difference(_item(owned, new, path), None, new)


def _item(owned: Owned, item: Any, path: str) -> str:
    """A text has no name but itself, which may be a key."""
    return f"{path}[{owned.name(item)}]" if owned.key else path


def _inner(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
