"""mapping.md 2.2 and 2.4, channel B: thoughts and signatures once more, as OpenRouter's clients read them."""

import pytest

from dialects.dialect_rows import CHAT, GEMINI, Json, answer, chat, chunks, deltas, native, reading, reply
from portico.relay.prepare import reply_for

SIGNED: Json = {"functionCall": {"name": "look_up", "args": {}}, "thoughtSignature": "c2ln"}
ANSWER = answer({"text": "hm", "thought": True}, {"text": "yes"}, SIGNED)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"reasoning_effort": "low"}, False),
        ({"reasoning": {"effort": "low"}}, True),
        ({"reasoning": {"exclude": False}}, True),
        ({"include_reasoning": True}, True),
        ({"include_reasoning": False}, False),
        ({"reasoning": None}, False),
    ],
)
def test_who_asks_as_openrouters_clients_do_is_answered_so(fields: Json, expected: bool) -> None:
    request = CHAT.parse_request(chat(**fields))
    assert reply_for(request, answer_id="a", created=0).reasoning_details is expected


def test_a_whole_answer_mirrors_its_thoughts_and_signatures() -> None:
    response = GEMINI.parse_response(ANSWER, reading(tools={"look_up": None}))
    message = CHAT.render_response(response, reply(thoughts=True, reasoning_details=True)).body["choices"][0]["message"]
    assert message["reasoning_content"] == message["reasoning"] == "hm"
    call_id = message["tool_calls"][0]["id"]
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "text": "hm", "format": "google-gemini-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "c2ln", "id": call_id, "format": "google-gemini-v1", "index": 1},
    ]


def test_a_stream_mirrors_them_piece_by_piece() -> None:
    frames = [answer({"text": "h", "thought": True}, finish=None), answer({"text": "m", "thought": True}, SIGNED)]
    sent = deltas(chunks(frames, thoughts=True, reasoning_details=True, tools={"look_up": None}))
    thoughts = [delta for delta in sent if "reasoning_content" in delta]
    assert [delta["reasoning"] for delta in thoughts] == ["h", "m"]
    assert "".join([delta["reasoning_details"][0]["text"] for delta in thoughts]) == "hm"
    calls = [delta for delta in sent if "tool_calls" in delta]
    assert calls[0]["reasoning_details"][0]["id"] == calls[0]["tool_calls"][0]["id"]
    assert calls[0]["reasoning_details"][0]["data"] == "c2ln"


@pytest.mark.parametrize("thoughts", [False, True])
def test_nobody_else_is_told_twice(thoughts: bool) -> None:
    response = GEMINI.parse_response(ANSWER, reading())
    message = CHAT.render_response(response, reply(thoughts=thoughts)).body["choices"][0]["message"]
    assert not {"reasoning", "reasoning_details"} & message.keys()
    assert ("reasoning_content" in message) is thoughts


def test_hidden_thoughts_stay_hidden_where_signatures_are_mirrored() -> None:
    response = GEMINI.parse_response(ANSWER, reading())
    message = CHAT.render_response(response, reply(reasoning_details=True)).body["choices"][0]["message"]
    assert [detail["type"] for detail in message["reasoning_details"]] == ["reasoning.encrypted"]
    assert not {"reasoning", "reasoning_content"} & message.keys()


def test_what_was_mirrored_comes_back_as_the_signature_of_its_call() -> None:
    response = GEMINI.parse_response(ANSWER, reading(tools={"look_up": None}))
    message = CHAT.render_response(response, reply(thoughts=True, reasoning_details=True)).body["choices"][0]["message"]
    message["tool_calls"][0].pop("extra_content")
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "ok"}
    parts = native(chat({"role": "user", "content": "hi"}, message, result))["contents"][1]["parts"]
    assert parts[-1]["thoughtSignature"] == "c2ln"
