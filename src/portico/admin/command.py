"""A command as the table lists it, and how one is carried out: checked, in one transaction, and written down.

The command line, the admin API and its OpenAPI document all read the same table (`commands.py`), so that none can do what
another cannot. A change and its line in the audit are one transaction: neither is there without the other.
"""

import asyncio
import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any, Final

import msgspec

from portico.admin import audit
from portico.admin.desk import Args, Desk, House
from portico.core.errors import InvalidRequest
from portico.core.storage import Db, Reading, can_be_kept

_AT: Final = re.compile(r"(?:^(?P<what>.*?) - at `\$(?P<path>[^`]*)`$)", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_CHOICE: Final = re.compile(r"Invalid enum value '(?P<value>.*)'", re.DOTALL)
_DAY: Final = "Invalid RFC3339 encoded date"
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)


class Command:
    """One thing that an administrator can do.

    Its arguments and result are read off the function's annotations, its one-line description off the docstring.
    """

    def __init__(
        self,
        name: str,
        route: str | None,
        run: Callable[..., Any],
        *,
        changes: bool | None = None,
        apart: bool = False,
        secret: tuple[str, ...] = (),
        prepare: Callable[[Any], Awaitable[Any]] | None = None,
        subject: str = "",
    ) -> None:
        """`route`: `METHOD /path/{argument}`; None: there is only the command line. `changes`: by default all that is no
        GET does. `apart`: runs outside any transaction, with a `House` in place of a `Desk`. `secret`: arguments that
        are not written down. `prepare`: what is to be done with the arguments before there is a transaction, because it
        takes its time. `subject`: the argument that names what is changed, where neither the result has an id nor the path
        a name."""
        self.name = name
        self.method, self.path = route.split(" ", 1) if route else ("", "")
        self.run = run
        self.changes = self.method != "GET" if changes is None else changes
        self.apart = apart
        self.secret = frozenset(secret)
        self.subject = subject
        self.prepare = prepare
        hints = typing.get_type_hints(run, include_extras=True)
        self.takes: type[Args] = hints["args"]
        self.gives: Any = hints["return"]
        self.summary = (inspect.getdoc(run) or "").partition("\n\n")[0].replace("\n", " ")
        self.in_path: tuple[str, ...] = tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def in_query(self) -> bool:
        """Whether what does not stand in the path stands in the query, and not in a body."""
        return self.method in ("GET", "DELETE")

    def read(self, fields: Mapping[str, Any], *, lax: bool = False) -> Args:
        """Arguments of plain values. `lax`: numbers and switches may be text, as in a query.

        Raises `InvalidRequest` that names the argument. What no database keeps is in none (`can_be_kept`).
        """
        for name, value in fields.items():
            if not _can_be_kept(value):
                raise InvalidRequest(f"{name}: holds a NUL, or something that is not UTF-8.", param=name)
        try:
            return msgspec.convert(fields, self.takes, strict=not lax)
        except msgspec.ValidationError as error:
            raise _explained(error, self.takes) from None


def _can_be_kept(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(_can_be_kept(one) for pair in value.items() for one in pair)
    if isinstance(value, list | tuple):
        return all(_can_be_kept(one) for one in value)
    return not isinstance(value, str) or can_be_kept(value)


def _explained(error: msgspec.ValidationError, takes: type[Args]) -> InvalidRequest:
    found = _AT.match(str(error))
    what, path = (found["what"], found["path"].lstrip(".")) if found else (str(error), "")
    prefix = f"{path}." if path else ""
    if unknown := _UNKNOWN.match(what):
        param = prefix + unknown["name"]
        known = "" if prefix else f" There are: {', '.join(takes.__struct_fields__) or 'none'}."
        return InvalidRequest(f"There is no field {param!r} here.{known}", param=param)
    if missing := _MISSING.match(what):
        param = prefix + missing["name"]
        return InvalidRequest(f"{param}: is missing.", param=param)
    if what == _DAY:
        what = "a day is written as 2026-11-30"
    if (choice := _CHOICE.match(what)) and (words := _words(typing.get_type_hints(takes).get(path))):
        what = f"one of {', '.join(words)}, not {choice['value'][:40]!r}"
    return InvalidRequest(f"{path}: {what[0].lower()}{what[1:]}." if path else f"{what}.", param=path or None)


def _words(kind: Any) -> list[str]:
    """What a field may be, where it is one of some words."""
    if typing.get_origin(kind) is typing.Literal:
        return [word for word in typing.get_args(kind) if word]
    return [word for part in typing.get_args(kind) for word in _words(part)]


class Office:
    """Carries out commands on one database."""

    def __init__(self, reading: Reading, house: House, rng: Random) -> None:
        self._reading = reading
        self._house = house
        self._rng = rng

    async def do(
        self, command: Command, args: Args, *, actor: str, first: Callable[[Db], object] = lambda _: None
    ) -> Any:
        """The command's result. Raises the core's errors; then nothing was changed. `first`: done in front of a change, in
        its transaction."""
        if command.prepare is not None:
            args = await command.prepare(args)
        if command.apart:
            result = await asyncio.to_thread(command.run, self._house, args)
            if command.changes:
                await self._reading.work(lambda db: self._write_down(db, command, args, result, actor))
            return result
        if not command.changes:
            return await self._reading.read(lambda db: command.run(self._desk(db, actor), args))

        def change(db: Db) -> Any:
            first(db)
            result = command.run(self._desk(db, actor), args)
            self._write_down(db, command, args, result, actor)
            return result

        return await self._reading.work(change)

    def _desk(self, db: Db, actor: str) -> Desk:
        return Desk(db=db, rng=self._rng, actor=actor, house=self._house)

    def _write_down(self, db: Db, command: Command, args: Args, result: Any, actor: str) -> None:
        subject = _subject(command, args, result)
        audit.record(db, actor=actor, command=command.name, subject=subject, args=args, secret=command.secret)


def _subject(command: Command, args: Args, result: Any) -> str:
    """What was changed: the result's id, else what the path names, as the result has it (a name may stand for an id)."""
    found = getattr(result, "id", None)
    if isinstance(found, str):
        return found
    if command.subject:
        return str(getattr(args, command.subject))
    return "/".join([str(getattr(result, name, None) or getattr(args, name)) for name in command.in_path])
