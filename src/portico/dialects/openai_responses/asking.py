"""What of a Responses body decides its price, before it is sent (money.md, A call 1)."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec

from portico.core.ask import Ask, MediaCount, models_in
from portico.core.errors import BodyNotJson
from portico.dialects.openai_responses.reading import HOSTED_SHELL, in_container
from portico.wire import jsontext, raw

_FILES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "input_image": ("image/png", ("image_url", "file_id")),
    "input_audio": ("audio/wav", ("data",)),
    "input_file": ("application/pdf", ("file_data", "file_url", "file_id")),
}
"""Type of a content part -> what it is where nothing says so, and where its data or address stands."""
_TOOLS: Final[Mapping[str, str]] = {"web_search_preview": "web_search"}
"""OpenAI's words for its tools -> ours, as prices name them; the others keep theirs."""
_CALLERS: Final = frozenset({"function", "custom", "namespace", "tool_search"})
_BRINGING: Final = frozenset({"additional_tools", "tool_search_output"})
"""Items of tools that the model may use; the listing of an MCP server's is history."""
_KNOWN: Final = frozenset(
    {
        *("model", "input", "instructions", "tools", "tool_choice", "truncation", "parallel_tool_calls", "text"),
        *("temperature", "top_p", "top_logprobs", "reasoning", "max_output_tokens", "max_tool_calls", "store"),
        *("background", "service_tier", "metadata", "safety_identifier", "prompt_cache_key", "user", "include"),
        *(
            "prompt_cache_retention",
            "prompt_cache_options",
            "stream",
            "stream_options",
            "client_metadata",
            "moderation",
        ),
    }
)
"""Fields of which it is known what they cost: nothing that is not in the body."""


def ask(body: bytes) -> Ask:
    """The sizes of a body that passes. Raises `BodyNotJson`."""
    try:
        value = jsontext.decode(body)
    except jsontext.NotJson as error:
        raise BodyNotJson(f"The request body is not valid JSON: {error}") from None
    fields = value if isinstance(value, dict) else {}
    return ask_of_rendered(fields, len(body))


def ask_of_rendered(body: Mapping[str, Any], body_bytes: int) -> Ask:
    """Of a decoded body, which takes so many bytes on the wire."""
    media = MediaCount()
    for part in _parts(body.get("input")):
        _count(part, media)
    tools = [tool for tool in _declared(body) if isinstance(tool, Mapping)]
    theirs = [tool for tool in tools if str(tool.get("type")) not in _CALLERS]
    limit, tier = body.get("max_output_tokens"), body.get("service_tier")
    retention = body.get("prompt_cache_retention")
    return Ask(
        text_bytes=max(0, body_bytes - media.inline_bytes),
        media=media.counts,
        media_bytes=media.sizes,
        tools=frozenset([_tool(tool) for tool in theirs]),
        max_output_tokens=limit if isinstance(limit, int) and limit > 0 else None,
        service_tier=tier if isinstance(tier, str) else None,
        own_tools=len(theirs) < len(tools),
        long_cache=isinstance(retention, str) and retention not in ("in_memory", "in-memory"),
        unknown=tuple(sorted([name for name, said in body.items() if said is not None and name not in _KNOWN])),
        models=models_in(body, theirs),
    )


def without_tools(body: bytes, names: Collection[str]) -> bytes | None:
    """A body without these of OpenAI's tools; None where that would be another request (`core.dialect.Passing`)."""
    spans = raw.members(body)
    if "tools" not in spans or ("tool_choice" in spans and _chooses(body, spans["tool_choice"], names)):
        return None
    declared = body[spans["tools"].start : spans["tools"].end]
    kept, own = [], False
    for start, end in raw.items(declared):
        tool = jsontext.decode(declared[start:end])
        if isinstance(tool, Mapping) and str(tool.get("type")) in _CALLERS:
            own = True
        elif isinstance(tool, Mapping) and _tool(tool) in names:
            continue
        kept.append(msgspec.Raw(declared[start:end]))
    return raw.patch(body, {"tools": kept}) if own else None


def _chooses(body: bytes, span: raw.Span, names: Collection[str]) -> bool:
    """Whether a choice names one of these tools, itself or among those that are allowed."""
    choice = jsontext.decode(body[span.start : span.end])
    if not isinstance(choice, Mapping):
        return False
    allowed = choice.get("tools")
    chosen = [choice, *(allowed if isinstance(allowed, list) else ())]
    return any(isinstance(one, Mapping) and _tool(one) in names for one in chosen)


def _declared(body: Mapping[str, Any]) -> Iterator[Any]:
    """The tools of a body, and those that its items bring."""
    items = body.get("input")
    listed = items if isinstance(items, list) else ()
    for holder in (body, *[one for one in listed if isinstance(one, Mapping) and str(one.get("type")) in _BRINGING]):
        tools = holder.get("tools")
        yield from tools if isinstance(tools, list) else ()


def _tool(tool: Mapping[str, Any]) -> str:
    word = str(tool.get("type"))
    if word == "shell" and in_container(tool):
        return HOSTED_SHELL
    plain = word.partition("_20")[0]
    return _TOOLS.get(plain, plain)


def _parts(items: Any) -> Iterator[Mapping[str, Any]]:
    """The content parts of all items, and of the results of tools."""
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, Mapping):
            continue
        for content in (item.get("content"), item.get("output")):
            for part in content if isinstance(content, list) else ():
                if isinstance(part, Mapping):
                    yield part


def _count(part: Mapping[str, Any], media: MediaCount) -> None:
    kind, members = _FILES.get(str(part.get("type")), ("", ()))
    holder = part.get("input_audio", part)
    for member in members:
        value = holder.get(member) if isinstance(holder, Mapping) else None
        if not isinstance(value, str) or not value:
            continue
        if member == "data" or value[:5].lower() == "data:" or member == "file_data":
            declared = value[5:200].partition(";")[0].partition(",")[0] if value[:5].lower() == "data:" else kind
            media.inline(declared or kind, len(value))
        elif kind.startswith("image/"):
            media.counts["image"] = media.counts.get("image", 0) + 1
        else:
            media.by_address()
        return
