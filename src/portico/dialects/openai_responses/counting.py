"""`POST /v1/responses/input_tokens`: a request of Responses without what only an answer needs."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Counting
from portico.core.target import Target

_TAKEN: Final = frozenset(
    {
        *("model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls"),
        *("text", "reasoning", "truncation"),
    }
)
"""What the question may hold (OpenAI's API reference, Get input token counts), but for what OpenAI would have to keep."""


def asked(body: Any) -> Any:
    return body


def question(rendered: Any, target: Target) -> Any:
    del target
    return {name: value for name, value in rendered.items() if name in _TAKEN}


def read(answer: Any) -> int | None:
    number = answer.get("input_tokens") if isinstance(answer, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None


def tell(number: int) -> dict[str, Any]:
    return {"object": "response.input_tokens", "input_tokens": number}


COUNTING: Final = Counting(asked=asked, question=question, read=read, tell=tell)
