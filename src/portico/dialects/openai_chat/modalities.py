"""What a Chat request says of pictures and speech in the answer (mapping.md 1.15).

`modalities` and `audio` are OpenAI's; `image_config`, `aspect_ratio` and `image_size` are what other gateways taught
clients to write.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.errors import InvalidRequest
from portico.core.request import Speech
from portico.dialects.openai.checks import object_at, string_at, take_object, wrong_type
from portico.wire.names import camel, snake

FORMATS: Final = ("wav", "aac", "mp3", "flac", "opus", "pcm16")
STREAMED: Final = "pcm16"
IMAGE_FIELDS: Final = frozenset(
    {"aspectRatio", "imageSize", "personGeneration", "prominentPeople", "imageOutputOptions"}
)
CHECKED: Final = ("aspect_ratio", "image_size")
"""What models differ in, and what may also stand at the top of a request."""


def take_modalities(fields: dict[str, Any]) -> tuple[str, ...]:
    """`modalities`, in lower case."""
    value = fields.pop("modalities", None)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise wrong_type("$.modalities", "an array", value)
    return tuple(dict.fromkeys([string_at(word, f"$.modalities[{i}]").lower() for i, word in enumerate(value)]))


def take_speech(fields: dict[str, Any], *, streaming: bool) -> Speech | None:
    """`audio`: the voice, by name or as `{"id": …}`, and the format. What else it holds is left where it was."""
    audio = take_object(fields, "audio")
    if audio is None:
        return None
    rest = {name: value for name, value in audio.items() if name not in ("voice", "format") and value is not None}
    if rest:
        fields["audio"] = rest
    voice = audio.get("voice")
    if isinstance(voice, dict):
        voice = voice.get("id")
    if voice is not None and not isinstance(voice, str):
        raise wrong_type("$.audio.voice", "a string", audio.get("voice"))
    format_ = audio.get("format")
    if format_ is not None:
        format_ = string_at(format_, "$.audio.format")
        if format_ not in FORMATS:
            known = ", ".join(FORMATS)
            raise InvalidRequest(f"Unknown audio format {format_!r}; known are {known}.", param="$.audio.format")
        if streaming and format_ != STREAMED:
            raise InvalidRequest(f"A stream speaks {STREAMED} only.", param="$.audio.format")
    return Speech(voice, format_)


def take_image_config(fields: dict[str, Any], paths: dict[str, str]) -> dict[str, Any]:
    """Google's imageConfig from its several spellings; where each field stood is added to `paths`."""
    config: dict[str, Any] = {}
    given = fields.pop("image_config", None)
    if given is not None:
        paths.setdefault("image_config", "$.image_config")
        config = image_fields(object_at(given, "$.image_config"), "$.image_config", paths)
    for name in CHECKED:
        value = fields.pop(name, None)
        if value is not None:
            config[camel(name)] = value
            paths.setdefault(name, f"$.{name}")
    return config


def image_fields(given: Mapping[str, Any], path: str, paths: dict[str, str]) -> dict[str, Any]:
    """The fields of an imageConfig in Google's spelling. Raises `InvalidRequest` for one that is none."""
    config: dict[str, Any] = {}
    for name, value in given.items():
        key = camel(name)
        if key not in IMAGE_FIELDS:
            known = ", ".join(sorted(snake(field) for field in IMAGE_FIELDS))
            raise InvalidRequest(f"Unknown key {name!r}; known are {known}.", param=f"{path}.{name}")
        if value is not None:
            config[key] = value
            if snake(key) in CHECKED:
                paths.setdefault(snake(key), f"{path}.{name}")
    return config
