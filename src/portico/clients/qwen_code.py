"""Qwen Code, a coding agent. Its models stand in one list for each protocol, and are ours by the variable of their key."""

from collections.abc import Mapping
from typing import Any, Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format, Owned, Setting
from portico.clients.told import KEY_VARIABLE, Api, Card, Told

_MODALITIES: Final = {"image": "image", "audio": "audio", "video": "video", "document": "pdf"}


def _files(told: Told) -> tuple[File, ...]:
    models = tuple(_model(card, told) for card in told.models)
    config = File(
        path=".qwen/settings.json",
        format=Format.JSON,
        settings={
            "modelProviders": {"openai": Owned(key="id", ours=_is_ours, items=models)},
            "security": {"auth": {"selectedType": "openai"}},
            "model": {"name": told.model.id},
        },
    )
    if told.key is None:
        return (config,)
    return config, File(path=".qwen/.env", format=Format.ENV, settings={KEY_VARIABLE: told.key}, secret=True)


def _is_ours(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("envKey") == KEY_VARIABLE


def _model(card: Card, told: Told) -> dict[str, Setting]:
    return {
        "id": card.id,
        "name": card.title,
        "baseUrl": told.address,
        "envKey": KEY_VARIABLE,
        "generationConfig": {
            "contextWindowSize": card.context_tokens,
            "modalities": {_MODALITIES[word]: True for word in card.inputs if word in _MODALITIES},
        },
    }


def _start(told: Told) -> Argv:
    del told
    return ("qwen",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("qwen", "-p", prompt)


QWEN_CODE = Client(
    name="qwen-code",
    title="Qwen Code",
    homepage="https://qwenlm.github.io/qwen-code-docs",
    install="npm install -g @qwen-code/qwen-code",
    tried="0.24.4",
    apis=(Api("openai", "openai_chat", "/v1"),),
    files=_files,
    shell_first=True,
    moved=(Moved("QWEN_HOME", ".qwen"),),
    start=_start,
    once=_once,
)
