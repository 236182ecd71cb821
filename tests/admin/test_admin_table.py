"""The command line, the routes and the OpenAPI document all follow one table of commands."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import typer

from portico.admin.command import Command
from portico.admin.commands import BY_NAME, COMMANDS
from portico.admin.openapi import document
from portico.cli.app import app
from portico.wire import jsontext

DOCUMENT: dict[str, Any] = jsontext.decode(jsontext.encode(document(COMMANDS, "0")))
OURS = {"serve", "simulate", "check", "connect", "models", "translate"}
"""Commands of the command line that are no administrator's."""
LOCAL = {"db upgrade"}
"""A server that runs has done it."""


def lines(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from lines(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


CLI: dict[str, Any] = dict(lines(typer.main.get_command(app)))


def operation(command: Command) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/admin/v1{command.path}"][command.method.lower()]
    return found


def test_every_command_is_on_the_command_line_and_nothing_else_is() -> None:
    assert set(CLI) == set(BY_NAME) | OURS | LOCAL


@pytest.mark.parametrize("name", sorted(set(BY_NAME) | LOCAL))
def test_every_command_prints_json_takes_a_configuration_and_shows_an_example(name: str) -> None:
    options = {option for parameter in CLI[name].params for option in parameter.opts}
    assert {"--json", "--config"} <= options
    assert re.search(rf"portico {name}\b", CLI[name].help), "no example in its help"


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_other_command_shows_an_example_too(name: str) -> None:
    assert re.search(rf"Examples?:\s[\s\S]*portico {name}\b", CLI[name].help), "no example in its help"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_route_and_an_entry_in_the_document(command: Command) -> None:
    told = operation(command)
    assert told["summary"] == command.summary
    assert command.summary.endswith(".")
    fields = {field.encode_name for field in msgspec.structs.fields(command.takes)}
    said = {parameter["name"] for parameter in told["parameters"]}
    if "requestBody" in told:
        said |= set(resolved(told["requestBody"]["content"]["application/json"]["schema"])["properties"])
    assert said == fields
    assert {parameter["name"] for parameter in told["parameters"] if parameter["in"] == "path"} == set(command.in_path)
    assert "properties" in resolved(told["responses"]["200"]["content"]["application/json"]["schema"])


def test_routes_and_names_are_there_once() -> None:
    assert len({(command.method, command.path) for command in COMMANDS}) == len(COMMANDS) == len(BY_NAME)
    ids = [operation(command)["operationId"] for command in COMMANDS]
    assert len(set(ids)) == len(ids)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    seen = 0
    for reference in references(DOCUMENT):
        assert resolved({"$ref": reference})
        seen += 1
    assert seen > 50


def test_bodies_allow_no_field_that_they_do_not_name() -> None:
    for command in COMMANDS:
        body = operation(command).get("requestBody")
        if body is not None:
            assert resolved(body["content"]["application/json"]["schema"])["additionalProperties"] is False


def test_nothing_is_changed_by_a_get() -> None:
    assert not [command.name for command in COMMANDS if command.method == "GET" and command.changes]
    reading = {command.name for command in COMMANDS if command.method != "GET" and not command.changes}
    assert reading == {"prices diff", "prices import", "providers probe"}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "$ref":
                yield item
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolved(schema: Any) -> Any:
    while "$ref" in schema:
        found: Any = DOCUMENT
        for word in schema["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        schema = found
    return schema
