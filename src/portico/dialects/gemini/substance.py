"""Whether there is an answer to be charged in what passes untouched, and about how much text.

An answer with nothing in it is free unless a limit or a filter says why there is nothing. Asked only until that is known,
so nearly always of the first piece of a stream alone.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from portico.core.response import FinishReason
from portico.dialects.gemini.finish import parse_finish
from portico.wire import jsontext


class _Content(msgspec.Struct):
    parts: list[dict[str, msgspec.Raw]] = []


class _Candidate(msgspec.Struct):
    content: _Content | None = None
    finish_reason: Any = msgspec.field(default=None, name="finishReason")


class _Answer(msgspec.Struct):
    candidates: list[_Candidate] = []
    prompt_feedback: Any = msgspec.field(default=None, name="promptFeedback")


_DECODER: Final = msgspec.json.Decoder(_Answer)
_NO_SHOW: Final = frozenset({"text", "thought", "thoughtSignature"})
"""Members of a part that show nothing: a text, if it is empty or a thought."""
_FREE: Final = (FinishReason.STOP, FinishReason.ERROR, FinishReason.OTHER)
"""How an answer ends for no reason of its caller's, if nothing is in it."""


class Substance:
    """Fed with answers, or pieces of one, that are known to be JSON."""

    def __init__(self) -> None:
        self.counts = False
        """Something is in it, or a limit or a filter says why not."""
        self.shown = 0
        """Bytes of its texts."""

    def feed(self, data: bytes) -> None:
        try:
            answer = _DECODER.decode(data)
        except msgspec.ValidationError:  # shaped as nothing has been so far: whatever it is, it is something
            self.counts = True
            return
        for candidate in answer.candidates:
            for part in candidate.content.parts if candidate.content is not None else ():
                self._part(part)
            if candidate.finish_reason is not None:
                finish = parse_finish(candidate.finish_reason, None, with_calls=False)
                self.counts = self.counts or finish.reason not in _FREE
        feedback = answer.prompt_feedback
        if isinstance(feedback, Mapping) and feedback.get("blockReason") is not None:
            self.counts = True

    def _part(self, part: Mapping[str, msgspec.Raw]) -> None:
        text = jsontext.size_of_text(bytes(part["text"])) if "text" in part else 0
        self.shown += text
        thought = "thought" in part and bytes(part["thought"]) == b"true"
        if (text > 0 and not thought) or not part.keys() <= _NO_SHOW:
            self.counts = True
