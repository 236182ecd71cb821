"""A Responses request as the mind hears it."""

from collections.abc import Sequence
from typing import Any

from portico.simulator import mind
from portico.simulator.openai.chat_hearing import arguments, media_type
from portico.simulator.openai.common import THOUGHTS, custom_schema, tool_schema
from portico.simulator.openai.models import Model
from portico.simulator.openai.responses_rules import declared, offered
from portico.simulator.refusal import Json


def heard(body: Json, conversation: Sequence[Json], model: Model) -> mind.Ask:
    """What is asked, in the mind's own form; `conversation` is every item, those of earlier responses first."""
    said, system = _said(conversation)
    tools = offered(body)
    silent, must, only = _choice(body)
    form = (body.get("text") or {}).get("format") or {}
    effort = (body.get("reasoning") or {}).get("effort") or model.default
    return mind.Ask(
        said,
        system="\n".join([body.get("instructions") or "", *system]),
        tools=tuple(
            mind.Tool(one["name"], custom_schema() if one["type"] == "custom" else tool_schema(one.get("parameters")))
            for one, _ in declared(tools)
        ),
        silent=silent,
        must=must,
        only=only,
        single=body.get("parallel_tool_calls") is False,
        schema=form.get("schema"),
        json=form.get("type") in ("json_object", "json_schema"),
        searches=any(one["type"].startswith("web_search") for one in tools) and not silent,
        runs=any(one["type"] == "code_interpreter" for one in tools) and not silent,
        thoughts=THOUGHTS[effort] if model.reasons else 0,
        limit=body.get("max_output_tokens"),
    )


def _choice(body: Json) -> tuple[bool, bool, tuple[str, ...]]:
    """(no call, a call, of which names)."""
    choice: Any = body.get("tool_choice")
    match choice:
        case None | "auto":
            return False, False, ()
        case "none":
            return True, False, ()
        case "required":
            return False, True, ()
        case {"type": "allowed_tools"}:
            names = tuple(one["name"] for one in choice["tools"] if one.get("name"))
            return not names, choice["mode"] == "required" and bool(names), names
        case {"type": "function" | "custom"}:
            return False, True, (choice["name"],)
    return False, False, ()


def _said(conversation: Sequence[Json]) -> tuple[list[Json], list[str]]:
    said: list[Json] = []
    system: list[str] = []
    names: dict[str, str] = {}
    for item in conversation:
        match item.get("type", "message"):
            case "message":
                parts = _parts(item["content"])
                if item["role"] in ("system", "developer"):
                    system += [part["text"] for part in parts if "text" in part]
                else:
                    said.append(mind.said(parts, model=item["role"] == "assistant"))
            case "function_call":
                names[item["call_id"]] = item["name"]
                said.append(mind.said([mind.called(item["name"], arguments(item["arguments"]))], model=True))
            case "custom_tool_call":
                names[item["call_id"]] = item["name"]
                said.append(mind.said([mind.called(item["name"], {"input": item["input"]})], model=True))
            case "function_call_output" | "custom_tool_call_output":
                output = item["output"]
                parts = _parts(output)
                told = "".join(part.get("text", "") for part in parts)
                shown = [part for part in parts if "text" not in part]
                name = names.get(item["call_id"], "tool")
                if shown and not told:
                    told = f"{len(shown)} file(s)"
                said.append(mind.said([mind.returned(name, told)]))
    return said or [mind.said([])], system


def _parts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [mind.text(content)] if content else []
    made: list[Json] = []
    for part in content or ():
        match part["type"]:
            case "input_text" | "output_text":
                made.append(mind.text(part["text"]))
            case "refusal":
                made.append(mind.text(part["refusal"]))
            case "input_image":
                made.append(mind.shown(media_type(part.get("image_url") or "", "image/png")))
            case "input_file":
                made.append(mind.shown(media_type(part.get("file_data") or "", "application/pdf")))
    return made
