"""llm, a command that asks models. It reads lists of models that others serve, and keeps keys by name.

Its folder is that of `click.get_app_dir`, which heeds XDG_CONFIG_HOME everywhere but on macOS and Windows.
"""

from typing import Final

from portico.clients.client import Argv, Client, Moved
from portico.clients.settings import Begins, File, Format, Owned, Setting
from portico.clients.told import Api, Card, Told

_FOLDER: Final = ".config/io.datasette.llm"
_MARK: Final = "portico/"
_KEY: Final = "portico"
_INSTEAD: Final = "OPENAI_API_KEY"
"""Where it looks for any key that its `keys.json` does not have."""


def _files(told: Told) -> tuple[File, ...]:
    models = File(
        path=f"{_FOLDER}/extra-openai-models.yaml",
        format=Format.YAML,
        settings=Owned(
            key="model_id", ours=Begins("model_id", _MARK), items=tuple(_model(card, told) for card in told.models)
        ),
    )
    if told.key is None:
        return (models,)
    return models, File(path=f"{_FOLDER}/keys.json", format=Format.JSON, settings={_KEY: told.key}, secret=True)


def _model(card: Card, told: Told) -> dict[str, Setting]:
    entry: dict[str, Setting] = {
        "model_id": _MARK + card.id,
        "model_name": card.id,
        "api_base": told.address,
        "api_key_name": _KEY,
        "supports_tools": True,
        "supports_schema": True,
    }
    able = {"vision": "image" in card.inputs, "audio": "audio" in card.inputs, "reasoning": card.thinks}
    if told.api.dialect == "openai_responses":
        able["responses"] = True
    return entry | {name: True for name, holds in able.items() if holds}


def _start(told: Told) -> Argv:
    return ("llm", "chat", "-m", _MARK + told.model.id)


def _once(told: Told, prompt: str) -> Argv:
    return ("llm", "-m", _MARK + told.model.id, prompt)


LLM = Client(
    name="llm",
    title="llm",
    homepage="https://llm.datasette.io",
    install="pip install llm",
    tried="0.36",
    apis=(
        Api("chat", "openai_chat", "/v1", _INSTEAD),
        Api("responses", "openai_responses", "/v1", _INSTEAD),
    ),
    files=_files,
    key_command="llm keys set portico",
    moved=(Moved("LLM_USER_PATH", _FOLDER), Moved("XDG_CONFIG_HOME", ".config", unheard_on=("darwin",))),
    homes={"darwin": (_FOLDER, "Library/Application Support/io.datasette.llm")},
    start=_start,
    once=_once,
)
