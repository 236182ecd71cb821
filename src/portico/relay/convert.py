"""Media that a provider does not take become what it does, before a request is rendered (mapping.md 1.4, 1.5).

    GIF, BMP                -> PNG, of the first frame
    SVG, JSON, YAML, code … -> a text part, the file's name on its first line
    raw PCM                 -> WAV
    text in another charset -> UTF-8

Renderers stay without loss: they say what they are given. Pure and synchronous; serving runs what takes time in a thread
(`relay/media.py`), `portico translate` in place. Inline data is decoded only where it must be: whether it is base64 at all
is otherwise the provider's to find.
"""

import base64
import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from portico.core.audio import WAV_MIME, decoded, is_raw, shape_of, wav_of
from portico.core.errors import InvalidRequest, RequestTooLarge
from portico.core.loss import Loss
from portico.core.mime import by_magic, head_of, settled_mime
from portico.core.parts import Media, Part, Text, ToolResult
from portico.core.request import Message, PlainMessages, Request
from portico.providers.intake import MIB, Intake

PICTURES: Final = frozenset({"image/gif", "image/bmp"})
"""Types that can be made a PNG (`relay/pictures.py`)."""
SVG: Final = "image/svg+xml"
_CHARSET: Final = re.compile(
    r"utf-?(8|16|32)([lb]e)?|(us-)?ascii|iso-?8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|gbk|gb2312|gb18030|big5"
    r"|shift_jis|sjis|euc-(jp|kr)|koi8-[ru]"
)
"""Charsets a caller may name; Python knows stranger ones."""
_BOMS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))

Told: TypeAlias = list[str]
Step: TypeAlias = Callable[[Media, str, Told], "Text | Media"]
"""Makes a part of one type into something a provider takes; what that costs is added to the list."""


class Converted(msgspec.Struct, frozen=True):
    """A request whose inline media a provider takes, and what of them it does not show."""

    request: Request
    losses: list[Loss] = []


def converted(request: Request, intakes: Sequence[Intake]) -> Converted:
    """The request with media that every one of these providers takes.

    Raises `InvalidRequest` with the path of the message for a file that cannot be converted, and for one that is named by
    an address nobody here can resolve; `RequestTooLarge` for more inline data than they take together.
    """
    if not intakes or not holds_media(request):
        return Converted(request)
    losses: list[Loss] = []
    messages = []
    for message in request.messages:
        path = request.where.at_message(message.at)
        told: Told = []
        try:
            messages.append(_message(message, intakes, told))
        except InvalidRequest as error:
            raise error.under(path) from None
        losses += [Loss("1.5:frames", path, text) for text in told]
    if any(new is not old for new, old in zip(messages, request.messages, strict=True)):
        request = msgspec.structs.replace(request, messages=tuple(messages))
    refuse_too_much(request, sum(len(part.data or "") for part in media_of(request)), intakes)
    return Converted(request, losses)


def takes_time(request: Request, intakes: Sequence[Intake]) -> bool:
    """Whether converting the request needs more than a look at it."""
    return any(part.data is not None and _step(part, intakes)[0] is not None for part in media_of(request))


def holds_media(request: Request) -> bool:
    """Whether there is any media part. Most requests have none."""
    if type(request.messages) is PlainMessages:
        return False
    for message in request.messages:
        for part in message.parts:
            if type(part) is Media:
                return True
            if type(part) is ToolResult:
                for item in part.parts:
                    if type(item) is Media:
                        return True
    return False


def media_of(request: Request) -> Iterator[Media]:
    """Every media part of a request, those of tool results too."""
    for message in request.messages:
        for part in message.parts:
            for item in part.parts if isinstance(part, ToolResult) else (part,):
                if isinstance(item, Media):
                    yield item


def refuse_too_much(request: Request, size_bytes: int, intakes: Sequence[Intake]) -> None:
    """Raises `RequestTooLarge` for so much base64 (mapping.md 1.5, last row)."""
    most = min([intake.max_inline_bytes for intake in intakes], default=size_bytes)
    if size_bytes > most:
        message = (
            f"The files of this request are {size_bytes / MIB:.1f} MiB inline; the provider takes {most / MIB:g} MiB."
        )
        raise RequestTooLarge(message, param=request.where.field("messages"))


# -- parts -----------------------------------------------------------------------------------------------------------


def _message(message: Message, intakes: Sequence[Intake], told: Told) -> Message:
    parts = [_part(part, intakes, told) for part in message.parts]
    if all(new is old for new, old in zip(parts, message.parts, strict=True)):
        return message
    return msgspec.structs.replace(message, parts=tuple(parts))


def _part(part: Part, intakes: Sequence[Intake], told: Told) -> Part:
    if isinstance(part, Media):
        return _media(part, intakes, told)
    if isinstance(part, ToolResult) and any(isinstance(item, Media) for item in part.parts):
        return _result(part, intakes, told)
    return part


def _result(result: ToolResult, intakes: Sequence[Intake], told: Told) -> ToolResult:
    """A result whose files fit. A file that becomes text is text of the result, apart from what stands before it."""
    parts: list[Text | Media] = []
    grown = False
    for item in result.parts:
        new = _media(item, intakes, told) if isinstance(item, Media) else item
        if isinstance(new, Text) and new is not item:
            grown = True
            if any(isinstance(part, Text) and part.text for part in parts):
                new = Text(f"\n\n{new.text}")
        parts.append(new)
    if all(new is old for new, old in zip(parts, result.parts, strict=True)):
        return result
    return msgspec.structs.replace(result, parts=tuple(parts), structured=result.structured and not grown)


def _media(part: Media, intakes: Sequence[Intake], told: Told) -> Text | Media:
    if part.data is None:
        _refuse_unknown_address(part, intakes)
        return part
    step, mime = _step(part, intakes)
    if step is None:
        part = part if mime == part.mime else msgspec.structs.replace(part, mime=mime)
        _refuse_large_picture(part, intakes)
        return part
    made = step(part, mime or "", told)
    if isinstance(made, Media):
        _refuse_large_picture(made, intakes)
    return made


def _refuse_large_picture(part: Media, intakes: Sequence[Intake]) -> None:
    """Raises `InvalidRequest` for a picture that some provider takes only if it is smaller."""
    limits = [intake.max_picture_bytes for intake in intakes if intake.max_picture_bytes is not None]
    size = len(part.data or "")
    if limits and size > min(limits) and (part.mime or "").startswith("image/"):
        raise InvalidRequest(
            f"{_called(part, part.mime or '')} is {size / MIB:.1f} MiB as base64; the model's provider takes pictures of"
            f" {min(limits) / MIB:g} MiB."
        )


def _refuse_unknown_address(part: Media, intakes: Sequence[Intake]) -> None:
    address = part.uri or ""
    if address[:8].lower().startswith(("http://", "https://")) or all(
        intake.knows(address, part.mime) for intake in intakes
    ):
        return
    shown = address if len(address) <= 60 else address[:60] + "…"
    raise InvalidRequest(
        f"{shown!r} is no file that this model's provider knows. Send the file itself (a data URI, or file_data), or an "
        "http(s) address."
    )


def _step(part: Media, intakes: Sequence[Intake]) -> tuple[Step | None, str | None]:
    """What must be done with inline data, and its type; None for what goes as it is."""
    mime = settled_mime(part.mime, name=part.name, data=part.data)
    if part.signature is not None:  # a model's own work: it goes back as it came
        return None, part.mime
    if mime is None:
        return _as_text, None
    plain, _, parameters = mime.partition(";")
    plain = plain.strip().lower()
    if plain.startswith("image/") and plain != SVG:
        plain = _true_picture(plain, part, intakes)
    if is_raw(mime) and (plain != "audio/pcm" or parameters):
        return _as_wav, mime
    if all(intake.takes(plain) for intake in intakes):
        if plain.startswith("text/") and _names_other_charset(parameters):
            return _as_utf8, mime
        return None, plain
    return (_as_png, plain) if plain in PICTURES else (_as_text, mime)


def _true_picture(plain: str, part: Media, intakes: Sequence[Intake]) -> str:
    """The type of a picture; what its first bytes show counts where the provider takes only one of the two."""
    shown = by_magic(head_of(part.data or ""))
    if shown is None or not shown.startswith("image/") or shown == plain:
        return plain
    takes = [all(intake.takes(mime) for intake in intakes) for mime in (plain, shown)]
    return shown if takes[0] != takes[1] else plain


# -- steps -----------------------------------------------------------------------------------------------------------


def _as_wav(part: Media, mime: str, told: Told) -> Media:
    del told
    return _inline(part, WAV_MIME, wav_of(_bytes(part, mime), shape_of(mime)))


def _as_text(part: Media, mime: str, told: Told) -> Text:
    """A file as the text it is, under its name."""
    del told
    text = _text(_bytes(part, mime), mime)
    if text is None:
        if not mime:
            message = f"The type of {_called(part, mime)} cannot be told: declare it in a data URI, or give a filename."
            raise InvalidRequest(message)
        raise InvalidRequest(f"The model's provider does not take {_called(part, mime)}, and it is not text.")
    return Text(f"{part.name}\n{text}" if part.name else text, ext=part.ext)


def _as_utf8(part: Media, mime: str, told: Told) -> Media:
    """A document in the only charset that providers read."""
    del told
    text = _text(_bytes(part, mime), mime)
    if text is None:
        raise InvalidRequest(f"{_called(part, mime)} is not in the charset that it declares.")
    return _inline(part, mime.partition(";")[0], text.encode())


def _as_png(part: Media, mime: str, told: Told) -> Media:
    """The first frame of a picture as a PNG."""
    from portico.relay.pictures import as_png  # noqa: PLC0415 -- a tenth of the start, and few callers send such pictures

    png, animated = as_png(_bytes(part, mime), mime, _called(part, mime))
    if animated:
        told.append(f"of {_called(part, mime)} the model sees the first frame")
    return _inline(part, "image/png", png)


def _inline(part: Media, mime: str, raw: bytes) -> Media:
    return msgspec.structs.replace(part, mime=mime, data=base64.b64encode(raw).decode("ascii"))


def _bytes(part: Media, mime: str) -> bytes:
    try:
        return decoded(part.data or "")
    except ValueError as error:
        raise InvalidRequest(f"{_called(part, mime)} cannot be decoded: {error}.") from None


def _called(part: Media, mime: str) -> str:
    name = f"'{part.name[:60]}'" if part.name else "the file"
    return f"{name} ({mime})" if mime else name


def _text(raw: bytes, mime: str) -> str | None:
    """The text that bytes are, in the charset they declare, or show, else UTF-8; None if they are none."""
    charset = _charset(mime.partition(";")[2])
    charset = next((name for mark, name in _BOMS if raw.startswith(mark)), charset)
    try:
        text = raw.decode(charset)
    except UnicodeError:
        return None
    return None if "\0" in text else text


def _names_other_charset(parameters: str) -> bool:
    return _charset(parameters) not in ("utf-8", "utf8", "ascii", "us-ascii")


def _charset(parameters: str) -> str:
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.partition("=")
        value = value.strip().strip("\"'")
        if name.strip() == "charset" and _CHARSET.fullmatch(value) and _is_known(value):
            return value
    return "utf-8"


def _is_known(charset: str) -> bool:
    try:
        codecs.lookup(charset)
    except LookupError:
        return False
    return True
