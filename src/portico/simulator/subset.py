"""What the API refuses in a schema: the OpenAPI subset strictly, JSON Schema where it cannot be followed.

The keys of the subset are the grammar's business (`grammar.Schema`); here are the shapes.
"""

from typing import Any

from portico.simulator.refusal import Json, Refused

_FORMATS = {
    "STRING": {"enum", "date-time"},
    "NUMBER": {"float", "double"},
    "INTEGER": {"int32", "int64"},
}


def check(schema: Json, path: str, *, vertex: bool, lenient: bool, root: bool = True) -> None:
    """Raises `Refused` if a schema in the OpenAPI subset (as `grammar.read` gives it) has a shape Google refuses."""
    kind = schema.get("type", "TYPE_UNSPECIFIED")
    branches = schema.get("anyOf", [])
    if kind == "TYPE_UNSPECIFIED" and not branches and not (vertex or lenient) and not schema.get("properties"):
        raise Refused(f"* {path}.type: must be specified\n")
    properties = schema.get("properties", {})
    # Recorded: an object without properties is accepted at the root of a tool's parameters. Below it is refused.
    if kind == "OBJECT" and not properties and not root and not vertex and not lenient:
        raise Refused(f"* {path}.properties: should be non-empty for OBJECT type\n")
    if kind == "ARRAY" and "items" not in schema:
        raise Refused(f"* {path}.items: missing field.\n")
    if properties or kind == "OBJECT":
        for number, name in enumerate(schema.get("required", [])):
            if name not in properties:
                raise Refused(f"* {path}.required[{number}]: property is not defined\n")
        for number, name in enumerate(schema.get("propertyOrdering", [])):
            if name not in properties:
                raise Refused(f"* {path}.property_ordering[{number}]: property is not defined\n")
    _enum(schema, kind, path)
    _states(schema)
    form = schema.get("format")
    if form and not vertex and kind in _FORMATS and form not in _FORMATS[kind]:
        names = " and ".join(f"'{name}'" for name in sorted(_FORMATS[kind], reverse=True))
        raise Refused(f"* {path}.format: only {names} are supported for {kind} type\n")
    for name, inner in properties.items():
        check(inner, f"{path}.properties[{name}]", vertex=vertex, lenient=lenient, root=False)
    for number, inner in enumerate(branches):
        check(inner, f"{path}.any_of[{number}]", vertex=vertex, lenient=lenient, root=False)
    if "items" in schema:
        check(schema["items"], f"{path}.items", vertex=vertex, lenient=lenient, root=False)


_MOST = {"minItems": 1000, "maxItems": 1000, "minLength": 100_000, "minProperties": 1000}


def _states(schema: Json) -> None:
    for key, most in _MOST.items():
        if (schema.get(key) or 0) > most:
            raise Refused("The specified schema produces a constraint that has too many states for serving.")


def _enum(schema: Json, kind: str, path: str) -> None:
    values = schema.get("enum", [])
    if not values:
        return
    if kind not in ("STRING", "INTEGER", "NUMBER", "TYPE_UNSPECIFIED"):
        raise Refused(f"* {path}.enum: only allowed for STRING type\n")
    for number, value in enumerate(values):
        if value == "":
            raise Refused(f"* {path}.enum[{number}]: cannot be empty\n")


_NUMBERS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"),
)
_LISTS = ("enum", "required", "propertyOrdering", "anyOf", "oneOf", "allOf", "prefixItems")
_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def check_json_schema(schema: Any, path: str, *, tool: bool = False, elsewhere: bool = False) -> None:
    """Raises `Refused` if a JSON Schema is none, points nowhere, or (for a tool) does not describe an object.

    `elsewhere`: a reference may lead out of the schema.
    """
    if not isinstance(schema, dict):
        raise Refused(f"* {path}: must be a JSON object\n")
    if tool and "$ref" not in schema and schema.get("type", "object") != "object":
        raise Refused(f"* {path}.type: schema type for function parameters should be OBJECT\n")
    _walk(schema, schema, path, elsewhere=elsewhere)


def _walk(node: Any, root: Json, path: str, *, elsewhere: bool) -> None:
    if node is None or isinstance(node, bool):
        return
    if not isinstance(node, dict):
        raise Refused(f"* {path}: must be a JSON schema\n")
    kind = node.get("type")
    for name in kind if isinstance(kind, list) else [kind]:
        if name is not None and (not isinstance(name, str) or name.lower() not in _TYPES):
            raise Refused(f"* {path}.type: unknown type {name!r}\n")
    for key in _NUMBERS:
        value = node.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise Refused(f"* {path}.{key}: must be a number\n")
    _states(node)
    for key in _LISTS:
        if not isinstance(node.get(key), list | None):
            raise Refused(f"* {path}.{key}: must be a list\n")
    reference = node.get("$ref")
    leads_out = elsewhere and isinstance(reference, str) and not reference.startswith("#")
    if reference is not None and not leads_out and resolve(reference, root) is None:
        raise Refused(f"* {path}.$ref: reference to undefined schema: {reference}\n")
    for key in ("properties", "$defs", "definitions"):
        members = {} if node.get(key) is None else node[key]
        if not isinstance(members, dict):
            raise Refused(f"* {path}.{key}: must be a JSON object\n")
        for name, inner in members.items():
            _walk(inner, root, f"{path}.{key}[{name}]", elsewhere=elsewhere)
    for key in ("items", "additionalProperties"):
        if key in node and not isinstance(node[key], list):
            _walk(node[key], root, f"{path}.{key}", elsewhere=elsewhere)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for number, inner in enumerate(node.get(key) or []):
            _walk(inner, root, f"{path}.{key}[{number}]", elsewhere=elsewhere)


def resolve(reference: Any, root: Json) -> Json | None:
    """The schema a local `#/...` reference names, or None."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    node: Any = root
    for step in reference[1:].split("/"):
        if step:
            step = step.replace("~1", "/").replace("~0", "~")
            node = node.get(step) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else None
