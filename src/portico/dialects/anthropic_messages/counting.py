"""`POST /v1/messages/count_tokens`: a request of Messages without what only an answer needs."""

from collections.abc import Mapping
from typing import Any, Final

from portico.core.dialect import Counting
from portico.core.target import Target

_TAKEN: Final = frozenset(
    {
        *("model", "messages", "system", "tools", "tool_choice", "thinking"),
        *("mcp_servers", "output_config", "context_management", "cache_control"),
    }
)
"""What the question may hold (Anthropic's API reference, Count tokens in a Message)."""


def asked(body: Any) -> Any:
    return body


def question(rendered: Any, target: Target) -> Any:
    del target
    return {name: value for name, value in rendered.items() if name in _TAKEN}


def read(answer: Any) -> int | None:
    number = answer.get("input_tokens") if isinstance(answer, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number >= 0 else None


def tell(number: int) -> dict[str, Any]:
    return {"input_tokens": number}


COUNTING: Final = Counting(asked=asked, question=question, read=read, tell=tell)
