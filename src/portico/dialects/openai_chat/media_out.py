"""Images, files and speech of an answer, in the forms that Chat clients read, and back again (mapping.md 1.2, 2.8).

- `markdown` (the default): an image is `![image](data:…)` inside the content, which every client prints; any other file
  is a link;
- `images`: `message.images` beside the text;
- `parts`: content is a list of parts; a stream tells an image as a delta whose content is a list.

The next request brings all of them back: an image must not be read as megabytes of text.
"""

import base64
import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from portico.core.audio import WAV_MIME, Base64Joiner, decoded, is_raw, pcm_of, shape_of, wav_of
from portico.core.mime import EXTENSIONS
from portico.core.parts import Media, Part, Text
from portico.dialects.openai_chat.content import data_uri
from portico.dialects.openai_chat.extra_content import extra_content

AUDIO_LIFE_S: Final = 3600
AROUND: Final = "\n\n"
"""What stands before and behind an image in the content."""

DATA_LINK: Final = "](data:"
"""Without it a text has no media in it."""
_TARGET: Final = re.compile(
    r"\((data:(?P<mime>(?:[\w.+-]{1,100}/[\w.+-]{1,100})?(?:;(?!base64)[^;,()\s]{1,100}){0,6});base64,"
    r"(?P<data>[A-Za-z0-9+/=_-]+))\)"
)
_MAX_LABEL: Final = 200
_NOT_IN_LABEL: Final = re.compile(r"[\[\]()\s]+")
_NAMES: Final = {mime: f"file.{extension}" for extension, mime in reversed([*EXTENSIONS.items()])}


def is_audio(part: Media) -> bool:
    return bool(part.mime and part.mime.startswith("audio/") and part.data is not None)


# -- markdown ----------------------------------------------------------------------------------------------------------


def markdown(part: Media) -> str:
    """An image as markdown on lines of its own, any other file as a link."""
    address = data_uri(part).replace(" ", "") if part.data is not None else _escaped(part.uri or "")
    if part.mime is None or part.mime.startswith("image/"):
        return f"{AROUND}![image]({address}){AROUND}"
    name = part.name or _NAMES.get(part.mime.partition(";")[0], "file")
    return f"{AROUND}[{_NOT_IN_LABEL.sub('_', name)[:_MAX_LABEL]}]({address}){AROUND}"


def _escaped(address: str) -> str:
    return address.replace("(", "%28").replace(")", "%29").replace(" ", "%20")


def pieces(text: str, most: int) -> Iterable[str]:
    """A text in pieces of at most so many characters, for clients whose lines have a limit; 0: in one."""
    return (text[at : at + most] for at in range(0, len(text), most)) if most else (text,)


def without_markdown_media(parts: Iterable[Part]) -> list[Part]:
    """The parts of an assistant's content with the data that stands in its text as media again."""
    split: list[Part] = []
    for part in parts:
        if isinstance(part, Text) and part.signature is None and not part.ext and DATA_LINK in part.text:
            split += split_markdown(part.text)
        else:
            split.append(part)
    return split


def split_markdown(text: str) -> list[Part]:
    """A text as what stands around the data in it, and that data, in order.

    The empty lines that `markdown` puts around are taken off, so that the text is the model's own again; a client that
    trims has taken off those at the edges itself.
    """
    split: list[Part] = []
    start = at = 0
    while (at := text.find(DATA_LINK, at)) >= 0:
        label = text.rfind("[", max(start, at - _MAX_LABEL - 1), at)
        target = _TARGET.match(text, at + 1) if label >= 0 else None
        at += 1
        if target is None:
            continue
        begin = label - 1 if label > start and text[label - 1] == "!" else label
        before = text[start:begin].removesuffix(AROUND)
        if before:
            split.append(Text(before))
        split.append(Media(target["mime"] or None, data=target["data"]))
        start = at = target.end() + len(AROUND) * text.startswith(AROUND, target.end())
    if start < len(text) or not split:
        split.append(Text(text[start:]))
    return split


# -- images ------------------------------------------------------------------------------------------------------------


def image_entry(part: Media, index: int) -> dict[str, Any]:
    """One entry of `images`; extras and a signature of bearable size ride in `extra_content`."""
    more: dict[str, Any] = {"display_name": part.name} if part.name else {}
    link: dict[str, Any] = {"url": data_uri(part)}
    if part.uri is not None and part.mime is not None:
        link["mime_type"] = part.mime
    return {
        "type": "image_url",
        "image_url": link,
        "index": index,
        **extra_content(part.signature, part.ext, more),
    }


# -- speech ------------------------------------------------------------------------------------------------------------


def continues(spoken: Sequence[Media], part: Media) -> bool:
    """Whether a piece of audio goes on where the ones before it ended; the first always may."""
    return not spoken or (is_raw(part.mime) and part.mime == spoken[-1].mime and part.signature is None)


def audio_entry(spoken: Sequence[Media], answer_id: str, created: int, format_: str | None) -> dict[str, Any]:
    """`message.audio` in the format that was asked for (`wav`, `pcm16`; None: as it came); `mime_type` says which."""
    first = spoken[0]
    mime, data = first.mime or "", first.data or ""
    if len(spoken) > 1 or format_ is not None:
        with contextlib.suppress(ValueError):  # what is no base64 is told as it came
            mime, data = _formatted(spoken, mime, format_)
    return {
        "id": audio_id(answer_id),
        "data": data,
        "expires_at": created + AUDIO_LIFE_S,
        "transcript": "",
        "mime_type": mime,
        **extra_content(first.signature, first.ext),
    }


def audio_id(answer_id: str) -> str:
    return f"audio_{answer_id}"


def _formatted(spoken: Sequence[Media], mime: str, format_: str | None) -> tuple[str, str]:
    raw = b"".join([decoded(part.data or "") for part in spoken])
    if format_ == "wav" and is_raw(mime):
        raw, mime = wav_of(raw, shape_of(mime)), WAV_MIME
    elif format_ == "pcm16" and mime == WAV_MIME:
        raw, mime = pcm_of(raw), "audio/pcm"
    return mime, base64.b64encode(raw).decode("ascii")


class SpeechDeltas:
    """`delta.audio` of one choice: raw samples as they come, their id first and when they expire last."""

    __slots__ = ("_expires_at", "_id", "_joiner")

    def __init__(self, answer_id: str, created: int) -> None:
        self._id: str | None = audio_id(answer_id)
        self._expires_at = created + AUDIO_LIFE_S
        self._joiner = Base64Joiner()

    def feed(self, part: Media) -> list[dict[str, Any]]:
        try:
            data = self._joiner.feed(pcm_of(decoded(part.data or "")))
        except ValueError:
            data = part.data or ""
        return self._told(data)

    def close(self) -> list[dict[str, Any]]:
        return [*self._told(self._joiner.close()), {"transcript": ""}, {"expires_at": self._expires_at}]

    def _told(self, data: str) -> list[dict[str, Any]]:
        if not data:
            return []
        told: dict[str, Any] = {"data": data}
        if self._id is not None:
            told, self._id = {"id": self._id, **told}, None
        return [told]
