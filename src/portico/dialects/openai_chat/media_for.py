"""A file as servers that speak Chat take it: data URLs, `input_audio`, `file` (mapping.md 1.4, from the other side).

What is at an address goes by that address; what the provider cannot fetch was fetched before. A name without an address is
the provider's own file.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.audio import is_raw
from portico.core.loss import Loss
from portico.core.mime import EXTENSIONS, by_extension, settled_mime
from portico.core.parts import Media
from portico.dialects.openai_chat.content import data_uri

_DETAILS: Final = frozenset({"low", "high", "auto", "original"})
_FORMATS: Final[Mapping[str, str]] = {"audio/mpeg": "mp3", "audio/mpga": "mp3", "audio/x-wav": "wav"}
_EXTENSION_OF: Final = {mime: extension for extension, mime in reversed(list(EXTENSIONS.items()))}
_LINKS: Final = {"image": "image_url", "audio": "audio_url", "video": "video_url"}


def media_for(part: Media, path: str, losses: list[Loss]) -> dict[str, Any]:
    """One content part. `path`: where losses are told."""
    mime = settled_mime(part.mime, name=part.name or part.uri, data=part.data)
    kind = (mime or "image/").partition("/")[0]
    own_file = part.uri is not None and "://" not in part.uri and part.uri[:5].lower() != "data:"
    if part.detail not in (None, "auto") and (own_file or kind != "image" or part.detail not in _DETAILS):
        losses.append(Loss("1.4:detail", path, f"no detail {part.detail!r} for such a part"))
    if part.name is not None and kind in _LINKS:
        losses.append(Loss("1.4:name", path, "Chat has no place for the name of such a file"))
    if part.uri is not None and kind not in _LINKS and by_extension(part.uri) != mime:
        losses.append(Loss("7.1:media_type", path, "Chat has no place for the type of what is at an address"))
    if own_file:
        return {"type": "file", "file": {"file_id": part.uri}}
    if kind == "audio" and part.data is not None:
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": _audio_format(mime or "")}}
    if kind in _LINKS:
        link: dict[str, Any] = {"url": part.uri if part.uri is not None else _inline(part, mime)}
        if kind == "image" and part.detail in _DETAILS:
            link["detail"] = part.detail
        return {"type": _LINKS[kind], _LINKS[kind]: link}
    name = part.name or f"file.{_EXTENSION_OF.get(mime or '', 'bin')}"
    return {"type": "file", "file": {"filename": name, "file_data": part.uri or _inline(part, mime)}}


def _inline(part: Media, mime: str | None) -> str:
    return data_uri(part) if part.mime is not None else f"data:{mime or ''};base64,{part.data or ''}"


def _audio_format(mime: str) -> str:
    if is_raw(mime):
        return "pcm16"
    plain = mime.partition(";")[0]
    return _FORMATS.get(plain) or plain.partition("/")[2]
