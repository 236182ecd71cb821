"""The clients that are tried, in the order of the table: every module of `runs/` has some in its `CLIENTS`."""

import importlib
import pkgutil
from typing import Final

from clients import runs
from clients.client import Client

_ORDER: Final = (
    "openclaw",
    "codex",
    "claude-code",
    "gemini-cli",
    "opencode",
    "cline",
    "continue",
    "qwen-code",
    "aider",
    "llm",
    "llm-gemini",
)
"""What stands first; the others follow by name."""


def all_clients() -> dict[str, Client]:
    found: list[Client] = []
    for module in pkgutil.iter_modules(runs.__path__):
        found += importlib.import_module(f"{runs.__name__}.{module.name}").CLIENTS
    found.sort(key=lambda client: (_ORDER.index(client.name) if client.name in _ORDER else len(_ORDER), client.name))
    return {client.name: client for client in found}
