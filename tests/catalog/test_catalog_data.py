"""What the file says of each model: limits, abilities, dates, words."""

import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import date
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.catalog import Model, ModelKind, load_catalog
from portico.core.target import Capabilities, ThinkingControl

CATALOG = load_catalog()
MODELS = [model for model in CATALOG.models.values() if model.vendor == "google"]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)

M = 1_048_576
# mapping.md 6.1 and 6.2: at Google's own API in and out, and where given at Vertex AI.
LIMITS = [
    ("gemini-4-argon", M, M, M, M),
    ("gemini-3.8-flash", M, 65536, M, 65536),
    ("gemini-3.7-flash", M, 65536, M, 65536),
    ("gemini-3.6-flash", M, 65536, M, 65536),
    ("gemini-3.5-flash", M, 65536, M, 65536),
    ("gemini-3.5-flash-lite", M, 65536, M, 65536),
    ("gemini-3.1-pro-preview", M, 65536, M, 65536),
    ("gemini-3.1-pro-preview-customtools", M, 65536, M, 65536),
    ("gemini-3.1-flash-lite", M, 65536, M, 65536),
    ("gemini-3-flash-preview", M, 65536, M, 65535),
    ("gemini-3-pro-preview", M, 65535, M, 65535),
    ("gemini-2.5-pro", M, 65536, M, 65535),
    ("gemini-2.5-flash", M, 65536, M, 65535),
    ("gemini-2.5-flash-lite", M, 65536, M, 65536),
    ("gemini-2.0-flash", M, 8192, M, 8192),
    ("gemini-2.0-flash-lite", M, 8192, M, 8192),
    ("gemini-2.5-computer-use-preview-10-2025", 128_000, 64_000, 128_000, 64_000),
    ("gemini-nano-banana-2.1", 131_072, 32_768, 131_072, 32_768),
    ("gemini-3-pro-image", 65_536, 32_768, 65_536, 32_768),
    ("gemini-3-pro-image-preview", 131_072, 32_768, 65_536, 32_768),
    ("gemini-3.1-flash-image", 131_072, 32_768, 131_072, 32_768),
    ("gemini-3.1-flash-image-preview", 131_072, 32_768, 131_072, 32_768),
    ("gemini-3.1-flash-lite-image", 65_536, 4_096, 65_536, 4_096),
    ("gemini-2.5-flash-image", 65_536, 32_768, 65_536, 32_768),
    ("gemini-3.8-flash-tts", 8_192, 16_384, 8_192, 16_384),
    ("gemini-3.8-flash-lite-tts", 8_192, 16_384, 8_192, 16_384),
    ("gemini-3.1-flash-tts-preview", 8_192, 16_384, 8_192, 16_384),
    ("gemini-2.5-pro-preview-tts", 8_192, 16_384, 8_192, 16_384),
    ("gemini-2.5-flash-preview-tts", 8_192, 16_384, 8_192, 16_384),
    ("gemini-3.5-transcribe", 98_304, 32_768, 98_304, 32_768),
    ("gemini-embedding-2", 8_192, 0, 8_192, 0),
    ("gemini-embedding-001", 2_048, 0, 2_048, 0),
    ("gemma-4-31b-it", 262_144, 32_768, 262_144, 32_768),
    ("gemma-4-26b-a4b-it", 262_144, 32_768, 262_144, 32_768),
]


@pytest.mark.parametrize(("name", "paid_in", "out", "vertex_in", "vertex_out"), LIMITS)
def test_limits_are_those_of_the_sheet(name: str, paid_in: int, out: int, vertex_in: int, vertex_out: int) -> None:
    model = CATALOG.models[name]
    here, there = model.capabilities_at("gemini"), model.capabilities_at("vertex")
    assert (here.max_input_tokens, here.max_output_tokens) == (paid_in, out)
    assert (there.max_input_tokens, there.max_output_tokens) == (vertex_in, vertex_out)


def test_every_model_has_limits_in_the_table() -> None:
    assert [row[0] for row in sorted(LIMITS)] == sorted(model.name for model in MODELS)


# The rows of mapping.md 1.6; where a cell says "V", the answer differs at Vertex AI.
# name, sampling, penalties (V), logprobs (V), seed, candidates, per-part resolution
ABILITIES = [
    ("gemini-2.0-flash", True, (True, True), (False, True), True, 8, False),
    ("gemini-2.0-flash-lite", True, (True, True), (False, True), True, 8, False),
    ("gemini-2.5-pro", True, (False, True), (False, True), True, 8, False),
    ("gemini-2.5-flash", True, (False, True), (False, True), True, 8, False),
    ("gemini-2.5-flash-lite", True, (False, True), (False, True), True, 8, False),
    ("gemini-2.5-flash-image", True, (False, False), (False, False), True, 1, False),
    ("gemini-3-flash-preview", True, (False, False), (False, True), True, 1, True),
    ("gemini-3-pro-preview", True, (False, False), (False, True), True, 1, True),
    ("gemini-3.1-pro-preview", True, (False, False), (False, True), True, 1, True),
    ("gemini-3.5-flash", True, (False, False), (False, True), True, 1, True),
    ("gemini-3.6-flash", False, (False, False), (False, True), True, 1, True),
    ("gemini-3.5-flash-lite", False, (False, False), (False, True), True, 1, True),
    ("gemini-3.7-flash", False, (False, False), (False, True), True, 1, True),
    ("gemini-3.8-flash", False, (False, False), (False, True), True, 1, True),
    ("gemini-3-pro-image", True, (False, False), (False, False), True, 1, True),
    ("gemini-3.1-flash-lite-image", True, (False, False), (False, False), True, 1, True),
    ("gemini-3.8-flash-tts", True, (False, False), (False, False), False, 1, False),
    ("gemma-4-31b-it", True, (False, False), (False, False), True, 1, False),
]


@pytest.mark.parametrize(("name", "sampling", "penalties", "logprobs", "seed", "candidates", "resolution"), ABILITIES)
def test_abilities_are_those_of_the_sheet(
    name: str,
    sampling: bool,
    penalties: tuple[bool, bool],
    logprobs: tuple[bool, bool],
    seed: bool,
    candidates: int,
    resolution: bool,
) -> None:
    here, there = (CATALOG.models[name].capabilities_at(kind) for kind in ("gemini", "vertex"))
    assert here.sampling is sampling
    assert (here.penalties, there.penalties) == penalties
    assert (here.logprobs, there.logprobs) == logprobs
    assert (here.seed, here.max_candidates, here.part_resolution) == (seed, candidates, resolution)


@every_model
def test_what_came_with_generation_3_is_had_from_there_on(model: Model) -> None:
    can = model.capabilities
    chat = model.kind in (ModelKind.CHAT, ModelKind.COMPUTER_USE) and can.family.startswith("gemini")
    if chat:
        new = can.generation >= (3, 0)
        assert (can.call_ids, can.signatures_required, can.result_media, can.part_resolution) == (new,) * 4
        assert (can.json_with_tools, can.builtin_with_functions) == (new, new)
    if can.family.startswith(("gemini-2", "gemini-3", "gemini-4")):
        assert can.family == f"gemini-{can.generation[0]}"


def test_image_models_have_the_sizes_and_shapes_of_the_sheet() -> None:
    sizes = {model.name: model.capabilities.image_sizes for model in MODELS if model.kind is ModelKind.IMAGE}
    assert sizes["gemini-2.5-flash-image"] == ()
    assert sizes["gemini-3-pro-image"] == ("1K", "2K", "4K")
    assert sizes["gemini-3.1-flash-image"] == ("512", "1K", "2K", "4K")
    assert sizes["gemini-3.1-flash-lite-image"] == ("1K",)
    for model in MODELS:
        ratios = model.capabilities.aspect_ratios
        if model.kind is not ModelKind.IMAGE:
            assert ratios == ()
        else:
            assert len(ratios) == (14 if "3.1-flash" in model.name else 10)
            assert not model.capabilities.json_mode
    assert not CATALOG.models["gemini-2.5-flash-image"].capabilities.builtin_tools
    assert CATALOG.models["gemini-3-pro-image"].capabilities.builtin_tools


def test_speech_models_take_one_turn_of_text_and_no_instructions() -> None:
    for model in MODELS:
        can = model.capabilities
        if model.kind is ModelKind.SPEECH:
            assert (can.input_modalities, can.output_modalities) == (frozenset({"text"}), frozenset({"audio"}))
            assert not any((can.system_instruction, can.multi_turn, can.tools, can.json_mode))


@pytest.mark.parametrize(
    ("name", "minimum"), [("gemini-3.5-flash", 4096), ("gemini-2.5-pro", 2048), ("gemini-2.5-flash", 1024)]
)
def test_the_shortest_prompt_to_cache_is_known(name: str, minimum: int) -> None:
    assert CATALOG.models[name].capabilities.cache_min_tokens == minimum


SHUTDOWN = [
    ("gemini-3.5-flash", None, date(2027, 5, 19)),
    ("gemini-2.5-flash", None, date(2026, 10, 20)),
    ("gemini-2.5-pro", None, date(2026, 10, 20)),
    ("gemini-2.5-flash-image", date(2027, 3, 15), date(2027, 3, 15)),
    ("gemini-3-pro-image-preview", date(2026, 6, 25), None),
    ("gemini-3.1-flash-lite", date(2027, 5, 7), date(2027, 5, 7)),
    ("gemini-3.1-flash-image-preview", date(2026, 6, 25), date(2026, 6, 25)),
    ("gemini-2.5-computer-use-preview-10-2025", date(2026, 7, 28), date(2026, 7, 28)),
    ("gemini-2.0-flash", date(2026, 6, 1), date(2026, 6, 1)),
    ("gemini-2.0-flash-lite", date(2026, 6, 1), date(2026, 6, 1)),
    ("gemini-2.5-flash-preview-tts", date(2026, 11, 17), date(2026, 11, 17)),
    ("gemini-2.5-pro-preview-tts", date(2026, 11, 17), date(2026, 11, 17)),
    ("gemini-3.1-flash-tts-preview", date(2026, 11, 17), date(2026, 11, 17)),
    ("gemini-embedding-001", date(2028, 5, 14), date(2028, 5, 14)),
]


def test_shutdown_dates_are_those_of_the_sheet() -> None:
    written = {(m.name, m.shutdown.get("gemini"), m.shutdown.get("vertex")) for m in MODELS if m.shutdown}
    assert written == set(SHUTDOWN)


BEFORE, AFTER = date(2026, 6, 24), date(2026, 6, 25)
SUCCESSORS = [
    ("gemini-3-pro-preview", BEFORE, None, False, "gemini-3.1-pro-preview"),
    ("gemini-3-pro-image-preview", BEFORE, None, False, "gemini-3-pro-image"),
    ("gemini-3.1-flash-image-preview", BEFORE, "gemini", False, None),
    ("gemini-3.1-flash-image-preview", AFTER, "gemini", False, "gemini-3.1-flash-image"),
    ("gemini-3.1-flash-image-preview", AFTER, None, False, "gemini-3.1-flash-image"),
    ("gemini-3.1-flash-image-preview", BEFORE, "gemini", True, "gemini-3.1-flash-image"),
    ("gemini-3.1-pro-preview", AFTER, None, False, None),
    ("gemini-2.0-flash", AFTER, None, False, None),
    ("gemini-2.5-flash", AFTER, "vertex", True, None),
]


@pytest.mark.parametrize(("name", "today", "kind", "gone", "expected"), SUCCESSORS)
def test_a_call_goes_to_the_successor_when_its_model_is_gone(
    name: str, today: date, kind: str | None, gone: bool, expected: str | None
) -> None:
    successor = CATALOG.successor_of(CATALOG.models[name], today, provider_kind=kind, gone=gone)
    assert (successor and successor.name) == expected


def test_exactly_the_two_that_google_withdrew_are_marked_retired() -> None:
    assert {model.name for model in MODELS if model.retired} == {"gemini-3-pro-preview", "gemini-3-pro-image-preview"}


def test_a_model_shut_down_at_one_backend_lives_on_at_the_other() -> None:
    model, day = CATALOG.models["gemini-2.5-pro"], date(2026, 10, 20)
    assert [model.is_gone(day, kind) for kind in ("gemini", "vertex", None)] == [False, True, False]
    assert not model.is_gone(date(2026, 10, 19), "vertex")


# --- Words -----------------------------------------------------------------------------------------------------------

MAINLAND_WORDS = (
    "視頻 默認 文件夾 信息 網頁端 質量 代碼 智能體 屏幕 音頻 文本 搜索 支付 賬單 響應 調用 鼠標 圖片 生成器 下線 緩存"
)
HONG_KONG_WORDS = "影片 预设 档案 讯息 质素 程式码 萤幕 声线 搜寻 收据 圖 檔 網"


@pytest.mark.parametrize("file", ["anthropic", "google", "openai"])
def test_a_source_names_what_callers_can_look_at(file: str) -> None:
    """Receipts show it: lines of a call, with the source of each rate."""
    text = resources.files("portico.catalog").joinpath("data", f"{file}.toml").read_text("utf-8")
    sources = set(_sources(tomllib.loads(text)))
    assert sources
    assert [source for source in sources if "mapping" in source or "sheet" in source or "[K]" in source] == []


def _sources(value: object) -> Iterator[str]:
    match value:
        case {"source": str(source), **rest}:
            yield source
            yield from _sources(rest)
        case dict():
            for item in value.values():
                yield from _sources(item)
        case list():
            for item in value:
                yield from _sources(item)


@every_model
def test_every_entry_has_its_source_and_date(model: Model) -> None:
    assert model.source.startswith("Google's price page")
    assert date(2026, 1, 1) <= model.as_of <= date(2026, 11, 22)
    assert model.created is None or model.created < model.as_of
    assert model.title
    assert model.owned_by == "google"


@every_model
def test_every_entry_is_described_in_one_line_of_each_language(model: Model) -> None:
    for locale in ("en", "zh-CN", "zh-HK"):
        line = model.description.in_locale(locale)
        assert "\n" not in line
        assert "!" not in line
        assert "！" not in line
        assert line.endswith("." if locale == "en" else "。")
        assert len(line) <= 125
    assert model.description.in_locale("fr") == model.description.en


@every_model
def test_simplified_and_traditional_are_not_mixed(model: Model) -> None:
    model.description.zh_cn.encode("gb2312")  # has no traditional-only character
    model.description.zh_hk.encode("big5hkscs")  # has no simplified-only character
    assert not [word for word in MAINLAND_WORDS.split() if word in model.description.zh_hk]
    assert not [word for word in HONG_KONG_WORDS.split() if word in model.description.zh_cn]


@every_model
def test_the_hong_kong_line_is_written_and_not_converted(model: Model) -> None:
    """A conversion changes ideographs one by one and leaves everything else where it is."""
    mainland, hong_kong = model.description.zh_cn, model.description.zh_hk
    converted = len(mainland) == len(hong_kong) and all(
        a == b or (is_ideograph(a) and is_ideograph(b)) for a, b in zip(mainland, hong_kong, strict=True)
    )
    assert not converted


def is_ideograph(char: str) -> bool:
    return unicodedata.name(char, "").startswith("CJK UNIFIED")


# --- Names that are not in the file ----------------------------------------------------------------------------------

INFERRED = [
    ("gemini-3.9-flash", "gemini-3", (3, 9), ("low", "medium", "high"), False),
    ("gemini-3.2-flash-preview", "gemini-3", (3, 2), ("minimal", "low", "medium", "high"), True),
    ("gemini-3.3-pro", "gemini-3", (3, 3), ("low", "medium", "high"), True),
    ("gemini-5-ultra", "gemini-5", (5, 0), ("low", "medium", "high"), False),
    ("gemini-4.5-flash-image", "gemini-4", (4, 5), (), True),
    ("gemini-3.9-flash-image", "gemini-3", (3, 9), ("minimal", "high"), True),
    ("gemini-2.5-flash-preview-05-20", "gemini-2", (2, 5), (), True),
    ("models/gemini-2.5-pro-preview-06-05", "gemini-2", (2, 5), (), True),
    ("gemini-live-2.5-flash", "gemini-2", (2, 5), (), True),
    ("gemini-2.0-flash-001", "gemini-2", (2, 0), (), True),
    ("gemini-1.5-pro", "gemini-1", (1, 5), (), True),
    ("gemma-3-27b-it", "gemma-3", (3, 0), (), True),
    ("gemma-5-9b-it", "gemma-5", (5, 0), (), True),
    ("gemini-exp-1206", "gemini-4", (4, 0), ("low", "medium", "high"), False),
    ("llama-7b", "unknown", (3, 0), (), True),
]


@pytest.mark.parametrize(("name", "family", "generation", "levels", "sampling"), INFERRED)
def test_a_new_name_suggests_what_it_can_do(
    name: str, family: str, generation: tuple[int, int], levels: tuple[str, ...], sampling: bool
) -> None:
    can = CATALOG.capabilities_for(name)
    assert (can.family, can.generation, can.thinking.levels, can.sampling) == (family, generation, levels, sampling)


def test_old_flash_and_pro_previews_keep_their_budgets() -> None:
    flash = CATALOG.capabilities_for("gemini-2.5-flash-lite-preview-06-17")
    assert flash.thinking == CATALOG.models["gemini-2.5-flash-lite"].capabilities.thinking
    pro = CATALOG.capabilities_for("gemini-2.5-pro-preview-06-05", "vertex")
    assert (pro.thinking.min_budget, pro.penalties) == (128, False)


@every_model
def test_the_inference_agrees_with_the_file_about_every_known_model(model: Model) -> None:
    """What a name suggests would have been right for each model whose facts are known."""
    suggested, known = CATALOG._inference.capabilities(model.name), model.capabilities
    for field in Capabilities.__struct_fields__:
        if field.startswith("max_") or field in ("generation", "cache_min_tokens", "input_modalities", "image_sizes"):
            continue
        if model.kind is ModelKind.COMPUTER_USE and field == "thinking":
            continue
        assert getattr(suggested, field) == getattr(known, field), field


@given(
    st.one_of(st.text(), st.from_regex(r"\A(models/)?gem(ini|ma)-[0-9a-z.-]*\Z")), st.sampled_from(["gemini", "vertex"])
)
def test_a_suggestion_never_fails(name: str, kind: str) -> None:
    can = CATALOG.capabilities_for(name, kind)
    assert can.thinking.control in ThinkingControl
    assert can.max_input_tokens > 0


# --- The list of models ----------------------------------------------------------------------------------------------


def test_the_list_has_models_aliases_and_thinking_variants_once_each() -> None:
    rows = CATALOG.listing()
    ids = [row.id for row in rows]
    assert len(ids) == len(set(ids))
    assert set(CATALOG.models) <= set(ids)
    assert {
        "gemini-flash-latest",
        "gemini-2-5-flash-image",
        "gemini-2.5-flash-thinking",
        "gemini-2.5-pro-nothinking",
    } <= set(ids)
    assert "gemini-2.5-flash-image-thinking" not in ids


def test_every_listed_id_resolves_to_its_base() -> None:
    for row in CATALOG.listing():
        assert CATALOG.resolve(row.id).name == (row.base or row.id)


def test_a_listed_model_says_what_clients_ask() -> None:
    row = next(row for row in CATALOG.listing() if row.id == "gemini-2.5-flash-thinking")
    assert (row.base, row.owned_by, row.context_length, row.max_output) == ("gemini-2.5-flash", "google", M, 65536)
    assert row.created == 1_750_118_400  # 2025-06-17
    assert row.input_modalities == ("text", "image", "audio", "video", "document")
    assert row.output_modalities == ("text",)
    assert row.description.en


def test_what_nobody_serves_any_more_is_not_listed_on_that_day() -> None:
    day = date(2026, 11, 22)
    ids = {row.id for row in CATALOG.listing(today=day)}
    gone = {"gemini-2.0-flash", "gemini-2.5-flash-preview-tts", "gemini-2.5-computer-use-preview-10-2025"}
    assert not ids & gone
    assert {"gemini-3-pro-preview", "gemini-2.5-pro", "gemini-3-pro-image-preview"} <= ids
