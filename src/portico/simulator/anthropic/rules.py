"""Rules between the fields of a request, and what each model takes of them."""

from collections.abc import Iterator

from portico.simulator.anthropic import conversation, schemas
from portico.simulator.anthropic.models import Model
from portico.simulator.anthropic.refusal import Refused, at
from portico.simulator.anthropic.seals import Seals
from portico.simulator.refusal import Json

_DOCS = "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


def check(body: Json, model: Model, sealer: Seals, *, lenient: bool) -> None:
    """Raises `Refused` for a request, of the right form, that Anthropic refuses."""
    most = body.get("max_tokens")
    if most is not None and most > model.output:
        told = "which is the maximum allowed number of output tokens for"
        raise at("max_tokens", f"{most} > {model.output}, {told} {body.get('model', model.name)}")
    thinks = _thinking(body, model)
    _sampling(body, model, thinks=thinks)
    _output(body, model)
    _tools(body, model, thinks=thinks)
    _texts(body)
    _caching(body)
    conversation.check(body, model, sealer, lenient=lenient)


def _thinking(body: Json, model: Model) -> str:
    """The kind of thinking that was asked for: "enabled", "adaptive" or ""."""
    asked = body.get("thinking")
    if asked is None:
        return ""
    kind = asked["type"]
    if kind not in model.thinking and not (kind == "disabled" and not model.thinking):
        if kind == "enabled" and model.thinking:
            raise Refused(
                '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
                '"output_config.effort" to control thinking behavior.'
            )
        if kind == "adaptive":
            raise Refused("adaptive thinking is not supported on this model")
        if kind == "enabled":
            raise Refused("thinking is not supported on this model")
        raise Refused(f'"thinking.type.{kind}" is not supported for this model.')
    if kind == "enabled":
        most = body.get("max_tokens")
        if most is not None and most <= asked["budget_tokens"]:
            raise Refused(
                f"`max_tokens` must be greater than `thinking.budget_tokens`. {_DOCS}#max-tokens-and-context-window-size"
            )
    effort = ["", *efforts(body)][-1]
    if kind in ("disabled", "between_tools") and model.thinks and effort in ("xhigh", "max"):
        raise Refused(f"thinking cannot be turned off at effort level '{effort}'.")
    return kind if kind in ("enabled", "adaptive") else ""


def efforts(body: Json) -> list[str]:
    """What is said of effort, by the request and by its messages; the last of it counts."""
    return [effort for one in (body, *body["messages"]) if (effort := conversation.effort_of(one))]


def _sampling(body: Json, model: Model, *, thinks: str) -> None:
    for name in ("temperature", "top_p", "top_k"):
        if body.get(name) is not None and not model.sampling:
            raise Refused(f"`{name}` is deprecated for this model.")
    temperature, top_p = body.get("temperature"), body.get("top_p")
    if temperature is not None and top_p is not None and not model.both:
        raise Refused("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    if not thinks:
        return
    mode = "is enabled" if thinks == "enabled" else "is enabled or in adaptive mode"
    if temperature not in (None, 1):
        raise Refused(f"`temperature` may only be set to 1 when thinking {mode}. {_DOCS}")
    if top_p is not None and top_p < 0.95:
        raise Refused(f"`top_p` must be greater than or equal to 0.95 or unset when thinking {mode}. {_DOCS}")
    if body.get("top_k") is not None:
        raise Refused(f"`top_k` must be unset when thinking {mode}. {_DOCS}")


def _output(body: Json, model: Model) -> None:
    config = body.get("output_config") or {}
    for effort in efforts(body):
        if not model.efforts:
            raise Refused("This model does not support the effort parameter.")
        if effort not in model.efforts:
            known = ", ".join(sorted(model.efforts))
            raise Refused(f"This model does not support effort level '{effort}'. Supported levels: {known}.")
    if not model.by_turn and any(conversation.effort_of(message) for message in body["messages"]):
        raise Refused("output_config.effort requires a model that supports per-turn effort; this model does not")
    older, newer = body.get("output_format"), config.get("format")
    if older and newer:
        raise Refused("output_format and output_config.format cannot both be specified. Use output_config.format.")
    chosen, path = (older, "output_format.schema") if older else (newer, "output_config.format.schema")
    if not chosen:
        return
    if not model.structured:
        raise Refused(f"'{body.get('model', model.name)}' does not support output format.")
    schemas.check_output(chosen["schema"], path)
    if any(_cites(block) for _, block in _everything(body)):
        raise Refused("Citations cannot be used together with an output format.")


def _cites(block: Json) -> bool:
    return block["type"] in ("document", "search_result") and bool((block.get("citations") or {}).get("enabled"))


def _tools(body: Json, model: Model, *, thinks: str) -> None:
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    schemas.check_tools(tools)
    if (any(tool.get("strict") for tool in tools)) and not model.structured:
        raise Refused(f"'{body.get('model', model.name)}' does not support strict tools.")
    names = [tool["name"] for tool in tools if "name" in tool]
    if len(set(names)) != len(names):
        raise at("tools", "Tool names must be unique.")
    if tools and all(tool.get("defer_loading") for tool in tools):
        raise at("tools", "At least one tool must have defer_loading=false.")
    for place, tool in enumerate(tools):
        if tool.get("defer_loading") and tool.get("cache_control"):
            raise at(f"tools.{place}", "Tools with defer_loading cannot use cache_control.")
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            raise at(f"tools.{place}.{tool['type']}", "only one of allowed_domains and blocked_domains may be set")
    if choice is None:
        return
    if not tools and not body.get("mcp_servers"):
        raise at("tool_choice", "tool_choice may only be specified while providing tools.")
    if choice["type"] == "tool" and choice["name"] not in names:
        raise Refused(f"Tool '{choice['name']}' not found in provided tools")
    if choice["type"] in ("any", "tool"):
        recorded = thinks == "adaptive" and model.sampling  # 4.6 was recorded to take both
        if model.forced == "never":
            raise Refused(f'"tool_choice.type.{choice["type"]}" is not supported for this model.')
        if thinks and not recorded:
            raise Refused("Thinking may not be enabled when tool_choice forces tool use.")


def _texts(body: Json) -> None:
    for place, stop in enumerate(body.get("stop_sequences") or ()):
        if not stop.strip():
            raise at(f"stop_sequences.{place}", "each stop sequence must contain non-whitespace")
    system = body.get("system")
    for place, block in enumerate(system if isinstance(system, list) else ()):
        if not block["text"]:
            if block.get("cache_control"):
                raise at(f"system.{place}.text", "cache_control cannot be set for empty text blocks")
            raise at("system", "text content blocks must be non-empty")


def _everything(body: Json) -> Iterator[tuple[str, Json]]:
    """(path, block) of every tool, system block and content block, in the order they are read."""
    for place, tool in enumerate(body.get("tools") or ()):
        yield f"tools.{place}", {"type": "custom"} | tool
    system = body.get("system")
    for place, block in enumerate(system if isinstance(system, list) else ()):
        yield f"system.{place}", block
    for number, message in enumerate(body["messages"]):
        content = message["content"]
        for place, block in enumerate(content if isinstance(content, list) else ()):
            yield f"messages.{number}.content.{place}", block
            inside = block.get("content") if block["type"] == "tool_result" else None
            for inner_place, inner in enumerate(inside if isinstance(inside, list) else ()):
                yield f"messages.{number}.content.{place}.tool_result.content.{inner_place}", inner


def _caching(body: Json) -> None:
    marked = [(path, block["cache_control"]) for path, block in _everything(body) if block.get("cache_control")]
    for path, block in _everything(body):
        if block.get("cache_control") and block["type"] in ("thinking", "redacted_thinking"):
            raise at(f"{path}.{block['type']}.cache_control", "Extra inputs are not permitted")
    found = len(marked) + bool(body.get("cache_control"))
    if found > 4:
        raise Refused(f"A maximum of 4 blocks with cache_control may be provided. Found {found}.")
    short = False
    for path, mark in marked:
        long = mark.get("ttl") == "1h"
        if long and short:
            raise at(
                f"{path}.cache_control.ttl",
                "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are "
                "processed in the following order: `tools`, `system`, `messages`.",
            )
        short = short or not long
