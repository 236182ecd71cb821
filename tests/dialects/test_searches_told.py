"""Searches of another vendor's, told in the blocks of Anthropic's tool and read again, as by a Portico of another one."""

import json

import pytest
from anthropic.types import Message

from dialects.test_claude_streams import read, written
from portico.core.assembly import assemble, tell
from portico.core.dialect import Reading, Reply
from portico.core.parts import Opaque, Part, Reasoning, Signature, Text, ToolCall
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.usage import Usage
from portico.dialects.anthropic_messages import DIALECT
from portico.dialects.anthropic_messages.searching import OURS

REPLY = Reply("req_0-Ab", 9, search_blocks=True, seals=True, thoughts=True)
STOP = Finish(FinishReason.STOP, "end_turn")
SOURCES = (
    Citation(0, 2, "https://a.example", "A"),
    Citation(0, 2, "https://b.example"),
    Citation(3, 5, "https://a.example"),
)
OWN = Opaque("anthropic_messages", {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}})


def answer(*parts: Part, searches: tuple[str, ...] = ("x", "y"), cited: tuple[Citation, ...] = SOURCES) -> Response:
    return Response("msg_1", "gemini-x", (Candidate(0, parts, STOP, citations=cited, searches=searches),), Usage())


def types(response: Response) -> tuple[list[str], list[str]]:
    """The types of the blocks, whole and streamed, which the SDK knows; and what was lost."""
    whole = DIALECT.render_response(response, REPLY)
    Message.model_validate(whole.body)
    events = written(list(tell(response)), REPLY)
    streamed = [one["content_block"]["type"] for one in events if one["type"] == "content_block_start"]
    return [block["type"] for block in whole.body["content"]], streamed


PAIR = ["server_tool_use", "web_search_tool_result"]
GOOGLE = Signature("google", "AAA=")
SEAL = ["redacted_thinking"]


@pytest.mark.parametrize(
    ("response", "whole", "streamed"),
    [
        (answer(Text("ab cd")), [*PAIR, "text", "text", "text"], ["text", *PAIR]),
        (answer(Text("ab cd"), searches=()), [*PAIR, "text", "text", "text"], ["text", *PAIR]),
        (answer(Text("ab cd"), cited=()), [*PAIR, "text"], ["text", *PAIR]),
        (answer(Text("ab cd"), searches=(), cited=()), ["text"], ["text"]),
        (
            answer(Reasoning("hm"), Text("ab"), cited=()),
            ["thinking", *PAIR, "text"],
            ["thinking", "text", *PAIR],
        ),
        (answer(ToolCall("c", "f", "{}"), cited=()), ["tool_use", *PAIR], ["tool_use", *PAIR]),
        (answer(Text("ab", GOOGLE), cited=()), [*SEAL, *PAIR, "text"], [*SEAL, "text", *PAIR]),
        (answer(Text("ab"), Text("", GOOGLE), cited=()), [*PAIR, "text"], ["text", *PAIR]),
        (answer(OWN, Text("ab cd")), ["server_tool_use", "text", "text", "text"], ["server_tool_use", "text"]),
    ],
    ids=["both", "sources", "queries", "nothing", "a thought", "a call", "a seal", "a seal behind", "Anthropic's own"],
)
def test_a_pair_of_blocks_is_told_for_all_searches(response: Response, whole: list[str], streamed: list[str]) -> None:
    """Whole answers tell them before the text, as Claude's do; streams know of them when the text is told."""
    assert types(response) == (whole, streamed)


@pytest.mark.parametrize("searches", [(), ("x",), ("x", "y", "x")])
def test_what_was_searched_for_is_read_again(searches: tuple[str, ...]) -> None:
    response = answer(Text("ab cd"), searches=searches)
    whole = DIALECT.render_response(response, REPLY)
    [again] = DIALECT.parse_response(json.loads(json.dumps(whole.body)), Reading(mint=str)).candidates
    assert (again.searches, set(again.citations)) == (searches, set(SOURCES))
    assert "".join(part.text for part in again.parts if isinstance(part, Text)) == "ab cd"
    for size in (1, 7, 10**6):
        [streamed] = assemble(read(written(list(tell(response)), REPLY), size)).candidates
        assert (streamed.searches, streamed.parts) == (searches, (Text("ab cd"),))
        assert {one.url for one in streamed.citations} == {one.url for one in SOURCES}


def test_the_searches_of_two_answers_have_different_ids() -> None:
    bodies = [
        DIALECT.render_response(answer(Text("ab")), Reply(id_, 9, search_blocks=True)).body for id_ in ("a-1", "b_2")
    ]
    ids = [block["id"] for body in bodies for block in body["content"] if block["type"] == "server_tool_use"]
    assert ids == [f"{OURS}a1", f"{OURS}b2"]
