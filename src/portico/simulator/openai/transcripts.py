"""OpenAI's transcripts: what a form may hold, and words that depend on the recording in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from portico.simulator import tokens
from portico.simulator.openai import sounds
from portico.simulator.openai.forms import Form, number, word
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused, invalid, missing, unknown, unsupported
from portico.simulator.refusal import Json
from portico.wire import multipart
from portico.wire.jsontext import encode

MOST_BYTES = 25 * 1024 * 1024
ENDINGS = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")
_SHORTEST_S = 0.1
_PLAIN = "text/plain; charset=utf-8"
_FORMATS = word("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_FIELDS = {
    "transcribe": frozenset(
        {
            *("file", "model", "language", "prompt", "response_format", "temperature", "include", "stream"),
            *("timestamp_granularities", "chunking_strategy", "keywords", "languages"),
            *("known_speaker_names", "known_speaker_references"),
        }
    ),
    "translate": frozenset({"file", "model", "prompt", "response_format", "temperature"}),
}
_LISTS = frozenset({"include", "timestamp_granularities", "keywords", "languages"})
_LISTS_OF_SPEAKERS = frozenset({"known_speaker_names", "known_speaker_references"})
_WORDS = ("river", "lantern", "harbour", "violet", "winter", "copper", "meadow", "signal", "paper", "orchard", "engine")


@dataclass(frozen=True)
class Recording:
    """What was sent of a file."""

    data: bytes
    name: str

    @property
    def seconds(self) -> float:
        return sounds.length(self.data)


def read(data: bytes, task: str) -> Json:
    """The form's fields: texts, lists of texts, and the `Recording`. Raises `Refused`."""
    try:
        fields = multipart.fields(data)
    except multipart.NotMultipart as error:
        raise Refused(f"Could not parse multipart form: {error}") from None
    form: Json = {}
    for field in fields:
        name = field.name.removesuffix("[]")
        if name not in _FIELDS[task]:
            raise unknown(field.name)
        value = field.value(data)
        if name == "file":
            form[name] = Recording(value, field.filename or "")
        elif name in _LISTS | _LISTS_OF_SPEAKERS:
            form.setdefault(name, []).append(value.decode("utf-8", "replace"))
        else:
            form[name] = value.decode("utf-8", "replace")
    for name in ("file", "model"):
        if not form.get(name):
            raise missing(name)
    return form


def check(form: Json, model: Model, task: str) -> None:
    """Raises `Refused` for what the model does not write down, or not so."""
    if model.does != "transcript" or (task == "translate" and model.name != "whisper-1"):
        raise Refused(f"Invalid model: '{model.name}' cannot {task} audio.", param="model", code="invalid_model")
    format_ = form.get("response_format")
    if format_ is not None:
        _FORMATS(format_, "response_format")
    if format_ not in (None, "json", "text") and format_ not in _formats(model):
        said = f"response_format '{format_}' is not compatible with model '{model.name}'. Use 'json' or 'text' instead."
        raise Refused(said, param="response_format", code="unsupported_value")
    _number(form, "temperature", number(0, 1))
    if form.get("stream") is not None:
        word("true", "false")(form["stream"], "stream")
    for one in form.get("timestamp_granularities", ()):
        word("word", "segment")(one, "timestamp_granularities")
        if format_ != "verbose_json":
            said = "timestamp_granularities are only supported with response_format 'verbose_json'."
            raise Refused(said, param="timestamp_granularities")
    for one in form.get("include", ()):
        word("logprobs")(one, "include")
        if not model.name.startswith(("gpt-4o-transcribe", "gpt-4o-mini-transcribe")):
            raise unsupported("include")
    _check_file(form["file"])


def _formats(model: Model) -> tuple[str, ...]:
    if model.name == "whisper-1":
        return ("srt", "verbose_json", "vtt")
    return ("diarized_json",) if "diarize" in model.name else ()


def _number(form: Json, name: str, check: Form) -> None:
    said = form.get(name)
    if said is not None:
        if not re.fullmatch(r"-?\d+(\.\d+)?", said):
            raise invalid(name, f"expected a decimal, but got '{said}' instead.", "invalid_type")
        check(float(said), name)


def _check_file(file: Recording) -> None:
    if len(file.data) > MOST_BYTES:
        said = f"Maximum content size limit ({MOST_BYTES}) exceeded ({len(file.data)} bytes read)"
        raise Refused(said, status=413)
    ending = file.name.rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise Refused(f"Invalid file format. Supported formats: {list(ENDINGS)}")
    if not sounds.kind_of(file.data):
        raise Refused("Audio file might be corrupted or unsupported", param="file", code="invalid_value")
    if file.seconds < _SHORTEST_S:
        said = "Audio file is too short. Minimum audio length is 0.1 seconds."
        raise Refused(said, param="file", code="audio_too_short")


# -- answers ---------------------------------------------------------------------------------------------------------


def words(form: Json, task: str) -> str:
    """What is said in the recording: the same in the same one."""
    file: Recording = form["file"]
    mark = sounds.mark(file.data)
    heard = [_WORDS[mark // len(_WORDS) ** place % len(_WORDS)] for place in range(4)]
    how = "In English: " if task == "translate" else ""
    return f"[simulated] {how}{file.seconds:.1f} seconds of {sounds.kind_of(file.data)}. They say {' '.join(heard)}."


def whole(form: Json, model: Model, task: str) -> tuple[str, bytes]:
    """The type and the bytes of an answer."""
    said, seconds = words(form, task), form["file"].seconds
    halves = _segments(said, seconds)
    match form.get("response_format") or "json":
        case "text":
            return _PLAIN, f"{said}\n".encode()
        case "srt":
            cues = [f"{n}\n{_clock(a, ',')} --> {_clock(b, ',')}\n{text}\n" for n, (a, b, text) in enumerate(halves, 1)]
            return _PLAIN, ("\n".join(cues) + "\n").encode()
        case "vtt":
            cues = [f"{_clock(a, '.')} --> {_clock(b, '.')}\n{text}\n" for a, b, text in halves]
            return _PLAIN, "\n".join(["WEBVTT\n", *cues]).encode()
        case "verbose_json":
            return "application/json", encode(_verbose(form, task, said, halves))
        case "diarized_json":
            kind = "transcript.text.segment"
            told = [
                {"type": kind, "id": f"seg_{n}", "start": a, "end": b, "text": text, "speaker": "AB"[n % 2]}
                for n, (a, b, text) in enumerate(halves)
            ]
            body: Json = {"task": task, "duration": seconds, "text": said, "segments": told}
            return "application/json", encode(body | {"usage": usage(form, model, said)})
    answer: Json = {"text": said}
    if task == "transcribe":
        answer["usage"] = usage(form, model, said)
        if model.name.startswith("gpt-transcribe"):
            answer["languages"] = [{"code": "en"}]
    if form.get("include"):
        answer["logprobs"] = [{"token": "They", "logprob": -0.1, "bytes": list(b"They")}]
    return "application/json", encode(answer)


def _verbose(form: Json, task: str, said: str, halves: list[tuple[float, float, str]]) -> Json:
    seconds = form["file"].seconds
    measured = {
        "tokens": [50364],
        "temperature": 0.0,
        "avg_logprob": -0.3,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.0,
    }
    wanted = form.get("timestamp_granularities") or ["segment"]
    body: Json = {"task": task, "language": "english", "duration": seconds, "text": said}
    if "segment" in wanted:
        told = enumerate(halves)
        body["segments"] = [
            {"id": n, "seek": 0, "start": a, "end": b, "text": text} | measured for n, (a, b, text) in told
        ]
    if "word" in wanted:
        every = said.split()
        step = seconds / len(every)
        body["words"] = [{"word": one, "start": n * step, "end": (n + 1) * step} for n, one in enumerate(every)]
    return body | {"usage": {"type": "duration", "seconds": _counted(seconds)}}


def usage(form: Json, model: Model, said: str) -> Json:
    """Seconds, or tokens: 10 for a second of sound."""
    seconds = form["file"].seconds
    if model.name in ("whisper-1", "gpt-transcribe"):
        return {"type": "duration", "seconds": _counted(seconds)}
    heard, read, made = max(1, int(seconds * 10)), tokens.count(form.get("prompt") or ""), tokens.count(said)
    details = {"text_tokens": read, "audio_tokens": heard}
    counts = {"input_tokens": heard + read, "output_tokens": made, "total_tokens": heard + read + made}
    return {"type": "tokens", **counts, "input_token_details": details}


def _counted(seconds: float) -> int:
    return max(1, -int(-seconds // 1))


def events(form: Json, model: Model) -> Iterator[Json]:
    """A transcript word by word."""
    said = words(form, "transcribe")
    for one in re.findall(r"\s*\S+", said):
        yield {"type": "transcript.text.delta", "delta": one}
    yield {"type": "transcript.text.done", "text": said, "usage": usage(form, model, said)}


def streams(form: Json, model: Model) -> bool:
    """Whisper does not, and is not asked to."""
    return form.get("stream") == "true" and model.name != "whisper-1"


def _segments(said: str, seconds: float) -> list[tuple[float, float, str]]:
    first, _, second = said.partition(". They")
    return [(0.0, round(seconds / 2, 2), f"{first}."), (round(seconds / 2, 2), round(seconds, 2), f"They{second}")]


def _clock(seconds: float, point: str) -> str:
    rest, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}{point}{thousandths:03}"
