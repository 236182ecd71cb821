"""What a model is asked to make: text, pictures or speech, and how they shall be (mapping.md 1.15, 5.3).

A caller of another dialect is held to what the model makes: a picture asked of a model that makes none is refused here,
with the words for what is possible, and not somewhere behind.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import InvalidRequest, UnsupportedParameter
from portico.core.loss import Loss, Where
from portico.core.request import Request, Speech
from portico.core.target import Target
from portico.core.voices import GOOGLE, google_voice

MIN_IMAGE_TOKENS: Final = 4096
"""Below this an answer can end before its picture is whole, and is paid for all the same (1.15)."""
SPEECH_FORMATS: Final = (None, "wav", "pcm16")
"""What can be made of raw samples without an encoder."""
_CALLED: Final[Mapping[str, str]] = {"text": "text", "image": "images", "audio": "speech"}
_TEXT_ALONE: Final = frozenset({"text"})
_ORDER: Final = tuple(_CALLED)


def settle_modalities(request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    """responseModalities, speechConfig and the room that a picture needs. Raises `InvalidRequest`."""
    makes = target.capabilities.output_modalities
    if not target.capabilities.judged:
        if request.modalities:
            config["responseModalities"] = [modality.upper() for modality in request.modalities]
        if request.speech is not None and request.speech.voice is not None:
            config["speechConfig"] = _speech_config(request.speech.voice)
        return
    if makes == _TEXT_ALONE and not request.modalities and request.speech is None:
        return  # nothing to settle: nearly always
    wanted = _wanted(request, target)
    if wanted != ["text"] or makes != {"text"}:
        config["responseModalities"] = [modality.upper() for modality in wanted]
    if "image" in wanted:
        _make_room(request, target, config, losses)
    if request.speech is not None:
        _speak(request.speech, request.where, target, config, losses)


def _wanted(request: Request, target: Target) -> list[str]:
    """What the model shall make, in Google's order; all that it can where the caller did not say."""
    makes = target.capabilities.output_modalities
    asked = set(request.modalities)
    if "audio" in asked:
        asked.discard("text")  # OpenAI's callers name both; Google's models make one of them (1.15)
    if not asked:
        asked = set(makes) & {*_ORDER} or {"text"}
    if strangers := asked - makes:
        able = " and ".join([_CALLED[word] for word in _ORDER if word in makes]) or "embeddings"
        called = " or ".join([_CALLED.get(word, word) for word in sorted(strangers)])
        message = f"{target.model} does not make {called}; it makes {able}."
        raise UnsupportedParameter(message, param=request.where.field("modalities"))
    return [word for word in _ORDER if word in asked]


def _make_room(request: Request, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    most = request.sampling.max_tokens
    room = min(MIN_IMAGE_TOKENS, target.capabilities.max_output_tokens)
    if most is not None and most < room:
        config["maxOutputTokens"] = room
        message = f"an image takes more than {most} tokens: {room} were allowed"
        losses.append(Loss("1.1:max_tokens", request.where.field("max_tokens"), message))


def _speak(speech: Speech, where: Where, target: Target, config: dict[str, Any], losses: list[Loss]) -> None:
    if "audio" not in target.capabilities.output_modalities:
        losses.append(Loss("1.15:speech", where.field("audio"), f"{target.model} does not speak"))
        return
    if speech.format not in SPEECH_FORMATS:
        message = f"{target.model} speaks raw samples, of which wav and pcm16 can be made; not {speech.format}."
        raise UnsupportedParameter(message, param=where.field("audio.format"))
    if speech.voice is not None:
        voice = google_voice(speech.voice)
        if voice is None:
            message = f"Unknown voice {speech.voice!r}; there are {', '.join(GOOGLE)}, and OpenAI's names for some."
            raise InvalidRequest(message, param=where.field("audio.voice"))
        config["speechConfig"] = _speech_config(voice)


def _speech_config(voice: str) -> dict[str, Any]:
    return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": voice}}}


def voice_of(speech_config: Any) -> str | None:
    """The voice of a speechConfig (camelCase) that says nothing else; None for every other."""
    match speech_config:
        case {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": str(voice)}}}:
            return voice if speech_config == _speech_config(voice) else None
    return None


def settle_image_config(request: Request, target: Target, config: dict[str, Any]) -> None:
    """Holds imageConfig to the shapes and sizes the model makes; of one that makes no pictures none are known.

    Raises `InvalidRequest`.
    """
    image, able, where = config.get("imageConfig"), target.capabilities, request.where
    if not isinstance(image, Mapping) or "image" not in able.output_modalities:
        return
    settled = dict(image)
    for key, name, possible in (
        ("aspectRatio", "aspect_ratio", able.aspect_ratios),
        ("imageSize", "image_size", able.image_sizes),
    ):
        value = image.get(key)
        if value is None:
            continue
        path = where.field(name)
        if not isinstance(value, str):
            raise InvalidRequest(f"Expected a string such as {possible[0] if possible else '1:1'!r}.", param=path)
        settled[key] = value.strip().upper()
        if settled[key] not in possible:
            there_are = f"there are {', '.join(possible)}" if possible else "it cannot be chosen"
            raise UnsupportedParameter(f"{target.model} has no {name} {value!r}; {there_are}.", param=path)
    config["imageConfig"] = settled
