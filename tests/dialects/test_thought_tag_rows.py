"""mapping.md 1.9 thought_tag_marker, with 2.2 and 3.2 row 2: thoughts inside the content, for who asks for them there."""

import pytest

from dialects.dialect_rows import (
    CHAT,
    GEMINI,
    Json,
    answer,
    assistant,
    chat,
    chunks,
    contents,
    deltas,
    finishes,
    reading,
    refusal,
    reply,
    user,
)

TAG: Json = {"google": {"thought_tag_marker": "think", "thinking_config": {"include_thoughts": True}}}


def thought(text: str) -> Json:
    return {"text": text, "thought": True}


CALL: Json = {"functionCall": {"name": "look_up", "args": {}}}

# (name, parts, content)
CONTENTS: list[tuple[str, list[Json], str]] = [
    ("before text", [thought("hm"), {"text": "yes"}], "<think>hm</think>yes"),
    ("a run of thoughts is one", [thought("h"), thought("m"), {"text": "yes"}], "<think>hm</think>yes"),
    (
        "interleaved",
        [thought("1"), {"text": "a"}, thought("2"), {"text": "b"}],
        "<think>1</think>a<think>2</think>b",
    ),
    ("only thoughts", [thought("hm")], "<think>hm</think>"),
    ("before a call", [thought("hm"), CALL], "<think>hm</think>"),
    ("no thoughts", [{"text": "yes"}], "yes"),
]


@pytest.mark.parametrize(("name", "parts", "content"), CONTENTS, ids=[row[0] for row in CONTENTS])
def test_thoughts_stand_in_the_content_between_tags(name: str, parts: list[Json], content: str) -> None:
    """2.2; 3.2, row 2: the tag is opened once, and closed by the first part that is no thought, or by the end"""
    response = GEMINI.parse_response(answer(*parts), reading())
    [told] = CHAT.render_response(response, reply(thoughts=True, thought_tag="think")).body["choices"]
    assert told["message"]["content"] == content
    assert "reasoning_content" not in told["message"]
    for frames in ([answer(*parts)], [*[answer(part, finish=None) for part in parts], answer(finish="STOP")]):
        sent = chunks(frames, thoughts=True, thought_tag="think")
        assert "".join([one.get("content", "") for one in deltas(sent)]) == content
        assert not any("reasoning_content" in one for one in deltas(sent))
        assert finishes(sent) == [(0, told["finish_reason"])]


def test_a_tag_alone_shows_no_thoughts() -> None:
    """9, expose thoughts: only on request"""
    response = GEMINI.parse_response(answer(thought("hm"), {"text": "yes"}), reading())
    [told] = CHAT.render_response(response, reply(thought_tag="think")).body["choices"]
    assert told["message"]["content"] == "yes"
    sent = chunks([answer(thought("hm"), {"text": "yes"})], thought_tag="think")
    assert deltas(sent) == [{"content": "yes"}]


def test_what_stood_between_tags_is_no_text_when_it_comes_back() -> None:
    """1.9: on later requests such spans are marked as thought"""
    said = assistant("<think>hm\nhm</think>yes<think>ah</think>!")
    told = contents(user("hi"), said, user("go"), **TAG)
    assert told[1]["parts"] == [thought("hm\nhm"), thought("ah"), {"text": "yes!"}]
    untouched = contents(user("hi"), said, user("go"))
    assert untouched[1]["parts"] == [{"text": said["content"]}]


@pytest.mark.parametrize("tag", ["", "a b", "<x>", "x>", 5, "é/"])
def test_a_tag_is_a_word(tag: object) -> None:
    """1.9"""
    assert refusal(chat(google={"thought_tag_marker": tag})).param == "$.google.thought_tag_marker"
