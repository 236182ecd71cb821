"""An answer with pictures, told as the Images API tells it, whole or in events (mapping.md 5.2).

What is told of a picture is what it is: its size and format are read from its bytes, not from the request; only the quality
is the caller's word. Drafts of the model's are no pictures. Counts are told once: in a stream with the picture that they
brought, as far as anybody knows.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from portico.core.dialect import Rendered, Reply, StreamWriter
from portico.core.errors import UpstreamContentRefused, UpstreamEmpty, UpstreamError
from portico.core.events import CandidateFinished, Event, Failed, PartDelta, PartEnded, PartStarted, UsageReported
from portico.core.loss import Loss
from portico.core.parts import Media, Part, Text, text_of
from portico.core.pictures import size_of_base64
from portico.core.response import FinishReason, Response
from portico.core.usage import Usage, plus, total
from portico.dialects.openai.errors import NATIVE
from portico.dialects.openai.operation import error_frame
from portico.wire import jsontext
from portico.wire.sse import Frame

BLOCKED: Final = {"type": "image_generation_user_error", "code": "moderation_blocked"}
"""As OpenAI says that a picture is not painted."""
_LONGEST_WORDS: Final = 300
_TEXT_LOST: Final = Loss("5.2:text", "$", "the model wrote something beside its pictures, for which there is no place")


# -- what an answer is for -------------------------------------------------------------------------------------------


def pictures_of(parts: Iterable[Part]) -> list[Media]:
    """The pictures of an answer, without drafts."""
    return [part for part in parts if isinstance(part, Media) and is_picture(part)]


def is_picture(part: Part) -> bool:
    return isinstance(part, Media) and not part.thought and part.data is not None and _mime(part).startswith("image/")


def holds_picture(response: Response) -> bool:
    return any(is_picture(part) for candidate in response.candidates for part in candidate.parts)


def lacking(response: Response) -> UpstreamError:
    """Why there is no picture: the rules that forbid it, else what the model said instead."""
    for candidate in response.candidates:
        finish = candidate.finish
        if finish is not None and finish.reason is FinishReason.CONTENT_FILTER:
            said = f" {finish.message}" if finish.message else ""
            reason = f" ({finish.raw})" if finish.raw else ""
            refused = UpstreamContentRefused(
                f"The request was rejected by the provider's safety system{reason}.{said}", reason=finish.raw
            )
            refused.native = {NATIVE: BLOCKED}
            return refused
    words = " ".join([text_of(candidate.parts) for candidate in response.candidates]).strip()
    if words:
        return UpstreamEmpty(f"The model made no picture. It said: {words[:_LONGEST_WORDS]}")
    raw = next((one.finish.raw for one in response.candidates if one.finish is not None and one.finish.raw), None)
    return UpstreamEmpty(f"The model made no picture{f' ({raw})' if raw else ''}.", reason=raw)


# -- whole -----------------------------------------------------------------------------------------------------------


def render_response(response: Response, reply: Reply) -> Rendered:
    """`{created, data, …}`. What holds for all pictures stands beside them."""
    found = [part for candidate in response.candidates for part in pictures_of(candidate.parts)]
    as_url = reply.echo.get("response_format") == "url"
    body: dict[str, Any] = {
        "created": reply.created,
        "data": [{"url": _data_uri(one)} if as_url else {"b64_json": one.data} for one in found],
        "background": "opaque",
    }
    if len(formats := {_format(one) for one in found}) == 1:
        body["output_format"] = formats.pop()
    if (quality := reply.echo.get("quality", "auto")) not in ("auto", "standard", "hd"):
        body["quality"] = quality
    if len(sizes := {_size(one) for one in found}) == 1:
        body["size"] = sizes.pop()
    if response.usage is not None:
        body["usage"] = render_usage(response.usage)
    worded = any(text_of(candidate.parts).strip() for candidate in response.candidates)
    return Rendered(body, [_TEXT_LOST] if worded else [])


def render_usage(usage: Usage) -> dict[str, Any]:
    """Counts by modality. OpenAI's callers know two: what is neither text nor a picture counts as text."""
    taken: Mapping[str, int] = {}
    for bucket in (
        usage.input_uncached,
        usage.input_cache_read,
        usage.input_cache_write,
        usage.input_cache_write_1h,
        usage.input_tool,
    ):
        taken = plus(taken, bucket)
    made = plus(usage.output_visible, usage.output_reasoning)
    return {
        "input_tokens": total(taken),
        "output_tokens": total(made),
        "total_tokens": total(taken) + total(made),
        "input_tokens_details": _details(taken),
        "output_tokens_details": _details(made),
    }


def _details(tokens: Mapping[str, int]) -> dict[str, int]:
    painted = tokens.get("image", 0)
    return {"image_tokens": painted, "text_tokens": total(tokens) - painted}


def _mime(part: Media) -> str:
    return (part.mime or "").partition(";")[0].strip().lower()


def _format(part: Media) -> str:
    return _mime(part).removeprefix("image/")


def _size(part: Media) -> str:
    found = size_of_base64(part.data or "")
    return "auto" if found is None else f"{found[0]}x{found[1]}"


def _data_uri(part: Media) -> str:
    return f"data:{_mime(part)};base64,{part.data}"


# -- streamed --------------------------------------------------------------------------------------------------------


class PictureWriter(StreamWriter):
    """Events -> one event of a given type for each picture, once the answer that it belongs to is complete."""

    def __init__(self, kind: str, reply: Reply) -> None:
        self.losses: list[Loss] = []
        self._kind = kind
        self._reply = reply
        self._open: dict[tuple[int, int], tuple[Media, list[str]]] = {}
        self._done: dict[int, list[Media]] = {}
        self._used: Usage | None = None
        self._told: dict[str, Any] = {}
        """The counts that were told so far."""

    def feed(self, event: Event) -> list[Frame]:
        match event:
            case PartStarted(candidate, index, Media() as part):
                self._open[candidate, index] = (part, [part.data or ""])
            case PartStarted(_, _, Text(text)) if text.strip():
                self._lose_text()
            case PartDelta(candidate, index, text):
                if (begun := self._open.get((candidate, index))) is not None:
                    begun[1].append(text)
            case PartEnded(candidate, index):
                self._end(candidate, index)
            case UsageReported(usage):
                self._used = usage
            case CandidateFinished(candidate):
                return [self._event(one) for one in self._done.pop(candidate, ())]
            case Failed(error):
                return [error_frame(error)]
            case _:
                pass
        return []

    def close(self) -> list[Frame]:
        return []

    def _lose_text(self) -> None:
        if _TEXT_LOST not in self.losses:
            self.losses.append(_TEXT_LOST)

    def _end(self, candidate: int, index: int) -> None:
        begun = self._open.pop((candidate, index), None)
        if begun is None:
            return
        whole = Media(begun[0].mime, data="".join(begun[1]), thought=begun[0].thought)
        if is_picture(whole):
            self._done.setdefault(candidate, []).append(whole)

    def _event(self, picture: Media) -> Frame:
        quality = self._reply.echo.get("quality", "auto")
        told: dict[str, Any] = {
            "type": self._kind,
            "b64_json": picture.data,
            "background": "opaque",
            "created_at": self._reply.created,
            "output_format": _format(picture),
            "quality": {"standard": "auto", "hd": "high"}.get(quality, quality),
            "size": _size(picture),
        }
        if self._used is not None:
            so_far = render_usage(self._used)
            told["usage"] = _since(so_far, self._told)
            self._told = so_far
        return Frame(jsontext.encode(told), self._kind)


def _since(now: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of which some were told already."""
    return {
        name: _since(count, then.get(name, {})) if isinstance(count, Mapping) else max(0, count - then.get(name, 0))
        for name, count in now.items()
    }
