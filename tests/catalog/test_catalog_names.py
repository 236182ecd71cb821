"""A name asked for means one model and one wish about thinking, or nothing (mapping.md 1.8)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portico.catalog import DYNAMIC, Catalog, OperatorModel, completed, load_catalog
from portico.core.errors import ModelNotFound
from portico.core.request import Thinking

CATALOG = load_catalog()
KNOWN = sorted({*CATALOG.models, *(alias for model in CATALOG.models.values() for alias in model.aliases)})
GOOGLES = {name for name in KNOWN if CATALOG.resolve(name).model.vendor == "google"}

# Issue 2 (item 3) and all of mapping.md section 6, each with the model that serves it.
BY_NAME = {
    "gemini-3.5-flash": "gemini-3.5-flash",
    "gemini-2.5-flash": "gemini-2.5-flash",
    "gemini-2.5-pro": "gemini-2.5-pro",
    "gemini-3-flash-preview": "gemini-3-flash-preview",
    "gemini-3-pro-preview": "gemini-3-pro-preview",
    "gemini-3.1-pro-preview": "gemini-3.1-pro-preview",
    "gemini-3.1-pro-preview-customtools": "gemini-3.1-pro-preview-customtools",
    "gemini-2.5-flash-thinking": "gemini-2.5-flash",
    "gemini-2-5-flash-image": "gemini-2.5-flash-image",
    "gemini-2.5-flash-image": "gemini-2.5-flash-image",
    "gemini-3-pro-image-preview": "gemini-3-pro-image-preview",
    "gemini-2.5-flash-lite": "gemini-2.5-flash-lite",
    "gemini-3.1-flash-lite": "gemini-3.1-flash-lite",
    "gemini-3.5-flash-lite": "gemini-3.5-flash-lite",
    "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
    "gemini-3.6-flash": "gemini-3.6-flash",
    "gemini-3.7-flash": "gemini-3.7-flash",
    "gemini-3.8-flash": "gemini-3.8-flash",
    "gemini-flash-latest": "gemini-3.8-flash",
    "gemini-pro-latest": "gemini-3.1-pro-preview",
    "gemini-4-argon": "gemini-4-argon",
    "gemini-3-pro-image": "gemini-3-pro-image",
    "nano-banana-pro-preview": "gemini-3-pro-image",
    "gemini-3.1-flash-image": "gemini-3.1-flash-image",
    "gemini-3.1-flash-image-preview": "gemini-3.1-flash-image-preview",
    "gemini-3.1-flash-lite-image": "gemini-3.1-flash-lite-image",
    "gemini-nano-banana-2.1": "gemini-nano-banana-2.1",
    "gemini-2.5-computer-use-preview-10-2025": "gemini-2.5-computer-use-preview-10-2025",
    "gemini-2.0-flash": "gemini-2.0-flash",
    "gemini-2.0-flash-lite": "gemini-2.0-flash-lite",
    "gemini-2.5-flash-preview-tts": "gemini-2.5-flash-preview-tts",
    "gemini-2.5-pro-preview-tts": "gemini-2.5-pro-preview-tts",
    "gemini-3.1-flash-tts-preview": "gemini-3.1-flash-tts-preview",
    "gemini-3.8-flash-tts": "gemini-3.8-flash-tts",
    "gemini-3.8-flash-lite-tts": "gemini-3.8-flash-lite-tts",
    "gemini-3.5-transcribe": "gemini-3.5-transcribe",
    "gemini-embedding-001": "gemini-embedding-001",
    "gemini-embedding-2": "gemini-embedding-2",
    "gemma-4-26b-a4b-it": "gemma-4-26b-a4b-it",
    "gemma-4-31b-it": "gemma-4-31b-it",
    # What clients ask for by themselves (tests/clients/test_names_clients_insist_on.py).
    "gemini-3-flash": "gemini-3-flash-preview",
    "gemini-3.1-flash-lite-preview": "gemini-3.1-flash-lite",
    "gemini-2.5-pro-exp-03-25": "gemini-2.5-pro",
    "gemini-2.5-flash-preview-04-17": "gemini-2.5-flash",
}

SHOWN_DYNAMIC = Thinking(budget=DYNAMIC, show=True)
OFF = Thinking(effort="none", show=False)

FORMS = [
    ("models/gemini-2.5-flash", "gemini-2.5-flash", Thinking()),
    ("google/gemini-2.5-flash", "gemini-2.5-flash", Thinking()),
    ("gemini/gemini-2.5-flash", "gemini-2.5-flash", Thinking()),
    ("vertex_ai/gemini-2.5-flash", "gemini-2.5-flash", Thinking()),
    ("publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash", Thinking()),
    ("vertex_ai/google/gemini-flash-latest", "gemini-3.8-flash", Thinking()),
    ("gemini-2.5-flash-thinking", "gemini-2.5-flash", SHOWN_DYNAMIC),
    ("gemini-3.1-pro-preview-thinking", "gemini-3.1-pro-preview", SHOWN_DYNAMIC),
    ("gemini-2.5-flash-thinking-2048", "gemini-2.5-flash", Thinking(budget=2048, show=True)),
    ("gemini-2.5-flash-thinking-0", "gemini-2.5-flash", OFF),
    ("gemini-2.5-pro-nothinking", "gemini-2.5-pro", OFF),
    ("gemini-2.5-pro-maxthinking", "gemini-2.5-pro", Thinking(effort="max", show=True)),
    ("gemini-3.5-flash-minimal", "gemini-3.5-flash", Thinking(effort="minimal")),
    ("gemini-3-pro-preview-low", "gemini-3-pro-preview", Thinking(effort="low")),
    ("gemini-2.5-flash-lite-medium", "gemini-2.5-flash-lite", Thinking(effort="medium")),
    ("gemini-3.1-pro-preview-high", "gemini-3.1-pro-preview", Thinking(effort="high")),
    ("gemini-2.5-flash(8192)", "gemini-2.5-flash", Thinking(budget=8192)),
    ("gemini-2.5-flash(-1)", "gemini-2.5-flash", Thinking(budget=DYNAMIC)),
    ("gemini-2.5-flash(0)", "gemini-2.5-flash", OFF),
    ("gemini-3-flash-preview(high)", "gemini-3-flash-preview", Thinking(effort="high")),
    ("gemini-3-flash-preview(none)", "gemini-3-flash-preview", Thinking(effort="none")),
    ("gemini-flash-latest-low", "gemini-3.8-flash", Thinking(effort="low")),
    ("models/gemini-2.5-flash-thinking", "gemini-2.5-flash", SHOWN_DYNAMIC),
    ("gemini-2-5-pro", "gemini-2.5-pro", Thinking()),
    ("gemini-3-1-flash-lite", "gemini-3.1-flash-lite", Thinking()),
    ("google/gemini-2-5-flash-thinking-512", "gemini-2.5-flash", Thinking(budget=512, show=True)),
    ("Gemini-2.5-Flash", "gemini-2.5-flash", Thinking()),
    ("GEMINI-2.5-FLASH-THINKING", "gemini-2.5-flash", SHOWN_DYNAMIC),
    ("Models/Gemini-2-5-Pro(HIGH)", "gemini-2.5-pro", Thinking(effort="high")),
    ("openai/gpt-5.5", "gpt-5.5", Thinking()),
    ("azure/gpt-5-5", "gpt-5.5", Thinking()),
    ("openrouter/openai/gpt-5.6", "gpt-5.6-sol", Thinking()),
    ("gpt-5.5-high", "gpt-5.5", Thinking(effort="high")),
    ("gpt-5.5(xhigh)", "gpt-5.5", Thinking(effort="xhigh")),
    ("anthropic/claude-opus-5-5", "claude-opus-5-5", Thinking()),
    ("anthropic/claude-opus-5.5", "claude-opus-5-5", Thinking()),
    ("publishers/anthropic/models/claude-haiku-4-5@20251001", "claude-haiku-4-5", Thinking()),
    ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", Thinking()),
    ("claude-sonnet-5-5-thinking", "claude-sonnet-5-5", SHOWN_DYNAMIC),
    ("claude-opus-4.6-nothinking", "claude-opus-4-6", OFF),
]


@pytest.mark.parametrize(("asked", "model"), BY_NAME.items())
def test_every_promised_name_resolves(asked: str, model: str) -> None:
    resolved = CATALOG.resolve(asked)
    assert (resolved.name, resolved.asked) == (model, asked)


def test_every_model_of_googles_file_is_a_promised_name() -> None:
    assert set(BY_NAME) >= GOOGLES


@pytest.mark.parametrize(("asked", "model", "thinking"), FORMS)
def test_prefixes_suffixes_dashes_and_case_are_understood(asked: str, model: str, thinking: Thinking) -> None:
    resolved = CATALOG.resolve(asked)
    assert (resolved.name, resolved.thinking) == (model, thinking)


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_name_says_nothing_about_thinking(name: str) -> None:
    assert CATALOG.resolve(name).thinking == Thinking()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-thinking",
        "models/",
        "gpt-99",
        "gpt-99-high",
        "gemini-9.9-flash-thinking",
        "gemini-2.5-flash-preview-05-20",
        "gemini-2.5-pro-preview-06-05",
        "gemini-2.5-flash-preview-05-20-thinking",
        "gemini-2.5-flash-thinking-exp-01-21",
        "gemini-2.5-flash-thinking-",
        "gemini-2.5-flash-thinking-12345678901",
        "gemini-2.5-flash-thinking-high",
        "gemini-2.5-flash(",
        "gemini-2.5-flash()",
        "gemini-2.5-flash(huge)",
        "gemini-2.5-flash(-2)",
        "gemini-2.5-flash-thinking-１２",
        " gemini-2.5-flash",
        "gemini-2.5-flash\n",
        "\ud800",
    ],
)
def test_what_is_not_known_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve(name)
    assert caught.value.http_status == 404
    assert caught.value.param == "model"
    assert caught.value.message.isprintable()


def test_a_suffix_is_not_cut_from_a_name_that_really_ends_so() -> None:
    catalog = CATALOG.with_models(
        [
            OperatorModel("acme", "acme/a"),
            OperatorModel("acme-high", "acme/b"),
            OperatorModel("acme-thinking-7", "acme/c"),
        ]
    )
    assert [catalog.resolve(name).name for name in ("acme", "acme-high", "acme-thinking-7")] == [
        "acme",
        "acme-high",
        "acme-thinking-7",
    ]
    assert catalog.resolve("acme-high").thinking == Thinking()
    assert catalog.resolve("acme-low").thinking == Thinking(effort="low")


def test_a_name_matches_exactly_before_its_case_is_disregarded() -> None:
    catalog = CATALOG.with_models([OperatorModel("Mine", "a/one"), OperatorModel("mine", "a/two")])
    assert [catalog.resolve(name).name for name in ("Mine", "mine")] == ["Mine", "mine"]
    assert catalog.resolve("MINE").name in ("Mine", "mine")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("gemini-2.5-flsh", "gemini-2.5-flash"),
        ("gemini-3-pro", "gemini-3-pro-image"),
        ("Gemma-4-31b", "gemma-4-31b-it"),
    ],
)
def test_a_mistyped_name_is_answered_with_near_ones(asked: str, hint: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve(asked)
    assert repr(asked) in caught.value.message
    assert hint in caught.value.message


@pytest.mark.parametrize("piece", ["x", "models/", "-thinking-1", "(low)", "\u0130"])
def test_a_hostile_name_costs_little_and_is_shown_in_part(piece: str) -> None:
    name = piece * 200_000
    started = time.thread_time()
    with pytest.raises(ModelNotFound) as caught:
        CATALOG.resolve(name)
    CATALOG.capabilities_for(name)
    assert time.thread_time() - started < 0.5
    assert len(caught.value.message) < 300


def names_like_ours() -> st.SearchStrategy[str]:
    """Known names among the pieces that resolving takes off or changes."""
    prefixes = st.sampled_from(
        ["", "models/", "google/", "gemini/", "vertex_ai/", "openai/", "publishers/google/models/", "x/"]
    )
    suffixes = st.sampled_from(
        [
            "",
            "-thinking",
            "-thinking-64",
            "-nothinking",
            "-maxthinking",
            "-high",
            "(low)",
            "(99)",
            "-preview-05-20",
            "-3-1",
        ]
    )
    changes = st.sampled_from([str, str.upper, str.title, lambda name: name.replace(".", "-")])
    return st.builds(
        lambda before, name, after, change: change(before + name + after),
        st.lists(prefixes, max_size=2).map("".join),
        st.sampled_from(KNOWN),
        st.lists(suffixes, max_size=2).map("".join),
        changes,
    )


@given(st.one_of(st.text(), names_like_ours(), st.from_regex(r"gem[a-z]+-[0-9][.-][0-9]-[a-z()0-9-]*")))
def test_any_name_resolves_to_itself_or_is_not_found(name: str) -> None:
    try:
        resolved = CATALOG.resolve(name)
    except ModelNotFound:
        return
    assert resolved.asked == name
    again = CATALOG.resolve(resolved.name)
    assert (again.model, again.thinking) == (resolved.model, Thinking())


@pytest.mark.parametrize(
    ("own", "named", "both"),
    [
        (Thinking(), SHOWN_DYNAMIC, SHOWN_DYNAMIC),
        (Thinking(effort="low"), SHOWN_DYNAMIC, Thinking(effort="low", show=True)),
        (Thinking(level="high"), OFF, Thinking(level="high", show=False)),
        (Thinking(budget=0, show=True), OFF, Thinking(budget=0, show=True)),
        (Thinking(show=False), Thinking(effort="max", show=True), Thinking(effort="max", show=False)),
        (Thinking(effort="low", show=True), Thinking(), Thinking(effort="low", show=True)),
    ],
)
def test_a_request_speaks_before_its_models_name(own: Thinking, named: Thinking, both: Thinking) -> None:
    assert completed(own, named) == both


def test_resolving_leaves_the_catalog_as_it_was() -> None:
    assert isinstance(CATALOG, Catalog)
    assert load_catalog() is CATALOG
