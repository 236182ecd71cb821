"""Whether a Responses body asks of a model what the catalog knows that it refuses.

- A model that does not reason takes no effort, no summary and no sealed thoughts; another takes the efforts that it has.
- While it thinks, a model takes no temperature and no top_p but the usual 1; some never do.
- No call's id is longer than 64 characters. Those of other vendors' models are.
- A thought comes with its seal: an id alone names nothing where nothing is stored, as the gateway asks for whatever it
  keeps itself (`store: false`).

Such a body is read and said anew; every other one passes. One is looked into only where it has a word of these, and once.
"""

import re
from typing import Any, Final

import msgspec

from portico.core.target import Capabilities, ThinkingControl
from portico.dialects.openai.efforts import refuses_effort, thinks_at
from portico.dialects.openai_responses.request import SEALED
from portico.dialects.openai_responses.request_items import MAX_ID
from portico.wire import jsontext


class _Item(msgspec.Struct):
    type: Any = None
    call_id: Any = None
    encrypted_content: Any = None


class _Asked(msgspec.Struct):
    """What is looked at of a request that could be refused."""

    input: list[_Item] | str | None = None
    reasoning: dict[str, Any] | None = None
    include: list[Any] | None = None
    temperature: Any = None
    top_p: Any = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


def beyond(body: bytes, able: Capabilities) -> bool:
    if not able.judged or not (any(mark in body for mark in _MARKS) or _LONG.search(body)):
        return False
    try:
        asked = _ASKED.decode(body)
    except jsontext.NOT_DECODED:
        return False  # theirs to refuse
    items = asked.input if isinstance(asked.input, list) else ()
    if any(_is_long(item.call_id) or _is_unsealed(item) for item in items):
        return True
    effort, spec = (asked.reasoning or {}).get("effort"), able.thinking
    if refuses_effort(effort, spec):
        return True
    if spec.control is ThinkingControl.NONE:
        return (asked.reasoning or {}).get("summary") is not None or SEALED in (asked.include or ())
    drawn = able.sampling and (able.sampling_while_thinking or not thinks_at(effort, spec))
    return not drawn and (asked.temperature not in (None, 1) or asked.top_p not in (None, 1))


def _is_long(call_id: Any) -> bool:
    return isinstance(call_id, str) and len(call_id) > MAX_ID


def _is_unsealed(item: _Item) -> bool:
    """Whether an item is a thought that nobody at OpenAI can read."""
    return item.type == "reasoning" and not item.encrypted_content


_MARKS: Final = (b'"reasoning"', SEALED.encode(), b'"temperature"', b'"top_p"')
_LONG: Final = re.compile(rb'"call_id"[ \t\r\n]*:[ \t\r\n]*"[^"]{%d}' % (MAX_ID + 1))
"""As long as that or with escapes in it."""
