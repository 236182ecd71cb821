"""Whether a Responses body asks of a model what the catalog knows that it refuses: thoughts, and how many of them. A call's
id of another vendor's, which no model of OpenAI's takes, is looked for too.
"""

import re
from typing import Any, Final

import msgspec

from portico.core.target import Capabilities, ThinkingControl
from portico.dialects.openai.efforts import refuses_effort
from portico.dialects.openai_responses.request import SEALED
from portico.dialects.openai_responses.request_items import MAX_ID


class _Asked(msgspec.Struct):
    reasoning: dict[str, Any] | None = None
    include: list[Any] | None = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


def beyond(body: bytes, able: Capabilities) -> bool:
    if not able.judged:
        return False
    if _holds_long_id(body):
        return True
    if b'"reasoning"' not in body and _SEALED not in body:
        return False
    try:
        asked = _ASKED.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False  # theirs to refuse
    reasoning, spec = asked.reasoning or {}, able.thinking
    if refuses_effort(reasoning.get("effort"), spec):
        return True
    thinks = spec.control is not ThinkingControl.NONE
    return not thinks and (reasoning.get("summary") is not None or SEALED in (asked.include or ()))


def _holds_long_id(body: bytes) -> bool:
    at = body.find(_CALL_ID)
    while at >= 0:
        if _LONG.match(body, at + len(_CALL_ID)):
            return True
        at = body.find(_CALL_ID, at + len(_CALL_ID))
    return False


_CALL_ID: Final = b'"call_id"'
_LONG: Final = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*"[^"]{%d}' % (MAX_ID + 1))
_SEALED: Final = SEALED.encode()
