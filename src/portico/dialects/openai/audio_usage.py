"""Counts of OpenAI's audio operations <-> disjoint usage (mapping.md 5.3, 5.4)."""

import math
from collections.abc import Mapping
from typing import Any, Final

from portico.core.usage import MODALITIES, MOST, Usage, plus, split

SECONDS: Final = "seconds"
CHARACTERS: Final = "characters"


def render_tokens(usage: Usage | None) -> dict[str, Any]:
    """Counts as OpenAI tells them of a transcript: `{type: tokens, input_tokens, input_token_details, …}`."""
    usage = usage or Usage()
    heard = plus(usage.input_uncached, plus(usage.input_cache_read, usage.input_cache_write))
    return {
        "type": "tokens",
        "input_tokens": usage.input_total,
        "input_token_details": {f"{name}_tokens": heard.get(name, 0) for name in ("audio", "text")},
        "output_tokens": usage.output_total,
        "total_tokens": usage.input_total + usage.output_total,
    }


def parse_tokens(wire: Any, *, takes: str, makes: str) -> Usage | None:
    """Counts as disjoint buckets, what is made being of one modality, and what is taken where no details say otherwise.
    None where there are no counts."""
    if not isinstance(wire, Mapping) or wire.get("type", "tokens") != "tokens" or wire.get("input_tokens") is None:
        return None
    details = wire.get("input_token_details")
    listed = {}
    if isinstance(details, Mapping):
        listed = {name: count for name in MODALITIES if (count := _count(details, f"{name}_tokens"))}
    made = _count(wire, "output_tokens")
    taken = _count(wire, "input_tokens")
    heard = split(taken, listed) if listed or not taken else {takes: taken}
    return Usage(input_uncached=heard, output_visible={makes: made} if made else {})


def parse_seconds(wire: Any) -> int | None:
    """Seconds of sound that were counted instead of tokens; None where they were not."""
    if isinstance(wire, Mapping) and wire.get("type") == "duration":
        return _count(wire, SECONDS)
    return None


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return math.ceil(min(max(0, value), MOST))
