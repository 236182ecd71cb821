"""Rules that both forms of Google's schemas share: values, bounds, and what can only be told in words (mapping.md 1.11)."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from portico.core.errors import InvalidRequest
from portico.dialects.gemini.schema_views import View, is_among, kinds_of, sentences, value_key
from portico.dialects.gemini.schema_walk import Walk
from portico.wire import jsontext
from portico.wire.names import json_type

WRAPPED: Final = "input"
"""The one argument of a tool whose schema is no object."""
MANY: Final[Mapping[str, int]] = {
    "minItems": 1000,
    "maxItems": 1000,
    "minProperties": 1000,
    "maxProperties": 1000,
    "minLength": 100_000,
}
"""Above these a schema "has too many states for serving"."""

ANNOTATIONS: Final = frozenset(
    {
        *("title", "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly", "strict"),
        *(
            "$schema",
            "$comment",
            "$id",
            "$anchor",
            "$dynamicAnchor",
            "$vocabulary",
            "discriminator",
            "externalDocs",
            "xml",
        ),
        *("contentEncoding", "contentMediaType", "contentSchema"),
    }
)
"""Keywords that allow and forbid nothing."""

UNENFORCED: Final[Mapping[str, str | None]] = {
    "not": None,
    "if": None,
    "$dynamicRef": None,
    "$recursiveRef": None,
    "patternProperties": "object",
    "propertyNames": "object",
    "dependentRequired": "object",
    "dependentSchemas": "object",
    "dependencies": "object",
    "unevaluatedProperties": "object",
    "unevaluatedItems": "array",
    "uniqueItems": "array",
    "contains": "array",
}
"""Keywords that Google has nothing for, and the type of value each speaks of."""
MEANINGLESS_ALONE: Final = frozenset({"then", "else", "minContains", "maxContains", "additionalItems"})
"""They only add to a keyword of `UNENFORCED`."""
_SAYS_NOTHING: Final[Mapping[str, tuple[Any, ...]]] = {
    "not": (False,),
    "uniqueItems": (False,),
    "patternProperties": ({},),
    "dependentRequired": ({},),
    "dependentSchemas": ({},),
    "dependencies": ({},),
    "propertyNames": (True, {}),
    "unevaluatedProperties": (True, {}),
    "unevaluatedItems": (True, {}),
}
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_SHOWN_VALUES: Final = 50
_SHOWN_CHARACTERS: Final = 500


def unenforced(walk: Walk, view: View, kinds: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The keywords of a view that Google has nothing for, and sentences that tell them. Each that could matter to a value
    of these types is noted."""
    gone: list[str] = []
    told: list[str] = []
    for key in view.schema:
        if key in MEANINGLESS_ALONE:
            gone.append(key)
        if key not in UNENFORCED:
            continue
        gone.append(key)
        value, kind = view.get(key), UNENFORCED[key]
        says_nothing = value is None or any(value is one or value == one for one in _SAYS_NOTHING.get(key, ()))
        if says_nothing or (kind is not None and kinds is not None and kind not in kinds):
            continue
        sentence = _in_words(key, value)
        told += [sentence] if sentence else []
        how = "it is told in the description and" if sentence else "it is"
        walk.note(view.at(key), f"Google's schemas have no `{key}`: {how} not enforced")
    return gone, told


def _in_words(key: str, value: Any) -> str | None:
    if key == "uniqueItems":
        return "The items must differ from each other."
    if key == "contains" and len(text := shown(value)) <= _SHOWN_CHARACTERS:
        return f"At least one item must match {text}."
    return None


def shown(value: Any) -> str:
    """A value as JSON text, for a sentence."""
    return jsontext.dumps(value)


def one_of(values: Sequence[Any]) -> str:
    """The sentence that lists the only possible values."""
    if len(values) == 1:
        return f"Must be {shown(values[0])[:_SHOWN_CHARACTERS]}."
    texts: list[str] = []
    for value in values[:_SHOWN_VALUES]:
        texts.append(shown(value))
        if sum(map(len, texts)) > _SHOWN_CHARACTERS:
            break
    more = ", …" if len(texts) < len(values) else ""
    return f"One of: {', '.join(texts)}{more}."


# -- values ----------------------------------------------------------------------------------------------------------


def values_of(view: View) -> list[Any] | None:
    """The only values that a view's `enum`, `const` and types allow, each once; None where all are.

    Numbers listed as strings are kept: that is how the OpenAPI subset lists them.
    """
    values = view.get("enum")
    if values is not None and not isinstance(values, (list, tuple)):
        raise InvalidRequest(f"Expected an array, got {json_type(values)}.", param=view.at("enum"))
    if "const" in view.schema:
        constant = view.get("const")
        values = [constant] if values is None or is_among(constant, values) else []
    if values is None:
        return None
    unique = list({value_key(value): value for value in values}.values())
    kinds = kinds_of(view)
    if kinds is None:
        return unique
    fitting = [value for value in unique if fits_kind(value, kinds)]
    if not fitting and {"integer", "number"} & set(kinds) and all(_spells_number(value) for value in unique):
        return unique
    return fitting


def _spells_number(value: Any) -> bool:
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def where_of(view: View) -> str:
    """The path of the keyword that lists the values."""
    return view.at("const" if "const" in view.schema else "enum")


def kind_of(value: Any) -> str:
    """The JSON Schema type of a value; a whole number is an integer."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "integer" if isinstance(value, int) or value.is_integer() else "number"
        case list() | tuple():
            return "array"
        case _:
            return "object"


def fits_kind(value: Any, kinds: Sequence[str]) -> bool:
    kind = kind_of(value)
    return kind in kinds or (kind == "integer" and "number" in kinds)


# -- bounds ----------------------------------------------------------------------------------------------------------


class Bounds(msgspec.Struct, frozen=True):
    """A range without exclusive ends. `told` are the ends that had to be put into words: (keyword, sentence)."""

    minimum: int | float | None
    maximum: int | float | None
    told: tuple[tuple[str, str], ...] = ()


def bounds(walk: Walk, view: View, *, whole: bool) -> Bounds:
    """The range of a view: of whole numbers an exclusive end is the next number (1.11), of others it is told in words."""
    told: list[tuple[str, str]] = []
    low, above = walk.number(view, "minimum"), walk.number(view, "exclusiveMinimum")
    high, below = walk.number(view, "maximum"), walk.number(view, "exclusiveMaximum")
    if above is not None:
        if whole:
            following = math.floor(above) + 1
            low = following if low is None else max(low, following)
        elif low is None or above >= low:
            low = above
            told.append(("exclusiveMinimum", f"Must be greater than {shown(above)}."))
    if below is not None:
        if whole:
            previous = math.ceil(below) - 1
            high = previous if high is None else min(high, previous)
        elif high is None or below <= high:
            high = below
            told.append(("exclusiveMaximum", f"Must be less than {shown(below)}."))
    return Bounds(low, high, tuple(told))


def multiple(walk: Walk, view: View, *, whole: bool) -> str | None:
    """The sentence that tells a view's `multipleOf`; None where it says nothing."""
    step = walk.number(view, "multipleOf")
    if step is None or (whole and step == 1):
        return None
    return f"Must be a multiple of {shown(step)}."


def note_told(walk: Walk, path: str, key: str) -> None:
    """That a keyword is in the description and no more."""
    walk.note(path, f"Google's schemas have no `{key}`: it is told in the description and not enforced")


def described(schema: dict[str, Any], told: Sequence[str]) -> None:
    """Adds sentences to the description of a schema of ours."""
    if told:
        said = schema.get("description")
        schema["description"] = sentences(said if isinstance(said, str) else None, *told)
