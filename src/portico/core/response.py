"""An answer, whole. The same answer told as it happens is in `events.py`; `assembly.py` goes between the two."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from portico.core.parts import Ext, Part
from portico.core.usage import Usage


class FinishReason(StrEnum):
    """Why a candidate ended. The provider's own word travels beside it (`Finish.raw`)."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    """The model wrote something that cannot be delivered (a malformed call)."""
    OTHER = "other"


class Finish(msgspec.Struct, frozen=True):
    """How a candidate ended. `prompt_blocked`: the prompt was refused before anything was generated."""

    reason: FinishReason
    raw: str | None = None
    message: str | None = None
    prompt_blocked: bool = False


class Citation(msgspec.Struct, frozen=True):
    """Where a piece of the answer's text comes from.

    `start` and `end` count code points in the candidate's visible text (`text_of(parts)`), `end` exclusive.
    """

    start: int
    end: int
    url: str
    title: str | None = None


class TopLogprob(msgspec.Struct, frozen=True):
    """A token the model might have written at some place. `utf8` only where it is not the token's own UTF-8 (a token may be
    a piece of a character); `token_id` where the provider numbers its tokens."""

    token: str
    logprob: float
    token_id: int | None = None
    utf8: bytes | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token the model wrote, and the likeliest ones at its place."""

    chosen: TopLogprob
    top: tuple[TopLogprob, ...] = ()


class Candidate(msgspec.Struct, frozen=True):
    """One of the answers. `finish` is None when the provider never said; `searches` are the queries it put to the web."""

    index: int
    parts: tuple[Part, ...]
    finish: Finish | None
    ext: Ext = None
    citations: tuple[Citation, ...] = ()
    searches: tuple[str, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


class Response(msgspec.Struct, frozen=True):
    """A whole answer. `model` is the name the provider answered with; `usage` None means it reported none.

    `uses` are the tools of its own that the provider used, and how often, as far as it shows: what is billed beside tokens.
    `raw_usage` are the counts as it sent them, for receipts; a list where several calls were made.
    """

    id: str | None
    model: str | None
    candidates: tuple[Candidate, ...]
    usage: Usage | None = None
    created: int | None = None
    service_tier: str | None = None
    ext: Ext = None
    uses: Mapping[str, int] = {}
    raw_usage: Any = None
