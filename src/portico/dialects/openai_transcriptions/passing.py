"""Recordings to be written down between two ends that both speak this: only the model's name is changed (mapping.md 5.4).

Answers tell tokens, or seconds, or (text, subtitles, a translation) nothing of what they cost: then the seconds of the
recording are read from the file, for models that are billed by them and for the estimate that stands for tokens (money.md).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from portico.core.ask import Ask
from portico.core.dialect import Seen
from portico.core.errors import UpstreamBadGateway, UpstreamEmpty
from portico.core.recording import seconds_of, whole_seconds
from portico.core.usage import MOST
from portico.dialects.openai.audio_usage import SECONDS, parse_seconds, parse_tokens
from portico.dialects.openai.bodies import fields_of
from portico.dialects.openai.errors import parse_error_object, tells_error
from portico.dialects.openai.typed_events import TypedEvents
from portico.dialects.openai_transcriptions.form import FILE
from portico.dialects.openai_transcriptions.stream import DELTA, DONE
from portico.wire import jsontext

FEWEST_BYTES_A_SECOND: Final = 1_000
"""8 kbit/s: for the most that a recording of unknown length can be."""
BYTES_A_SECOND: Final = 4_000
"""32 kbit/s: about how long it is."""


def ask(body: bytes) -> Ask:
    """The recording and its length at most, the rest being text. Raises `InvalidRequest`."""
    found = [field for field in fields_of(body) if field.name == FILE]
    size = sum([field.end - field.start for field in found])
    seconds = sum([_most_seconds(field.value(body)) for field in found])
    return Ask(
        len(body) - size,
        media={"audio": len(found)} if found else {},
        media_bytes={"audio": -(-size * 4 // 3)} if found else {},
        own_tools=False,
        metered={SECONDS: seconds},
    )


def _most_seconds(data: bytes) -> int:
    known = seconds_of(data)
    return whole_seconds(len(data) / FEWEST_BYTES_A_SECOND if known is None else known)


def _seconds(body: bytes) -> float:
    """How long the recording of a form is, by its headers, else by its size."""
    for field in fields_of(body) if body else ():
        if field.name == FILE:
            data = field.value(body)
            known = seconds_of(data)
            return len(data) / BYTES_A_SECOND if known is None else known
    return 0.0


def see(answer: bytes) -> Seen:
    """What a whole answer tells, of which the question is not known. Raises `UpstreamError`."""
    return see_answer(answer, b"")


def see_answer(answer: bytes, body: bytes) -> Seen:
    """What a whole answer to a form tells. Raises `UpstreamError` for an error, and for nothing."""
    if not answer.strip():
        raise UpstreamEmpty("The provider's answer holds no transcript.")
    if answer.lstrip()[:1] != b"{":
        return _unreported(_seconds(body), len(answer))
    try:
        value = jsontext.decode(answer)
    except jsontext.NotJson:  # a transcript may begin with anything
        return _unreported(_seconds(body), len(answer))
    if tells_error(value):
        raise parse_error_object(value)
    if not isinstance(value.get("text"), str):
        raise UpstreamBadGateway("The provider's answer holds no transcript.")
    return _reported(value, partial(_seconds, body))


def _reported(value: Mapping[str, Any], seconds: Any) -> Seen:
    """What JSON tells: tokens, seconds, or the length of the recording."""
    usage = value.get("usage")
    if (tokens := parse_tokens(usage, takes="audio", makes="text")) is not None:
        return Seen(usage=tokens, raw_usage=usage)
    if (counted := parse_seconds(usage)) is not None:
        return Seen(uses={SECONDS: counted}, heard_s=counted, shown=jsontext.utf8_bytes(value["text"]), raw_usage=usage)
    duration = value.get("duration")
    if isinstance(duration, (int, float)) and not isinstance(duration, bool) and duration >= 0:
        duration = min(duration, MOST)
        return Seen(uses={SECONDS: whole_seconds(duration)}, heard_s=duration, shown=jsontext.utf8_bytes(value["text"]))
    return _unreported(seconds(), jsontext.utf8_bytes(value["text"]))


def _unreported(seconds: float, shown: int) -> Seen:
    return Seen(uses={SECONDS: whole_seconds(seconds)}, heard_s=seconds, shown=shown, guessed=True)


def watch(fresh_id: str, body: bytes = b"") -> TypedEvents:
    """A watch on the stream that answers a form."""
    del fresh_id
    return TypedEvents(DELTA, DONE, b"delta", partial(_seen_in, _seconds(body)))


def _seen_in(seconds: float, last: Mapping[str, Any] | None, told: int) -> Seen:
    """The counts of the last event; before it, the recording and what has been written of it."""
    if last is not None and isinstance(last.get("text"), str):
        return _reported(last, lambda: seconds)
    return _unreported(seconds, told)
