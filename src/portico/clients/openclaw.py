"""OpenClaw, a personal agent. It speaks four dialects, for a provider or for each of its models."""

from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format, Setting
from portico.clients.told import KEY_VARIABLE, LONGEST_ANSWER, Api, Card, Told, number

_CHAT: Final = Api("openai-completions", "openai_chat", "/v1")
_RESPONSES: Final = Api("openai-responses", "openai_responses", "/v1")
_MESSAGES: Final = Api("anthropic-messages", "anthropic_messages", "")
_GEMINI: Final = Api("google-generative-ai", "gemini", "/v1beta")
_OWN: Final = Api("own-apis", "", "/v1")
"""The provider speaks `openai-completions`, and the models of three vendors say otherwise."""

_OF_VENDOR: Final = {"openai": _RESPONSES, "anthropic": _MESSAGES, "google": _GEMINI}
_INPUTS: Final = ("text", "image", "video", "audio")
_EFFORTS_UNTIL_HIGH: Final = frozenset({"none", "minimal", "low", "medium", "high"})


def _files(told: Told) -> tuple[File, ...]:
    own = told.api.name == _OWN.name
    provider: dict[str, Setting] = {
        "baseUrl": told.address,
        "apiKey": "${" + KEY_VARIABLE + "}",
        "api": _CHAT.name if own else told.api.name,
        "models": tuple(
            _model(card, told, _OF_VENDOR.get(card.owner, _CHAT) if own else told.api) for card in told.models
        ),
    }
    config = File(
        path=".openclaw/openclaw.json",
        format=Format.JSON,
        settings={
            "models": {"mode": "merge", "providers": {"portico": provider}},
            "agents": {"defaults": {"model": {"primary": f"portico/{told.model.id}"}}},
        },
    )
    if told.key is None:
        return (config,)
    return config, File(path=".openclaw/.env", format=Format.ENV, settings={KEY_VARIABLE: told.key}, secret=True)


def _model(card: Card, told: Told, api: Api) -> dict[str, Setting]:
    entry: dict[str, Setting] = {"id": card.id, "name": card.title}
    if told.api.name == _OWN.name and api is not _CHAT:
        entry |= {"api": api.name, "baseUrl": told.base_url + api.path}
    entry |= {
        "reasoning": card.thinks,
        "input": tuple(word for word in _INPUTS if word in card.inputs),
        "contextWindow": card.context_tokens,
        "maxTokens": min(card.output_tokens, LONGEST_ANSWER),
    }
    if card.input_usd is not None and card.output_usd is not None:
        entry["cost"] = {
            "input": number(card.input_usd),
            "output": number(card.output_usd),
            "cacheRead": number(card.cached_usd if card.cached_usd is not None else card.input_usd),
            "cacheWrite": number(card.cache_write_usd if card.cache_write_usd is not None else card.input_usd),
        }
    if card.thinks and api.dialect == _CHAT.dialect:
        compat: dict[str, Setting] = {"supportsReasoningEffort": True}
        if not _EFFORTS_UNTIL_HIGH.issuperset(card.efforts):
            compat["supportedReasoningEfforts"] = card.efforts
        entry["compat"] = compat
    return entry


def _start(told: Told) -> Argv:
    del told
    return ("openclaw",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("openclaw", "agent", "exec", prompt)


OPENCLAW = Client(
    name="openclaw",
    title="OpenClaw",
    homepage="https://openclaw.ai",
    install="npm install -g openclaw",
    tried="2026.9.6",
    apis=(_CHAT, _RESPONSES, _MESSAGES, _GEMINI, _OWN),
    files=_files,
    shell_first=True,
    moved=(
        Moved("OPENCLAW_CONFIG_PATH", ".openclaw/openclaw.json"),
        Moved("OPENCLAW_STATE_DIR", ".openclaw"),
        Moved("OPENCLAW_HOME", ""),
    ),
    start=_start,
    once=_once,
)
