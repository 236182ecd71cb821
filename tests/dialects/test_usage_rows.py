"""mapping.md 2.9: usageMetadata becomes usage, with every number of its table."""

from typing import Any

import pytest

from dialects.dialect_rows import CHAT, GEMINI, Json, answer, chunks, completion, reading, told
from portico.core.usage import Usage
from portico.dialects.openai_chat.usage import parse_usage as parse_chat_usage


def details(**counts: int) -> list[Json]:
    return [{"modality": name.upper(), "tokenCount": count} for name, count in counts.items()]


def usage_of(metadata: Json) -> Usage | None:
    return GEMINI.parse_response(answer({"text": "a"}, usageMetadata=metadata), reading()).usage


# (name of the row, usageMetadata, the neutral usage)
FACTS: list[tuple[str, Json, Usage]] = [
    (
        "thoughts are outside candidates",
        {"promptTokenCount": 3520, "candidatesTokenCount": 2, "thoughtsTokenCount": 42, "totalTokenCount": 3564},
        Usage(input_uncached={"text": 3520}, output_visible={"text": 2}, output_reasoning={"text": 42}),
    ),
    (
        "cached is inside the prompt",
        {"promptTokenCount": 3520, "cachedContentTokenCount": 3512, "candidatesTokenCount": 2, "totalTokenCount": 3522},
        Usage(input_uncached={"text": 8}, input_cache_read={"text": 3512}, output_visible={"text": 2}),
    ),
    (
        "cached by modality",
        {
            "promptTokenCount": 373,
            "cachedContentTokenCount": 204,
            "promptTokensDetails": details(text=115, image=258),
            "cacheTokensDetails": details(text=63, image=141),
            "totalTokenCount": 373,
        },
        Usage(input_uncached={"text": 52, "image": 117}, input_cache_read={"text": 63, "image": 141}),
    ),
    (
        "tool use is outside the prompt: file_search",
        {
            "promptTokenCount": 15,
            "candidatesTokenCount": 40,
            "thoughtsTokenCount": 257,
            "toolUsePromptTokenCount": 288,
            "totalTokenCount": 600,
        },
        Usage(
            input_uncached={"text": 15},
            input_tool={"text": 288},
            output_visible={"text": 40},
            output_reasoning={"text": 257},
        ),
    ),
    (
        "tool use is outside the prompt: url_context",
        {
            "promptTokenCount": 32,
            "candidatesTokenCount": 41,
            "thoughtsTokenCount": 47,
            "toolUsePromptTokenCount": 2395,
            "totalTokenCount": 2515,
        },
        Usage(
            input_uncached={"text": 32},
            input_tool={"text": 2395},
            output_visible={"text": 41},
            output_reasoning={"text": 47},
        ),
    ),
    (
        "what the details leave out is text: 257",
        {"promptTokenCount": 257, "promptTokensDetails": details(text=196), "totalTokenCount": 257},
        Usage(input_uncached={"text": 257}),
    ),
    (
        "what the details leave out is text: 893",
        {"promptTokenCount": 893, "promptTokensDetails": details(image=700, text=86), "totalTokenCount": 893},
        Usage(input_uncached={"image": 700, "text": 193}),
    ),
    *[
        (
            f"only pictures are listed: {listed} of {count}",
            {
                "promptTokenCount": 5,
                "candidatesTokenCount": count,
                "candidatesTokensDetails": details(image=listed),
                "totalTokenCount": 5 + count,
            },
            Usage(input_uncached={"text": 5}, output_visible={"image": listed, "text": count - listed}),
        )
        for listed, count in ((1290, 1336), (1120, 1216), (1120, 1283), (1120, 1780))
    ],
    (
        "candidatesTokenCount may be absent",
        {"promptTokenCount": 432, "thoughtsTokenCount": 18, "toolUsePromptTokenCount": 78, "totalTokenCount": 528},
        Usage(input_uncached={"text": 432}, input_tool={"text": 78}, output_reasoning={"text": 18}),
    ),
    ("a total of nothing else", {"totalTokenCount": 0}, Usage()),
    (
        "every modality",
        {
            "promptTokenCount": 25,
            "promptTokensDetails": details(text=1, image=3, audio=5, video=7, document=9),
            "totalTokenCount": 25,
        },
        Usage(input_uncached={"text": 1, "image": 3, "audio": 5, "video": 7, "document": 9}),
    ),
    (
        "a modality of the future is text",
        {"promptTokenCount": 5, "promptTokensDetails": details(smell=3, text=2), "totalTokenCount": 5},
        Usage(input_uncached={"text": 5}),
    ),
    (
        "numbers for modalities",
        {"promptTokenCount": 5, "promptTokensDetails": [{"modality": 2, "tokenCount": 5}], "totalTokenCount": 5},
        Usage(input_uncached={"image": 5}),
    ),
    (
        "numbers as strings",
        {"promptTokenCount": "5", "candidatesTokenCount": "2", "totalTokenCount": "7"},
        Usage(input_uncached={"text": 5}, output_visible={"text": 2}),
    ),
    (
        "more cached than prompt",
        {"promptTokenCount": 5, "cachedContentTokenCount": 9, "totalTokenCount": 5},
        Usage(input_cache_read={"text": 5}),
    ),
    (
        "negative details are none",
        {"promptTokenCount": 5, "promptTokensDetails": details(image=-3), "totalTokenCount": 5},
        Usage(input_uncached={"text": 5}),
    ),
]
IDS = [row[0] for row in FACTS]


@pytest.mark.parametrize(("name", "metadata", "expected"), FACTS, ids=IDS)
def test_counts_become_disjoint_buckets(name: str, metadata: Json, expected: Usage) -> None:
    """2.9, facts"""
    assert usage_of(metadata) == expected


@pytest.mark.parametrize(("name", "metadata", "expected"), FACTS, ids=IDS)
def test_openais_usage_adds_up(name: str, metadata: Json, expected: Usage) -> None:
    """2.9, formulas; the identity total = prompt + candidates + thoughts + toolUse"""
    usage = completion(answer({"text": "a"}, usageMetadata=metadata))["usage"]
    count = {key: int(value) for key, value in metadata.items() if key.endswith("Count")}
    assert usage["prompt_tokens"] == count.get("promptTokenCount", 0) + count.get("toolUsePromptTokenCount", 0)
    assert usage["completion_tokens"] == count.get("candidatesTokenCount", 0) + count.get("thoughtsTokenCount", 0)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] == count["totalTokenCount"]
    cached = min(count.get("cachedContentTokenCount", 0), count.get("promptTokenCount", 0))
    assert usage["prompt_tokens_details"]["cached_tokens"] == cached
    assert usage["completion_tokens_details"]["reasoning_tokens"] == count.get("thoughtsTokenCount", 0)
    assert usage.get("tool_use_prompt_tokens", 0) == count.get("toolUsePromptTokenCount", 0)
    assert parse_chat_usage(usage) == expected


def test_modalities_and_predictions_stand_in_the_details() -> None:
    """2.9, formulas, rows on details"""
    metadata = {
        "promptTokenCount": 20,
        "promptTokensDetails": details(text=5, image=8, audio=7),
        "candidatesTokenCount": 10,
        "candidatesTokensDetails": details(image=10),
        "totalTokenCount": 30,
    }
    usage = completion(answer({"text": "a"}, usageMetadata=metadata))["usage"]
    assert usage["prompt_tokens_details"] == {
        "cached_tokens": 0,
        "text_tokens": 5,
        "image_tokens": 8,
        "audio_tokens": 7,
    }
    assert usage["completion_tokens_details"] == {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "image_tokens": 10,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }


@pytest.mark.parametrize("metadata", [None, {}, {"trafficType": "ON_DEMAND"}, {"promptTokenCount": 5}])
def test_without_a_total_nothing_was_reported(metadata: Json | None) -> None:
    """2.9: None, not 0"""
    body = answer({"text": "a"}, usageMetadata=metadata)
    assert GEMINI.parse_response(body, reading()).usage is None
    assert "usage" not in completion(body)
    assert told([body]).usage is None


# (name of the row, usageMetadata of each frame, prompt, completion)
STREAMS: list[tuple[str, list[Any], int, int]] = [
    (
        "cumulative",
        [
            {"promptTokenCount": 5, "candidatesTokenCount": 1, "totalTokenCount": 6},
            {"promptTokenCount": 5, "candidatesTokenCount": 9, "totalTokenCount": 14},
        ],
        5,
        9,
    ),
    (
        "segments of file_search are not summed",
        [
            {"candidatesTokenCount": 20, "thoughtsTokenCount": 419, "totalTokenCount": 439},
            {"candidatesTokenCount": 102, "thoughtsTokenCount": 28, "totalTokenCount": 130},
            {"candidatesTokenCount": 122, "thoughtsTokenCount": 447, "totalTokenCount": 569},
        ],
        0,
        569,
    ),
    (
        "a count missing at the end is 0, whatever came before",
        [
            {"promptTokenCount": 87, "candidatesTokenCount": 15, "totalTokenCount": 102},
            {"promptTokenCount": 87, "candidatesTokenCount": 21, "totalTokenCount": 108},
            {"promptTokenCount": 87, "thoughtsTokenCount": 78, "totalTokenCount": 165},
        ],
        87,
        78,
    ),
    (
        "the prompt may shrink",
        [{"promptTokenCount": 169, "totalTokenCount": 169}, {"promptTokenCount": 79, "totalTokenCount": 79}],
        79,
        0,
    ),
    (
        "a frame without counts changes nothing",
        [
            {"trafficType": "ON_DEMAND"},
            {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7},
            {"trafficType": "ON_DEMAND"},
            None,
        ],
        5,
        2,
    ),
]


@pytest.mark.parametrize(("name", "reports", "prompt", "made"), STREAMS, ids=[row[0] for row in STREAMS])
def test_of_a_streams_reports_the_last_with_a_total_counts(
    name: str, reports: list[Any], prompt: int, made: int
) -> None:
    """3.1, usage: never sum segments, never take a maximum"""
    pieces = [answer({"text": "a"}, finish=None, usageMetadata=report) for report in reports]
    sent = chunks([*pieces, answer(finish="STOP")], include_usage=True)
    usage = sent[-2]["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (prompt, made)


# (OpenAI's usage, the neutral usage): the other way
FROM_CHAT: list[tuple[Json, Usage | None]] = [
    ({"prompt_tokens": 5, "completion_tokens": 2}, Usage(input_uncached={"text": 5}, output_visible={"text": 2})),
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 8,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 6},
        },
        Usage(
            input_uncached={"text": 3, "audio": 3},
            input_cache_read={"text": 4},
            output_visible={"text": 2},
            output_reasoning={"text": 6},
        ),
    ),
    ({"prompt_tokens": None}, None),
    ({}, None),
]


@pytest.mark.parametrize(("wire", "expected"), FROM_CHAT)
def test_openais_counts_become_the_same_buckets(wire: Json, expected: Usage | None) -> None:
    """2.9, the same table read from the other side"""
    body = {"choices": [], "usage": wire}
    assert CHAT.parse_response(body, reading()).usage == expected
