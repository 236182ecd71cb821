"""Which optional field a 400 of a server that speaks Chat is about (mapping.md 1.6, last paragraph).

OpenAI names it (`unsupported_parameter`, `unsupported_value` and `param`); others say it in words, or as pydantic does
(`Extra inputs are not permitted`). The name it is learned under is neutral: `relay/learned.py` and the renderer know it.
"""

import re
from collections.abc import Mapping
from typing import Final

MAX_TOKENS_FIELD: Final = "max_tokens_field"
"""The limit has the wrong one of its two names."""
SYSTEM_ROLE: Final = "system_role"
"""Instructions have the wrong one of their two roles."""

STRICT_FORMAT: Final = "strict_format"
"""An answer cannot be held to the schema, which it might follow all the same."""

SAMPLING: Final = "sampling"
"""Temperature, top_p and top_k, which are refused together."""

REFUSABLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("temperature", "top_p", "top_k"), SAMPLING),
    **dict.fromkeys(("presence_penalty", "frequency_penalty"), "penalties"),
    **dict.fromkeys(("logprobs", "top_logprobs"), "logprobs"),
    **dict.fromkeys(("reasoning_effort", "reasoning", "thinking"), "thinking"),
    **dict.fromkeys(("max_tokens", "max_completion_tokens"), MAX_TOKENS_FIELD),
    "seed": "seed",
    "n": "n",
    "stop": "stop",
    "verbosity": "verbosity",
    "service_tier": "service_tier",
    "parallel_tool_calls": "parallel_tool_calls",
    "stream_options": "stream_options",
    "strict": "strict",
    "safety_identifier": "safety_identifier",
}
"""Field of Chat -> the name its refusal is learned under. Never what the caller would see: schemas, tools."""
_INVALID_SCHEMA: Final = "Invalid schema for response_format"
_SCHEMA_OF_FORMAT: Final = "invalid_json_schema"
_CODES: Final = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_REFUSAL: Final = (
    r"(?:\b(?:is|are) (?:not (?:enabled|supported|allowed|available|permitted|recognized)|unsupported|incompatible)"
    r"|\bnot (?:supported|permitted|allowed)\b|\b(?:does not|doesn't|do not|cannot|can't) (?:support|allow|accept)"
    r"|\bunsupported\b|\bunknown (?:parameter|field|argument|name)|\bunrecognized\b|\bunexpected keyword"
    r"|\bextra (?:inputs|fields)\b|\bextra_forbidden\b)"
)
_NAMED: Final = [
    (field, re.compile(rf"(?<![\w.]){name}(?!\w).*{_REFUSAL}|{_REFUSAL}.*(?<![\w.]){name}(?!\w)", re.IGNORECASE))
    for name, field in REFUSABLE.items()
    if name not in ("n", "stop", "thinking", "reasoning", "strict")  # words of plain English
]
_QUOTED: Final = re.compile(r"[`'\"]([a-z_]+)[`'\"]")
_REFUSED: Final = re.compile(_REFUSAL, re.IGNORECASE)
_ROLE: Final = re.compile(r"\brole\b.*\b(?:system|developer)\b|\b(?:system|developer)\b.*\brole\b", re.IGNORECASE)
_STEP: Final = re.compile(r"[.\[\]]+")
_SENTENCES: Final = re.compile(r"(?<=\.)\s|\n|; ")


def refused_field(code: str, param: str, message: str) -> str | None:
    """The field that an error refuses; None if it is about something else."""
    if code == _SCHEMA_OF_FORMAT or (param == "response_format" and message.startswith(_INVALID_SCHEMA)):
        return STRICT_FORMAT
    if param and (code in _CODES or _REFUSED.search(message)):
        steps = [step for step in _STEP.split(param) if step and step != "body"]
        if steps and steps[0] == "messages":
            return SYSTEM_ROLE if steps[-1] == "role" and _ROLE.search(message) else None
        if steps and steps[0] == "tools":
            return "strict" if steps[-1] == "strict" else None
        return REFUSABLE.get(steps[0]) if steps else None
    if param:
        return None
    for sentence in _SENTENCES.split(message):
        if not _REFUSED.search(sentence):
            continue
        for quoted in _QUOTED.findall(sentence):
            if quoted in REFUSABLE:
                return REFUSABLE[quoted]
        for field, pattern in _NAMED:
            if pattern.search(sentence):
                return field
        if _ROLE.search(sentence):
            return SYSTEM_ROLE
    return None


def only_value(field: str | None, code: str, message: str) -> bool:
    """Whether only the value that was sent is refused: another may be taken. A field of which nothing but the default is
    taken might as well not be there."""
    if field == STRICT_FORMAT:
        return True
    return (
        code == "unsupported_value" and field not in (None, SYSTEM_ROLE) and "only the default" not in message.lower()
    )
