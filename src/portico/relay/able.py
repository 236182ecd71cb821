"""Which models a dialect's calls make sense for: whoever asks for a picture is told at once that a model makes none."""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Final

from portico.catalog import Model
from portico.core.dialect import Demands
from portico.core.errors import UnsupportedParameter
from portico.core.target import Capabilities
from portico.routing import Deployment

MOST_NAMED = 5
EMBEDS: Final = Demands(makes="embedding")
_MADE = {"image": "images", "audio": "speech", "embedding": "embeddings", "text": "text"}
_TAKEN = {"audio": "audio", "image": "images"}


def require_able(
    demands: Demands, model: Model, at: Sequence[Deployment], served: Callable[[], Iterable[Model]], param: str | None
) -> None:
    """Raises `UnsupportedParameter` if the model can nowhere (`at`: where it is served) do what is demanded, and names the
    newest of those served that can."""
    if any(is_able(one.capabilities, demands) for one in at) or is_able(model.capabilities, demands):
        return
    able = [
        one
        for one in served()
        if is_able(one.capabilities, demands) and one.capabilities.judged and one.successor is None
    ]
    lacks = _MADE.get(demands.makes, demands.makes)
    says = f"{model.name} does not make {lacks}"
    if demands.alone and demands.makes in model.capabilities.output_modalities:
        says = f"{model.name} answers, in {lacks} too, and does not read"
    elif demands.makes in model.capabilities.output_modalities:
        says = f"{model.name} does not take {_TAKEN.get(demands.takes, demands.takes)}"
    named = f" Models that do: {', '.join([one.name for one in _in_turns(able)[:MOST_NAMED]])}." if able else ""
    raise UnsupportedParameter(f"{says}.{named}", param=param)


def _in_turns(models: Iterable[Model]) -> list[Model]:
    """The models of each vendor in turn, its newest first as the catalog has them: not every day of release is known."""
    by_vendor: dict[str, list[Model]] = {}
    for model in models:
        by_vendor.setdefault(model.vendor, []).append(model)
    return [one for turn in zip_longest(*by_vendor.values()) for one in turn if one is not None]


def is_able(able: Capabilities, demands: Demands) -> bool:
    """Whether a model can do this, as far as anybody knows."""
    if not able.judged:
        return True
    makes = able.output_modalities
    fits = makes == {demands.makes} if demands.alone else demands.makes in makes
    return fits and demands.takes in able.input_modalities
