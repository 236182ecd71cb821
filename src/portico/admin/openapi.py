"""The admin API as an OpenAPI 3.1 document, made of the table of commands, so that it cannot say anything else."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, UNSET

from portico.admin.command import Command
from portico.admin.desk import Args

PREFIX: Final = "/admin/v1"
_REF: Final = "#/components/schemas/{name}"
_ERRORS: Final = {
    "400": "The body is no JSON.",
    "401": "The admin key is missing or wrong.",
    "404": "There is no such thing.",
    "409": "Something stands in the way.",
    "422": "An argument is wrong, or is none of this command's; `param` says which.",
    "503": "The database does not answer.",
}


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong. `param` is the argument that is, where it is one."""

    code: str
    message: str
    param: str | None = None


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """How every failure is told."""

    error: ErrorDetail


def document(commands: Iterable[Command], version: str) -> dict[str, Any]:
    """The whole document, as plain JSON values."""
    listed = [command for command in commands if command.path]
    bodies = {command.name: body for command in listed if (body := _body_type(command)) is not None}
    results = [command.gives for command in listed]
    types: list[Any] = [*results, *bodies.values(), ErrorBody]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    result_of = {command.name: schema for command, schema in zip(listed, schemas, strict=False)}
    body_of = dict(zip(bodies, schemas[len(results) :], strict=False))
    paths: dict[str, dict[str, Any]] = {}
    for command in listed:
        operation = _operation(command, result_of[command.name], body_of.get(command.name), schemas[-1])
        paths.setdefault(PREFIX + command.path, {})[command.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Portico admin API",
            "version": version,
            "description": "Accounts, keys, prices and the books. What `portico` does on the command line, it does here.",
        },
        "servers": [{"url": "/"}],
        "security": [{"admin_key": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(command) for command in listed)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "admin_key": {"type": "http", "scheme": "bearer", "description": "The value of PORTICO_ADMIN_KEY."}
            },
        },
    }


def _tag(command: Command) -> str:
    return command.name.split(" ", maxsplit=1)[0]


def _operation(command: Command, result: Any, body: Any, error: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": command.name.replace(" ", "_").replace("-", "_"),
        "summary": command.summary,
        "tags": [_tag(command)],
        "parameters": list(_parameters(command)),
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": result}}},
            **{
                status: {"description": what, "content": {"application/json": {"schema": error}}}
                for status, what in _ERRORS.items()
            },
        },
    }
    if body is not None:
        needed = any(
            field.required for field in msgspec.structs.fields(command.takes) if field.name not in command.in_path
        )
        told["requestBody"] = {"required": needed, "content": {"application/json": {"schema": body}}}
    return told


def _parameters(command: Command) -> Iterable[dict[str, Any]]:
    for field in msgspec.structs.fields(command.takes):
        in_path = field.name in command.in_path
        if not in_path and not command.in_query:
            continue
        schema = msgspec.json.schema(field.type)
        told: dict[str, Any] = {"name": field.encode_name, "in": "path" if in_path else "query"}
        told["required"] = in_path or field.required
        if text := schema.pop("description", None) or _described(schema):
            told["description"] = text
        if not in_path and field.default not in (NODEFAULT, UNSET, None):
            schema["default"] = msgspec.to_builtins(field.default)
        yield {**told, "schema": schema}


def _described(schema: dict[str, Any]) -> str:
    """What one of its alternatives says of itself: an optional argument's."""
    return next((str(choice["description"]) for choice in schema.get("anyOf", ()) if "description" in choice), "")


def _body_type(command: Command) -> type[msgspec.Struct] | None:
    """The arguments that stand in the body, as a type of their own; None: there are none."""
    return None if command.in_query else _without(command.takes, command.in_path)


@cache
def _without(takes: type[Args], in_path: tuple[str, ...]) -> type[msgspec.Struct] | None:
    """Once for each type, so that commands which take the same have one schema."""
    fields = [field for field in msgspec.structs.fields(takes) if field.name not in in_path]
    if not fields or not in_path:
        return takes if fields else None
    rows: list[Any] = [
        (field.name, field.type) if field.required else (field.name, field.type, _default(field)) for field in fields
    ]
    return msgspec.defstruct(takes.__name__, rows, bases=(Args,), kw_only=True, frozen=True, forbid_unknown_fields=True)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return msgspec.field(default_factory=field.default_factory)
