"""Trees of settings, the values they are merged into, and what comes of it: told anew, sharing nothing with the code."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import strategies as st

from portico.clients import Default, Members, Owned, Setting, Whole
from portico.clients.merge import Unmergeable
from portico.clients.settings import same

KEYS = st.sampled_from(["a", "b", "models", "portico", "x-y", "ключ", "模型", "with space", "$env"])
TEXTS = st.one_of(
    st.sampled_from(
        ["", "gemini-3.8-flash", 'say "hi"', "it's", "# no comment", "${KEY}", "a\nb", "\\", "龍", "é\u2028z"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    TEXTS, st.booleans(), st.integers(-(10**12), 10**12), st.floats(-1e6, 1e6).map(lambda one: one or 0.0)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
NAMES = st.sampled_from(["portico/a", "portico/b", "portico/c"])
MARKED = {"by": "portico"}
"""What tells an item or a member that Portico wrote from one of somebody's own."""
ENTRIES: st.SearchStrategy[Any] = st.builds(
    lambda name, rest, mark: {"id": name, **rest, **mark},
    st.one_of(NAMES, KEYS),
    st.dictionaries(st.just("a"), SCALARS, max_size=1),
    st.sampled_from([{}, MARKED]),
)
"""Items as they stand in lists that many write to: of Portico's and of others', under the same names."""
HELD: st.SearchStrategy[Any] = st.one_of(
    VALUES,
    st.lists(st.one_of(ENTRIES, NAMES, SCALARS), max_size=4),
    st.dictionaries(KEYS, st.one_of(ENTRIES, SCALARS), max_size=4),
    NAMES,
)
WITHOUT_NULLS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(KEYS, HELD, max_size=4)
TABLES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(KEYS, st.one_of(HELD, st.none()), max_size=4)


def _frozen(value: Any) -> Setting:
    if isinstance(value, dict):
        return {key: _frozen(one) for key, one in value.items()}
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def is_ours(one: Any) -> bool:
    return isinstance(one, dict) and one.get("by") == "portico"


def is_our_text(one: Any) -> bool:
    return isinstance(one, str) and one.startswith("portico/")


def _our_members(held: Mapping[str, Any]) -> set[str]:
    return {name for name, one in held.items() if is_ours(one)}


def _items(names: list[str], rest: dict[str, Any], *, first: bool, yields: bool) -> Owned:
    items = ({**{key: _frozen(one) for key, one in rest.items()}, **MARKED, "id": name} for name in names)
    return Owned(key="id", ours=is_ours, items=tuple(items), first=first, yields=yields)


def _members(members: dict[str, dict[str, Any]]) -> Members:
    return Members(members={name: Whole({**one, **MARKED}) for name, one in members.items()}, ours=_our_members)


_NAMES = st.lists(NAMES, unique=True, max_size=3)
_ENTRY = st.dictionaries(st.just("a"), SCALARS, max_size=1)
TEXTS_OF_OURS = st.builds(lambda names: Owned(ours=is_our_text, items=tuple(names)), _NAMES)
OWNED = st.one_of(TEXTS_OF_OURS, st.builds(_items, _NAMES, _ENTRY, first=st.just(False), yields=st.booleans()))
OWNED_FIRST = st.builds(_items, _NAMES, _ENTRY, first=st.booleans(), yields=st.booleans())
MEMBERS = st.dictionaries(KEYS, _ENTRY, max_size=3).map(_members)
WHOLE = st.dictionaries(KEYS, VALUES.map(_frozen), max_size=4).map(Whole)
DEFAULT = SCALARS.map(Default)


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    settings = st.recursive(leaves, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
    return st.dictionaries(KEYS, settings, min_size=1, max_size=3)


TREES = _trees(st.one_of(VALUES.map(_frozen), WHOLE, OWNED, MEMBERS, DEFAULT))
TREES_IN_YAML = _trees(st.one_of(VALUES.map(_frozen), WHOLE, OWNED, OWNED_FIRST, MEMBERS, DEFAULT))
WITHOUT_LISTS = _trees(st.one_of(SCALARS, WHOLE, st.lists(SCALARS, max_size=2).map(tuple), MEMBERS, DEFAULT))
"""With no list in which others' items stand."""


class Misplaced(Exception):
    """Something else stands where others' things may stand."""


def merged(held: Any, setting: Any) -> Any:
    """What a value becomes. Raises `Misplaced`."""
    match setting:
        case Owned():
            return _merged_list(held, setting)
        case Members(members=members):
            if held is not None and not isinstance(held, dict):
                raise Misplaced
            base = dict(held or {})
            stay = {name: one for name, one in base.items() if name in members or not is_ours(one)}
            mine = {name: one for name, one in members.items() if name not in base or is_ours(base[name])}
            return stay | {name: merged(None, one) for name, one in mine.items()}
        case Whole(members=members):
            return merged(None, members)
        case Default(value=value):
            return merged(None, value)
        case Mapping():
            base = dict(held) if isinstance(held, dict) else {}
            left = {key for key, one in setting.items() if isinstance(one, Default) and key in base}
            return base | {key: merged(base.get(key), one) for key, one in setting.items() if key not in left}
        case tuple():
            return [merged(None, one) for one in setting]
    return setting


def _merged_list(held: Any, owned: Owned) -> list[Any]:
    if not isinstance(held, list):
        if held is not None and (owned.key or isinstance(held, dict)):
            raise Misplaced
        held = [] if held is None else [held]
    named = {one["id"] if owned.key else one: one for one in (merged(None, item) for item in owned.items)}
    ours = is_ours if owned.key else is_our_text
    foremost = next(iter(named), None)
    if owned.yields:
        named = {name: one for name, one in named.items() if name not in [_name(one) for one in held if not ours(one)]}
    kept = []
    for one in held:
        if not ours(one):
            kept.append(one)
        elif (name := _name(one)) in named:
            kept.append(named.pop(name))
    return [*named.values(), *kept] if owned.first and foremost in named else [*kept, *named.values()]


def _name(one: Any) -> Any:
    return one.get("id") if isinstance(one, dict) else one


def others(held: Any, setting: Any) -> Any:
    """Of what somebody's file says that which no setting speaks of: a smaller value of the same shape."""
    match setting:
        case Owned() if isinstance(held, list):
            return [one for one in held if not (is_ours if setting.key else is_our_text)(one)]
        case Owned() if not setting.key and not is_our_text(held) and held is not None:
            return [held]
        case Members() if isinstance(held, dict):
            return {name: one for name, one in held.items() if not is_ours(one)}
        case Mapping() if isinstance(held, dict):
            return {key: others(one, setting[key]) if key in setting else one for key, one in held.items()}
        case Default():
            return held
    return None


def holds(value: Any, part: Any) -> bool:
    """Whether all of a smaller value stands in another, members under their names and items in their order."""
    if isinstance(part, dict):
        return isinstance(value, dict) and all(name in value and holds(value[name], one) for name, one in part.items())
    if isinstance(part, list):
        rest: Iterator[Any] = iter(value if isinstance(value, list) else ())
        return all(any(same(one, other) for other in rest) for one in part)
    return part is None or same(value, part)


@contextmanager
def refused_where_misplaced(held: Any, setting: Any) -> Iterator[Any]:
    """What merging gives; where nothing can be meant, it is refused. Nothing that is somebody's own is missing from it."""
    try:
        meant = merged(held, setting)
    except Misplaced:
        with pytest.raises(Unmergeable):
            yield None
        return
    assert holds(meant, others(held, setting))
    yield meant
