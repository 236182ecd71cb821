"""LlamaIndex on Chat Completions, with the LLM that it has for servers like OpenAI's."""

from clients.client import Dialect, Pip
from clients.library import library

CLIENTS = (
    library(
        "llama-index",
        "LlamaIndex",
        Pip("llama-index", "llama-index-llms-openai-like"),
        "with_llama_index.py",
        {"openai-like": Dialect.CHAT},
    ),
)
