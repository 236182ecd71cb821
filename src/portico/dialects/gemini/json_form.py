"""JSON Schema -> the JSON Schema that Google takes, changed as little as possible (mapping.md 1.11, second column).

Most schemas need no change and come back as the same object. `const` becomes an enum, `allOf` one schema, every reference
one to `$defs`; what Google does not enforce is taken out and noted. A caller's object is copied where it has to differ.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.dialects.gemini.schema_cycles import LEVELS, name_in, pointer_to, without_required_cycles
from portico.dialects.gemini.schema_rules import (
    ANNOTATIONS,
    MANY,
    MEANINGLESS_ALONE,
    UNENFORCED,
    WRAPPED,
    bounds,
    described,
    kind_of,
    multiple,
    note_told,
    one_of,
    unenforced,
    values_of,
    where_of,
)
from portico.dialects.gemini.schema_views import DEFINES, Both, View, kinds_of, spelt_now
from portico.dialects.gemini.schema_walk import MAX_LEVELS, Budget, Found, Stack, Walk, check_size

Json = dict[str, Any]

_DROPPED: Final = frozenset(
    {
        *(
            "$comment",
            "examples",
            "discriminator",
            "deprecated",
            "readOnly",
            "writeOnly",
            "strict",
            "externalDocs",
            "xml",
        ),
        *("contentEncoding", "contentMediaType", "contentSchema"),
    }
)
"""Annotations that Google does not take; it ignores `default`, and is recorded to accept `$schema`."""
_EXCLUSIVE: Final[Mapping[str, str]] = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_LOOKED_AT: Final = frozenset(
    {
        *("$ref", "allOf", "const", "nullable", "multipleOf", *DEFINES),
        *(*_EXCLUSIVE, *_DROPPED, *UNENFORCED, *MEANINGLESS_ALONE),
    }
)
"""Keywords for which a schema may have to change; a schema with none of them stays as it is."""
_COUNTED: Final = frozenset(MANY)
_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})
_BAD_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_.-]")


def to_json_schema_form(
    schema: Mapping[str, Any], path: str, *, tool: bool = False, budget: Budget | None = None
) -> tuple[Mapping[str, Any], list[Loss]]:
    """A schema at `path` of the caller's body as `parametersJsonSchema` (`tool`) or `responseJsonSchema`, and what Google
    does not enforce of it.

    The same object where nothing has to change. Raises `InvalidRequest` with the path of a reference that points nowhere,
    and of what is no schema.
    """
    if not is_plain(schema):
        check_size(schema, path)
        walk = _JsonForm(schema, path, budget or Budget())
        made = walk.form()
        return (as_arguments(made, walk) if tool else made), walk.losses
    if not tool or schema.get("type") == "object":
        return schema, []
    walk = _JsonForm(schema, path, budget or Budget())
    return as_arguments(schema, walk), walk.losses


_LEAF: Final = frozenset({"type", "description", "title", "default", "minimum", "maximum", "format"})
"""Keywords that hold nothing that has to be looked at."""


def is_plain(schema: Any) -> bool:
    """Whether a schema holds only what Google takes as it is; found out without copying or recursing."""
    todo: list[tuple[Any, int]] = [(schema, 0)]
    while todo:
        node, depth = todo.pop()
        if type(node) is dict and _LEAF.issuperset(node) and depth <= MAX_LEVELS:
            continue
        if type(node) is not dict or depth > MAX_LEVELS or not _LOOKED_AT.isdisjoint(node):
            return False
        if not _COUNTED.isdisjoint(node) and any(not _is_few(node.get(key), most) for key, most in MANY.items()):
            return False
        values = node.get("enum")
        if values is not None and not (type(values) is list and all(map(_is_plain_value, values))):
            return False
        properties, items, further = node.get("properties"), node.get("items"), node.get("additionalProperties")
        if properties is not None:
            if type(properties) is not dict:
                return False
            todo += [(inner, depth + 1) for inner in properties.values()]
        if items is not None:
            todo.append((items, depth + 1))
        if further is not None and further is not True and further is not False:
            todo.append((further, depth + 1))
        for key in ("anyOf", "oneOf", "prefixItems"):
            branches = node.get(key)
            if branches is not None:
                if type(branches) is not list:
                    return False
                todo += [(inner, depth + 1) for inner in branches]
    return True


def _is_few(count: Any, most: int) -> bool:
    return count is None or (type(count) is int and count <= most)


def _is_plain_value(value: Any) -> bool:
    return type(value) is str or type(value) is int or type(value) is float


def as_arguments(schema: Mapping[str, Any], walk: Walk) -> Mapping[str, Any]:
    """The root of a tool's schema as the object that arguments always are."""
    kinds = kinds_of(View(schema, walk.path))
    if schema.get("enum") is not None:
        kinds = ("string",)  # or another: no object is listed
    if kinds is None:
        branches = schema.get("anyOf") or schema.get("oneOf") or ()
        objects = [kinds_of(View(one, "")) == ("object",) for one in branches if isinstance(one, Mapping)]
        known = len(objects) == len(branches) > 0
        return {"type": "object", **schema} if known and all(objects) else schema
    if "object" in kinds:
        return schema if isinstance(schema["type"], str) else {**schema, "type": "object"}
    if not kinds or not _TYPES.issuperset(kinds):
        return schema
    walk.note(walk.path, f"arguments are an object at Google: this one's {WRAPPED!r} is what the schema describes")
    body = {key: value for key, value in schema.items() if key != "$defs"}
    wrapper: Json = {"type": "object", "properties": {WRAPPED: body}, "required": [WRAPPED]}
    return {**wrapper, "$defs": schema["$defs"]} if "$defs" in schema else wrapper


class _JsonForm(Walk):
    def __init__(self, root: Mapping[str, Any], path: str, budget: Budget) -> None:
        super().__init__(root, path, budget)
        self._names: dict[tuple[str, ...], str] = {}
        self._queue: list[tuple[str, Found]] = []
        self._taken = {name for name, _, _ in self.members(View(root, path), "$defs")}
        self._numbers_of: dict[str, int] = {}

    def form(self) -> Mapping[str, Any]:
        """The whole schema."""
        whole = View(self.root, self.path)
        defines = any(key in self.root for key in DEFINES)
        body = whole.without(*DEFINES).schema if defines else self.root
        made = self.node(body, self.path, 0, ())
        if made is False:
            raise InvalidRequest("No value fits this schema.", param=self.path)
        given = {name: (inner, path) for name, inner, path in self.members(whole, "$defs")}
        definitions = {name: self._definition(inner, path) for name, (inner, path) in given.items()}
        origins = {name: path for name, (_, path) in given.items()}
        for name, inner, path in self.members(whole, "definitions"):
            self.reference_to(Found(("definitions", name), inner, path))
        for name, found in self._queue:  # grows while it is walked
            schema = body if not found.steps else found.schema
            definitions[name] = self._definition(schema, found.path)
            origins[name] = found.path
        written_out, cyclic = without_required_cycles(definitions)
        for name in cyclic:
            message = f"a recursion through required properties is not possible; it is cut after {LEVELS} levels"
            self.note(origins[name], message)
        same = not self._queue and not cyclic and all(definitions[name] is inner for name, (inner, _) in given.items())
        if made is body and same and "definitions" not in self.root:
            return self.root
        kept = {key: value for key, value in made.items() if key not in DEFINES}
        return {**kept, "$defs": dict(written_out)} if written_out else kept

    def _definition(self, value: Any, path: str) -> Any:
        node = self.node(value, path, 1, ())
        if node is False:
            self.note(path, "no value fits this schema; anything is allowed")
        return {} if node is False else node

    def node(self, value: Any, path: str, depth: int, stack: Stack) -> Any:
        """One place of the schema: the caller's own object where it needs no change, False where nothing fits."""
        if isinstance(value, bool):
            return {} if value else False
        if is_plain(value):
            return value
        self.step(path, depth)
        views = self.views(value, path)
        if len(views) == 1:
            view = _lone_reference(spelt_now(views[0]))
            if view.get("allOf") is None:
                if view.get("$ref") is None:
                    return self._emit(view, depth, stack)
                if (made := self._reference(view)) is not None:
                    return made
            views = (view,)
        flat, stack, cut = self.flatten(views, stack)
        if cut is not None:
            self.note(path, "what a recursive schema adds to itself is not enforced this deep")
            return {"$ref": self.reference_to(cut)}
        return self._emit(self.conjoin(flat), depth, stack)

    # -- references

    def reference_to(self, found: Found) -> str:
        """The reference to a schema's place among `$defs`, which it is given if it has none."""
        steps = found.steps
        if len(steps) == 2 and steps[0] == "$defs":
            return pointer_to(steps[1])
        if steps not in self._names:
            name = base = _BAD_IN_NAME.sub("_", steps[-1]) if steps else "root"
            while name in self._taken:
                self._numbers_of[base] = self._numbers_of.get(base, 1) + 1
                name = f"{base}_{self._numbers_of[base]}"
            self._taken.add(name)
            self._names[steps] = name
            self._queue.append((name, found))
        return pointer_to(self._names[steps])

    def _reference(self, view: View) -> Mapping[str, Any] | None:
        """A reference with nothing beside it that Google refuses there; None if that says more than words."""
        found = self.resolve(view)
        target = found.schema if isinstance(found.schema, Mapping) else {}
        others = {key: value for key, value in view.schema.items() if not key.startswith("$")}
        for key, value in others.items():
            says_nothing = key in ANNOTATIONS or key.startswith("x-") or value is None
            if not says_nothing and not (key == "type" and isinstance(value, str) and value == target.get("type")):
                return None
        reference = self.reference_to(found)
        same = name_in(view.get("$ref")) == name_in(reference)
        text = view.get("description")
        if isinstance(text, str) and text and text != target.get("description"):
            return {"description": text, "anyOf": [{"$ref": reference}]}
        return view.schema if same and not others else {"$ref": reference}

    # -- a schema that is no reference

    def _emit(self, view: View, depth: int, stack: Stack) -> Any:
        schema, kinds, values = view.schema, kinds_of(view), values_of(view)
        if kinds == () or values == []:
            return False
        if values is not None:
            groups = _grouped(values)
            if len(groups) > 1:
                return self._emit(_by_group(view, groups), depth, stack)
        changes: Json = {}
        gone, told = unenforced(self, view, kinds)
        gone += [key for key in schema if key in _DROPPED or key in DEFINES]
        if values is not None:
            told += self._values(view, values, changes, gone)
        told += self._numbers(view, kinds, changes, gone)
        for key, most in MANY.items():
            count = self.number(view, key) if key in schema else None
            if count is not None and count > most:
                self.note(view.at(key), f"{count} is more than a model can keep count of; it is not enforced")
                gone.append(key)
        if not self._inside(view, changes, gone, depth, stack):
            return False
        if not changes and not gone and not told:
            return schema
        made: Json = {}
        for key, value in schema.items():
            renamed = _RENAMED.get(key)
            if key not in gone:
                made[key] = changes.pop(key, value)
            elif renamed in changes and renamed not in schema:
                made[renamed] = changes.pop(renamed)
        made.update(changes)
        described(made, told)
        return made

    def _values(self, view: View, values: Sequence[Any], changes: Json, gone: list[str]) -> list[str]:
        """`enum` and `const` of one sort of values: strings and numbers can be listed, of others some can only be told."""
        if "const" in view.schema:
            gone.append("const")
            changes["enum"] = list(values)
        if _sort(values[0]) == "plain":
            return []
        changes.pop("enum", None)
        gone.append("enum")
        kind = kind_of(values[0])
        if kinds_of(view) != (kind,):
            changes["type"] = kind
        if kind == "null" or (kind == "boolean" and len(values) == 2):
            return []
        message = "of values, only strings and numbers can be listed: these are told in the description"
        self.note(where_of(view), message)
        return [one_of(values)]

    def _numbers(self, view: View, kinds: Sequence[str] | None, changes: Json, gone: list[str]) -> list[str]:
        """Exclusive ends and multiples, which Google has no keywords for."""
        schema = view.schema
        given = [key for key in (*_EXCLUSIVE, "multipleOf") if key in schema]
        if not given:
            return []
        gone += given
        if kinds is not None and not {"integer", "number"} & set(kinds):
            return []
        whole = kinds is not None and "number" not in kinds
        found = bounds(self, view, whole=whole)
        for key, value in (("minimum", found.minimum), ("maximum", found.maximum)):
            if value != schema.get(key):
                changes[key] = value
        told = list(found.told)
        if sentence := multiple(self, view, whole=whole):
            told.append(("multipleOf", sentence))
        for key, _ in told:
            note_told(self, view.at(key), key)
        return [sentence for _, sentence in told]

    def _inside(self, view: View, changes: Json, gone: list[str], depth: int, stack: Stack) -> bool:
        """The subschemas; False where none of several alternatives is possible."""
        schema = view.schema
        if (properties := schema.get("properties")) is not None:
            made: Json = {}
            for name, inner, path in self.members(view, "properties"):
                node = self.node(inner, path, depth + 1, stack)
                if node is False:
                    self.note(path, "no value fits this property; it was left out")
                else:
                    made[name] = node
            if len(made) < len(properties) or any(made[name] is not properties[name] for name in made):
                changes["properties"] = made
        for key in ("anyOf", "oneOf", "prefixItems"):
            if (given := schema.get(key)) is not None:
                nodes = [self.node(inner, path, depth + 1, stack) for _, inner, path in self.items(view, key)]
                if any(node is False for node in nodes):
                    nodes = self._possible(view, key, nodes)
                    if not nodes:
                        return False
                if len(nodes) < len(given) or any(made is not one for made, one in zip(nodes, given, strict=True)):
                    changes[key] = nodes
        if (items := schema.get("items")) is not None:
            node = self.node(items, view.at("items"), depth + 1, stack)
            if node is False:
                gone.append("items")
                fixed = len(schema.get("prefixItems") or ())
                most = self.number(view, "maxItems")
                changes["maxItems"] = fixed if most is None else min(most, fixed)
            elif node is not items:
                changes["items"] = node
        self._further(view, changes, depth, stack)
        return True

    def _possible(self, view: View, key: str, nodes: list[Any]) -> list[Any]:
        """Alternatives without the impossible ones; a place in a tuple cannot be taken out."""
        if key == "prefixItems":
            self.note(view.at(key), "no value fits one of the items; anything is allowed there")
            return [{} if node is False else node for node in nodes]
        return [node for node in nodes if node is not False]

    def _further(self, view: View, changes: Json, depth: int, stack: Stack) -> None:
        """`additionalProperties`; a closed object stays open for what its patterns named."""
        further = view.get("additionalProperties")
        if further is None:
            return
        patterns = [(inner, path) for _, inner, path in self.members(view, "patternProperties")]
        if further is not False:
            node = further if further is True else self.node(further, view.at("additionalProperties"), depth + 1, stack)
        else:
            node = False
        if patterns and node is not True:
            nodes = [node, *[self.node(inner, path, depth + 1, stack) for inner, path in patterns]]
            possible = [one for one in nodes if one is not False]
            node = {"anyOf": possible} if len(possible) > 1 else possible[0] if possible else False
        if node is not further:
            changes["additionalProperties"] = node


_RENAMED: Final[Mapping[str, str]] = {"const": "enum", **_EXCLUSIVE}
"""Where a keyword goes in an object whose order of keys is kept."""


def _sort(value: Any) -> str:
    """What can be listed together: strings and numbers; everything else by its type."""
    kind = kind_of(value)
    return "plain" if kind in ("string", "integer", "number") else kind


def _grouped(values: Sequence[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for value in values:
        groups.setdefault(_sort(value), []).append(value)
    return groups


def _by_group(view: View, groups: Mapping[str, list[Any]]) -> View:
    """Values of several sorts as alternatives of one sort each, under what describes them all."""
    outside = {key: value for key, value in view.schema.items() if key in ANNOTATIONS}
    inside = view.without("const", "enum", *outside)
    path = where_of(view)
    branches: list[Any] = []
    for sort, values in groups.items():
        if sort == "null":
            unions = {key: view.get(key) for key in ("anyOf", "oneOf") if view.get(key) is not None}
            branches.append(Both((View({"type": "null", **unions}, view.path, view.origins),)))
            continue
        kinds = [kind for kind in kinds_of(view) or () if (kind == sort) or (sort == "plain" and _is_listable(kind))]
        typed = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
        kept = inside.without("type").schema
        branches.append(Both((View({**typed, **kept, "enum": values}, view.path, {**view.origins, "enum": path}),)))
    return View({**outside, "anyOf": branches}, view.path, view.origins)


def _is_listable(kind: str) -> bool:
    return kind in ("string", "integer", "number")


def _lone_reference(view: View) -> View:
    """`allOf` of nothing but one reference as that reference, if what stands beside it only describes."""
    members = view.get("allOf")
    if not isinstance(members, list) or len(members) != 1 or not isinstance(members[0], Mapping):
        return view
    if members[0].keys() != {"$ref"} or not (view.schema.keys() - {"allOf"}) <= ANNOTATIONS:
        return view
    rest = {key: value for key, value in view.schema.items() if key != "allOf"}
    return View({**rest, **members[0]}, view.path, {"$ref": f"{view.at('allOf')}[0].$ref"})
