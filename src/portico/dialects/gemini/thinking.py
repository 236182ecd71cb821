"""Effort, budget or level -> thinkingConfig for a model (mapping.md 1.7 and the first row of 9).

Which control a model has, and what each effort becomes there, is data of the catalog (`ThinkingSpec`).
"""

from typing import Any, Final

from portico.core.loss import Loss, Where
from portico.core.request import Thinking
from portico.core.target import Target, ThinkingControl, ThinkingSpec

DYNAMIC: Final = -1
_LOW_BUDGET: Final = 2048
_MEDIUM_BUDGET: Final = 12288
_LEVEL_ORDER: Final = ("minimal", "low", "medium", "high")


def thinking_config(
    thinking: Thinking, max_tokens: int | None, target: Target, where: Where
) -> tuple[dict[str, Any], list[Loss]]:
    """The thinkingConfig to send (empty: omit it) and what could not be honoured."""
    spec = target.capabilities.thinking
    if spec.control is ThinkingControl.NONE:
        wanted = thinking.steered or thinking.show is not None
        return {}, [Loss("1.7:none", where.field("thinking"), f"{target.model} does not think")] if wanted else []
    if spec.control is ThinkingControl.ANY:
        return _as_asked(thinking, spec), []
    config: dict[str, Any] = {}
    losses: list[Loss] = []
    if thinking.effort is not None or thinking.budget is not None or thinking.level is not None:
        value, note = _amount(thinking, spec)
        if note:
            losses.append(_loss(where, f"{target.model}: {note}"))
        if thinking.effort is not None and (thinking.budget is not None or thinking.level is not None):
            given = "budget" if thinking.budget is not None else "level"
            losses.append(_loss(where, f"a thinking {given} was given beside the effort {thinking.effort}, and counts"))
    else:
        value = None
        if max_tokens is not None and max_tokens <= target.small_max_tokens and not thinking.show:
            value = _least(spec)
            if value is not None:
                losses.append(_small(where, max_tokens, value))
    if value is not None:
        if spec.control is ThinkingControl.BUDGET:
            config["thinkingBudget"] = value
        else:
            config["thinkingLevel"] = str(value).upper()
    if thinking.show is not None:
        config["includeThoughts"] = thinking.show
    return config, losses


def _as_asked(thinking: Thinking, spec: ThinkingSpec) -> dict[str, Any]:
    """What was said in Google's words as it was said; an effort, which only a model's name says, in the model's words."""
    budget, level = thinking.budget, thinking.level
    if budget is None and level is None:
        meant = spec.effort.get(thinking.effort or "")
        budget, level = (meant, None) if isinstance(meant, int) else (None, meant)
    asked = {
        "thinkingBudget": budget,
        "thinkingLevel": None if level is None else level.upper(),
        "includeThoughts": thinking.show,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _amount(thinking: Thinking, spec: ThinkingSpec) -> tuple[int | str | None, str | None]:
    """What to send, and a note where it is not what was asked for. None: leave it to the model."""
    if thinking.budget is not None:
        if spec.control is ThinkingControl.BUDGET:
            return _clamped(thinking.budget, spec)
        return _level_of_budget(thinking.budget, spec)
    if thinking.level is not None:
        if spec.control is ThinkingControl.LEVEL:
            return _offered(thinking.level, spec)
        budget = spec.effort.get(thinking.level)
        return budget, f"level {thinking.level} became a budget of {budget} tokens"
    value = spec.effort.get(thinking.effort or "")
    if thinking.effort == "none" and not spec.can_disable:
        return value, "thinking cannot be switched off; the least of it was asked for"
    return value, None


def _clamped(budget: int, spec: ThinkingSpec) -> tuple[int, str | None]:
    if budget == DYNAMIC and spec.dynamic_budget:
        return budget, None
    if budget == 0 and spec.can_disable:
        return 0, None
    value = min(max(budget, spec.min_budget), spec.max_budget)
    return value, None if value == budget else f"the thinking budget goes from {spec.min_budget} to {spec.max_budget}"


def _level_of_budget(budget: int, spec: ThinkingSpec) -> tuple[str | None, str | None]:
    if budget == DYNAMIC:
        return None, "the model has levels of thinking; a dynamic budget is its default level"
    if budget == 0:
        level = spec.levels[0] if spec.levels else None
    elif budget <= _LOW_BUDGET:
        level = _offered("low", spec)[0]
    elif budget <= _MEDIUM_BUDGET:
        level = _offered("medium", spec)[0]
    else:
        level = _offered("high", spec)[0]
    return level, f"a budget of {budget} tokens became the level {level}"


def _offered(level: str, spec: ThinkingSpec) -> tuple[str | None, str | None]:
    """The level itself, or the next one up (else the highest) where the model lacks it."""
    if level in spec.levels or not spec.levels:
        return level, None
    wanted = _LEVEL_ORDER.index(level) if level in _LEVEL_ORDER else len(_LEVEL_ORDER)
    above = [offered for offered in spec.levels if _LEVEL_ORDER.index(offered) >= wanted]
    chosen = above[0] if above else spec.levels[-1]
    return chosen, f"it offers the levels {', '.join(spec.levels)}; {level} became {chosen}"


def _least(spec: ThinkingSpec) -> int | str | None:
    """The least thinking the model can do; None where that is what it does unasked."""
    if spec.control is ThinkingControl.BUDGET:
        if spec.default == "off":
            return None
        return 0 if spec.can_disable else spec.min_budget
    if not spec.levels or spec.default == spec.levels[0]:
        return None
    return spec.levels[0]


def _loss(where: Where, message: str) -> Loss:
    return Loss("1.7:thinking", where.field("thinking"), message)


def _small(where: Where, max_tokens: int, value: int | str) -> Loss:
    said = f"budget {value}" if isinstance(value, int) else f"level {value}"
    message = f"thoughts count inside the limit of {max_tokens} tokens, so the least thinking was asked for ({said})"
    return Loss("9:small_max_tokens", where.field("max_tokens"), message)
