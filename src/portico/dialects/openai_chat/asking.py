"""What of a Chat body decides its price, before it is sent (money.md, A call 1).

Read as plain JSON: its messages' parts, tools, limits and tier; no text and no media is looked into. What stands in a place
where it cannot mean anything is passed over: whoever serves such a body refuses it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from portico.core.ask import TOOL_NAMES, Ask, MediaCount, models_in
from portico.core.errors import BodyNotJson
from portico.wire import jsontext

_PRICED: Final = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "functions", "function_call", "parallel_tool_calls"),
        *("max_tokens", "max_completion_tokens", "n", "stop", "stream", "stream_options", "service_tier"),
        *(
            "temperature",
            "top_p",
            "top_k",
            "min_p",
            "top_a",
            "typical_p",
            "seed",
            "logprobs",
            "top_logprobs",
            "logit_bias",
        ),
        *("presence_penalty", "frequency_penalty", "repetition_penalty", "response_format", "structured_outputs"),
        *("reasoning_effort", "reasoning", "include_reasoning", "reasoning_format", "thinking", "enable_thinking"),
        *("verbosity", "modalities", "audio", "prediction", "web_search_options", "plugins", "usage"),
        *("user", "safety_identifier", "metadata", "store", "extra_body", "extra_headers", "extra_query", "timeout"),
        *("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "chat_template_kwargs", "safe_prompt"),
        *("max_tool_calls", "moderation", "ignore_eos", "min_tokens", "random_seed", "keep_alive", "options", "format"),
    }
)
"""Fields of which it is known what they cost."""
_OWN_TOOLS: Final = frozenset({"function", "custom", None})
_TYPES: Final = {
    **TOOL_NAMES,
    "web_search_preview": "web_search",
    "openrouter:web_search": "web_search",
    "browser_search": "web_search",
    "code_interpreter": "code_execution",
}
"""Types of tools that the provider runs -> the name their price has."""
_LINKS: Final = ("image_url", "video_url", "audio_url")
_ADDRESS: Final = ("http://", "https://", "gs://")
_MIME_OF: Final = {"image_url": "image/", "video_url": "video/", "audio_url": "audio/"}
MAX_CANDIDATES: Final = 128
"""OpenAI refuses more."""


def ask_of_body(body: bytes) -> Ask:
    """The sizes of a body that passes. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    return ask(_fields(value), len(body), passes=True)


def ask(body: Mapping[str, Any], body_bytes: int, *, passes: bool = False) -> Ask:
    """Of a body that takes so many bytes on the wire. `passes`: it is the caller's own, with whatever stands in it."""
    media = MediaCount()
    for message in _list(body.get("messages")):
        content = _fields(message).get("content")
        if isinstance(content, list):
            for part in content:
                _count(_fields(part), media)
    limit = _whole(body.get("max_completion_tokens"))
    return Ask(
        text_bytes=max(0, body_bytes - media.inline_bytes),
        media=media.counts,
        media_bytes=media.sizes,
        tools=frozenset(_tools(body)),
        max_output_tokens=_whole(body.get("max_tokens")) if limit is None else limit,
        candidates=min(max(1, _whole(body.get("n")) or 1), MAX_CANDIDATES),
        service_tier=tier if isinstance(tier := body.get("service_tier"), str) else None,
        own_tools=bool(body.get("tools") or body.get("functions")),
        long_cache=bool(body.get("prompt_cache_retention")),
        unknown=tuple(sorted([name for name in body.keys() - _PRICED if body[name] is not None])) if passes else (),
        models=models_in(body, _theirs(body)),
    )


def _count(part: Mapping[str, Any], media: MediaCount) -> None:
    for name in _LINKS:
        link = part.get(name)
        url = link.get("url") if isinstance(link, Mapping) else link
        if isinstance(url, str):
            _count_link(url, _MIME_OF[name], media)
    if isinstance(data := _fields(part.get("input_audio")).get("data"), str):
        _count_link(data, "audio/", media)
    file = _fields(part.get("file"))
    if isinstance(data := file.get("file_data"), str):
        _count_link(data, None, media)
    elif file.get("file_id") is not None or file.get("file_url") is not None:
        media.by_address()


def _count_link(link: str, mime: str | None, media: MediaCount) -> None:
    """An address, or data with or without saying what it is; what is said counts."""
    if link[:8].lower().startswith(_ADDRESS):
        media.by_address()
        return
    if link[:5].lower() == "data:":
        said = link[5:_LONGEST_TYPE].partition(",")[0].partition(";")[0].strip()
        mime = said or mime
    media.inline(mime, len(link))


_LONGEST_TYPE: Final = 128


def _tools(body: Mapping[str, Any]) -> Iterator[str]:
    if body.get("web_search_options") is not None:
        yield "web_search"
    for tool in _theirs(body):
        yield _TYPES.get(tool["type"], tool["type"])
    for plugin in _list(body.get("plugins")):  # OpenRouter's
        if _fields(plugin).get("id") == "web":
            yield "web_search"


def _theirs(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tools that the provider runs."""
    for tool in map(_fields, _list(body.get("tools"))):
        kind = tool.get("type")
        if isinstance(kind, str) and kind not in _OWN_TOOLS:
            yield tool


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < 2**63 else None
