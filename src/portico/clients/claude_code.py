"""Claude Code, Anthropic's coding agent. It speaks Messages alone, and reads its environment from its settings."""

from collections.abc import Mapping
from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format, Setting
from portico.clients.told import Api, Told

KEY_VARIABLE: Final = "ANTHROPIC_AUTH_TOKEN"
_OWN: Final = "anthropic"
_TIERS: Final = ("ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL")


def _files(told: Told) -> tuple[File, ...]:
    variables: dict[str, Setting] = {**_variables(told)}
    if told.key is not None:
        variables[KEY_VARIABLE] = told.key
    settings: dict[str, Setting] = {"model": told.model.id, "env": variables}
    return (File(path=".claude/settings.json", format=Format.JSON, settings=settings, secret=told.key is not None),)


def _variables(told: Told) -> Mapping[str, str]:
    """Where another vendor's model is asked, it answers under the names that stand for Claude's, too."""
    variables = {
        "ANTHROPIC_BASE_URL": told.address,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": told.small.id,
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    }
    if told.model.owner == _OWN:
        return variables
    return (
        variables
        | dict.fromkeys(_TIERS, told.model.id)
        | {"CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(told.model.context_tokens)}
    )


def _start(told: Told) -> Argv:
    del told
    return ("claude",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("claude", "-p", prompt)


CLAUDE_CODE = Client(
    name="claude-code",
    title="Claude Code",
    homepage="https://code.claude.com",
    install="npm install -g @anthropic-ai/claude-code",
    tried="2.1.330",
    apis=(Api("messages", "anthropic_messages", "", KEY_VARIABLE),),
    likes=("anthropic", "google"),
    files=_files,
    moved=(Moved("CLAUDE_CONFIG_DIR", ".claude"),),
    start=_start,
    once=_once,
)
