"""What must hold between the entries of a data file, beyond the shape of each. Every check raises CatalogError."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from portico.catalog.errors import CatalogError
from portico.catalog.model import Model
from portico.catalog.names import check_name
from portico.catalog.thinking import EFFORTS
from portico.core.target import ThinkingControl, ThinkingSpec

T = TypeVar("T")


def looked_up(table: Mapping[Any, T], name: object, where: str, what: str) -> T:
    if name not in table:
        raise CatalogError(where, f"{name!r} is not {what}; there are {', '.join(map(str, table))}")
    return table[name]


def check_thinking(spec: ThinkingSpec, where: str) -> None:
    """Every effort has an answer, and no answer is one that the model would refuse."""
    if spec.control is ThinkingControl.NONE:
        raise CatalogError(f"{where}.control", "a model that cannot be steered needs no table")
    if tuple(spec.effort) != EFFORTS:
        raise CatalogError(f"{where}.effort", f"must name {', '.join(EFFORTS)}, in this order")
    if spec.control is ThinkingControl.LEVEL:
        for effort, level in spec.effort.items():
            if level not in spec.levels and not (level == 0 and spec.can_disable):
                raise CatalogError(f"{where}.effort.{effort}", f"{level!r} is not one of {spec.levels}")
        if spec.default is not None and spec.default not in spec.levels:
            raise CatalogError(f"{where}.default", f"{spec.default!r} is not one of {spec.levels}")
        return
    for effort, budget in spec.effort.items():
        off = budget == 0 and spec.can_disable
        if not (off or (isinstance(budget, int) and spec.min_budget <= budget <= spec.max_budget)):
            raise CatalogError(
                f"{where}.effort.{effort}", f"{budget!r} is not within {spec.min_budget}..{spec.max_budget}"
            )
    if spec.default not in ("dynamic", "off"):
        raise CatalogError(f"{where}.default", f"{spec.default!r} is neither 'dynamic' nor 'off'")


def check_names(file: str, models: Iterable[Model]) -> None:
    """No name means two things, and each can be the address of a page."""
    taken: dict[str, str] = {}
    for model in models:
        for name in (model.name, *model.aliases):
            where = f"{file}: models.{model.name}" + (".aliases" if name != model.name else "")
            check_name(name, where)
            if (holder := taken.setdefault(name.casefold(), model.name)) != model.name:
                raise CatalogError(where, f"{name!r} already means {holder}")


def check_successors(file: str, models: Mapping[str, Model]) -> None:
    for model in models.values():
        seen = [model.name]
        current = model
        while current.successor is not None:
            where = f"{file}: models.{current.name}.successor"
            current = looked_up(models, current.successor, where, "a model")
            if current.name in seen:
                raise CatalogError(where, f"goes in a circle: {' -> '.join([*seen, current.name])}")
            seen.append(current.name)
