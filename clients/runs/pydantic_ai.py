"""pydantic-ai, through its models of all four dialects."""

from clients.client import Dialect, Pip
from clients.library import library

CLIENTS = (
    library(
        "pydantic-ai",
        "pydantic-ai",
        Pip("pydantic-ai", "pydantic-ai-slim"),
        "with_pydantic_ai.py",
        {
            "openai-chat": Dialect.CHAT,
            "openai-responses": Dialect.RESPONSES,
            "google": Dialect.GEMINI,
            "anthropic": Dialect.MESSAGES,
        },
    ),
)
