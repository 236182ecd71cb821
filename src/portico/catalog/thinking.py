"""What a model's name says about thinking (`gemini-2.5-flash-thinking-2048`), in the words of a request.

It is a wish, not yet a wire value: the renderer turns it into one with the model's `ThinkingSpec`.
"""

import re

from portico.core.request import Thinking
from portico.core.target import ThinkingControl, ThinkingSpec

DYNAMIC = -1
"""A budget the model chooses itself: sent as -1 to models with a budget, left out for models with a level."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""From least to most (mapping.md 1.7); the keys of `ThinkingSpec.effort`. A level in a name is the effort of that name,
so that models without that level, and models with a budget, have an answer to it too."""

_USUAL = ("low", "medium", "high")

UNSAID = Thinking()

_SUFFIXES = {
    "-thinking": Thinking(budget=DYNAMIC, show=True),
    "-nothinking": Thinking(effort="none", show=False),
    "-maxthinking": Thinking(effort="max", show=True),
    "-minimal": Thinking(effort="minimal"),
    "-low": Thinking(effort="low"),
    "-medium": Thinking(effort="medium"),
    "-high": Thinking(effort="high"),
}
_THINKING_BUDGET = re.compile(r"(.+)-thinking-([0-9]{1,9})", re.DOTALL)
_IN_BRACKETS = re.compile(r"(.+)\((-1|[0-9]{1,9}|[a-z]{1,9})\)", re.DOTALL)


def split_suffix(name: str) -> tuple[str, Thinking] | None:
    """The name without its thinking suffix, and what the suffix means (mapping.md 1.8); None if it has none.

    Whoever calls must check that the remainder is a known model: real names may end in the same words.
    """
    for suffix, wish in _SUFFIXES.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix), wish
    if match := _THINKING_BUDGET.fullmatch(name):
        return match.group(1), _of_budget(int(match.group(2)), show=True)
    if match := _IN_BRACKETS.fullmatch(name):
        value = match.group(2)
        if value in EFFORTS:
            return match.group(1), Thinking(effort=value)
        if not value.isalpha():
            return match.group(1), _of_budget(int(value))
    return None


def efforts_of(spec: ThinkingSpec) -> tuple[str, ...]:
    """The efforts that differ at a model, from least to most: of several that become the same, the one that is called so,
    else the most usual. `none` is one of them only where thinking can be switched off."""
    if spec.control not in (ThinkingControl.BUDGET, ThinkingControl.LEVEL):
        return ()
    chosen: dict[str | int, str] = {}
    for effort in EFFORTS:
        meant = spec.effort.get(effort)
        if meant is None or (effort == "none" and not spec.can_disable):
            continue
        if meant not in chosen or effort == meant or (effort in _USUAL and chosen[meant] not in (meant, *_USUAL)):
            chosen[meant] = effort
    return tuple(sorted(chosen.values(), key=EFFORTS.index))


def completed(own: Thinking, named: Thinking) -> Thinking:
    """A request's own wishes, completed by those in the model's name where the request says nothing.

    Effort, budget and level are one question: whoever answers it answers it alone.
    """
    amount = own if own.steered else named
    return Thinking(
        effort=amount.effort,
        budget=amount.budget,
        level=amount.level,
        show=named.show if own.show is None else own.show,
    )


def _of_budget(tokens: int, *, show: bool | None = None) -> Thinking:
    """Zero tokens is the wish not to think, which each model answers in its own way."""
    if tokens == 0:
        return Thinking(effort="none", show=False)
    return Thinking(budget=tokens, show=show)
