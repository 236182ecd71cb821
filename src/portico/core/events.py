"""Stream events: a response, told as it happens.

Every reader emits, and every writer may rely on:

    Started (PartStarted | PartDelta | PartEnded | Annotated | UsageReported | CandidateFinished)* Finished

or `Failed` at any point, after which nothing comes. Every part event names its candidate and its part; parts may
interleave; each is started once and ended once. The part in `PartStarted` already holds what has come of it. A stream that
never said `Finished` is a failure, not a success.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from portico.core.errors import UpstreamError
from portico.core.parts import Ext, Part, Signature
from portico.core.response import Citation, Finish, TokenLogprob
from portico.core.usage import Usage


class Started(msgspec.Struct, frozen=True):
    """The provider has begun. `id` and `model` are its own; None when it did not say."""

    id: str | None = None
    model: str | None = None
    created: int | None = None


class PartStarted(msgspec.Struct, frozen=True):
    """A part begins with what is known of it; `PartDelta`s append to its text, arguments or data."""

    candidate: int
    index: int
    part: Part


class PartDelta(msgspec.Struct, frozen=True):
    """More text (Text, Reasoning), more argument text (ToolCall) or more base64 (Media)."""

    candidate: int
    index: int
    text: str


class PartEnded(msgspec.Struct, frozen=True):
    """Nothing more comes for this part. A signature that came last is told here."""

    candidate: int
    index: int
    signature: Signature | None = None


class Annotated(msgspec.Struct, frozen=True):
    """What is said of a candidate (its sources, ratings), or of the whole answer when `candidate` is None.

    Later values of one key of `ext` replace earlier ones, as do citations and searches that are told at all; logprobs are
    those of the tokens since the last ones.
    """

    candidate: int | None
    ext: Ext = None
    citations: tuple[Citation, ...] = ()
    searches: tuple[str, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


class UsageReported(msgspec.Struct, frozen=True):
    """Counts so far, cumulative; the last one reported counts (mapping.md 3.1). `uses` and `raw`: as in `Response`."""

    usage: Usage
    service_tier: str | None = None
    uses: Mapping[str, int] = {}
    raw: Any = None


class CandidateFinished(msgspec.Struct, frozen=True):
    """A candidate is complete."""

    candidate: int
    finish: Finish


class Finished(msgspec.Struct, frozen=True):
    """The answer is complete."""


class Failed(msgspec.Struct, frozen=True):
    """The answer broke off; what came so far is all there is."""

    error: UpstreamError


Event: TypeAlias = (
    Started | PartStarted | PartDelta | PartEnded | Annotated | UsageReported | CandidateFinished | Finished | Failed
)
