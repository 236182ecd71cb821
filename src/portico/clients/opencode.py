"""OpenCode, a coding agent. It asks through packages of the AI SDK, of which those for four dialects are built in."""

from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format, Setting, Whole
from portico.clients.told import KEY_VARIABLE, Api, Card, Told, number

_INPUTS: Final = {"text": "text", "image": "image", "audio": "audio", "video": "video", "document": "pdf"}


def _files(told: Told) -> tuple[File, ...]:
    provider: dict[str, Setting] = {
        "npm": f"@ai-sdk/{told.api.name}",
        "name": "Portico",
        "env": (KEY_VARIABLE,),
        "options": {"baseURL": told.address},
        "models": Whole({card.id: _model(card) for card in told.models}),
    }
    config = File(
        path=".config/opencode/opencode.json",
        others=(".config/opencode/opencode.jsonc",),
        format=Format.JSON,
        settings={
            "model": f"portico/{told.model.id}",
            "small_model": f"portico/{told.small.id}",
            "provider": {"portico": provider},
        },
    )
    if told.key is None:
        return (config,)
    login = {"portico": {"type": "api", "key": told.key}}
    return config, File(path=".local/share/opencode/auth.json", format=Format.JSON, settings=login, secret=True)


def _model(card: Card) -> dict[str, Setting]:
    inputs = tuple(_INPUTS[word] for word in card.inputs if word in _INPUTS)
    entry: dict[str, Setting] = {
        "name": card.title,
        "attachment": len(inputs) > 1,
        "reasoning": card.thinks,
        "tool_call": True,
        "limit": {"context": card.context_tokens, "output": card.output_tokens},
        "modalities": {"input": inputs, "output": ("text",)},
    }
    if card.input_usd is not None and card.output_usd is not None:
        cost: dict[str, Setting] = {"input": number(card.input_usd), "output": number(card.output_usd)}
        if card.cached_usd is not None:
            cost["cache_read"] = number(card.cached_usd)
        if card.cache_write_usd is not None:
            cost["cache_write"] = number(card.cache_write_usd)
        entry["cost"] = cost
    return entry


def _start(told: Told) -> Argv:
    del told
    return ("opencode",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("opencode", "run", prompt)


OPENCODE = Client(
    name="opencode",
    title="OpenCode",
    homepage="https://opencode.ai",
    install="npm install -g opencode-ai",
    tried="1.18.33",
    apis=(
        Api("openai-compatible", "openai_chat", "/v1"),
        Api("openai", "openai_responses", "/v1"),
        Api("anthropic", "anthropic_messages", "/v1"),
        Api("google", "gemini", "/v1beta"),
    ),
    files=_files,
    moved=(
        Moved("OPENCODE_CONFIG", ".config/opencode/opencode.json"),
        Moved("XDG_CONFIG_HOME", ".config"),
        Moved("XDG_DATA_HOME", ".local/share"),
    ),
    start=_start,
    once=_once,
)
