"""Which clients there are, in the order in which they are shown."""

from typing import Final

from portico.clients.aider import AIDER
from portico.clients.claude_code import CLAUDE_CODE
from portico.clients.client import Client
from portico.clients.cline import CLINE
from portico.clients.codex import CODEX
from portico.clients.continue_ import CONTINUE
from portico.clients.gemini_cli import GEMINI_CLI
from portico.clients.llm import LLM
from portico.clients.openclaw import OPENCLAW
from portico.clients.opencode import OPENCODE
from portico.clients.qwen_code import QWEN_CODE

CLIENTS: Final[tuple[Client, ...]] = (
    OPENCLAW,
    CODEX,
    CLAUDE_CODE,
    GEMINI_CLI,
    OPENCODE,
    CLINE,
    CONTINUE,
    QWEN_CODE,
    AIDER,
    LLM,
)


def client_named(name: str) -> Client | None:
    return next((client for client in CLIENTS if client.name == name), None)
