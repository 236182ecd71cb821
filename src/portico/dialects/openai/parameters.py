"""What a function takes, as OpenAI takes it: of callers whose own provider is less particular.

An object has to say so, and to list properties though it has none. It is no choice: `schema must have type 'object' and not
have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level`. A list says what is in it: `array schema missing items`. And a
function may be called strict only if its schema keeps the rules of strict functions.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from portico.core.flat_schema import UNIONS, flattened, resolved
from portico.core.loss import Loss
from portico.core.request import Tool
from portico.core.target import Target
from portico.dialects.openai.strictness import fits_strict

_NOT_AT_THE_TOP: Final = (*UNIONS, "enum", "const", "not", "$ref")
_NAMED: Final = ("properties", "$defs", "definitions")
_DEEPEST: Final = 64


class Parameters(NamedTuple):
    """What is sent of a function's parameters, and whether it is strict (None: nobody said)."""

    schema: Mapping[str, Any] | None
    strict: bool | None


def parameters(tool: Tool, target: Target, path: str, losses: list[Loss]) -> Parameters:
    """Of a function of another dialect, at `path` of its body; the same object where nothing has to change. What a server
    that nobody knows refuses is not known either."""
    if tool.schema is None:
        return Parameters(None, tool.strict)
    judged = target.capabilities.judged
    top = _one_object(tool.schema) if judged else tool.schema
    if top is not tool.schema:
        losses.append(Loss("1.11:schema", path, "no choice at the top of what a function takes"))
    schema = _each(_listing(top), _saying_items)
    if not tool.strict or not judged:
        return Parameters(schema, tool.strict)
    shut = closed(schema)
    if not fits_strict(shut, said=True):
        losses.append(Loss("1.12:strict", path, "a function with this schema cannot be strict at OpenAI"))
        return Parameters(schema, False)
    if shut is not schema:
        losses.append(Loss("7.5:closed", path, "a strict function has no properties beside those it names"))
    return Parameters(shut, True)


def _one_object(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if schema.keys().isdisjoint(_NOT_AT_THE_TOP):
        return schema
    named = resolved(schema, schema)
    whole = schema if named is schema else {**named, **{key: schema[key] for key in schema if key != "$ref"}}
    return {key: value for key, value in flattened(whole).items() if key not in _NOT_AT_THE_TOP}


def _listing(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with a type and a list of properties. A type that is none of an object's is left for OpenAI to refuse."""
    kind = schema.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return schema
    listed = schema.get("properties")
    if "type" in schema and kind == "object" and isinstance(listed, Mapping):
        return schema
    return {**schema, "type": "object", "properties": listed if isinstance(listed, Mapping) else {}}


def with_items(schema: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A schema in which each list says what is in it: anything, where it did not. The same object if all do."""
    made: Mapping[str, Any] | None = _each(schema, _saying_items)
    return made


def closed(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema in which each object is closed that did not say whether it is, as the Responses API reads a strict one. The
    same object if all did."""
    made: Mapping[str, Any] = _each(schema, _said_to_be_closed)
    return made


def _saying_items(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**node, "items": {}} if _is(node, "array") and "items" not in node else node


def _said_to_be_closed(node: Mapping[str, Any]) -> Mapping[str, Any]:
    open_ = _is(node, "object") and "additionalProperties" not in node
    return {**node, "additionalProperties": False} if open_ else node


def _is(node: Mapping[str, Any], kind: str) -> bool:
    said = node.get("type")
    return said == kind or (isinstance(said, list) and kind in said)


def _each(node: Any, change: Callable[[Mapping[str, Any]], Mapping[str, Any]], depth: int = 0) -> Any:
    """Every schema in a schema changed, from the inside out; what does not change stays the same object."""
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key in _NAMED and isinstance(value, Mapping):
            below = {name: _each(one, change, depth + 1) for name, one in value.items()}
            made[key] = value if all(below[name] is one for name, one in value.items()) else below
        elif key in UNIONS and isinstance(value, list):
            listed = [_each(one, change, depth + 1) for one in value]
            made[key] = value if all(one is was for one, was in zip(listed, value, strict=True)) else listed
        else:
            made[key] = _each(value, change, depth + 1) if key in ("items", "additionalProperties") else value
    return change(node if all(made[key] is value for key, value in node.items()) else made)
