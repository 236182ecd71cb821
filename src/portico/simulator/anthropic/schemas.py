"""What Anthropic refuses in a JSON Schema: of any tool its shape, of strict tools and structured output also its keywords.

The sentences and limits are those of recorded refusals; which keywords are taken is told by Anthropic's page on structured
outputs, and that any other is refused by refusals that users reported.
"""

from collections.abc import Iterable
from typing import Any

from portico.simulator import subset
from portico.simulator.anthropic.refusal import Refused, at
from portico.simulator.refusal import Json
from portico.simulator.refusal import Refused as NoSchema

_MOST_STRICT, _MOST_OPTIONAL, _MOST_UNIONS = 20, 24, 16
_KEYWORDS = {
    *("type", "enum", "const", "anyOf", "allOf", "$ref", "$defs", "definitions", "$schema"),
    *("title", "description", "default"),
}
_OF_TYPE = {
    "string": {"pattern", "format"},
    "array": {"items", "minItems"},
    "object": {"properties", "required", "additionalProperties"},
}


def check_tools(tools: list[Json]) -> None:
    """Raises `Refused` for the schemas of the caller's own tools."""
    strict = [tool for tool in tools if tool.get("strict") and "input_schema" in tool]
    for place, tool in enumerate(tools):
        if "input_schema" not in tool:
            continue
        path = f"tools.{place}.custom"
        _root(tool["input_schema"], f"{path}.input_schema")
        if tool in strict:
            _compiles(tool["input_schema"], path)
    if len(strict) > _MOST_STRICT:
        raise Refused(
            f"Too many strict tools ({len(strict)}). The maximum number of strict tools supported is {_MOST_STRICT}. Try "
            "reducing the number of tools marked as strict."
        )
    _count([tool["input_schema"] for tool in strict])


def check_output(schema: Json, path: str) -> None:
    """Raises `Refused` for the schema of structured output."""
    _compiles(schema, path)
    _count([schema])


def _root(schema: Json, path: str) -> None:
    kind = schema.get("type")
    if kind is None:
        raise at(f"{path}.type", "Field required")
    if kind != "object":
        raise at(f"{path}.type", "Input should be 'object'")
    properties = schema.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise at(f"{path}.properties", "Input does not match the expected shape.")
    try:  # LiteLLM refers to `/$defs/x` here, which is taken
        subset.check_json_schema(schema, path, elsewhere=True)
    except NoSchema as error:
        said = "JSON schema is invalid. It must match JSON Schema draft 2020-12"
        raise at(path, f"{said} ({error.message.removeprefix('* ').strip()})") from None


def _compiles(schema: Json, path: str) -> None:
    """The rules of the strict compiler."""
    try:
        subset.check_json_schema(schema, path)
    except NoSchema as error:
        raise at(path, f"Invalid schema: {error.message.removeprefix('* ').strip()}") from None
    _circle(schema, path)
    for node in _nodes(schema):
        kind = node.get("type")
        if "oneOf" in node:
            raise at(path, "Schema type 'oneOf' is not supported")
        kinds = [str(name) for name in (kind if isinstance(kind, list) and kind else [kind or "object"])]
        taken = _KEYWORDS.union(*[_OF_TYPE.get(name, set()) for name in kinds])
        for key in node:
            if key not in taken:
                raise at(path, f"For '{kinds[0]}' type, property '{key}' is not supported")
        if kind == "object" or "properties" in node:
            if any(isinstance(inner, bool) for inner in (node.get("properties") or {}).values()):
                raise at(path, "For 'object' type, property 'properties' is not supported")
            if node.get("additionalProperties") is not False:
                raise at(path, "For 'object' type, 'additionalProperties' must be explicitly set to false")
        if node.get("minItems") not in (None, 0, 1):
            raise at(path, "For 'array' type, 'minItems' values other than 0 or 1 are not supported")


def _circle(schema: Json, path: str) -> None:
    definitions = (schema.get("$defs") or {}) | (schema.get("definitions") or {})
    edges = {name: set(_references(node)) & definitions.keys() for name, node in definitions.items()}
    for start in edges:
        stack: list[tuple[str, tuple[str, ...]]] = [(start, (start,))]
        seen: set[str] = set()
        while stack:
            name, way = stack.pop()
            for after in sorted(edges[name]):
                if after == start:
                    raise at(
                        path,
                        f"Invalid schema: Circular reference detected in schema definitions: {' -> '.join((*way, start))}. "
                        "Self-referencing or mutually-referencing definitions are not supported.",
                    )
                if after not in seen:
                    seen.add(after)
                    stack.append((after, (*way, after)))
    if any(node.get("$ref") == "#" for node in _nodes(schema)):
        raise at(path, "Invalid schema: Circular reference detected in schema definitions: # -> #.")


def _references(node: Any) -> Iterable[str]:
    for inner in _nodes(node):
        reference = inner.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]


def _nodes(node: Any) -> Iterable[Json]:
    """Every schema inside a schema, itself first."""
    if not isinstance(node, dict):
        return
    yield node
    for key in ("properties", "$defs", "definitions"):
        members = node.get(key)
        for inner in members.values() if isinstance(members, dict) else ():
            yield from _nodes(inner)
    for key in ("items", "additionalProperties"):
        yield from _nodes(node.get(key))
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        members = node.get(key)
        for inner in members if isinstance(members, list) else ():
            yield from _nodes(inner)


def _count(schemas: list[Json]) -> None:
    optional = unions = most_optional = most_unions = 0
    for schema in schemas:
        here, there = _optional(schema), _unions(schema)
        optional, unions = optional + here, unions + there
        most_optional, most_unions = max(most_optional, here), max(most_unions, there)
    if optional > _MOST_OPTIONAL:
        raise Refused(
            f"Schemas contains too many optional parameters ({optional}), which would make grammar compilation "
            f"inefficient. Reduce the number of optional parameters in your tool schemas (limit: {_MOST_OPTIONAL})."
        )
    if unions > _MOST_UNIONS:
        raise Refused(
            f"Schemas contains too many parameters with union types ({unions} parameters with type arrays or anyOf). This "
            "causes exponential compilation cost. Reduce the number of nullable or union-typed parameters (limit: "
            f"{_MOST_UNIONS} parameters with unions)."
        )
    if most_optional == _MOST_OPTIONAL or most_unions == _MOST_UNIONS:  # recorded of one schema at the limit
        raise Refused(
            "Schema is too complex for compilation. Try reducing the number of tools or simplifying tool schemas."
        )


def _optional(schema: Json) -> int:
    return sum(
        sum(name not in (node.get("required") or ()) for name in node.get("properties") or {})
        for node in _nodes(schema)
    )


def _unions(schema: Json) -> int:
    return sum(isinstance(node.get("type"), list) or "anyOf" in node for node in _nodes(schema))
