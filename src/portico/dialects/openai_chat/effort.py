"""Effort, budget or level -> `reasoning_effort` for a model (mapping.md 1.7, read from the other side).

Which efforts a model has, and what each word becomes there, is data of the catalog (`ThinkingSpec`).
"""

from typing import Final

from portico.core.loss import Loss
from portico.core.request import Request, Thinking
from portico.core.target import Target, ThinkingControl, ThinkingSpec

NONE: Final = "none"
_LOW_BUDGET: Final = 2048
_MEDIUM_BUDGET: Final = 12288


def reasoning_effort(request: Request, target: Target, losses: list[Loss]) -> str | None:
    """The effort to send; None: leave it to the model."""
    thinking, spec, where = request.thinking, target.capabilities.thinking, request.where
    path = where.field("thinking")
    if spec.control is ThinkingControl.NONE:
        if thinking.steered or thinking.show is not None:
            losses.append(Loss("1.7:none", path, f"{target.model} does not think, or not as it is told"))
        return None
    if thinking.show:
        losses.append(
            Loss("7.1:show", path, "Chat Completions are not asked for thoughts; what comes of them is shown")
        )
    asked = _word(thinking)
    effort = _offered(asked, spec)
    if thinking.steered and (effort != thinking.effort or thinking.budget is not None or thinking.level is not None):
        losses.append(Loss("1.7:thinking", path, f"{target.model}: {_said(thinking)} became {_became(effort)}"))
    apart = bool(request.tools) and not target.capabilities.effort_with_functions_in_chat
    if apart and spec.can_disable and _thinks(effort, spec):
        losses.append(Loss("1.7:thinking", path, f"{target.model} thinks or calls functions here, not both"))
        return NONE
    return effort


def thinks(effort: str | None, target: Target) -> bool:
    """Whether a model is known to think when it is asked so."""
    spec = target.capabilities.thinking
    return spec.control in (ThinkingControl.BUDGET, ThinkingControl.LEVEL) and _thinks(effort, spec)


def _thinks(effort: str | None, spec: ThinkingSpec) -> bool:
    return spec.on_by_default if effort is None else effort != NONE


def _word(thinking: Thinking) -> str | None:
    """What was asked for as an effort; a budget the model chooses itself is none."""
    if thinking.budget is not None:
        return _of_budget(thinking.budget)
    return thinking.level or thinking.effort


def _of_budget(budget: int) -> str | None:
    if budget < 0:
        return None
    if budget == 0:
        return NONE
    if budget <= _LOW_BUDGET:
        return "low"
    return "medium" if budget <= _MEDIUM_BUDGET else "high"


def _offered(word: str | None, spec: ThinkingSpec) -> str | None:
    if word is None:
        return None
    meant = spec.effort.get(word, word)
    return _of_budget(meant) if isinstance(meant, int) else meant


def _said(thinking: Thinking) -> str:
    if thinking.budget is not None:
        return f"a budget of {thinking.budget} tokens"
    return f"the level {thinking.level}" if thinking.level is not None else f"the effort {thinking.effort}"


def _became(effort: str | None) -> str:
    return "the model's own choice" if effort is None else f"the effort {effort}"
