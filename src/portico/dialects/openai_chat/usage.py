"""usage of a Chat answer <-> disjoint usage (mapping.md 2.9).

OpenAI counts cached tokens inside prompt_tokens and reasoning inside completion_tokens. Where Chat has no field
(modalities of cached tokens, tool-use prompts) an extension beside the standard ones carries the count, so that nothing
is lost.
"""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Reply
from portico.core.usage import MODALITIES, Tokens, Usage, minus, split, take, total
from portico.dialects.openai.counts import by_modality, count
from portico.dialects.openai_chat.extra_content import ext_of, extra_content, read_google


def render_usage(usage: Usage) -> dict[str, Any]:
    """Disjoint buckets as OpenAI counts them; prompt + completion is always the total."""
    if (plain := _plain(usage)) is not None:
        return plain
    prompt = _sum(usage.input_uncached, usage.input_cache_read, usage.input_cache_write, usage.input_cache_write_1h)
    prompt_tokens, completion_tokens = usage.input_total, usage.output_total
    prompt_details: dict[str, Any] = {"cached_tokens": total(usage.input_cache_read), "audio_tokens": 0}
    prompt_details.update(_by_modality(prompt))
    if set(usage.input_cache_read) - {"text"}:
        prompt_details["cached_tokens_details"] = _by_modality(usage.input_cache_read)
    if usage.input_cache_write or usage.input_cache_write_1h:
        prompt_details["cache_write_tokens"] = total(usage.input_cache_write) + total(usage.input_cache_write_1h)
    if usage.input_cache_write_1h:
        prompt_details["cache_write_1h_tokens"] = total(usage.input_cache_write_1h)
    completion_details: dict[str, Any] = {
        "reasoning_tokens": total(usage.output_reasoning),
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    completion_details.update(_by_modality(usage.output_visible))
    rendered: dict[str, Any] = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": completion_details,
    }
    if usage.input_tool:
        rendered["tool_use_prompt_tokens"] = total(usage.input_tool)
        if set(usage.input_tool) - {"text"}:
            rendered["tool_use_prompt_tokens_details"] = _by_modality(usage.input_tool)
    rendered.update(extra_content(None, usage.ext))
    return rendered


def _plain(usage: Usage) -> dict[str, Any] | None:
    """The counts of text alone, fresh and answered, which is what most answers report; None for any other."""
    if usage.input_cache_read or usage.input_cache_write or usage.input_cache_write_1h or usage.input_tool or usage.ext:
        return None
    if not (usage.input_uncached.keys() <= _TEXT and usage.output_visible.keys() <= _TEXT):
        return None
    prompt, visible = usage.input_uncached.get("text", 0), usage.output_visible.get("text", 0)
    reasoning = total(usage.output_reasoning) if usage.output_reasoning else 0
    prompt_details = {"cached_tokens": 0, "audio_tokens": 0}
    if prompt:
        prompt_details["text_tokens"] = prompt
    completion_details = {
        "reasoning_tokens": reasoning,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    if visible:
        completion_details["text_tokens"] = visible
    return {
        "prompt_tokens": prompt,
        "completion_tokens": visible + reasoning,
        "total_tokens": prompt + visible + reasoning,
        "prompt_tokens_details": prompt_details,
        "completion_tokens_details": completion_details,
    }


def costing(reply: Reply) -> dict[str, Any]:
    """`cost`, in dollars as OpenRouter tells it, if the caller is to be told."""
    return {} if reply.cost is None else {"cost": reply.cost() / NANOS}


NANOS: Final = 1_000_000_000


def searched(count: int) -> dict[str, Any]:
    """How often the web was searched, an extension of usage: searches have a price of their own (mapping.md 6.2). Google
    tells what it searched for, others how often they did."""
    return {"server_tool_use": {"web_search_requests": count}} if count else {}


_TEXT: Final = frozenset({"text"})


def _by_modality(tokens: Tokens) -> dict[str, int]:
    """`{text_tokens, image_tokens, …}`."""
    if tokens.keys() == _TEXT:
        return {"text_tokens": tokens["text"]} if tokens["text"] else {}
    return {f"{name}_tokens": tokens[name] for name in MODALITIES if tokens.get(name)}


def _sum(*buckets: Tokens) -> Tokens:
    held = [bucket for bucket in buckets if bucket]
    if len(held) == 1:
        return held[0]
    return {name: n for name in MODALITIES if (n := sum(bucket.get(name, 0) for bucket in buckets))}


def usage_in(body: Mapping[str, Any]) -> Any:
    """Where an answer or a chunk tells its counts; None where it does not. Groq's streams have a member of their own."""
    usage = body.get("usage")
    if usage is None and isinstance(groq := body.get("x_groq"), Mapping):
        usage = groq.get("usage")
    return usage


def uses_in(wire: Any, *, searched: bool = False) -> dict[str, int]:
    """How often the provider searched the web for an answer: as its counts say (OpenRouter's and our own
    `server_tool_use`, Perplexity's `num_search_queries`), else once if the answer cites a page."""
    fields: Mapping[str, Any] = wire if isinstance(wire, Mapping) else {}
    tools = fields.get("server_tool_use")
    queries = count(tools, "web_search_requests") if isinstance(tools, Mapping) else 0
    queries = queries or count(fields, "num_search_queries") or int(searched)
    return {"web_search": queries} if queries else {}


def parse_usage(wire: Any) -> Usage | None:
    """OpenAI's usage object as disjoint buckets; None where there is none."""
    if not isinstance(wire, Mapping) or wire.get("prompt_tokens") is None:
        return None
    tool = split(count(wire, "tool_use_prompt_tokens"), by_modality(wire.get("tool_use_prompt_tokens_details")))
    prompt_details = wire.get("prompt_tokens_details") or {}
    completion_details = wire.get("completion_tokens_details") or {}
    prompt = split(max(0, count(wire, "prompt_tokens") - total(tool)), by_modality(prompt_details))
    cached_count = min(_cached(wire, prompt_details), total(prompt))
    cached: Tokens = {}
    if cached_count:
        details = by_modality(prompt_details.get("cached_tokens_details"))
        cached = split(cached_count, details) if details else take(prompt, cached_count)
    fresh = minus(prompt, cached) if cached else prompt
    hour = take(fresh, count(prompt_details, "cache_write_1h_tokens"))
    fresh = minus(fresh, hour) if hour else fresh
    written = take(fresh, count(prompt_details, "cache_write_tokens") - total(hour))
    completion = count(wire, "completion_tokens")
    reasoning = count(completion_details, "reasoning_tokens")
    if reasoning and count(wire, "total_tokens") == count(wire, "prompt_tokens") + completion + reasoning:
        completion += reasoning  # xAI counts them beside the others
    reasoning = min(reasoning, completion)
    return Usage(
        input_uncached=minus(fresh, written) if written else fresh,
        input_cache_read=cached,
        input_cache_write=written,
        input_cache_write_1h=hour,
        input_tool=tool,
        output_visible=split(completion - reasoning, by_modality(completion_details)),
        output_reasoning=split(reasoning, {}),
        ext=ext_of(read_google(wire)),
    )


def _cached(wire: Mapping[str, Any], details: Mapping[str, Any]) -> int:
    """Tokens read from a cache: where OpenAI counts them, else where DeepSeek and Moonshot do."""
    found = count(details, "cached_tokens")
    return found or count(wire, "prompt_cache_hit_tokens") or count(wire, "cached_tokens")
