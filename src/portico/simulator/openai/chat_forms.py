"""The form of a Chat Completions request: every field OpenAI takes, and no other.

Recorded: unknown fields inside `function` of a tool are ignored; everywhere else they are refused.
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
_CUT: dict[str, Form] = {"prompt_cache_breakpoint": BREAKPOINT}
_TEXT = form_of(_TYPE | _CUT | {"text": text()}, "text")
_IMAGE_URL = form_of({"url": text(), "detail": word("auto", "low", "high", "original")}, "url")
_IMAGE = form_of(
    _TYPE | _CUT | {"image_url": either("an object", (dict, _IMAGE_URL), (str, text()))},
    "image_url",
)
_SOUND = form_of({"data": text(), "format": text()}, "data", "format")
_AUDIO = form_of(_TYPE | _CUT | {"input_audio": _SOUND}, "input_audio")
_FILE = form_of(_TYPE | _CUT | {"file": form_of({"file_data": text(), "file_id": text(), "filename": text()})}, "file")
_REFUSAL = form_of(_TYPE | {"refusal": text()}, "refusal")

_STRING_OR_PARTS = "one of a string or array of objects"


def _content(**kinds: Form) -> Form:
    return either(_STRING_OR_PARTS, (str, text()), (list, array(tagged("type", kinds))))


_PLAIN = _content(text=_TEXT)
_CALL_ID = text(most=40)
_FUNCTION_CALL = form_of({"name": text(), "arguments": text()}, "name", "arguments")
_CALL = tagged(
    "type",
    {
        "function": form_of(_TYPE | {"id": _CALL_ID, "function": _FUNCTION_CALL}, "id", "function"),
        "custom": form_of(
            _TYPE | {"id": _CALL_ID, "custom": form_of({"name": NAME, "input": text()}, "name", "input")},
            "id",
            "custom",
        ),
    },
)
_ROLE: dict[str, Form] = {"role": text(), "name": text(most=64, pattern=r"[^\s<|\\/>]+")}
_SYSTEM = form_of(_ROLE | {"content": _PLAIN})
_USER = form_of(_ROLE | {"content": _content(text=_TEXT, image_url=_IMAGE, input_audio=_AUDIO, file=_FILE)})
_ASSISTANT = form_of(
    _ROLE
    | {
        "content": _content(text=_TEXT, refusal=_REFUSAL),
        "refusal": text(),
        "annotations": array(anything),
        "audio": form_of({"id": text()}, "id"),
        "tool_calls": array(_CALL, least=1, most=128),
        "function_call": _FUNCTION_CALL,
    }
)
_TOOL = form_of(
    _ROLE | {"content": _content(text=_TEXT, image_url=_IMAGE, file=_FILE), "tool_call_id": _CALL_ID},
    "content",
    "tool_call_id",
)
_FUNCTION = form_of(_ROLE | {"content": _PLAIN}, "name")
MESSAGE = tagged(
    "role",
    {
        "system": _SYSTEM,
        "assistant": _ASSISTANT,
        "user": _USER,
        "function": _FUNCTION,
        "tool": _TOOL,
        "developer": _SYSTEM,
    },
)

_DECLARED = form_of({"name": NAME, "description": text(), "parameters": anything, "strict": flag}, "name", loose=True)
_GRAMMAR = form_of({"syntax": word("lark", "regex"), "definition": text()}, "syntax", "definition")
_FORMAT = tagged("type", {"text": form_of(_TYPE), "grammar": form_of(_TYPE | {"grammar": _GRAMMAR}, "grammar")})
_CUSTOM = form_of({"name": NAME, "description": text(), "format": _FORMAT}, "name")
_TOOLS = array(
    tagged(
        "type",
        {
            "function": form_of(_TYPE | {"function": _DECLARED}, "function"),
            "custom": form_of(_TYPE | {"custom": _CUSTOM}, "custom"),
        },
    ),
    least=1,
    most=128,
)
_BY_NAME = form_of({"name": text()}, "name")
_NAMED_TOOLS = tagged(
    "type",
    {
        "function": form_of(_TYPE | {"function": _BY_NAME}, "function"),
        "custom": form_of(_TYPE | {"custom": _BY_NAME}, "custom"),
    },
)
_CHOICE = either(
    "one of a string or an object",
    (str, word("none", "auto", "required")),
    (
        dict,
        tagged(
            "type",
            {
                "function": form_of(_TYPE | {"function": _BY_NAME}, "function"),
                "custom": form_of(_TYPE | {"custom": _BY_NAME}, "custom"),
                "allowed_tools": form_of(
                    _TYPE
                    | {
                        "allowed_tools": form_of(
                            {"mode": word("auto", "required"), "tools": array(_NAMED_TOOLS, least=1)}, "mode", "tools"
                        )
                    },
                    "allowed_tools",
                ),
            },
        ),
    ),
)
_JSON_SCHEMA = form_of({"name": NAME, "description": text(), "schema": anything, "strict": flag}, "name")
_RESPONSE_FORMAT = tagged(
    "type",
    {
        "text": form_of(_TYPE),
        "json_object": form_of(_TYPE),
        "json_schema": form_of(_TYPE | {"json_schema": _JSON_SCHEMA}, "json_schema"),
    },
)
_SEARCH = form_of(
    {
        "search_context_size": word("low", "medium", "high"),
        "user_location": form_of(_TYPE | {"approximate": form_of(LOCATION)}, "approximate"),
    }
)
_OLD_FUNCTION = form_of({"name": NAME, "description": text(), "parameters": anything}, "name", loose=True)

REQUEST = form_of(
    {
        "model": text(),
        "messages": array(MESSAGE, least=1),
        "audio": form_of(
            {"voice": either("a string", (str, text()), (dict, anything)), "format": text()}, "voice", "format"
        ),
        "frequency_penalty": number(),
        "presence_penalty": number(),
        "function_call": either("one of a string or an object", (str, word("none", "auto")), (dict, _BY_NAME)),
        "functions": array(_OLD_FUNCTION, least=1, most=128),
        "logit_bias": mapping(number(-100, 100)),
        "logprobs": flag,
        "top_logprobs": integer(0, 20),
        "max_completion_tokens": integer(1),
        "max_tokens": integer(),
        "metadata": METADATA,
        "modalities": array(word("text", "audio"), least=1),
        "moderation": anything,
        "n": integer(1, 128),
        "parallel_tool_calls": flag,
        "prediction": form_of(_TYPE | {"content": _PLAIN}, "type", "content"),
        "reasoning_effort": EFFORT,
        "response_format": _RESPONSE_FORMAT,
        "seed": integer(-(2**63), 2**63 - 1),
        "service_tier": word(*TIERS),
        "stop": either("one of a string or array of strings", (str, text()), (list, array(text(least=1), most=4))),
        "store": flag,
        "stream": flag,
        "stream_options": form_of(STREAM_OPTIONS),
        "temperature": number(),
        "top_p": number(),
        "tools": _TOOLS,
        "tool_choice": _CHOICE,
        "verbosity": VERBOSITY,
        "web_search_options": _SEARCH,
        "prompt_cache_options": form_of(CACHE),
        **CACHING,
    },
    "model",
    "messages",
)
