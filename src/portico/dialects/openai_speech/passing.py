"""Texts to be read aloud between two ends that both speak this: only the model's name is changed (mapping.md 5.3).

A whole answer is sound and says nothing of what it costs. Models that are billed by the character have theirs counted in
the request; of others the length of the sound is read from it, for the estimate that stands for tokens (money.md).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec

from portico.core.ask import Ask
from portico.core.dialect import Seen
from portico.core.errors import BodyNotJson, UpstreamBadGateway, UpstreamEmpty
from portico.core.recording import seconds_of, seconds_of_samples
from portico.dialects.openai.audio_usage import CHARACTERS, parse_tokens
from portico.dialects.openai.errors import parse_error_object, tells_error
from portico.dialects.openai.typed_events import TypedEvents
from portico.dialects.openai_speech.request import SSE
from portico.dialects.openai_speech.stream import DELTA, DONE
from portico.wire import jsontext
from portico.wire.raw import Named

CHARACTERS_A_SECOND: Final = 15
"""About how fast a text is read, for sound whose length nobody can read."""
TOKENS_A_CHARACTER: Final = 6
"""The most audio tokens that a character takes: 20 a second, and Chinese is read at four to five characters a second."""
OWN_TOKENS: Final = 256
MP3_BYTES_A_SECOND: Final = 20_000
"""OpenAI's MP3 has 160 kbit/s."""
_SLOWEST: Final = 0.25


class _Named(msgspec.Struct):
    model: str
    stream_format: str | None = None


_NAMED: Final = msgspec.json.Decoder(_Named)


def named(body: bytes) -> Named | None:
    """What a body says of itself at its top; None: it has to be read to say what is wrong."""
    try:
        said = _NAMED.decode(body.removeprefix(jsontext.BOM))
    except jsontext.NOT_DECODED:
        return None
    return Named(said.model, said.stream_format == SSE)


def ask(body: bytes) -> Ask:
    """The characters that are read, and the most that the sound of them can be. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    characters, speed = _characters(value), 1.0
    if isinstance(value, dict):
        said = value.get("speed")
        speed = max(_SLOWEST, min(1.0, said)) if isinstance(said, (int, float)) and said > 0 else 1.0
    return Ask(
        len(body),
        max_output_tokens=OWN_TOKENS + int(characters * TOKENS_A_CHARACTER / speed),
        own_tools=False,
        metered={CHARACTERS: characters},
    )


def _characters(value: Any) -> int:
    text = value.get("input") if isinstance(value, Mapping) else None
    return len(text) if isinstance(text, str) else 0


def see(answer: bytes) -> Seen:
    """What a whole answer tells, of which the question is not known. Raises `UpstreamError`."""
    return see_answer(answer, b"{}")


def see_answer(answer: bytes, body: bytes) -> Seen:
    """What a whole answer to a body tells. Raises `UpstreamError` for an error, and for nothing."""
    if not answer:
        raise UpstreamEmpty("The provider's answer holds no speech.")
    if answer[:1] in (b"{", b"["):
        _refuse_json(answer)
    asked = _asked(body)
    characters = _characters(asked)
    if isinstance(asked, Mapping) and asked.get("response_format") == "pcm":
        seconds = seconds_of_samples(answer)
    elif (known := seconds_of(answer)) is not None:
        seconds = known
    else:
        seconds = characters / CHARACTERS_A_SECOND
    return Seen(uses={CHARACTERS: characters} if characters else {}, spoken_s=seconds)


def _refuse_json(answer: bytes) -> None:
    """Raises what an answer tells that is JSON: samples may begin with any byte, and are none."""
    try:
        value = jsontext.decode(answer)
    except jsontext.NotJson:
        return
    if tells_error(value):
        raise parse_error_object(value)
    raise UpstreamBadGateway("The provider sent JSON where speech was asked for.")


def _asked(body: bytes) -> Any:
    try:
        return jsontext.decode(body)
    except jsontext.NotJson:
        return None


def watch(fresh_id: str, body: bytes = b"") -> TypedEvents:
    """A watch on the stream that answers a body."""
    del fresh_id
    return TypedEvents(DELTA, DONE, b"audio", partial(_seen_in, _characters(_asked(body))))


def _seen_in(characters: int, last: Mapping[str, Any] | None, told: int) -> Seen:
    """The counts of the last event; before it, the speech that has come by its size, as if it were MP3, in base64."""
    uses = {CHARACTERS: characters} if characters else {}
    raw = None if last is None else last.get("usage")
    usage = parse_tokens(raw, takes="text", makes="audio")
    if usage is None:
        return Seen(uses=uses, spoken_s=told * 3 / 4 / MP3_BYTES_A_SECOND)
    return Seen(usage=usage, uses=uses, raw_usage=raw)
