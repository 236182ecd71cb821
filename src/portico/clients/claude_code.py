"""Claude Code, Anthropic's coding agent. It speaks Messages alone, and reads its environment from its settings."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format, Members, Setting
from portico.clients.told import Api, Told

KEY_VARIABLE: Final = "ANTHROPIC_AUTH_TOKEN"
_OWN: Final = "anthropic"
_TIERS: Final = ("ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL")
_CONTEXT: Final = "CLAUDE_CODE_MAX_CONTEXT_TOKENS"


def _files(told: Told) -> tuple[File, ...]:
    variables = _variables(told)
    if told.key is not None:
        variables[KEY_VARIABLE] = told.key
    settings: dict[str, Setting] = {
        "model": told.model.id,
        "env": Members(members=variables, ours=_Ours(tuple(variables))),
    }
    return (File(path=".claude/settings.json", format=Format.JSON, settings=settings, secret=told.key is not None),)


def _variables(told: Told) -> dict[str, Setting]:
    """Where another vendor's model is asked, it answers under the names that stand for Claude's, too."""
    variables: dict[str, Setting] = {
        "ANTHROPIC_BASE_URL": told.address,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": told.small.id,
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    }
    if told.model.owner != _OWN:
        variables |= dict.fromkeys(_TIERS, told.model.id) | {_CONTEXT: str(told.model.context_tokens)}
    return variables


class _Ours(msgspec.Struct, frozen=True):
    """What this choice writes, whoever wrote it before; and the names under which an earlier one answered for Claude's: all
    of them there, and one model in both tiers, as nobody but this command writes them."""

    written: tuple[str, ...]

    def __call__(self, held: Mapping[str, Any]) -> AbstractSet[str]:
        opus, sonnet = (held.get(name) for name in _TIERS)
        stood_in = opus is not None and opus == sonnet and _CONTEXT in held
        return {*self.written, *_TIERS, _CONTEXT} if stood_in else set(self.written)


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
