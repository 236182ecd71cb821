"""A streamed answer says what the whole answer to the same request says."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portico.core.assembly import assemble
from portico.core.dialect import Reading, Rendered, Reply
from portico.core.events import Finished
from portico.core.ids import Mint
from portico.core.normal import normal
from portico.core.response import Response
from portico.wire import jsontext
from properties.asking import CHAT, GEMINI, frames, posted, rendered, target
from properties.chat_requests import AIMS, Aim, chat_requests

# Words that make the simulator call tools, write much, write nothing, or stop early.
MARKERS = st.sampled_from(
    [
        "", "", "", "Use look_up, 9lives and mcp.server:tool.", "[[sim:calls=3]] Use _9lives, look_up or a_b.",
        "[[sim:talk]] Use look_up.", "[[sim:words=80]]", "[[sim:length]] Tell me a long story, please.", "[[sim:safety]]",
        "[[sim:recitation]]", "[[sim:malformed]]", "[[sim:unexpected]]", "[[sim:empty]]", "[[sim:block]]",
        "[[sim:steps=1]]",
    ]
)  # fmt: skip
PROMPTS = st.builds(
    lambda words, marker: f"{words} {marker}", st.text(st.characters(codec="utf-8"), max_size=30), MARKERS
)
REPLY = Reply(id="own", created=0, model="asked", include_usage=True, thoughts=True)


def counting() -> Mint:
    numbers = iter(range(1, 10**6))
    return lambda: f"call_{next(numbers):024d}"


def reading(done: Rendered, aim: Aim) -> Reading:
    return Reading(mint=counting(), tool_names=done.tool_names, signer=target(aim).signer)


def said(response: Response) -> Any:
    """What an answer says: text, thoughts, calls, finish and usage. Signatures are made over parts, which streams cut."""
    form = normal(response)
    for candidate in form.get("candidates", []):
        for part in candidate.get("parts", []):
            part.pop("signature", None)
            part.pop("signatures", None)
        candidate["parts"] = [part for part in candidate.get("parts", []) if part != {"part": "text", "text": ""}]
        # Recorded: streams of generation 3 rarely say that a call was made.
        candidate.get("finish", {}).pop("message", None)
        # Recorded: only whole answers have an average of log probabilities.
        if candidate.get("ext", {}).get("gemini", {}).pop("avgLogprobs", None) and not candidate["ext"]["gemini"]:
            del candidate["ext"]
    return {key: form.get(key) for key in ("candidates", "usage", "service_tier")}


def shown(choice: Any) -> Any:
    """What a Chat client sees of a choice."""
    message = choice["message"]
    calls = message.get("tool_calls", [])
    return {
        "content": message["content"] or "",
        "reasoning": message.get("reasoning_content", ""),
        "refusal": message.get("refusal"),
        "calls": [
            {key: value for key, value in call.items() if key in ("id", "type", "function", "custom")} for call in calls
        ],
        "finish": choice["finish_reason"],
        "native": choice["native_finish_reason"],
    }


def gathered(chunks: list[Any]) -> dict[int, Any]:
    """The choices of a stream put together as a client does it."""
    choices: dict[int, Any] = {}
    for chunk in chunks:
        for one in chunk["choices"]:
            choice = choices.setdefault(one["index"], {"message": {"content": "", "tool_calls": []}})
            message, delta = choice["message"], one["delta"]
            for key in ("content", "reasoning_content"):
                if delta.get(key):
                    message[key] = message.get(key, "") + delta[key]
            if delta.get("refusal"):
                message["refusal"] = delta["refusal"]
            for call in delta.get("tool_calls", ()):
                assert call["index"] == len(message["tool_calls"])
                message["tool_calls"].append(call)
            if one["finish_reason"] is not None:
                assert "finish_reason" not in choice
                choice |= {key: one[key] for key in ("finish_reason", "native_finish_reason")}
    return choices


@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: f"{aim.model} at {aim.kind}")
@settings(deadline=None, derandomize=True, max_examples=130, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_stream_says_what_the_whole_answer_says(aim: Aim, data: st.DataObject) -> None:
    """2.1 to 2.9 against 3.1 and 3.2: text, calls, finish and usage, in neutral terms and as a client sees them"""
    asked = data.draw(chat_requests(aim, PROMPTS))
    done = rendered(asked, aim, "answered whole and streamed")
    whole, stream = posted(aim, done.body), posted(aim, done.body, stream=True)
    assert whole.status == stream.status == 200, bytes(whole.data).decode()
    response = GEMINI.parse_response(jsontext.decode(bytes(whole.data)), reading(done, aim))
    reader = GEMINI.reader(reading(done, aim))
    events = [event for frame in frames(stream) for event in reader.feed(frame)] + reader.close()
    assert isinstance(events[-1], Finished), events[-1]
    assert said(assemble(events)) == said(response)

    told = CHAT.render_response(response, REPLY).body
    writer = CHAT.writer(REPLY)
    sent = [frame for event in events for frame in writer.feed(event)] + writer.close()
    assert sent.pop().data == b"[DONE]"
    chunks = [jsontext.decode(frame.data) for frame in sent]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == told.get("usage")
    assert {index: shown(choice) for index, choice in gathered(chunks).items()} == {
        choice["index"]: shown(choice) for choice in told["choices"]
    }
    # A Chat endpoint that answered so would be read as the same answer.
    again = CHAT.reader(Reading(mint=counting()))
    events = [event for frame in sent for event in again.feed(frame)] + again.close()
    assert isinstance(events[-1], Finished)
