"""A Chat Completions request as the mind hears it."""

import json
from typing import Any

from portico.simulator import mind
from portico.simulator.openai.chat_rules import declared
from portico.simulator.openai.common import THOUGHTS, custom_schema, data_url, tool_schema
from portico.simulator.openai.models import Model
from portico.simulator.refusal import Json


def heard(body: Json, model: Model) -> mind.Ask:
    """What is asked, in the mind's own form."""
    said, system = _said(body["messages"])
    effort = body.get("reasoning_effort") or model.default
    silent, must, only = _choice(body)
    form = body.get("response_format") or {}
    stop = body.get("stop") or ()
    return mind.Ask(
        said,
        system="\n".join(system),
        tools=tuple(
            mind.Tool(one["name"], custom_schema() if one["custom"] else tool_schema(one["parameters"]))
            for one in declared(body)
        ),
        silent=silent,
        must=must,
        only=only,
        single=body.get("parallel_tool_calls") is False or bool(body.get("functions")),
        schema=form.get("json_schema", {}).get("schema"),
        json=form.get("type") in ("json_object", "json_schema"),
        searches=model.search,
        stops=(stop,) if isinstance(stop, str) else tuple(stop),
        thoughts=THOUGHTS[effort] if model.reasons else 0,
        limit=body.get("max_completion_tokens") or body.get("max_tokens"),
    )


def _choice(body: Json) -> tuple[bool, bool, tuple[str, ...]]:
    """(no call, a call, of which names)."""
    choice: Any = body.get("tool_choice") if body.get("tools") else body.get("function_call")
    match choice:
        case None | "auto":
            return False, False, ()
        case "none":
            return True, False, ()
        case "required":
            return False, True, ()
        case {"type": "allowed_tools", "allowed_tools": inner}:
            names = tuple(one[one["type"]]["name"] for one in inner["tools"])
            return False, inner["mode"] == "required", names
        case {"type": kind}:
            return False, True, (choice[kind]["name"],)
    return False, True, (choice["name"],)


def _said(messages: list[Json]) -> tuple[list[Json], list[str]]:
    said: list[Json] = []
    system: list[str] = []
    names: dict[str, str] = {}
    for message in messages:
        parts = _parts(message.get("content"))
        match message["role"]:
            case "system" | "developer":
                system += [part["text"] for part in parts]
            case "assistant":
                calls = [_call(call, names) for call in message.get("tool_calls") or ()]
                if old := message.get("function_call"):
                    calls.append(mind.called(old["name"], arguments(old["arguments"])))
                said.append(mind.said(parts + calls, model=True))
            case "tool":
                name = names.get(message["tool_call_id"], "tool")
                texts = "".join(part.get("text", "") for part in parts)
                said.append(mind.said([mind.returned(name, texts)]))
            case "function":
                texts = "".join(part.get("text", "") for part in parts)
                said.append(mind.said([mind.returned(message["name"], texts)]))
            case _:
                said.append(mind.said(parts))
    return said or [mind.said([])], system


def _call(call: Json, names: dict[str, str]) -> Json:
    inner = call[call["type"]]
    names[call["id"]] = inner["name"]
    given = {"input": inner["input"]} if call["type"] == "custom" else arguments(inner["arguments"])
    return mind.called(inner["name"], given)


def arguments(text: str) -> Json:
    """The arguments of a call; {} where they are no JSON object, as OpenAI does not look into them."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _parts(content: Any) -> list[Json]:
    if content is None or isinstance(content, str):
        return [mind.text(content)] if content else []
    made: list[Json] = []
    for part in content:
        match part["type"]:
            case "text":
                made.append(mind.text(part["text"]))
            case "image_url":
                url = part["image_url"] if isinstance(part["image_url"], str) else part["image_url"]["url"]
                made.append(mind.shown(media_type(url, "image/png")))
            case "input_audio":
                made.append(mind.shown(f"audio/{part['input_audio']['format']}"))
            case "file":
                made.append(mind.shown(media_type(part["file"].get("file_data") or "", "application/pdf")))
    return made


def media_type(url: str, default: str) -> str:
    """What a data URL says it is."""
    decoded = data_url(url)
    return (decoded and decoded[0]) or default
