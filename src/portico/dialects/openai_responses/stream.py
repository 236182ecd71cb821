"""Events -> frames of a Responses stream (mapping.md 7.3): each has its number, and its type as the event's name."""

from typing import Any

from portico.core.assembly import tell
from portico.core.dialect import Rendered, Reply, StreamWriter
from portico.core.events import Event
from portico.core.loss import Loss
from portico.core.response import Response
from portico.dialects.openai_responses.telling import Telling
from portico.wire import jsontext
from portico.wire.sse import Frame


class ResponsesWriter(StreamWriter):
    """Writes one stream."""

    def __init__(self, reply: Reply) -> None:
        self._telling = Telling(reply)
        self._number = 0

    @property
    def losses(self) -> list[Loss]:
        return self._telling.losses

    @losses.setter
    def losses(self, losses: list[Loss]) -> None:
        self._telling.losses = losses

    def feed(self, event: Event) -> list[Frame]:
        return [self._frame(told) for told in self._telling.feed(event)]

    def close(self) -> list[Frame]:
        """The stream ends with its last event: there is no `[DONE]` here."""
        return []

    def _frame(self, told: dict[str, Any]) -> Frame:
        kind = told["type"]
        told = {"type": kind, "sequence_number": self._number, **told}
        self._number += 1
        return Frame(jsontext.encode(told), kind)


def render_response(response: Response, reply: Reply) -> Rendered:
    """A whole answer: what the last event of its stream would hold."""
    telling = Telling(reply)
    for event in tell(response):
        telling.feed(event)
    return Rendered(telling.body, telling.losses)
