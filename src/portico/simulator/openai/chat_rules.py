"""What a Chat Completions request may say beyond its form: of the model, of tools and their results, of one another."""

from collections.abc import Iterator
from typing import Any

from portico.simulator.openai import forms
from portico.simulator.openai.common import check_picture, check_schema, data_url, speaks_json
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused, invalid, listed, missing, unsupported, unsupported_value
from portico.simulator.refusal import Json


def check(body: Json, model: Model) -> None:
    """Raises `Refused` for a request (already of the right form) that OpenAI refuses."""
    _limits(body, model)
    for name, ranged in _RANGES.items():
        if body.get(name) is not None:
            ranged(body[name], name)
    _of_model(body, model)
    _together(body)
    _tools(body)
    _format(body)
    for number, message in enumerate(body["messages"]):
        _message(message, f"messages[{number}]", model)
    _pairs(body["messages"])


_AT_LEAST_ONE = forms.integer(1)
_RANGES = {
    "temperature": forms.number(0, 2),
    "top_p": forms.number(0, 1),
    "presence_penalty": forms.number(-2, 2),
    "frequency_penalty": forms.number(-2, 2),
}
"""Recorded: looked at after the limits, which name the model."""


def _limits(body: Json, model: Model) -> None:
    limit = body.get("max_tokens")
    if limit is None:
        return
    if body.get("max_completion_tokens") is not None:
        said = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise Refused(said, param="max_tokens", code="invalid_parameter_combination")
    if model.reasons:  # recorded: said of a limit of 0 too
        raise unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
    _AT_LEAST_ONE(limit, "max_tokens")


_SAMPLING: tuple[tuple[str, Any], ...] = (
    ("temperature", 1),
    ("top_p", 1),
    ("presence_penalty", 0),
    ("frequency_penalty", 0),
)


def _of_model(body: Json, model: Model) -> None:
    if body.get("web_search_options") is not None and not model.search:
        raise Refused("Web search options not supported with this model.", param="web_search_options")
    effort = body.get("reasoning_effort")
    if effort is not None and not model.reasons:
        raise Refused("Unrecognized request argument supplied: reasoning_effort")
    if effort is not None and effort not in model.efforts:
        values = listed(model.efforts)
        raise unsupported_value(
            "reasoning_effort",
            f"'reasoning_effort' does not support '{effort}' with this model. Supported values are: {values}.",
        )
    if not model.tools and (body.get("tools") or body.get("functions")):
        link = "https://platform.openai.com/docs/guides/function-calling#models-supporting-function-calling"
        raise Refused(
            f"tools is not supported in this model. For a list of supported models, refer to {link}.", status=404
        )
    if (body.get("audio") or "audio" in (body.get("modalities") or ())) and not model.audio:
        raise Refused(
            "This model does not support the requested modality 'audio'.", param="modalities", code="invalid_value"
        )
    if body.get("stop") and not model.stop:
        raise unsupported("stop")
    if body.get("verbosity") not in (None, "medium") and not model.reasons:
        said = f"'verbosity' does not support '{body['verbosity']}' with this model. Supported values are: 'medium'."
        raise unsupported_value("verbosity", said)
    if model.search:
        for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "n", "logit_bias", "logprobs"):
            if body.get(name) is not None:
                raise Refused(f"Model incompatible request argument supplied: {name}")
    if model.reasons:
        _reasoning(body, model, effort or model.default)


def _reasoning(body: Json, model: Model, effort: str) -> None:
    if body.get("logit_bias"):
        raise unsupported("logit_bias")
    if effort == "none":
        return
    for name, usual in _SAMPLING:
        value = body.get(name)
        if value is None or value == usual:
            continue
        if name == "temperature" and not model.rigid:
            said = f"'{name}' does not support {value} with this model. Only the default ({usual}) value is supported."
            raise unsupported_value(name, said)
        raise unsupported(name)
    for name in ("logprobs", "top_logprobs"):
        if body.get(name):
            raise unsupported(name)
    if body.get("parallel_tool_calls") is not None and model.rigid:
        raise unsupported("parallel_tool_calls")


def _together(body: Json) -> None:
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise Refused("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", param="top_logprobs")
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get(name) is not None and not body.get("tools"):
            said = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
            raise Refused(said, param=name)
    if body.get("function_call") is not None and not body.get("functions"):
        said = "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified."
        raise Refused(said, param="function_call")
    if body.get("functions") and body.get("tools"):
        raise Refused("The parameters 'functions' and 'tools' cannot be used together.", param="functions")
    if "audio" in (body.get("modalities") or ()) and body.get("audio") is None:
        raise Refused("Missing required parameter: 'audio'.", param="audio", code="missing_required_parameter")


def declared(body: Json) -> list[Json]:
    """Every tool: {"name", "custom": bool, "parameters"}; `functions` too."""
    tools = [
        {
            "name": tool[tool["type"]]["name"],
            "custom": tool["type"] == "custom",
            "parameters": tool[tool["type"]].get("parameters"),
            "strict": bool(tool[tool["type"]].get("strict")),
        }
        for tool in body.get("tools") or ()
    ]
    old = [
        {"name": one["name"], "custom": False, "parameters": one.get("parameters"), "strict": False}
        for one in body.get("functions") or ()
    ]
    return tools + old


def _tools(body: Json) -> None:
    names: set[str] = set()
    where = "tools" if body.get("tools") else "functions"
    for number, one in enumerate(declared(body)):
        names.add(one["name"])
        if one["custom"] or one["parameters"] is None:
            continue
        path = f"tools[{number}].function.parameters" if where == "tools" else f"functions[{number}].parameters"
        what = f"function '{one['name']}'"
        check_schema(one["parameters"], what, path, "invalid_function_parameters", strict=one["strict"])
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        kind = choice["type"]
        wanted = choice["allowed_tools"]["tools"] if kind == "allowed_tools" else [choice]
        for tool in wanted:
            name = tool[tool["type"]]["name"]
            if name not in names:
                said = f"Tool choice '{tool['type']}' '{name}' not found in 'tools' parameter."
                raise Refused(f"Invalid value for 'tool_choice': {said}", param="tool_choice")
    old = body.get("function_call")
    if isinstance(old, dict) and old["name"] not in names:
        raise Refused(
            f"Invalid value for 'function_call': no function named {old['name']} was specified in the 'functions' "
            "parameter."
        )


def _format(body: Json) -> None:
    form = body.get("response_format")
    if form is None:
        return
    if form["type"] == "json_object" and not speaks_json(texts(body["messages"])):
        said = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
        raise Refused(said, param="messages")
    if form["type"] == "json_schema":
        inner = form["json_schema"]
        if inner.get("schema") is not None:
            what = f"response_format '{inner['name']}'"
            check_schema(inner["schema"], what, "response_format", None, strict=bool(inner.get("strict")))


def texts(messages: list[Json]) -> Iterator[str]:
    """Every text that is said in the messages."""
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            yield content
        for part in content if isinstance(content, list) else ():
            yield part.get("text") or ""


def _message(message: Json, path: str, model: Model) -> None:
    role, content = message["role"], message.get("content")
    if content is None and role != "assistant":
        raise missing(f"{path}.content")
    if role in ("system", "developer") and not model.system:
        said = f"'{path}.role' does not support '{role}' with this model."
        raise unsupported_value(f"{path}.role", said)
    if (
        role == "assistant"
        and content is None
        and not any(message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio"))
    ):
        said = f"Invalid value for '{path}.content': expected a string, got null."
        raise Refused(said, param=f"{path}.content")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        at = f"{path}.content[{number}]"
        match part["type"]:
            case "image_url":
                url = part["image_url"]
                check_picture(url if isinstance(url, str) else url["url"], None)
            case "input_audio":
                _audio(part["input_audio"], path, at, model)
            case "file":
                _file(part["file"], f"{at}.file")


def _audio(audio: Json, path: str, at: str, model: Model) -> None:
    if not model.audio:
        # Recorded: said of the message, not of the part.
        raise invalid(path, "Content blocks are expected to be either text or image_url type.")
    if audio["format"] not in ("wav", "mp3"):
        said = f"Invalid value: '{audio['format']}'. Supported values are: 'wav' and 'mp3'."
        raise Refused(said, param=f"{at}.input_audio.format", code="invalid_value")
    if data_url(f"data:audio/wav;base64,{audio['data']}") is None:
        raise invalid(f"{at}.input_audio.data", "the data is not valid base64.")


def _file(file: Json, at: str) -> None:
    if file.get("file_id") is None and file.get("file_data") is None:
        raise Refused(
            f"Missing required parameter: '{at}.file_id'.", param=f"{at}.file_id", code="missing_required_parameter"
        )
    data = file.get("file_data")
    if data is not None and data_url(data) is None:
        said = (
            f"Invalid file data: '{at}.file_data'. Expected a base64-encoded data URL with an application/pdf MIME type "
            f"(e.g. 'data:application/pdf;base64,JVBERi0xLjQK'), but got a value without the 'data:' prefix."
        )
        raise Refused(said, param=f"{at}.file_data", code="invalid_value")


def _pairs(messages: list[Json]) -> None:
    """Every call has its result directly after it, and every result a call directly before."""
    open_ids: dict[str, None] = {}
    called: set[str] | None = None
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if called is None:
                said = (
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'."
                )
                raise Refused(said, param=f"messages.[{number}].role")
            if message["tool_call_id"] not in called:
                given = message["tool_call_id"]
                said = f"Invalid parameter: 'tool_call_id' of '{given}' not found in 'tool_calls' of previous message."
                raise Refused(said, param=f"messages.[{number}].tool_call_id")
            open_ids.pop(message["tool_call_id"], None)
            continue
        _answered(open_ids, number)
        calls = message.get("tool_calls") or ()
        open_ids = {call["id"]: None for call in calls}
        called = set(open_ids) if calls else None
    _answered(open_ids, len(messages))


def _answered(open_ids: dict[str, None], number: int) -> None:
    if open_ids:
        said = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
            f"The following tool_call_ids did not have response messages: {', '.join(open_ids)}"
        )
        raise Refused(said, param=f"messages.[{number}].role")
