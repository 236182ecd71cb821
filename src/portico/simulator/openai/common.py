"""What Chat Completions and Responses have in common: forms of shared fields, JSON Schema rules, pictures."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

from portico.simulator import subset
from portico.simulator.openai.forms import flag, form_of, mapping, text, word
from portico.simulator.openai.refusal import Refused
from portico.simulator.refusal import Json
from portico.simulator.refusal import Refused as NoSchema

NAME = text(least=1, most=64, pattern="[a-zA-Z0-9_-]+")
EFFORT = word("none", "minimal", "low", "medium", "high", "xhigh", "max")
TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
VERBOSITY = word("low", "medium", "high")
METADATA = mapping(text(most=512), most=16)
CACHING = {
    "prompt_cache_key": text(most=1024),
    "prompt_cache_retention": word("in_memory", "in-memory", "24h"),
    "safety_identifier": text(most=64),
    "user": text(),
}
CACHE = {"mode": word("implicit", "explicit"), "ttl": text()}
BREAKPOINT = form_of({"mode": word("explicit"), "ttl": text()})
LOCATION = {"city": text(), "country": text(), "region": text(), "timezone": text()}
STREAM_OPTIONS = {"include_usage": flag, "include_obfuscation": flag}


_MAGIC = {
    "png": b"\x89PNG",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF8",
    "webp": b"RIFF",
}
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w=.+-]+)*?)(;base64)?,")


def data_url(url: str) -> tuple[str, bytes] | None:
    """(media type, bytes) of a base64 data URL; None for one that is none or does not decode."""
    head = _DATA_URL.match(url)
    if head is None or not head[3]:
        return None
    try:
        return head[1] or "", base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        return None


def check_picture(url: str, param: str | None) -> None:
    """Raises `Refused` for a picture that is no picture. What lies behind an https URL is not looked at."""
    if url.startswith(("https://", "http://")):
        if ".invalid/" in url:
            raise Refused(f"Error while downloading {url}.", param=param, code="invalid_image_url")
        return
    if not url.startswith("data:"):
        said = f"Invalid image URL: '{param}'. Expected a valid URL, but got a value with an invalid format."
        if param is None:
            said = "Failed to download image. Image URL is invalid."
        raise Refused(said, param=param, code="invalid_image_url" if param is None else "invalid_value")
    decoded = data_url(url)
    if decoded is None:
        said = "Invalid base64 image_url."
        raise Refused(said, param=param, code="invalid_base64")
    if not decoded[1].startswith(tuple(_MAGIC.values())):
        said = (
            "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
            "['png', 'jpeg', 'gif', 'webp']."
        )
        raise Refused(said, param=param, code="invalid_image_format")


_TAKEN = frozenset(
    {
        *("type", "enum", "const", "anyOf", "$ref", "$defs", "definitions", "$schema", "title", "description"),
        *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
        *("minLength", "maxLength", "pattern", "format"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "default", "min_items"),
    }
)
"""The keywords of Structured Outputs (OpenAI's guide, "Supported schemas"; `default` as recorded; `min_items`, which is no
keyword, as browser-use sends it to OpenAI). Any other is refused by its name, even one that only annotates."""
_CHOICES = frozenset({"oneOf", "anyOf", "allOf", "enum", "not"})
_DEEPEST = 200


def check_schema(schema: Any, what: str, param: str, code: str | None, *, strict: bool) -> None:
    """Raises `Refused` for a schema that OpenAI does not take; `what` is "function 'name'" or "response_format 'name'".

    Shapes are looked at always (what users report of functions that are not strict, too); the rules of Structured Outputs
    only where `strict`.
    """

    def wrong(said: str) -> Refused:
        return Refused(f"Invalid schema for {what}: {said}", param=param, code=code)

    if not isinstance(schema, dict):
        raise wrong(f"{schema!r} is not of type 'object', 'boolean'.")
    kind = schema.get("type")
    if strict and kind is None and "$ref" in schema:
        raise wrong("schema must have type 'object' and not have '$ref' at the top level.")
    if kind != "object" and (strict or kind is not None):
        told = f'"{kind}"' if kind is None or isinstance(kind, str) else str(kind)
        raise wrong(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {told}'.")
    function = what.startswith("function")
    if (function and not _CHOICES.isdisjoint(schema)) or (strict and not {"anyOf", "oneOf", "enum"}.isdisjoint(schema)):
        raise wrong(
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
        )
    try:
        subset.check_json_schema(schema, "schema")
    except NoSchema as error:
        raise wrong(f"{error.message.removeprefix('* ').strip()}.") from None
    if function and not isinstance(schema.get("properties"), dict):
        raise wrong("In context=(), object schema missing properties.")
    _walk(schema, (), wrong, strict=strict)


def _walk(node: Any, at: tuple[Any, ...], wrong: Any, *, strict: bool) -> None:
    if not isinstance(node, dict) or len(at) > _DEEPEST:
        return
    where = f"In context={at!r}, "
    kind = node.get("type")
    if kind == "array" and "items" not in node and "prefixItems" not in node:
        raise wrong(f"{where}array schema missing items.")
    if strict:
        _strictly(node, where, wrong)
    for key in ("properties", "$defs", "definitions"):
        members = node.get(key)
        if isinstance(members, dict):
            for name, inner in members.items():
                _walk(inner, (*at, key, name), wrong, strict=strict)
    for key in ("items", "additionalProperties"):
        _walk(node.get(key), (*at, key), wrong, strict=strict)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        members = node.get(key)
        for number, inner in enumerate(members if isinstance(members, list) else ()):
            _walk(inner, (*at, key, str(number)), wrong, strict=strict)


def _strictly(node: Json, where: str, wrong: Any) -> None:
    for key in node:
        if key not in _TAKEN:
            raise wrong(f"{where}'{key}' is not permitted.")
    beside = sorted(node.keys() - {"$ref"})
    if "$ref" in node and beside:
        raise wrong(f"{where}$ref cannot have keywords {{{', '.join(map(repr, beside))}}}.")
    kind = node.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if "object" in kinds or "properties" in node:
        if node.get("additionalProperties") is not False:
            raise wrong(f"{where}'additionalProperties' is required to be supplied and to be false.")
        properties, required = node.get("properties") or {}, node.get("required")
        absent = [name for name in properties if name not in (required or ())]
        if absent or (properties and not isinstance(required, list)):
            raise wrong(
                f"{where}'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{absent[0] if absent else ''}'."
            )
        extra = [name for name in required or () if name not in properties]
        if extra:
            raise wrong(
                f"{where}'required' is required to be supplied and to be an array including every key in properties. "
                f"Extra required key '{extra[0]}' supplied."
            )
    elif kind is None and not {"$ref", "anyOf", "enum"} & node.keys():
        raise wrong(f"{where}schema must have a 'type' key.")


def speaks_json(texts: Iterable[str]) -> bool:
    """Whether the word json is said, as `json_object` wants it."""
    return any("json" in one.lower() for one in texts)


THOUGHTS = {"none": 0, "minimal": 0, "low": 64, "medium": 192, "high": 320, "xhigh": 320, "max": 320}
"""The tokens an effort spends on thinking."""


def tool_schema(schema: Any) -> Json:
    """The schema of a function's arguments; of one without a schema, an empty object's."""
    return schema if isinstance(schema, dict) else {"type": "object", "properties": {}}


def custom_schema() -> Json:
    """A custom tool as the mind fills it: one text."""
    return {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
