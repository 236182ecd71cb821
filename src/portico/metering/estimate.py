"""The published rule for a call of which the provider reported nothing (money.md, The disconnect contract).

    text that was delivered     one token for four bytes of UTF-8, rounded down
    pictures                    1,120 tokens each, the least that one is counted as (mapping.md 1.15)
    speech                      20 audio tokens a second of it, and a token in for four characters of the text
    a recording written down    10 audio tokens in for each second of it, beside the text that was delivered
    text that was embedded      one token for four characters, rounded down, of as much as the model reads: older models
                                report nothing (mapping.md 5.1)
    everything else             nothing: not the prompt, not hidden thoughts, not an error's text

A charge by this rule is at most the hold. It is never used beside a report of the same upstream call, were that of zero,
and the receipt of such a call says `estimated`.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from portico.catalog.books import Rates
from portico.core.usage import Usage, added
from portico.metering.charge import NOTHING, Charge, charge
from portico.metering.receipt import CAPPED, ESTIMATED

BYTES_A_TOKEN: Final = 4
CHARACTERS_A_TOKEN: Final = 4
SPOKEN_TOKENS_A_SECOND: Final = 20
"""A token for 50 ms of an answer and for 100 ms of a recording (OpenAI's guide on the cost of audio)."""
HEARD_TOKENS_A_SECOND: Final = 10
PICTURE_TOKENS: Final = 1_120
_NONE: Final = Usage()
_NO_USES: Final[Mapping[str, int]] = {}


class Delivered(msgspec.Struct, frozen=True):
    """What of an answer has gone to the caller."""

    text_bytes: int = 0
    """UTF-8 of visible text and of arguments of calls."""
    thought_bytes: int = 0
    """Of thoughts that were shown."""
    pictures: int = 0
    heard_s: float = 0.0
    """Seconds of a recording that was written down."""
    spoken_s: float = 0.0
    """Seconds of speech, made of so many `read_characters`."""
    read_characters: int = 0
    embedded_characters: int = 0
    """Of text whose embedding was delivered (`Ask.embedded_characters`)."""


class Estimate(msgspec.Struct, frozen=True):
    usage: Usage
    charge: Charge
    capped: bool = False
    """The rule said more than the hold."""

    @property
    def flags(self) -> list[str]:
        """What the receipt says of it."""
        return [ESTIMATED, CAPPED] if self.capped else [ESTIMATED]


def estimated_usage(delivered: Delivered) -> Usage:
    """The tokens that were delivered, by the rule."""
    text, thoughts = delivered.text_bytes // BYTES_A_TOKEN, delivered.thought_bytes // BYTES_A_TOKEN
    visible = {"text": text} if text else {}
    if delivered.pictures:
        visible["image"] = delivered.pictures * PICTURE_TOKENS
    if spoken := int(delivered.spoken_s * SPOKEN_TOKENS_A_SECOND):
        visible["audio"] = spoken
    read = (delivered.embedded_characters + delivered.read_characters) // CHARACTERS_A_TOKEN
    heard = int(delivered.heard_s * HEARD_TOKENS_A_SECOND)
    return Usage(
        input_uncached={name: count for name, count in (("text", read), ("audio", heard)) if count},
        output_visible=visible,
        output_reasoning={"text": thoughts} if thoughts else {},
    )


def estimate(
    delivered: Delivered,
    rates: Rates,
    *,
    hold_nanos: int | None,
    beside: Usage = _NONE,
    uses: Mapping[str, int] = _NO_USES,
    prompts: int = 1,
) -> Estimate:
    """What was delivered and what it costs, with what other upstream calls of the same answer reported `beside` it and
    their `uses`, of so many `prompts`. `hold_nanos`: None where nothing was held, so that nothing caps it."""
    usage = added(beside, estimated_usage(delivered))
    if usage == _NONE:
        return Estimate(usage, NOTHING)
    made = charge(usage, uses, rates, prompts=prompts)
    if hold_nanos is None or made.nanos <= hold_nanos:
        return Estimate(usage, made)
    return Estimate(usage, msgspec.structs.replace(made, nanos=hold_nanos), capped=True)
