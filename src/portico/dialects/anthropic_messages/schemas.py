"""What Anthropic's compiler of schemas takes, of strict tools and of the answer's format.

An object must be closed in so many words, some keywords are refused, and there are limits over all tools of a call
(Anthropic's page on structured outputs, and recorded refusals). A schema that cannot be compiled is never sent as one that
is: the caller asked for help, and a refusal is none.
"""

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from portico.core.flat_schema import flattened, members, required
from portico.core.request import Tool
from portico.wire import jsontext

_TAKEN: Final = frozenset(
    {
        *("$ref", "$defs", "definitions", "$schema", "title", "description", "default"),
        *("type", "enum", "const", "anyOf", "oneOf", "allOf", "pattern", "format"),
        *("properties", "required", "additionalProperties", "items", "minItems"),
    }
)
"""Every other keyword is refused by name (`For 'object' type, property 'strict' is not supported`)."""
_SAY_NOTHING: Final = frozenset(
    {
        *(
            "$id",
            "$comment",
            "example",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "propertyOrdering",
            "strict",
        ),
        *("contentEncoding", "contentMediaType", "discriminator", "externalDocs", "xml"),
    }
)
"""Keywords that no value breaks: without them nothing is enforced less."""
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_WIDTHS: Final = frozenset({"int32", "int64", "uint32", "uint64", "float", "double"})
"""Formats of numbers, which say how they are held and not which there are."""
_NAMED: Final = ("properties", "$defs", "definitions")
_LISTED: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_MOST_STRICT: Final = 20
_MOST_OPTIONAL: Final = 24
_MOST_UNIONS: Final = 16
_DEEPEST: Final = 64
_LONGEST_TOLD: Final = 1000


class Closed:
    """A schema with every object closed. `schema` is None where the compiler has no way to take it; `dropped` are the
    keywords that had to go, which is a loss, though descriptions tell them."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.dropped: set[str] = set()
        self.narrowed = False
        """Whether an object was closed that was not."""
        self._possible = True
        made = self._close(schema, 0)
        if self._possible and (_circular(made) or _leads_elsewhere(made)):
            self._possible = False
        self.schema: Mapping[str, Any] | None = made if self._possible else None

    def _close(self, node: Any, depth: int) -> Any:
        if not isinstance(node, Mapping):
            self._possible = False  # true or false, or no schema at all
            return node
        if depth > _DEEPEST:
            self._possible = False
            return node
        if "anyOf" in node and "oneOf" in node:
            self._possible = False  # the compiler knows one of them alone
        made: dict[str, Any] = {}
        lost: dict[str, Any] = {}
        for key, value in node.items():
            if _taken(key, value):
                made["anyOf" if key == "oneOf" else key] = self._member(key, value, depth + 1)
            elif not _says_nothing(key, value):
                lost[key] = value
        if lost:
            self.dropped.update(lost)
            _describe(made, lost)
        if made.get("type") == "object" or "properties" in made:
            further = node.get("additionalProperties")
            if further is not False and (not made.get("properties") or isinstance(further, Mapping)):
                self._possible = False  # a map of any keys: closed, it could only be empty
            self.narrowed |= further is not False
            made["additionalProperties"] = False
        if isinstance(made.get("allOf"), list) and len(made["allOf"]) > 1:
            self._possible = False  # closed one by one, they would exclude each other's properties
        return made

    def _member(self, key: str, value: Any, depth: int) -> Any:
        if key in _NAMED and isinstance(value, Mapping):
            return {name: self._close(inner, depth) for name, inner in value.items()}
        if key == "items":
            return self._close(value, depth)
        if key in _LISTED and isinstance(value, list):
            return [self._close(inner, depth) for inner in value]
        return value


def _taken(key: str, value: Any) -> bool:
    if key == "format":
        return str(value) in _FORMATS
    return value in (0, 1) if key == "minItems" else key in _TAKEN


def _says_nothing(key: str, value: Any) -> bool:
    return key in _SAY_NOTHING or (key == "format" and str(value) in _WIDTHS)


def _describe(made: dict[str, Any], lost: Mapping[str, Any]) -> None:
    """Says what no value is held to where the model reads it, as Anthropic's own SDKs do."""
    said, words = made.get("description"), jsontext.encode(lost).decode()
    if len(words) <= _LONGEST_TOLD:
        made["description"] = f"{said}\n\n{words}" if isinstance(said, str) and said else words


def strict_schemas(tools: Iterable[Tool]) -> dict[int, Mapping[str, Any]]:
    """The schemas of the strict tools that stay strict, by the tool's place. None does where all of them are too many."""
    kept: dict[int, Mapping[str, Any]] = {}
    for place, tool in enumerate(tools):
        if tool.strict and tool.kind != "custom":
            closed = Closed(
                flattened(tool.schema)
                if tool.schema
                else {"type": "object", "properties": {}, "additionalProperties": False}
            )
            if closed.schema is not None and not closed.dropped:
                kept[place] = closed.schema
    return kept if len(kept) <= _MOST_STRICT and fit(kept.values()) else {}


def fit(schemas: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the compiler takes so many optional members and unions at once."""
    nodes = [node for schema in schemas for node in _nodes(schema)]
    optional = sum(len(members(node).keys() - set(required(node))) for node in nodes)
    unions = sum("anyOf" in node or isinstance(node.get("type"), list) for node in nodes)
    return optional < _MOST_OPTIONAL and unions < _MOST_UNIONS


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(node, Mapping):
        return
    yield node
    for key in _NAMED:
        members = node.get(key)
        for inner in members.values() if isinstance(members, Mapping) else ():
            yield from _nodes(inner)
    yield from _nodes(node.get("items"))
    for key in _LISTED:
        listed = node.get(key)
        for inner in listed if isinstance(listed, list) else ():
            yield from _nodes(inner)


def _leads_elsewhere(schema: Any) -> bool:
    """Whether some reference is to no definition (`Reference to non-existent definition`), though to a place there is."""
    known = {f"#/{key}/{name}" for key in ("$defs", "definitions") for name in schema.get(key, ())}
    return any("$ref" in node and str(node["$ref"]) not in known for node in _nodes(schema))


def _circular(schema: Any) -> bool:
    """Whether definitions lead back to themselves, or anything to the root."""
    definitions = {
        name: {str(inner["$ref"]).rpartition("/")[2] for inner in _nodes(part) if "$ref" in inner}
        for key in ("$defs", "definitions")
        for name, part in (schema[key].items() if isinstance(schema.get(key), Mapping) else ())
    }
    if any(node.get("$ref") == "#" for node in _nodes(schema)):
        return True
    try:
        TopologicalSorter(definitions).prepare()
    except CycleError:
        return True
    return False
