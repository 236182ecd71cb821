"""mapping.md 8, on the way back: an answer of Google's that a peer gets wrong, as Portico tells it, whole and streamed."""

import base64
import json
import re
from typing import Any

import pytest

from dialects.defects import both, case, dig
from dialects.dialect_rows import GEMINI, Json, answer, reading, told
from dialects.test_defects_requests import BACKSLASHES
from portico.core.errors import UpstreamEmpty, UpstreamError, UpstreamMalformedOutput
from portico.core.response import Finish
from portico.relay.verdict import fault_of, fault_of_response

OPENAIS_WORDS = {"stop", "length", "tool_calls", "content_filter", "function_call"}
SIG = "c2lnbmF0dXJl"
MESSAGE = ("choices", 0, "message")
CALLS = (*MESSAGE, "tool_calls")
CALL: Json = {"functionCall": {"name": "look_up", "args": {"a": 1}}}
SIGNED: Json = {**CALL, "thoughtSignature": SIG}
PNG: Json = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
USAGE: Json = {
    "promptTokenCount": 35,
    "candidatesTokenCount": 12,
    "thoughtsTokenCount": 50,
    "toolUsePromptTokenCount": 12,
    "totalTokenCount": 109,
}
HALF: Json = {"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 42, "totalTokenCount": 47}


def thought(text: str) -> Json:
    return {"text": text, "thought": True}


# -- the message ------------------------------------------------------------------------------------------------------

# (answer, where in the completion, what is there)
MESSAGES = [
    case("Portkey", "a call ends with stop", answer(CALL), ("choices", 0, "finish_reason"), "tool_calls"),
    case(
        "LiteLLM",
        "a call without arguments is a crash",
        answer({"functionCall": {"name": "now"}}),
        (*CALLS, 0, "function"),
        {"name": "now", "arguments": "{}"},
    ),
    case(
        "new-api",
        "parts are joined by line feeds",
        answer({"text": "a"}, {"text": "b"}, {"text": " c"}),
        (*MESSAGE, "content"),
        "ab c",
    ),
    case(
        "new-api",
        "a line feed of its own is lost",
        answer({"text": "a"}, {"text": "\n"}, {"text": "\n\n"}, {"text": "b"}, {"text": "\n"}),
        (*MESSAGE, "content"),
        "a\n\n\nb\n",
    ),
    case(
        "new-api",
        "thoughts stand in the content",
        answer(thought("Let me see."), {"text": "4"}),
        (*MESSAGE, "content"),
        "4",
    ),
    case(
        "new-api",
        "of several thoughts the last is told",
        answer(thought("First."), thought("\n\nThen."), {"text": "4"}, thought("And."), {"text": "2"}),
        (*MESSAGE, "reasoning_content"),
        "First.\n\nThen.And.",
    ),
    case(
        "new-api",
        "text after the last picture is lost",
        answer({"text": "Here: "}, PNG, {"text": "And so on."}),
        (*MESSAGE, "content"),
        "Here: \n\n![image](data:image/png;base64,iVBORw0KGgo=)\n\nAnd so on.",
    ),
    case(
        "new-api",
        "the real signature of a call is not told",
        answer(SIGNED),
        (*CALLS, 0, "extra_content", "google", "thought_signature"),
        SIG,
    ),
    case(
        "new-api",
        "the real signature of a text is not told",
        answer({"text": "4", "thoughtSignature": SIG}),
        (*MESSAGE, "extra_content", "google", "thought_signature"),
        SIG,
    ),
    case(
        "Envoy",
        "the signature on an empty text is lost",
        answer({"text": "4"}, {"text": "", "thoughtSignature": SIG}),
        (*MESSAGE, "extra_content", "google", "thought_signature"),
        SIG,
    ),
    case(
        "Vercel",
        "the signature on an empty text is lost where no text came before",
        answer(thought("Hm."), {"text": "", "thoughtSignature": SIG}),
        (*MESSAGE, "extra_content", "google", "thought_signature"),
        SIG,
    ),
]


@pytest.mark.parametrize(("body", "where", "expected"), MESSAGES)
def test_the_message_says_what_google_said(body: Json, where: tuple[Any, ...], expected: Any) -> None:
    for made in both(body, thoughts=True):
        assert dig(made, *where) == expected


EACH_CALL = [
    case("LiteLLM", "the signature is hidden in the id", answer(SIGNED, CALL), [SIG, None]),
    case("Google", "the id is empty", answer(CALL, {"functionCall": {"id": "", "name": "f"}}), [None, None]),
]


@pytest.mark.parametrize(("body", "signatures"), EACH_CALL)
def test_a_call_has_an_id_that_is_short_and_only_an_id(body: Json, signatures: list[str | None]) -> None:
    for made in both(body):
        calls = dig(made, *CALLS)
        assert all(re.fullmatch("call_[A-Za-z0-9]{24}", one["id"]) for one in calls)
        assert len({one["id"] for one in calls}) == len(calls)
        assert [dig(one, "extra_content", "google", "thought_signature") for one in calls] == signatures


def test_arguments_are_what_the_model_wrote() -> None:
    """new-api: unescapes them, so that backslashes are gone"""
    for made in both(answer({"functionCall": {"name": "read", "args": BACKSLASHES}})):
        assert json.loads(dig(made, *CALLS, 0, "function", "arguments")) == BACKSLASHES


def test_every_picture_has_a_place_of_its_own() -> None:
    """LiteLLM: index 0 for all of them"""
    for made in both(answer(PNG, {"text": "and"}, PNG, PNG), image_form="images"):
        assert [one["index"] for one in dig(made, *MESSAGE, "images")] == [0, 1, 2]
        assert dig(made, *MESSAGE, "content") == "and"


SPEECH: tuple[bytes, bytes] = (b"\x01\x00\x02", b"\x00\x03\x00\x04\x00")
"""Four samples, cut inside the second."""
SPOKEN = answer(
    *[
        {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": base64.b64encode(piece).decode()}}
        for piece in SPEECH
    ]
)

# (format asked for, what the audio begins with)
SPEAKING = [
    case("LiteLLM", "speech is told as pcm16 whatever was asked for", "wav", b"RIFF"),
    case("LiteLLM", "of several pieces of speech the first is told", "pcm16", SPEECH[0]),
]


@pytest.mark.parametrize(("format_", "head"), SPEAKING)
def test_speech_is_whole_and_in_the_format_that_was_asked_for(format_: str, head: bytes) -> None:
    whole, streamed = both(SPOKEN, audio_format=format_)
    for made in (whole, streamed) if format_ == "pcm16" else (whole,):  # a stream has no place for a header
        spoken = base64.b64decode(dig(made, *MESSAGE, "audio", "data"))
        assert spoken.startswith(head)
        assert spoken.endswith(b"".join(SPEECH))


# -- how it ended -----------------------------------------------------------------------------------------------------

# (Google's word, OpenAI's word beside a text)
ENDS = [
    case("LiteLLM", "OTHER is told as filtered", "OTHER", "stop"),
    case("LiteLLM", "LANGUAGE is told as filtered", "LANGUAGE", "stop"),
    case("new-api", "a word nobody knows yet is told as filtered", "WORD_OF_THE_FUTURE", "stop"),
    case("pydantic-ai", "OTHER is no reason at all", "OTHER", "stop"),
    case("TensorZero", "RECITATION is told as a call", "RECITATION", "content_filter"),
    case("TensorZero", "MALFORMED is told as a call", "MALFORMED_FUNCTION_CALL", "stop"),
    case("Envoy", "Google's own words leak: PROHIBITED_CONTENT", "PROHIBITED_CONTENT", "content_filter"),
    case("Envoy", "Google's own words leak: TOO_MANY_TOOL_CALLS", "TOO_MANY_TOOL_CALLS", "stop"),
    case("Envoy", "Google's own words leak: MAX_TOKENS", "MAX_TOKENS", "length"),
]


@pytest.mark.parametrize(("raw", "word"), ENDS)
def test_an_end_has_openais_word_and_googles_beside_it(raw: str, word: str) -> None:
    for made in both(answer({"text": "Once"}, finish=raw)):
        ended = made["choices"][0]
        assert (ended["finish_reason"], ended["native_finish_reason"]) == (word, raw)
        assert ended["finish_reason"] in OPENAIS_WORDS
        assert ended["message"]["content"] == "Once"


# (Google's word, the error of an answer that holds nothing)
NOTHING = [
    case("LiteLLM", "MALFORMED is an empty stop", "MALFORMED_FUNCTION_CALL", UpstreamMalformedOutput),
    case("LiteLLM", "UNEXPECTED is an empty stop", "UNEXPECTED_TOOL_CALL", UpstreamMalformedOutput),
    case("TensorZero", "MALFORMED is a call without calls", "MALFORMED_FUNCTION_CALL", UpstreamMalformedOutput),
    case("pydantic-ai", "OTHER with nothing in it has no reason", "OTHER", UpstreamEmpty),
]


@pytest.mark.parametrize(("raw", "error"), NOTHING)
def test_nothing_at_all_is_no_answer(raw: str, error: type[UpstreamError]) -> None:
    body = answer(finish=raw)
    assert isinstance(fault_of_response(GEMINI.parse_response(body, reading())), error)
    (finish,) = [candidate.finish for candidate in told([body]).candidates]
    assert isinstance(finish, Finish)
    assert isinstance(fault_of([finish]), error)


def test_what_was_said_before_a_filter_stepped_in_is_kept() -> None:
    """LiteLLM: throws the text and the count of thoughts away"""
    body = answer({"text": "Once upon"}, finish="SAFETY", usageMetadata=HALF)
    for made in both(body):
        assert made["choices"][0]["finish_reason"] == "content_filter"
        assert made["choices"][0]["message"]["content"] == "Once upon"
        assert made["usage"]["completion_tokens_details"]["reasoning_tokens"] == 42
        assert made["usage"]["completion_tokens"] == 44


@pytest.mark.parametrize("usage", [None, {"trafficType": "ON_DEMAND"}])
def test_a_blocked_prompt_that_counted_nothing_is_an_answer(usage: Json | None) -> None:
    """LiteLLM: a crash"""
    body: Json = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    for made in both(body if usage is None else {**body, "usageMetadata": usage}):
        assert made["choices"][0]["finish_reason"] == "content_filter"
        assert "PROHIBITED_CONTENT" in made["choices"][0]["message"]["refusal"]
        assert made.get("usage") is None


# -- usage ------------------------------------------------------------------------------------------------------------

# (where in the usage, what is there)
COUNTS = [
    case("Portkey", "thoughts are missing from the completion", ("completion_tokens",), 62),
    case("Google", "thoughts are in the total alone", ("completion_tokens_details", "reasoning_tokens"), 50),
    case("Envoy", "tokens of tools are lost", ("prompt_tokens",), 47),
    case("Vercel", "tokens of tools are dropped", ("tool_use_prompt_tokens",), 12),
    case("llm-gemini", "gets right that tokens of tools are input", ("prompt_tokens",), 47),
    case("Google", "the parts do not add up to the total", ("total_tokens",), 109),
]


@pytest.mark.parametrize(("where", "expected"), COUNTS)
def test_usage_adds_up(where: tuple[Any, ...], expected: int) -> None:
    for made in both(answer({"text": "hi"}, usageMetadata=USAGE)):
        assert dig(made["usage"], *where) == expected
        assert made["usage"]["prompt_tokens"] + made["usage"]["completion_tokens"] == USAGE["totalTokenCount"]


# -- sources ----------------------------------------------------------------------------------------------------------

SAID = "Zürich is in 瑞士."
PLACE: Json = {"uri": "https://a.example", "title": "a"}


def sourced(segment: Json, chunk: Json) -> Json:
    body = answer({"text": "Zürich is "}, {"text": "in 瑞士."})
    support = {"segment": segment, "groundingChunkIndices": [0]}
    body["candidates"][0]["groundingMetadata"] = {"groundingChunks": [chunk], "groundingSupports": [support]}
    return body


FIRST = {"endIndex": 7, "text": "Zürich"}
SWISS = {"startIndex": 14, "endIndex": 20, "text": "瑞士"}

# (segment, where it came from, the words it is of)
SOURCES = [
    case("LiteLLM", "a source of the beginning is lost", FIRST, {"web": PLACE}, "Zürich"),
    case("LiteLLM", "bytes are counted as characters", SWISS, {"web": PLACE}, "瑞士"),
    case("LiteLLM", "only pages of the web are sources: maps", SWISS, {"maps": PLACE}, "瑞士"),
    case(
        "LiteLLM",
        "only pages of the web are sources: pictures",
        SWISS,
        {"image": {"sourceUri": "https://a.example", "title": "a"}},
        "瑞士",
    ),
    case("LiteLLM", "only pages of the web are sources: documents", SWISS, {"retrievedContext": PLACE}, "瑞士"),
]


@pytest.mark.parametrize(("segment", "chunk", "words"), SOURCES)
def test_a_source_is_cited_where_it_is_used(segment: Json, chunk: Json, words: str) -> None:
    for made in both(sourced(segment, chunk)):
        (cited,) = [one["url_citation"] for one in dig(made, *MESSAGE, "annotations")]
        assert SAID[cited["start_index"] : cited["end_index"]] == words
        assert (cited["url"], cited["title"]) == ("https://a.example", "a")
