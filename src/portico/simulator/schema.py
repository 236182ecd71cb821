"""JSON that fits a given schema: what a prompt offers where it fits, invented elsewhere, the same for the same dice.

Takes both forms Google takes: the OpenAPI subset (upper-case types, `nullable`, string enums of integers, alphabetical
keys unless `propertyOrdering` says otherwise) and JSON Schema (`$ref`, type lists, `const`, schema order).
"""

import math
import re
from random import Random
from typing import Any

from portico.simulator.literals import NOTHING, Hints, compile_pattern
from portico.simulator.refusal import Json
from portico.simulator.subset import resolve

_DEEPEST = 6
_WORDS = ("amber", "basalt", "cedar", "dune", "ember", "fjord", "grove", "harbor", "iris", "jade", "kelp", "lumen")
_FORMATS = {
    "date-time": "2026-01-02T03:04:05Z",
    "date": "2026-01-02",
    "time": "03:04:05Z",
    "duration": "PT5S",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/simulated",
    "uuid": "00000000-0000-4000-8000-000000000001",
}
_SAMPLES = (
    "a",
    "A",
    "1",
    "abc",
    "ABC",
    "123",
    "a1",
    "A1",
    "abc-123",
    "ABC-123",
    "12345",
    "2026-01-02",
    "a@b.example",
    "#a0b1c2",
    "+15550100",
    "1.0.0",
    "en-US",
    "USD",
    "12:30",
)


def make(schema: Any, dice: Random, *, ordered: bool = True, hints: Hints | None = None, sparse: bool = False) -> Any:
    """A value that fits `schema`.

    `ordered=False` emits object keys alphabetically, as the OpenAPI form does. `hints` offers what the prompt says.
    `sparse` leaves out optional properties the prompt says nothing of, as arguments of a call do.
    """
    return _Maker(schema, dice, ordered=ordered, hints=hints, sparse=sparse).value(schema, 0)


def fields(schema: Any) -> tuple[dict[str, Json], list[str], dict[str, str]]:
    """(properties, required names, kind of each property) of the object a schema describes."""
    maker = _Maker(schema, Random(0), ordered=True)
    node = maker.settle(schema, 0) if isinstance(schema, dict) else {}
    properties = {
        name: maker.settle(inner, 1) if isinstance(inner, dict) else {}
        for name, inner in (node.get("properties") or {}).items()
    }
    required = [name for name in node.get("required") or [] if isinstance(name, str) and name in properties]
    return properties, required, {name: maker.kind(inner) for name, inner in properties.items()}


_END = 40
"""A schema that requires itself for ever describes nothing that ends: what it describes is left empty so far down."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


class _Maker:
    def __init__(
        self, root: Any, dice: Random, *, ordered: bool, hints: Hints | None = None, sparse: bool = False
    ) -> None:
        self.root = root if isinstance(root, dict) else {}
        self.dice = dice
        self.ordered = ordered
        self.hints = hints
        self.sparse = sparse and hints is not None

    def value(self, schema: Any, depth: int, name: str = "") -> Any:
        if not isinstance(schema, dict):
            return self.word()
        node = self.settle(schema, depth)
        if "const" in node:
            return node["const"]
        kind = self.kind(node)
        if node.get("enum"):
            return self.choice(node["enum"], kind)
        if self.hints is not None:
            offered = self.hints.one(name, node, kind)
            if offered is not NOTHING:
                return offered
        match kind:
            case "object":
                return self.object(node, depth)
            case "array":
                return self.array(node, depth, name)
            case "integer":
                return self.integer(node)
            case "number":
                return self.number(node)
            case "boolean":
                return self.dice.random() < 0.5
            case "null":
                return None
            case _:
                return self.string(node)

    def settle(self, schema: Json, depth: int) -> Json:
        """The node with references followed, one branch of a union taken, and `allOf` merged in."""
        node = schema
        for _ in range(20):
            node = {key: value for key, value in node.items() if value is not None or key == "const"}
            if "$ref" in node:
                target = resolve(node["$ref"], self.root)
                node = (target or {}) | {key: value for key, value in node.items() if key != "$ref"}
            elif branches := node.get("anyOf") or node.get("oneOf"):
                rest = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf")}
                node = _merged(rest, self.branch(branches, depth))
            elif "allOf" in node:
                rest = {key: value for key, value in node.items() if key != "allOf"}
                for one in node["allOf"]:
                    rest = _merged(rest, self.settle(one, depth) if isinstance(one, dict) else {})
                node = rest
            else:
                break
        return node

    def branch(self, branches: list[Any], depth: int) -> Json:
        usable = [one for one in branches if isinstance(one, dict)]
        if not usable:
            return {}
        if depth >= _DEEPEST - 2:  # the shallow way out of a recursive schema
            return min(usable, key=lambda one: 0 if self.kind(one) == "null" else 2 if "$ref" in one else 1)
        plain = [one for one in usable if self.kind(one) != "null"]
        return self.dice.choice(plain or usable)

    def kind(self, node: Json) -> str:
        kind = node.get("type")
        if isinstance(kind, list):
            names = [str(name).lower() for name in kind if str(name).lower() != "null"]
            return names[0] if names else "null"
        if isinstance(kind, str) and kind != "TYPE_UNSPECIFIED":
            return kind.lower()
        if "properties" in node:
            return "object"
        return "array" if "items" in node or "prefixItems" in node else "string"

    def choice(self, values: list[Any], kind: str) -> Any:
        value = NOTHING if self.hints is None else self.hints.mentioned(values)
        if value is NOTHING:
            value = self.dice.choice(values)
        if isinstance(value, str) and kind in ("integer", "number") and _NUMBER.fullmatch(value):
            return int(value) if re.fullmatch(r"-?\d+", value) else float(value)
        return value

    def object(self, node: Json, depth: int) -> Json:
        if depth > _END:
            return {}
        properties = node.get("properties") or {}
        required = [name for name in node.get("required") or [] if isinstance(name, str)]
        names = list(properties) + [name for name in required if name not in properties]
        if not self.ordered:
            names.sort()
        ordering = [name for name in node.get("propertyOrdering") or [] if name in names]
        names = ordering + [name for name in names if name not in ordering]
        keep = {name for name in names if name in required or self.likely(name, properties.get(name), depth)}
        least = int(node.get("minProperties") or 0)
        for name in names:
            if len(keep) < least:
                keep.add(name)
        extra = node.get("additionalProperties")
        inner = extra if isinstance(extra, dict) else {"type": "string"}
        # Values are made in the order of the schema, whatever the order they are told in: so the prompt was written too.
        told = [name for name in (*properties, *names) if name in keep]
        values = {name: self.value(properties.get(name, inner), depth + 1, name) for name in dict.fromkeys(told)}
        made = {name: values[name] for name in names if name in keep}
        if extra is not False:
            while len(made) < least:
                made[f"key{len(made)}"] = self.value(inner, depth + 1)
        return made

    def likely(self, name: str, schema: Any, depth: int) -> bool:
        """Whether an optional property is given."""
        if not self.sparse or self.hints is None:
            return depth < 2 and self.dice.random() < 0.7
        if depth >= 2 or not isinstance(schema, dict):
            return False
        node = self.settle(schema, depth + 1)
        if node.get("enum"):
            return self.hints.mentioned(node["enum"]) is not NOTHING
        return self.hints.told(name, node, self.kind(node)) is not NOTHING

    def array(self, node: Json, depth: int, name: str) -> list[Any]:
        least = int(node.get("minItems") or 0)
        most = int(node["maxItems"]) if node.get("maxItems") is not None else max(least, 2)
        if self.hints is not None and isinstance(inner := node.get("items"), dict) and not node.get("prefixItems"):
            item = self.settle(inner, depth + 1)
            items = [] if item.get("enum") or "const" in item else self.hints.many(item, self.kind(item))
            items = items[: int(node["maxItems"])] if node.get("maxItems") is not None else items
            if items and len(items) >= least and len({*map(str, items)}) == len(items):
                return items
        if depth > _END:
            return []
        size = least if depth >= _DEEPEST else max(least, min(most, self.dice.randint(1, 2)))
        if self.hints is not None and depth < _DEEPEST and (listed := len(self.hints.offered.spread_names)):
            most = int(node["maxItems"]) if node.get("maxItems") is not None else listed
            size = max(least, min(most, listed, 20))
        fixed = node.get("prefixItems") or []
        items = [self.value(one, depth + 1) for one in fixed[:size]] if fixed else []
        inner = node.get("items", {})
        if inner is False:
            return items
        for _ in range(size + 50):
            if len(items) >= size:
                break
            value = self.value(inner, depth + 1, name)
            if not (node.get("uniqueItems") and value in items):
                items.append(value)
        return items

    def bounds(self, node: Json, step: float) -> tuple[float, float]:
        low, high = node.get("minimum"), node.get("maximum")
        above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
        if isinstance(above, int | float) and not isinstance(above, bool):
            low = above + step if low is None else max(low, above + step)
        if isinstance(below, int | float) and not isinstance(below, bool):
            high = below - step if high is None else min(high, below - step)
        if low is None:
            low = min(0, high) if high is not None else 0
        if high is None:
            high = low + 100
        return low, high

    def integer(self, node: Json) -> int:
        low, high = self.bounds(node, 1)
        every = node.get("multipleOf")
        first, last = math.ceil(low), math.floor(high)
        if every and float(every).is_integer():
            every = int(every)
            first, last = -(-first // every), last // every
            return self.dice.randint(first, max(first, last)) * every
        return self.dice.randint(first, max(first, last))

    def number(self, node: Json) -> float:
        low, high = self.bounds(node, 1e-6)
        if every := node.get("multipleOf"):
            return float(math.ceil(low / every) * every)
        return min(max(round(self.dice.uniform(low, high), 2), low), high)

    def word(self) -> str:
        return f"{self.dice.choice(_WORDS)}-{self.dice.randint(10, 99)}"

    def string(self, node: Json) -> str:
        if pattern := node.get("pattern"):
            return self.matching(str(pattern))
        text = _FORMATS.get(str(node.get("format")), "") or self.word()
        least = int(node.get("minLength") or 0)
        if len(text) < least:
            text += "x" * (least - len(text))
        most = node.get("maxLength")
        return text if most is None else text[: int(most)]

    def matching(self, pattern: str) -> str:
        compiled = compile_pattern(pattern)
        if compiled is None:
            return self.word()
        return next((text for text in (self.word(), *_SAMPLES) if compiled.search(text)), self.word())


def _merged(base: Json, more: Json) -> Json:
    merged = base | more
    for key in ("properties", "$defs"):
        if key in base and key in more:
            merged[key] = base[key] | more[key]
    if "required" in base and "required" in more:
        merged["required"] = [*(base["required"] or ()), *(more["required"] or ())]
    return merged
