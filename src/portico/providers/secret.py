"""A secret that does not show itself: not in repr, str, logs or tracebacks."""

from typing import Final


class Secret:
    """An upstream credential. `reveal` is the one way to its value."""

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str) -> None:
        self._value = value
        self.source = source
        """Where it came from (`env:GEMINI_API_KEY`, `file:key.txt`): what may be shown instead of it."""

    def reveal(self) -> str:
        return self._value

    def hidden_in(self, data: bytes) -> bytes:
        """The same without the secret: some providers say in their errors which key they were shown."""
        return data.replace(self._value.encode(), b"[hidden]") if self._value else data

    def __repr__(self) -> str:
        return f"Secret(from {self.source})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


NO_KEY: Final = Secret("", "no key")
"""Stands among the credentials of a provider that wants none, so that it has one to be tried with."""
