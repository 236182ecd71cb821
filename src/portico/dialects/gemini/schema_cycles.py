"""Recursion in `$defs`: Google follows it only through properties that are not required (mapping.md 1.11).

Definitions that need themselves are written out a few levels deep, as copies of which each refers to the next, so the
schema grows by a factor and not by a power. The last level refers to nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

LEVELS: Final = 3
POINTER: Final = "#/$defs/"

_LISTS: Final = ("anyOf", "oneOf", "prefixItems")


def name_in(reference: Any) -> str | None:
    """The definition that a reference names; None if it is no reference to one."""
    if not isinstance(reference, str) or not reference.startswith(POINTER):
        return None
    return unquote(reference.removeprefix(POINTER)).replace("~1", "/").replace("~0", "~")


def pointer_to(name: str) -> str:
    return POINTER + name.replace("~", "~0").replace("/", "~1")


def without_required_cycles(definitions: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """The definitions, and which of them had to be written out; none: the same object comes back."""
    needs = {name: set(_needed(schema)) & definitions.keys() for name, schema in definitions.items()}
    cyclic = _on_cycles(needs)
    if not cyclic:
        return definitions, []
    made = dict(definitions)
    names = [{name: name for name in cyclic}]
    for level in range(2, LEVELS + 1):
        names.append({name: _free(f"{name}_{level}", made) for name in cyclic})
        made.update(dict.fromkeys(names[-1].values()))
    for here, following in zip(names, [*names[1:], None], strict=True):
        for name in cyclic:
            made[here[name]] = _redirected(definitions[name], following, definitions, cyclic, needed=True)
    return made, [name for name in definitions if name in cyclic]


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


def _inner(schema: Mapping[str, Any], *, needed: bool) -> Iterator[tuple[Any, bool]]:
    """(subschema, whether an instance cannot do without it as far as Google looks)."""
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        names = _required(schema)
        for name, inner in properties.items():
            yield inner, needed and name in names
    for key in _LISTS:
        for inner in schema.get(key) or ():
            yield inner, needed
    yield schema.get("items"), needed
    yield schema.get("additionalProperties"), False


def _required(schema: Mapping[str, Any]) -> frozenset[str]:
    names = schema.get("required")
    return frozenset([name for name in names if isinstance(name, str)]) if isinstance(names, list) else frozenset()


def _needed(schema: Any) -> Iterator[str]:
    """The definitions that a schema refers to by required properties only."""
    todo: list[tuple[Any, bool]] = [(schema, True)]
    while todo:
        node, needed = todo.pop()
        if not needed or not isinstance(node, dict):
            continue
        name = name_in(node.get("$ref"))
        if name is not None:
            yield name
        todo += _inner(node, needed=needed)


def _on_cycles(needs: Mapping[str, set[str]]) -> frozenset[str]:
    """The names that need themselves, by taking away whatever needs nothing, and whatever nothing needs."""
    left = {name: set(inner) for name, inner in needs.items()}
    for _ in range(2):
        users: dict[str, set[str]] = {name: set() for name in left}
        for name, inner in left.items():
            for one in inner & left.keys():
                users[one].add(name)
        open_ = {name: len(inner & left.keys()) for name, inner in left.items()}
        done = [name for name, count in open_.items() if count == 0]
        for name in done:  # grows while it is walked
            del left[name]
            for user in users[name]:
                open_[user] -= 1
                if open_[user] == 0:
                    done.append(user)
        left = {name: {user for user in users[name] if user in left} for name in left}  # and once more, turned around
    return frozenset(left)


def _redirected(
    schema: Any,
    names: Mapping[str, str] | None,
    definitions: Mapping[str, Any],
    cyclic: frozenset[str],
    *,
    needed: bool,
) -> Any:
    """A copy whose needed references go to the definitions of the next level; without one, to no definition."""
    if not isinstance(schema, Mapping):
        return schema
    name = name_in(schema.get("$ref"))
    if needed and name in cyclic and name is not None:
        return _stub(definitions[name]) if names is None else {**schema, "$ref": pointer_to(names[name])}
    made = dict(schema)
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        listed = _required(schema)
        made["properties"] = {
            key: _redirected(inner, names, definitions, cyclic, needed=needed and key in listed)
            for key, inner in properties.items()
        }
    for key in _LISTS:
        if isinstance(schema.get(key), list):
            made[key] = [_redirected(inner, names, definitions, cyclic, needed=needed) for inner in schema[key]]
    if "items" in schema:
        made["items"] = _redirected(schema["items"], names, definitions, cyclic, needed=needed)
    return made


def _stub(schema: Any) -> dict[str, Any]:
    """A schema that says the type and no more."""
    kind = schema.get("type") if isinstance(schema, Mapping) else None
    return {} if kind is None else {"type": kind}
