"""mapping.md 2.1, 2.2, 2.7: rows of an answer that no other file has a table for."""

import pytest

from dialects.dialect_rows import CHAT, GEMINI, Json, answer, chat, choice, completion, message, target, user

TEXT: Json = {"text": "hello"}


def with_field(name: str, value: object) -> Json:
    body = answer(TEXT)
    body["candidates"][0][name] = value
    return body


def test_sources_nobody_points_at_are_only_in_the_extension() -> None:
    """2.7, chunks without supports"""
    metadata = {"groundingChunks": [{"web": {"uri": "https://a.example", "title": "a"}}]}
    told = message(with_field("groundingMetadata", metadata))
    assert "annotations" not in told
    assert told["extra_content"]["google"]["grounding_metadata"] == metadata


def test_pages_that_were_fetched_are_only_in_the_extension() -> None:
    """2.7, urlContextMetadata; 1.14, web_fetch"""
    metadata = {
        "urlMetadata": [{"retrievedUrl": "https://a.example", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}]
    }
    told = message(with_field("urlContextMetadata", metadata))
    assert "annotations" not in told
    assert told["extra_content"]["google"]["url_context_metadata"] == metadata


@pytest.mark.parametrize("name", ["executableCode", "codeExecutionResult"])
def test_code_is_no_text_and_comes_back_whole(name: str) -> None:
    """2.2, executableCode and codeExecutionResult: in the extension, with their place, and sent again as they were"""
    value = (
        {"language": "PYTHON", "code": "1"} if name == "executableCode" else {"outcome": "OUTCOME_OK", "output": "1"}
    )
    part = {name: {"id": "c1", **value}}
    told = message(answer(part, TEXT))
    assert told["content"] == "hello"
    assert told["extra_content"]["google"]["parts"] == [{"index": 0, "part": part}]
    again = CHAT.parse_request(chat(user("hi"), told, user("go")))
    assert GEMINI.render_request(again, target()).body["contents"][1]["parts"] == [part, TEXT]


def test_what_openai_has_no_word_for_stands_in_extensions() -> None:
    """2.1, extension on choice: ratings; the time that Vertex gives"""
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}]
    assert (
        choice(with_field("safetyRatings", ratings))["message"]["extra_content"]["google"]["safety_ratings"] == ratings
    )
    body = completion(answer(TEXT, createTime="2026-01-01T00:00:00Z"))
    assert (body["created"], body["extra_content"]["google"]) == (7, {"create_time": "2026-01-01T00:00:00Z"})
