"""An answer that is spoken, told as it happens: `speech.audio.delta` …, `speech.audio.done` (mapping.md 5.3)."""

import base64
from typing import Any

from portico.core.audio import decoded, is_raw
from portico.core.dialect import Reply
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty, UpstreamError
from portico.core.events import Event, Failed, Finished, PartDelta, PartStarted, UsageReported
from portico.core.loss import Loss
from portico.core.parts import Media
from portico.core.speaking import Speaking, speaking
from portico.core.usage import Usage
from portico.dialects.openai.operation import error_frame
from portico.dialects.openai_speech.answer import format_of, shape_in
from portico.wire import jsontext
from portico.wire.sse import Frame

DELTA, DONE = "speech.audio.delta", "speech.audio.done"


class StreamWriter:
    """Events -> frames. Pieces of raw samples become pieces of one sound; a finished file is told as it came."""

    def __init__(self, reply: Reply) -> None:
        self.losses: list[Loss] = []
        self._format = format_of(reply)
        self._machine: Speaking | None = None
        self._media: set[tuple[int, int]] = set()
        self._told = False
        self._usage: Usage | None = None
        self._over = False

    def feed(self, event: Event) -> list[Frame]:
        if self._over:
            return []
        try:
            return self._feed(event)
        except UpstreamError as error:
            return self._failed(error)

    def close(self) -> list[Frame]:
        return []

    def _feed(self, event: Event) -> list[Frame]:
        match event:
            case PartStarted(candidate, index, Media() as part):
                self._media.add((candidate, index))
                if is_raw(part.mime) and self._machine is None:
                    self._machine = speaking(self._format, shape_in(part.mime or ""))
                return self._sound(part.data)
            case PartDelta(candidate, index, text) if (candidate, index) in self._media:
                return self._sound(text)
            case UsageReported(usage):
                self._usage = usage
            case Failed(error):
                return self._failed(error)
            case Finished():
                return self._done()
        return []

    def _sound(self, data: str | None) -> list[Frame]:
        if not data:
            return []
        try:
            sound = decoded(data)
        except ValueError as error:
            raise UpstreamBadGateway(f"The provider's speech cannot be read: {error}.") from None
        return self._delta(sound if self._machine is None else self._machine.feed(sound))

    def _delta(self, sound: bytes) -> list[Frame]:
        if not sound:
            return []
        self._told = True
        return [_frame({"type": DELTA, "audio": base64.b64encode(sound).decode("ascii")})]

    def _done(self) -> list[Frame]:
        frames = [] if self._machine is None else self._delta(self._machine.close())
        if not self._told:
            return self._failed(UpstreamEmpty("The provider's answer holds no speech."))
        self._over = True
        usage = self._usage or Usage()
        counts = {
            "input_tokens": usage.input_total,
            "output_tokens": usage.output_total,
            "total_tokens": usage.input_total + usage.output_total,
        }
        return [*frames, _frame({"type": DONE, "usage": counts})]

    def _failed(self, error: UpstreamError) -> list[Frame]:
        self._over = True
        return [error_frame(error)]


def _frame(event: dict[str, Any]) -> Frame:
    return Frame(jsontext.encode(event))
