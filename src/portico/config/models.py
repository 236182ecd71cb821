"""[[models]]: names that an operator gives to upstream models."""

from collections.abc import Set as AbstractSet
from typing import Any, Final

from portico.catalog import CatalogError, OperatorModel, load_catalog
from portico.config.sources import Sources

KEYS: Final = frozenset({"name", "target"})


def read_models(sources: Sources, entries: list[Any], providers: AbstractSet[str]) -> list[OperatorModel]:
    """`providers`: the names that a target may begin with."""
    models: list[OperatorModel] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        name, target = entry.get("name"), entry.get("target")
        if not isinstance(name, str) or not isinstance(target, str):
            key = "target" if isinstance(name, str) else "name"
            wanted = 'a model needs name = "…" and target = "provider/upstream-model"'
            sources.at("models", key, wanted, index=index)
            continue
        provider = target.partition("/")[0]
        if provider not in providers:
            known = ", ".join(sorted(providers)) or "none"
            sources.at("models", "target", f"there is no provider {provider!r} (configured: {known})", index=index)
            continue
        try:
            load_catalog().with_models([OperatorModel(name, target)])
        except CatalogError as error:
            sources.at("models", "target" if ".target" in error.where else "name", str(error), index=index)
            continue
        models.append(OperatorModel(name, target))
    return models
