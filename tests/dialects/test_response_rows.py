"""mapping.md 2.1 to 2.3, 2.5, 2.6: a Google answer as a Chat client reads it."""

from typing import Any

import pytest

from dialects.dialect_rows import (
    CALL_ID,
    CHAT,
    GEMINI,
    Json,
    answer,
    answers,
    calls_of,
    chat,
    choice,
    chunks,
    completion,
    finishes,
    function,
    message,
    reading,
    reply,
    target,
    told,
)
from portico.core.errors import UpstreamBadGateway
from portico.core.response import FinishReason
from portico.wire import jsontext
from portico.wire.sse import Frame

TEXT: Json = {"text": "hello"}
CALL: Json = {"functionCall": {"name": "look_up", "args": {"a": 1}}}

# -- 2.1 envelope -----------------------------------------------------------------------------------------------------


def test_the_envelope_is_openais() -> None:
    """2.1, every row, and the keys that the schema requires"""
    body = completion(answer(TEXT, usageMetadata={"promptTokenCount": 1, "totalTokenCount": 1}))
    assert body == {
        "id": "chatcmpl-r1",
        "object": "chat.completion",
        "created": 7,
        "model": "asked",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
                "native_finish_reason": "STOP",
            }
        ],
        "system_fingerprint": None,
        "usage": body["usage"],
    }


def test_an_answer_without_an_id_gets_ours() -> None:
    """2.1, id"""
    assert completion({**answer(TEXT), "responseId": None})["id"] == "chatcmpl-own"


def test_the_name_asked_for_is_echoed_else_the_providers_own_without_its_prefix() -> None:
    """2.1, model; 1.8, last paragraph"""
    response = GEMINI.parse_response(answer(TEXT, modelVersion="models/gemini-x"), reading())
    assert response.model == "gemini-x"
    assert CHAT.render_response(response, reply(model=None)).body["model"] == "gemini-x"
    assert CHAT.render_response(response, reply()).body["model"] == "asked"


@pytest.mark.parametrize(
    ("tier", "expected"), [("standard", "default"), ("flex", "flex"), ("priority", "priority"), (None, None)]
)
def test_the_tier_is_told_in_openais_word(tier: str | None, expected: str | None) -> None:
    """2.1, service_tier; 1.16"""
    usage = {"totalTokenCount": 1} | ({"serviceTier": tier} if tier else {})
    assert completion(answer(TEXT, usageMetadata=usage)).get("service_tier") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [([None], [0]), ([0], [0]), ([None, 1], [0, 1]), ([0, 1], [0, 1]), ([None, None], [0, 1]), ([1, 0], [1, 0])],
)
def test_a_missing_index_is_the_position(given: list[int | None], expected: list[int]) -> None:
    """2.1, choices[].index"""
    candidates = []
    for index in given:
        candidate: Json = {"content": {"parts": [TEXT]}, "finishReason": "STOP"}
        candidates.append(candidate if index is None else candidate | {"index": index})
    body = completion({"candidates": candidates})
    assert [one["index"] for one in body["choices"]] == expected


def test_what_google_says_of_its_end_is_told_beside_openais_word() -> None:
    """2.1, extension on choice"""
    body = answer(CALL)
    body["candidates"][0]["finishMessage"] = "Model generated function call(s)."
    told_choice = choice(body)
    assert told_choice["native_finish_reason"] == "STOP"
    assert told_choice["finish_message"] == "Model generated function call(s)."


# (name, body): raw shapes that must not crash
SHAPES: list[tuple[str, Json]] = [
    ("no candidates", {"promptFeedback": {"blockReason": "SAFETY"}}),
    ("empty candidates", {"candidates": [], "promptFeedback": {"blockReason": "OTHER"}}),
    ("no content", {"candidates": [{"finishReason": "STOP"}]}),
    ("empty content", {"candidates": [{"content": {}, "finishReason": "STOP"}]}),
    ("no parts", {"candidates": [{"content": {"role": "model"}, "finishReason": "STOP"}]}),
    ("null parts", {"candidates": [{"content": {"role": "model", "parts": None}, "finishReason": "STOP"}]}),
    ("empty part", {"candidates": [{"content": {"parts": [{}]}, "finishReason": "STOP"}]}),
    ("empty text", {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}]}),
    ("no finish", {"candidates": [{"content": {"parts": []}}]}),
    ("usage of nothing", {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"trafficType": "ON_DEMAND"}}),
    ("null usage", {"candidates": [{"finishReason": "STOP"}], "usageMetadata": None}),
]


@pytest.mark.parametrize(("name", "body"), SHAPES, ids=[row[0] for row in SHAPES])
def test_a_shape_that_was_recorded_is_survived(name: str, body: Json) -> None:
    """2.1, last paragraph: no content at all is `""`"""
    told_choice = choice(body)
    assert told_choice["message"]["content"] == ""
    assert "tool_calls" not in told_choice["message"]
    assert "usage" not in completion(body)


# (name, body): not answers at all
STRANGE: list[tuple[str, Any]] = [
    ("null", None),
    ("text", "hello"),
    ("number", 5),
    ("list", [answer(TEXT)]),
    ("candidates are a text", {"candidates": "x"}),
    ("a candidate is a text", {"candidates": ["x"]}),
    ("content is a text", {"candidates": [{"content": "x"}]}),
    ("a part is a text", {"candidates": [{"content": {"parts": ["x"]}}]}),
    ("text is a number", {"candidates": [{"content": {"parts": [{"text": 5}]}}]}),
    ("a call is a text", {"candidates": [{"content": {"parts": [{"functionCall": "x"}]}}]}),
    ("index is a text", {"candidates": [{"index": "x"}]}),
    ("usage is a text", {"candidates": [{"finishReason": "STOP"}], "usageMetadata": "x"}),
    ("details are a number", {"usageMetadata": {"totalTokenCount": 5, "promptTokensDetails": 5}}),
    ("feedback is a text", {"promptFeedback": "x"}),
]


@pytest.mark.parametrize(("name", "body"), STRANGE, ids=[row[0] for row in STRANGE])
def test_what_is_no_answer_is_a_bad_gateway_and_no_crash(name: str, body: Any) -> None:
    """2.1, raw shapes"""
    with pytest.raises(UpstreamBadGateway):
        GEMINI.parse_response(body, reading())


# -- 2.2 parts --------------------------------------------------------------------------------------------------------

# (name, parts, content, reasoning_content with thoughts shown)
PARTS: list[tuple[str, list[Json], str | None, str | None]] = [
    ("text", [TEXT], "hello", None),
    ("texts are joined with nothing", [{"text": "a"}, {"text": "\n"}, {"text": " "}, {"text": "b"}], "a\n b", None),
    ("thoughts are apart", [{"text": "hm", "thought": True}, TEXT], "hello", "hm"),
    (
        "interleaved",
        [{"text": "1", "thought": True}, {"text": "a"}, {"text": "2", "thought": True}, {"text": "b"}],
        "ab",
        "12",
    ),
    ("thought false is text", [{"text": "a", "thought": False}], "a", None),
    ("only calls", [CALL], None, None),
    ("text and calls", [TEXT, CALL], "hello", None),
    ("calls and text", [CALL, TEXT], "hello", None),
    ("only a signature", [{"text": "", "thoughtSignature": "c2ln"}], "", None),
    ("a signature alone", [{"thoughtSignature": "c2ln"}], "", None),
    ("a draft picture", [{"inlineData": {"mimeType": "image/png", "data": "eA=="}, "thought": True}, TEXT], "hello", None),
    ("code", [{"executableCode": {"language": "PYTHON", "code": "x"}}, TEXT], "hello", None),
    ("code's result", [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "x"}}, TEXT], "hello", None),
    ("toolCall", [{"toolCall": {"id": "1", "toolType": "GOOGLE_SEARCH_WEB"}}, TEXT], "hello", None),
    ("toolResponse", [{"toolResponse": {"id": "1", "toolType": "GOOGLE_SEARCH_WEB"}}, TEXT], "hello", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parts", "content", "reasoning"), PARTS, ids=[row[0] for row in PARTS])
def test_parts_become_content(name: str, parts: list[Json], content: str | None, reasoning: str | None) -> None:
    """2.2, whole and streamed; thoughts only for those who asked"""
    assert message(answer(*parts))["content"] == content
    assert "reasoning_content" not in message(answer(*parts))
    assert message(answer(*parts), thoughts=True).get("reasoning_content") == reasoning
    pieces = [*[answer(part, finish=None) for part in parts], answer(finish="STOP")]
    sent = chunks(pieces, thoughts=True)
    said = [one["delta"] for chunk in sent[:-1] for one in chunk["choices"]]
    assert "".join([delta.get("content") or "" for delta in said]) == (content or "")
    assert "".join([delta.get("reasoning_content", "") for delta in said]) == (reasoning or "")


@pytest.mark.parametrize(
    "part",
    [
        {"executableCode": {"language": "PYTHON", "code": "x"}, "thoughtSignature": "c2ln"},
        {"toolCall": {"id": "1", "toolType": "URL_CONTEXT", "args": {}}, "thoughtSignature": "c2ln"},
        {"toolResponse": {"id": "1", "toolType": "URL_CONTEXT", "response": {"a_b": 1}}, "thoughtSignature": "c2ln"},
    ],
)
def test_parts_no_client_sees_travel_whole_and_can_be_sent_again(part: Json) -> None:
    """2.2, executableCode, toolCall, toolResponse: preserved for replay, with their place and signature"""
    told_message = message(answer(part, TEXT))
    assert told_message["extra_content"]["google"]["parts"] == [{"index": 0, "part": part}]
    again = CHAT.parse_request(chat({"role": "user", "content": "hi"}, told_message, {"role": "user", "content": "go"}))
    assert GEMINI.render_request(again, target()).body["contents"][1]["parts"] == [part, TEXT]


def test_calls_that_the_provider_answered_itself_are_not_shown() -> None:
    """2.2; traffic.md 3.10: server-side MCP puts call and answer into one model content"""
    served = [CALL, {"functionResponse": {"name": "look_up", "response": {"ok": True}}}, TEXT]
    told_choice = choice(answer(*served))
    assert told_choice["finish_reason"] == "stop"
    assert told_choice["message"]["content"] == "hello"
    assert "tool_calls" not in told_choice["message"]
    sent = chunks([answer(served[0], finish=None), answer(*served[1:])])
    assert finishes(sent) == [(0, "stop")]
    assert not any("tool_calls" in one["delta"] for chunk in sent[:-1] for one in chunk["choices"])


# -- 2.3 tool calls ---------------------------------------------------------------------------------------------------


def test_a_call_is_openais() -> None:
    """2.3: a gateway id whatever Google's, the type, arguments as compact JSON text"""
    body = answer({"functionCall": {"id": "up1", "name": "look_up", "args": {"b": "ü\\n", "a": [1, {"c": None}]}}})
    [entry] = message(body)["tool_calls"]
    assert entry == {
        "id": CALL_ID,
        "type": "function",
        "function": {"name": "look_up", "arguments": r'{"b":"ü\\n","a":[1,{"c":null}]}'},
    }
    [found] = calls_of(GEMINI.parse_response(body, reading()))
    assert found.upstream_id == "up1"


@pytest.mark.parametrize(
    "wire", [{"name": "f"}, {"name": "f", "args": {}}, {"name": "f", "args": None}, {"name": "f", "id": ""}]
)
def test_missing_args_are_an_empty_object(wire: Json) -> None:
    """2.3, arguments; id"""
    [entry] = message(answer({"functionCall": wire}))["tool_calls"]
    assert entry["function"] == {"name": "f", "arguments": "{}"}
    assert entry["id"] == CALL_ID


def test_ids_that_google_repeats_stay_apart() -> None:
    """2.3, id"""
    body = answer(*[{"functionCall": {"id": "same", "name": "f"}}] * 3)
    ids = [entry["id"] for entry in message(body)["tool_calls"]]
    assert len(set(ids)) == 3
    assert [entry["id"] for entry in completion(body)["choices"][0]["message"]["tool_calls"]] == ids


WITH_INTEGERS: Json = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "many": {"type": "array", "items": {"type": "integer"}},
        "deep": {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}},
        "any": {},
    },
}


def test_whole_doubles_are_integers_where_the_tool_says_integer() -> None:
    """2.3, arguments: Google's Struct has doubles only"""
    args = {"n": 5.0, "x": 5.0, "many": [1.0, 2.5], "deep": {"n": 7.0}, "any": 1.0, "other": 1.0}
    body = answer({"functionCall": {"name": "f", "args": args}})
    [entry] = message(body, tools={"f": WITH_INTEGERS})["tool_calls"]
    assert entry["function"]["arguments"] == ('{"n":5,"x":5.0,"many":[1,2.5],"deep":{"n":7},"any":1.0,"other":1.0}')


def test_legacy_functions_get_one_function_call() -> None:
    """2.3, legacy functions; 1.12, functions[]"""
    request = CHAT.parse_request(chat(functions=[function()["function"]]))
    assert request.legacy_functions
    response = GEMINI.parse_response(answer(CALL, CALL), reading())
    [told_choice] = CHAT.render_response(response, reply(legacy_functions=True)).body["choices"]
    assert told_choice["finish_reason"] == "function_call"
    assert told_choice["message"]["function_call"] == {"name": "look_up", "arguments": '{"a":1}'}
    assert "tool_calls" not in told_choice["message"]
    sent = chunks([answer(CALL, CALL)], legacy_functions=True)
    assert finishes(sent) == [(0, "function_call")]
    said = [
        one["delta"]["function_call"]
        for chunk in sent[:-1]
        for one in chunk["choices"]
        if "function_call" in one["delta"]
    ]
    assert said == [{"name": "look_up", "arguments": '{"a":1}'}]


# -- 2.5 finish reasons -----------------------------------------------------------------------------------------------

FILTERS = (
    "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION",
)  # fmt: skip
OTHERS = ("LANGUAGE", "OTHER", "IMAGE_OTHER", "FINISH_REASON_UNSPECIFIED", "NO_IMAGE", "OF_THE_FUTURE", "CONTINUATION")
MALFORMED = ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE")

# (Google's word, finish_reason with text, with a call; error code with nothing, None: delivered with "" as content)
FINISHES: list[tuple[Any, str, str, str | None]] = [
    ("STOP", "stop", "tool_calls", None),
    (1, "stop", "tool_calls", None),
    ("MAX_TOKENS", "length", "length", None),
    (2, "length", "length", None),
    *[(word, "content_filter", "content_filter", None) for word in FILTERS],
    (3, "content_filter", "content_filter", None),
    *[(word, "stop", "stop", "upstream_empty") for word in OTHERS],
    *[
        (word, "stop", "tool_calls" if word == "UNEXPECTED_TOOL_CALL" else "stop", "upstream_malformed_output")
        for word in MALFORMED
    ],
    ("TOO_MANY_TOOL_CALLS", "stop", "tool_calls", "upstream_empty"),
]
EACH_FINISH = pytest.mark.parametrize(("raw", "text", "call", "empty"), FINISHES, ids=[str(row[0]) for row in FINISHES])


@EACH_FINISH
def test_every_finish_has_openais_word_and_its_own_beside_it(raw: Any, text: str, call: str, empty: str | None) -> None:
    """2.5, whole and streamed, with text and with a call: what was delivered is never taken back"""
    for parts, word in (([TEXT], text), ([TEXT, CALL], call)):
        body = answer(*parts, finish=raw)
        told_choice = choice(body)
        assert told_choice["finish_reason"] == word
        assert told_choice["message"]["content"] == "hello"
        assert ("tool_calls" in told_choice["message"]) is (CALL in parts)
        assert isinstance(told_choice["native_finish_reason"], str)
        if isinstance(raw, str):
            assert told_choice["native_finish_reason"] == raw
        assert finishes(chunks([body])) == [(0, word)]
        assert finishes(chunks([*[answer(part, finish=None) for part in parts], answer(finish=raw)])) == [(0, word)]


@EACH_FINISH
def test_an_answer_with_nothing_in_it_needs_a_reason(raw: Any, text: str, call: str, empty: str | None) -> None:
    """2.5: an end the caller cannot act on, with no content at all, is a failure (502)"""
    for body in (answer(finish=raw), {"candidates": [{"finishReason": raw}]}, answer({"text": ""}, finish=raw)):
        told_body = answers().response(body).body
        sent = jsontext.decode(answers().stream().close([frame_of(body)])[-1].data) if empty else None
        if empty is None:
            assert told_body["choices"][0]["message"]["content"] == ""
            assert told_body["choices"][0]["finish_reason"] == text
        else:
            assert told_body["error"]["code"] == empty
            assert told_body["error"]["type"] == "server_error"
            assert sent is not None
            assert sent["error"]["code"] == empty


def frame_of(body: Json) -> Frame:
    return Frame(jsontext.encode(body))


def test_partial_text_and_usage_of_a_filtered_answer_are_kept() -> None:
    """2.5, SAFETY …: LiteLLM throws them away"""
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "totalTokenCount": 10}
    body = completion(answer(TEXT, finish="SAFETY", usageMetadata=usage))
    assert body["choices"][0]["message"]["content"] == "hello"
    assert (body["usage"]["completion_tokens"], body["usage"]["total_tokens"]) == (5, 10)


def test_a_finish_given_twice_ends_the_stream_once() -> None:
    """2.5; traffic.md 3.9: text after the first STOP belongs to the answer"""
    sent = chunks([answer({"text": "a"}), answer({"text": "b"}, finish=None), answer({"text": "c"})])
    assert finishes(sent) == [(0, "stop")]
    assert "".join([one["delta"].get("content") or "" for chunk in sent[:-1] for one in chunk["choices"]]) == "abc"


def test_an_unfinished_answer_has_no_reason_of_its_own() -> None:
    """2.5, absent: of a whole answer"""
    response = GEMINI.parse_response(answer(TEXT, finish=None), reading())
    assert response.candidates[0].finish is None
    assert choice(answer(TEXT, finish=None))["native_finish_reason"] is None


# -- 2.6 blocks -------------------------------------------------------------------------------------------------------

BLOCKS = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK")


@pytest.mark.parametrize("reason", BLOCKS)
@pytest.mark.parametrize("said", [None, "Blocked by a template."])
def test_a_blocked_prompt_is_a_filtered_answer_with_a_refusal(said: str | None, reason: str) -> None:
    """2.6, row 1, whole and streamed, with usage"""
    feedback: Json = {"blockReason": reason} | ({"blockReasonMessage": said} if said else {})
    body: Json = {
        "promptFeedback": feedback,
        "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12},
        "modelVersion": "gemini-x",
    }
    whole = answers().response(body).body
    [told_choice] = whole["choices"]
    assert told_choice["finish_reason"] == "content_filter"
    assert told_choice["message"]["content"] == ""
    assert told_choice["message"]["refusal"] == (said or f"Prompt blocked: {reason}")
    assert told_choice["native_finish_reason"] == reason
    assert whole["usage"]["prompt_tokens"] == 12
    sent = chunks([body], include_usage=True)
    assert finishes(sent) == [(0, "content_filter")]
    refusals = [one["delta"].get("refusal") for chunk in sent[:-2] for one in chunk["choices"]]
    assert [one for one in refusals if one] == [said or f"Prompt blocked: {reason}"]
    assert sent[-2]["usage"]["prompt_tokens"] == 12
    assert sent[-1] == "[DONE]"


def test_a_block_that_counts_nothing_is_survived() -> None:
    """2.6, row 1: Vertex may give only trafficType; not reported is not zero"""
    body = {"promptFeedback": {"blockReason": "MODEL_ARMOR"}, "usageMetadata": {"trafficType": "ON_DEMAND"}}
    assert "usage" not in completion(body)
    assert finishes(chunks([body], include_usage=True)) == [(0, "content_filter")]


def test_feedback_without_a_block_is_ignored() -> None:
    """2.6, row 2"""
    feedbacks: list[Any] = [{}, {"safetyRatings": []}, {"blockReason": "BLOCK_REASON_UNSPECIFIED"}, None]
    for feedback in feedbacks:
        told_choice = choice(answer(TEXT, promptFeedback=feedback))
        assert told_choice["finish_reason"] == "stop"
        assert told_choice["message"]["refusal"] is None


def test_a_candidate_stopped_for_safety_may_hold_nothing() -> None:
    """2.6, row 3"""
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": True}]
    body = {"candidates": [{"content": {}, "finishReason": "SAFETY", "safetyRatings": ratings}]}
    told_choice = choice(body)
    assert told_choice["message"]["content"] == ""
    assert told_choice["finish_reason"] == "content_filter"
    assert told_choice["message"]["extra_content"]["google"]["safety_ratings"] == ratings


@pytest.mark.parametrize(
    "body", [{}, {"candidates": []}, {"usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}}]
)
def test_nothing_and_no_reason_is_an_empty_answer(body: Json) -> None:
    """2.6, row 4"""
    assert answers().response(body).body["error"]["code"] == "upstream_empty"
    assert jsontext.decode(answers().stream().close([frame_of(body)])[-1].data)["error"]["code"] == "upstream_empty"


def test_an_explanation_of_a_picture_withheld_is_kept() -> None:
    """2.6, last row"""
    told_choice = choice(answer({"text": "I cannot draw that."}, finish="IMAGE_SAFETY"))
    assert (told_choice["message"]["content"], told_choice["finish_reason"]) == (
        "I cannot draw that.",
        "content_filter",
    )


def test_a_stream_tells_what_the_whole_answer_says() -> None:
    """2.2, 2.3, 2.5 together: parts in one frame or one a frame"""
    parts = [{"text": "hm", "thought": True}, TEXT, {"text": " you"}, {**CALL, "thoughtSignature": "c2ln"}, CALL]
    whole = GEMINI.parse_response(answer(*parts), reading())
    one_by_one = told([*[answer(part, finish=None) for part in parts], answer({"text": ""})])
    assert [one.arguments for one in calls_of(one_by_one)] == [one.arguments for one in calls_of(whole)]
    assert [one.signature for one in calls_of(one_by_one)] == [one.signature for one in calls_of(whole)]
    finish = one_by_one.candidates[0].finish
    assert finish is not None
    assert finish.reason is FinishReason.TOOL_CALLS
