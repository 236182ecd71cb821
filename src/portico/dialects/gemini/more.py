"""What nearly every frame of a stream of Google's is, so that one typed look finds it. Whatever has anything else fails."""

from typing import Final

import msgspec


class _MorePart(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str
    thought: bool = False


class _MoreContent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    parts: tuple[_MorePart]
    role: str = ""


class _MoreCandidate(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: _MoreContent
    index: int = 0
    finish: str | None = msgspec.field(name="finishReason", default=None)


class _MoreCounts(msgspec.Struct, gc=False):
    total: int | None = msgspec.field(name="totalTokenCount", default=None)


class More(msgspec.Struct, forbid_unknown_fields=True, gc=False, rename="camel"):
    """More of one text, and the counts so far."""

    candidates: tuple[_MoreCandidate]
    usage: _MoreCounts | None = msgspec.field(name="usageMetadata", default=None)
    model_version: str = ""
    response_id: str = ""


MORE: Final = msgspec.json.Decoder(More)
