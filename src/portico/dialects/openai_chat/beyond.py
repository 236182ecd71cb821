"""Whether a Chat body asks of a model of OpenAI's what the catalog knows that it refuses: an effort that it has not."""

from typing import Any, Final

import msgspec

from portico.core.target import Capabilities
from portico.dialects.openai.efforts import refuses_effort


class _Asked(msgspec.Struct):
    reasoning_effort: Any = None


_ASKED: Final = msgspec.json.Decoder(_Asked)


def beyond(body: bytes, able: Capabilities) -> bool:
    if not able.judged or b'"reasoning_effort"' not in body:
        return False
    try:
        return refuses_effort(_ASKED.decode(body).reasoning_effort, able.thinking)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False  # theirs to refuse
