"""Schemas in a request: the form of the answer, and what tools take (mapping.md 1.10 to 1.12).

Each goes out in the form that the model knows, and never in both: JSON Schema changed as little as possible, or the OpenAPI
subset. A caller who speaks Google's own dialect says what he says.
"""

from collections.abc import Mapping
from typing import Any

from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.core.request import FORMAT_HINT, FREE_TEXT, ONE_OF_THESE, OutputFormat, Request, Tool
from portico.core.target import Target
from portico.dialects.gemini.json_form import is_plain, to_json_schema_form
from portico.dialects.gemini.lower import to_openapi_subset
from portico.dialects.gemini.parts import ORIGIN
from portico.dialects.gemini.schema_walk import Budget, check_size
from portico.wire import jsontext

PARAMETERS = ("parameters", "parametersJsonSchema")
RESPONSE = ("responseSchema", "responseJsonSchema")
MAPS = "googleMaps"
JSON_FORMAT = "APPLICATION_JSON"
"""How a format is spelt beside Google Maps, which refuses a responseMimeType (1.10)."""


def parameters(
    tool: Tool, request: Request, target: Target, budget: Budget, losses: list[Loss]
) -> dict[str, Mapping[str, Any]]:
    """The field that says what a tool takes; {} for one that takes nothing. Raises `InvalidRequest`."""
    schema = FREE_TEXT if tool.kind == "custom" else tool.schema
    if not schema:
        return {}
    able = target.capabilities
    if tool.ext is None and able.json_schema_form and schema.get("type") == "object" and is_plain(schema):
        return {"parametersJsonSchema": schema}  # nearly always
    path = request.where.at_tool(tool.at) + tool.schema_at
    if any((tool.ext or {}).get(ORIGIN, {}).get(name) is not None for name in PARAMETERS):
        raise InvalidRequest("Say only once what the tool takes.", param=path)
    if not able.judged:
        return {"parametersJsonSchema": schema}
    if able.json_schema_form:
        made, told = to_json_schema_form(schema, path, tool=True, budget=budget)
        losses += told
        return {"parametersJsonSchema": made}
    lowered, told = to_openapi_subset(schema, path, tool=True, budget=budget)
    losses += told
    return {} if lowered is None else {"parameters": lowered}


def add_output(request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    """The form of the answer, into generationConfig. Raises `InvalidRequest`."""
    output, where = request.output, request.where
    if output is None:
        return
    able = target.capabilities
    path = where.field("response_format")
    if not able.json_mode:
        losses.append(Loss("1.10:format", path, f"{target.model} has no JSON mode"))
        return
    if asks_in_words(request, target):
        message = (
            f"{target.model} cannot use tools and keep to a format at once; the tools were kept, and the format is asked "
            "for in the system instruction"
        )
        losses.append(Loss("1.10:format", path, message))
        return
    if output.schema is not None:
        own = (request.ext or {}).get(ORIGIN, {}).get("generationConfig", {})
        if any(own.get(name) is not None for name in RESPONSE):
            message = "Give the schema of the answer in one place only."
            raise InvalidRequest(message, param=where.field("generation_config"))
        made = _response_schema(output, output.schema, output.schema_at or path, target, losses)
    else:
        made = {}
    if output.kind != "enum" and any(tool.kind == MAPS for tool in request.builtins):
        schemas = [("schema", schema) for schema in made.values()]
        config["responseFormat"] = {"text": {"mimeType": JSON_FORMAT, **dict(schemas)}}
    else:
        config["responseMimeType"] = "text/x.enum" if output.kind == "enum" else "application/json"
        config.update(made)
    if output.name is not None or output.strict is not None:
        message = "a schema has no name and no strict flag at Google; it is always enforced"
        losses.append(Loss("1.10:name", path, message))


def _response_schema(
    output: OutputFormat, schema: Mapping[str, Any], path: str, target: Target, losses: list[Loss]
) -> dict[str, Mapping[str, Any]]:
    described = _described(output, schema)
    if not target.capabilities.judged:
        return {"responseJsonSchema": described}
    if target.capabilities.json_schema_form:
        made, told = to_json_schema_form(described, path)
        losses += told
        return {"responseJsonSchema": made}
    lowered, told = to_openapi_subset(described, path)
    losses += told
    return {} if lowered is None else {"responseSchema": lowered}


def _described(output: OutputFormat, schema: Any) -> Any:
    """The schema, with the format's description where it has none of its own (1.10)."""
    if output.description and isinstance(schema, Mapping) and "description" not in schema:
        return {**schema, "description": output.description}
    return schema


def asks_in_words(request: Request, target: Target) -> bool:
    """Whether the format can only be asked for in words: models before 3 take tools or a format, not both (1.10)."""
    able = target.capabilities
    used = bool(request.tools or request.builtins)
    return request.output is not None and able.json_mode and not able.json_with_tools and used


def format_hint(request: Request, target: Target) -> str | None:
    """Those words, for the system instruction; None where the format is enforced."""
    output = request.output
    if output is None or not asks_in_words(request, target):
        return None
    if output.schema is None:
        return f"{FORMAT_HINT}JSON, without a code fence around it."
    schema = _described(output, output.schema)
    check_size(schema, output.schema_at or request.where.field("response_format"))
    what = (
        ONE_OF_THESE
        if output.kind == "enum"
        else ("JSON that matches this JSON Schema, without a code fence around it")
    )
    return f"{FORMAT_HINT}{what}:\n{jsontext.dumps(schema)}"
