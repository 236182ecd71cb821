"""Content parts of Chat messages <-> neutral parts (mapping.md 1.4).

An `image_url` may carry anything: clients send PDFs, audio and video as data URIs this way. Data is never decoded here.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from portico.core.audio import RAW_MIME
from portico.core.errors import InvalidRequest
from portico.core.foreign import MARKS_ORIGIN
from portico.core.mime import by_extension, by_magic, head_of
from portico.core.parts import Media, Opaque, Part, Reasoning, Text, ToolResult
from portico.dialects.openai.checks import array_at, object_at, string_at, wrong_type
from portico.dialects.openai.cuts import CUT, with_cut
from portico.dialects.openai_chat.extra_content import (
    GOOGLE_EXT,
    ORIGIN,
    ext_of,
    extra_content,
    read_google,
    read_signature,
)
from portico.wire.names import camel

_DATA_URI: Final = re.compile(r'data:([^,;]*)((?:;(?>"[^"]{0,200}"|[^,;])*+)*+),', re.IGNORECASE)
"""A parameter's value may be quoted, commas and all."""
_TELLING: Final = ("charset=", "rate=", "channels=", "codec=")
_NO_DETAILS: Final[Mapping[str, Any]] = {}
_OFFSET: Final = re.compile(r"\d{1,9}(\.\d{1,9})?s")
MAX_OFFSET_S: Final = 10**9
MAX_FPS: Final = 24
_FETCHED: Final = ("http://", "https://", "gs://")
_MAX_INDENT: Final = 64
"""White space that is looked past for the beginning of a data URI."""
AUDIO_MIMES: Final[Mapping[str, str]] = {
    "pcm16": RAW_MIME,
    "pcm": RAW_MIME,
    "l16": RAW_MIME,
    "wave": "audio/wav",
    "aif": "audio/aiff",
    "oga": "audio/ogg",
}
"""Formats whose type is not `audio/` and their name. OpenAI's raw samples are 24 kHz mono."""
_DETAILS: Final = ("low", "high", "auto", "original", "medium", "ultra_high")


def parse_content(content: Any, path: str = ".content", *, answered: bool = False) -> list[Part]:
    """A message's content, string or parts, as neutral parts in order. `answered`: it is an answer's, whose parts of types
    that nobody here knows are kept whole; a caller is told of them."""
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
        if isinstance(item, Mapping) and item.get("type") == _SEALED:
            continue
        try:
            parts.append(Text(item) if isinstance(item, str) else _parse_part(object_at(item, ""), answered=answered))
        except InvalidRequest as error:
            raise error.under(f"{path}[{i}]") from None
    return parts


_SEALED: Final = "redacted_thinking"
"""What LangChain leaves in the content of a session that goes on from Anthropic's dialect: seals, which the vault has."""


def _parse_part(part: Mapping[str, Any], *, answered: bool = False) -> Part:
    kind = part.get("type")
    if kind is None:
        kind = next((name for name in _PARSERS if name in part), None)
    parser = _PARSERS.get(kind) if isinstance(kind, str) else None
    if parser is None and answered and isinstance(kind, str):
        return Opaque(ORIGIN, part)
    if parser is None:
        raise InvalidRequest(f"Unknown content part type {kind!r}; known are {', '.join(_PARSERS)}.", param=".type")
    made = parser(part)
    if CUT in part:
        made = with_cut(made, part)
    return marked(made, part["cache_control"]) if "cache_control" in part else made


def marked(part: Part, mark: Any) -> Part:
    """A part up to which the prompt may be cached: callers of Chat who know that they ask a Claude say so in its own words.
    What is no mark says nothing."""
    if not isinstance(part, (Text, Media, ToolResult)) or not isinstance(mark, Mapping):
        return part
    if mark.get("type") != "ephemeral" or mark.get("ttl") not in (None, "5m", "1h"):
        return part
    return msgspec.structs.replace(part, ext={**(part.ext or {}), MARKS_ORIGIN: {"cache_control": mark}})


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
    """`image_url` and its kin: an object with `url`, or the URL itself. `mime` is what data is that does not say."""
    value = part.get(member)
    if value is None and part.get("file_id") is not None:  # as the Responses API names a picture
        return _with_extras(Media(None, uri=string_at(part["file_id"], ".file_id")), part, _details(part, ""))
    fields: Mapping[str, Any] = {"url": value} if isinstance(value, str) else object_at(value, f".{member}")
    url = string_at(fields.get("url"), f".{member}.url")
    declared = _declared(fields, f".{member}")
    shown = by_magic(head_of(url.strip())) if member == "image_url" and ":" not in url[:_LONGEST_SCHEME] else None
    if shown is not None:  # the picture itself, as bare base64
        details = {**_details(part, ""), **_details(fields, f".{member}")}
        return _with_extras(Media(declared or shown, _unwrapped(url.strip())), part, details, fields.get("filename"))
    media = media_from_url(url, f".{member}.url", declared or mime)
    if media.uri is not None and declared is None:  # whoever fetches it sees what it is
        bucket = mime is not None and media.uri[:5].lower() == "gs://"
        media = Media(by_extension(media.uri) or mime if bucket else None, uri=media.uri)
    return _with_extras(media, part, {**_details(part, ""), **_details(fields, f".{member}")}, fields.get("filename"))


_LONGEST_SCHEME: Final = 16


def media_from_url(url: str, path: str, mime: str | None = None) -> Media:
    """A data URI as inline media, any other address as a link. Raises `InvalidRequest` for a broken data URI."""
    url = url.strip()
    if not url:
        raise InvalidRequest("The URL is empty.", param=path)
    if url[:5].lower() != "data:":
        return Media(mime=mime, uri=url)
    head = _DATA_URI.match(url)
    if head is None:
        raise InvalidRequest("The data URI has no comma.", param=path)
    parameters = [parameter.strip() for parameter in head.group(2).split(";")[1:]]
    declared = _typed(head.group(1).strip().lower(), parameters) or mime
    data = url[head.end() :]
    if any(parameter.lower() == "base64" for parameter in parameters):
        if "%" in data:
            data = unquote_to_bytes(data.encode("utf-8", "replace")).decode("ascii", "replace")
        return Media(mime=declared, data=_unwrapped(data))
    decoded = unquote_to_bytes(data.encode("utf-8", "replace"))
    return Media(mime=declared or "text/plain", data=base64.b64encode(decoded).decode())


def _is_data_uri(data: str) -> bool:
    """Whether what should be base64 is a data URI, maybe on a line of its own."""
    return data[:_MAX_INDENT].lstrip()[:5].lower() == "data:"


def _typed(plain: str, parameters: list[str]) -> str:
    """A type with those parameters that say how its data is to be read: the charset of a text, the rate of raw audio."""
    if not plain.startswith(("text/", "audio/")):
        return plain
    return ";".join([plain, *[one for one in parameters if one.lower().startswith(_TELLING)]])


def _unwrapped(data: str) -> str:
    """Base64 without white space; the four looks for it cost less than one for anything else in megabytes of data."""
    if " " in data or "\n" in data or "\r" in data or "\t" in data:
        return "".join(data.split())
    return data


def _audio(part: Mapping[str, Any]) -> Part:
    audio = object_at(part.get("input_audio"), ".input_audio")
    data = string_at(audio.get("data"), ".input_audio.data")
    format_ = audio.get("format")
    mime = None if format_ is None else audio_mime(string_at(format_, ".input_audio.format"))
    if _is_data_uri(data):
        return _with_extras(media_from_url(data, ".input_audio.data", mime), part)
    return _with_extras(Media(mime=mime, data=_unwrapped(data)), part)


def audio_mime(format_: str) -> str:
    """The type that a word for an audio format means; a type is one already."""
    word = format_.strip().lower()
    return AUDIO_MIMES.get(word) or (format_.strip() if "/" in word else f"audio/{word}")


def _file(part: Mapping[str, Any]) -> Part:
    nested = part.get("file")
    fields = object_at(nested, ".file") if nested is not None else part
    at = ".file" if nested is not None else ""
    name = fields.get("filename")
    mime = _declared(fields, at)
    details = {**_details(part, ""), **_details(fields, at)}
    data = fields.get("file_data")
    if data is not None:
        text = string_at(data, f"{at}.file_data")
        uri = _is_data_uri(text) or text[:8].lower().startswith(_FETCHED)  # OpenRouter takes an address here
        media = media_from_url(text, f"{at}.file_data", mime) if uri else Media(mime, data=_unwrapped(text))
        return _with_extras(media, part, details, name)
    for key in ("file_id", "file_url"):
        if fields.get(key):
            link = media_from_url(string_at(fields[key], f"{at}.{key}"), f"{at}.{key}", mime)
            return _with_extras(link, part, details, name)
    raise InvalidRequest("A file part needs file_data or file_id.", param=at or ".file")


def _declared(fields: Mapping[str, Any], at: str) -> str | None:
    """The type a part declares in a field of its own, as several clients do; a bare `pdf` is one too."""
    for key in ("mime_type", "format"):
        if fields.get(key) is not None:
            said = string_at(fields[key], f"{at}.{key}").strip()
            return said if "/" in said or not said else by_extension(f".{said}")
    return None


def _details(fields: Mapping[str, Any], at: str) -> dict[str, Any]:
    """How closely a file is to be looked at: `detail`, and Google's `video_metadata` (mapping.md 1.4)."""
    found: dict[str, Any] = {}
    if (detail := fields.get("detail")) is not None:
        if detail not in _DETAILS:
            raise InvalidRequest(f"Invalid detail {detail!r}; known are low, high and auto.", param=f"{at}.detail")
        found["detail"] = detail
    if (video := fields.get("video_metadata", fields.get("videoMetadata"))) is not None:
        found["video"] = _video_metadata(object_at(video, f"{at}.video_metadata"), f"{at}.video_metadata")
    return found


def _video_metadata(given: Mapping[str, Any], at: str) -> dict[str, Any]:
    """Google's videoMetadata: frames a second, and where to begin and end (`10s`, or a number of seconds)."""
    metadata: dict[str, Any] = {}
    for name, value in given.items():
        key = camel(name)
        if value is None:
            continue
        if key == "fps":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= MAX_FPS:
                raise InvalidRequest(f"fps is a number above 0, {MAX_FPS} at most.", param=f"{at}.{name}")
            metadata[key] = value
        elif key in ("startOffset", "endOffset"):
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < MAX_OFFSET_S
            text = f"{value:.9f}".rstrip("0").rstrip(".") + "s" if number else value
            if not isinstance(text, str) or not _OFFSET.fullmatch(text):
                raise InvalidRequest("An offset is a number of seconds, such as '10s'.", param=f"{at}.{name}")
            metadata[key] = text
        else:
            raise InvalidRequest(
                f"Unknown key {name!r}; known are fps, start_offset, end_offset.", param=f"{at}.{name}"
            )
    return metadata


def _with_extras(
    media: Media, part: Mapping[str, Any], details: Mapping[str, Any] = _NO_DETAILS, name: Any = None
) -> Media:
    google = read_google(part)
    name = name if isinstance(name, str) else google.get("display_name")
    ext = ext_of(google, "thought_signature", "thought", "display_name", "detail")
    if video := details.get("video"):
        ext = {GOOGLE_EXT: {**(ext or {}).get(GOOGLE_EXT, {}), "videoMetadata": video}}
    return Media(
        mime=media.mime,
        data=media.data,
        uri=media.uri,
        name=name if isinstance(name, str) and name else None,
        detail=details.get("detail") or google.get("detail"),
        thought=bool(google.get("thought")),
        signature=read_signature(part),
        ext=ext,
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
        if part.detail in _DETAILS:
            file["detail"] = part.detail
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
