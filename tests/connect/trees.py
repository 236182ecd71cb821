"""Trees of settings, the values they are merged into, and what comes of it: told anew, sharing nothing with the code."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from portico.clients import Owned, Setting, Whole

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
TABLES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(KEYS, VALUES, max_size=4)
NAMES = st.sampled_from(["portico/a", "portico/b", "portico/c"])


def _frozen(value: Any) -> Setting:
    if isinstance(value, dict):
        return {key: _frozen(one) for key, one in value.items()}
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _items(names: list[str], rest: dict[str, Any]) -> Owned:
    return Owned(
        "id", "portico/", tuple({**{key: _frozen(one) for key, one in rest.items()}, "id": name} for name in names)
    )


OWNED = st.builds(_items, st.lists(NAMES, unique=True, max_size=3), st.dictionaries(st.just("a"), SCALARS, max_size=1))
WHOLE = TABLES.map(lambda one: Whole({key: _frozen(value) for key, value in one.items()}))


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    settings = st.recursive(leaves, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=6)
    return st.dictionaries(KEYS, settings, min_size=1, max_size=3)


TREES = _trees(st.one_of(VALUES.map(_frozen), WHOLE, OWNED))
WITHOUT_LISTS = _trees(st.one_of(SCALARS, WHOLE, st.lists(SCALARS, max_size=2).map(tuple)))
"""With no list in which others' items stand."""


def merged(held: Any, setting: Any) -> Any:
    """What a value becomes."""
    match setting:
        case Owned():
            return _merged_list(held if isinstance(held, list) else [], setting)
        case Whole(members=members):
            return merged(None, members)
        case Mapping():
            base = dict(held) if isinstance(held, dict) else {}
            return base | {key: merged(base.get(key), one) for key, one in setting.items()}
        case tuple():
            return [merged(None, one) for one in setting]
    return setting


def _merged_list(held: list[Any], owned: Owned) -> list[Any]:
    wanted = {one["id"]: one for one in (merged(None, item) for item in owned.items)}
    kept = []
    for one in held:
        if not _is_ours(one):
            kept.append(one)
        elif one["id"] in wanted:
            kept.append(wanted.pop(one["id"]))
    return [*kept, *wanted.values()]


def _is_ours(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"].startswith("portico/")
