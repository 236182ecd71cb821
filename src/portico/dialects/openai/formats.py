"""A format as OpenAI holds an answer to it: of callers of other dialects.

OpenAI follows a schema, and keeps to it only where it is told to be strict; then the schema has to keep the rules of strict
functions, and be no larger than its guide to Structured Outputs allows. Claude and Gemini keep to every schema they take.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from portico.core.loss import Loss
from portico.core.request import OutputFormat
from portico.core.target import Target
from portico.dialects.openai.parameters import closed, with_items
from portico.dialects.openai.refusals import STRICT_FORMAT
from portico.dialects.openai.strictness import fits_strict

_DEEPEST: Final = 10
_MOST_NAMES: Final = 5_000
_MOST_VALUES: Final = 1_000
_MOST_CHARACTERS: Final = 120_000
"""Of a strict schema: levels, properties, values of enums, and characters of all those."""


def held(output: OutputFormat, target: Target, path: str, losses: list[Loss]) -> OutputFormat:
    """The format with a schema that OpenAI takes, and strict where its caller's own provider would keep to it."""
    listed = with_items(output.schema)
    if not output.enforced or listed is None or not target.capabilities.judged:
        return msgspec.structs.replace(output, schema=listed)
    schema = closed(listed)
    if STRICT_FORMAT in target.refused or not fits_strict(schema) or not _is_small(schema):
        losses.append(Loss("1.11:schema", path, f"{target.model} follows this schema, and cannot be held to it"))
        return msgspec.structs.replace(output, schema=listed)
    if schema is not listed:
        losses.append(Loss("7.5:closed", path, "a strict format has no properties beside those it names"))
    return msgspec.structs.replace(output, schema=schema, strict=True)


def _is_small(schema: Mapping[str, Any]) -> bool:
    names = values = characters = 0
    for node, depth in _nodes(schema, 0):
        listed = [*node.get("enum", ()), *([node["const"]] if "const" in node else [])]
        named = list(node.get("properties", ()))
        names, values = names + len(named), values + len(listed)
        characters += sum(len(str(one)) for one in (*named, *node.get("$defs", ()), *listed))
        if depth > _DEEPEST or names > _MOST_NAMES or values > _MOST_VALUES or characters > _MOST_CHARACTERS:
            return False
    return True


def _nodes(node: Mapping[str, Any], depth: int) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Every schema in one that fits, and how deep it stands; definitions stand beside what names them."""
    yield node, depth
    for key in ("$defs", "definitions"):
        for one in node.get(key, {}).values():
            yield from _nodes(one, depth)
    for one in node.get("properties", {}).values():
        yield from _nodes(one, depth + 1)
    for one in node.get("anyOf", ()):
        yield from _nodes(one, depth)
    if "items" in node:
        yield from _nodes(node["items"], depth + 1)
