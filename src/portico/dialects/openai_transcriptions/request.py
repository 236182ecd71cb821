"""A recording to be written down, or translated into English -> neutral request (mapping.md 5.4).

A chat model that hears is asked for it in words. Formats with times are asked for as JSON: when something is said is then
what the model makes of the recording, and a loss says so.
"""

import base64
from typing import Any, Final

from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Where
from portico.core.mime import by_magic, settled_mime
from portico.core.parts import Media, Text
from portico.core.recording import seconds_of
from portico.core.request import Message, OutputFormat, Request, Role, Sampling, Thinking
from portico.dialects.openai_transcriptions.form import FILE, Form, Upload
from portico.dialects.openai_transcriptions.segments import DIARIZED, TIMED, schema_of

TRANSCRIBE: Final = "transcribe"
TRANSLATE: Final = "translate"
FORMATS: Final = {
    TRANSCRIBE: ("json", "text", "srt", "verbose_json", "vtt", DIARIZED),
    TRANSLATE: ("json", "text", "srt", "verbose_json", "vtt"),
}
STREAMED: Final = ("json", "text")
ENDINGS: Final = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
WHERE: Final = Where(
    fields={"messages": "$.file", "timestamps": "$.response_format", "modalities": "$.model"}, message="$.file"
)
_ORIGIN: Final = "openai_transcriptions"
_HEAD_BYTES: Final = 32
_BOOLEANS: Final = {"true": True, "false": False}

_ASKED: Final = {
    TRANSCRIBE: "Transcribe the speech in this recording verbatim, in the language that is spoken.",
    TRANSLATE: "Translate the speech in this recording into English.",
}
_ALONE: Final = (
    "Answer with the {what} alone, without a heading, comments or times. If nobody speaks, answer with an empty text."
)
_SEGMENTED: Final = (
    "Divide it into segments of a sentence each. Of every segment say when it starts and ends, in seconds from the "
    "beginning of the recording."
)
_NAMED_SPEAKERS: Final = "Of every segment say who speaks, as A, B, C … in the order in which they are first heard."


def parse_request(task: str, form: Form, *, model: str | None = None, stream: bool | None = None) -> Request:
    """A form as a request. Raises `InvalidRequest`."""
    fields: dict[str, Any] = {name: value for name, value in form.items() if value not in ("", [])}
    model = model or fields.pop("model", None)
    if not model:
        raise InvalidRequest("Missing required parameter: 'model'.", param="$.model")
    fields.pop("model", None)
    upload = _upload(fields)
    format_ = _word(fields, "response_format", FORMATS[task]) or "json"
    streams = _streams(fields, task, format_)
    _granularities(fields, format_)
    temperature = _temperature(fields)
    words = _words(fields, task, format_)
    timed = format_ in TIMED
    own = {"timestamps": format_} if timed else {}
    own |= {name: fields.pop(name) for name in ("include", "chunking_strategy") if name in fields}
    media = Media(_type_of(upload), data=base64.b64encode(upload.data).decode("ascii"))
    return Request(
        model,
        (Message(Role.USER, (media, Text(words)), at=0),),
        sampling=Sampling(temperature=0.0 if temperature is None else temperature),
        thinking=Thinking(effort="none"),
        output=OutputFormat("json_schema", schema_of(format_)) if timed else None,
        stream=streams if stream is None else stream,
        include_usage=True,
        ours=frozenset({"thinking"} if temperature is not None else {"thinking", "temperature"}),
        echo={"format": format_, "task": task, "seconds": seconds_of(upload.data) if timed else None},
        ext={_ORIGIN: {**own, **fields}} if own or fields else None,
        where=WHERE,
    )


def _upload(fields: dict[str, Any]) -> Upload:
    upload: Upload | None = fields.pop(FILE, None)
    if upload is None:
        raise InvalidRequest("Missing required parameter: 'file'.", param="$.file")
    if not upload.data:
        raise InvalidRequest("Invalid 'file': it is empty.", param="$.file")
    return upload


def _type_of(upload: Upload) -> str:
    """What kind of sound a file is. Its first bytes count, but for a container, of which they do not tell that it holds
    nothing but sound. Raises `InvalidRequest`."""
    said = settled_mime(upload.content_type, name=upload.name, head=upload.data[:_HEAD_BYTES])
    shown = by_magic(upload.data[:_HEAD_BYTES])
    if shown is not None and shown.startswith("audio/"):
        return shown
    if said is None or not said.startswith(("audio/", "video/")):
        said = shown
    if said is None or not said.startswith(("audio/", "video/")):
        message = f"Invalid file format. Supported formats: {', '.join(ENDINGS)}."
        raise InvalidRequest(message, param="$.file")
    return said


def _word(fields: dict[str, Any], name: str, words: tuple[str, ...]) -> str | None:
    word: str | None = fields.pop(name, None)
    if word is None or word in words:
        return word
    raise InvalidRequest(f"Invalid '{name}': {word[:40]!r} is not one of {', '.join(words)}.", param=f"$.{name}")


def _streams(fields: dict[str, Any], task: str, format_: str) -> bool:
    said = fields.pop("stream", "false").lower()
    if said not in _BOOLEANS:
        raise InvalidRequest(f"Invalid 'stream': {said[:40]!r} is not one of true, false.", param="$.stream")
    if not _BOOLEANS[said] or task == TRANSLATE:
        return False
    if format_ not in STREAMED:
        message = f"A stream of this model tells {' or '.join(STREAMED)}; not {format_}."
        raise UnsupportedParameter(message, param="$.response_format")
    return True


def _granularities(fields: dict[str, Any], format_: str) -> None:
    asked = fields.pop("timestamp_granularities", [])
    for word in asked:
        if word not in ("word", "segment"):
            message = f"Invalid 'timestamp_granularities': {word[:40]!r} is not one of word, segment."
            raise InvalidRequest(message, param="$.timestamp_granularities")
    if asked and format_ != "verbose_json":
        message = "'timestamp_granularities' go with the response_format verbose_json."
        raise InvalidRequest(message, param="$.timestamp_granularities")
    if "word" in asked:
        message = "This model does not tell when each word is said; segments can be had."
        raise UnsupportedParameter(message, param="$.timestamp_granularities")


def _temperature(fields: dict[str, Any]) -> float | None:
    said = fields.pop("temperature", None)
    if said is None:
        return None
    try:
        value = float(said)
    except ValueError:
        message = f"Invalid type for 'temperature': expected a number, got {said[:40]!r}."
        raise InvalidRequest(message, param="$.temperature") from None
    if not 0 <= value <= 1:
        raise InvalidRequest(f"Invalid 'temperature': {said[:40]} is not between 0 and 1.", param="$.temperature")
    return value


def _words(fields: dict[str, Any], task: str, format_: str) -> str:
    """What a model is asked, in words."""
    told = [_ASKED[task]]
    if format_ in TIMED:
        told.append(_SEGMENTED)
        if format_ == DIARIZED:
            told.append(_NAMED_SPEAKERS)
    else:
        told.append(_ALONE.format(what="translation" if task == TRANSLATE else "transcript"))
    languages = [*([fields.pop("language")] if "language" in fields else []), *fields.pop("languages", [])]
    if languages:
        told.append(f"The language of the recording (ISO 639-1): {' or '.join(languages)}.")
    if keywords := fields.pop("keywords", []):
        told.append(f"Words that may be heard: {', '.join(keywords)}.")
    if speakers := fields.pop("known_speaker_names", []):
        told.append(f"People who may be heard: {', '.join(speakers)}.")
    if (prompt := fields.pop("prompt", None)) is not None:
        told.append(f"What follows is context, for spelling and style alone; do not repeat it.\n{prompt}")
    return "\n".join(told)
