"""JSON Schemas as callers write them, values to try them on, and a plain judge of whether a value fits.

A schema is drawn from a seed, so that thousands are cheap and each can be drawn again. The judge is written apart from the
code that changes schemas: it knows the keywords of both of Google's forms and of JSON Schema, and walks pointers itself.
"""

import json
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

from portico.simulator.schema import make

Json = dict[str, Any]
Made = dict[str, Callable[[], Any]]

NAMES = ["a", "b", "type", "title", "$ref", "enum", "const", "default", "format", "properties", "a/b"]
WORDS = ["", "x", "yes", "no", "2020-01-01"]
KINDS = ["string", "integer", "number", "boolean", "array", "object", "null"]
REFERENCES = ["#/$defs/one", "#/definitions/two", "#/$defs/one/properties/a", "#"]

# -- schemas ----------------------------------------------------------------------------------------------------------


class Draw:
    """Draws schemas and values; the same from the same seed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)

    def whole(self) -> Json:
        """A schema, with the definitions that its references name."""
        schema = self.schema(self.dice.randint(0, 3))
        if schema.get("$ref") == "#":
            schema = {}
        if "/one" in repr(schema) or "/two" in repr(schema) or self.often(0.2):
            required = {"required": ["a"]} if self.often(0.5) else {}
            one = {"type": "object", "properties": {"a": self.schema(1)}, **required}
            schema = {**schema, "$defs": {"one": one}, "definitions": {"two": self.schema(1)}}
        return schema

    def value(self, depth: int = 2) -> Any:
        shape = self.dice.random() if depth else 0
        if shape < 0.6:
            return self.scalar()
        if shape < 0.8:
            return [self.value(depth - 1) for _ in range(self.dice.randint(0, 3))]
        return {name: self.value(depth - 1) for name in self.names()}

    def often(self, share: float) -> bool:
        return self.dice.random() < share

    def scalar(self) -> Any:
        return self.dice.choice([None, True, False, self.small(), 0.5, -1.5, 2.0, *WORDS])

    def small(self) -> int:
        return self.dice.randint(-4, 4)

    def number(self) -> float:
        return self.dice.choice([self.small(), self.small(), 0.5, -1.5])

    def names(self) -> list[str]:
        return self.dice.sample(NAMES, self.dice.randint(0, 2))

    def some(self, most: int, made: Made) -> Json:
        """A few of these keywords."""
        keys = self.dice.sample(sorted(made), min(self.dice.randint(0, most), len(made)))
        return {key: made[key]() for key in keys}

    def inner(self, depth: int) -> Any:
        return self.dice.choice([True, False]) if self.often(0.04) else self.schema(depth - 1)

    def schema(self, depth: int) -> Json:
        shapes = [self.text, self.numeric, self.plain, self.listed, self.reference]
        if depth > 0:
            shapes += [lambda: self.object(depth)] * 3 + [lambda: self.array(depth), lambda: self.several(depth)]
        schema = self.dice.choice(shapes)()
        if depth > 0 and self.often(0.12):
            schema = {**self.several(depth), **schema}
        notes: Made = {
            **dict.fromkeys(("title", "description", "$comment"), lambda: self.dice.choice(WORDS)),
            **dict.fromkeys(("default", "examples", "x-own"), self.scalar),
        }
        return {**schema, **self.some(1, notes)} if self.often(0.3) else schema

    def text(self) -> Json:
        counts: Made = {"minLength": lambda: self.dice.randint(0, 3), "maxLength": lambda: self.dice.randint(2, 9)}
        forms: Made = {
            "pattern": lambda: self.dice.choice(["^[a-z]*$", "e"]),
            "format": lambda: self.dice.choice(["date-time", "email"]),
            "enum": lambda: [self.dice.choice(WORDS) for _ in range(self.dice.randint(1, 3))],
            "const": lambda: self.dice.choice(WORDS),
        }
        return {"type": "string", **self.some(2, counts | forms)}

    def numeric(self) -> Json:
        made: Made = dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), self.number)
        made |= {"multipleOf": lambda: self.dice.randint(1, 2), "enum": lambda: [self.small(), self.small()]}
        return {"type": self.dice.choice(["integer", "number"]), **self.some(2, made)}

    def plain(self) -> Json:
        kinds = self.dice.sample(KINDS, self.dice.randint(1, 3))
        made: Made = {"minimum": self.number, "minLength": lambda: 2, "required": self.names}
        return self.dice.choice(
            [
                {},
                {"type": kinds[0]},
                {"type": kinds, **self.some(1, made)},
                {"type": self.dice.choice(KINDS[:5]), "nullable": True},
            ]
        )

    def listed(self) -> Json:
        values = [self.scalar() for _ in range(self.dice.randint(1, 4))]
        return {"enum": values} if self.often(0.6) else {"const": values[0]}

    def reference(self) -> Json:
        beside: Made = {
            "description": lambda: "said beside",
            "minLength": lambda: 1,
            "nullable": lambda: True,
            "type": lambda: self.dice.choice(KINDS),
            "required": lambda: ["a"],
        }
        return {"$ref": self.dice.choice(REFERENCES), **self.some(1, beside)}

    def object(self, depth: int) -> Json:
        typed = {"type": "object"} if self.often(0.85) else {}
        made: Made = {
            "required": self.names,
            "additionalProperties": lambda: self.dice.choice([True, False, self.inner(depth)]),
            "patternProperties": lambda: {self.dice.choice(["^a", "b$"]): self.inner(depth)},
            "minProperties": lambda: self.dice.randint(0, 3),
            "maxProperties": lambda: self.dice.randint(1, 4),
            "propertyNames": lambda: {"maxLength": 3},
        }
        properties = {name: self.inner(depth) for name in self.names()} if self.often(0.8) else None
        return {**typed, **({} if properties is None else {"properties": properties}), **self.some(2, made)}

    def array(self, depth: int) -> Json:
        typed = {"type": "array"} if self.often(0.85) else {}
        made: Made = {
            "items": lambda: self.dice.choice([self.inner(depth), self.inner(depth), [self.inner(depth)]]),
            "minItems": lambda: self.dice.randint(0, 3),
            "maxItems": lambda: self.dice.choice([0, 1, 2, 5000]),
            "uniqueItems": lambda: self.often(0.5),
            "contains": lambda: self.inner(depth),
        }
        schema = {**typed, **self.some(3, made)}
        if not isinstance(schema.get("items"), list) and self.often(0.3):
            schema["prefixItems"] = [self.inner(depth) for _ in range(self.dice.randint(1, 2))]
        return schema

    def several(self, depth: int) -> Json:
        key = self.dice.choice(["anyOf", "anyOf", "oneOf", "allOf", "allOf", "not"])
        if key == "not":
            return {"not": self.inner(depth)}
        return {key: [self.inner(depth) for _ in range(self.dice.randint(1, 3))]}


# -- values -----------------------------------------------------------------------------------------------------------


def tries(schema: Json, values: list[Any]) -> list[Any]:
    """Values to try a schema on: given ones, and some made to fit it as far as the simulator can."""
    made: list[Any] = []
    plain = json.loads(json.dumps(schema), object_hook=_without_unique)
    for seed in range(4):
        try:
            made.append(make(plain, Random(seed)))
        except (ValueError, TypeError, RecursionError, KeyError, AttributeError):
            break
    inside = [one for value in made for one in (value.values() if isinstance(value, dict) else ())]
    return [*values, *made, *inside]


def _without_unique(node: Json) -> Json:
    """The maker looks very long for different items of a recursive array."""
    return {key: value for key, value in node.items() if key != "uniqueItems"}


# -- the judge --------------------------------------------------------------------------------------------------------

_PYTHON: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


class Endless(Exception):
    """The schema refers to itself without end."""


def fits(value: Any, schema: Any, root: Any, depth: int = 0) -> bool:
    """Whether a value fits a schema, in JSON Schema's words or in those of the OpenAPI subset."""
    if isinstance(schema, bool):
        return schema
    if depth > 40:
        raise Endless
    if schema.get("nullable") is True and value is None and "type" in schema:
        return True
    if "$ref" in schema and not fits(value, resolved(schema["$ref"], root), root, depth + 1):
        return bool(schema.get("nullable") is True and value is None)
    kinds = schema.get("type")
    if kinds is not None and not any(is_kind(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        return False
    if "enum" in schema and not any(same(value, one) for one in schema["enum"]):
        return schema.get("nullable") is True and value is None
    if "const" in schema and not same(value, schema["const"]):
        return False
    return _together(value, schema, root, depth + 1) and _within(value, schema, root, depth + 1)


def _together(value: Any, schema: Any, root: Any, depth: int) -> bool:
    if schema.get("nullable") is True and value is None and ({"anyOf", "oneOf", "allOf"} & schema.keys()):
        return True
    if "anyOf" in schema and not any(fits(value, one, root, depth) for one in schema["anyOf"]):
        return False
    if "oneOf" in schema and sum([fits(value, one, root, depth) for one in schema["oneOf"]]) != 1:
        return False
    if "allOf" in schema and not all(fits(value, one, root, depth) for one in schema["allOf"]):
        return False
    return "not" not in schema or not fits(value, schema["not"], root, depth)


def _within(value: Any, schema: Any, root: Any, depth: int) -> bool:
    match value:
        case bool() | None:
            return True
        case str():
            sized = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf)
            return sized and re.search(schema.get("pattern", ""), value) is not None
        case int() | float():
            return _ranged(value, schema)
        case list():
            return _listed(value, schema, root, depth)
        case _:
            return _named(value, schema, root, depth)


def _ranged(value: float, schema: Any) -> bool:
    low, high = schema.get("exclusiveMinimum", -math.inf), schema.get("exclusiveMaximum", math.inf)
    inside = schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf) and low < value < high
    return bool(inside) and ("multipleOf" not in schema or value % schema["multipleOf"] == 0)


def _listed(value: list[Any], schema: Any, root: Any, depth: int) -> bool:
    items = schema.get("items", True)
    fixed = items if isinstance(items, list) else schema.get("prefixItems", [])
    further = schema.get("additionalItems", True) if isinstance(items, list) else items
    sized = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
    unique = not schema.get("uniqueItems") or not any(same(a, b) for i, a in enumerate(value) for b in value[:i])
    return (
        sized
        and unique
        and all(fits(one, fixed[i] if i < len(fixed) else further, root, depth) for i, one in enumerate(value))
        and ("contains" not in schema or any(fits(one, schema["contains"], root, depth) for one in value))
    )


def _named(value: Json, schema: Any, root: Any, depth: int) -> bool:
    if set(schema.get("required", [])) - value.keys():
        return False
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", math.inf):
        return False
    for name, inner in value.items():
        rules = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        rules += [rule for pattern, rule in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        rules = rules or [schema.get("additionalProperties", True)]
        if not all(fits(inner, rule, root, depth) for rule in rules):
            return False
        if not fits(name, schema.get("propertyNames", True), root, depth):
            return False
    return True


def is_kind(value: Any, kind: str) -> bool:
    if kind.lower() == "integer":
        return not isinstance(value, bool) and isinstance(value, (int, float)) and value == int(value)
    return isinstance(value, _PYTHON[kind.lower()]) and (kind.lower() == "boolean" or not isinstance(value, bool))


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are one: `1` is `1.0` and neither is `true`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other if isinstance(one, str) else bool(one == other)


def resolved(reference: str, root: Any) -> Any:
    node = root
    for step in reference.split("/")[1:]:
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node
