"""What an OpenAI model takes because it reasons, and while it does, by the catalog (mapping.md 1.7)."""

from typing import Any, Final

from portico.core.target import Target, ThinkingControl, ThinkingSpec
from portico.dialects.openai.refusals import SAMPLING


def refuses_effort(effort: Any, spec: ThinkingSpec) -> bool:
    """Whether it is known that a model refuses an effort: any, if it does not reason, else one that it has not."""
    if not isinstance(effort, str):
        return False  # none is said, or none that anybody takes
    if spec.control is ThinkingControl.NONE:
        return True
    return spec.control is ThinkingControl.LEVEL and bool(spec.levels) and effort not in spec.levels


_USUAL: Final = 1


def takes_usual(name: str, value: float, target: Target) -> bool:
    """Whether it is the one temperature or top_p of a model that reasons; one that was seen to refuse it takes none."""
    reasons = target.capabilities.thinking.control is ThinkingControl.LEVEL
    return reasons and name in ("temperature", "top_p") and value == _USUAL and SAMPLING not in target.refused


def thinks_at(effort: Any, spec: ThinkingSpec) -> bool:
    """Whether a model thinks when it is asked to with an effort, or with none."""
    return spec.on_by_default if effort is None else effort != "none"
