"""instructor, in its modes for tools and for schemas, with the SDKs of three vendors: `scripts/with_instructor.py`."""

from clients.client import CLAUDE, GPT, Api, Client, Dialect, Pip, Said, Seat, Turn

_OTHERS = (GPT, CLAUDE)
_FORCED = "claude-haiku-4-5"
"""A Claude that can be made to call a tool: what newer ones say in words instead is no value to instructor here."""
_NO_RESULT = "instructor ends with a value, and gives no result of a tool back; one that is refused is asked for again"
_LACKS = {"result": _NO_RESULT, "parallel": _NO_RESULT}
_NO_TOOL = "in this mode the value is the answer itself, and no tool is offered"
_NO_STREAM = "instructor streams google-genai's answers only as parts of a value, which are checked with it"


def _ask(seat: Seat, turn: Turn) -> Said:
    return seat.script("with_instructor.py", turn, within_s=180)


CLIENTS = (
    Client(
        name="instructor",
        title="instructor",
        install=Pip("instructor", "instructor"),
        apis=(
            Api("openai-tools", Dialect.CHAT, also=_OTHERS),
            Api("openai-responses-tools", Dialect.RESPONSES, also=_OTHERS),
            Api("anthropic-tools", Dialect.MESSAGES, also=_OTHERS),
        ),
        ask=_ask,
        tool="Call write_file with path='{file}' and content='{content}'.",
        streams="asked",
        lacks=_LACKS,
        library=True,
    ),
    Client(
        name="instructor-genai",
        title="instructor (google-genai)",
        install=Pip("instructor", "instructor"),
        apis=(Api("genai-tools", Dialect.GEMINI, also=(GPT, _FORCED)),),
        ask=_ask,
        tool="Call write_file with path='{file}' and content='{content}'.",
        streams="asked",
        lacks={**_LACKS, "stream": _NO_STREAM},
        library=True,
    ),
    Client(
        name="instructor-json",
        title="instructor (JSON_SCHEMA)",
        install=Pip("instructor", "instructor"),
        apis=(Api("openai-json-schema", Dialect.CHAT, also=_OTHERS),),
        ask=_ask,
        tool="",
        streams="asked",
        lacks={**_LACKS, "tool": _NO_TOOL},
        library=True,
    ),
)
