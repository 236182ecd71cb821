"""`POST /v1/responses/input_tokens`: a request of Responses without what only an answer needs."""

from typing import Any, Final

from portico.core.counting import counting

_TAKEN: Final = frozenset(
    {
        *("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls"),
        *("text", "reasoning", "truncation"),
    }
)
"""What the question may hold (OpenAI's API reference, Get input token counts), but for what OpenAI would have to keep."""


def _tell(number: int) -> dict[str, Any]:
    return {"object": "response.input_tokens", "input_tokens": number}


COUNTING: Final = counting(_TAKEN, _tell)
