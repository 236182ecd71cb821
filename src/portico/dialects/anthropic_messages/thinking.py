"""How hard a Claude model is to think (mapping.md 1.7, 7.1): a budget on older models, an effort on newer ones.

With a budget, a loop of calls must open with its own thinking block (7.4, end): where a caller's history has lost it, or
another model began the loop, the model is not asked to think for this answer.
"""

from typing import Any, Final

import msgspec

from portico.core.loss import Loss
from portico.core.request import Request, Thinking
from portico.core.target import Target, ThinkingControl, ThinkingSpec
from portico.dialects.anthropic_messages.words import EFFORTS

SMALLEST_BUDGET: Final = 1024
_BUDGET_OF: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 32_768, "max": 64_000}
"""Effort -> tokens, where a model's own table says nothing."""
_EFFORT_OF: Final = ((4096, "low"), (16_384, "medium"), (32_768, "high"))
_LEVELS: Final = {"minimal": "low", "low": "low", "medium": "medium", "high": "high"}


class Thoughts(msgspec.Struct, frozen=True):
    """What a body says of thinking. `on`: the model will think, as far as we know; `budget` in tokens, if it has one."""

    wire: dict[str, Any] | None = None
    effort: str | None = None
    on: bool = False
    budget: int | None = None


def render_thinking(request: Request, target: Target, messages: list[dict[str, Any]], losses: list[Loss]) -> Thoughts:
    thinking, spec = request.thinking, target.capabilities.thinking
    where = request.where.field("thinking")
    if not target.capabilities.judged:
        return _held(_as_asked(thinking, target), target, messages, where, losses)
    if spec.control is ThinkingControl.NONE:
        if thinking.steered:
            losses.append(Loss("1.7:none", where, "the model does not think"))
        return Thoughts()
    if not thinking.steered:
        if not thinking.show:
            return Thoughts(on=spec.on_by_default and spec.default != "off")
        losses.append(Loss("1.7:thinking", where, "thoughts are shown by a model that is asked to think"))
        thinking = Thinking(budget=-1, show=True)
        request = msgspec.structs.replace(request, thinking=thinking)
    if spec.control is ThinkingControl.BUDGET:
        return _held(_budget(request, target, spec, losses), target, messages, where, losses)
    return _level(request, spec, losses)


def _held(
    thoughts: Thoughts, target: Target, messages: list[dict[str, Any]], where: str, losses: list[Loss]
) -> Thoughts:
    """What is said of thinking, without it in a loop of calls that began without thoughts."""
    if not (thoughts.on and target.capabilities.thinking_block_required and _misses_its_thoughts(messages)):
        return thoughts
    losses.append(Loss("1.7:thinking", where, "the thoughts of this turn's calls are not known: none can follow"))
    return Thoughts(effort=thoughts.effort)


def _as_asked(thinking: Thinking, target: Target) -> Thoughts:
    """For callers who speak Anthropic's own dialect: what they said, and what their model's name says."""
    effort = thinking.effort
    if effort is not None and effort not in EFFORTS:
        effort = str(target.capabilities.thinking.effort.get(effort, "low"))
    display = {"display": "omitted"} if thinking.show is False else {}
    match thinking.budget:
        case 0:
            return Thoughts({"type": "disabled"}, effort)
        case None:
            wire = None if thinking.show is None else {"type": "adaptive", **display}
            return Thoughts(wire, effort, wire is not None)
        case -1:
            return Thoughts({"type": "adaptive", **display}, effort, on=True)
        case budget:
            return Thoughts({"type": "enabled", "budget_tokens": budget, **display}, effort, on=True)


def _budget(request: Request, target: Target, spec: ThinkingSpec, losses: list[Loss]) -> Thoughts:
    thinking = request.thinking
    asked = _asked_budget(thinking, spec)
    if asked == 0:
        return Thoughts({"type": "disabled"})
    least, most = max(spec.min_budget, SMALLEST_BUDGET), spec.max_budget or target.capabilities.max_output_tokens
    budget = min(max(asked, least), most)
    room = target.capabilities.max_output_tokens
    limit = min(request.sampling.max_tokens or room, room)  # what will be asked for, at most
    where = request.where.field("thinking")
    if budget >= limit:  # thoughts count inside the limit, and must leave room
        if limit <= least + 1:
            losses.append(Loss("1.7:thinking", where, f"a limit of {limit} tokens leaves no room for thoughts"))
            return Thoughts({"type": "disabled"})
        budget = max(least, limit // 2)
    if thinking.budget is not None and budget != thinking.budget:
        losses.append(Loss("1.7:thinking", where, f"the budget is {budget} tokens"))
    elif thinking.budget is None and target.own:
        losses.append(Loss("1.7:thinking", where, f"adaptive thinking is a budget of {budget} tokens here"))
    display = {"display": "omitted"} if thinking.show is False else {}
    return Thoughts({"type": "enabled", "budget_tokens": budget, **display}, on=True, budget=budget)


def _asked_budget(thinking: Thinking, spec: ThinkingSpec) -> int:
    if thinking.budget is not None:
        return thinking.budget if thinking.budget >= 0 else _BUDGET_OF["medium"]
    word = thinking.level.lower() if thinking.level is not None else str(thinking.effort)
    found = spec.effort.get(word, 0 if word == "none" else _BUDGET_OF.get(word, _BUDGET_OF["medium"]))
    return found if isinstance(found, int) else _BUDGET_OF.get(found, _BUDGET_OF["medium"])


def _level(request: Request, spec: ThinkingSpec, losses: list[Loss]) -> Thoughts:
    thinking, where = request.thinking, request.where.field("thinking")
    display = {} if thinking.show is None else {"display": "summarized" if thinking.show else "omitted"}
    asked = _asked_effort(thinking, spec)
    if asked == 0:
        if spec.can_disable:
            return Thoughts({"type": spec.off_type})
        losses.append(Loss("1.7:thinking", where, "this model always thinks"))
        asked = spec.levels[0] if spec.levels else None
    elif thinking.effort == "none" and thinking.budget is None and thinking.level is None:
        losses.append(Loss("1.7:thinking", where, "this model always thinks"))
    if isinstance(asked, str) and spec.levels and asked not in spec.levels:
        losses.append(Loss("1.7:thinking", where, f"this model knows no effort {asked}"))
        asked = spec.levels[-1]
    if thinking.budget is not None and thinking.budget > 0:
        losses.append(Loss("1.7:thinking", where, f"a budget of {thinking.budget} tokens is an effort here"))
    return Thoughts({"type": "adaptive", **display}, asked if isinstance(asked, str) else None, on=True)


def _asked_effort(thinking: Thinking, spec: ThinkingSpec) -> str | int | None:
    """An effort; 0: off; None: the model decides."""
    if thinking.budget is not None:
        if thinking.budget <= 0:
            return 0 if thinking.budget == 0 else thinking.effort
        return next((effort for most, effort in _EFFORT_OF if thinking.budget <= most), "max")
    if thinking.level is not None:
        return _LEVELS.get(thinking.level.lower(), "medium")
    effort = str(thinking.effort)
    found = spec.effort.get(effort, effort)
    return found or 0


def _misses_its_thoughts(messages: list[dict[str, Any]]) -> bool:
    """Whether the loop of calls in hand does not open with its thoughts. Its first turn alone need do so: without a beta
    header Claude thinks before its first calls, and not between them."""
    misses = False
    for message in reversed(messages):
        kinds = [block["type"] for block in message["content"]]
        if message["role"] == "user" and "tool_result" not in kinds:
            break
        if message["role"] == "assistant" and "tool_use" in kinds:
            misses = kinds[0] not in ("thinking", "redacted_thinking")
    return misses
