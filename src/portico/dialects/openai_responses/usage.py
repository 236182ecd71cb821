"""usage of a Responses answer <-> disjoint usage (mapping.md 2.9, 7.2).

OpenAI counts cached tokens inside `input_tokens` and reasoning inside `output_tokens`. Where it has no field (modalities,
prompts of tools, caches that last an hour) an extension beside the standard ones carries the count, so nothing is lost.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.usage import MODALITIES, Tokens, Usage, minus, plus, split, take, total
from portico.dialects.openai.counts import by_modality, count

_TEXT: Final = frozenset({"text"})


def render_usage(usage: Usage) -> dict[str, Any]:
    """Disjoint buckets as OpenAI counts them; input + output is always the total."""
    cached, written = usage.input_cache_read, plus(usage.input_cache_write, usage.input_cache_write_1h)
    given = plus(plus(usage.input_uncached, cached), written)
    details: dict[str, Any] = {
        "cached_tokens": total(cached),
        "cache_write_tokens": total(written),
        **_by_modality(given),
    }
    if usage.input_cache_write_1h:
        details["cache_write_1h_tokens"] = total(usage.input_cache_write_1h)
    if set(cached) - _TEXT:
        details["cached_tokens_details"] = _by_modality(cached)
    rendered: dict[str, Any] = {
        "input_tokens": usage.input_total,
        "input_tokens_details": details,
        "output_tokens": usage.output_total,
        "output_tokens_details": {
            "reasoning_tokens": total(usage.output_reasoning),
            **_by_modality(usage.output_visible),
        },
        "total_tokens": usage.input_total + usage.output_total,
    }
    if usage.input_tool:
        rendered["tool_use_input_tokens"] = total(usage.input_tool)
        if set(usage.input_tool) - _TEXT:
            rendered["tool_use_input_tokens_details"] = _by_modality(usage.input_tool)
    if usage.ext:
        rendered["extra_content"] = usage.ext
    return rendered


def _by_modality(tokens: Tokens) -> dict[str, int]:
    """`{image_tokens, …}`, where there is more than text."""
    if set(tokens) <= _TEXT:
        return {}
    return {f"{name}_tokens": tokens[name] for name in MODALITIES if tokens.get(name)}


def parse_usage(wire: Any) -> Usage | None:
    """OpenAI's usage object as disjoint buckets; None where there is none."""
    if not isinstance(wire, Mapping) or wire.get("input_tokens") is None:
        return None
    tool = split(count(wire, "tool_use_input_tokens"), by_modality(wire.get("tool_use_input_tokens_details")))
    input_details, output_details = wire.get("input_tokens_details") or {}, wire.get("output_tokens_details") or {}
    given = split(max(0, count(wire, "input_tokens") - total(tool)), by_modality(input_details))
    cached_count = min(count(input_details, "cached_tokens"), total(given))
    cached_details = by_modality(input_details.get("cached_tokens_details"))
    cached = split(cached_count, cached_details) if cached_details else take(given, cached_count)
    fresh = minus(given, cached) if cached else given
    written_1h = take(fresh, count(input_details, "cache_write_1h_tokens"))
    fresh = minus(fresh, written_1h) if written_1h else fresh
    written = take(fresh, count(input_details, "cache_write_tokens") - total(written_1h))
    output = count(wire, "output_tokens")
    reasoning = min(count(output_details, "reasoning_tokens"), output)
    ext = wire.get("extra_content")
    return Usage(
        input_uncached=minus(fresh, written) if written else fresh,
        input_cache_read=cached,
        input_cache_write=written,
        input_cache_write_1h=written_1h,
        input_tool=tool,
        output_visible=split(output - reasoning, by_modality(output_details)),
        output_reasoning=split(reasoning, {}),
        ext=ext if isinstance(ext, dict) else None,
    )
