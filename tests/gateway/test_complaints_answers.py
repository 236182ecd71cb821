"""Complaints 20, 21, 23 and 24 of complaints.md: empty answers, searches and sources, documents, and thoughts."""

import base64
from typing import Any

import pytest

from gateway.agents import CLIENTS, TOOLS, Agent
from gateway.house import Act, Answer, Json, Script, answers, candidate, chat, frame, open_house, says
from portico.http.server import Server
from portico.wire import jsontext
from portico.wire.http import Exchange

NEW, OLD = "gemini-3.5-flash", "gemini-2.5-flash"
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True])
USAGE: Json = {"promptTokenCount": 9, "thoughtsTokenCount": 100, "totalTokenCount": 109}


def plays(*bodies: Json) -> Act:
    """A stream of these events; the whole answer holds all their parts and what the last of them says."""
    parts = [part for body in bodies for part in body["candidates"][0]["content"]["parts"]]
    last = bodies[-1]
    whole = {**last, "candidates": [{**last["candidates"][0], "content": {"role": "model", "parts": parts}}]}

    async def act(exchange: Exchange) -> None:
        if "alt=sse" not in exchange.request.query:
            exchange.send(200, [("content-type", "application/json")], jsontext.encode(whole))
            return
        exchange.start(200, [("content-type", "text/event-stream")])
        for body in bodies:
            exchange.write(frame(body))
        exchange.finish()

    return act


def ended(answer: Answer) -> tuple[str, str | None]:
    """(finish_reason, native_finish_reason)"""
    if answer.headers["content-type"].startswith("text/event-stream"):
        choices = [choice for chunk in answer.events.chunks for choice in chunk["choices"]]
        (choice,) = [one for one in choices if one["finish_reason"] is not None]
    else:
        (choice,) = answer.json()["choices"]
    return choice["finish_reason"], choice["native_finish_reason"]


def gathered(answer: Answer, key: str) -> Any:
    """A field of the message, whole or put together from deltas; None where it was not told."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return answer.message.get(key)
    told = [delta[key] for delta in answer.events.deltas if delta.get(key)]
    if not told:
        return None
    return "".join(told) if isinstance(told[0], str) else [entry for entries in told for entry in entries]


def usage_of(answer: Answer) -> Json:
    told = answer.events.chunks[-1] if answer.headers["content-type"].startswith("text/event") else answer.json()
    usage = told["usage"]
    assert isinstance(usage, dict)
    return usage


def streamed(*, stream: bool) -> Json:
    return {"stream": True, "stream_options": {"include_usage": True}} if stream else {}


# -- 20: empty answers ------------------------------------------------------------------------------------------------

# (what came instead of an answer, the error that it is the second time)
EMPTY = [
    ("malformed call", candidate(finish="MALFORMED_FUNCTION_CALL"), "upstream_malformed_output"),
    ("malformed answer", candidate(finish="MALFORMED_RESPONSE"), "upstream_malformed_output"),
    ("call of an unknown tool", candidate(finish="UNEXPECTED_TOOL_CALL"), "upstream_malformed_output"),
    ("no picture", candidate(finish="NO_IMAGE"), "upstream_empty"),
    ("other", candidate(finish="OTHER"), "upstream_empty"),
    ("a reason of the future", candidate(finish="SOMETHING_NEW"), "upstream_empty"),
    ("an empty text", candidate({"text": ""}, finish="NO_IMAGE"), "upstream_empty"),
    ("only hidden thoughts", candidate({"text": "Hm.", "thought": True}, finish="OTHER"), "upstream_empty"),
    ("no candidate", {"usageMetadata": USAGE, "responseId": "r"}, "upstream_empty"),
    ("nothing at all", {}, "upstream_empty"),
]
EACH_EMPTY = pytest.mark.parametrize(("what", "body", "code"), EMPTY, ids=[row[0] for row in EMPTY])


@BOTH_WAYS
@EACH_EMPTY
async def test_complaint_20_an_empty_answer_is_retried_once_and_the_caller_does_not_notice(
    what: str, body: Json, code: str, stream: bool
) -> None:
    provider = Script(answers(body), answers(says("Here you are")))
    async with open_house(provider) as house:
        answer = await house.ask(chat(**streamed(stream=stream)))
        assert (answer.status, gathered(answer, "content"), ended(answer)) == (200, "Here you are", ("stop", "STOP"))
        assert len(provider.requests) == 2
        assert provider.bodies[0] == provider.bodies[1]


@BOTH_WAYS
@EACH_EMPTY
async def test_complaint_20_the_second_time_it_is_an_error_that_says_why(
    what: str, body: Json, code: str, stream: bool
) -> None:
    provider = Script(answers(body))
    async with open_house(provider) as house:
        answer = await house.ask(chat(**streamed(stream=stream)))
        assert (answer.status, answer.error["code"]) == (502, code)
        assert len(provider.requests) == 2
        for one in body.get("candidates", ()):
            assert one["finishReason"] in answer.error["message"]


@BOTH_WAYS
async def test_complaint_20_thoughts_that_ate_the_budget_are_told_as_such(stream: bool) -> None:
    cut = candidate(finish="MAX_TOKENS", usageMetadata=USAGE)
    provider = Script(answers(cut))
    async with open_house(provider) as house:
        answer = await house.ask(chat(max_tokens=5000, **streamed(stream=stream)))
        assert (answer.status, ended(answer)) == (200, ("length", "MAX_TOKENS"))
        assert usage_of(answer)["completion_tokens_details"]["reasoning_tokens"] == 100
        assert len(provider.requests) == 1


@BOTH_WAYS
@pytest.mark.parametrize("model", [NEW, OLD])
async def test_complaint_20_a_small_budget_is_not_left_to_thoughts(model: str, stream: bool) -> None:
    """A client that sets 200 tokens and no effort gets text, and is told what was done for it."""
    async with open_house() as house:
        answer = await house.ask(chat("Hello", model=model, max_tokens=200, **streamed(stream=stream)))
        assert gathered(answer, "content").startswith("[simulated] You said")
        assert ended(answer) == ("stop", "STOP")
        assert "9:small_max_tokens" in answer.codes


@BOTH_WAYS
@pytest.mark.parametrize("parts", [[], [{"text": ""}], [{}], [{"text": "", "thought": True}]])
async def test_complaint_20_an_answer_that_only_stops_is_asked_for_again_and_then_told_in_googles_word(
    parts: list[Json], stream: bool
) -> None:
    provider = Script(answers(candidate(*parts)))
    async with open_house(provider) as house:
        answer = await house.ask(chat(**streamed(stream=stream)))
        assert (answer.status, ended(answer)) == (200, ("stop", "STOP"))
        assert len(provider.requests) == 2


@BOTH_WAYS
@pytest.mark.parametrize("finish", ["MALFORMED_FUNCTION_CALL", "OTHER", "NO_IMAGE", "SAFETY", "MAX_TOKENS"])
async def test_complaint_20_text_that_came_before_is_kept_with_the_reason_beside_it(finish: str, stream: bool) -> None:
    provider = Script(plays(says("Half", finish=None), candidate(finish=finish)))
    async with open_house(provider) as house:
        answer = await house.ask(chat(**streamed(stream=stream)))
        assert gathered(answer, "content") == "Half"
        assert ended(answer)[1] == finish
        assert len(provider.requests) == 1


@BOTH_WAYS
async def test_complaint_20_a_call_beside_an_unexpected_one_is_delivered(stream: bool) -> None:
    part = {"functionCall": {"name": "look_up", "args": {}}}
    async with open_house(Script(answers(candidate(part, finish="UNEXPECTED_TOOL_CALL")))) as house:
        answer = await house.ask(chat(**streamed(stream=stream)))
        assert [call["function"]["name"] for call in gathered(answer, "tool_calls")] == ["look_up"]
        assert ended(answer) == ("tool_calls", "UNEXPECTED_TOOL_CALL")


# -- 21: searches and sources -----------------------------------------------------------------------------------------

FUNCTION: Json = {"type": "function", "function": {"name": "look_up"}}
SEARCHES: dict[str, Json] = {
    "web_search_options": {"tools": [FUNCTION], "web_search_options": {}},
    "web_search": {"tools": [FUNCTION, {"type": "web_search"}]},
    "google_search": {"tools": [FUNCTION, {"google_search": {}}]},
    "a function named so": {"tools": [FUNCTION, {"type": "function", "function": {"name": "googleSearch"}}]},
    "extra_body": {"tools": [FUNCTION], "extra_body": {"google": {"tools": [{"googleSearch": {}}]}}},
}


@BOTH_WAYS
@pytest.mark.parametrize("model", [NEW, "gemini-3-flash-preview", "gemini-3.1-pro-preview", "gemini-4-argon"])
@pytest.mark.parametrize("form", SEARCHES)
async def test_complaint_21_a_search_goes_beside_function_tools_on_three(form: str, model: str, stream: bool) -> None:
    async with open_house() as house:
        answer = await house.ask(chat("Look_up what is new", model=model, **SEARCHES[form], **streamed(stream=stream)))
        assert answer.status == 200, answer.body
        assert answer.codes == []
        sent = house.simulator.stats.last.body
        assert sent["tools"] == [{"functionDeclarations": [{"name": "look_up"}]}, {"googleSearch": {}}]
        assert sent["toolConfig"] == {"includeServerSideToolInvocations": True}


@BOTH_WAYS
@pytest.mark.parametrize("model", [OLD, "gemini-2.5-pro"])
@pytest.mark.parametrize("form", SEARCHES)
async def test_complaint_21_older_models_refuse_both_and_nothing_is_dropped(
    form: str, model: str, stream: bool
) -> None:
    async with open_house() as house:
        answer = await house.ask(chat(model=model, **SEARCHES[form], **streamed(stream=stream)))
        assert (answer.status, answer.error["code"]) == (400, "unsupported_parameter")
        assert answer.error["param"]
        assert house.simulator.stats.requests == 0


@BOTH_WAYS
@pytest.mark.parametrize("words", ["Search the web and read_file [[sim:steps=3]]", "Search the web"])
@pytest.mark.parametrize("client", CLIENTS)
async def test_complaint_21_what_a_search_brought_back_goes_back_to_google(
    client: str, words: str, stream: bool
) -> None:
    """The parts of a search are signed; the simulator refuses a turn that comes back without them."""
    async with open_house() as house:
        tools = [*TOOLS, {"type": "web_search"}]
        agent = Agent(house, words, keep=CLIENTS[client], tools=tools, stream=stream)
        await agent.finish()
        agent.messages.append({"role": "user", "content": "Thank you"})
        await agent.finish()
        assert house.simulator.stats.refused == 0
        assert not {"2.4:skip_signature", "2.4:foreign_signature"} & agent.codes
        turns = house.simulator.stats.last.body["contents"]
        kinds = [
            kind for one in turns for part in one["parts"] for kind in ("toolCall", "toolResponse") if kind in part
        ]
        assert kinds[:2] == ["toolCall", "toolResponse"]


TEXT = "Zürich is in 瑞士. It is big."
SOURCES: Json = {
    "webSearchQueries": ["where is zürich", "", "how big is zürich"],
    "groundingChunks": [
        {"web": {"uri": "https://a.example/1", "title": "a.example"}},
        {"web": {"uri": "https://b.example/2", "title": "b.example"}},
    ],
    "groundingSupports": [
        {"segment": {"endIndex": 21, "text": "Zürich is in 瑞士."}, "groundingChunkIndices": [0, 1]},
        {"segment": {"startIndex": 22, "endIndex": 32, "text": "It is big."}, "groundingChunkIndices": [1]},
    ],
}
CITED = [
    ("https://a.example/1", "Zürich is in 瑞士."),
    ("https://b.example/2", "Zürich is in 瑞士."),
    ("https://b.example/2", "It is big."),
]


def grounded(text: str, metadata: Json, **fields: Any) -> Json:
    body = says(text, **fields)
    body["candidates"][0]["groundingMetadata"] = metadata
    return body


@BOTH_WAYS
@pytest.mark.parametrize("cut", [0, 1, 13, 14, len(TEXT)])
async def test_complaint_21_sources_are_told_in_streams_too_and_searches_are_counted(cut: int, stream: bool) -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 4, "toolUsePromptTokenCount": 3, "totalTokenCount": 16}
    events = [grounded(TEXT[:cut], {}, finish=None), grounded(TEXT[cut:], SOURCES, usageMetadata=usage)]
    async with open_house(Script(plays(*events))) as house:
        answer = await house.ask(chat(tools=[{"type": "web_search"}], **streamed(stream=stream)))
        assert gathered(answer, "content") == TEXT
        cited = [one["url_citation"] for one in gathered(answer, "annotations")]
        assert [(one["url"], TEXT[one["start_index"] : one["end_index"]]) for one in cited] == CITED
        told = usage_of(answer)
        assert told["server_tool_use"] == {"web_search_requests": 2}
        assert (told["tool_use_prompt_tokens"], told["prompt_tokens"]) == (3, 12)
        if stream:
            kinds = [next(iter(delta), "finish") for delta in answer.events.deltas]
            assert kinds.count("annotations") == 1
            assert kinds.index("annotations") < kinds.index("finish")


# -- 23: documents ----------------------------------------------------------------------------------------------------

DOCUMENT = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
DATA = base64.b64encode(DOCUMENT).decode()
URI = f"data:application/pdf;base64,{DATA}"

PDFS: dict[str, Json] = {
    "file, data URI": {"type": "file", "file": {"filename": "a.pdf", "file_data": URI}},
    "file, bare base64": {"type": "file", "file": {"filename": "a.pdf", "file_data": DATA}},
    "file, neither name nor type": {"type": "file", "file": {"file_data": DATA}},
    "file, its type beside it": {"type": "file", "file": {"file_data": DATA, "format": "application/pdf"}},
    "file, address as id": {"type": "file", "file": {"file_id": "ADDRESS"}},
    "input_file": {"type": "input_file", "filename": "a.pdf", "file_data": URI},
    "input_file, bare base64": {"type": "input_file", "filename": "a.pdf", "file_data": DATA},
    "input_file, address": {"type": "input_file", "file_url": "ADDRESS"},
    "image_url, data URI": {"type": "image_url", "image_url": {"url": URI}},
    "image_url, data URI in capitals": {"type": "image_url", "image_url": {"url": URI.replace("data:", "DATA:")}},
    "image_url, a string": {"type": "image_url", "image_url": URI},
    "image_url, address": {"type": "image_url", "image_url": {"url": "ADDRESS"}},
    "input_image": {"type": "input_image", "image_url": URI},
}


async def serve_pdf(exchange: Exchange) -> None:
    exchange.send(200, [("content-type", "application/pdf")], DOCUMENT)


def at(part: Any, address: str) -> Any:
    """A part with the address of the document in it."""
    if isinstance(part, dict):
        return {key: at(value, address) for key, value in part.items()}
    return address if part == "ADDRESS" else part


@pytest.mark.parametrize("model", [NEW, OLD])
@pytest.mark.parametrize("form", PDFS)
async def test_complaint_23_a_pdf_is_read_in_every_form(form: str, model: str) -> None:
    files = await Server(serve_pdf).start(port=0)
    async with open_house(allow=["127.0.0.1"]) as house:
        part = at(PDFS[form], f"http://127.0.0.1:{files.port}/a.pdf")
        body = chat(model=model)
        body["messages"][0]["content"] = [{"type": "text", "text": "Read"}, part]
        answer = await house.ask(body)
        await files.stop(grace_s=0)
        assert answer.status == 200, answer.body
        assert answer.message["content"] == '[simulated] You said: "Read" I received application/pdf.'
        sent = house.simulator.stats.last.body["contents"][0]["parts"][1]
        assert sent == {"inlineData": {"mimeType": "application/pdf", "data": DATA}}


# -- 24: thoughts -----------------------------------------------------------------------------------------------------


def thought(text: str) -> Json:
    return {"text": text, "thought": True}


CALL: Json = {"functionCall": {"name": "look_up", "args": {}}}
# Events of a stream: kinds of part that follow one another within an event and across events.
MIXED: dict[str, list[Json]] = {
    "one kind an event": [candidate(thought("Hm. "), finish=None), candidate({"text": "4"})],
    "both in one event": [candidate(thought("Hm. "), {"text": "4"})],
    "text, then a thought, in one event": [
        candidate({"text": "4"}, thought("Hm. "), finish=None),
        candidate({"text": ""}),
    ],
    "in turns": [
        candidate(thought("H"), {"text": ""}, finish=None),
        candidate(thought("m"), finish=None),
        candidate(thought(". "), {"text": "4"}, CALL),
    ],
}
SHOWN: dict[str, Json] = {
    "include_reasoning": {"include_reasoning": True},
    "Google's own": {"extra_body": {"google": {"thinking_config": {"include_thoughts": True}}}},
    "reasoning": {"reasoning": {"effort": "high", "exclude": False}},
}


@BOTH_WAYS
@pytest.mark.parametrize("asked", SHOWN)
@pytest.mark.parametrize("events", MIXED)
async def test_complaint_24_thoughts_and_content_are_told_apart_in_one_shape(
    events: str, asked: str, stream: bool
) -> None:
    async with open_house(Script(plays(*MIXED[events]))) as house:
        answer = await house.ask(chat(**SHOWN[asked], **streamed(stream=stream)))
        assert (gathered(answer, "content"), gathered(answer, "reasoning_content")) == ("4", "Hm. ")
        if stream:
            assert not any({"content", "reasoning_content"} <= delta.keys() for delta in answer.events.deltas)


@BOTH_WAYS
@pytest.mark.parametrize("asked", ["include_reasoning", "reasoning"])
async def test_complaint_24_who_asks_as_openrouters_clients_do_is_answered_as_they_read(
    asked: str, stream: bool
) -> None:
    async with open_house(Script(plays(*MIXED["in turns"]))) as house:
        answer = await house.ask(chat(**SHOWN[asked], **streamed(stream=stream)))
        details = gathered(answer, "reasoning_details")
        assert "".join([one["text"] for one in details if one["type"] == "reasoning.text"]) == "Hm. "
        assert gathered(answer, "reasoning") == gathered(answer, "reasoning_content") == "Hm. "


@BOTH_WAYS
@pytest.mark.parametrize(
    "fields", [{}, {"reasoning": {"effort": "high", "exclude": True}}, {"include_reasoning": False}]
)
async def test_complaint_24_thoughts_nobody_asked_for_are_not_told(fields: Json, stream: bool) -> None:
    async with open_house(Script(plays(*MIXED["in turns"]))) as house:
        answer = await house.ask(chat(**fields, **streamed(stream=stream)))
        assert gathered(answer, "content") == "4"
        assert "Hm" not in answer.body.decode()


@BOTH_WAYS
async def test_complaint_24_thoughts_sent_back_are_not_said_again(stream: bool) -> None:
    async with open_house() as house:
        body = chat("Think", reasoning_effort="high", include_reasoning=True, **streamed(stream=stream))
        answer = await house.ask(body)
        thoughts, text = gathered(answer, "reasoning_content"), gathered(answer, "content")
        assert thoughts
        assert "Thinking" in thoughts
        assert "Thinking" not in text
        said = {"role": "assistant", "content": text, "reasoning_content": thoughts}
        again = await house.ask({**body, "messages": [*body["messages"], said, {"role": "user", "content": "Again"}]})
        assert again.status == 200
        model_turn = house.simulator.stats.last.body["contents"][1]["parts"]
        assert [part["text"] for part in model_turn if not part.get("thought")] in ([text], [text, ""])
