"""`POST /v1/messages/count_tokens`: a request of Messages without what only an answer needs."""

from typing import Any, Final

from portico.core.counting import counting

_TAKEN: Final = frozenset(
    {
        *("model", "messages", "system", "tools", "tool_choice", "thinking"),
        *("mcp_servers", "output_config", "context_management", "cache_control"),
    }
)
"""What the question may hold (Anthropic's API reference, Count tokens in a Message)."""


def _tell(number: int) -> dict[str, Any]:
    return {"input_tokens": number}


COUNTING: Final = counting(_TAKEN, _tell)
