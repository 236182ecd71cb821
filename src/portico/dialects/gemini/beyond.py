"""Whether a body of Google's asks of a model what the catalog knows that it refuses: a named level of thinking, of a model
that is given a budget (mapping.md 1.7)."""

from typing import Final

from portico.core.target import Capabilities, ThinkingControl

_LEVELS: Final = (b'"thinkingLevel"', b'"thinking_level"')


def beyond(body: bytes, able: Capabilities) -> bool:
    """A level that only stands in what is said to the model is found too: such a body is read for nothing, and told as it
    was meant."""
    if not able.judged or able.thinking.control is not ThinkingControl.BUDGET:
        return False
    return any(level in body for level in _LEVELS)
