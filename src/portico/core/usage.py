"""Usage: disjoint token counts, so that a price is a dot product.

No token is in two buckets. Every dialect settles its own habit of counting once (OpenAI's prompt tokens contain cached
ones, Anthropic's input tokens do not, Gemini's candidates exclude thoughts) when it reads a usage object. A provider that
reported nothing gave no `Usage` at all (None); a count of 0 is a report.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from portico.core.parts import Ext

Tokens: TypeAlias = Mapping[str, int]
"""Modality (`text`, `image`, `audio`, `video`, `document`) -> count. Zero entries are left out."""

NONE: Final[Tokens] = {}
MODALITIES: Final = ("text", "image", "audio", "video", "document")
MOST: Final = 2**31 - 1
"""What a count of a provider's is taken for at most (Google's are of 32 bits): sums of more are too long for the books."""


class Usage(msgspec.Struct, frozen=True):
    """Token counts of one answer, each by modality, no two overlapping."""

    input_uncached: Tokens = {}
    input_cache_read: Tokens = {}
    input_cache_write: Tokens = {}
    """Written to a cache that lasts minutes."""
    input_cache_write_1h: Tokens = {}
    """Written to one that lasts an hour, which has a price of its own (Anthropic's `ephemeral_1h_input_tokens`)."""
    input_tool: Tokens = {}
    """Prompt tokens that server-side tools added."""
    output_visible: Tokens = {}
    output_reasoning: Tokens = {}
    ext: Ext = None

    @property
    def input_total(self) -> int:
        count = 0
        for tokens in (
            self.input_uncached,
            self.input_cache_read,
            self.input_cache_write,
            self.input_cache_write_1h,
            self.input_tool,
        ):
            if tokens:
                count += sum(tokens.values())
        return count

    @property
    def output_total(self) -> int:
        return total(self.output_visible) + total(self.output_reasoning)


def total(tokens: Tokens) -> int:
    """All modalities together."""
    return sum(tokens.values()) if tokens else 0


def added(a: Usage, b: Usage) -> Usage:
    """The counts of two answers together, bucket by bucket. Extras are no counts: of two, those of `a` stand."""
    buckets = [name for name in a.__struct_fields__ if name != "ext"]
    return Usage(**{name: plus(getattr(a, name), getattr(b, name)) for name in buckets}, ext=a.ext or b.ext)


def plus(tokens: Tokens, more: Tokens) -> Tokens:
    """Both, by modality."""
    if not (tokens and more):
        return tokens or more
    return {name: tokens.get(name, 0) + more.get(name, 0) for name in {**tokens, **more}}


def split(count: int, details: Tokens) -> Tokens:
    """`count` tokens by modality, trusting the count: what the details leave out is text, what they overstate is cut.

    Recorded details disagree with their count both ways (traffic.md 2: 196 of 257, and 155 of 33).
    """
    listed = total(details)
    if listed > count:
        return take(details, count)
    made = {modality: n for modality, n in details.items() if n}
    if listed < count:
        made["text"] = made.get("text", 0) + count - listed
    return made


def take(tokens: Tokens, count: int) -> Tokens:
    """At most `count` of these tokens, text first."""
    taken: dict[str, int] = {}
    for modality in sorted(tokens, key=lambda name: name != "text"):
        part = min(tokens[modality], count)
        if part > 0:
            taken[modality] = part
            count -= part
    return taken


def minus(tokens: Tokens, less: Tokens) -> Tokens:
    """`tokens` without `less`. Where one modality does not hold enough, the rest is taken from the others."""
    left = dict(tokens)
    owed = 0
    for modality, count in less.items():
        have = left.get(modality, 0)
        left[modality] = max(0, have - count)
        owed += max(0, count - have)
    for modality in list(left):
        part = min(left[modality], owed)
        left[modality] -= part
        owed -= part
    return {modality: count for modality, count in left.items() if count}
