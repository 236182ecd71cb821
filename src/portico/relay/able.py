"""Which models a dialect's calls make sense for: whoever asks for a picture is told at once that a model makes none."""

from collections.abc import Callable, Iterable
from datetime import date

from portico.catalog import Model
from portico.core.dialect import Demands, Dialect
from portico.core.errors import UnsupportedParameter

MOST_NAMED = 5
_MADE = {"image": "images", "audio": "speech", "embedding": "embeddings", "text": "text"}
_TAKEN = {"audio": "audio", "image": "images"}


def require_able(dialect: Dialect, model: Model, served: Callable[[], Iterable[Model]], param: str | None) -> None:
    """Raises `UnsupportedParameter` if the model cannot do what calls of the dialect ask for, and names the newest of those
    served that can."""
    demands = dialect.demands
    if demands is None or is_able(model, demands):
        return
    able = [one for one in served() if is_able(one, demands) and one.capabilities.judged and one.successor is None]
    able.sort(key=lambda one: (one.created or date.min, one.name), reverse=True)
    lacks = _MADE.get(demands.makes, demands.makes)
    says = f"{model.name} does not make {lacks}"
    if demands.makes in model.capabilities.output_modalities:
        says = f"{model.name} does not take {_TAKEN.get(demands.takes, demands.takes)}"
    named = f" Models that do: {', '.join([one.name for one in able[:MOST_NAMED]])}." if able else ""
    raise UnsupportedParameter(f"{says}.{named}", param=param)


def is_able(model: Model, demands: Demands) -> bool:
    """Whether a model can do this, as far as anybody knows."""
    able = model.capabilities
    if not able.judged:
        return True
    return demands.makes in able.output_modalities and demands.takes in able.input_modalities
