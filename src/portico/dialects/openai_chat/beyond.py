"""Whether a Chat body asks of a model of OpenAI's what the catalog knows that it refuses: an effort that it has not, and,
of a model that reasons, the older name of the limit, sampling of the caller's own, or stop sequences.

Frameworks and agents that speak to every server of this dialect say `max_tokens`, and many send a temperature of their own.
"""

from typing import Any, Final

import msgspec

from portico.core.target import Capabilities, ThinkingControl
from portico.dialects.openai.efforts import refuses_effort, thinks_at
from portico.wire import jsontext

_NEW_LIMIT: Final = "max_completion_tokens"
_MARKS: Final = (b'"temperature"', b'"top_p"', b'_penalty"', b'"max_tokens"', b'"stop"')
_EFFORT: Final = b'"reasoning_effort"'


class _Asked(msgspec.Struct):
    reasoning_effort: Any = None
    max_tokens: Any = None
    max_completion_tokens: Any = None
    temperature: Any = None
    top_p: Any = None
    presence_penalty: Any = None
    frequency_penalty: Any = None
    stop: Any = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


def beyond(body: bytes, able: Capabilities) -> bool:
    if not able.judged:
        return False
    reasons = able.thinking.control is ThinkingControl.LEVEL
    if _EFFORT not in body and not (reasons and any(mark in body for mark in _MARKS)):
        return False
    try:
        asked = _ASKED.decode(body)
    except jsontext.NOT_DECODED:
        return False  # theirs to refuse
    if refuses_effort(asked.reasoning_effort, able.thinking):
        return True
    return reasons and (_by_its_old_name(asked, able) or _refuses_sampling(asked, able) or _refuses_stop(asked, able))


def _by_its_old_name(asked: _Asked, able: Capabilities) -> bool:
    """Whoever gives both limits is told by the provider that only one is taken."""
    return asked.max_tokens is not None and asked.max_completion_tokens is None and able.max_tokens_field == _NEW_LIMIT


def _refuses_sampling(asked: _Asked, able: Capabilities) -> bool:
    """What is usual is taken of everybody."""
    drawn = able.sampling and (able.sampling_while_thinking or not thinks_at(asked.reasoning_effort, able.thinking))
    if not drawn and (asked.temperature not in (None, 1) or asked.top_p not in (None, 1)):
        return True
    penalties = (asked.presence_penalty, asked.frequency_penalty)
    return not able.penalties and any(value not in (None, 0) for value in penalties)


def _refuses_stop(asked: _Asked, able: Capabilities) -> bool:
    return not able.stop_max and bool(asked.stop)
