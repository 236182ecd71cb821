"""A caller's JSON Schema, looked at piece by piece, with the path of every piece (mapping.md 1.11).

A `View` is one schema object and where it stands. `allOf`, and keywords beside a `$ref`, say that several schemas hold at
once: one view can be made of them, in which every keyword remembers where it came from and a subschema that several demand
is a `Both`. Everything goes by schema position: a property called `$ref` is a property. Nothing of the caller's is
changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
LISTS: Final = frozenset({"anyOf", "oneOf", "prefixItems"})
ONE: Final = frozenset({"items", "additionalProperties"})
DEFINES: Final = ("$defs", "definitions")


class View(msgspec.Struct, frozen=True):
    """One schema object and its path in the caller's body; `origins` has the paths of keywords from elsewhere."""

    schema: Mapping[str, Any]
    path: str
    origins: Mapping[str, str] = {}

    def at(self, key: str) -> str:
        """The path of a keyword."""
        return self.origins.get(key) or f"{self.path}.{key}"

    def get(self, key: str) -> Any:
        return self.schema.get(key)

    def without(self, *keys: str) -> "View":
        return View({key: value for key, value in self.schema.items() if key not in keys}, self.path, self.origins)

    def having(self, **keywords: Any) -> "View":
        return View({**self.schema, **keywords}, self.path, self.origins)


class Both(msgspec.Struct, frozen=True):
    """A subschema that is all of several at once; it stands where the caller's body has a plain one."""

    views: tuple[View, ...]


# -- older spellings -------------------------------------------------------------------------------------------------


def spelt_now(view: View) -> View:
    """The view without the spellings of older drafts and of OpenAPI: each has one of today's that says the same."""
    schema = view.schema
    changes: dict[str, Any] = {}
    origins: dict[str, str] = {}
    gone: set[str] = set()
    if isinstance(schema.get("items"), (list, tuple)):
        path = view.at("items")
        fixed = [_at(one, f"{path}[{i}]") for i, one in enumerate(schema["items"])]
        further = schema.get("additionalItems")
        gone |= {"items", "additionalItems"}
        changes["prefixItems"] = fixed
        origins["prefixItems"] = path
        if further is not None:
            changes["items"] = _at(further, view.at("additionalItems"))
            origins["items"] = view.at("additionalItems")
    for key, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(key), bool):
            gone.add(key)
            if schema[key] and schema.get(bound) is not None:
                changes[key] = schema[bound]
                gone.add(bound)
    if origins:
        view = View(view.schema, view.path, {**view.origins, **origins})
    if "nullable" in schema:
        return _without_nullable(view, changes, gone)
    return _changed(view, changes, gone) if gone or changes else view


def _without_nullable(view: View, changes: dict[str, Any], gone: set[str]) -> View:
    """`nullable: true` as a type, or as one more alternative where the type is told elsewhere."""
    schema = view.schema
    gone.add("nullable")
    if schema["nullable"] is not True:
        return _changed(view, changes, gone)
    kinds = schema.get("type")
    if any(schema.get(key) is not None for key in ("$ref", "allOf", "anyOf", "oneOf")):
        inner = _changed(view, changes, gone).without(*DEFINES)
        null = View({"type": "null"}, view.path)
        return View({"anyOf": [Both((inner,)), Both((null,))]}, view.path, {"anyOf": view.path})
    if kinds is not None:
        listed = list(kinds) if isinstance(kinds, (list, tuple)) else [kinds]
        if "null" not in [str(kind).lower() for kind in listed]:
            changes["type"] = [*listed, "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            changes["enum"] = [*schema["enum"], None]
    elif isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        changes["enum"] = [*schema["enum"], None]
    return _changed(view, changes, gone)


def _changed(view: View, changes: Mapping[str, Any], gone: set[str]) -> View:
    kept = {key: value for key, value in view.schema.items() if key not in gone}
    return View({**kept, **changes}, view.path, view.origins)


def _at(value: Any, path: str) -> Any:
    return Both((View(value, path),)) if isinstance(value, Mapping) else value


def kinds_of(view: View) -> tuple[str, ...] | None:
    """The types a view allows, in lower case and in its order; None where it names none."""
    value = view.get("type")
    if isinstance(value, str):
        return (value.lower(),)
    if isinstance(value, (list, tuple)):
        return tuple([kind.lower() for kind in value if isinstance(kind, str)])
    return None


# -- what two keywords say together ----------------------------------------------------------------------------------


def for_joining(view: View) -> View:
    """The view with its types as a list and its constant as the one value it allows."""
    changes: dict[str, Any] = {}
    kinds = kinds_of(view)
    if kinds is not None:
        changes["type"] = list(kinds)
    if "const" in view.schema:
        values = view.get("enum")
        known = not isinstance(values, list) or is_among(view.get("const"), values)
        changes["enum"] = [view.get("const")] if known else []
    if not changes:
        return view
    return View({**view.without("const").schema, **changes}, view.path, {**view.origins, "enum": _value_path(view)})


def _value_path(view: View) -> str:
    return view.at("const" if "const" in view.schema else "enum")


def value_key(value: Any) -> tuple[str, Any]:
    """What makes two JSON values the same value: `1` is `1.0` and neither is `true`."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__, value
    if isinstance(value, (int, float)):
        return "number", value
    return "other", repr(value)


def is_among(value: Any, values: Sequence[Any]) -> bool:
    return value_key(value) in [value_key(one) for one in values]


def is_same(first: Any, second: Any) -> bool:
    return first is second or (not isinstance(first, (Mapping, list)) and value_key(first) == value_key(second))


def both(first: Any, second: Any) -> Any:
    if first is False or second is False:
        return False
    if first is True:
        return second
    return first if second is True else Both((*first.views, *second.views))


def _joined_names(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    return {**first, **{name: both(first[name], two) if name in first else two for name, two in second.items()}}


def _joined_kinds(first: Any, second: Any) -> Any:
    """The types that both allow; what is no list of types is left to whoever judges types."""
    if not isinstance(first, list) or not isinstance(second, list):
        return first
    kept = []
    for kind in first:
        if kind in second or (kind == "integer" and "number" in second):
            kept.append(kind)
        elif kind == "number" and "integer" in second:
            kept.append("integer")
    return kept


def _joined_values(first: Any, second: Any) -> Any:
    if not isinstance(first, list) or not isinstance(second, list):
        return first
    allowed = {value_key(value) for value in second}
    return [value for value in first if value_key(value) in allowed]


def _joined_texts(first: Any, second: Any) -> Any:
    if not isinstance(first, str) or not isinstance(second, str) or second in first:
        return first
    return sentences(first, second)


def _joined_tuples(first: list[Any], second: list[Any]) -> list[Any]:
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    return [both(one, shorter[i]) if i < len(shorter) else one for i, one in enumerate(longer)]


JOINED: Final[Mapping[str, Any]] = {
    "properties": _joined_names,
    "patternProperties": _joined_names,
    "items": both,
    "additionalProperties": both,
    "prefixItems": _joined_tuples,
    "type": _joined_kinds,
    "enum": _joined_values,
    "description": _joined_texts,
    "required": lambda first, second: list(dict.fromkeys([*first, *second])),
    "uniqueItems": lambda first, second: bool(first or second),
}


def sentences(*texts: str | None) -> str:
    """Sentences after each other, with a full stop where one is missing."""
    said = ""
    for text in texts:
        if text:
            said += text if not said else ("" if said[-1].isspace() else " " if said[-1] in ".!?:;" else ". ") + text
    return said
