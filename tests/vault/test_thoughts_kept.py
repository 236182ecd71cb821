"""Thoughts that are signed come back whole and in their place, to callers that were never shown them (mapping.md 7.4)."""

from collections.abc import Sequence

import pytest

from portico.core.assembly import tell
from portico.core.events import Event, PartDelta, PartEnded, PartStarted
from portico.core.parts import Part, Reasoning, Signature, Text, ToolCall
from portico.core.request import Message, Request, Role
from portico.core.response import Candidate, Finish, FinishReason, Response
from portico.vault import TurnRecord, TurnRecorder, codec, keys_of_request, restore

SIGNER = "claude-4@anthropic"
SIGNED = Signature("anthropic", "c2lnbmVk")
KNOWN = Signature("anthropic", "c2lnbmVk", SIGNER)
THOUGHT = Reasoning("Let me look it up.", SIGNED)
HIDDEN = Reasoning("", Signature("anthropic", "c2VhbGVk"), redacted=True)
ITEM = Reasoning("A plan", Signature("openai", "Z0FBQUE="), {"openai_responses": {"id": "rs_1", "summary": [6]}})
CALL = ToolCall("call_abcdefghijklmnopqrstuvwx", "look", '{"at":1}')
OTHER_CALL = ToolCall("call_bcdefghijklmnopqrstuvwxy", "look", '{"at":2}')
SAID = Text("I will look.")


def recorded(parts: Sequence[Part], *, streamed: bool = False) -> dict[str, TurnRecord]:
    """What the vault has after an answer, once it was written to the database and read again."""
    recorder = TurnRecorder(SIGNER)
    response = Response("r", "m", (Candidate(0, tuple(parts), Finish(FinishReason.STOP)),))
    if streamed:
        for event in tell(response):
            for piece in cut(event):
                recorder.feed(piece)
    else:
        recorder.feed_response(response)
    found: dict[str, TurnRecord] = {}
    for keys, record in recorder.records():
        read = codec.decode(codec.encode(record))
        assert read is not None
        found |= dict.fromkeys(keys, read)
    return found


def cut(event: Event) -> list[Event]:
    """A part as streams tell it: begun empty, a character at a time, its signature last."""
    if isinstance(event, PartStarted) and isinstance(event.part, Reasoning) and event.part.text:
        part = event.part
        begun = PartStarted(event.candidate, event.index, Reasoning("", None, part.ext))
        more = [PartDelta(event.candidate, event.index, one) for one in part.text]
        return [begun, *more, PartEnded(event.candidate, event.index, part.signature)]
    return [event]


def asked_again(parts: Sequence[Part], found: dict[str, TurnRecord]) -> tuple[Part, ...]:
    """The assistant's turn as it goes to the provider."""
    request = Request("m", (Message(Role.USER, (Text("Hi"),)), Message(Role.ASSISTANT, tuple(parts))))
    assert set(keys_of_request(request)) & set(found)
    return restore(request, found).messages[1].parts


def known(thoughts: Reasoning) -> Reasoning:
    if thoughts.signature is None:
        return thoughts
    signature = Signature(thoughts.signature.origin, thoughts.signature.data, SIGNER)
    return Reasoning(thoughts.text, signature, thoughts.ext, thoughts.redacted)


PIECE = Reasoning("First a look.", None, {"openai_responses": {"id": "rs_1"}})
ANSWERS = {
    "in pieces, of which the last is signed": [PIECE, ITEM, CALL],
    "before a call": [THOUGHT, CALL],
    "redacted": [HIDDEN, CALL],
    "an item of Responses": [ITEM, CALL],
    "between calls": [THOUGHT, CALL, ITEM, OTHER_CALL],
    "before text and a call": [THOUGHT, SAID, CALL],
    "before text alone": [THOUGHT, SAID],
    "several": [THOUGHT, HIDDEN, SAID],
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_client_that_drops_thoughts_sends_them_back_all_the_same(answer: list[Part], streamed: bool) -> None:
    found = recorded(answer, streamed=streamed)
    shown = [part for part in answer if not isinstance(part, Reasoning)]
    restored = asked_again(shown, found)
    assert [part if isinstance(part, Reasoning) else type(part) for part in restored] == [
        known(part) if isinstance(part, Reasoning) else type(part) for part in answer
    ]


def test_thoughts_that_a_client_shows_again_without_their_signature_come_once() -> None:
    found = recorded([THOUGHT, CALL])
    assert [type(part) for part in asked_again([Reasoning(THOUGHT.text), CALL], found)] == [Reasoning, ToolCall]


def test_what_was_kept_wins_over_what_the_client_sends() -> None:
    found = recorded([THOUGHT, CALL])
    mangled = Reasoning("Let me", Signature("anthropic", "bXV0"))
    assert asked_again([mangled, CALL], found)[0] == known(THOUGHT)


def test_a_call_in_a_message_that_was_edited_has_its_thoughts_before_it() -> None:
    found = recorded([THOUGHT, SAID, CALL, HIDDEN, OTHER_CALL])
    restored = asked_again([Text("Something else."), Reasoning("Let me look it up."), CALL], found)
    assert [type(part) for part in restored] == [Text, Reasoning, ToolCall]
    assert restored[1] == known(THOUGHT)


def test_signed_thoughts_in_a_message_that_was_edited_stay_the_clients() -> None:
    found = recorded([THOUGHT, SAID, CALL])
    own = Reasoning("Mine", Signature("anthropic", "bWluZQ=="))
    restored = asked_again([own, Text("Something else."), CALL], found)
    assert [part for part in restored if isinstance(part, Reasoning)] == [own]


def test_thoughts_that_nobody_signed_are_not_kept() -> None:
    assert recorded([Reasoning("Hm."), SAID]) == {}
    assert [type(part) for part in asked_again([CALL], recorded([Reasoning("Hm."), CALL]))] == [ToolCall]
    found = recorded([THOUGHT, Reasoning("Hm."), CALL, Reasoning("Hm."), OTHER_CALL])
    assert [type(part) for part in asked_again([CALL, OTHER_CALL], found)] == [Reasoning, ToolCall, ToolCall]


def test_a_short_id_finds_its_thoughts() -> None:
    found = recorded([THOUGHT, CALL])
    short = ToolCall(CALL.id.replace("_", "")[:40], CALL.name, CALL.arguments)
    assert asked_again([short], found)[0] == known(THOUGHT)
