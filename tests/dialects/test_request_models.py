"""mapping.md 1.6, 1.7, 1.8 and the first row of 9: what differs between models, as serving would send it."""

from typing import Any

import pytest

from dialects.dialect_rows import (
    CATALOG,
    Json,
    chat,
    codes,
    config,
    function,
    native,
    refusal,
    rendered,
    translator,
    user,
)
from portico.core.dialect import Rendered
from portico.core.errors import ModelNotFound
from portico.core.loss import Loss

# -- 1.6: the table, one row a family ---------------------------------------------------------------------------------

STEERING: Json = {"temperature": 0.5, "top_p": 0.9, "top_k": 20}
SENT: Json = {"temperature": 0.5, "topP": 0.9, "topK": 20}

# (model, whether it takes: temperature, penalties at GL, penalties at V, logprobs at V, seed, n > 1)
FAMILIES: list[tuple[str, bool, bool, bool, bool, bool, bool]] = [
    ("gemini-2.0-flash", True, True, True, True, True, True),
    ("gemini-2.0-flash-lite", True, True, True, True, True, True),
    ("gemini-2.5-pro", True, False, True, True, True, True),
    ("gemini-2.5-flash", True, False, True, True, True, True),
    ("gemini-2.5-flash-lite", True, False, True, True, True, True),
    ("gemini-2.5-pro-preview-06-05", True, False, False, True, True, True),
    ("gemini-2.5-flash-image", True, False, False, False, True, False),
    ("gemini-3-flash-preview", True, False, False, True, True, False),
    ("gemini-3-pro-preview", True, False, False, True, True, False),
    ("gemini-3.1-pro-preview", True, False, False, True, True, False),
    ("gemini-3.5-flash", True, False, False, True, True, False),
    ("gemini-3.6-flash", False, False, False, True, True, False),
    ("gemini-3.5-flash-lite", False, False, False, True, True, False),
    ("gemini-3.7-flash", False, False, False, True, True, False),
    ("gemini-3.8-flash", False, False, False, True, True, False),
    ("gemini-3-pro-image", True, False, False, False, True, False),
    ("gemini-3.1-flash-image", True, False, False, False, True, False),
    ("gemini-3.8-flash-tts", True, False, False, False, False, False),
    ("gemma-3-27b-it", True, False, False, False, True, False),
]
EACH_FAMILY = pytest.mark.parametrize("row", FAMILIES, ids=[row[0] for row in FAMILIES])


def config_of(told: Rendered) -> Json:
    """generationConfig, but for what the model makes anyway."""
    found = dict(told.body.get("generationConfig", {}))
    found.pop("responseModalities", None)
    return found


@EACH_FAMILY
def test_a_model_that_ignores_temperature_is_not_sent_it(row: tuple[Any, ...]) -> None:
    """1.6, temp/topP/topK"""
    told = rendered(chat(**STEERING), row[0])
    assert config_of(told) == (SENT if row[1] else {})
    assert codes(told.losses) == ([] if row[1] else ["1.1:sampling"])


@EACH_FAMILY
def test_penalties_go_only_where_they_are_enabled(row: tuple[Any, ...]) -> None:
    """1.6, penalties. Google's own API refuses them on 2.5, as recorded: there the rows are for Vertex only."""
    for kind, taken in (("gemini", row[2]), ("vertex", row[3])):
        told = rendered(chat(presence_penalty=0.5, frequency_penalty=-0.5), row[0], kind)
        sent = {"presencePenalty": 0.5, "frequencyPenalty": -0.5} if taken else {}
        assert config_of(told) == sent
        assert codes(told.losses) == ([] if taken else ["1.1:penalties"] * 2)


@EACH_FAMILY
def test_logprobs_go_only_where_they_are_given(row: tuple[Any, ...]) -> None:
    """1.6, logprobs: Vertex only"""
    assert refusal(chat(logprobs=True), row[0]).param == "$.logprobs"
    if row[4]:
        assert config(chat(logprobs=True), row[0], "vertex") == {"responseLogprobs": True}


@EACH_FAMILY
def test_a_seed_goes_where_it_is_known(row: tuple[Any, ...]) -> None:
    """1.6, seed"""
    told = rendered(chat(seed=7), row[0])
    assert config_of(told) == ({"seed": 7} if row[5] else {})
    assert codes(told.losses) == ([] if row[5] else ["1.1:seed"])


@EACH_FAMILY
def test_several_answers_go_only_where_one_call_gives_them(row: tuple[Any, ...]) -> None:
    """1.6, n > 1; up to 8"""
    told = rendered(chat(n=9), row[0])
    assert told.body.get("generationConfig", {}).get("candidateCount") == (8 if row[6] else None)
    assert [(loss.code, loss.path) for loss in told.losses] == [("1.1:n", "$.n")]
    if row[6]:
        assert config(chat(n=2), row[0]) == {"candidateCount": 2}
        assert config(chat(n=8), row[0]) == {"candidateCount": 8}


def test_a_model_without_tools_says_so() -> None:
    """1.6: gemma-3 and 2.5-flash-image have no function calling"""
    for model in ("gemma-3-27b-it", "gemini-2.5-flash-image"):
        error = refusal(chat(tools=[function()]), model)
        assert (error.code, error.param) == ("unsupported_parameter", "$.tools")


def test_a_model_without_json_mode_is_not_sent_a_format() -> None:
    """1.6: gemma-3"""
    told = rendered(chat(response_format={"type": "json_object"}), "gemma-3-27b-it")
    assert "generationConfig" not in told.body
    assert codes(told.losses) == ["1.10:format"]


DETAILED = chat(user([{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "high"}}]))


def test_a_resolution_is_told_per_part_on_three_and_for_all_on_two() -> None:
    """1.6, per-part mediaResolution"""
    new, old = native(DETAILED, "gemini-3.5-flash"), native(DETAILED, "gemini-2.5-flash")
    assert new["contents"][0]["parts"][0]["mediaResolution"] == {"level": "MEDIA_RESOLUTION_HIGH"}
    assert "generationConfig" not in new
    assert "mediaResolution" not in old["contents"][0]["parts"][0]
    assert old["generationConfig"] == {"mediaResolution": "MEDIA_RESOLUTION_HIGH"}


# -- 1.7: the effort table, cell by cell ------------------------------------------------------------------------------

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# The models of a column, then what each effort becomes: a budget or a level.
COLUMNS: list[tuple[list[str], list[int] | list[str]]] = [
    (["gemini-2.5-pro"], [128, 1024, 1024, 8192, 24576, 32768, 32768]),
    (["gemini-2.5-flash"], [0, 1024, 1024, 8192, 24576, 24576, 24576]),
    (["gemini-2.5-flash-lite"], [0, 1024, 1024, 8192, 24576, 24576, 24576]),
    (["gemini-3-pro-preview"], ["LOW", "LOW", "LOW", "HIGH", "HIGH", "HIGH", "HIGH"]),
    (["gemini-3.1-pro-preview"], ["LOW", "LOW", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"]),
    (
        [
            "gemini-3-flash-preview",
            "gemini-3.5-flash",
            "gemini-3.6-flash",
            "gemini-3.1-flash-lite",
            "gemini-3.5-flash-lite",
        ],
        ["MINIMAL", "MINIMAL", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"],
    ),
    (
        ["gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon"],
        ["LOW", "LOW", "LOW", "MEDIUM", "HIGH", "HIGH", "HIGH"],
    ),
]
CELLS = [
    (model, effort, value)
    for models, values in COLUMNS
    for model in models
    for effort, value in zip(EFFORTS, values, strict=True)
]
MODELS = [model for models, _ in COLUMNS for model in models]
CANNOT_STOP = [model for model in MODELS if model not in ("gemini-2.5-flash", "gemini-2.5-flash-lite")]


def thinking_of(body: Json) -> tuple[Json, list[Loss]]:
    """thinkingConfig and the losses, as `portico translate` tells them."""
    done = translator().request(body)
    return done.body.get("generationConfig", {}).get("thinkingConfig", {}), done.losses


@pytest.mark.parametrize(("model", "effort", "value"), CELLS)
def test_an_effort_becomes_the_budget_or_level_of_its_cell(model: str, effort: str, value: int | str) -> None:
    """1.7, mapping"""
    told, losses = thinking_of(chat(model=model, reasoning_effort=effort))
    assert told == ({"thinkingBudget": value} if isinstance(value, int) else {"thinkingLevel": value})
    assert codes(losses) == (["1.7:thinking"] if effort == "none" and model in CANNOT_STOP else [])


@pytest.mark.parametrize("model", MODELS)
def test_an_unset_effort_leaves_thinking_to_the_model(model: str) -> None:
    """1.7, mapping, row "unset" """
    assert thinking_of(chat(model=model)) == ({}, [])
    assert thinking_of(chat(model=model, reasoning_effort=None, max_tokens=2049)) == ({}, [])


@pytest.mark.parametrize("model", ["gemini-2.0-flash", "gemini-2.5-flash-image", "gemini-3.8-flash-tts"])
def test_a_model_that_does_not_think_is_not_told_how(model: str) -> None:
    """1.7, capabilities, last row: the object is omitted, a 400 otherwise"""
    told, losses = thinking_of(chat(model=model, reasoning_effort="high"))
    assert told == {}
    assert codes(losses) == ["1.7:none"]
    assert thinking_of(chat(model=model)) == ({}, [])


# (model, fields, thinkingConfig)
BUDGETS: list[tuple[str, Json, Json]] = [
    (
        "gemini-2.5-pro",
        {"thinking": {"type": "enabled", "budget_tokens": 64}},
        {"thinkingBudget": 128, "includeThoughts": True},
    ),
    ("gemini-2.5-pro", {"reasoning": {"max_tokens": 50_000}}, {"thinkingBudget": 32_768}),
    ("gemini-2.5-flash", {"reasoning": {"max_tokens": 50_000}}, {"thinkingBudget": 24_576}),
    ("gemini-2.5-flash", {"reasoning": {"max_tokens": 0}}, {"thinkingBudget": 0}),
    ("gemini-2.5-pro", {"reasoning": {"max_tokens": 0}}, {"thinkingBudget": 128}),
    ("gemini-2.5-flash-lite", {"reasoning": {"max_tokens": 100}}, {"thinkingBudget": 512}),
    ("gemini-2.5-flash-lite", {"reasoning": {"max_tokens": 0}}, {"thinkingBudget": 0}),
    ("gemini-3.5-flash", {"reasoning": {"max_tokens": 0}}, {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.8-flash", {"reasoning": {"max_tokens": 0}}, {"thinkingLevel": "LOW"}),
    ("gemini-3.5-flash", {"reasoning": {"max_tokens": 2048}}, {"thinkingLevel": "LOW"}),
    ("gemini-3.5-flash", {"reasoning": {"max_tokens": 2049}}, {"thinkingLevel": "MEDIUM"}),
    ("gemini-3.5-flash", {"reasoning": {"max_tokens": 12_288}}, {"thinkingLevel": "MEDIUM"}),
    ("gemini-3.5-flash", {"reasoning": {"max_tokens": 12_289}}, {"thinkingLevel": "HIGH"}),
    ("gemini-3-pro-preview", {"reasoning": {"max_tokens": 8000}}, {"thinkingLevel": "HIGH"}),
    ("gemini-2.5-flash", {"thinking": {"type": "disabled"}}, {"thinkingBudget": 0}),
    ("gemini-3.5-flash", {"thinking": {"type": "disabled"}}, {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.5-flash", {"thinking": {"type": "adaptive"}}, {}),
    ("gemini-3.5-flash", {"thinking": {"type": "between_tools"}}, {}),
    ("gemini-3.5-flash", {"thinking": {"type": "adaptive"}, "reasoning_effort": "low"}, {"thinkingLevel": "LOW"}),
    ("gemini-3.5-flash", {"reasoning": {"effort": "high"}}, {"thinkingLevel": "HIGH"}),
    ("gemini-3.5-flash", {"reasoning": {"enabled": False}}, {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.5-flash", {"reasoning": {"exclude": False}}, {"includeThoughts": True}),
    (
        "gemini-3.5-flash",
        {"reasoning": {"exclude": True, "effort": "low"}},
        {"thinkingLevel": "LOW", "includeThoughts": False},
    ),
    ("gemini-3.5-flash", {"include_reasoning": True}, {"includeThoughts": True}),
    (
        "gemini-3.5-flash",
        {"thinking": {"type": "enabled", "budget_tokens": 1024, "display": "omitted"}},
        {"thinkingLevel": "LOW", "includeThoughts": False},
    ),
    # thinking_config wins over reasoning_effort; budget and level together are refused
    (
        "gemini-2.5-flash",
        {"reasoning_effort": "high", "extra_body": {"google": {"thinking_config": {"thinking_budget": 300}}}},
        {"thinkingBudget": 300},
    ),
    (
        "gemini-3.5-flash",
        {"reasoning_effort": "high", "google": {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}}},
        {"thinkingLevel": "LOW", "includeThoughts": True},
    ),
    (
        "gemini-3.5-flash",
        {"reasoning_effort": "high", "google": {"thinking_config": {"include_thoughts": True}}},
        {"thinkingLevel": "HIGH", "includeThoughts": True},
    ),
    ("gemini-2.5-flash", {"google": {"thinking_config": {"thinking_budget": -1}}}, {"thinkingBudget": -1}),
    ("gemini-3.8-flash", {"google": {"thinking_config": {"thinking_level": "minimal"}}}, {"thinkingLevel": "LOW"}),
]


@pytest.mark.parametrize(("model", "fields", "expected"), BUDGETS, ids=lambda value: str(value)[:70])
def test_every_spelling_of_thinking_is_understood(model: str, fields: Json, expected: Json) -> None:
    """1.7, numeric budgets, other dialects' words, includeThoughts"""
    assert thinking_of(chat(model=model, **fields))[0] == expected


def test_a_budget_and_a_level_together_are_a_400() -> None:
    """1.7: Google refuses both"""
    both = {"google": {"thinking_config": {"thinking_budget": 5, "thinking_level": "low"}}}
    assert refusal(chat(**both)).param == "$.google.thinking_config"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("effort", [None, *EFFORTS])
def test_a_budget_and_a_level_never_go_out_together(model: str, effort: str | None) -> None:
    """1.7: whatever is asked for"""
    for extra in ({}, {"include_reasoning": True}, {"max_tokens": 100}, {"reasoning": {"max_tokens": 100}}):
        told, _ = thinking_of(chat(model=model, reasoning_effort=effort, **extra))
        assert len({"thinkingBudget", "thinkingLevel"} & told.keys()) <= 1


# -- 9, first row: small limits ---------------------------------------------------------------------------------------

# (model, thinkingConfig at a small limit)
SMALL: list[tuple[str, Json]] = [
    ("gemini-2.5-flash", {"thinkingBudget": 0}),
    ("gemini-2.5-pro", {"thinkingBudget": 128}),
    ("gemini-2.5-flash-lite", {}),
    ("gemini-3-flash-preview", {"thinkingLevel": "MINIMAL"}),
    ("gemini-3-pro-preview", {"thinkingLevel": "LOW"}),
    ("gemini-3.1-pro-preview", {"thinkingLevel": "LOW"}),
    ("gemini-3.5-flash", {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.6-flash", {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.1-flash-lite", {}),
    ("gemini-3.5-flash-lite", {}),
    ("gemini-3.7-flash", {"thinkingLevel": "LOW"}),
    ("gemini-3.8-flash", {"thinkingLevel": "LOW"}),
    ("gemini-2.0-flash", {}),
]


@pytest.mark.parametrize(("model", "expected"), SMALL)
@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize("limit", [1, 256, 2048])
def test_a_small_limit_is_not_eaten_by_thoughts(limit: int, field: str, model: str, expected: Json) -> None:
    """9, row 1: the least thinking, told as a change; the limit itself stands"""
    done = translator().request(chat(model=model, **{field: limit}))
    sent = done.body["generationConfig"]
    assert sent.get("thinkingConfig", {}) == expected
    assert sent["maxOutputTokens"] == limit
    assert codes(done.losses) == (["9:small_max_tokens"] if expected else [])
    assert [loss.path for loss in done.losses] == ([f"$.{field}"] if expected else [])


def test_a_small_limit_changes_nothing_for_who_steers_thinking() -> None:
    """9, row 1: only if effort is unset"""
    model = "gemini-3.5-flash"
    assert thinking_of(chat(model=model, max_tokens=100, reasoning_effort="high"))[0] == {"thinkingLevel": "HIGH"}
    assert thinking_of(chat(model=model, max_tokens=2049)) == ({}, [])
    assert thinking_of(chat(model=f"{model}-high", max_tokens=100))[0] == {"thinkingLevel": "HIGH"}


# -- 1.8: names -------------------------------------------------------------------------------------------------------

# (name asked for, thinkingConfig)
NAMES: list[tuple[str, Json]] = [
    ("gemini-2.5-flash-thinking", {"thinkingBudget": -1, "includeThoughts": True}),
    ("gemini-2.5-pro-thinking", {"thinkingBudget": -1, "includeThoughts": True}),
    ("gemini-3.5-flash-thinking", {"includeThoughts": True}),
    ("gemini-2.5-flash-thinking-2048", {"thinkingBudget": 2048, "includeThoughts": True}),
    ("gemini-2.5-flash-thinking-99999", {"thinkingBudget": 24_576, "includeThoughts": True}),
    ("gemini-3.5-flash-thinking-2048", {"thinkingLevel": "LOW", "includeThoughts": True}),
    ("gemini-2.5-flash-nothinking", {"thinkingBudget": 0, "includeThoughts": False}),
    ("gemini-2.5-pro-nothinking", {"thinkingBudget": 128, "includeThoughts": False}),
    ("gemini-3.5-flash-nothinking", {"thinkingLevel": "MINIMAL", "includeThoughts": False}),
    ("gemini-3.5-flash-minimal", {"thinkingLevel": "MINIMAL"}),
    ("gemini-3.5-flash-low", {"thinkingLevel": "LOW"}),
    ("gemini-3.5-flash-medium", {"thinkingLevel": "MEDIUM"}),
    ("gemini-3.5-flash-high", {"thinkingLevel": "HIGH"}),
    ("gemini-2.5-flash-low", {"thinkingBudget": 1024}),
    ("gemini-2.5-pro-maxthinking", {"thinkingBudget": 32_768, "includeThoughts": True}),
    ("gemini-2.5-flash(512)", {"thinkingBudget": 512}),
    ("gemini-3.5-flash(high)", {"thinkingLevel": "HIGH"}),
    ("models/gemini-3.5-flash-low", {"thinkingLevel": "LOW"}),
    ("google/gemini-3.5-flash", {}),
    ("gemini/gemini-3.5-flash", {}),
    ("vertex_ai/gemini-3.5-flash", {}),
    ("gemini-3-5-flash", {}),
    ("gemini-2-5-flash-thinking", {"thinkingBudget": -1, "includeThoughts": True}),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_a_suffix_says_how_to_think_and_is_no_part_of_the_name(name: str, expected: Json) -> None:
    """1.8"""
    assert thinking_of(chat(model=name))[0] == expected


def test_the_request_wins_over_the_suffix() -> None:
    """1.8: who says it in the body means it"""
    assert thinking_of(chat(model="gemini-3.5-flash-low", reasoning_effort="high"))[0] == {"thinkingLevel": "HIGH"}


@pytest.mark.parametrize("name", ["gemini-2-5-flash-image", "gemini-2.5-flash-image", "models/gemini-2-5-flash-image"])
def test_dashes_may_stand_for_dots(name: str) -> None:
    """1.8, dash-for-dot"""
    assert CATALOG.resolve(name).name == "gemini-2.5-flash-image"
    assert CATALOG.resolve(name).asked == name


@pytest.mark.parametrize(
    "name",
    [
        "gemini-2.5-computer-use-preview-10-2025",
        "gemini-3.1-pro-preview-customtools",
        "nano-banana-pro-preview",
        "gemini-flash-latest",
        "gemini-pro-latest",
        "gemini-flash-lite-latest",
        "gemini-3-pro-preview",
        "gemini-3-pro-image-preview",
    ],
)
def test_a_real_name_is_never_cut(name: str) -> None:
    """1.8, last row: exact match first"""
    found = CATALOG.resolve(name)
    assert name in (found.model.name, *found.model.aliases)


@pytest.mark.parametrize("name", ["gpt-99", "gemini-9.9-flash-thinking", "-thinking", "gemini-3.5-flash-searching"])
def test_an_unknown_name_is_a_404(name: str) -> None:
    """1.8, resolve order"""
    with pytest.raises(ModelNotFound):
        CATALOG.resolve(name)
