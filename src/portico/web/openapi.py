"""The reference as an OpenAPI 3.1 document: `/openapi.json`, in English, for the address that a visitor sees.

Bodies say what Portico reads. What a vendor has beside that may be sent too (`additionalProperties`), since bytes pass
where a client speaks the provider's own dialect.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from portico import __version__
from portico.web import reference
from portico.web.book import stored_answer
from portico.web.reference import BYTES, EVENTS, FORM, JSON, Error, Field, Operation, Shape

_NOWHERE: Final = "http://portico.invalid"
_LINK: Final = re.compile(r"\]\((/[^)\s]*)\)")
_SHAPES: Final[dict[Shape, str]] = {"openai": "OpenAIError", "anthropic": "AnthropicError", "google": "GoogleError"}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"x-api-key": []}, {"x-goog-api-key": []}, {"key": []}]
_ABOUT: Final = """\
One API for every model: OpenAI's, Anthropic's and Google's dialects, each of which reaches every model of the catalog.

- Any of the four places for a key will do on every route.
- `null` says as much as leaving a field out.
- What a model cannot honour is left out and told in the header `x-portico-changes`; a strict call is refused instead.
- An error is told in the dialect of its address. No error that comes instead of an answer is charged.
- GET addresses answer HEAD too.

Every operation has a page, which its `externalDocs` names; the index is [here](/docs/api)."""


def document_bytes(base_url: str) -> bytes:
    """The document as it is sent. It is made once: visitors see the house under different addresses, and nothing else of it
    differs."""
    return _template().replace(_NOWHERE, json.dumps(base_url, ensure_ascii=False)[1:-1]).encode()


@cache
def _template() -> str:
    return json.dumps(document(_NOWHERE), ensure_ascii=False, indent=1) + "\n"


def document(base_url: str) -> dict[str, Any]:
    """The whole document, as plain JSON values."""
    return _Writer(base_url).document()


class _Writer:
    """`base_url`: what links of texts are put behind, so that they lead somewhere from anywhere."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def document(self) -> dict[str, Any]:
        paths: dict[str, dict[str, Any]] = {}
        for one in reference.operations():
            paths.setdefault(one.path, {})[one.method.lower()] = self._operation(one)
        return {
            "openapi": "3.1.0",
            "info": {"title": "Portico", "version": __version__, "description": self._text(_ABOUT)},
            "servers": [{"url": self._base_url}],
            "externalDocs": {"url": f"{self._base_url}{reference.PREFIX}"},
            "security": _SECURITY,
            "tags": [{"name": tag.en} for tag in reference.shared().tag],
            "paths": paths,
            "components": {
                "securitySchemes": _schemes(),
                "parameters": {one.name: self._parameter(one, "header") for one in reference.shared().request_header},
                "headers": {one.name: self._header(one) for one in reference.shared().answer_header},
                "schemas": self._schemas(),
            },
        }

    def _operation(self, one: Operation) -> dict[str, Any]:
        told: dict[str, Any] = {
            "operationId": one.id,
            "summary": one.title.en,
            "description": self._text(one.summary.en if one.about is None else f"{one.summary.en}\n\n{one.about.en}"),
            "tags": [tag.en for tag in reference.shared().tag if tag.id == one.tag],
            "externalDocs": {"url": self._base_url + one.page},
        }
        parameters = [
            *[self._parameter(field, "path") for field in one.address],
            *[self._parameter(field, "query") for field in one.query],
            *[{"$ref": f"#/components/parameters/{field.name}"} for field in reference.request_headers(one)],
        ]
        if parameters:
            told["parameters"] = parameters
        if one.keyless:
            told["security"] = [*_SECURITY, {}]
        if one.has_body:
            told["requestBody"] = self._body(one)
        return {**told, "responses": {"200": self._answer(one), **self._errors(one)}}

    def _parameter(self, field: Field, where: str) -> dict[str, Any]:
        return {
            "name": field.name,
            "in": where,
            "required": field.required,
            "description": self._text(field.en),
            "schema": _value(field),
        }

    def _header(self, field: Field) -> dict[str, Any]:
        return {"description": self._text(field.en), "schema": _value(field)}

    def _body(self, one: Operation) -> dict[str, Any]:
        names = one.body_like or (one.id,)
        refs = [_ref(f"{_camel(name)}Request") for name in names]
        schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
        content = {media: {"schema": _bytes() if media == BYTES else schema} for media in one.media}
        return {"required": not one.keyless, "content": content}

    def _answer(self, one: Operation) -> dict[str, Any]:
        told: dict[str, Any] = {"description": self._text(one.says.en)}
        told["headers"] = {
            field.name: {"$ref": f"#/components/headers/{field.name}"} for field in reference.answer_headers(one)
        }
        told["content"] = {media: self._content(one, media) for media in one.answer_media}
        return told

    def _content(self, one: Operation, media: str) -> dict[str, Any]:
        if media == EVENTS:
            return {"schema": {"type": "string", "description": self._text(one.stream.en if one.stream else "")}}
        if media != JSON:
            return {"schema": {"type": "string"} if media.startswith("text/") else _bytes()}
        schema = _ref(f"{_camel(one.answer_like or one.id)}Response")
        if one.array:
            return {"schema": {"type": "array", "items": schema}}
        kept = stored_answer(one.sample) if one.sample else None
        if kept is None or kept.language != "json":
            return {"schema": schema}
        return {"schema": schema, "example": json.loads(kept.text)}

    def _errors(self, one: Operation) -> dict[str, Any]:
        by_status: dict[str, list[Error]] = {}
        for error in reference.errors(one):
            by_status.setdefault(str(error.status), []).append(error)
        name = _SHAPES.get(one.shape, "AnyError")
        return {
            status: {
                "description": ", ".join([f"`{error.code}`" for error in found]),
                "content": {JSON: {"schema": _ref(name)}},
            }
            for status, found in by_status.items()
        }

    def _schemas(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for one in reference.operations():
            if one.body:
                told[f"{_camel(one.id)}Request"] = self._object(one.body, form=one.media[0] == FORM)
            if JSON in one.answer_media and one.answer_like is None:
                told[f"{_camel(one.id)}Response"] = self._object(one.answer)
        return told | _error_schemas()

    def _object(self, fields: Iterable[Field], *, form: bool = False) -> dict[str, Any]:
        """The schema of an object by the paths of its members."""
        whole: dict[str, Any] = {"type": "object", "additionalProperties": True}
        for field in fields:
            *outer, last = field.name.split(".")
            inside = whole
            for step in outer:
                inside = _within(inside, step)
            if form and field.type == "array" and field.items == "string":
                last += "[]"
            inside.setdefault("properties", {})[last] = {**_value(field), "description": self._text(field.en)}
            if field.required:
                inside.setdefault("required", []).append(last)
        return whole

    def _text(self, text: str) -> str:
        return _LINK.sub(lambda match: f"]({self._base_url}{match[1]})", text)


def _within(schema: dict[str, Any], step: str) -> dict[str, Any]:
    """The schema of a member, or for `member[]` that of what its array holds."""
    name = step.removesuffix("[]")
    member = schema.setdefault("properties", {}).setdefault(name, {"type": "object"})
    return member.setdefault("items", {"type": "object"}) if step.endswith("[]") else member  # type: ignore[no-any-return]


def _value(field: Field) -> dict[str, Any]:
    """The schema of a value by itself."""
    types = ["string" if one == "file" else one for one in field.types]
    told: dict[str, Any] = {}
    if field.words and set(types) - {"string", "null"}:
        others = [one for one in types if one != "string"]
        return {"anyOf": [{"type": "string", "enum": list(field.words)}, *[{"type": one} for one in others]]}
    told["type"] = types[0] if len(types) == 1 else types
    if field.words:
        told["enum"] = [*field.words, *([None] if "null" in types else [])]
    if "file" in field.types:
        told["format"] = "binary"
    elif field.format is not None:
        told["format"] = field.format
    for name, bound in (("minimum", field.least), ("maximum", field.most), ("default", field.default)):
        if bound is not None:
            told[name] = int(bound) if isinstance(bound, float) and bound.is_integer() else bound
    for names, span in ((("minLength", "maxLength"), field.length), (("minItems", "maxItems"), field.count)):
        if span is not None:
            told |= dict(zip(names, span, strict=True))
    if field.items is not None:
        told["items"] = _bytes() if field.items == "file" else {"type": field.items}
    return told


def _bytes() -> dict[str, Any]:
    return {"type": "string", "format": "binary"}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _camel(name: str) -> str:
    return "".join([word.capitalize() for word in name.split("-")])


def _schemes() -> dict[str, Any]:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "OpenAI's clients, Claude Code and most others."},
        "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "Anthropic's clients."},
        "x-goog-api-key": {
            "type": "apiKey",
            "in": "header",
            "name": "x-goog-api-key",
            "description": "Google's clients.",
        },
        "key": {"type": "apiKey", "in": "query", "name": "key", "description": "Older clients of Google's."},
    }


def _error_schemas() -> dict[str, Any]:
    text, maybe = {"type": "string"}, {"type": ["string", "null"]}
    openai = {"message": text, "type": text, "param": maybe, "code": maybe, "doc": text}
    anthropic = {"type": text, "message": text, "doc": text}
    google = {
        "code": {"type": "integer"},
        "message": text,
        "status": text,
        "details": {"type": "array", "items": {"type": "object"}},
    }
    return {
        "OpenAIError": _error({"error": _error(openai, "message", "type")}, "error"),
        "AnthropicError": _error(
            {"type": {"type": "string", "enum": ["error"]}, "error": _error(anthropic, "type")},
            *("type", "error"),
        ),
        "GoogleError": _error({"error": _error(google, "code", "message")}, "error"),
        "AnyError": {"anyOf": [_ref(name) for name in _SHAPES.values()]},
    }


def _error(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}
