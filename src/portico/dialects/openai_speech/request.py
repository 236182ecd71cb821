"""A text to be read aloud -> neutral request (mapping.md 5.3).

What is read here is put to a model of another dialect, so that its voice and format are held to what such models have: raw
samples, of which `core/speaking.py` makes what a caller wants to hear.
"""

from typing import Any, Final

from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Where
from portico.core.parts import Text
from portico.core.request import Message, Request, Role, Speech
from portico.core.speaking import DEFAULT_FORMAT, FORMATS
from portico.dialects.openai.checks import object_at, take_number, take_string, take_word, wrong_type

ORIGIN: Final = "openai_speech"
MAX_CHARACTERS: Final = 4096
ALL_FORMATS: Final = ("mp3", "opus", "aac", "flac", "wav", "pcm")
SSE: Final = "sse"
WHERE: Final = Where(
    fields={"messages": "$.input", "modalities": "$.model", "audio": "$.voice", "audio.voice": "$.voice"},
    message="$.input",
)


def parse_request(body: Any, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A body as a request. Raises `InvalidRequest`."""
    fields = dict(object_at(body, "$"))
    model = model or take_string(fields, "model")
    if not model:
        raise InvalidRequest("Missing required parameter: 'model'.", param="$.model")
    text = _input(fields)
    voice = _voice(fields)
    format_ = _format(fields)
    speed = take_number(fields, "speed", 0.25, 4.0)
    instructions = take_string(fields, "instructions")
    streams = take_word(fields, "stream_format", ("audio", SSE)) == SSE
    own: dict[str, Any] = {} if speed in (None, 1.0) else {"speed": speed}
    return Request(
        model,
        (Message(Role.USER, (Text(f"{instructions}: {text}" if instructions else text),), at=0),),
        modalities=("audio",),
        speech=Speech(voice),
        stream=streams if stream is None else stream,
        include_usage=True,
        echo={"format": format_},
        ext={ORIGIN: own} if own else None,
        where=WHERE,
    )


def _input(fields: dict[str, Any]) -> str:
    text = take_string(fields, "input")
    if text is None:
        raise InvalidRequest("Missing required parameter: 'input'.", param="$.input")
    if not text.strip():
        raise InvalidRequest("Invalid 'input': there is nothing to read.", param="$.input")
    if len(text) > MAX_CHARACTERS:
        message = f"Invalid 'input': {len(text)} characters are more than {MAX_CHARACTERS}."
        raise InvalidRequest(message, param="$.input")
    return text


def _voice(fields: dict[str, Any]) -> str:
    voice = fields.pop("voice", None)
    if isinstance(voice, dict):
        voice = voice.get("id")
    if voice is None:
        raise InvalidRequest("Missing required parameter: 'voice'.", param="$.voice")
    if not isinstance(voice, str):
        raise wrong_type("$.voice", "a string", voice)
    return voice


def _format(fields: dict[str, Any]) -> str:
    format_ = take_word(fields, "response_format", ALL_FORMATS) or DEFAULT_FORMAT
    if format_ not in FORMATS:
        message = f"This model's speech can be told as {', '.join(FORMATS)}; not as {format_}."
        raise UnsupportedParameter(message, param="$.response_format")
    return format_
