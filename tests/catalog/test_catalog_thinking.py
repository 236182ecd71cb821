"""The thinking tables of mapping.md 1.7, cell by cell."""

import pytest

from portico.catalog import EFFORTS, Model, ModelKind, load_catalog
from portico.core.target import ThinkingControl

CATALOG = load_catalog()

FLASH = [
    "gemini-3-flash-preview",
    "gemini-3.5-flash",
    "gemini-3.6-flash",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash-lite",
]
IMAGES = ["gemini-3.1-flash-image", "gemini-3.1-flash-image-preview", "gemini-3.1-flash-lite-image"]

# One column of the table each: the models it heads, then none, minimal, low, medium, high, xhigh and max.
EFFORT_TABLE: list[tuple[list[str], list[str | int]]] = [
    (["gemini-2.5-pro"], [128, 1024, 1024, 8192, 24576, 32768, 32768]),
    (["gemini-2.5-flash"], [0, 1024, 1024, 8192, 24576, 24576, 24576]),
    (["gemini-2.5-flash-lite"], [0, 1024, 1024, 8192, 24576, 24576, 24576]),
    (["gemini-3-pro-preview"], ["low", "low", "low", "high", "high", "high", "high"]),
    (
        ["gemini-3.1-pro-preview", "gemini-3.1-pro-preview-customtools"],
        ["low", "low", "low", "medium", "high", "high", "high"],
    ),
    (FLASH, ["minimal", "minimal", "low", "medium", "high", "high", "high"]),
    (
        ["gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon"],
        ["low", "low", "low", "medium", "high", "high", "high"],
    ),
    (IMAGES, ["minimal", "minimal", "minimal", "high", "high", "high", "high"]),
]
CELLS = [
    (model, effort, value)
    for models, values in EFFORT_TABLE
    for model in models
    for effort, value in zip(EFFORTS, values, strict=True)
]

ALL_LEVELS = ("minimal", "low", "medium", "high")
LEVELS = [
    ("gemini-3-pro-preview", ("low", "high"), "high"),
    ("gemini-3.1-pro-preview", ("low", "medium", "high"), "high"),
    ("gemini-3.1-pro-preview-customtools", ("low", "medium", "high"), "high"),
    ("gemini-3-flash-preview", ALL_LEVELS, "high"),
    ("gemini-3.5-flash", ALL_LEVELS, "medium"),
    ("gemini-3.6-flash", ALL_LEVELS, "medium"),
    ("gemini-3.7-flash", ("low", "medium", "high"), "medium"),
    ("gemini-3.8-flash", ("low", "medium", "high"), "medium"),
    ("gemini-3.1-flash-lite", ALL_LEVELS, "minimal"),
    ("gemini-3.5-flash-lite", ALL_LEVELS, "minimal"),
    ("gemini-3.1-flash-image", ("minimal", "high"), "minimal"),
    ("gemini-3.1-flash-image-preview", ("minimal", "high"), "minimal"),
    ("gemini-3.1-flash-lite-image", ("minimal", "high"), "minimal"),
    ("gemini-4-argon", ("low", "medium", "high"), None),
]
BUDGETS = [
    ("gemini-2.5-pro", 128, 32768, False, "dynamic"),
    ("gemini-2.5-flash", 0, 24576, True, "dynamic"),
    ("gemini-2.5-flash-lite", 512, 24576, True, "off"),
]


@pytest.mark.parametrize(("model", "effort", "value"), CELLS)
def test_each_effort_becomes_what_the_table_says(model: str, effort: str, value: str | int) -> None:
    assert CATALOG.models[model].capabilities.thinking.effort[effort] == value


@pytest.mark.parametrize(("model", "levels", "default"), LEVELS)
def test_level_models_have_their_levels_and_cannot_be_switched_off(
    model: str, levels: tuple[str, ...], default: str | None
) -> None:
    spec = CATALOG.models[model].capabilities.thinking
    assert spec.control is ThinkingControl.LEVEL
    assert (spec.levels, spec.default) == (levels, default)
    assert not spec.can_disable
    assert not spec.dynamic_budget


@pytest.mark.parametrize(("model", "least", "most", "can_disable", "default"), BUDGETS)
def test_budget_models_have_their_range(model: str, least: int, most: int, can_disable: bool, default: str) -> None:
    spec = CATALOG.models[model].capabilities.thinking
    assert spec.control is ThinkingControl.BUDGET
    assert (spec.min_budget, spec.max_budget, spec.can_disable, spec.default) == (least, most, can_disable, default)
    assert spec.dynamic_budget


def test_all_other_models_are_told_nothing() -> None:
    steered = {model for model, *_ in LEVELS} | {model for model, *_ in BUDGETS}
    for name, model in CATALOG.models.items():
        if model.vendor != "google":
            continue
        assert model.thinking_can_be_steered is (name in steered), name


@pytest.mark.parametrize("model", CATALOG.models.values(), ids=lambda model: model.name)
def test_thinking_is_the_same_at_every_backend(model: Model) -> None:
    assert model.capabilities_at("vertex").thinking == model.capabilities.thinking


def test_models_that_speak_or_embed_or_transcribe_do_not_think() -> None:
    kinds = (ModelKind.SPEECH, ModelKind.EMBEDDING, ModelKind.TRANSCRIPTION)
    assert not any(model.thinking_can_be_steered for model in CATALOG.models.values() if model.kind in kinds)
