"""Images between two ends that both speak this: the model's name is changed, and somebody watches what it costs.

What a picture costs is known before: so many tokens for its size and quality. The table is OpenAI's for GPT Image 1, whose
tokens go by the area; nobody publishes that of newer models, so that what is held is rather too much. The charge is by
what the answer reports.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.ask import Ask, MediaCount
from portico.core.dialect import LooksAtAll, Seen
from portico.core.digits import whole
from portico.core.errors import (
    BodyNotJson,
    UpstreamAuthFailed,
    UpstreamBadGateway,
    UpstreamEmpty,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamRefusedAccount,
)
from portico.core.usage import Usage, added, minus, split, take
from portico.dialects.openai import bodies
from portico.dialects.openai.counts import by_modality, count
from portico.dialects.openai.errors import parse_error_object, tells_error
from portico.dialects.openai.operation import error_frame
from portico.wire import jsontext, multipart
from portico.wire.sse import Frame

# -- what it may cost ------------------------------------------------------------------------------------------------

TOKENS_A_MEGAPIXEL: Final[Mapping[str, int]] = {"low": 272, "medium": 1056, "high": 4160}
"""Of output, for 1024x1024 (OpenAI's guide on image generation)."""
_MEGAPIXEL: Final = 1024 * 1024
_LARGEST_USUAL: Final = 1536 * 1024
"""What a size of `auto` is at most."""
PARTIAL_TOKENS: Final = 100
"""What each picture on the way costs, by the same guide."""
_PRICED: Final = frozenset(
    {
        *("model", "prompt", "n", "size", "quality", "response_format", "output_format", "output_compression"),
        *("background", "stream", "partial_images", "moderation", "style", "user", "safety_identifier"),
        *("input_fidelity", "image", "images", "mask"),
    }
)
"""Fields of which it is known what they change about the price."""
_PRICED_FORMATS: Final = frozenset({"png", "jpeg", "webp"})


def ask(body: bytes) -> Ask:
    """The sizes of a body. Raises `BodyNotJson`, and `InvalidRequest` for a form that cannot be read."""
    media = MediaCount()
    if multipart.is_multipart(body):
        fields, files_bytes = _of_form(body, media)
        text_bytes = len(body) - files_bytes
    else:
        try:
            value = jsontext.decode(body)
        except jsontext.NotJson as error:
            raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
        fields = value if isinstance(value, dict) else {}
        _count_named(fields, media)
        text_bytes = len(body) - media.inline_bytes
    partial = _number(fields.get("partial_images"), 3) or 0
    return Ask(
        text_bytes,
        media.counts,
        media.sizes,
        max_output_tokens=_picture_tokens(fields) + PARTIAL_TOKENS * partial,
        candidates=_number(fields.get("n"), 10) or 1,
        own_tools=False,
        unknown=_unknown(fields),
    )


def _of_form(body: bytes, media: MediaCount) -> tuple[dict[str, Any], int]:
    """The fields that are text, and how many bytes those take that are not."""
    found: dict[str, Any] = {}
    files_bytes = 0
    for field in bodies.fields_of(body):
        name = field.name.partition("[")[0]
        size = field.end - field.start
        if field.filename is None and name not in ("image", "mask"):
            found[name] = field.value(body).decode("utf-8", "replace")
            continue
        found[name] = None
        files_bytes += size
        media.inline("image/png", -(-size * 4 // 3))
    return found, files_bytes


def _count_named(fields: Mapping[str, Any], media: MediaCount) -> None:
    """The pictures of an edit in JSON. One by address is a picture like any other, whatever its bytes."""
    listed = fields.get("images")
    for one in [*(listed if isinstance(listed, list) else ()), fields.get("mask")]:
        if isinstance(one, dict):
            url = one.get("image_url")
            inline = isinstance(url, str) and url[:5].lower() == "data:"
            media.inline("image/png", len(url) if inline and isinstance(url, str) else 0)


def _picture_tokens(fields: Mapping[str, Any]) -> int:
    quality, size = fields.get("quality"), fields.get("size")
    word = quality if isinstance(quality, str) else "auto"
    if word in ("xhigh", "max"):
        return _UNLIMITED
    area = _LARGEST_USUAL
    if isinstance(size, str):
        width, _, height = size.partition("x")
        if (wide := whole(width, 5)) is not None and (high := whole(height, 5)) is not None:
            area = wide * high
    each = TOKENS_A_MEGAPIXEL.get(word, TOKENS_A_MEGAPIXEL["high"])
    return -(-each * area // _MEGAPIXEL)


_UNLIMITED: Final = 2**31
"""As many as the model makes at most."""


def _number(value: Any, most: int) -> int | None:
    if isinstance(value, str):
        value = whole(value, 9)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return max(0, min(value, most))


def _unknown(fields: Mapping[str, Any]) -> tuple[str, ...]:
    strange = [name for name in fields if name not in _PRICED]
    said = fields.get("output_format")
    if said is not None and str(said) not in _PRICED_FORMATS:  # drawings and films are billed otherwise
        strange.append("output_format")
    return tuple(strange)


# -- what it did cost ------------------------------------------------------------------------------------------------


class _Answer(msgspec.Struct):
    """What is looked at of an answer; its pictures are stepped over."""

    data: list[msgspec.Raw] | None = None
    model: Any = None
    usage: Any = None
    error: Any = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def see(body: bytes) -> Seen:
    """What a whole answer tells. Raises `UpstreamError` if it tells an error, or is no answer."""
    try:
        answer = _ANSWER.decode(body)
    except jsontext.NOT_DECODED:
        raise _no_answer(body) from None
    if answer.error is not None or answer.data is None:
        raise _no_answer(body)
    model = answer.model if isinstance(answer.model, str) else None
    usage, pictures = parse_usage(answer.usage), len(answer.data)
    raw_usage = None if usage is None else answer.usage
    return Seen(model, usage, raw_usage=raw_usage, empty=not pictures, pictures=pictures)


def _no_answer(body: bytes) -> UpstreamError:
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        return UpstreamBadGateway(f"The provider's answer is not JSON: {error}")
    if tells_error(value):
        return parse_error_object(value)
    return UpstreamBadGateway("The provider's answer holds no pictures.")


def parse_usage(wire: Any) -> Usage | None:
    """Counts as disjoint buckets; None for what are none. Output that no details speak of is pictures."""
    if not isinstance(wire, Mapping) or count(wire, "input_tokens") + count(wire, "output_tokens") == 0:
        return None
    taken = split(count(wire, "input_tokens"), by_modality(wire.get("input_tokens_details")))
    cached = _cached(wire.get("input_tokens_details"), taken)
    made, told = count(wire, "output_tokens"), by_modality(wire.get("output_tokens_details"))
    painted = split(made, told) if told else {"image": made} if made else {}
    return Usage(input_uncached=minus(taken, cached), input_cache_read=cached, output_visible=painted)


def _cached(details: Any, taken: Mapping[str, int]) -> Mapping[str, int]:
    """How much of the input came from a cache."""
    if not isinstance(details, Mapping) or not (cached := count(details, "cached_tokens")):
        return {}
    told = by_modality(details.get("cached_tokens_details"))
    return split(cached, told) if told else take(taken, cached)


class _Event(msgspec.Struct):
    """What is looked at of an event of a stream."""

    type: Any = None
    usage: Any = None
    error: Any = None


_EVENT: Final = msgspec.json.Decoder(_Event)


class PicturesWatch(LooksAtAll):
    """A stream while it passes. There may be several pictures in it, each with the counts of its own."""

    model: str | None = None

    def __init__(self, fresh_id: str) -> None:
        del fresh_id
        self.ended = False
        self._passed = False
        self._pictures = 0
        self._usage: Usage | None = None
        self._raw: list[Any] = []

    @property
    def counts(self) -> bool:
        return self._pictures > 0

    def feed(self, frame: Frame) -> list[Frame]:
        if self.ended:
            return []
        if frame.data.strip() == b"[DONE]":
            return [frame]
        try:
            event = _EVENT.decode(frame.data)
        except jsontext.NOT_DECODED as error:
            raise UpstreamBadGateway(f"The provider sent something that is no event: {error}") from None
        if event.type == "error" or event.error is not None:
            return [self._told(frame)]
        if isinstance(event.type, str) and event.type.endswith(".completed"):
            self._pictures += 1
            if (usage := parse_usage(event.usage)) is not None:
                self._usage = usage if self._usage is None else added(self._usage, usage)
                self._raw.append(event.usage)
        self._passed = True
        return [frame]

    def close(self) -> None:
        if self.ended:
            return
        self.ended = True
        if not self._pictures:
            raise UpstreamIncomplete if self._passed else UpstreamEmpty

    def seen(self) -> Seen:
        raw = self._raw[0] if len(self._raw) == 1 else self._raw or None
        return Seen(None, self._usage, raw_usage=raw, empty=not self._pictures, pictures=self._pictures)

    def _told(self, frame: Frame) -> Frame:
        """An error after something was passed goes as it came, unless it speaks of the operator's account."""
        value = jsontext.decode(frame.data)
        told = value["error"] if isinstance(value.get("error"), Mapping) else value
        error = parse_error_object({"error": told})
        if not self._passed:
            raise error
        self.ended = True
        return error_frame(error) if isinstance(error, (UpstreamAuthFailed, UpstreamRefusedAccount)) else frame
