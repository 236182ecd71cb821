"""Whether a Responses body asks of a model what the catalog knows that it refuses: thoughts, how many of them, and, while
it thinks, a temperature of the caller's own. A call's id of another vendor's, which no model of OpenAI's takes, is looked
for too, and so are thoughts without a seal: another vendor's, in a conversation that goes on with a model of OpenAI's.
"""

import re
from typing import Any, Final

import msgspec

from portico.core.target import Capabilities, ThinkingControl
from portico.dialects.openai.efforts import refuses_effort, thinks_at
from portico.dialects.openai_responses.request import SEALED
from portico.dialects.openai_responses.request_items import MAX_ID


class _Asked(msgspec.Struct):
    reasoning: dict[str, Any] | None = None
    include: list[Any] | None = None
    temperature: Any = None
    top_p: Any = None


class _Item(msgspec.Struct):
    type: Any = None
    id: Any = None
    encrypted_content: Any = None


class _Said(msgspec.Struct):
    input: list[_Item] | str | None = None
    store: Any = None


_ASKED: Final = msgspec.json.Decoder(_Asked)
_SAID: Final = msgspec.json.Decoder(_Said)


def beyond(body: bytes, able: Capabilities) -> bool:
    if not able.judged:
        return False
    if _holds_long_id(body) or _holds_unsealed_thought(body):
        return True
    if not any(mark in body for mark in _MARKS):
        return False
    try:
        asked = _ASKED.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False  # theirs to refuse
    reasoning, spec = asked.reasoning or {}, able.thinking
    if refuses_effort(reasoning.get("effort"), spec):
        return True
    if spec.control is ThinkingControl.NONE:
        return reasoning.get("summary") is not None or SEALED in (asked.include or ())
    drawn = able.sampling and (able.sampling_while_thinking or not thinks_at(reasoning.get("effort"), spec))
    return not drawn and (asked.temperature not in (None, 1) or asked.top_p not in (None, 1))


def _holds_long_id(body: bytes) -> bool:
    at = body.find(_CALL_ID)
    while at >= 0:
        if _LONG.match(body, at + len(_CALL_ID)):
            return True
        at = body.find(_CALL_ID, at + len(_CALL_ID))
    return False


def _holds_unsealed_thought(body: bytes) -> bool:
    """A reasoning item is sealed, or kept at OpenAI under its id; where nothing is stored, an id alone names nothing."""
    if not any(mark in body for mark in _THOUGHTS):
        return False
    try:
        said = _SAID.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False  # theirs to refuse
    items = said.input if isinstance(said.input, list) else ()
    return any(
        item.type == "reasoning" and not item.encrypted_content and (not item.id or said.store is False)
        for item in items
    )


_THOUGHTS: Final = (b'"summary_text"', b'"reasoning_text"')
_CALL_ID: Final = b'"call_id"'
_LONG: Final = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*"[^"]{%d}' % (MAX_ID + 1))
_SEALED: Final = SEALED.encode()
_MARKS: Final = (b'"reasoning"', _SEALED, b'"temperature"', b'"top_p"')
