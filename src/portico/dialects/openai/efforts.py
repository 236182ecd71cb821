"""Which efforts of reasoning an OpenAI model takes, by the catalog (mapping.md 1.7)."""

from typing import Any

from portico.core.target import ThinkingControl, ThinkingSpec


def refuses_effort(effort: Any, spec: ThinkingSpec) -> bool:
    """Whether it is known that a model refuses an effort: any, if it does not reason, else one that it has not."""
    if not isinstance(effort, str):
        return False  # none is said, or none that anybody takes
    if spec.control is ThinkingControl.NONE:
        return True
    return spec.control is ThinkingControl.LEVEL and bool(spec.levels) and effort not in spec.levels


def thinks_at(effort: Any, spec: ThinkingSpec) -> bool:
    """Whether a model thinks when it is asked to with an effort, or with none."""
    return spec.on_by_default if effort is None else effort != "none"
