"""mapping.md 2.7: grounding and citation metadata as citations, and as `annotations` of Chat."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from dialects.dialect_rows import (
    CATALOG,
    CHAT,
    GEMINI,
    Json,
    answer,
    choice,
    chunks,
    completion,
    deltas,
    message,
    reading,
    reply,
    told,
)
from portico.core.assembly import assemble, tell
from portico.core.dialect import Reading, Reply
from portico.core.parts import Media, Reasoning, Text
from portico.core.response import Candidate, Citation, Finish, FinishReason, Response
from portico.core.spans import MAX_HELD, TextSpans
from portico.dialects.gemini.grounding import joined_metadata, read_grounding, render_grounding
from portico.dialects.openai_chat.annotations import Insertions
from portico.relay.translate import DIALECTS, Translator
from portico.wire import jsontext

TEXT = "Zürich is in 瑞士. It is big."
WEB: Json = {"web": {"uri": "https://a.example/x", "title": "a.example"}}
MAP: Json = {"maps": {"uri": "https://maps.example/p", "title": "A place", "placeId": "p"}}
IMAGE: Json = {"image": {"sourceUri": "https://i.example/p", "imageUri": "https://i.example/p.png", "title": "i"}}
DOCUMENT: Json = {"retrievedContext": {"title": "paper", "text": "words", "fileSearchStore": "fileSearchStores/s"}}


def segment(words: str, text: str = TEXT) -> Json:
    """A segment as Google gives it: UTF-8 bytes, no startIndex where it is 0."""
    start = len(text[: text.index(words)].encode())
    found: Json = {"endIndex": start + len(words.encode()), "text": words}
    return {"startIndex": start, **found} if start else found


def grounded(*supports: tuple[str, list[int]], chunks: list[Json] | None = None, **fields: Any) -> Json:
    listed = [{"segment": segment(words), "groundingChunkIndices": indices} for words, indices in supports]
    return {"groundingChunks": chunks or [WEB], "groundingSupports": listed, **fields}


def with_metadata(metadata: Json, *parts: Json, name: str = "groundingMetadata") -> Json:
    body = answer(*(parts or ({"text": TEXT},)))
    body["candidates"][0][name] = metadata
    return body


def spans(annotations: list[Json], text: str = TEXT) -> list[str]:
    return [text[a["url_citation"]["start_index"] : a["url_citation"]["end_index"]] for a in annotations]


# -- whole answers


def test_byte_offsets_become_places_of_characters() -> None:
    annotations = message(with_metadata(grounded(("瑞士", [0]), ("It is big.", [0]))))["annotations"]
    assert spans(annotations) == ["瑞士", "It is big."]
    assert annotations[0] == {
        "type": "url_citation",
        "url_citation": {"start_index": 13, "end_index": 15, "url": "https://a.example/x", "title": "a.example"},
    }


def test_a_segment_without_a_start_begins_the_text() -> None:
    annotations = message(with_metadata(grounded(("Zürich is", [0]))))["annotations"]
    assert annotations[0]["url_citation"]["start_index"] == 0
    assert spans(annotations) == ["Zürich is"]


def test_one_support_of_several_sources_is_as_many_annotations_of_one_span() -> None:
    annotations = message(with_metadata(grounded(("瑞士", [0, 1]), chunks=[WEB, MAP])))["annotations"]
    assert spans(annotations) == ["瑞士", "瑞士"]
    assert [a["url_citation"]["url"] for a in annotations] == ["https://a.example/x", "https://maps.example/p"]


# (chunk, the address and title that are told)
SOURCES: list[tuple[Json, tuple[str, str] | None]] = [
    (WEB, ("https://a.example/x", "a.example")),
    (MAP, ("https://maps.example/p", "A place")),
    (IMAGE, ("https://i.example/p", "i")),
    (DOCUMENT, None),
    ({"retrievedContext": {"uri": "https://d.example", "title": "d"}}, ("https://d.example", "d")),
    ({"web": {"uri": "https://a.example/x"}}, ("https://a.example/x", "")),
    ({"web": {}}, None),
    ({}, None),
]


@pytest.mark.parametrize(("chunk", "expected"), SOURCES)
def test_every_kind_of_source_with_an_address_is_a_citation(chunk: Json, expected: tuple[str, str] | None) -> None:
    body = completion(with_metadata(grounded(("瑞士", [0]), chunks=[chunk])))
    found = body["choices"][0]["message"]
    annotations = [(a["url_citation"]["url"], a["url_citation"]["title"]) for a in found.get("annotations", [])]
    assert annotations == ([expected] if expected else [])
    assert found["extra_content"]["google"]["grounding_metadata"]["groundingChunks"] == [chunk]


# (what is wrong, metadata)
MALFORMED: list[tuple[str, Any]] = [
    ("an index beyond the chunks", grounded(("瑞士", [7]))),
    ("a negative index", grounded(("瑞士", [-1]))),
    ("an index that is text", grounded(("瑞士", ["0"]))),  # type: ignore[list-item]
    ("no end", {"groundingChunks": [WEB], "groundingSupports": [{"segment": {}, "groundingChunkIndices": [0]}]}),
    ("no segment", {"groundingChunks": [WEB], "groundingSupports": [{"groundingChunkIndices": [0]}]}),
    ("ends before it starts", {"groundingSupports": [{"segment": {"startIndex": 5, "endIndex": 2}}]}),
    ("a support that is none", {"groundingChunks": [WEB], "groundingSupports": ["x", None, 3]}),
    ("chunks that are none", {"groundingChunks": "x", "groundingSupports": {}}),
    ("metadata that is none", "x"),
    ("queries that are none", {"webSearchQueries": [3, None, ""]}),
]


@pytest.mark.parametrize(("what", "metadata"), MALFORMED)
def test_malformed_metadata_is_passed_on_and_cites_nothing(what: str, metadata: Any) -> None:
    found = message(with_metadata(metadata))
    assert "annotations" not in found
    assert found["extra_content"]["google"]["grounding_metadata"] == metadata


def test_an_offset_inside_a_character_is_its_start_and_one_beyond_the_text_its_end() -> None:
    metadata = {
        "groundingChunks": [WEB],
        "groundingSupports": [{"segment": {"startIndex": 2, "endIndex": 10_000}, "groundingChunkIndices": [0]}],
    }
    place = message(with_metadata(metadata))["annotations"][0]["url_citation"]
    assert (place["start_index"], place["end_index"]) == (1, len(TEXT))


def test_what_google_wants_shown_is_passed_on() -> None:
    metadata = grounded(("瑞士", [0]), searchEntryPoint={"renderedContent": "<div/>"}, webSearchQueries=["a", ""])
    google = message(with_metadata(metadata))["extra_content"]["google"]
    assert google["grounding_metadata"] == metadata
    assert google["web_search_queries"] == ["a"]


def test_searches_are_counted_in_usage() -> None:
    body = with_metadata(grounded(("瑞士", [0]), webSearchQueries=["a", "", "b"]))
    body["usageMetadata"] = {"promptTokenCount": 1, "totalTokenCount": 1}
    assert completion(body)["usage"]["server_tool_use"] == {"web_search_requests": 2}


@pytest.mark.parametrize("name", ["citationSources", "citations"])
def test_sources_of_what_was_recited_are_citations(name: str) -> None:
    sources = {name: [{**segment("瑞士"), "uri": "https://r.example", "license": "mit"}, {"endIndex": 3, "uri": ""}]}
    annotations = message(with_metadata(sources, name="citationMetadata"))["annotations"]
    assert spans(annotations) == ["瑞士"]
    assert annotations[0]["url_citation"]["url"] == "https://r.example"


def test_thoughts_and_code_are_not_counted_in_places() -> None:
    parts = ({"text": "hmm ü", "thought": True}, {"executableCode": {"language": "PYTHON", "code": "é"}})
    body = with_metadata(grounded(("瑞士", [0])), *parts, {"text": TEXT})
    assert spans(message(body)["annotations"]) == ["瑞士"]


IMAGE_PART: Json = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}


@pytest.mark.parametrize("cut", [0, 7, 13, 14, 15, len(TEXT)])
def test_places_are_moved_by_what_stands_in_the_content_beside_the_text(cut: int) -> None:
    body = with_metadata(grounded(("瑞士", [0])), {"text": TEXT[:cut]}, IMAGE_PART, {"text": TEXT[cut:]})
    for told_as in (message(body), _streamed_message(body)):
        place = told_as["annotations"][0]["url_citation"]
        cited = told_as["content"][place["start_index"] : place["end_index"]]
        assert cited.startswith("瑞")
        assert cited.endswith("士")


def test_places_are_moved_by_tagged_thoughts() -> None:
    body = with_metadata(grounded(("瑞士", [0])), {"text": "hm", "thought": True}, {"text": TEXT})
    response = GEMINI.parse_response(body, reading())
    told_as = CHAT.render_response(response, reply(thoughts=True, thought_tag="think")).body["choices"][0]["message"]
    streamed = _streamed_message(body, thoughts=True, thought_tag="think")
    for found in (told_as, streamed):
        assert found["content"].startswith("<think>hm</think>")
        assert spans(found["annotations"], found["content"]) == ["瑞士"]


def _streamed_message(body: Json, **about: Any) -> Json:
    """The message that the deltas of a stream add up to."""
    found: Json = {"content": ""}
    for delta in deltas(chunks([body], **about)):
        found["content"] += delta.get("content", "")
        if "annotations" in delta:
            assert "annotations" not in found, "annotations are told once"
            found["annotations"] = delta["annotations"]
    return found


# -- streams


def test_a_stream_tells_annotations_once_before_its_end() -> None:
    middle = answer({"text": TEXT[:14]}, finish=None)
    middle["candidates"][0]["groundingMetadata"] = {}
    last = with_metadata(grounded(("瑞士", [0])), {"text": TEXT[14:]})
    sent = chunks([middle, last])
    told_at = [i for i, one in enumerate(sent) if "annotations" in str(one)]
    finish_at = next(i for i, one in enumerate(sent) if one != "[DONE]" and one["choices"][0]["finish_reason"])
    assert len(told_at) == 1
    assert told_at[0] < finish_at
    assert spans(sent[told_at[0]]["choices"][0]["delta"]["annotations"]) == ["瑞士"]


def test_metadata_told_in_pieces_are_one() -> None:
    first = with_metadata({"groundingChunks": [WEB], "webSearchQueries": ["a"]}, {"text": TEXT})
    second = with_metadata(grounded(("瑞士", [1]), chunks=[MAP], webSearchQueries=["b"]), {"text": ""})
    candidate = told([first, second]).candidates[0]
    assert candidate.searches == ("a", "b")
    assert [cited.url for cited in candidate.citations] == ["https://maps.example/p"]


def test_metadata_told_again_and_longer_replace_what_was_told() -> None:
    grown = joined_metadata({"webSearchQueries": ["a"], "x": 1}, {"webSearchQueries": ["a", "b"], "y": 2})
    assert grown == {"webSearchQueries": ["a", "b"], "x": 1, "y": 2}


# -- the other way


def test_annotations_of_a_chat_answer_ground_a_gemini_answer() -> None:
    place = {"start_index": 13, "end_index": 15, "url": "https://a.example/x", "title": "a"}
    told_by_chat = {
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": TEXT,
                    "annotations": [
                        {"type": "url_citation", "url_citation": place},
                        {"type": "file_citation", "file_citation": {"file_id": "f"}},
                    ],
                },
            }
        ]
    }
    response = CHAT.parse_response(told_by_chat, reading())
    assert response.candidates[0].citations == (Citation(13, 15, "https://a.example/x", "a"),)
    rendered = GEMINI.render_response(response, reply())
    assert [loss.code for loss in rendered.losses] == ["2.7:annotations"]
    metadata = rendered.body["candidates"][0]["groundingMetadata"]
    assert metadata == {
        "groundingChunks": [{"web": {"uri": "https://a.example/x", "title": "a"}}],
        "groundingSupports": [{"segment": {"startIndex": 14, "endIndex": 20}, "groundingChunkIndices": [0]}],
    }
    again = choice(rendered.body)["message"]["annotations"]
    assert again == told_by_chat["choices"][0]["message"]["annotations"][:1]  # type: ignore[index]


def test_annotations_that_chat_has_no_type_for_stand_beside_its_own() -> None:
    """Typed clients fail on any but `url_citation`; files that GPT's tools made are told apart."""
    place = {"start_index": 0, "end_index": 2}
    made = {"type": "container_file_citation", "container_id": "c", "file_id": "f", "filename": "a.csv", **place}
    cited = {"type": "url_citation", "url": "https://a.example/x", "title": "a", **place}
    content = [{"type": "output_text", "text": "Here.", "annotations": [made, cited]}]
    item = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}
    body = {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [item]}
    response = DIALECTS["openai_responses"].parse_response(body, reading())
    told = CHAT.render_response(response, reply()).body
    ChatCompletion.model_validate(told)
    message = told["choices"][0]["message"]
    assert [one["type"] for one in message["annotations"]] == ["url_citation"]
    assert message["other_annotations"] == [made]
    assert CHAT.parse_response(told, reading()).candidates[0].ext == response.candidates[0].ext
    writer, reader = CHAT.writer(reply()), CHAT.reader(reading())
    frames = [frame for event in tell(response) for frame in writer.feed(event)] + writer.close()
    for frame in frames[:-1]:
        ChatCompletionChunk.model_validate_json(frame.data)
    again = assemble([event for frame in frames for event in reader.feed(frame)] + reader.close())
    assert again.candidates[0].ext == response.candidates[0].ext
    assert again.candidates[0].citations == response.candidates[0].citations
    echoed = {"model": "m", "messages": [{"role": "user", "content": "Hi"}, message]}
    assert CHAT.parse_request(echoed).messages[1].ext is None


# -- laws


@given(st.text(max_size=60), st.integers(min_value=1, max_value=9), st.data())
def test_places_of_characters_and_bytes_agree_however_the_text_came(text: str, size: int, data: st.DataObject) -> None:
    spans = TextSpans()
    for at in range(0, len(text), size):
        spans.add(text[at : at + size])
    place = data.draw(st.integers(min_value=0, max_value=len(text)))
    byte = len(text[:place].encode())
    assert spans.bytes(place) == byte
    assert spans.characters(byte) == place
    inside = data.draw(st.integers(min_value=0, max_value=len(text.encode())))
    assert spans.characters(inside) == len(text.encode()[:inside].decode("utf-8", "ignore"))


def test_a_text_too_long_to_hold_is_still_counted() -> None:
    spans = TextSpans()
    spans.add("é" * MAX_HELD)
    spans.add("éé")
    spans.add("x")
    assert spans.characters(2 * MAX_HELD + 4) == MAX_HELD + 2
    assert spans.characters(2 * MAX_HELD + 2) == MAX_HELD


places = st.tuples(st.integers(min_value=0, max_value=len(TEXT)), st.integers(min_value=0, max_value=len(TEXT)))
cited = st.builds(
    lambda place, url, title: Citation(min(place), max(place), f"https://x.example/{url}", title or None),
    places,
    st.integers(min_value=0, max_value=3),
    st.text(alphabet="ab", max_size=2),
)


@given(st.lists(cited, max_size=6), st.lists(st.text(alphabet="qr", min_size=1, max_size=3), max_size=2))
def test_citations_said_as_metadata_are_the_same_citations(citations: list[Citation], searches: list[str]) -> None:
    candidate = Candidate(0, (), None, citations=tuple(citations), searches=tuple(searches))
    spans = TextSpans(TEXT)
    metadata = render_grounding(candidate, spans)
    found = read_grounding({"groundingMetadata": metadata}, spans)
    assert (found.citations, found.searches) == (candidate.citations, candidate.searches)
    assert found.said_all == bool(citations or searches)


@pytest.mark.parametrize("form", ["markdown", "images", "parts"])
def test_sources_are_told_beside_tagged_thoughts_in_every_form_of_image(form: str) -> None:
    """2.7, last row: what the gateway puts into the text shifts what points into it, whole and in a stream"""
    shown = Reply(id="x", created=1, thoughts=True, thought_tag="think", image_form=form)
    picture = Media("image/png", data="AAAA")
    cited = (Citation(0, 3, "https://a.example"), Citation(3, 6, "https://b.example"))
    parts = (Reasoning("hm"), Reasoning("m"), Text("abc"), picture, Reasoning("well"), Text("def"))
    response = Response("id", "model", (Candidate(0, parts, Finish(FinishReason.STOP), citations=cited),))
    rendered = CHAT.render_response(response, shown)
    assert _cited_words(rendered.body["choices"][0]["message"]) == ["abc", "def"]
    writer = CHAT.writer(shown)
    frames = [frame for event in tell(response) for frame in writer.feed(event)]
    told: Json = {"content": "", "annotations": []}
    for frame in frames[:-1]:
        delta = jsontext.decode(frame.data)["choices"][0]["delta"]
        told["content"] += _plain(delta.get("content"))
        told["annotations"] += delta.get("annotations", [])
    assert _cited_words(told) == ["abc", "def"]
    assert writer.losses == [], "thoughts in the content stand where they stood"


def _plain(content: Any) -> str:
    return "".join([part.get("text", "") for part in content]) if isinstance(content, list) else content or ""


def _cited_words(said: Json) -> list[str]:
    places = [annotation["url_citation"] for annotation in said["annotations"]]
    return [_plain(said["content"])[place["start_index"] : place["end_index"]] for place in places]


def test_many_sources_beside_many_pictures_are_told_at_once() -> None:
    """2.7: a thousand sources and as many pictures are no million steps"""
    content = Insertions()
    for _ in range(50_000):
        content.text("ab")
        content.other("!!")
    assert [content.span(at, at + 2) for at in (0, 2, 99_998)] == [(0, 2), (4, 6), (199_996, 199_998)]
    assert len([content.span(at, 100_000) for at in range(50_000)]) == 50_000


SEARCHED: list[tuple[str, Json]] = [
    (
        "anthropic_messages",
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5",
            "content": [{"type": "text", "text": "blue"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 5, "output_tokens": 3, "server_tool_use": {"web_search_requests": 2}},
        },
    ),
    (
        "openai_responses",
        {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "model": "gpt-5.5",
            "output": [
                *[
                    {"type": "web_search_call", "id": f"ws_{n}", "status": "completed", "action": {"type": "search"}}
                    for n in range(2)
                ],
                {
                    "type": "message",
                    "id": "m",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": "blue"}],
                },
            ],
            "usage": {"input_tokens": 5, "output_tokens": 3, "total_tokens": 8},
        },
    ),
]


@pytest.mark.parametrize(("source", "answer"), SEARCHED, ids=[source for source, _ in SEARCHED])
def test_searches_of_whoever_counts_them_are_counted(source: str, answer: Json) -> None:
    """2.7, beside Google, who tells what it searched for; whole and streamed"""
    count = {"web_search_requests": 2}
    told = Translator(DIALECTS[source], DIALECTS["openai_chat"], CATALOG).response(answer).body
    assert told["usage"]["server_tool_use"] == count
    response = DIALECTS[source].parse_response(answer, Reading(mint=lambda: "call_1"))
    writer = DIALECTS["openai_chat"].writer(Reply(id="x", created=0, include_usage=True))
    frames = [frame for event in tell(response) for frame in writer.feed(event)]
    assert jsontext.decode(frames[-2].data)["usage"]["server_tool_use"] == count
