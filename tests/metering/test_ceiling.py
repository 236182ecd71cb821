"""What is held before a call: sizes and counts, the dearest that they can come to."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metering.pricing import CATALOG, DOLLAR, MTOK, fee, made, rates_of, row
from portico.catalog import PriceRow, PriceUnit, Rates
from portico.core.errors import BodyNotJson
from portico.core.parts import Media, Text, ToolCall, ToolResult
from portico.core.request import Builtin, Message, Request, Role, Sampling
from portico.core.target import Capabilities
from portico.dialects import anthropic_messages, gemini, openai_chat, openai_responses
from portico.metering.ceiling import (
    FILE_TOKENS,
    MEDIA,
    PICTURE_TOKENS,
    TOOLS,
    Ask,
    Ceiling,
    ask_of_raw,
    ask_of_request,
    ceiling,
)
from portico.wire import jsontext

ABLE = Capabilities(max_input_tokens=1_000_000, max_output_tokens=60_000)
PAINTER = msgspec.structs.replace(ABLE, output_modalities=frozenset({"text", "image"}))
PLAIN = made(row("input", DOLLAR), row("output", 10 * DOLLAR))
"""A dollar a million in, ten out: 1,000 and 10,000 nano-dollars a token."""
IN, OUT = DOLLAR // MTOK, 10 * DOLLAR // MTOK


def held(ask: Ask, rates: Rates = PLAIN, able: Capabilities = ABLE, default: int = 8_192) -> Ceiling:
    return ceiling(ask, rates, able, default_hold_tokens=default)


def test_text_is_half_a_token_a_byte_and_output_what_a_hold_is_by_default() -> None:
    assert held(Ask(301)) == Ceiling(151 * IN + 8_192 * OUT, 151, 8_192)


@pytest.mark.parametrize(("asked", "counted"), [(100, 100), (60_000, 60_000), (10**9, 60_000), (0, 0)])
def test_output_is_what_was_asked_for_up_to_the_limit_of_the_model(asked: int, counted: int) -> None:
    assert held(Ask(0, max_output_tokens=asked)) == Ceiling(counted * OUT, 0, counted)


def test_a_default_above_the_limit_of_the_model_is_the_limit() -> None:
    assert held(Ask(0), default=100_000).output_tokens == 60_000


def test_each_candidate_may_use_all_of_the_output() -> None:
    assert held(Ask(300, max_output_tokens=10, candidates=4)) == Ceiling(150 * IN + 40 * OUT, 150, 40)


def test_input_is_at_most_what_the_model_takes() -> None:
    assert held(Ask(10**9, max_output_tokens=0)) == Ceiling(10**6 * IN, 10**6, 0)


def test_the_dearest_band_that_the_prompt_could_be_in_counts_for_all_of_it() -> None:
    longer = {"above_tokens": 200_000}
    rates = made(
        row("input", DOLLAR), row("output", 0), row("input", 3 * DOLLAR, **longer), row("output", DOLLAR, **longer)
    )
    assert held(Ask(400_000, max_output_tokens=5), rates).nanos == 200_000 * IN
    assert held(Ask(400_002, max_output_tokens=5), rates).nanos == 200_001 * 3 * IN + 5 * IN
    cheaper = made(row("input", DOLLAR), row("output", 0), row("input", 1, **longer))
    assert held(Ask(400_002, max_output_tokens=5), cheaper).nanos == 200_001 * IN


def test_media_are_estimated_by_kind_at_the_rate_of_their_modality() -> None:
    rates = made(row("input", DOLLAR), row("output", 0), row("input", 3 * DOLLAR, modality="audio"))
    ask = Ask(0, {"image": 2, "audio": 1}, {"image": 1_280, "audio": 320})
    images, audio = 2 * MEDIA["image"].each + 10, MEDIA["audio"].each + 10
    assert held(ask, rates) == Ceiling(images * IN + audio * 3 * IN, images + audio, 8_192)


def test_an_image_has_a_most_however_large_its_file() -> None:
    assert held(Ask(0, {"image": 3}, {"image": 10**9})).input_tokens == 3 * MEDIA["image"].most


def test_what_is_sent_by_address_is_guessed_at_the_dearest_rate() -> None:
    rates = made(row("input", DOLLAR), row("output", 0), row("input", 3 * DOLLAR, modality="video"))
    assert held(Ask(0, {"file": 1}), rates).nanos == FILE_TOKENS * 3 * IN


def test_a_cache_may_be_as_long_as_the_model_takes_at_the_cached_rate() -> None:
    rates = made(row("input", 10 * DOLLAR), row("output", 0), row("input", DOLLAR, cached=True))
    assert held(Ask(0, {"cache": 1}), rates) == Ceiling(10**6 * IN, 10**6, 8_192)
    assert held(Ask(0, {"cache": 1})).nanos == 10**6 * IN + 8_192 * OUT  # no cached rate: it is plain input


def test_of_more_than_the_model_takes_the_dearest_counts() -> None:
    rates = made(row("input", DOLLAR), row("output", 0), row("input", 3 * DOLLAR, modality="audio"))
    ask = Ask(4 * 10**6, {"audio": 1}, {"audio": 10**6})
    audio = MEDIA["audio"].each + 10**6 // 32
    assert held(ask, rates).nanos == audio * 3 * IN + (10**6 - audio) * IN


@pytest.mark.parametrize("unit", [PriceUnit.QUERY, PriceUnit.PROMPT])
def test_a_search_is_held_with_its_hidden_prompt_and_its_fee(unit: PriceUnit) -> None:
    rates = made(row("input", DOLLAR), row("output", 0), fee("web_search", DOLLAR, unit))
    uses = TOOLS["web_search"].uses if unit is PriceUnit.QUERY else 1
    assert held(Ask(0, tools=frozenset({"web_search"})), rates).nanos == uses * DOLLAR + TOOLS["web_search"].prompt * IN


def test_what_is_metered_is_held_at_its_fee_where_there_is_one() -> None:
    ask = Ask(0, max_output_tokens=0, metered={"characters": 500, "seconds": 60})
    assert held(ask, made(fee("characters", 15_000, PriceUnit.CHARACTER))).nanos == 500 * 15_000
    assert held(ask, made(fee("seconds", 100_000, PriceUnit.SECOND))).nanos == 60 * 100_000
    assert held(ask).nanos == 0
    both = made(fee("web_search", DOLLAR, PriceUnit.QUERY), fee("characters", 15_000, PriceUnit.CHARACTER))
    assert held(ask, both).nanos == 500 * 15_000


def test_a_tool_is_held_at_its_own_fee_and_one_without_at_none() -> None:
    rates = made(
        row("input", 0),
        row("output", 0),
        fee("google_maps", 1, PriceUnit.PROMPT),
        fee("web_search", 7, PriceUnit.PROMPT),
    )
    assert held(Ask(0, tools=frozenset({"web_search"})), rates).nanos == 7
    assert held(Ask(0, tools=frozenset({"url_context"})), rates).nanos == 0


def test_what_may_not_be_cached_is_held_at_the_full_rate() -> None:
    """That of text, pictures, files and what tools bring in, though some of it may have been seen before."""
    rates = made(row("input", DOLLAR), row("output", 0), row("input", 1, cached=True))
    ask = Ask(100, {"image": 1, "file": 1, "audio": 1}, tools=frozenset({"url_context"}))
    most = held(ask, rates)
    assert most.nanos == most.input_tokens * IN


def test_a_modality_is_held_at_its_own_rate_though_any_other_is_dearer() -> None:
    rates = made(row("input", 3 * DOLLAR, modality="any"), row("output", 0), row("input", DOLLAR, modality="image"))
    assert held(Ask(0, {"image": 1}), rates).nanos == MEDIA["image"].each * IN


def test_only_pictures_are_what_the_model_counts_a_picture_as() -> None:
    able = msgspec.structs.replace(ABLE, image_tokens=5)
    assert held(Ask(0, {"image": 2, "audio": 1}), able=able).input_tokens == 2 * 5 + MEDIA["audio"].each


def test_a_tool_that_nothing_is_known_of_is_held_like_the_dearest() -> None:
    unknown, known = (held(Ask(0, tools=frozenset({tool}))).nanos for tool in ("mcpServers", "url_context"))
    assert unknown >= known > held(Ask(0)).nanos


def test_a_model_that_paints_is_held_for_pictures_at_their_rate_and_for_text_beyond() -> None:
    rates = made(row("input", 0), row("output", DOLLAR), row("output", 100 * DOLLAR, modality="image"))
    painted = PICTURE_TOKENS * 100 * IN
    assert held(Ask(0), rates, PAINTER).nanos == painted + (8_192 - PICTURE_TOKENS) * IN
    # The limit of a caller who asks for less than a picture is raised (mapping.md 1.15).
    assert held(Ask(0, max_output_tokens=100), rates, PAINTER).nanos == painted


def test_speech_is_held_at_the_rate_of_audio() -> None:
    rates = made(row("input", 0), row("output", DOLLAR), row("output", 3 * DOLLAR, modality="audio"))
    speaker = msgspec.structs.replace(ABLE, output_modalities=frozenset({"audio"}))
    assert held(Ask(0, max_output_tokens=5), rates, speaker).nanos == 15 * IN


def test_markup_is_held_too_and_a_fraction_rounded_up() -> None:
    rates = made(row("input", 1), row("output", 0), markup_permille=1_001)
    assert held(Ask(2), rates).nanos == 1
    assert held(Ask(2 * 10**6), rates).nanos == 2


@pytest.mark.parametrize("rows", [(), PLAIN.sale], ids=["no row", "rows that are not all"])
@pytest.mark.parametrize(("free", "known"), [(True, True), (False, False)])
def test_nothing_is_held_for_what_is_free_and_for_what_has_no_price(
    rows: tuple[PriceRow, ...], free: bool, known: bool
) -> None:
    assert held(Ask(300), Rates(rows, (), free=free, known=known)) == Ceiling(0, 150, 8_192)


def test_an_embedding_is_held_for_its_input_alone() -> None:
    able = CATALOG.models["gemini-embedding-001"].capabilities
    assert held(Ask(1_000), rates_of("gemini-embedding-001"), able) == Ceiling(75_000, 500, 0)


SIZES = st.integers(0, 2**40)
KINDS = st.sampled_from(["image", "audio", "video", "document", "file", "cache"])
ASKS = st.builds(
    Ask,
    SIZES,
    st.dictionaries(KINDS, st.integers(1, 99), max_size=4),
    st.dictionaries(KINDS, SIZES, max_size=4),
    st.frozensets(st.sampled_from([*TOOLS, "new_tool"]), max_size=3),
    st.none() | st.integers(0, 2**31),
    st.integers(1, 128),
)
NAMES = st.sampled_from(sorted(CATALOG.models))
laws = settings(deadline=None, derandomize=True, max_examples=200, database=None)


@laws
@given(ASKS, NAMES)
def test_a_ceiling_is_a_whole_number_within_the_limits_of_the_model(ask: Ask, name: str) -> None:
    able = CATALOG.models[name].capabilities
    most = ceiling(ask, rates_of(name), able, default_hold_tokens=8_192)
    assert type(most.nanos) is int
    assert most.nanos >= 0
    assert 0 <= most.input_tokens <= able.max_input_tokens
    assert 0 <= most.output_tokens <= able.max_output_tokens * ask.candidates


@laws
@given(ASKS, NAMES, SIZES, st.integers(0, 5))
def test_asking_for_more_never_holds_less(ask: Ask, name: str, more: int, candidates: int) -> None:
    able, rates = CATALOG.models[name].capabilities, rates_of(name)
    larger = msgspec.structs.replace(ask, text_bytes=ask.text_bytes + more, candidates=ask.candidates + candidates)
    before = ceiling(ask, rates, able, default_hold_tokens=8_192)
    assert ceiling(larger, rates, able, default_hold_tokens=8_192).nanos >= before.nanos


# -- what is looked at -------------------------------------------------------------------------------------------------


def test_a_request_is_asked_for_the_sizes_of_its_parts() -> None:
    picture = Media("image/png", "a" * 40)
    result = ToolResult("call_1", "f", (Text("so"), Media("image/jpeg", "b" * 8)))
    request = Request(
        "m",
        (
            Message(Role.USER, (Text("hi"), picture, Media("application/pdf", "c" * 12), Media("text/csv", "d" * 20))),
            Message(Role.ASSISTANT, (ToolCall("call_1", "f", "{}"),)),
            Message(Role.USER, (result, Media("video/mp4", uri="https://a"), Media(None, uri="files/1"))),
        ),
        builtins=(Builtin("web_search"), Builtin("googleMaps"), Builtin("computerUse")),
        sampling=Sampling(max_tokens=7, n=3),
        service_tier="flex",
        ext={"gemini": {"cachedContent": "cachedContents/1"}},
    )
    assert ask_of_request(request, 1_000) == Ask(
        text_bytes=1_000 - 40 - 8 - 12,  # a table is read as text
        media={"image": 2, "document": 1, "file": 2, "cache": 1},
        media_bytes={"image": 48, "document": 12},
        tools=frozenset({"web_search", "google_maps", "computerUse"}),
        max_output_tokens=7,
        candidates=3,
        service_tier="flex",
        own_tools=False,
    )
    assert ask_of_request(request, 10).text_bytes == 0, "the body has not all of its media"


def raw(body: Any) -> Ask:
    return ask_of_raw(body if isinstance(body, bytes) else jsontext.encode(body), gemini.DIALECT)


def test_a_body_that_passes_is_asked_for_the_same() -> None:
    body = {
        "contents": [
            {"parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": "a" * 40}}]},
            {
                "parts": [
                    {
                        "functionResponse": {
                            "name": "f",
                            "parts": [{"inlineData": {"mimeType": "image/png", "data": "b"}}],
                        }
                    }
                ]
            },
            {"parts": [{"fileData": {"fileUri": "files/1"}}]},
        ],
        "systemInstruction": {"parts": {"inlineData": {"mimeType": "audio/wav", "data": "c" * 5}}},
        "tools": [{"googleSearch": {}}, {"functionDeclarations": []}, {"urlContext": {}, "newTool": {}}],
        "generationConfig": {"maxOutputTokens": 7, "candidateCount": 2},
        "cachedContent": "cachedContents/1",
        "serviceTier": "PRIORITY",
    }
    asked = raw(body)
    assert asked == Ask(
        text_bytes=len(jsontext.encode(body)) - 46,
        media={"image": 2, "file": 1, "audio": 1, "cache": 1},
        media_bytes={"image": 41, "audio": 5},
        tools=frozenset({"web_search", "url_context", "newTool"}),
        max_output_tokens=7,
        candidates=2,
        service_tier="priority",
    )


def test_a_body_may_be_spelt_the_other_way() -> None:
    asked = raw(
        {
            "contents": {"parts": [{"inline_data": {"mime_type": "image/png", "data": "aaaa"}}, {"file_data": {}}]},
            "tools": {"google_search": {}},
            "generation_config": {"max_output_tokens": "7", "candidate_count": 2.0},
            "cached_content": "cachedContents/1",
            "service_tier": "flex",
            "labels": None,
        }
    )
    assert asked.media == {"image": 1, "file": 1, "cache": 1}
    assert asked.tools == frozenset({"web_search"})
    assert (asked.max_output_tokens, asked.candidates, asked.service_tier) == (7, 2, "flex")
    assert asked.unknown == ()


def test_embeddings_are_asked_for_too() -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": "aaaa"}}
    asked = raw(
        {"requests": [{"model": "models/m", "content": {"parts": [part]}}, {"content": {"parts": [part, part]}}]}
    )
    assert asked.media == {"image": 3}
    texts = [
        {"content": {"parts": [{"text": "h" * 5}, {"text": 7}, {"text": "日本"}]}},
        {"content": {"parts": {"text": "x"}}},
    ]
    assert raw({"requests": texts}).embedded_characters == 8
    assert raw({"contents": texts}).embedded_characters == 0
    assert raw({"content": {"parts": [part]}, "taskType": "RETRIEVAL_QUERY"}) == Ask(
        len(jsontext.encode({"content": {"parts": [part]}, "taskType": "RETRIEVAL_QUERY"})) - 4,
        {"image": 1},
        {"image": 4},
    )


def test_a_field_of_which_nobody_knows_what_it_costs_is_named() -> None:
    assert raw({"contents": [], "newThing": 1, "continuation_token": "x"}).unknown == ("continuationToken", "newThing")
    for dialect in (anthropic_messages, gemini, openai_chat, openai_responses):
        assert dialect.DIALECT.passing is not None
        ask = dialect.DIALECT.passing.ask
        assert ask(b'{"model": "m", "newThing": false, "other_thing": null}').unknown == ("newThing",)


@pytest.mark.parametrize(
    "body",
    [[], 7, None, {"contents": 7}, {"contents": [7, {"parts": 7}, {"parts": [7, {"inlineData": 7}]}], "tools": [7]}],
)
def test_what_cannot_mean_anything_is_passed_over(body: Any) -> None:
    asked = raw(body)
    assert (asked.media, asked.tools, asked.candidates) == ({}, frozenset(), 1)


@pytest.mark.parametrize("limit", [-1, True, "x", "9" * 30, [], 1e300, None])
def test_a_limit_that_is_none_is_disregarded(limit: Any) -> None:
    config = {"maxOutputTokens": limit, "candidateCount": limit}
    asked = raw({"generationConfig": config})
    assert (asked.max_output_tokens, asked.candidates) == (None, 1)


def test_what_is_not_json_is_said_so() -> None:
    with pytest.raises(BodyNotJson):
        raw(b"{")


def test_a_dialect_in_which_nothing_passes_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="openai_chat"):
        ask_of_raw(b"{}", msgspec.structs.replace(openai_chat.DIALECT, passing=None))
