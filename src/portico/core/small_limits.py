"""Small limits: where thoughts count inside `max_tokens`, a caller who said nothing of thinking and wants a short answer is
given an answer (mapping.md 9, first row).

Gemini has its own words for this (`dialects/gemini/thinking.py`); here it is for models that are steered by an effort.
"""

import msgspec

from portico.core.loss import Loss
from portico.core.request import Request, Thinking
from portico.core.target import Target, ThinkingControl, ThinkingSpec


def guarded(request: Request, target: Target, losses: list[Loss]) -> Request:
    """The request, with the least thinking asked for if its limit is small, its caller silent, and the model would think
    more unasked. That is a loss."""
    limit, thinking = request.sampling.max_tokens, request.thinking
    if limit is None or limit > target.small_max_tokens or thinking.steered or thinking.show:
        return request
    least = _least(target.capabilities.thinking)
    if least is None:
        return request
    message = f"thoughts count inside the limit of {limit} tokens, so the least thinking was asked for"
    losses.append(Loss("9:small_max_tokens", request.where.field("max_tokens"), message))
    thinking = msgspec.structs.replace(thinking, effort=least.effort, budget=least.budget)
    return msgspec.structs.replace(request, thinking=thinking)


def _least(spec: ThinkingSpec) -> Thinking | None:
    """The least a model can think; None where that is what it does unasked, or nobody knows."""
    if spec.control is not ThinkingControl.LEVEL or not spec.on_by_default:
        return None
    if spec.adaptive and spec.can_disable:
        return Thinking(budget=0)
    if not spec.levels or spec.levels[0] == spec.default:
        return None
    return Thinking(effort=spec.levels[0])
