"""What is wrong with a configuration: where, and what to do about it."""

import difflib
from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, and what to do."""

    key: str
    message: str
    line: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.key}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why, one by one."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: what may have been meant, else all that is known."""
    known = list(known)
    return meant(word, known) or f"; known: {', '.join(sorted(known))}"


def meant(word: str, known: Iterable[str]) -> str:
    """The same where too much is known to be listed: "" where nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
