"""Streams of OpenAI's operations while they pass: events that say their own type, of which one is the last.

Every event passes as it came. Nearly all are deltas, which are only looked at for their type.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from portico.core.dialect import LooksAtAll, Seen
from portico.core.errors import (
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamRefusedAccount,
)
from portico.dialects.openai.errors import decoded, parse_error_object
from portico.dialects.openai.operation import error_frame
from portico.wire import jsontext
from portico.wire.sse import Frame

_HEAD: Final = 64
"""Within so many bytes OpenAI's events name their type; elsewhere it is looked for by reading."""


class TypedEvents(LooksAtAll):
    """A watch on one stream. `seen_in` makes of its last event (of type `last`; None: it has not come), and of how much the
    deltas told (bytes of their `member`), what the stream tells of itself."""

    def __init__(
        self, delta: str, last: str, member: bytes, seen_in: Callable[[Mapping[str, Any] | None, int], Seen]
    ) -> None:
        self._delta, self._member = f'"{delta}"'.encode(), member
        self._delta_type, self._last_type = delta, last
        self._seen_in = seen_in
        self.model: str | None = None
        self.ended = False
        self.counts = False
        self._passed = False
        self._last: Mapping[str, Any] | None = None
        self._told_bytes = 0

    def feed(self, frame: Frame) -> list[Frame]:
        if self.ended:
            return []
        if self._delta in frame.data[:_HEAD]:
            return self._more(frame)
        if frame.data.strip() == b"[DONE]":
            return [frame]
        event = self._object(frame.data)
        kind = event.get("type")
        if kind == "error" or event.get("error") is not None:
            return [self._told(frame, event)]
        if kind == self._delta_type:
            return self._more(frame)
        if kind == self._last_type:
            self._last = event
            self.counts = True
        self._passed = True
        return [frame]

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        if self._last is None:
            raise UpstreamIncomplete if self._passed else UpstreamEmpty

    def seen(self) -> Seen:
        return msgspec.structs.replace(self._seen_in(self._last, self._told_bytes), empty=not self.counts)

    def _more(self, frame: Frame) -> list[Frame]:
        self._passed = self.counts = True
        self._told_bytes += jsontext.size_of_member(frame.data, self._member)
        return [frame]

    def _object(self, data: bytes) -> Mapping[str, Any]:
        value = decoded(data)
        if not isinstance(value, dict):
            raise UpstreamBadGateway("The provider sent something that is no event.")
        return value

    def _told(self, frame: Frame, event: Mapping[str, Any]) -> Frame:
        """An error after something was passed goes as it came, unless it speaks of the operator's account."""
        told = event["error"] if isinstance(event.get("error"), Mapping) else event
        error: UpstreamError = parse_error_object({"error": told})
        if not self._passed:
            raise error
        self.ended = True
        return error_frame(error) if isinstance(error, (UpstreamAuthFailed, UpstreamRefusedAccount)) else frame
