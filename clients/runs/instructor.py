"""instructor, in its modes for tools and for schemas, with the SDKs of three vendors."""

from clients.client import GPT, Dialect, Pip
from clients.library import library

_INSTALL = Pip("instructor", "instructor")
_SCRIPT = "with_instructor.py"
_FORCED = "claude-haiku-4-5"
"""A Claude that can be made to call a tool: what newer ones say in words instead is no value to instructor here."""
_ONE_VALUE = "instructor asks for one value, and ends with it"
_ASKED_IN_WORDS = "a value that is refused is asked for again in a message of the user's, not as a result of the tool"
_LACKS = {"parallel": _ONE_VALUE}
_NO_TOOL = "in this mode the value is the answer itself, and no tool is offered"
_NO_STREAM = "instructor streams google-genai's answers only as parts of a value, which are checked with it"

CLIENTS = (
    library(
        "instructor",
        "instructor",
        _INSTALL,
        _SCRIPT,
        {"openai-tools": Dialect.CHAT, "anthropic-tools": Dialect.MESSAGES},
        also=(GPT, _FORCED),
        values=True,
        lacks=_LACKS,
    ),
    library(
        "instructor-responses",
        "instructor (RESPONSES_TOOLS)",
        _INSTALL,
        _SCRIPT,
        {"openai-responses-tools": Dialect.RESPONSES},
        lacks={**_LACKS, "result": _ASKED_IN_WORDS},
    ),
    library(
        "instructor-genai",
        "instructor (google-genai)",
        _INSTALL,
        _SCRIPT,
        {"genai-tools": Dialect.GEMINI},
        also=(GPT, _FORCED),
        values=True,
        lacks={**_LACKS, "stream": _NO_STREAM},
    ),
    library(
        "instructor-json",
        "instructor (JSON_SCHEMA)",
        _INSTALL,
        _SCRIPT,
        {"openai-json-schema": Dialect.CHAT},
        tool="",
        lacks={**_LACKS, "tool": _NO_TOOL, "result": _NO_TOOL},
    ),
)
