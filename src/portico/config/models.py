"""[[models]]: names that an operator gives to upstream models."""

from collections.abc import Set as AbstractSet
from typing import Any, Final

from portico.catalog import CatalogError, OperatorModel, load_catalog
from portico.config.problems import meant, nearest
from portico.config.sources import Sources

KEYS: Final = frozenset({"name", "target", "weight", "priority", "fallbacks"})
HEAVIEST: Final = 1_000_000


def read_models(sources: Sources, entries: list[Any], providers: AbstractSet[str]) -> list[OperatorModel]:
    """`providers`: the names that a target may begin with."""
    models: list[OperatorModel] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        name, target, fallbacks = entry.get("name"), entry.get("target"), entry.get("fallbacks", [])
        if not isinstance(name, str) or not (isinstance(target, str) or (target is None and fallbacks)):
            key = "target" if isinstance(name, str) else "name"
            wanted = 'a model needs name = "…" and target = "provider/upstream-model", or fallbacks = ["…"]'
            sources.at("models", key, wanted, index=index)
            continue
        if (numbers := _numbers(sources, entry, index)) is None:
            continue
        if not isinstance(fallbacks, list) or not all(isinstance(one, str) for one in fallbacks):
            sources.at("models", "fallbacks", 'expected names of models, such as ["gemini-2.5-flash"]', index=index)
            continue
        provider = None if target is None else target.partition("/")[0]
        if provider is not None and provider not in providers:
            sources.at(
                "models", "target", f"there is no provider {provider!r}{nearest(provider, providers)}", index=index
            )
            continue
        try:
            made = OperatorModel(name, target, *numbers, tuple(fallbacks))
            load_catalog().with_models([*[one for one in models if one.name == name], made])
        except CatalogError as error:
            sources.at("models", "target" if ".target" in error.where else "name", error.message, index=index)
            continue
        models.append(made)
    _check_fallbacks(sources, models)
    return models


def _numbers(sources: Sources, entry: dict[str, Any], index: int) -> tuple[int, int] | None:
    """(weight, priority) of an entry; None if one of them is wrong, which is said."""
    weight, priority = entry.get("weight", 1), entry.get("priority", 0)
    for key, value in (("weight", weight), ("priority", priority)):
        if type(value) is not int or not 0 <= value <= HEAVIEST:
            sources.at("models", key, f"expected a whole number from 0 to {HEAVIEST}, found {value!r}", index=index)
            return None
    return weight, priority


def _check_fallbacks(sources: Sources, models: list[OperatorModel]) -> None:
    """A fallback is a model that there is, the file's own among them."""
    catalog = load_catalog().with_models(models)
    for index, model in enumerate(models):
        for name in model.fallbacks:
            if catalog.known(name) is None:
                message = f"there is no model {name!r}{meant(name, catalog.models)}"
                sources.at("models", "fallbacks", message, index=index)
