"""Continue, an assistant in editors and in the terminal (`cn`), which share one file."""

from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import Default, File, Format, Owned, Setting
from portico.clients.told import KEY_VARIABLE, LONGEST_ANSWER, Api, Card, Told

_MARK: Final = "Portico: "


def _files(told: Told) -> tuple[File, ...]:
    config = File(
        path=".continue/config.yaml",
        format=Format.YAML,
        settings={
            "name": Default("Assistant"),
            "version": Default("1.0.0"),
            "schema": Default("v1"),
            "models": Owned("name", _MARK, tuple(_model(card, told) for card in told.models)),
        },
    )
    if told.key is None:
        return (config,)
    return config, File(path=".continue/.env", format=Format.ENV, settings={KEY_VARIABLE: told.key}, secret=True)


def _model(card: Card, told: Told) -> dict[str, Setting]:
    return {
        "name": _MARK + card.title,
        "provider": "openai",
        "model": card.id,
        "apiBase": told.address,
        "apiKey": "${{ secrets." + KEY_VARIABLE + " }}",
        "useResponsesApi": told.api.dialect == "openai_responses",
        "roles": ("chat", "edit", "apply", "summarize"),
        "capabilities": ("tool_use", "image_input") if "image" in card.inputs else ("tool_use",),
        "defaultCompletionOptions": {
            "contextLength": card.context_tokens,
            "maxTokens": min(card.output_tokens, LONGEST_ANSWER),
        },
    }


def _start(told: Told) -> Argv:
    del told
    return ("cn",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("cn", "-p", prompt)


CONTINUE = Client(
    name="continue",
    title="Continue",
    homepage="https://continue.dev",
    install="npm install -g @continuedev/cli",
    tried="1.5.47",
    apis=(Api("chat", "openai_chat", "/v1"), Api("responses", "openai_responses", "/v1")),
    files=_files,
    moved=(Moved("CONTINUE_GLOBAL_DIR", ".continue"),),
    start=_start,
    once=_once,
)
