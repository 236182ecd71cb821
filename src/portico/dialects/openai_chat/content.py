"""Content parts of Chat messages <-> neutral parts (mapping.md 1.4).

An `image_url` may carry anything: clients send PDFs, audio and video as data URIs this way. Data is never decoded here.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from portico.core.errors import InvalidRequest
from portico.core.parts import Media, Part, Reasoning, Text
from portico.dialects.openai_chat.checks import array_at, object_at, string_at, wrong_type
from portico.dialects.openai_chat.extra_content import ext_of, extra_content, read_google, read_signature

_DATA_URI: Final = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_WHITESPACE: Final = re.compile(r"\s+")
AUDIO_MIMES: Final[Mapping[str, str]] = {"wav": "audio/wav", "mp3": "audio/mp3"}
_DETAILS: Final = ("low", "high", "auto", "original", "medium", "ultra_high")


def parse_content(content: Any, path: str = ".content") -> list[Part]:
    """A message's content, string or parts, as neutral parts in order."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)]
    if isinstance(content, dict):  # one part without its list: accepted leniently
        content = [content]
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of parts", content)
    parts: list[Part] = []
    for i, item in enumerate(content):
        try:
            parts.append(Text(item) if isinstance(item, str) else _parse_part(object_at(item, "")))
        except InvalidRequest as error:
            raise error.under(f"{path}[{i}]") from None
    return parts


def _parse_part(part: Mapping[str, Any]) -> Part:
    kind = part.get("type")
    if kind is None:
        kind = next((name for name in _PARSERS if name in part), None)
    parser = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parser is None:
        raise InvalidRequest(f"Unknown content part type {kind!r}; known are {', '.join(_PARSERS)}.", param=".type")
    return parser(part)


def _text(part: Mapping[str, Any]) -> Part:
    text = string_at(part.get("text"), ".text")
    if "extra_content" not in part:
        return Text(text)
    google = read_google(part)
    kind = Reasoning if google.get("thought") else Text
    return kind(text, read_signature(part), ext_of(google, "thought", "thought_signature"))


def _refusal(part: Mapping[str, Any]) -> Part:
    return Text(string_at(part.get("refusal"), ".refusal"))


def _image(part: Mapping[str, Any]) -> Part:
    return _linked(part, "image_url", None)


def _video(part: Mapping[str, Any]) -> Part:
    return _linked(part, "video_url", "video/mp4")


def _audio_link(part: Mapping[str, Any]) -> Part:
    return _linked(part, "audio_url", None)


def _linked(part: Mapping[str, Any], member: str, mime: str | None) -> Part:
    """`image_url` and its kin: an object with `url`, or the URL itself."""
    value = part.get(member)
    fields: Mapping[str, Any] = {"url": value} if isinstance(value, str) else object_at(value, f".{member}")
    url = string_at(fields.get("url"), f".{member}.url")
    detail = fields.get("detail", part.get("detail"))
    if detail is not None and detail not in _DETAILS:
        raise InvalidRequest(f"Invalid detail {detail!r}; known are low, high and auto.", param=f".{member}.detail")
    media = media_from_url(url, f".{member}.url", _declared(fields, f".{member}") or mime)
    return _with_extras(media, part, detail=detail, name=fields.get("filename"))


def media_from_url(url: str, path: str, mime: str | None = None) -> Media:
    """A data URI as inline media, any other address as a link. Raises `InvalidRequest` for a broken data URI."""
    if not url:
        raise InvalidRequest("The URL is empty.", param=path)
    if url[:5].lower() != "data:":
        return Media(mime=mime, uri=url)
    head = _DATA_URI.match(url)
    if head is None:
        raise InvalidRequest("The data URI has no comma.", param=path)
    declared = head.group(1).strip().lower() or mime
    parameters = head.group(2).lower()
    data = url[head.end() :]
    if "base64" in [parameter.strip() for parameter in parameters.split(";")]:
        if "%" in data:
            data = unquote_to_bytes(data).decode("ascii", "replace")
        return Media(mime=declared, data=_WHITESPACE.sub("", data) if _WHITESPACE.search(data) else data)
    decoded = unquote_to_bytes(data)
    return Media(mime=declared or "text/plain", data=base64.b64encode(decoded).decode())


def _audio(part: Mapping[str, Any]) -> Part:
    audio = object_at(part.get("input_audio"), ".input_audio")
    data = string_at(audio.get("data"), ".input_audio.data")
    format_ = string_at(audio.get("format"), ".input_audio.format").lower()
    if data[:5].lower() == "data:":
        return _with_extras(media_from_url(data, ".input_audio.data", AUDIO_MIMES.get(format_)), part)
    return _with_extras(Media(mime=AUDIO_MIMES.get(format_, f"audio/{format_}"), data=data), part)


def _file(part: Mapping[str, Any]) -> Part:
    nested = part.get("file")
    fields = object_at(nested, ".file") if nested is not None else part
    at = ".file" if nested is not None else ""
    name = fields.get("filename")
    mime = _declared(fields, at)
    data = fields.get("file_data")
    if data is not None:
        text = string_at(data, f"{at}.file_data")
        media = media_from_url(text, f"{at}.file_data", mime) if text[:5].lower() == "data:" else Media(mime, data=text)
        return _with_extras(media, part, name=name)
    link = fields.get("file_id") or fields.get("file_url")
    if link is None:
        raise InvalidRequest("A file part needs file_data or file_id.", param=at or ".file")
    return _with_extras(Media(mime, uri=string_at(link, f"{at}.file_id")), part, name=name)


def _declared(fields: Mapping[str, Any], at: str) -> str | None:
    """The type a part declares in a field of its own, as several clients do."""
    for key in ("mime_type", "format"):
        if fields.get(key) is not None:
            return string_at(fields[key], f"{at}.{key}")
    return None


def _with_extras(media: Media, part: Mapping[str, Any], *, detail: str | None = None, name: Any = None) -> Media:
    google = read_google(part)
    name = name if isinstance(name, str) else google.get("display_name")
    return Media(
        mime=media.mime,
        data=media.data,
        uri=media.uri,
        name=name if isinstance(name, str) else None,
        detail=detail if isinstance(detail, str) else google.get("detail"),
        thought=bool(google.get("thought")),
        signature=read_signature(part),
        ext=ext_of(google, "thought_signature", "thought", "display_name", "detail"),
    )


_PARSERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Part]]] = {
    "text": _text,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
    "video_url": _video,
    "refusal": _refusal,
    "input_text": _text,
    "output_text": _text,
    "input_image": _image,
    "input_file": _file,
    "audio_url": _audio_link,
}


# -- the other way ---------------------------------------------------------------------------------------------------


def render_content(parts: list[Text | Media]) -> str | list[dict[str, Any]]:
    """A message's content: a string where that says it all, else a list of parts."""
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].signature is None and not parts[0].ext:
        return parts[0].text
    return [render_part(part) for part in parts]


def render_part(part: Text | Media) -> dict[str, Any]:
    """One content part. What Chat has no field for travels in `extra_content`."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text, **extra_content(part.signature, part.ext)}
    if part.mime is not None and part.data is not None and not part.mime.startswith(("image/", "video/", "audio/")):
        file = {"filename": part.name} if part.name else {}
        file["file_data"] = data_uri(part)
        more = _more(part)
        more.pop("display_name", None)
        return {"type": "file", "file": file, **extra_content(part.signature, part.ext, more)}
    link: dict[str, Any] = {"url": data_uri(part)}
    if part.uri is not None and part.mime is not None:
        link["mime_type"] = part.mime
    if part.detail in _DETAILS:
        link["detail"] = part.detail
    return {"type": "image_url", "image_url": link, **extra_content(part.signature, part.ext, _more(part))}


def _more(part: Media) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if part.name:
        more["display_name"] = part.name
    if part.thought:
        more["thought"] = True
    return more


def data_uri(part: Media) -> str:
    """Where a media part is: its address, or itself as a data URI."""
    return part.uri if part.uri is not None else f"data:{part.mime or ''};base64,{part.data or ''}"


def parse_list(value: Any, path: str) -> list[Any]:
    return [] if value is None else array_at(value, path)
