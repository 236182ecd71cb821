"""What OpenAI-shaped rows of models tell beside OpenAI's own members: title, prices, thinking.

The names are those that OpenRouter's list made common, since programs that show models read them: `name`, `pricing`
(dollars per token, as strings), `reasoning` (efforts, the highest first), `supported_parameters`.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, Final, TypeAlias

from portico.catalog import Model, ModelKind, PriceKind, Rates, rate_of, usd_of_nanos
from portico.catalog.thinking import efforts_of
from portico.core.target import Capabilities

RatesOf: TypeAlias = Callable[[Model, date], Rates | None]
"""What a call of a model that begins on a day is charged by; None where nobody serves it."""

_DECIMALS: Final = 15
"""A whole number of nano-dollars for a million tokens has so many in dollars for one."""
_SAMPLING: Final = ("temperature", "top_p")


def beside(model: Model, rates: Rates | None = None) -> dict[str, Any]:
    """What a row tells beside OpenAI's members, the title excepted."""
    able = model.capabilities
    told = {
        "kind": str(model.kind),
        "pricing": None if rates is None else pricing(rates, able),
        "reasoning": reasoning(able),
        "supported_parameters": parameters(able) if model.kind is ModelKind.CHAT else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def reasoning(able: Capabilities) -> dict[str, Any] | None:
    """How a model's thinking is steered; None for one that does not think, or cannot be told how."""
    spec = able.thinking
    efforts = efforts_of(spec)
    if not efforts:
        return None
    told: dict[str, Any] = {
        "mandatory": not spec.can_disable,
        "default_enabled": spec.on_by_default,
        "supported_efforts": list(reversed(efforts)),
    }
    return told | ({"default_effort": spec.default} if spec.default in efforts else {})


def parameters(able: Capabilities) -> list[str]:
    """What of Chat Completions has an effect on a model, by name."""
    wanted = {
        "max_tokens": True,
        "stop": able.stop_max > 0,
        **dict.fromkeys(_SAMPLING, able.sampling),
        "seed": able.seed,
        "tools": able.tools,
        "tool_choice": able.tools,
        "response_format": able.json_mode,
        "structured_outputs": able.json_schema,
        "reasoning_effort": bool(efforts_of(able.thinking)),
        "verbosity": able.verbosity,
    }
    return [name for name, holds in wanted.items() if holds]


def pricing(rates: Rates, able: Capabilities) -> dict[str, str] | None:
    """What a token costs, of a prompt that is short and at the standard tier; None where no price is known.

    Sound and pictures have members of their own where they cost something else than text.
    """
    if rates.free:
        return {"prompt": "0", "completion": "0"}
    if not rates.known:
        return None
    told: dict[str, str] = {}

    def tell(name: str, kind: PriceKind, modality: str, *, cached: bool = False) -> None:
        row = rate_of(rates.sale, kind, modality, cached=cached)
        if row is not None:
            told[name] = _per_token(row.rate_nanos, rates.markup_permille)

    spoken = able.output_modalities
    tell("prompt", PriceKind.INPUT, "text")
    tell("completion", PriceKind.OUTPUT, "text" if "text" in spoken or not spoken else min(spoken))
    tell("input_cache_read", PriceKind.INPUT, "text", cached=True)
    tell("input_cache_write", PriceKind.CACHE_WRITE, "text")
    for modality in sorted(able.input_modalities & {"audio"}):
        tell(modality, PriceKind.INPUT, modality)
    for modality in sorted(spoken & {"audio", "image"}):
        tell(f"{modality}_output", PriceKind.OUTPUT, modality)
    return told or None


def _per_token(nanos_per_mtok: int, markup_permille: int) -> str:
    """Dollars for one token, the markup on it as it is charged, rounded up where that is not whole."""
    return usd_of_nanos(-(-nanos_per_mtok * markup_permille // 1000), _DECIMALS)
