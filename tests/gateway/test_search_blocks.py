"""Who searches through Messages reads what was found in the blocks of the tool, whoever searched (mapping.md 7.1, 7.2)."""

import json
from typing import Any

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from gateway.house import Answer, Json, Script, answers, candidate, open_house, says
from gateway.vendors import CLAUDE, GPT, claude_says, claude_text, events_of, gpt_message, gpt_says
from portico.providers import KINDS

EVENT: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
THREE = tuple([KINDS[name] for name in ("gemini", "openai", "anthropic")])
GEMINI = "gemini-3.5-flash"
TOOL = {"type": "web_search_20250305", "name": "web_search"}
TEXT = "Rain in Oslo. Sun in Rome."
FOUND: Json = {
    "webSearchQueries": ["weather oslo", "weather rome"],
    "groundingChunks": [
        {"web": {"uri": "https://a.example/oslo", "title": "Oslo"}},
        {"web": {"uri": "https://b.example/rome"}},
    ],
    "groundingSupports": [
        {"segment": {"startIndex": 0, "endIndex": 13, "text": TEXT[:13]}, "groundingChunkIndices": [0]},
        {"segment": {"startIndex": 14, "endIndex": 26, "text": TEXT[14:]}, "groundingChunkIndices": [1, 0]},
    ],
}
OSLO = {
    "type": "web_search_result",
    "url": "https://a.example/oslo",
    "title": "Oslo",
    "encrypted_content": "",
    "page_age": None,
}
ROME = {**OSLO, "url": "https://b.example/rome", "title": "https://b.example/rome"}


def searched(found: Json = FOUND) -> Json:
    body = candidate({"text": TEXT})
    body["candidates"][0]["groundingMetadata"] = found
    return body


def asked(*, model: str = GEMINI, stream: bool = False, **more: Any) -> Json:
    asks = [{"role": "user", "content": "Weather?"}]
    return {"model": model, "max_tokens": 4000, "messages": asks, "stream": stream, "tools": [TOOL], **more}


def content(answer: Answer, *, stream: bool) -> list[Json]:
    """What the SDK makes of an answer, whole or streamed: its blocks."""
    if not stream:
        return [block.to_dict(mode="json") for block in Message.model_validate(answer.json()).content]
    snapshot: Any = None
    pieces: dict[int, bytes] = {}
    for event in events_of(answer.body):
        snapshot = accumulate_event(event=EVENT.validate_python(event), current_snapshot=snapshot, json_bufs=pieces)
    blocks: list[Json] = [block.to_dict(mode="json") for block in snapshot.content]
    return blocks


def calls(blocks: list[Json]) -> list[tuple[str, list[Any]]]:
    """What was searched for and found; a result stands right behind its call."""
    made = [at for at, block in enumerate(blocks) if block["type"] == "server_tool_use"]
    assert [blocks[at + 1]["tool_use_id"] for at in made] == [blocks[at]["id"] for at in made]
    assert len({blocks[at]["id"] for at in made}) == len(made)
    return [(blocks[at]["input"]["query"], blocks[at + 1]["content"]) for at in made]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_what_google_found_is_told_by_the_tool_that_was_declared(stream: bool) -> None:
    async with open_house(Script(answers(searched()))) as house:
        answer = await house.ask(asked(stream=stream), path="/v1/messages")
        blocks = content(answer, stream=stream)
        assert calls(blocks) == [("weather oslo; weather rome", [OSLO, ROME])]
        texts = [block["type"] == "text" for block in blocks]
        assert texts == ([True, False, False] if stream else [False] * 2 + texts[2:])
        assert "".join(block["text"] for block in blocks if block["type"] == "text") == TEXT
        assert "7.2:searches" not in answer.codes


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_who_declared_no_search_reads_the_text_alone(stream: bool) -> None:
    async with open_house(Script(answers(searched()))) as house:
        body = asked(model=f"{GEMINI}:online", stream=stream, tools=[])
        answer = await house.ask(body, path="/v1/messages")
        assert {block["type"] for block in content(answer, stream=stream)} == {"text"}
        assert stream or "7.2:searches" in answer.codes


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_an_answer_without_a_search_has_no_blocks_of_one(stream: bool) -> None:
    async with open_house(Script(answers(says(TEXT)))) as house:
        answer = await house.ask(asked(stream=stream), path="/v1/messages")
        assert content(answer, stream=stream) == [{"type": "text", "text": TEXT}]


async def test_what_gpt_found_is_told_too() -> None:
    source = {
        "type": "url_citation",
        "url": "https://a.example/oslo",
        "title": "Oslo",
        "start_index": 0,
        "end_index": 13,
    }
    message = gpt_message(TEXT)
    message["content"][0]["annotations"] = [source]
    async with open_house(Script(answers(gpt_says(message))), kinds=THREE) as house:
        answer = await house.ask(asked(model=GPT), path="/v1/messages")
        assert calls(content(answer, stream=False)) == [("", [OSLO])]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", [GEMINI, GPT, CLAUDE])
async def test_the_blocks_that_come_back_are_the_text_that_they_are_of(model: str, stream: bool) -> None:
    """Anthropic has not seen them, and no other vendor has words for them."""
    last = {GEMINI: says("Yes."), GPT: gpt_says(gpt_message("Yes.")), CLAUDE: claude_says(claude_text("Yes."))}[model]
    script = Script(answers(searched()), answers(last))
    async with open_house(script, kinds=THREE) as house:
        first = await house.ask(asked(stream=stream), path="/v1/messages")
        turns = [{"role": "assistant", "content": content(first, stream=stream)}, {"role": "user", "content": "Sure?"}]
        body = asked(model=model)
        answer = await house.ask({**body, "messages": body["messages"] + turns}, path="/v1/messages")
        assert (answer.status, answer.codes) == (200, [])
        sent = json.dumps(script.bodies[-1])
        assert TEXT in sent or (TEXT[:13] in sent and TEXT[14:] in sent)
        for strange in ("srvtoolu", "encrypted_index", "example", "citations"):
            assert strange not in sent


async def test_searches_of_anthropics_own_pass_as_they_are() -> None:
    call = {"type": "server_tool_use", "id": "srvtoolu_01abc", "name": "web_search", "input": {"query": "x"}}
    found = {**OSLO, "encrypted_content": "sealed"}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01abc", "content": [found]}
    cited = {
        "type": "web_search_result_location",
        "url": "https://a.example/oslo",
        "title": "Oslo",
        "encrypted_index": "i",
    }
    text = {"type": "text", "text": TEXT, "citations": [{**cited, "cited_text": "Rain"}]}
    turns: list[Json] = [{"role": "assistant", "content": [call, result, text]}, {"role": "user", "content": "Sure?"}]
    script = Script(answers(claude_says(claude_text("Yes."))), answers(claude_says(call, result, text)))
    async with open_house(script, kinds=THREE) as house:
        body = asked(model=CLAUDE)
        await house.ask({**body, "messages": body["messages"] + turns}, path="/v1/messages")
        assert script.bodies[0]["messages"][1]["content"] == [call, result, text]
        read: Json = {
            **turns[0],
            "content": [{"type": "thinking", "thinking": "of another", "signature": ""}, call, result, text],
        }
        answer = await house.ask({**body, "messages": [*body["messages"], read, turns[1]]}, path="/v1/messages")
        assert script.bodies[1]["messages"][1]["content"][-3:] == [call, result, text]
        assert answer.json()["content"][:2] == [call, result]
        assert len(answer.json()["content"]) == 3
