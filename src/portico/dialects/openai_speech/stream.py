"""An answer that is spoken, told as it happens: as one sound, or as events of OpenAI's (mapping.md 5.3).

Pieces of raw samples become pieces of one sound; a finished file is told as it came.
"""

import base64
from typing import Any, Final

from portico.core.audio import decoded, is_raw
from portico.core.dialect import Reply
from portico.core.dialect import StreamWriter as Writer
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty, UpstreamError
from portico.core.events import Event, Failed, Finished, PartDelta, PartStarted, UsageReported
from portico.core.loss import Loss
from portico.core.parts import Media
from portico.core.speaking import FORMATS, Speaking, speaking
from portico.core.usage import Usage
from portico.dialects.openai.operation import error_frame
from portico.dialects.openai_speech.answer import NO_SPEECH, format_of, shape_in, type_of
from portico.wire import jsontext
from portico.wire.sse import Frame

DELTA, DONE = "speech.audio.delta", "speech.audio.done"
_IN_PIECES: Final = ("mp3", "pcm")
"""Formats that need not say how long they are: a WAV does, and players believe it."""


class SoundWriter:
    """Events -> pieces of one sound."""

    def __init__(self, format_: str) -> None:
        self.content_type = FORMATS[format_]
        self._format = format_
        self._machine: Speaking | None = None
        self._media: set[tuple[int, int]] = set()

    def feed(self, event: Event) -> bytes:
        """Raises `UpstreamBadGateway` for what is no sound."""
        match event:
            case PartStarted(candidate, index, Media() as part):
                if is_raw(part.mime) and self._machine is None:
                    self._machine = speaking(self._format, shape_in(part.mime or ""))
                elif not self._media and not is_raw(part.mime):
                    self.content_type = type_of(part, self._format)
                self._media.add((candidate, index))
                return self._sound(part.data)
            case PartDelta(candidate, index, text) if (candidate, index) in self._media:
                return self._sound(text)
        return b""

    def close(self) -> bytes:
        return b"" if self._machine is None else self._machine.close()

    def _sound(self, data: str | None) -> bytes:
        if not data:
            return b""
        try:
            sound = decoded(data)
        except ValueError as error:
            raise UpstreamBadGateway(f"The provider's speech cannot be read: {error}.") from None
        return sound if self._machine is None else self._machine.feed(sound)


def raw_writer(reply: Reply) -> SoundWriter | None:
    """For an answer that is one sound and need not be whole to be heard."""
    format_ = format_of(reply)
    return SoundWriter(format_) if format_ in _IN_PIECES else None


class StreamWriter(Writer):
    """Events -> frames."""

    def __init__(self, reply: Reply) -> None:
        self.losses: list[Loss] = []
        self._sound = SoundWriter(format_of(reply))
        self._told = False
        self._usage: Usage | None = None
        self._over = False

    def feed(self, event: Event) -> list[Frame]:
        if self._over:
            return []
        try:
            match event:
                case UsageReported(usage):
                    self._usage = usage
                case Failed(error):
                    return self._failed(error)
                case Finished():
                    return self._done()
            return self._delta(self._sound.feed(event))
        except UpstreamError as error:
            return self._failed(error)

    def close(self) -> list[Frame]:
        return []

    def _delta(self, sound: bytes) -> list[Frame]:
        if not sound:
            return []
        self._told = True
        return [_frame({"type": DELTA, "audio": base64.b64encode(sound).decode("ascii")})]

    def _done(self) -> list[Frame]:
        frames = self._delta(self._sound.close())
        if not self._told:
            return self._failed(UpstreamEmpty(NO_SPEECH))
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
