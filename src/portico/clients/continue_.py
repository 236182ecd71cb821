"""Continue, an assistant in editors and in the terminal (`cn`), which share one file.

The first model of the file that may chat is the one that is asked where nobody chose (its `config.ts`): the default comes
there under a name of its own, above models of others, and keeps its place when it becomes another. Pointed at OpenAI's
dialect, `cn` asks for models named like GPT-5 in Responses and for the others in Chat Completions, whatever the file says.
Gemini's address it reads from the environment alone.
"""

from collections.abc import Mapping
from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import Begins, Default, File, Format, Owned, Setting
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
            "models": Owned(
                key="name",
                ours=Begins("name", _MARK),
                items=(_model(told.model, told, "default"), *(_model(card, told) for card in told.models)),
                first=True,
            ),
        },
    )
    if told.key is None:
        return (config,)
    return config, File(path=".continue/.env", format=Format.ENV, settings={KEY_VARIABLE: told.key}, secret=True)


def _model(card: Card, told: Told, name: str = "") -> dict[str, Setting]:
    return {
        "name": _MARK + (name or card.title),
        "provider": told.api.name,
        "model": card.id,
        "apiBase": f"{told.address}/",  # paths are resolved against it: without the slash its last part goes
        "apiKey": "${{ secrets." + KEY_VARIABLE + " }}",
        "roles": ("chat", "edit", "apply", "summarize"),
        **({"useResponsesApi": False} if told.api.dialect == "openai_chat" else {}),
        "capabilities": ("tool_use", "image_input") if "image" in card.inputs else ("tool_use",),
        "defaultCompletionOptions": {
            "contextLength": card.context_tokens,
            "maxTokens": min(card.output_tokens, LONGEST_ANSWER),
        },
    }


def _environment(told: Told) -> Mapping[str, str]:
    return {"GOOGLE_GEMINI_BASE_URL": told.base_url} if told.api.name == "gemini" else {}


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
    apis=(
        Api("openai", "openai_chat", "/v1"),
        Api("anthropic", "anthropic_messages", "/v1"),
        Api("gemini", "gemini", "/v1beta"),
    ),
    files=_files,
    shell_first=True,
    environment=_environment,
    moved=(Moved("CONTINUE_GLOBAL_DIR", ".continue"),),
    start=_start,
    once=_once,
)
