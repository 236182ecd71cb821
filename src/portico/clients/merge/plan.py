"""What is to happen to each value of a file: settings, seen beside what the file says.

Everything that depends on what is there is decided here, on values; the formats only do it, each to its text.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

import msgspec

from portico.clients.merge.errors import Unmergeable
from portico.clients.settings import Default, Members, Owned, Setting, Settings, bare, same


class Fate(Enum):
    KEPT = "kept"
    GONE = "gone"


KEPT: Final = Fate.KEPT
GONE: Final = Fate.GONE


class Into(msgspec.Struct, frozen=True):
    """A mapping stays, and of its members these change; those that are not there come, and are plain values."""

    members: Mapping[str, "Plan"]


class Each(msgspec.Struct, frozen=True):
    """A list stays."""

    there: tuple["Plan", ...]
    """Of each of its items: kept, gone or another value."""
    new: tuple[Any, ...]
    first: bool
    """The new ones come before the others, not behind."""


Plan: TypeAlias = Into | Each | Fate | Any
"""Anything else is the plain value that takes the place."""


def planned(setting: "Setting | Settings", held: Any, path: str = "") -> Plan:
    """What becomes of a value that is there. Raises `Unmergeable` where what is there is of another kind, and others'
    things may stand in it."""
    match setting:
        case Default():
            return KEPT
        case Owned():
            return _items(setting, held, path)
        case Members() if held is not None:
            if not isinstance(held, Mapping):
                raise Unmergeable(f"{path or 'the file'} is not of names and values")
            return Into(dict.fromkeys(setting.gone(held), GONE) | _members(setting.meant(held), held, path))
        case Mapping() if isinstance(held, Mapping):
            return Into(_members(setting, held, path))
    value = bare(setting)
    return KEPT if same(held, value) else value


def _members(settings: Mapping[str, Setting], held: Mapping[str, Any], path: str) -> dict[str, Plan]:
    return {
        name: planned(one, held[name], f"{path}.{name}" if path else name) if name in held else bare(one)
        for name, one in settings.items()
    }


def _items(owned: Owned, held: Any, path: str) -> Plan:
    items = owned.listed(held)
    if items is None:
        raise Unmergeable(f"{path or 'the file'} is not a list")
    each = each_of(owned, items)
    return each if isinstance(held, list) else after(each, items)


def each_of(owned: Owned, items: list[Any]) -> Each:
    """What becomes of a list's items."""
    new = owned.wanted()
    foremost = next(iter(new), None)
    for item in items if owned.yields else ():
        if not owned.ours(item):
            new.pop(owned.name(item) or "", None)
    there: list[Plan] = []
    for item in items:
        name = owned.name(item) if owned.ours(item) else None
        if name is None:
            there.append(KEPT)
        elif name not in new:
            there.append(GONE)
        else:
            value = new.pop(name)
            there.append(KEPT if same(item, value) else value)
    return Each(tuple(there), tuple(new.values()), owned.first and foremost in new)


def after(plan: Plan, held: Any) -> Any:
    """The value that is meant."""
    match plan:
        case Fate():
            return held
        case Into(members=members):
            kept = {name: one for name, one in held.items() if members.get(name) is not GONE}
            return kept | {name: after(one, held.get(name)) for name, one in members.items() if one is not GONE}
        case Each(there=there, new=new, first=first):
            stay = [after(one, item) for one, item in zip(there, held, strict=True) if one is not GONE]
            return [*new, *stay] if first else [*stay, *new]
    return plan


def without_gone(plan: Plan) -> Plan:
    """What is left to do where that which goes is gone."""
    match plan:
        case Into(members=members):
            return Into({name: without_gone(one) for name, one in members.items() if one is not GONE})
        case Each():
            return msgspec.structs.replace(plan, there=tuple(one for one in plan.there if one is not GONE))
    return plan
