"""LiteLLM as a client, through its routes to three vendors' dialects. It is told not to look for prices elsewhere."""

from clients.client import Dialect, Pip
from clients.library import library

CLIENTS = (
    library(
        "litellm",
        "LiteLLM",
        Pip("litellm", "litellm"),
        "with_litellm.py",
        {"openai": Dialect.CHAT, "gemini": Dialect.GEMINI, "anthropic": Dialect.MESSAGES},
        LITELLM_LOCAL_MODEL_COST_MAP="True",
    ),
)
