"""A call's arguments as the object that dialects without argument texts want (mapping.md 1.3, last rows)."""

from typing import Any

from portico.core.parts import ToolCall
from portico.wire import jsontext


def arguments_object(arguments: str) -> dict[str, Any]:
    """Argument text as an object: text that is no JSON stands under `_raw`, another value under `value`."""
    if arguments[:1] != "{" and not arguments.strip():
        return {}
    try:
        value = jsontext.decode(arguments)
    except jsontext.NotJson:
        return {"_raw": arguments}
    return value if isinstance(value, dict) else {"value": value}


def call_object(call: ToolCall) -> dict[str, Any]:
    """What a call is given; a custom tool's free text is the one argument `input` (mapping.md 1.12)."""
    return {"input": call.arguments} if call.kind == "custom" else arguments_object(call.arguments)
