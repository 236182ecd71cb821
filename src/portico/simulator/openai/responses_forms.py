"""The form of a Responses request: every field OpenAI takes, every kind of item and of tool, and no other.

Recorded: a wrong role is told of the item (`input[2]`), not of its field; an unknown `function` beside the fields of a
function tool is ignored.
"""

from portico.simulator.openai.common import (
    BREAKPOINT,
    CACHE,
    CACHING,
    EFFORT,
    LOCATION,
    METADATA,
    NAME,
    STREAM_OPTIONS,
    TIERS,
    VERBOSITY,
)
from portico.simulator.openai.forms import (
    Form,
    anything,
    array,
    either,
    flag,
    form_of,
    integer,
    mapping,
    number,
    tagged,
    text,
    word,
)

_TYPE: dict[str, Form] = {"type": text()}
_CUT = {"prompt_cache_breakpoint": BREAKPOINT}
_DETAIL = word("auto", "low", "high", "original")
_ANY_STATUS = word(
    "in_progress", "completed", "incomplete", "searching", "interpreting", "calling", "generating", "failed"
)


def _id(*starts: str) -> Form:
    """An id of an item; where it has to begin with a prefix, `starts` is it."""
    return text(least=1, most=64, starts=starts[0] if starts else "")


_INPUT_TEXT = form_of(_TYPE | {"text": text()} | _CUT, "text")
_INPUT_IMAGE = form_of(_TYPE | {"image_url": text(), "file_id": text(), "detail": _DETAIL} | _CUT)
_INPUT_FILE = form_of(
    _TYPE | {"file_data": text(), "file_id": text(), "file_url": text(), "filename": text(), "detail": _DETAIL} | _CUT
)
_OUTPUT_TEXT = form_of(_TYPE | {"text": text(), "annotations": array(anything), "logprobs": array(anything)}, "text")
_REFUSAL = form_of(_TYPE | {"refusal": text()}, "refusal")
_SHOWN: dict[str, Form] = {"input_text": _INPUT_TEXT, "input_image": _INPUT_IMAGE, "input_file": _INPUT_FILE}
_SAID: dict[str, Form] = {"output_text": _OUTPUT_TEXT, "refusal": _REFUSAL}
_STRING_OR_PARTS = "one of a string or array of objects"


def _content(kinds: dict[str, Form]) -> Form:
    return either(_STRING_OR_PARTS, (str, text()), (list, array(tagged("type", kinds))))


_MESSAGE: dict[str, Form] = _TYPE | {
    "role": text(),
    "id": _id("msg"),
    "status": _ANY_STATUS,
    "phase": word("commentary", "final_answer"),
}


def _item_of(path: str) -> str:
    return path


_SPOKEN = form_of(_MESSAGE | {"content": _content(_SHOWN)}, "content")
_ANSWERED = form_of(_MESSAGE | {"content": _content(_SAID)}, "content")
MESSAGE = tagged(
    "role", {"assistant": _ANSWERED, "system": _SPOKEN, "developer": _SPOKEN, "user": _SPOKEN}, at=_item_of
)

# -- tools ----------------------------------------------------------------------------------------------------------------

_CALLERS = {"allowed_callers": array(text())}
_FUNCTION = form_of(
    _TYPE
    | _CALLERS
    | {
        "name": NAME,
        "description": text(),
        "parameters": anything,
        "strict": flag,
        "defer_loading": flag,
        "output_schema": anything,
        "async": flag,
        "function": anything,
    },
    "name",
)
_GRAMMAR = form_of(
    _TYPE | {"syntax": word("lark", "regex"), "definition": text()},
    "syntax",
    "definition",
)
_CUSTOM = form_of(
    _TYPE
    | _CALLERS
    | {
        "name": NAME,
        "description": text(),
        "format": tagged("type", {"text": form_of(_TYPE), "grammar": _GRAMMAR}),
        "defer_loading": flag,
        "async": flag,
    },
    "name",
)
_WHERE = form_of(_TYPE | LOCATION)
_SEARCH = form_of(
    _TYPE
    | {
        "filters": form_of({"allowed_domains": array(text()), "blocked_domains": array(text())}),
        "search_context_size": word("low", "medium", "high"),
        "search_content_types": array(text()),
        "external_web_access": flag,
        "user_location": _WHERE,
    }
)
_FILES = form_of(
    _TYPE
    | {
        "vector_store_ids": array(text(), least=1),
        "filters": mapping(anything),
        "max_num_results": integer(1, 50),
        "ranking_options": mapping(anything),
    },
    "vector_store_ids",
)
_CONTAINER = either("one of a string or an object", (str, text()), (dict, mapping(anything)))
_MCP = form_of(
    _TYPE
    | _CALLERS
    | {
        "server_label": text(),
        "server_url": text(),
        "server_description": text(),
        "connector_id": text(),
        "tunnel_id": text(),
        "authorization": text(),
        "headers": mapping(text()),
        "allowed_tools": either("an array or an object", (list, array(text())), (dict, mapping(anything))),
        "require_approval": either("a string or an object", (str, word("always", "never")), (dict, mapping(anything))),
        "defer_loading": flag,
    },
    "server_label",
)
_IMAGES = form_of(
    _TYPE
    | dict.fromkeys(
        (
            *("action", "background", "input_fidelity", "input_image_mask", "model", "moderation"),
            *("output_compression", "output_format", "partial_images", "quality", "size"),
            *("complexity", "frame_count", "frame_duration_ms", "svg"),
        ),
        anything,
    )
)
_COMPUTER = form_of(_TYPE | {"display_height": integer(1), "display_width": integer(1), "environment": text()})
_BARE = form_of(_TYPE | _CALLERS)
_INNER: dict[str, Form] = {"function": _FUNCTION, "custom": _CUSTOM}
TOOL = tagged(
    "type",
    _INNER
    | {
        "file_search": _FILES,
        "computer": _COMPUTER,
        "computer_use_preview": _COMPUTER,
        "web_search": _SEARCH,
        "web_search_2025_08_26": _SEARCH,
        "web_search_preview": _SEARCH,
        "web_search_preview_2025_03_11": _SEARCH,
        "mcp": _MCP,
        "code_interpreter": form_of(_TYPE | _CALLERS | {"container": _CONTAINER}, "container"),
        "image_generation": _IMAGES,
        "local_shell": _BARE,
        "shell": form_of(_TYPE | _CALLERS | {"environment": mapping(anything)}),
        "apply_patch": _BARE,
        "namespace": form_of(
            _TYPE | {"name": NAME, "description": text(), "tools": array(tagged("type", _INNER), least=1)},
            "name",
            "description",
            "tools",
        ),
        "tool_search": form_of(
            _TYPE | {"description": text(), "execution": word("server", "client"), "parameters": anything}
        ),
        "programmatic_tool_calling": _BARE,
    },
)

# -- items ----------------------------------------------------------------------------------------------------------------

_CALL_ID = text(least=1, most=64)
_STATUS: dict[str, Form] = _TYPE | {"status": _ANY_STATUS}
_HOSTED: dict[str, Form] = _STATUS | {"id": _id()}
_CALLER = {"caller": mapping(anything)}
_OUTPUT = either(_STRING_OR_PARTS, (str, text()), (list, array(tagged("type", _SHOWN))))
_RESULT: dict[str, Form] = _STATUS | _CALLER | {"id": _id(), "call_id": _CALL_ID, "output": _OUTPUT}
_FUNCTION_CALL = form_of(
    _STATUS
    | _CALLER
    | {
        "id": _id("fc"),
        "call_id": _CALL_ID,
        "name": text(least=1, most=128),
        "arguments": text(),
        "namespace": text(),
        "async": flag,
    },
    "call_id",
    "name",
    "arguments",
)
_CUSTOM_CALL = form_of(
    _STATUS
    | _CALLER
    | {
        "id": _id("ctc"),
        "call_id": _CALL_ID,
        "name": text(least=1, most=128),
        "input": text(),
        "namespace": text(),
        "async": flag,
    },
    "call_id",
    "name",
    "input",
)
_SUMMARY = array(tagged("type", {"summary_text": form_of(_TYPE | {"text": text()}, "text")}))
_THOUGHT = array(tagged("type", {"reasoning_text": form_of(_TYPE | {"text": text()}, "text")}))
_REASONING = form_of(
    _STATUS | {"id": _id("rs"), "summary": _SUMMARY, "content": _THOUGHT, "encrypted_content": text()}, "summary"
)


def _hosted(*names: str, required: tuple[str, ...] = ()) -> Form:
    return form_of(_HOSTED | dict.fromkeys(names, anything), *required)


_ITEMS: dict[str, Form] = {
    "message": MESSAGE,
    "function_call": _FUNCTION_CALL,
    "function_call_output": form_of(_RESULT | {"name": text(), "namespace": text()}, "call_id", "output"),
    "custom_tool_call": _CUSTOM_CALL,
    "custom_tool_call_output": form_of(_RESULT, "call_id", "output"),
    "reasoning": _REASONING,
    "item_reference": form_of(_TYPE | {"id": text()}, "id"),
    "compaction_trigger": _hosted(),
    "configuration_update": _hosted("reasoning", "text"),
    "program": _hosted("call_id", "code", "fingerprint"),
    "program_output": _hosted("call_id", "result"),
    "compaction": _hosted("encrypted_content", required=("encrypted_content",)),
    "web_search_call": _hosted("action"),
    "file_search_call": _hosted("queries", "results"),
    "code_interpreter_call": _hosted("code", "container_id", "outputs"),
    "image_generation_call": _hosted("result", "revised_prompt", "size", "quality", "background", "output_format"),
    "computer_call": _hosted("call_id", "action", "actions", "pending_safety_checks", required=("call_id",)),
    "computer_call_output": _hosted("call_id", "output", "acknowledged_safety_checks", required=("call_id", "output")),
    "local_shell_call": _hosted("call_id", "action", required=("call_id",)),
    "local_shell_call_output": _hosted("call_id", "output", required=("output",)),
    "shell_call": _hosted("call_id", "action", "environment", required=("call_id",)),
    "shell_call_output": _hosted("call_id", "output", "max_output_length", required=("call_id", "output")),
    "apply_patch_call": _hosted("call_id", "operation", required=("call_id",)),
    "apply_patch_call_output": _hosted("call_id", "output", required=("call_id",)),
    "mcp_list_tools": _hosted("server_label", "tools", "error", required=("server_label",)),
    "mcp_call": _hosted("server_label", "name", "arguments", "output", "error", "approval_request_id"),
    "mcp_approval_request": _hosted("server_label", "name", "arguments"),
    "mcp_approval_response": _hosted("approval_request_id", "approve", "reason", required=("approval_request_id",)),
    "tool_search_call": form_of(
        _HOSTED | {"call_id": text(), "execution": word("server", "client"), "arguments": anything}
    ),
    "tool_search_output": form_of(
        _HOSTED | {"call_id": text(), "execution": word("server", "client"), "tools": array(TOOL)}, "tools"
    ),
    "additional_tools": form_of(_TYPE | {"id": text(), "role": word("developer"), "tools": array(TOOL)}, "tools"),
}
ITEM = tagged("type", _ITEMS, default="message", at=_item_of)

# -- the request ----------------------------------------------------------------------------------------------------------

_HOSTED_TOOLS = (
    *("file_search", "web_search", "web_search_preview", "computer_use_preview", "computer", "code_interpreter"),
    *("image_generation", "mcp", "shell", "local_shell", "apply_patch"),
)
_BY_NAME = form_of(_TYPE | {"name": text(least=1)}, "name")
_CHOICE = either(
    "one of a string or an object",
    (str, word("none", "auto", "required")),
    (
        dict,
        tagged(
            "type",
            {
                "function": _BY_NAME,
                "custom": _BY_NAME,
                "allowed_tools": form_of(
                    _TYPE | {"mode": word("auto", "required"), "tools": array(mapping(anything), least=1)},
                    "mode",
                    "tools",
                ),
            }
            | {
                name: form_of(_TYPE | ({"server_label": text(), "name": text()} if name == "mcp" else {}))
                for name in _HOSTED_TOOLS
            },
        ),
    ),
)
_FORMAT = tagged(
    "type",
    {
        "text": form_of(_TYPE),
        "json_object": form_of(_TYPE),
        "json_schema": form_of(
            _TYPE | {"name": NAME, "description": text(), "schema": anything, "strict": flag}, "name", "schema"
        ),
    },
)
_INCLUDE = word(
    "file_search_call.results",
    "web_search_call.results",
    "web_search_call.action.sources",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
    "reasoning.encrypted_content",
    "message.output_text.logprobs",
)
_REASONS = form_of(
    {
        "effort": EFFORT,
        "summary": word("auto", "concise", "detailed"),
        "generate_summary": word("auto", "concise", "detailed"),
        "context": word("auto", "current_turn", "all_turns"),
        "mode": text(),
    }
)
_INPUT = either(_STRING_OR_PARTS, (str, text()), (list, array(ITEM)))
_COUNTED: dict[str, Form] = {
    "model": text(),
    "input": _INPUT,
    "instructions": text(),
    "tools": array(TOOL),
    "tool_choice": _CHOICE,
    "text": form_of({"format": _FORMAT, "verbosity": VERBOSITY}),
    "reasoning": _REASONS,
    "truncation": word("auto", "disabled"),
    "parallel_tool_calls": flag,
    "previous_response_id": text(),
    "conversation": either("one of a string or an object", (str, text()), (dict, form_of({"id": text()}, "id"))),
}
REQUEST = form_of(
    _COUNTED
    | CACHING
    | {
        "access_programs": anything,
        "background": flag,
        "background_options": anything,
        "client_metadata": mapping(text()),
        "context_management": array(form_of(_TYPE | {"compact_threshold": integer(1)})),
        "image": anything,
        "include": array(_INCLUDE),
        "max_output_tokens": integer(16),
        "max_tool_calls": integer(1),
        "metadata": METADATA,
        "moderation": anything,
        "prompt_cache_options": form_of(CACHE | {"prewarm": flag, "comparison_response_id": text()}),
        "prompt": form_of({"id": text(), "version": text(), "variables": mapping(anything)}, "id"),
        "service_tier": word(*TIERS, "ultrafast"),
        "store": flag,
        "stream": flag,
        "stream_options": form_of({"include_obfuscation": STREAM_OPTIONS["include_obfuscation"]}),
        "temperature": number(0, 2),
        "top_logprobs": integer(0, 20),
        "top_p": number(0, 1),
    },
    "model",
)
COUNT = form_of(_COUNTED)
