"""A transcript told as it is written: `transcript.text.delta` …, `transcript.text.done` (mapping.md 5.4)."""

from typing import Any

from portico.core.dialect import Reply
from portico.core.dialect import StreamWriter as Writer
from portico.core.events import Event, Failed, Finished, PartDelta, PartStarted, UsageReported
from portico.core.loss import Loss
from portico.core.parts import Text
from portico.core.usage import Usage
from portico.dialects.openai.audio_usage import render_tokens
from portico.dialects.openai.operation import error_frame
from portico.wire import jsontext
from portico.wire.sse import Frame

DELTA, DONE = "transcript.text.delta", "transcript.text.done"


class StreamWriter(Writer):
    """Events -> frames."""

    def __init__(self, reply: Reply) -> None:
        del reply
        self.losses: list[Loss] = []
        self._texts: set[tuple[int, int]] = set()
        self._said: list[str] = []
        self._usage: Usage | None = None

    def feed(self, event: Event) -> list[Frame]:
        match event:
            case PartStarted(candidate, index, Text(text)):
                self._texts.add((candidate, index))
                return self._more(text)
            case PartDelta(candidate, index, text) if (candidate, index) in self._texts:
                return self._more(text)
            case UsageReported(usage):
                self._usage = usage
            case Failed(error):
                return [error_frame(error)]
            case Finished():
                return [_frame({"type": DONE, "text": "".join(self._said), "usage": render_tokens(self._usage)})]
        return []

    def close(self) -> list[Frame]:
        return []

    def _more(self, text: str) -> list[Frame]:
        if not text:
            return []
        self._said.append(text)
        return [_frame({"type": DELTA, "delta": text})]


def _frame(event: dict[str, Any]) -> Frame:
    return Frame(jsontext.encode(event))
