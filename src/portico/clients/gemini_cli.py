"""Gemini CLI, Google's coding agent. It speaks Gemini's own API alone."""

from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import File, Format, Setting
from portico.clients.told import Api, Told

KEY_VARIABLE: Final = "GEMINI_API_KEY"


def _files(told: Told) -> tuple[File, ...]:
    settings: dict[str, Setting] = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "model": {"name": told.model.id},
    }
    variables: dict[str, Setting] = {"GOOGLE_GEMINI_BASE_URL": told.address}
    if told.key is not None:
        variables[KEY_VARIABLE] = told.key
    return (
        File(path=".gemini/settings.json", format=Format.JSON, settings=settings),
        File(path=".gemini/.env", format=Format.ENV, settings=variables, secret=told.key is not None),
    )


def _start(told: Told) -> Argv:
    del told
    return ("gemini",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("gemini", "--skip-trust", "-p", prompt)


GEMINI_CLI = Client(
    name="gemini-cli",
    title="Gemini CLI",
    homepage="https://geminicli.com",
    install="npm install -g @google/gemini-cli",
    tried="0.61.0",
    apis=(Api("gemini", "gemini", "", KEY_VARIABLE),),
    files=_files,
    shell_first=True,
    moved=(Moved("GEMINI_CLI_HOME", ""),),
    start=_start,
    once=_once,
)
