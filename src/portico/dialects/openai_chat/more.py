"""What nearly every chunk of a stream is, so that one typed look finds it. Whatever has anything else to read fails."""

from typing import Final

import msgspec


class Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What may stand in a delta that is but more of a text."""

    role: str | None = None
    refusal: None = None
    reasoning_content: None = None
    reasoning: None = None
    tool_calls: None = None
    function_call: None = None


class _MoreDelta(Delta, kw_only=True):
    content: str


class _MoreChoice(msgspec.Struct, gc=False):
    delta: _MoreDelta
    index: int = 0
    finish_reason: None = None
    logprobs: None = None


class More(msgspec.Struct, gc=False):
    """More of the text of one choice. What a reader reads of a chunk besides is not there."""

    choices: tuple[_MoreChoice]
    usage: None = None
    x_groq: None = None
    extra_content: None = None
    error: None = None


MORE: Final = msgspec.json.Decoder(More)
