"""Arguments that Vertex streams in pieces (`streamFunctionCallArguments`, mapping.md 3.3).

A piece names a JSON path and a value; strings go on at the same path until a piece closes them. The call is told whole
when it is complete: writing JSON text from pieces in path order cannot be right for every order Google may choose.
"""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from portico.dialects.gemini.fields import camelise

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\['([^']*)'\]")
_VALUES: Final = ("stringValue", "numberValue", "boolValue", "nullValue")
MAX_EMPTY: Final = 10_000
"""Places of arrays of one call that were passed over: what comes in order, or nearly so, leaves few."""
MAX_DEPTH: Final = 100


class PartialCall:
    """One functionCall while its arguments arrive."""

    def __init__(self, part: Mapping[str, Any], call: Mapping[str, Any]) -> None:
        self._part = dict(part)
        self._call = {key: value for key, value in call.items() if key not in ("partialArgs", "willContinue")}
        self._args: dict[str, Any] = dict(call.get("args") or {})
        self._open_path: str | None = None
        self._empty = 0
        """Places of arrays that were made because a later one was named."""

    @property
    def unfinished(self) -> bool:
        """Whether a string was begun and never closed."""
        return self._open_path is not None

    def add(self, call: Mapping[str, Any]) -> None:
        """Takes the partialArgs of one piece. Raises `ValueError` for a path that makes no sense."""
        for wire in call.get("partialArgs") or ():
            piece = camelise(wire)
            path = str(piece.get("jsonPath") or "$")
            value = next((piece[name] for name in _VALUES if name in piece), None)
            if "nullValue" in piece:
                value = None
            self._put(path, value)
            self._open_path = path if piece.get("willContinue") else None

    def fields(self) -> dict[str, Any]:
        """The part with the call whole."""
        return {**self._part, "functionCall": {**self._call, "args": self._args}}

    def _put(self, path: str, value: Any) -> None:
        steps = [int(index) if index else name or quoted for name, index, quoted in _STEP.findall(path)]
        if not steps:
            return
        if len(steps) > MAX_DEPTH:
            raise ValueError("a path of streamed arguments is too deep")
        holder: Any = self._args
        for step, following in pairwise(steps):
            holder = self._enter(holder, step, [] if isinstance(following, int) else {})
        last = steps[-1]
        before = self._enter(holder, last, None)
        continues = path == self._open_path and isinstance(before, str) and isinstance(value, str)
        holder[last] = before + value if continues else value

    def _enter(self, holder: Any, step: str | int, empty: Any) -> Any:
        """What stands at a step, made if nothing does."""
        if isinstance(step, int) != isinstance(holder, list):
            raise ValueError("a path of streamed arguments does not fit what came before")
        if not isinstance(step, int):
            return holder.setdefault(step, empty)
        if (missing := step - len(holder)) >= 0:
            self._empty += missing
            if self._empty > MAX_EMPTY:
                raise ValueError("an index of streamed arguments is out of reach")
            holder += [None] * (missing + 1)
        if holder[step] is None:
            holder[step] = empty
        return holder[step]
