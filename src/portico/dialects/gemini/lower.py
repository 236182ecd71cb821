"""JSON Schema -> Google's OpenAPI subset, for models that know no other form (mapping.md 1.11, third column).

The subset has one type to a node (or `anyOf` and nothing else), enums of strings, no references and no closed objects. So a
schema is read as its alternatives: every node here is a list of subset schemas, of which a value must fit one, and whether
null fits too. What the subset cannot enforce is put into words where words help, and noted wherever the model is held to
less than the caller asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.dialects.gemini.schema_rules import (
    ANNOTATIONS,
    MANY,
    MEANINGLESS_ALONE,
    UNENFORCED,
    WRAPPED,
    bounds,
    described,
    fits_kind,
    kind_of,
    multiple,
    note_told,
    one_of,
    unenforced,
    values_of,
    where_of,
)
from portico.dialects.gemini.schema_views import DEFINES, LISTS, MAPS, ONE, Both, View, kinds_of, spelt_now, value_key
from portico.dialects.gemini.schema_walk import Budget, SchemaTooLarge, Stack, Walk, check_size
from portico.wire.names import json_type

Json = dict[str, Any]

LEVELS: Final = (3, 2, 1)
"""How deep a recursion is written out; less where that grows too large."""
MAX_COMPARED: Final = 32
"""Alternatives of one `oneOf` that are looked at for whether they exclude each other."""

_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})
_FORMATS: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"date-time", "enum"}),
    "integer": frozenset({"int32", "int64"}),
    "number": frozenset({"float", "double"}),
}
_SUGGESTED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("properties", "required", "additionalProperties", "minProperties", "maxProperties"), "object"),
    **dict.fromkeys(("patternProperties", "propertyNames", "dependentRequired", "unevaluatedProperties"), "object"),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"), "array"),
    **dict.fromkeys(("minLength", "maxLength", "pattern", "format"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
"""The type that a schema without one is about, by its keywords."""
_KNOWN: Final = frozenset(
    {
        *("type", "nullable", "enum", "const", "$ref", "allOf", "propertyOrdering"),
        *(*_SUGGESTED, *MAPS, *LISTS, *ONE, *DEFINES, *ANNOTATIONS, *UNENFORCED, *MEANINGLESS_ALONE),
    }
)


def to_openapi_subset(
    schema: Mapping[str, Any], path: str, *, tool: bool = False, budget: Budget | None = None
) -> tuple[Json | None, list[Loss]]:
    """A schema at `path` of the caller's body as `parameters` (`tool`) or `responseSchema`, and what it does not enforce.

    None: there is nothing to send, for the tool takes no arguments, or the answer is any object. Raises `InvalidRequest`
    with the path of what is wrong, `SchemaTooLarge` where writing out the references leads too far.
    """
    check_size(schema, path)
    walk = _Subset(schema, path, budget or Budget(), tool=tool)
    for levels in LEVELS:
        walk.start_over(levels)
        try:
            return (walk.arguments() if tool else walk.answer()), walk.losses
        except SchemaTooLarge:
            if levels == LEVELS[-1] or not walk.recursive:
                raise
    raise AssertionError("unreachable")


class _Fitting(msgspec.Struct, frozen=True):
    """What fits a schema: one of these subset schemas, or null; nothing fits where there is neither."""

    branches: tuple[Json, ...] = ()
    null: bool = False


class _Subset(Walk):
    def __init__(self, root: Mapping[str, Any], path: str, budget: Budget, *, tool: bool) -> None:
        super().__init__(root, path, budget)
        self.tool = tool

    def answer(self) -> Json | None:
        """The root of a response schema."""
        node = self.node(self.root, self.path, 0, (), top=True)
        if node is None:
            raise InvalidRequest("No value fits this schema.", param=self.path)
        if node.get("type") == "OBJECT" and "properties" not in node:
            self.note(self.path, "any JSON may come: an object without named properties cannot be asked for")
            return None
        return node

    def arguments(self) -> Json | None:
        """The root of a tool's parameters: always an object, or nothing."""
        fitting = self.fitting(self.root, self.path, 0, (), top=True)
        branches = fitting.branches
        if branches and all(branch["type"] == "OBJECT" for branch in branches):
            merged = branches[0] if len(branches) == 1 else self._merged(branches)
            return merged if merged.get("properties") else None
        self.note(self.path, f"arguments are an object at Google: this one's {WRAPPED!r} is what the schema describes")
        inner = self.node(self.root, self.path, 0, ())
        if inner is None:
            raise InvalidRequest("No value fits this schema.", param=self.path)
        return {
            "type": "OBJECT",
            "properties": {WRAPPED: inner},
            "required": [WRAPPED],
            "propertyOrdering": [WRAPPED],
        }

    def _merged(self, branches: Sequence[Json]) -> Json:
        """Alternatives at the root of a tool as one object: what all demand is demanded."""
        self.note(self.path, "alternatives are not possible at the root: all their properties are offered together")
        properties: dict[str, list[Json]] = {}
        for branch in branches:
            for name, inner in branch.get("properties", {}).items():
                properties.setdefault(name, []).extend(inner.get("anyOf", [inner]))
        common = [name for name in properties if all(name in branch.get("required", ()) for branch in branches)]
        texts = list(dict.fromkeys([branch["description"] for branch in branches if "description" in branch]))
        merged: Json = {"type": "OBJECT"}
        described(merged, texts)
        merged["properties"] = {name: _any_of(several) for name, several in properties.items()}
        if common:
            merged["required"] = common
        return {**merged, "propertyOrdering": list(properties)}

    # -- one place of the schema

    def node(self, value: Any, path: str, depth: int, stack: Stack, *, top: bool = False) -> Json | None:
        """The subset schema for one place; None where nothing fits."""
        return self._settled(self.fitting(value, path, depth, stack, top=top), path)

    def _settled(self, fitting: _Fitting, path: str) -> Json | None:
        if not fitting.branches and fitting.null:
            self.note(path, "a value that is always null becomes text")
            return {"type": "STRING", "description": "Must be null.", "nullable": True}
        return _node(fitting) if fitting.branches else None

    def fitting(self, value: Any, path: str, depth: int, stack: Stack, *, top: bool = False) -> _Fitting:
        self.step(path, depth)
        views, stack, cut = self.flatten(self.views(value, path), stack)
        if cut is not None:
            self.note(cut.path, f"the recursion is cut after {self.levels} levels")
            kinds = kinds_of(View(cut.schema, cut.path)) if isinstance(cut.schema, Mapping) else None
            views = [*views, View({"type": list(kinds or ("object",))}, cut.path)]
        view = self.conjoin(views)
        for key in ("anyOf", "oneOf"):
            if view.get(key):
                return self._union(view, key, depth, stack, top=top)
        kinds, values = self._kinds(view), values_of(view)
        if top and self.tool and "object" in (kinds or ()):
            kinds = ("object",)  # arguments are never anything else
        groups: dict[str, list[Any] | None]
        if values is not None and kinds != ():
            groups = {**_grouped(values, kinds)}
            null = None in values
        else:
            kinds = (self._suggested(view, top=top),) if kinds is None else kinds
            groups = {kind: None for kind in kinds if kind != "null" and not (kind == "integer" and "number" in kinds)}
            null = "null" in kinds
        top = top and (self.tool or (len(groups) == 1 and not null))
        made = [self._emit(view, kind, group, depth, stack, top=top) for kind, group in groups.items()]
        return _Fitting(_unique(made), null)

    def _kinds(self, view: View) -> tuple[str, ...] | None:
        kinds = kinds_of(view)
        given = view.get("type")
        if given is not None and (kinds is None or any(kind not in _TYPES for kind in kinds)):
            raise InvalidRequest(f"Unknown type {given!r}.", param=view.at("type"))
        return kinds

    def _suggested(self, view: View, *, top: bool) -> str:
        """The type of a schema that names none: what its keywords speak of, else text."""
        kind = next((kind for key, kind in _SUGGESTED.items() if view.get(key) is not None), None)
        if top and (kind is None or (kind == "object" and self.tool)):
            return "object"
        kind = kind or "string"
        self.note(view.path, f"no type is given; it is taken for {'an' if kind[0] in 'ao' else 'a'} {kind}")
        return kind

    def _union(self, view: View, key: str, depth: int, stack: Stack, *, top: bool) -> _Fitting:
        """The alternatives of `anyOf` or `oneOf`, each with what stands beside them: the subset has `anyOf` alone."""
        given = [(inner, path) for _, inner, path in self.items(view, key) if inner is not False]
        if key == "oneOf" and not self._apart(given):
            self.note(view.at(key), "more than one of the alternatives may hold")
        rest = view.without(key)
        branches: list[Json] = []
        null = False
        for inner, path in given:
            views = self.views(inner, path)
            titled = any(one.get("title") is not None for one in views)
            shared = rest.without("title") if titled else rest
            found = self.fitting(Both((shared, *views)), path, depth + 1, stack, top=top and self.tool)
            branches += found.branches
            null = null or found.null
        return _Fitting(_unique(branches), null)

    def _apart(self, given: Sequence[tuple[Any, str]]) -> bool:
        """Whether alternatives exclude each other, as far as that is easily seen: by type, or by a tag that all demand."""
        if len(given) > MAX_COMPARED:
            return False
        marks = [self._marks(inner, path) for inner, path in given]
        return all(_exclude(one, other) for i, one in enumerate(marks) for other in marks[:i])

    def _marks(self, value: Any, path: str) -> tuple[set[str], dict[str, set[tuple[str, Any]]]]:
        """The types a schema allows, and the properties it demands that have few values."""
        view = self.views(value, path)[0]
        if view.get("$ref") is not None:
            found = self.resolve(view)
            view = self.views(found.schema, found.path)[0] if found.schema is not False else view
        view = spelt_now(view)
        kinds = set(kinds_of(view) or ())
        tags: dict[str, set[tuple[str, Any]]] = {}
        properties, required = view.get("properties"), view.get("required")
        if isinstance(properties, Mapping) and isinstance(required, (list, tuple)):
            for name in required:
                inner = properties.get(name) if isinstance(name, str) else None
                values = values_of(View(inner, path)) if isinstance(inner, Mapping) else None
                if values is not None:
                    tags[name] = {value_key(value) for value in values}
        return kinds, tags

    # -- one type

    def _emit(
        self, view: View, kind: str, values: list[Any] | None, depth: int, stack: Stack, *, top: bool = False
    ) -> Json:
        """The subset schema for values of one type."""
        made: Json = {"type": kind.upper()}
        for key in ("title", "description"):
            if (text := self._text(view, key)) is not None:
                made[key] = text
        told: list[str] = []
        if values is not None:
            told += self._values(view, kind, values, made)
        match kind:
            case "object":
                told += self._object(view, made, depth, stack, top=top)
            case "array":
                self._array(view, made, depth, stack)
            case "string":
                told += self._string(view, made)
            case "integer" | "number":
                told += self._number(view, kind, made)
        told += unenforced(self, view, (kind,))[1]
        for key in view.schema:
            if key not in _KNOWN and not key.startswith("x-"):
                self.note(view.at(key), f"the keyword {key!r} is not known here; it was left out")
        described(made, told)
        return made

    def _text(self, view: View, key: str) -> str | None:
        value = view.get(key)
        if value is None or isinstance(value, str):
            return value
        raise InvalidRequest(f"Expected a string, got {json_type(value)}.", param=view.at(key))

    def _values(self, view: View, kind: str, values: list[Any], made: Json) -> list[str]:
        """Strings as an enum; other values can only be told (1.11, enum and const)."""
        if kind == "string" and (texts := [value for value in values if isinstance(value, str) and value]):
            made["enum"] = texts
            if len(texts) < len(values):
                self.note(where_of(view), "an empty string cannot be one of the values; it was left out")
            return []
        if kind == "boolean" and len(values) == 2:
            return []
        message = "of values, only strings can be listed: these are told in the description and not enforced"
        self.note(where_of(view), message)
        return [one_of(values)]

    def _format(self, view: View, kind: str, made: Json) -> Iterator[str]:
        form = self._text(view, "format")
        if form in _FORMATS[kind]:
            made["format"] = form
        elif form:
            self.note(view.at("format"), f"the format {form!r} is told in the description and not enforced")
            yield f"Format: {form}."

    def _string(self, view: View, made: Json) -> list[str]:
        told = list(self._format(view, "string", made))
        self._counts(view, made, "minLength", "maxLength")
        if (pattern := self._text(view, "pattern")) is not None:
            made["pattern"] = pattern
        return told

    def _number(self, view: View, kind: str, made: Json) -> list[str]:
        told = list(self._format(view, kind, made))
        whole = kind == "integer"
        found = bounds(self, view, whole=whole)
        for key, value in (("minimum", found.minimum), ("maximum", found.maximum)):
            if value is not None:
                made[key] = value
        for key, sentence in found.told:
            note_told(self, view.at(key), key)
            told.append(sentence)
        if (sentence := multiple(self, view, whole=whole) or "") != "":
            note_told(self, view.at("multipleOf"), "multipleOf")
            told.append(sentence)
        return told

    def _counts(self, view: View, made: Json, *keys: str) -> None:
        for key in keys:
            count = self.number(view, key)
            if count is None:
                continue
            if int(count) != count or count < 0:
                raise InvalidRequest(f"Expected a whole number, got {count}.", param=view.at(key))
            if count > MANY.get(key, 2**63 - 1):
                self.note(view.at(key), f"{count} is more than a model can keep count of; it is not enforced")
            else:
                made[key] = int(count)

    def _array(self, view: View, made: Json, depth: int, stack: Stack) -> None:
        fixed = [(inner, path) for _, inner, path in self.items(view, "prefixItems")]
        further = view.get("items")
        self._counts(view, made, "minItems", "maxItems")
        at_most = len(fixed) if further is False else None
        if fixed:
            self.note(view.at("prefixItems"), "which item stands where is not enforced")
        elif further is None:
            self.note(view.path, "nothing is said of the items; they are taken for strings")
        parts = [*fixed, *([(further, view.at("items"))] if further not in (None, False) else [])]
        found = [self.fitting(inner, path, depth + 1, stack) for inner, path in parts if inner is not False]
        fitting = _Fitting(
            _unique([branch for one in found for branch in one.branches]), any(one.null for one in found)
        )
        node = self._settled(fitting, view.path)
        if node is None and parts and not fixed:
            at_most = 0
        made["items"] = node or {"type": "STRING"}
        if at_most is not None:
            made["maxItems"] = min(made.get("maxItems", at_most), at_most)

    def _object(self, view: View, made: Json, depth: int, stack: Stack, *, top: bool) -> list[str]:
        properties: Json = {}
        for name, inner, path in self.members(view, "properties"):
            node = None if inner is False else self.node(inner, path, depth + 1, stack)
            if node is None:
                self.note(path, "no value fits this property; it was left out")
            else:
                properties[name] = node
        further = view.get("additionalProperties")
        if further is not None and not isinstance(further, bool) and further != {}:
            self.note(view.at("additionalProperties"), "only named properties are possible")
        if not properties and not top:
            self.note(view.path, "an object without named properties becomes text that holds JSON")
            made["type"] = "STRING"
            return ["A JSON object, as JSON text."]
        if not properties:
            if further is True:
                self.note(view.at("additionalProperties"), "only named properties are possible")
            return []
        made["properties"] = properties
        required = dict.fromkeys(self.strings(view, "required"))
        for name in required.keys() - properties.keys():
            self.note(view.at("required"), f"{name!r} is not among the properties and cannot be required")
        if known := [name for name in required if name in properties]:
            made["required"] = known
        self._counts(view, made, "minProperties", "maxProperties")
        asked = [name for name in self.strings(view, "propertyOrdering") if name in properties]
        made["propertyOrdering"] = list(dict.fromkeys([*asked, *properties]))
        return []


def _grouped(values: Sequence[Any], kinds: tuple[str, ...] | None) -> dict[str, list[Any]]:
    """The values by the type of the subset schema that they belong to; null belongs to none."""
    groups: dict[str, list[Any]] = {}
    plain = [kind for kind in kinds or () if kind != "null"]
    whole = all(kind_of(value) != "number" for value in values)
    for value in values:
        if value is None:
            continue
        kind = kind_of(value)
        if kinds is not None and not fits_kind(value, kinds):
            kind = plain[0] if plain else kind
        elif kind in ("integer", "number"):
            kind = next((one for one in plain if one in ("number", "integer")), "integer" if whole else "number")
        groups.setdefault(kind, []).append(value)
    return groups


def _exclude(one: tuple[set[str], dict[str, Any]], other: tuple[set[str], dict[str, Any]]) -> bool:
    kinds, others = (marks[0] | ({"number"} if "integer" in marks[0] else set()) for marks in (one, other))
    if kinds and others and not kinds & others:
        return True
    objects = kinds == others == {"object"}
    return objects and any(name in other[1] and not values & other[1][name] for name, values in one[1].items())


def _unique(schemas: Sequence[Json]) -> tuple[Json, ...]:
    """Each schema once, in order."""
    if len(schemas) < 2:
        return tuple(schemas)
    kept: dict[bytes, Json] = {}
    for schema in schemas:
        kept.setdefault(msgspec.json.encode(schema, order="sorted"), schema)
    return tuple(kept.values())


def _any_of(nodes: Sequence[Json]) -> Json:
    """One node for several, of which a value must fit one."""
    null = any(node.get("nullable") for node in nodes)
    bare = [{key: value for key, value in node.items() if key != "nullable"} for node in nodes]
    return _node(_Fitting(_unique(bare), null))


def _node(fitting: _Fitting) -> Json:
    """One subset schema for at least one branch; null is told in each."""
    branches = [{**branch, "nullable": True} if fitting.null else branch for branch in fitting.branches]
    return branches[0] if len(branches) == 1 else {"anyOf": branches}
