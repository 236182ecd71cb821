"""Which calls still wait for their result, found again by name or by order in constant time."""

from collections import deque

from portico.core.parts import ToolCall


class OpenCalls:
    """The calls of a conversation that have no result yet, in the order they were made."""

    __slots__ = ("_added", "_by_name", "_minted", "_open")

    def __init__(self) -> None:
        self._open: dict[str, ToolCall] = {}
        self._added: list[ToolCall] = []
        """Those that `_by_name` has not taken in yet: hardly any client asks by name."""
        self._by_name: dict[str, deque[str]] | None = None
        self._minted: deque[str] = deque()

    def add(self, call: ToolCall) -> None:
        self._open[call.id] = call
        self._added.append(call)
        if call.minted:
            self._minted.append(call.id)

    def clear(self) -> None:
        """Nobody answers those any more."""
        self._open.clear()
        self._added.clear()
        self._by_name = None
        self._minted.clear()

    def close(self, call_id: str) -> None:
        """The call has its result; one that had it already stays as it is."""
        self._open.pop(call_id, None)

    def is_open(self, call: ToolCall) -> bool:
        return call.id in self._open

    def first_named(self, name: str) -> ToolCall | None:
        """The oldest open call of a tool."""
        if self._by_name is None:
            self._by_name = {}
        for call in self._added:
            self._by_name.setdefault(call.name, deque()).append(call.id)
        self._added.clear()
        waiting = self._by_name.get(name)
        while waiting:
            found = self._open.get(waiting[0])
            if found is not None:
                return found
            waiting.popleft()
        return None

    def only(self) -> ToolCall | None:
        """The one open call, if there is exactly one."""
        return next(iter(self._open.values())) if len(self._open) == 1 else None

    def first_minted(self) -> ToolCall | None:
        """The oldest open call that came without an id: results without one answer such calls in order."""
        while self._minted:
            found = self._open.get(self._minted[0])
            if found is not None:
                return found
            self._minted.popleft()
        return None
