"""Codex, OpenAI's coding agent. It speaks Responses alone."""

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format
from portico.clients.told import KEY_VARIABLE, Api, Told


def _files(told: Told) -> tuple[File, ...]:
    provider = {
        "name": "Portico",
        "base_url": told.address,
        "env_key": KEY_VARIABLE,
        "wire_api": "responses",
    }
    config = File(
        path=".codex/config.toml",
        format=Format.TOML,
        settings={
            "model": told.model.id,
            "model_provider": "portico",
            "model_context_window": told.model.context_tokens,
            "model_providers": {"portico": provider},
        },
    )
    if told.key is None:
        return (config,)
    return config, File(path=".codex/.env", format=Format.ENV, settings={KEY_VARIABLE: told.key}, secret=True)


def _start(told: Told) -> Argv:
    del told
    return ("codex",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("codex", "exec", "--skip-git-repo-check", prompt)


CODEX = Client(
    name="codex",
    title="Codex",
    homepage="https://developers.openai.com/codex",
    install="npm install -g @openai/codex",
    tried="0.169.0",
    apis=(Api("responses", "openai_responses", "/v1"),),
    likes=("openai", "google"),
    files=_files,
    moved=(Moved("CODEX_HOME", ".codex"),),
    start=_start,
    once=_once,
)
