"""usage of a Messages answer <-> disjoint usage (mapping.md 7.2).

Anthropic counts apart what was read from a cache, written to one, and neither; thoughts are inside the output. Its counts
are those of the answer: a pass that compacted the conversation before, and what an advisor was asked, stand in `iterations`
alone. The first is at the model's own price and counted in, the second at another model's, and only how often is counted.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from portico.core.usage import MODALITIES, MOST, Tokens, Usage, split, total
from portico.dialects.anthropic_messages.words import ADVISOR, USES

_TIERS: Final = {"standard": "default", "priority": "priority", "batch": "batch"}
TIER_WORDS: Final = {"default": "standard", "priority": "priority", "batch": "batch"}


def parse_usage(wire: Any) -> Usage | None:
    """Anthropic's usage object as disjoint buckets; None where there is none."""
    if not isinstance(wire, Mapping) or not (_COUNTED & wire.keys()):
        return None
    passes = [wire, *_passes(wire, "compaction")]
    written = _sum(passes, "cache_creation_input_tokens")
    hour = _sum([one.get("cache_creation") for one in passes], "ephemeral_1h_input_tokens")
    hour = min(hour, written) if written else hour
    output = _sum(passes, "output_tokens")
    details = wire.get("output_tokens_details")
    thought = min(_count(details, "thinking_tokens"), output)
    more = wire.get(DETAILS)
    more = more if isinstance(more, Mapping) else {}
    tool = split(_count(more, "tool_use_tokens"), _by(more, "tool_use"))
    return Usage(
        input_uncached=split(max(0, _sum(passes, "input_tokens") - total(tool)), _by(more, "input")),
        input_cache_read=split(_sum(passes, "cache_read_input_tokens"), _by(more, "cache_read")),
        input_cache_write=split(max(0, written - hour), _by(more, "cache_write")),
        input_cache_write_1h=split(hour, _by(more, "cache_write_1h")),
        input_tool=tool,
        output_visible=split(output - thought, _by(more, "output")),
        output_reasoning=split(thought, _by(more, "thinking")),
    )


def _passes(wire: Mapping[str, Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """The passes of a kind that an answer took."""
    found = wire.get("iterations")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping) and one.get("type") == kind:
            yield one


def _by(more: Mapping[str, Any], bucket: str) -> Tokens:
    """How many tokens of a bucket are of which modality; {}: all are text."""
    found = more.get(bucket)
    return {name: n for name in MODALITIES if (n := _count(found, name))}


def uses_of(wire: Any) -> dict[str, int]:
    """Tools that Anthropic ran, and how often."""
    if not isinstance(wire, Mapping):
        return {}
    uses = {use: n for name, use in USES.items() if (n := _count(wire.get("server_tool_use"), name))}
    if advised := sum(1 for _ in _passes(wire, "advisor_message")):
        uses[ADVISOR] = advised
    return uses


def tier_of(wire: Any) -> str | None:
    """The service tier that answered, by its neutral name; `fast` is a speed at Anthropic, with prices of its own."""
    if not isinstance(wire, Mapping):
        return None
    if wire.get("speed") == "fast":
        return "fast"
    word = wire.get("service_tier")
    return _TIERS.get(word) if isinstance(word, str) else None


def render_usage(usage: Usage | None, uses: Mapping[str, int], tier: str | None) -> dict[str, Any]:
    """Disjoint buckets as Anthropic counts them. What tools brought in is input like any other."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    hour, minutes = total(usage.input_cache_write_1h), total(usage.input_cache_write)
    rendered: dict[str, Any] = {
        "input_tokens": total(usage.input_uncached) + total(usage.input_tool),
        "cache_creation_input_tokens": minutes + hour,
        "cache_read_input_tokens": total(usage.input_cache_read),
        "output_tokens": usage.output_total,
    }
    if hour or minutes:
        rendered["cache_creation"] = {"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour}
    if thought := total(usage.output_reasoning):
        rendered["output_tokens_details"] = {"thinking_tokens": thought}
    if more := _more(usage):
        rendered[DETAILS] = more
    counts = {name: uses.get(use, 0) for name, use in USES.items()}
    if any(counts.values()):
        rendered["server_tool_use"] = counts  # all of them: Anthropic's type leaves none out
    if tier in TIER_WORDS:
        rendered["service_tier"] = TIER_WORDS[tier]
    return rendered


DETAILS: Final = "token_details"
"""What Anthropic's usage has no counts for: modalities other than text, and tokens that tools brought in. An extension,
told only where there are such."""


def _more(usage: Usage) -> dict[str, Any]:
    buckets = {
        "input": usage.input_uncached,
        "cache_read": usage.input_cache_read,
        "cache_write": usage.input_cache_write,
        "cache_write_1h": usage.input_cache_write_1h,
        "tool_use": usage.input_tool,
        "output": usage.output_visible,
        "thinking": usage.output_reasoning,
    }
    more: dict[str, Any] = {name: dict(counts) for name, counts in buckets.items() if counts.keys() - {"text"}}
    if usage.input_tool:
        more["tool_use_tokens"] = total(usage.input_tool)
    return more


_COUNTED: Final = frozenset({"input_tokens", "output_tokens"})


def _sum(passes: Iterable[Any], name: str) -> int:
    return min(sum([_count(one, name) for one in passes]), MOST)


def _count(fields: Any, name: str) -> int:
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return int(min(max(0, value), MOST)) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0
