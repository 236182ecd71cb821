"""usageMetadata <-> disjoint usage (mapping.md 2.9, traffic.md 2).

Google's counts: cached tokens are inside the prompt; thoughts and tool-use prompts are outside everything else; the
total is the sum of all four. A field absent beside a total is 0; without a total nothing was reported.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.digits import whole
from portico.core.usage import MODALITIES, MOST, NONE, Tokens, Usage, minus, split, take, total
from portico.dialects.gemini.parts import ORIGIN

WRITTEN: Final = "cacheWriteTokenCount"
WRITTEN_1H: Final = "cacheWriteHourTokenCount"
"""Tokens written to a cache, for minutes and for an hour: Google counts none. Extensions of ours, told only where there are
such, so that what another vendor counts is not lost; they are inside the prompt's count."""

_COUNTS: Final = frozenset(
    {
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "toolUsePromptTokenCount",
        "cachedContentTokenCount",
        "totalTokenCount",
        "promptTokensDetails",
        "candidatesTokensDetails",
        "cacheTokensDetails",
        "toolUsePromptTokensDetails",
        "serviceTier",
        WRITTEN,
        WRITTEN_1H,
    }
)
_WITH_INT_ENUMS: Final = {1: "text", 2: "image", 3: "video", 4: "audio", 5: "document"}
"""Modality as a number, for clients that asked for `enum-encoding=int` (traffic.md 3)."""


_TRAFFIC_TIERS: Final = {"ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}
"""Vertex AI has no `serviceTier`: it says what kind of traffic a call was."""

_PLAIN: Final = frozenset(
    {
        "promptTokenCount",
        "candidatesTokenCount",
        "thoughtsTokenCount",
        "totalTokenCount",
        "promptTokensDetails",
        "serviceTier",
    }
)


def _plain(metadata: Mapping[str, Any]) -> Usage | None:
    """What most answers report: text in and text out, nothing cached, no tools. None for anything else."""
    if not metadata.keys() <= _PLAIN:
        return None
    prompt, visible = metadata.get("promptTokenCount"), metadata.get("candidatesTokenCount", 0)
    thoughts, details = metadata.get("thoughtsTokenCount", 0), metadata.get("promptTokensDetails")
    if type(prompt) is not int or type(visible) is not int or type(thoughts) is not int:
        return None
    if not 0 < prompt <= MOST or not 0 <= visible <= MOST or not 0 <= thoughts <= MOST:
        return None
    if details is not None and (
        type(details) is not list
        or len(details) != 1
        or type(details[0]) is not dict
        or details[0].get("modality") != "TEXT"
    ):
        return None
    return Usage(
        input_uncached={"text": prompt},
        output_visible={"text": visible} if visible else NONE,
        output_reasoning={"text": thoughts} if thoughts else NONE,
    )


def parse_usage(metadata: Mapping[str, Any]) -> Usage | None:
    """Google's usageMetadata as disjoint buckets; None when it carries no total."""
    if metadata.get("totalTokenCount") is None:
        return None
    if (plain := _plain(metadata)) is not None:
        return plain
    prompt = _tokens(metadata, "promptTokenCount", "promptTokensDetails")
    cached_count = min(_count(metadata, "cachedContentTokenCount"), total(prompt))
    cached: Tokens = {}
    if cached_count:
        details = _details(metadata.get("cacheTokensDetails"))
        cached = split(cached_count, details) if details else take(prompt, cached_count)
    fresh = minus(prompt, cached) if cached else prompt
    hour = take(fresh, _count(metadata, WRITTEN_1H))
    fresh = minus(fresh, hour) if hour else fresh
    written = take(fresh, _count(metadata, WRITTEN))
    extras = {key: value for key, value in metadata.items() if key not in _COUNTS and value is not None}
    return Usage(
        input_uncached=minus(fresh, written) if written else fresh,
        input_cache_read=cached,
        input_cache_write=written,
        input_cache_write_1h=hour,
        input_tool=_tokens(metadata, "toolUsePromptTokenCount", "toolUsePromptTokensDetails"),
        output_visible=_tokens(metadata, "candidatesTokenCount", "candidatesTokensDetails"),
        output_reasoning=_tokens(metadata, "thoughtsTokenCount", None),
        ext={ORIGIN: extras} if extras else None,
    )


def service_tier(metadata: Mapping[str, Any]) -> str | None:
    """The tier that served the call, in OpenAI's word for it (1.16)."""
    tier = metadata.get("serviceTier")
    if not isinstance(tier, str):
        return _TRAFFIC_TIERS.get(traffic) if isinstance(traffic := metadata.get("trafficType"), str) else None
    return "default" if tier == "standard" else tier


def _tokens(metadata: Mapping[str, Any], name: str, details_name: str | None) -> Tokens:
    """A count by modality."""
    if name not in metadata and details_name not in metadata:
        return NONE
    count = _count(metadata, name)
    details = metadata.get(details_name) if details_name else None
    if details is None:
        return {"text": count} if count else NONE
    if count and isinstance(details, list) and len(details) == 1 and details[0].get("modality") == "TEXT":
        return {"text": count}  # nearly always, and at every event of a stream
    return split(count, _details(details))


def _count(metadata: Mapping[str, Any], name: str) -> int:
    return number(metadata.get(name))


def number(value: Any) -> int:
    """A count, which may be written as text."""
    if isinstance(value, str):
        value = whole(value, 19) or 0
    return int(min(max(0, value), MOST)) if isinstance(value, (int, float)) else 0


def _details(details: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for item in details or ():
        modality = item.get("modality")
        name = _WITH_INT_ENUMS.get(modality) if isinstance(modality, int) else str(modality or "text").lower()
        count = number(item.get("tokenCount"))
        if count > 0:
            name = name if name in MODALITIES else "text"
            counts[name] = counts.get(name, 0) + count
    return counts


def render_usage(usage: Usage, tier: str | None = None) -> dict[str, Any]:
    """Disjoint buckets as Google counts them. What is zero is left out, as Google does, but for prompt and total."""
    buckets = (usage.input_uncached, usage.input_cache_read, usage.input_cache_write, usage.input_cache_write_1h)
    prompt = {name: n for name in MODALITIES if (n := sum(bucket.get(name, 0) for bucket in buckets))}
    metadata: dict[str, Any] = {"promptTokenCount": total(prompt)}
    for name, tokens in (
        ("candidatesTokenCount", usage.output_visible),
        ("thoughtsTokenCount", usage.output_reasoning),
        ("toolUsePromptTokenCount", usage.input_tool),
        ("cachedContentTokenCount", usage.input_cache_read),
        (WRITTEN, usage.input_cache_write),
        (WRITTEN_1H, usage.input_cache_write_1h),
    ):
        if count := total(tokens):
            metadata[name] = count
    metadata["totalTokenCount"] = usage.input_total + usage.output_total
    for name, tokens in (
        ("promptTokensDetails", prompt),
        ("cacheTokensDetails", usage.input_cache_read),
        ("toolUsePromptTokensDetails", usage.input_tool),
    ):
        if tokens:
            metadata[name] = _rendered_details(tokens)
    if set(usage.output_visible) - {"text"}:
        metadata["candidatesTokensDetails"] = _rendered_details(usage.output_visible)
    if tier is not None:
        metadata["serviceTier"] = "standard" if tier == "default" else tier
    metadata.update((usage.ext or {}).get(ORIGIN, {}))
    return metadata


def _rendered_details(tokens: Tokens) -> list[dict[str, Any]]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in tokens.items()]
