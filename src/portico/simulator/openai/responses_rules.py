"""What a Responses request may say beyond its form: of the model, of tools, and of items with one another."""

from collections.abc import Iterator, Sequence
from typing import Any

from portico.simulator.openai.blobs import Blobs
from portico.simulator.openai.common import check_picture, check_schema, data_url, speaks_json
from portico.simulator.openai.models import Model
from portico.simulator.openai.refusal import Refused, listed, missing, unsupported
from portico.simulator.openai.stored import Store
from portico.simulator.refusal import Json

RESEARCHES = {"web_search", "web_search_preview", "code_interpreter", "mcp", "file_search"}


def check(body: Json, model: Model) -> None:
    """Raises `Refused` for a request (already of the right form) that OpenAI refuses, whatever its items."""
    _of_model(body, model)
    _together(body)
    check_tools(body)
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_object" and not speaks_json(texts(items(body))):
        said = (
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'."
        )
        raise Refused(said, param="input")
    if form.get("type") == "json_schema":
        what = f"response_format '{form['name']}'"
        check_schema(form["schema"], what, "text.format.schema", "invalid_json_schema", strict=bool(form.get("strict")))


def _of_model(body: Json, model: Model) -> None:
    reasoning = body.get("reasoning") or {}
    effort = reasoning.get("effort")
    if not model.reasons:
        for name in ("effort", "summary", "generate_summary"):
            if reasoning.get(name) is not None:
                raise unsupported(f"reasoning.{name}")
        if "reasoning.encrypted_content" in (body.get("include") or ()):
            raise Refused("Encrypted content is not supported with this model.", param="include")
    elif effort is not None and effort not in model.efforts:
        said = (
            f"Unsupported value: '{effort}' is not supported with the '{model.name}' model. Supported values are: "
            f"{listed(model.efforts)}."
        )
        raise Refused(said, param="reasoning.effort", code="unsupported_value")
    verbosity = (body.get("text") or {}).get("verbosity")
    if verbosity not in (None, "medium") and not model.reasons:
        said = (
            f"Unsupported value: '{verbosity}' is not supported with the '{model.name}' model. Supported values are: "
            "'medium'."
        )
        raise Refused(said, param="text.verbosity", code="unsupported_value")
    if model.reasons and (effort or model.default) != "none":
        for name, usual in (("temperature", 1), ("top_p", 1)):
            if body.get(name) not in (None, usual, model.top_p):
                raise unsupported(name)
        if body.get("top_logprobs") or "message.output_text.logprobs" in (body.get("include") or ()):
            raise Refused("logprobs are not supported with reasoning models.", param="include")
    kinds = {tool["type"] for tool in body.get("tools") or ()}
    if model.research and (not kinds & RESEARCHES or not kinds <= RESEARCHES):
        said = (
            "Deep research models only support the 'web_search_preview', 'code_interpreter', 'mcp', and 'file_search' "
            "tools."
        )
        raise Refused(said, param="tools")


def _together(body: Json) -> None:
    if body.get("previous_response_id") is not None and body.get("conversation") is not None:
        said = (
            "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. Ensure you are only providing "
            "one of them."
        )
        raise Refused(said, param="previous_response_id", code="mutually_exclusive_parameters")
    if body.get("input") is None and not any(
        body.get(name) is not None for name in ("prompt", "previous_response_id", "conversation")
    ):
        said = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation_id' must be provided."
        raise Refused(said, param="input", code="missing_required_parameter")
    if body.get("background") and body.get("store") is False:
        raise Refused("background mode requires store=true.", param="background")
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refused(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    choice = body.get("tool_choice")
    if choice is not None and choice not in ("auto", "none") and not offered(body):
        raise Refused(
            "Tool choice '" + _name(choice) + "' must be specified with 'tools' parameter.", param="tool_choice"
        )


def offered(body: Json) -> list[Json]:
    """Every tool: those of the request, and those that items bring."""
    return [tool for tool, _ in _placed(body)]


def _placed(body: Json) -> Iterator[tuple[Json, str]]:
    """(tool, its path) of every tool."""
    for place, tool in enumerate(body.get("tools") or ()):
        yield tool, f"tools[{place}]"
    for number, item in enumerate(items(body)):
        if item.get("type") in ("additional_tools", "tool_search_output"):
            for place, tool in enumerate(item["tools"]):
                yield tool, f"input[{number}].tools[{place}]"


def declared(tools: Sequence[Json]) -> Iterator[tuple[Json, str]]:
    """(function or custom tool, its namespace or ""), of every tool."""
    for tool in tools:
        if tool["type"] == "namespace":
            for inner in tool["tools"]:
                yield inner, tool["name"]
        elif tool["type"] in ("function", "custom"):
            yield tool, ""


def check_tools(body: Json) -> None:
    """Raises `Refused` for a tool or a choice of one that OpenAI refuses."""
    for tool, path in _placed(body):
        for inner, _ in declared([tool]):
            schema, strict = inner.get("parameters"), bool(inner.get("strict"))
            if inner["type"] == "function" and schema is not None:
                what = f"function '{inner['name']}'"
                check_schema(schema, what, f"{path}.parameters", "invalid_function_parameters", strict=strict)
        if tool["type"] == "mcp" and tool.get("server_url") is None and tool.get("connector_id") is None:
            raise missing(f"{path}.server_url")
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return
    tools = offered(body)
    names = {inner["name"] for inner, _ in declared(tools)} | {tool["type"] for tool in tools}
    for one in choice["tools"] if choice["type"] == "allowed_tools" else [choice]:
        if _name(one) not in names and one.get("type") != "mcp":
            raise Refused(f"Tool choice '{_name(one)}' not found in 'tools' parameter.", param="tool_choice")


def _name(choice: Any) -> str:
    if isinstance(choice, str):
        return choice
    return str(choice["name"] if "name" in choice else choice.get("type"))


def items(body: Json) -> list[Json]:
    """The input as items."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return list(given or ())


def texts(given: Sequence[Json]) -> Iterator[str]:
    """Every text that is said in the items."""
    for item in given:
        content = item.get("content") if item.get("type", "message") == "message" else item.get("output")
        if isinstance(content, str):
            yield content
        for part in content if isinstance(content, list) else ():
            yield part.get("text") or ""


# -- items ----------------------------------------------------------------------------------------------------------------

_CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
_OUTPUTS = {output: call for call, output in _CALLS.items()}
_FILE_TYPES = (
    "application/pdf",
    "text/",
    "application/json",
    "application/xml",
    "application/vnd.",
    "application/msword",
)


def check_media(given: Sequence[Json]) -> None:
    """Raises `Refused` for pictures and files that do not decode."""
    for place, item in enumerate(given):
        for field in ("content", "output"):
            content = item.get(field)
            for number, part in enumerate(content if isinstance(content, list) else ()):
                _part(part, f"input[{place}].{field}[{number}]")


def _part(part: Json, path: str) -> None:
    if part.get("type") == "input_image":
        if part.get("image_url") is None and part.get("file_id") is None:
            raise missing(f"{path}.image_url")
        if part.get("image_url") is not None:
            check_picture(part["image_url"], f"{path}.image_url")
    if part.get("type") == "input_file" and part.get("file_data") is not None:
        decoded = data_url(part["file_data"])
        mime = decoded[0] if decoded else ""
        if decoded is None or not mime.startswith(_FILE_TYPES):
            what = f"unsupported MIME type '{mime}'" if decoded else "an invalid value"
            said = (
                f"Invalid file data: '{path}.file_data'. Expected a base64-encoded data URL with a valid file MIME type "
                f"(e.g. 'data:text/plain;base64,SGVsbG8sIFdvcmxkIQ=='), but got {what}. Please see "
                "https://platform.openai.com/docs/assistants/tools/file-search#supported-files for supported file types."
            )
            raise Refused(said, param=f"{path}.file_data", code="invalid_value")


def check_pairs(given: Sequence[Json]) -> None:
    """Raises `Refused` unless every call has a result and every result a call before it."""
    called: dict[str, str] = {}
    answered: set[str] = set()
    searched: set[str] = set()
    for item in given:
        kind = item.get("type", "message")
        if kind in _CALLS:
            called[item["call_id"]] = kind
        elif kind == "tool_search_call" and item.get("call_id"):
            searched.add(item["call_id"])
        elif kind in _OUTPUTS:
            if called.get(item["call_id"]) != _OUTPUTS[kind] and item["call_id"] not in searched:
                what = "function call output" if kind == "function_call_output" else "custom tool call output"
                raise Refused(f"No tool call found for {what} with call_id {item['call_id']}.", param="input")
            answered.add(item["call_id"])
    for call_id, kind in called.items():
        if call_id not in answered:
            what = "function call" if kind == "function_call" else "custom tool call"
            raise Refused(f"No tool output found for {what} {call_id}.", param="input")


def _follows(item: Json, reasoning: str | None, *, kept: bool) -> bool:
    """Whether this is what a reasoning item led to. Recorded: one with an id leads to no message without one. Where nothing
    is kept an id names nothing: Codex and LangChain leave out those of messages there."""
    kind = item.get("type", "message")
    if kind == "message":
        return item.get("role") == "assistant" and (not kept or reasoning in (None, "rs") or "id" in item)
    return str(kind).endswith("_call")


def check_order(given: Sequence[Json], key: str, store: Store, *, kept: bool) -> None:
    """Raises `Refused` for a reasoning item without what it led to, and for an item without its reasoning.

    `kept`: this response will be stored, as it is unless `store` is false.
    """
    open_id: str | None = None
    seen: set[str] = set()
    for item in given:
        kind = item.get("type", "message")
        if kind == "reasoning":
            open_id = item.get("id") or "rs"
            seen.add(open_id)
        elif _follows(item, open_id, kept=kept):
            open_id = None
            needed = store.needed(key, item.get("id") or "")
            if needed and needed not in seen and "rs" not in seen:
                what = f"Item '{item['id']}' of type '{kind}'"
                said = f"{what} was provided without its required 'reasoning' item: '{needed}'."
                raise Refused(said, param="input")
        elif open_id is not None:
            break
    if open_id is not None:
        said = f"Item '{open_id}' of type 'reasoning' was provided without its required following item."
        raise Refused(said, param="input")


def check_reasoning(given: Sequence[Json], key: str, store: Store, blobs: Blobs) -> None:
    """Raises `Refused` for a blob made elsewhere, and for reasoning that is neither given nor stored."""
    for item in given:
        if item.get("type") != "reasoning":
            continue
        blob, name = item.get("encrypted_content"), item.get("id")
        if blob is not None:
            blobs.check(blob, name)
        elif name is None:
            raise missing("input.encrypted_content")
        elif store.item(key, name) is None:
            said = (
                f"Item with id '{name}' not found. Items are not persisted when `store` is set to false. Try again with "
                "`store` set to true, or remove this item from your input."
            )
            raise Refused(said, param="input", status=404)
