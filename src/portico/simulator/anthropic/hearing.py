"""A Messages request as the mind hears it."""

from typing import Any

from portico.simulator import mind
from portico.simulator.anthropic.conversation import Turn, blocks_of, turns
from portico.simulator.anthropic.models import Model
from portico.simulator.anthropic.rules import efforts
from portico.simulator.anthropic.tools import RUNS_THERE
from portico.simulator.refusal import Json

_EFFORTS = {"low": 64, "medium": 192, "high": 320, "xhigh": 320, "max": 320}
_LEAST_THOUGHTS = 16
_ANTHROPICS: dict[str, Json] = {
    "memory": {"command": {"enum": ["view"]}, "path": {"const": "/memories"}},
    "bash": {"command": {"type": "string"}},
    "computer": {"action": {"enum": ["screenshot"]}},
}
"""The properties of those of Anthropic's tools that the caller runs."""


def heard(body: Json, model: Model, betas: tuple[str, ...]) -> mind.Ask:
    """What is asked, in the mind's own form."""
    spoken = turns(body["messages"])
    tools = body.get("tools") or []
    offered = [tool for tool in tools if not str(tool.get("type", "")).startswith(RUNS_THERE) and "name" in tool]
    kinds = [str(tool.get("type", "")) for tool in tools]
    choice = body.get("tool_choice") or {"type": "auto"}
    forced = choice["type"] == "tool" and any(tool["name"] == choice["name"] for tool in offered)
    config = body.get("output_config") or {}
    form = config.get("format") or body.get("output_format") or {}
    return mind.Ask(
        _said(spoken) or [mind.said([])],
        system=_system(body),
        tools=tuple(mind.Tool(tool["name"], _schema(tool)) for tool in offered),
        silent=choice["type"] == "none",
        must=choice["type"] == "any" or forced,
        only=(choice["name"],) if forced else (),
        single=bool(choice.get("disable_parallel_tool_use")),
        schema=form.get("schema"),
        json=bool(form),
        searches=choice["type"] != "none" and any(kind.startswith("web_search") for kind in kinds),
        runs=choice["type"] != "none" and any(kind.startswith("code_execution") for kind in kinds),
        stops=tuple(body.get("stop_sequences") or ()),
        thoughts=thoughts(body, model, betas),
        limit=body.get("max_tokens"),
    )


def thoughts(body: Json, model: Model, betas: tuple[str, ...]) -> int:
    """The tokens that are thought: within the budget, or as the effort says.

    After tool results an older model thinks no more, unless thinking is interleaved.
    """
    asked = body.get("thinking")
    kind = asked["type"] if asked else "adaptive" if model.thinks else "disabled"
    if kind == "enabled":
        interleaved = any(name.startswith("interleaved-thinking-") for name in betas)
        last = turns(body["messages"])[-1]
        budget: int = body["thinking"]["budget_tokens"]
        return 0 if last.having("tool_result") and not interleaved else budget
    if kind != "adaptive":
        return 0
    effort = [model.effort, *efforts(body)][-1]
    decided = min(_EFFORTS[effort], (body.get("max_tokens") or model.output) // 4)
    return decided if decided >= _LEAST_THOUGHTS else 0


def _schema(tool: Json) -> Json:
    schema = tool.get("input_schema")
    if isinstance(schema, dict):
        return schema
    properties = _ANTHROPICS.get(tool["name"], {"command": {"enum": ["view"]}, "path": {"type": "string"}})
    return {"type": "object", "properties": properties, "required": list(properties)}


def _system(body: Json) -> str:
    given = [block["text"] for block in blocks_of(body.get("system"))]
    later = [
        block["text"]
        for message in body["messages"]
        if message["role"] == "system"
        for block in blocks_of(message["content"])
        if block["type"] == "text"
    ]
    return "\n".join((*given, *later))


def _said(spoken: list[Turn]) -> list[Json]:
    said: list[Json] = []
    names: dict[str, str] = {}
    for turn in spoken:
        if turn.role == "system":
            continue
        parts = [part for _, block in turn.blocks for part in _part(block, names)]
        said.append(mind.said(parts, model=turn.role == "assistant"))
    return said


def _part(block: Json, names: dict[str, str]) -> list[Json]:
    match block["type"]:
        case "text":
            return [mind.text(block["text"])] if block["text"] else []
        case "image" | "document":
            return [mind.shown(_media_type(block))]
        case "tool_use":
            names[block["id"]] = block["name"]
            return [mind.called(block["name"], block["input"])]
        case "tool_result":
            content = blocks_of(block.get("content"))
            texts = "".join(one.get("text", "") for one in content if one["type"] == "text")
            shown = [mind.shown(_media_type(one)) for one in content if one["type"] in ("image", "document")]
            return [mind.returned(names.get(block["tool_use_id"], "tool"), texts), *shown]
        case "search_result":
            return [mind.shown("text/plain")]
        case _:
            return []


def _media_type(block: Json) -> str:
    source: Any = block["source"]
    return str(source.get("media_type") or ("image/png" if block["type"] == "image" else "application/pdf"))
