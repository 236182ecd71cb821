"""Values of the types that vendors publish with their SDKs: whatever a pydantic model or a TypedDict allows, few optional
members at a time, so that unusual ones come together in twos and threes."""

import collections.abc
import enum
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from random import Random
from typing import Any, Final

import typing_extensions as te
from pydantic import BaseModel

Json = dict[str, Any]
Given = Callable[["Typed"], Any]

LEFT_OUT: Final = object()
"""What a member is that is given as not there, whatever its type says."""
_DEEPEST: Final = 9
_SEQUENCES: Final = (list, collections.abc.Iterable, collections.abc.Sequence, collections.abc.Collection)
_MAPPINGS: Final = (dict, collections.abc.Mapping)


class Typed:
    """Draws values. `given` says what a member is, by its name or by `Type.name`, where the type does not tell what is
    valid (addresses, base64); `often` how likely an optional member is there."""

    def __init__(self, random: Random, given: Mapping[str, Given], often: float) -> None:
        self.random = random
        self._given = given
        self._often = often
        self._count = 0

    def word(self, stem: str = "word") -> str:
        """A text that nobody else says."""
        self._count += 1
        return f"{stem}{self._count}"

    def of(self, kind: Any, name: str = "", owner: str = "", depth: int = 0) -> Any:
        """A value of a type, as JSON has it."""
        given = self._given.get(f"{owner}.{name}") or self._given.get(name)
        if given is not None:
            return given(self)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin in (te.Required, te.NotRequired, te.Annotated, typing.Required, typing.NotRequired):
            return self.of(inner[0], name, owner, depth)
        if origin in (typing.Union, types.UnionType):
            some = [one for one in inner if one is not type(None)]
            absent = len(some) < len(inner) and (depth > _DEEPEST or self.random.random() < 0.1)
            return None if absent else self.of(self.random.choice(some), name, owner, depth)
        if origin in (typing.Literal, te.Literal):
            return self.random.choice(inner)
        if origin in _SEQUENCES:
            count = 0 if depth > _DEEPEST else self.random.choice([0, 1, 1, 1, 2])
            return [self.of(inner[0], name, owner, depth + 1) for _ in range(count)]
        if origin in _MAPPINGS:
            count = 0 if depth > _DEEPEST else self.random.choice([0, 1, 1])
            return {self.word("key"): self.of(inner[1], name, owner, depth + 1) for _ in range(count)}
        return self._plain(kind, depth)

    def _plain(self, kind: Any, depth: int) -> Any:
        if not isinstance(kind, type) or kind is object:
            return self.random.choice([{self.word("key"): 1}, self.word(), 3])
        if issubclass(kind, BaseModel):
            fields = kind.model_fields.items()
            return self._members(
                kind,
                [(field.alias or name, name, field.annotation, field.is_required()) for name, field in fields],
                depth,
            )
        if te.is_typeddict(kind):
            hints = te.get_type_hints(kind, include_extras=True)
            needed: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
            members = [(name, name, hint, name in needed or _is_needed(hint)) for name, hint in hints.items()]
            return self._members(kind, members, depth)
        if issubclass(kind, enum.Enum):
            return self.random.choice([one.value for one in kind] or [self.word()])
        simple: dict[Any, Any] = {
            str: self.word(),
            bool: self.random.random() < 0.5,
            int: self.random.choice([0, 1, 7, 3000]),
            float: self.random.choice([0, 0.5, 1]),
            bytes: "c2VhbA==",
            datetime: "2026-11-01T12:00:00Z",
            date: "2026-11-01",
        }
        return simple.get(kind)

    def _members(self, kind: type, members: list[tuple[str, str, Any, bool]], depth: int) -> Json:
        made: Json = {}
        for wire, name, hint, needed in members:
            if needed or (depth <= _DEEPEST and self.random.random() < self._often):
                value = self.of(hint, name, kind.__name__, depth + 1)
                if value is not LEFT_OUT:
                    made[wire] = value
        return made


def _is_needed(hint: Any) -> bool:
    """What a module of postponed annotations does not tell of its own."""
    return typing.get_origin(hint) in (te.Required, typing.Required)
