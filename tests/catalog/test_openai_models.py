"""What the file says of OpenAI's models. Limits and prices are those of the wheel that the file names, cell by cell."""

from datetime import date

import pytest

from catalog.vendor_files import (
    CATALOG,
    TODAY,
    check_words,
    has_limits,
    is_dearer_by_band,
    is_sourced,
    of_vendor,
    recorded_names,
)
from portico.catalog import Model, ModelKind, PriceKind, Tier, nanos_of_usd, rate_of
from portico.core.target import COMPATIBLE, UNJUDGED, ThinkingControl

MODELS = of_vendor("openai")
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
INPUT, OUTPUT, WRITE, WRITE_1H = PriceKind.INPUT, PriceKind.OUTPUT, PriceKind.CACHE_WRITE, PriceKind.CACHE_WRITE_1H

LIMITS = [
    ("gpt-6.2-astra", 922_000, 128_000),
    ("gpt-6.2-sol", 922_000, 128_000),
    ("gpt-6-luna", 922_000, 128_000),
    ("gpt-5.6", 922_000, 128_000),
    ("gpt-5.5", 1_050_000, 128_000),
    ("gpt-5.5-pro", 1_050_000, 128_000),
    ("gpt-5.4-mini", 272_000, 128_000),
    ("gpt-5.3-codex", 272_000, 128_000),
    ("gpt-5", 272_000, 128_000),
    ("gpt-5-pro", 400_000, 272_000),
    ("chat-latest", 400_000, 128_000),
    ("gpt-4.1", 1_047_576, 32_768),
    ("gpt-4o-mini", 128_000, 16_384),
    ("o3", 200_000, 100_000),
    ("gpt-3.5-turbo", 16_385, 4_096),
    ("gpt-4o-transcribe", 16_000, 2_000),
    ("text-embedding-3-large", 8_191, 0),
]

# name, kind, modality, cached, prompt, tier, dollars
PRICES = [
    ("gpt-5.5", INPUT, "text", False, 0, Tier.STANDARD, "5.00"),
    ("gpt-5.5", INPUT, "text", True, 0, Tier.STANDARD, "0.50"),
    ("gpt-5.5", OUTPUT, "text", False, 0, Tier.STANDARD, "30.00"),
    ("gpt-5.5", INPUT, "text", False, 272_001, Tier.STANDARD, "10.00"),
    ("gpt-5.5", OUTPUT, "text", False, 272_001, Tier.STANDARD, "45.00"),
    ("gpt-5.5", INPUT, "text", False, 0, Tier.PRIORITY, "12.50"),
    ("gpt-5.5", INPUT, "text", True, 0, Tier.PRIORITY, "1.25"),
    ("gpt-5.5", OUTPUT, "text", False, 0, Tier.FAST, "75.00"),
    ("gpt-5.5", INPUT, "text", True, 0, Tier.FLEX, "0.25"),
    ("gpt-5.5", OUTPUT, "text", False, 272_001, Tier.BATCH, "22.50"),
    ("gpt-5.5", WRITE, "text", False, 0, Tier.STANDARD, "5.00"),  # no price of its own: plain input
    ("gpt-5.4", INPUT, "text", True, 0, Tier.FLEX, "0.13"),
    ("gpt-5.6-sol", WRITE, "text", False, 0, Tier.STANDARD, "5.00"),
    ("gpt-5.6-sol", WRITE_1H, "text", False, 0, Tier.STANDARD, "10.00"),
    ("gpt-5.6-sol", WRITE, "text", False, 272_001, Tier.PRIORITY, "20.00"),
    ("gpt-6-astra", INPUT, "text", False, 0, Tier.ULTRAFAST, "60.00"),
    ("gpt-6.1-terra", OUTPUT, "text", False, 0, Tier.BATCH, "2.50"),
    ("gpt-6.2-astra", INPUT, "text", False, 0, Tier.STANDARD, "8.00"),
    ("gpt-6.2-sol", INPUT, "text", True, 0, Tier.STANDARD, "0.10"),
    ("gpt-6.2-sol", OUTPUT, "text", False, 0, Tier.ULTRAFAST, "30.00"),
    ("gpt-4.1", INPUT, "text", False, 0, Tier.PRIORITY, "3.50"),
    ("gpt-4o", INPUT, "text", True, 0, Tier.STANDARD, "1.25"),
    ("gpt-4o", OUTPUT, "text", False, 0, Tier.BATCH, "5.00"),
    ("gpt-5-mini", INPUT, "text", True, 0, Tier.PRIORITY, "0.045"),
    ("o3", INPUT, "text", True, 0, Tier.FLEX, "0.25"),
    ("gpt-audio-1.5", INPUT, "audio", False, 0, Tier.STANDARD, "32.00"),
    ("gpt-audio-1.5", OUTPUT, "audio", False, 0, Tier.STANDARD, "64.00"),
    ("gpt-audio-1.5", OUTPUT, "text", False, 0, Tier.STANDARD, "10.00"),
    ("gpt-image-2", INPUT, "image", False, 0, Tier.STANDARD, "8.00"),
    ("gpt-image-2", OUTPUT, "image", False, 0, Tier.STANDARD, "30.00"),
    ("gpt-image-2", OUTPUT, "image", False, 0, Tier.BATCH, "15.00"),
    ("gpt-4o-mini-tts", OUTPUT, "audio", False, 0, Tier.STANDARD, "12.00"),
    ("text-embedding-3-small", INPUT, "text", False, 0, Tier.BATCH, "0.01"),
]

EFFORTS = [
    ("o3", ("low", "medium", "high"), "medium", False),
    ("gpt-5", ("minimal", "low", "medium", "high"), "medium", False),
    ("gpt-5.1", ("none", "low", "medium", "high"), "none", True),
    ("gpt-5.2", ("none", "low", "medium", "high", "xhigh"), "none", True),
    ("gpt-5.5", ("none", "low", "medium", "high", "xhigh"), "medium", True),
    ("gpt-5.6-terra", ("none", "low", "medium", "high", "xhigh", "max"), "medium", True),
    ("gpt-6.2-sol", ("low", "medium", "high", "xhigh", "max"), "medium", False),
    ("gpt-5.5-pro", ("medium", "high", "xhigh"), None, False),
    ("gpt-5-pro", ("high",), "high", False),
]

PRESENT = [
    "gpt-5 gpt-5-mini gpt-5-nano gpt-5.1 gpt-5.2 gpt-5.2-pro gpt-5.3-codex gpt-5.4 gpt-5.4-pro gpt-5.4-mini gpt-5.4-nano",
    "gpt-5.5 gpt-5.5-pro gpt-5.6 gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna gpt-6-astra gpt-6-sol gpt-6-luna gpt-6.1-sol",
    "gpt-6.1-terra gpt-6.2-astra gpt-6.2-sol gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4o gpt-4o-mini o1 o3 o3-mini o4-mini",
    "gpt-image-1 gpt-image-1-mini gpt-image-1.5 gpt-image-2 gpt-4o-mini-tts gpt-4o-transcribe whisper-1 tts-1",
    "text-embedding-3-small text-embedding-3-large",
]


@every_model
def test_every_model_has_limits_a_source_a_date_and_words(model: Model) -> None:
    assert is_sourced(model)
    assert has_limits(model)
    check_words(model)
    assert model.owned_by == "openai"
    assert model.backends == ("openai",)


@pytest.mark.parametrize("name", " ".join(PRESENT).split())
def test_every_line_of_models_is_there(name: str) -> None:
    assert CATALOG.resolve(name).model.vendor == "openai"


@pytest.mark.parametrize(("name", "most_in", "most_out"), LIMITS)
def test_limits_are_those_that_the_source_gives(name: str, most_in: int, most_out: int) -> None:
    able = CATALOG.resolve(name).model.capabilities
    assert (able.max_input_tokens, able.max_output_tokens) == (most_in, most_out)


@pytest.mark.parametrize(("name", "kind", "modality", "cached", "prompt", "tier", "usd"), PRICES)
def test_prices_are_those_that_the_source_gives(
    name: str, kind: PriceKind, modality: str, cached: bool, prompt: int, tier: Tier, usd: str
) -> None:
    rows = CATALOG.models[name].prices.in_force(TODAY, tier=tier)
    found = rate_of(rows, kind, modality, cached=cached, prompt_tokens=prompt)
    assert found is not None
    assert found.rate_nanos == nanos_of_usd(usd)


def test_an_announced_price_holds_from_its_day_on() -> None:
    prices = CATALOG.models["gpt-6.2-sol"].prices
    days = [date(2027, 2, 28), date(2027, 3, 1)]
    found = [rate_of(prices.in_force(day, tier=Tier.ULTRAFAST), INPUT, "text") for day in days]
    assert [row and row.rate_nanos for row in found] == [nanos_of_usd("6.00"), nanos_of_usd("12.00")]


@every_model
def test_a_longer_prompt_is_never_cheaper(model: Model) -> None:
    rows = tuple(row for row in model.prices.in_force(TODAY) if row.modality == "any")
    assert all(is_dearer_by_band(rows, kind) for kind in (INPUT, OUTPUT, WRITE, WRITE_1H))


def test_a_model_without_a_price_is_unpriced_and_never_free() -> None:
    assert (CATALOG.models["o1-preview"].prices.rows, CATALOG.models["o1-preview"].prices.free) == ((), False)


@pytest.mark.parametrize(
    ("name", "item", "unit", "usd"),
    [
        ("tts-1", "characters", "character", "0.000015"),
        ("tts-1-hd", "characters", "character", "0.00003"),
        ("whisper-1", "seconds", "second", "0.0001"),
        ("gpt-transcribe", "seconds", "second", "0.000075"),
    ],
)
def test_what_is_not_billed_by_the_token_has_a_fee_for_what_it_is_billed_by(
    name: str, item: str, unit: str, usd: str
) -> None:
    (row,) = CATALOG.models[name].prices.in_force(TODAY)
    assert (row.item, row.unit.value, row.rate_nanos) == (item, unit, nanos_of_usd(usd))


OPERATIONS = [
    ("gpt-image-2", ModelKind.IMAGE, ("openai_images", "openai_image_edits")),
    ("gpt-image-2.6-sunburst", ModelKind.IMAGE, ("openai_images", "openai_image_edits")),
    ("gpt-4o-mini-tts", ModelKind.SPEECH, ("openai_speech",)),
    ("tts-1-hd", ModelKind.SPEECH, ("openai_speech",)),
    ("gpt-4o-transcribe", ModelKind.TRANSCRIPTION, ("openai_transcriptions",)),
    ("gpt-transcribe", ModelKind.TRANSCRIPTION, ("openai_transcriptions",)),
    ("whisper-1", ModelKind.TRANSCRIPTION, ("openai_transcriptions", "openai_translations")),
    ("text-embedding-3-small", ModelKind.EMBEDDING, ("openai_embeddings",)),
]


@pytest.mark.parametrize(("name", "kind", "dialects"), OPERATIONS)
def test_a_model_of_one_operation_is_asked_in_its_dialect_alone(
    name: str, kind: ModelKind, dialects: tuple[str, ...]
) -> None:
    model = CATALOG.models[name]
    assert (model.kind, model.capabilities.dialects) == (kind, dialects)
    assert CATALOG._inference.capabilities(name, "openai").dialects == dialects


@pytest.mark.parametrize(("name", "levels", "default", "can_disable"), EFFORTS)
def test_efforts_are_those_that_the_model_takes(
    name: str, levels: tuple[str, ...], default: str | None, can_disable: bool
) -> None:
    spec = CATALOG.models[name].capabilities.thinking
    assert spec.control is ThinkingControl.LEVEL
    assert (spec.levels, spec.default, spec.can_disable) == (levels, default, can_disable)
    assert spec.on_by_default is (default != "none")
    assert set(spec.effort.values()) <= set(levels)


@every_model
def test_who_reasons_takes_no_stop_and_has_a_developer(model: Model) -> None:
    able = model.capabilities
    if model.kind is ModelKind.CHAT:
        reasons = able.thinking.control is not ThinkingControl.NONE
        assert (able.stop_max == 0, able.system_role == "developer") == (reasons, reasons)
        assert able.max_tokens_field == "max_completion_tokens"
        assert able.sampling or reasons
    assert not able.signatures_required


def test_pro_and_codex_answer_at_the_responses_api_alone() -> None:
    alone = {model.name for model in MODELS if model.capabilities.dialects == ("openai_responses",)}
    assert {"gpt-5-pro", "gpt-5.2-pro", "gpt-5.4-pro", "gpt-5.5-pro", "gpt-5.3-codex", "o3-pro", "o1-pro"} <= alone
    assert not any(CATALOG.models[name].capabilities.dialects for name in ("gpt-5.5", "gpt-5", "gpt-4o", "o3"))


@pytest.mark.parametrize(
    ("asked", "day", "answers"),
    [
        ("gpt-4o", date(2027, 1, 13), None),
        ("gpt-4o", date(2027, 1, 14), "gpt-6-luna"),
        ("o4-mini-2025-04-16", TODAY, "gpt-5.6-terra"),
        ("gpt-3.5-turbo", TODAY, "gpt-5.6-terra"),
        ("o1-mini", date(2026, 1, 1), "gpt-5.6-terra"),
        ("gpt-5.5", TODAY, None),
    ],
)
def test_a_retired_model_is_followed_by_the_one_that_openai_names(asked: str, day: date, answers: str | None) -> None:
    successor = CATALOG.successor_of(CATALOG.resolve(asked).model, day, provider_kind="openai")
    assert (successor and successor.name) == answers


NEW_NAMES = [
    ("gpt-7", "gpt-6", ThinkingControl.LEVEL, False),
    ("gpt-5.5-2026-12-01", "gpt-5", ThinkingControl.LEVEL, True),
    ("gpt-5-2026-01-01", "gpt-5", ThinkingControl.LEVEL, False),
    ("gpt-4o-2027-01-01", "gpt-4", ThinkingControl.NONE, True),
    ("openai/o5", "o", ThinkingControl.LEVEL, False),
    ("ft:gpt-4.1-2025-04-14:acme::abc", "gpt-4", ThinkingControl.NONE, True),
    ("text-embedding-4-large", "openai-embedding", ThinkingControl.NONE, False),
    ("gpt-image-3", "gpt-image", ThinkingControl.NONE, False),
]


@pytest.mark.parametrize(("name", "family", "control", "sampling"), NEW_NAMES)
def test_a_new_name_suggests_what_it_can_do(name: str, family: str, control: ThinkingControl, sampling: bool) -> None:
    able = CATALOG.capabilities_for(name, "openai")
    assert (able.family, able.thinking.control, able.sampling) == (family, control, sampling)


@every_model
def test_the_inference_knows_the_family_of_every_known_model(model: Model) -> None:
    suggested, known = CATALOG._inference.capabilities(model.name, "openai"), model.capabilities
    if model.name in ("chat-latest", "codex-mini-latest"):
        return  # names that say nothing
    for field in ("family", "signatures_required", "system_role", "stop_max", "output_modalities", "mid_system"):
        assert getattr(suggested, field) == getattr(known, field), field


def test_an_unknown_model_elsewhere_is_held_to_nothing() -> None:
    assert CATALOG.capabilities_for("llama-4-maverick", "openai-compatible") == COMPATIBLE
    assert CATALOG.capabilities_for("gpt-oss-120b", "openai-compatible") == COMPATIBLE
    assert CATALOG.capabilities_for("our-deployment", "azure-openai") == UNJUDGED
    assert COMPATIBLE.max_tokens_field == "max_tokens"


def test_a_model_away_from_home_keeps_its_limits_and_is_held_to_nothing_else() -> None:
    home = CATALOG.models["gemini-2.5-flash"]
    away = home.capabilities_at("openai-compatible")
    assert not away.judged
    assert (away.family, away.max_output_tokens) == (home.capabilities.family, home.capabilities.max_output_tokens)
    assert away.input_modalities == home.capabilities.input_modalities
    gpt = CATALOG.models["gpt-5.5"]
    assert gpt.capabilities_at("openai-compatible") == gpt.capabilities


NOT_SERVED = {
    # Completions without a chat, and names from before them.
    "ada", "babbage-002", "curie", "davinci-002", "gpt-3.5-turbo-instruct",
    # Moderation has no dialect here.
    "omni-moderation-2024-09-26", "text-moderation-007", "text-moderation-latest",
    # Billed by the picture, and shut down.
    "dall-e-2", "dall-e-3",
}  # fmt: skip


def test_every_model_that_was_recorded_answering_resolves() -> None:
    names = recorded_names("openai", "openai_responses")
    assert {name for name in names if CATALOG.known(name) is None} <= NOT_SERVED
