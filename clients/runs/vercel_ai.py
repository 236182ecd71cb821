"""The Vercel AI SDK, through each of its packages that speaks one of the four dialects."""

from clients.client import Dialect, Npm
from clients.library import library

CLIENTS = (
    library(
        "vercel-ai",
        "Vercel AI SDK",
        Npm("vercel-ai", "ai"),
        "vercel_ai.mjs",
        {
            "openai-compatible": Dialect.CHAT,
            "openai-chat": Dialect.CHAT,
            "openai-responses": Dialect.RESPONSES,
            "google": Dialect.GEMINI,
            "anthropic": Dialect.MESSAGES,
        },
    ),
)
