"""Content parts of items <-> neutral parts (mapping.md 7.1: text, image, document, audio). Data is never decoded here."""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from portico.core.audio import RAW_MIME
from portico.core.errors import InvalidRequest
from portico.core.loss import Loss
from portico.core.mime import settled_mime
from portico.core.parts import Ext, Media, Text
from portico.core.target import Target
from portico.dialects.openai.checks import array_at, object_at, optional_string, string_at, wrong_type
from portico.dialects.openai.cuts import CUT, cut_of, with_cut

ORIGIN: Final = "openai_responses"
SHARED: Final = "openai_chat"
"""What both of OpenAI's dialects have is told in the words of the older one, so that it survives between them."""
REFUSAL: Final[Ext] = {SHARED: {"refusal": True}}

_DATA_URI: Final = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_DETAILS: Final = ("low", "high", "auto", "original")
_AUDIO_MIMES: Final[Mapping[str, str]] = {"pcm16": RAW_MIME, "pcm": RAW_MIME}
_LINKS: Final = ("http://", "https://", "gs://")
_NOT_WORD: Final = re.compile(r"[^a-z0-9]")
UNNAMED: Final = "unnamed"
"""What a document is called where one must have a name; it is read as none."""


def parse_content(content: Any, path: str = ".content") -> list[Text | Media]:
    """A message's content or a tool's output, string or parts, as neutral parts in order."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)]
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of parts", content)
    parts: list[Text | Media] = []
    for i, item in enumerate(content):
        try:
            parts.append(_parse_part(object_at(item, "")))
        except InvalidRequest as error:
            raise error.under(f"{path}[{i}]") from None
    return parts


def _parse_part(part: Mapping[str, Any]) -> Text | Media:
    kind = string_at(part.get("type"), ".type")
    parser = _PARSERS.get(kind)
    if parser is None:
        raise InvalidRequest(
            f"Unknown content part type {kind[:100]!r}; known are {', '.join(_PARSERS)}.", param=".type"
        )
    return with_cut(parser(part), part) if CUT in part else parser(part)


def _text(part: Mapping[str, Any]) -> Text | Media:
    return Text(string_at(part.get("text"), ".text"))


def _refusal(part: Mapping[str, Any]) -> Text | Media:
    return Text(string_at(part.get("refusal"), ".refusal"))


def _image(part: Mapping[str, Any]) -> Text | Media:
    detail = optional_string(part.get("detail"), ".detail")
    if detail is not None and detail not in _DETAILS:
        raise InvalidRequest(f"Invalid detail {detail[:100]!r}; known are {', '.join(_DETAILS)}.", param=".detail")
    address = part.get("image_url")
    if isinstance(address, dict):  # as Chat has it
        address = address.get("url")
    if address is not None:
        media = media_at(string_at(address, ".image_url"), ".image_url")
    elif part.get("file_id") is not None:
        media = Media(None, uri=string_at(part["file_id"], ".file_id"))
    else:
        raise InvalidRequest("An input_image needs image_url or file_id.", param=".image_url")
    return Media(media.mime, media.data, media.uri, detail=detail)


def _file(part: Mapping[str, Any]) -> Text | Media:
    name = optional_string(part.get("filename"), ".filename") or None
    if name is not None and name.startswith(f"{UNNAMED}."):
        name = None
    detail = optional_string(part.get("detail"), ".detail")
    for key in ("file_data", "file_url", "file_id"):
        value = optional_string(part.get(key), f".{key}")
        if not value:
            continue
        if key == "file_data" and value[:5].lower() != "data:":
            media = Media(None, data="".join(value.split()))
        else:
            media = media_at(value, f".{key}")
        mime = media.mime or optional_string(part.get("mime_type"), ".mime_type")
        return Media(mime, media.data, media.uri, name, detail)
    raise InvalidRequest("An input_file needs file_data, file_url or file_id.", param=".file_data")


def _audio(part: Mapping[str, Any]) -> Text | Media:
    audio = object_at(part.get("input_audio", part), ".input_audio")
    data = string_at(audio.get("data"), ".input_audio.data")
    if data[:5].lower() == "data:":
        return media_at(data, ".input_audio.data")
    word = (optional_string(audio.get("format"), ".input_audio.format") or "wav").strip()
    mime = word if "/" in word else _AUDIO_MIMES.get(word.lower()) or f"audio/{word.lower()}"
    return Media(mime, data="".join(data.split()))


def media_at(address: str, path: str) -> Media:
    """A data URI as inline media, any other address or file id as a link. Raises `InvalidRequest` for a broken one."""
    address = address.strip()
    if not address:
        raise InvalidRequest("The URL is empty.", param=path)
    if address[:5].lower() != "data:":
        return Media(None, uri=address)
    head = _DATA_URI.match(address)
    if head is None:
        raise InvalidRequest("The data URI has no comma.", param=path)
    parameters = [one.strip() for one in head.group(2).split(";")[1:]]
    mime = head.group(1).strip().lower() or None
    data = address[head.end() :]
    if mime is not None and mime.startswith(("text/", "audio/")):
        mime = ";".join([mime, *[one for one in parameters if one.lower().startswith(("charset=", "rate="))]])
    if any(one.lower() == "base64" for one in parameters):
        if "%" in data:
            data = unquote_to_bytes(data.encode("utf-8", "replace")).decode("ascii", "replace")
        return Media(mime, data="".join(data.split()) if any(space in data for space in " \n\r\t") else data)
    decoded = unquote_to_bytes(data.encode("utf-8", "replace"))
    return Media(mime or "text/plain", data=base64.b64encode(decoded).decode())


_PARSERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Text | Media]]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
    "output_audio": _audio,
    "output_file": _file,
}


def knows(kind: Any) -> bool:
    """Whether a type of content parts is known."""
    return isinstance(kind, str) and kind in _PARSERS


# -- the other way ---------------------------------------------------------------------------------------------------


def render_content(
    parts: list[Text | Media], losses: list[Loss], path: str, target: Target
) -> str | list[dict[str, Any]]:
    """A message's content or a tool's output: a string where that says it all, else a list of parts. `path` is where the
    losses are told to be."""
    cuts = [cut_of(part, target) for part in parts]
    if len(parts) == 1 and isinstance(parts[0], Text) and not cuts[0]:
        return parts[0].text
    return [{**render_part(part, losses, path), **cut} for part, cut in zip(parts, cuts, strict=True)]


def render_part(part: Text | Media, losses: list[Loss], path: str, *, text_type: str = "input_text") -> dict[str, Any]:
    """One content part of a request. OpenAI refuses a key it does not know, so what has no place is a loss."""
    if isinstance(part, Text):
        return {"type": text_type, "text": part.text}
    mime = settled_mime(part.mime, name=part.name or part.uri, data=part.data) or ""
    image = mime.startswith("image/") or (not mime and part.uri is not None and part.name is None)
    if part.name and image:
        losses.append(Loss("1.4:name", path, "a picture has no name"))
    if part.data is not None and mime.startswith("audio/") and not part.name:
        word = "pcm16" if mime == RAW_MIME else mime.partition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": word}}
    if part.uri is not None and mime != (settled_mime(None, name=part.uri) or ""):
        losses.append(Loss("7.1:media_type", path, "media by address are of the type that their address tells"))
    detail = {"detail": part.detail} if part.detail in _DETAILS else {}
    if part.detail not in (None, *_DETAILS):
        losses.append(Loss("1.4:detail", path, f"no detail {part.detail!r}"))
    if image:
        return {"type": "input_image", **_address(part, "image_url", "file_id"), **detail}
    if detail.get("detail") not in (None, "auto", "low", "high"):
        losses.append(Loss("1.4:detail", path, "a document is looked at in low or high detail"))
        detail = {}
    name = part.name
    if part.data is not None and not name:
        name = f"{UNNAMED}.{_NOT_WORD.sub('', mime.partition('/')[2].partition(';')[0]) or 'bin'}"
    named = {"filename": name} if name else {}
    return {"type": "input_file", **named, **_address(part, "file_url", "file_id", "file_data"), **detail}


def _address(part: Media, url: str, file_id: str, data: str | None = None) -> dict[str, str]:
    if part.data is not None:
        return {data or url: data_uri(part)}
    uri = part.uri or ""
    return {url if uri.lower().startswith(_LINKS) else file_id: uri}


def data_uri(part: Media) -> str:
    """Inline media as a data URI."""
    return f"data:{part.mime or ''};base64,{part.data or ''}"


def annotations_of(part: Mapping[str, Any]) -> list[Any]:
    """The annotations of an output text; [] where there are none."""
    return array_at(part.get("annotations") or [], ".annotations")
