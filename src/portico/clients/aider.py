"""aider, which edits files in pairs with a person. It asks through LiteLLM, which names models by who is asked."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final

from portico.clients.client import Argv, Client
from portico.clients.settings import Begins, File, Format, Members, Owned, Setting, Whole
from portico.clients.told import Api, Card, Told

_MILLION: Final = 1_000_000
_BASE_VARIABLE: Final = "GEMINI_API_BASE="
_MARK: Final = "portico"
"""No model has such a setting, and among those that an entry says its model accepts it does nothing: aider refuses members
of an entry that it does not know, and of this list looks only whether two words are in it (its `models.py`, `main.py`)."""
_SOURCE: Final = "portico connect"
"""What LiteLLM calls where an entry of its list of models is from."""


def _files(told: Told) -> tuple[File, ...]:
    config: dict[str, Setting] = {
        "model": _name(told.model, told),
        "weak-model": _name(told.small, told),
    }
    if told.api.name == "gemini":
        config["set-env"] = Owned(ours=Begins("", _BASE_VARIABLE), items=(_BASE_VARIABLE + told.address,))
        if told.key is not None:
            config["api-key"] = Owned(ours=Begins("", "gemini="), items=("gemini=" + told.key,))
    else:
        config["openai-api-base"] = told.address
        if told.key is not None:
            config["openai-api-key"] = told.key
    return (
        File(path=".aider.conf.yml", format=Format.YAML, settings=config, secret=told.key is not None),
        File(
            path=".aider.model.settings.yml",
            format=Format.YAML,
            settings=Owned(
                key="name", ours=_is_ours, yields=True, items=tuple(_settings(card, told) for card in told.models)
            ),
        ),
        File(
            path=".aider.model.metadata.json",
            format=Format.JSON,
            settings=Members(
                members={_name(card, told): Whole(_metadata(card, told)) for card in told.models}, ours=_ours
            ),
        ),
    )


def _name(card: Card, told: Told) -> str:
    return f"{told.api.name}/{card.id}"


def _settings(card: Card, told: Told) -> dict[str, Setting]:
    """How the model is to write its edits: aider has whole files rewritten by models that it does not know."""
    return {
        "name": _name(card, told),
        "edit_format": "diff-fenced" if card.owner == "google" else "diff",
        "weak_model_name": _name(told.small, told),
        "use_repo_map": True,
        "use_temperature": not card.thinks,
        "accepts_settings": ("reasoning_effort", _MARK) if card.thinks else (_MARK,),
    }


def _is_ours(entry: Any) -> bool:
    accepted = entry.get("accepts_settings") if isinstance(entry, Mapping) else None
    return isinstance(accepted, list) and _MARK in accepted


def _metadata(card: Card, told: Told) -> dict[str, Setting]:
    entry: dict[str, Setting] = {
        "litellm_provider": told.api.name,
        "mode": "chat",
        "max_input_tokens": card.context_tokens,
        "max_output_tokens": card.output_tokens,
        "max_tokens": card.output_tokens,
        "supports_vision": "image" in card.inputs,
        "source": _SOURCE,
    }
    prices = {
        "input_cost_per_token": card.input_usd,
        "cache_read_input_token_cost": card.cached_usd,
        "output_cost_per_token": card.output_usd,
    }
    return entry | {name: _a_token(usd) for name, usd in prices.items() if usd is not None}


def _ours(entries: Mapping[str, Any]) -> AbstractSet[str]:
    return {name for name, one in entries.items() if isinstance(one, Mapping) and one.get("source") == _SOURCE}


def _a_token(usd: Decimal) -> float:
    return float(usd / _MILLION)


def _start(told: Told) -> Argv:
    del told
    return ("aider",)


def _once(told: Told, prompt: str) -> Argv:
    del told
    return ("aider", "--yes-always", "--message", prompt)


AIDER = Client(
    name="aider",
    title="aider",
    homepage="https://aider.chat",
    install="pip install aider-chat",
    tried="0.86.2",
    apis=(
        Api("openai", "openai_chat", "/v1", "OPENAI_API_KEY"),
        Api("gemini", "gemini", "/v1beta", "GEMINI_API_KEY"),
    ),
    files=_files,
    start=_start,
    once=_once,
)
