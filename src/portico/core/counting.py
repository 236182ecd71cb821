"""Counting where the question is the request itself without what only an answer needs, and the answer `input_tokens`."""

from collections.abc import Callable, Mapping
from typing import Any

from portico.core.dialect import Counting
from portico.core.target import Target


def counting(taken: frozenset[str], tell: Callable[[int], Any]) -> Counting:
    """`taken`: what the question may hold."""

    def question(rendered: Any, target: Target) -> Any:
        del target
        return {name: value for name, value in rendered.items() if name in taken}

    return Counting(asked=_itself, question=question, read=_read, tell=tell)


def _itself(body: Any) -> Any:
    return body


def _read(answer: Any) -> int | None:
    number = answer.get("input_tokens") if isinstance(answer, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None
