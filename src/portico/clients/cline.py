"""Cline, a coding agent. Its command writes the same file (`cline auth`), which is plain JSON and its own secret store.

`cline auth` takes an address for OpenAI's dialects only; the file may have one for each of its providers, and is heeded.
"""

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import Default, File, Format, Setting
from portico.clients.told import LONGEST_ANSWER, Api, Told


def _files(told: Told) -> tuple[File, ...]:
    provider = told.api.name
    settings: dict[str, Setting] = {
        "provider": provider,
        "model": told.model.id,
        "baseUrl": told.address,
        "contextWindow": told.model.context_tokens,
        "maxTokens": min(told.model.output_tokens, LONGEST_ANSWER),
    }
    if told.key is not None:
        settings["apiKey"] = told.key
    entry: dict[str, Setting] = {
        "settings": settings,
        "updatedAt": Default("2026-01-01T00:00:00.000Z"),
        "tokenSource": "manual",
    }
    return (
        File(
            path=".cline/data/settings/providers.json",
            format=Format.JSON,
            settings={
                "version": Default(1),
                "lastUsedProvider": provider,
                "modes": Default({}),
                "providers": {provider: entry},
            },
            secret=True,
        ),
    )


def _start(told: Told) -> Argv:
    del told
    return ("cline",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("cline", prompt)


CLINE = Client(
    name="cline",
    title="Cline",
    homepage="https://cline.bot",
    install="npm install -g cline",
    tried="3.0.65",
    apis=(
        Api("openai-compatible", "openai_chat", "/v1", "OPENAI_API_KEY"),
        Api("openai-native", "openai_responses", "/v1", "OPENAI_API_KEY"),
        Api("anthropic", "anthropic_messages", "/v1", "ANTHROPIC_API_KEY"),
        Api("gemini", "gemini", "/v1beta", "GEMINI_API_KEY"),
    ),
    files=_files,
    moved=(
        Moved("CLINE_PROVIDER_SETTINGS_PATH", ".cline/data/settings/providers.json"),
        Moved("CLINE_DATA_DIR", ".cline/data"),
        Moved("CLINE_DIR", ".cline"),
    ),
    start=_start,
    once=_once,
)
