"""OpenAI's speech: which voices and formats there are, and a tone as long as the text takes to be read."""

import base64
from collections.abc import Iterator

from portico.simulator import tokens
from portico.simulator.openai import sounds
from portico.simulator.openai.forms import either, form_of, number, text, word
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused, unsupported_value
from portico.simulator.refusal import Json

OLD_VOICES = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
VOICES = (*OLD_VOICES, "ballad", "verse", "marin", "cedar")
_CHARACTERS_A_SECOND = 15
_LONGEST_S = 30.0
_PIECE = 4800

REQUEST = form_of(
    {
        "model": text(),
        "input": text(least=1, most=4096),
        "voice": either("a string or an object", (str, text()), (dict, form_of({"id": text()}, "id"))),
        "instructions": text(most=4096),
        "response_format": word(*sounds.TYPES),
        "speed": number(0.25, 4.0),
        "stream_format": word("sse", "audio"),
    },
    "model",
    "input",
    "voice",
)


def check(body: Json, model: Model) -> None:
    """Raises `Refused` for what the model does not say."""
    if model.does != "speech":
        raise Refused(f"The model '{model.name}' does not support speech.", param="model", code="invalid_model")
    old = model.name.startswith("tts-1")
    voice = body["voice"]
    if isinstance(voice, dict):
        raise Refused(f"Voice '{voice['id']}' not found.", param="voice", code="voice_not_found", status=404)
    word(*(OLD_VOICES if old else VOICES))(voice, "voice")
    if old and body.get("stream_format") == "sse":
        raise unsupported_value("stream_format", "'stream_format' does not support 'sse' with this model.")


def sound(body: Json) -> bytes:
    """The text as samples: a tone for each voice."""
    seconds = min(_LONGEST_S, 0.2 + len(body["input"]) / _CHARACTERS_A_SECOND) / (body.get("speed") or 1)
    return sounds.tone(seconds, 220 + 20 * VOICES.index(body["voice"]))


def format_of(body: Json) -> str:
    return body.get("response_format") or "mp3"


def events(body: Json, pcm: bytes) -> Iterator[Json]:
    """The speech piece by piece, and what it is counted as."""
    data = sounds.told(pcm, format_of(body))
    for at in range(0, len(data), _PIECE):
        yield {"type": "speech.audio.delta", "audio": base64.b64encode(data[at : at + _PIECE]).decode()}
    taken = tokens.count(body["input"]) + tokens.count(body.get("instructions") or "")
    made = len(pcm) * 20 // (sounds.RATE * 2)
    usage = {"input_tokens": taken, "output_tokens": made, "total_tokens": taken + made}
    yield {"type": "speech.audio.done", "usage": usage}
