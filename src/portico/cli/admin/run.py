"""Carries out one command on the configured database, and tells what came of it.

Exit codes: 0 done; 1 it could not be done; 2 it was asked for wrongly. With --json standard output is the result alone, as
one JSON document; what is wrong is told on standard error in both cases.
"""

import getpass
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

import typer

from portico.core.errors import InvalidRequest, PorticoError

Show = Callable[[Any], None]


OF_WHAT_IS_KEPT: Final = frozenset({"backup", "ledger verify", "ledger export"})
"""Of an empty database they would say that all is well."""


def perform(name: str, fields: Mapping[str, Any], *, config: Path | None, as_json: bool, show: Show) -> None:
    """Does it and prints the result. Ends the command if it cannot be done."""
    tell(ask(name, fields, config=config), as_json=as_json, show=show)


def ask(name: str, fields: Mapping[str, Any], *, config: Path | None) -> Any:
    """A command's result. Ends the command if it cannot be done."""
    from portico.admin.commands import BY_NAME
    from portico.cli.books import with_office

    command = BY_NAME[name]
    try:
        args = command.read(fields)
        kept = name in OF_WHAT_IS_KEPT
        return with_office(config, lambda office: office.do(command, args, actor=actor()), kept=kept)
    except PorticoError as error:
        raise failed(error) from None


def ask_all(name: str, fields: Mapping[str, Any], *, config: Path | None, found: Callable[[Any], None]) -> None:
    """Every page of a list, one after another; the first of them may be empty."""
    from portico.admin.command import Office
    from portico.admin.commands import BY_NAME
    from portico.cli.books import with_office

    command = BY_NAME[name]

    async def pages(office: Office) -> None:
        after: str | None = ""
        while after is not None:
            page = await office.do(command, command.read({**fields, "after": after, "limit": 500}), actor=actor())
            found(page)
            after = page.next

    try:
        with_office(config, pages, kept=name in OF_WHAT_IS_KEPT)
    except PorticoError as error:
        raise failed(error) from None


def tell(result: Any, *, as_json: bool, show: Show) -> None:
    if as_json:
        from portico.wire import jsontext

        print(jsontext.dumps(result))
    else:
        show(result)


def failed(error: PorticoError) -> typer.Exit:
    """What is wrong, told; of a list with the place in it."""
    told = error.message.startswith("line ") or not error.param or error.param in error.message
    place = error.param if "[" in (error.param or "") and not told else ""
    print(f"Error: {place}{': ' if place else ''}{error.message}", file=sys.stderr)
    return typer.Exit(2 if isinstance(error, InvalidRequest) else 1)


def actor() -> str:
    """Who runs this, for the audit."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid() if hasattr(os, 'getuid') else 'unknown'}"


Job = Callable[[Any], Coroutine[Any, Any, Any]]
