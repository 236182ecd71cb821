"""Whether a Messages body asks of a Claude what the catalog knows that it refuses (mapping.md 1.7; 7.5, 17).

Agents know models by their names. Behind an operator's own name they send what their newest model takes: thoughts of a form
that an older one has not, or a system message between others. Frameworks send every model a temperature, or force a tool to
get an answer in a shape, which the newest do not take. Such a body is read and said anew; every other one passes.
"""

from typing import Any, Final

import msgspec

from portico.core.target import Capabilities, ThinkingControl, ThinkingSpec
from portico.wire import jsontext


class _Turn(msgspec.Struct):
    role: Any = None
    output_config: Any = None


class _Asked(msgspec.Struct):
    """What is looked at of a request that could be refused."""

    messages: list[_Turn] = []
    thinking: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    temperature: Any = None
    top_p: Any = None
    top_k: Any = None
    tool_choice: dict[str, Any] | None = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


def beyond(body: bytes, able: Capabilities) -> bool:
    if not able.judged:
        return False
    spec = able.thinking
    steers = spec.control is not ThinkingControl.ANY and (b'"thinking"' in body or b'"effort"' in body)
    draws = not (able.sampling and able.temperature_with_top_p) and any(mark in body for mark in _DRAWING)
    forces = not able.forced_tools and b'"tool_choice"' in body
    if not steers and not draws and not forces and (able.mid_system or not _names_system(body)):
        return False
    try:
        asked = _ASKED.decode(body)
    except jsontext.NOT_DECODED:
        return False  # theirs to refuse
    if not able.mid_system and any(turn.role == "system" for turn in asked.messages):
        return True
    if draws and _refuses_sampling(asked, able):
        return True
    if forces and (asked.tool_choice or {}).get("type") in ("any", "tool"):
        return True
    if not steers:
        return False
    if _refuses_form(asked.thinking or {}, spec) or _refuses_effort(asked.output_config, spec):
        return True
    return any(_refuses_turn(turn.output_config, able) for turn in asked.messages)


def _names_system(body: bytes) -> bool:
    """Whether `system` stands anywhere as a value, as a role would."""
    at = body.find(_SYSTEM)
    while at >= 0:
        if body[max(0, at - 16) : at].rstrip().endswith(b":"):
            return True
        at = body.find(_SYSTEM, at + 1)
    return False


_SYSTEM: Final = b'"system"'
_DRAWING: Final = (b'"temperature"', b'"top_p"', b'"top_k"')


def _refuses_sampling(asked: _Asked, able: Capabilities) -> bool:
    if able.sampling:
        return asked.temperature is not None and asked.top_p is not None and not able.temperature_with_top_p
    return not (asked.temperature is None and asked.top_p is None and asked.top_k is None)


def _refuses_form(thinking: dict[str, Any], spec: ThinkingSpec) -> bool:
    kind = thinking.get("type")
    match kind if isinstance(kind, str) else None:
        case "adaptive":
            return not spec.adaptive
        case "enabled":
            return spec.control is ThinkingControl.NONE or (spec.adaptive and not spec.max_budget)
        case "disabled" | "between_tools" as off:
            if spec.control is ThinkingControl.NONE:
                return off != "disabled"
            return not spec.can_disable or off != spec.off_type
    return False


def _refuses_effort(config: Any, spec: ThinkingSpec) -> bool:
    effort = config.get("effort") if isinstance(config, dict) else None
    return isinstance(effort, str) and effort not in spec.levels


def _refuses_turn(config: Any, able: Capabilities) -> bool:
    """Of what a turn says of itself."""
    says = isinstance(config, dict) and isinstance(config.get("effort"), str)
    return says and (not able.turn_effort or _refuses_effort(config, able.thinking))
