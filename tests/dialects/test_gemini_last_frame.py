"""The last frame of a Gemini stream has a part, as Google's has: clients look at `parts[0]` of every frame."""

import json
from typing import Any

import pytest

from portico.core.dialect import Reply
from portico.core.events import CandidateFinished, Event, Finished, PartEnded, PartStarted, Started, UsageReported
from portico.core.parts import Text, ToolCall
from portico.core.response import Finish, FinishReason
from portico.core.usage import Usage
from portico.dialects.gemini import DIALECT


def frames(*events: Event) -> list[dict[str, Any]]:
    writer = DIALECT.writer(Reply(id="r", created=0, model="m"))
    return [json.loads(frame.data) for event in events for frame in writer.feed(event)]


@pytest.mark.parametrize("part", [Text("Hi"), ToolCall("call_1", "look", "{}")])
def test_the_end_of_an_answer_is_an_empty_text(part: Text | ToolCall) -> None:
    told = frames(
        Started("r", "m", None),
        PartStarted(0, 0, part),
        PartEnded(0, 0, None),
        UsageReported(Usage(), None),
        CandidateFinished(0, Finish(FinishReason.STOP, "stop")),
        Finished(),
    )
    (last,) = told[-1]["candidates"]
    assert last["content"] == {"parts": [{"text": ""}], "role": "model"}
    assert last["finishReason"] == "STOP"
